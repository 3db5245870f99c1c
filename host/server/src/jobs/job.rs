//! What a job is.

use jiff::Timestamp;
use niyam_domain::TenantId;
use niyam_store::Idempotency;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::rerun::simulate::Filter;
use crate::roles::Role;

/// Jobs of one tenant that may wait or run.
pub(crate) const UNFINISHED_MAX: i64 = 5;
/// Jobs of one tenant that are kept; older ones that ended are taken away.
pub(crate) const KEPT_MAX: i64 = 50;

/// What it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JobKind {
    /// Runs the tenant's decisions again.
    Verification,
    /// Asks a candidate about the tenant's documents.
    Simulation,
    /// Moves a fiscal year's result into equity.
    YearClose,
    /// Takes that back.
    YearReopen,
}

impl JobKind {
    pub(crate) fn find(text: &str) -> Option<Self> {
        let all = [Self::Verification, Self::Simulation, Self::YearClose, Self::YearReopen];
        all.into_iter().find(|kind| kind.as_str() == text)
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Verification => "verification",
            Self::Simulation => "simulation",
            Self::YearClose => "year-close",
            Self::YearReopen => "year-reopen",
        }
    }

    /// The path of its jobs.
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Verification => "/v1/verifications",
            Self::Simulation => "/v1/simulations",
            Self::YearClose | Self::YearReopen => "/v1/jobs",
        }
    }
}

/// Where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum JobState {
    /// Waits for its turn.
    Queued,
    /// A host works on it.
    Running,
    /// Ended with a result.
    Done,
    /// Ended without, or with a part of one; its problem says why.
    Failed,
    /// Given up by who asked for it.
    Cancelled,
}

impl JobState {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    pub(crate) fn find(text: &str) -> Option<Self> {
        let all = [Self::Queued, Self::Running, Self::Done, Self::Failed, Self::Cancelled];
        all.into_iter().find(|state| state.as_str() == text)
    }
}

/// Which decisions to run again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerificationRequest {
    /// Only decisions after this position; all when absent.
    #[serde(default)]
    pub(crate) since: u64,
    /// Takes the same answer for other fuel for proven: after the engine changed.
    #[serde(default)]
    pub(crate) ignore_fuel: bool,
}

/// What to ask a candidate, checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SimulationRequest {
    /// SHA-256 of the component.
    pub(crate) module: String,
    /// Canonical JSON, which fits the module's schema.
    pub(crate) config: String,
    pub(crate) filter: Filter,
}

/// Which fiscal year to close or to reopen, and who wants it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct YearRequest {
    pub(crate) fiscal_year: String,
    /// Which closing of the year: 1, 2, 3 …
    pub(crate) number: u32,
    /// Why it is reopened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    pub(crate) roles: Vec<Role>,
    pub(crate) trace_id: String,
}

/// A job that is asked for.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) tenant: TenantId,
    pub(crate) kind: JobKind,
    /// JSON.
    pub(crate) request: String,
    pub(crate) user: String,
    pub(crate) key: Option<Idempotency>,
    pub(crate) id: Uuid,
    pub(crate) now: Timestamp,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// It waits.
    Queued(Uuid),
    /// The request came before; this is its job.
    Before(Uuid),
    /// The key was used for another request.
    KeyReused,
    /// The tenant has as many unfinished jobs as it may.
    TooMany,
}

/// A job, as kept. Times in microseconds.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Job {
    pub(crate) tenant: String,
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) state: String,
    pub(crate) request: String,
    pub(crate) requested_by: String,
    pub(crate) created_at: i64,
    pub(crate) started_at: Option<i64>,
    pub(crate) ended_at: Option<i64>,
    pub(crate) attempts: i64,
    pub(crate) done: i64,
    pub(crate) total: i64,
    pub(crate) result: Option<String>,
    pub(crate) problem: Option<String>,
}
