//! Commands: load, ask the modules, let the domain decide, append. Nothing here knows HTTP.
//!
//! Next step of the flow: `niyam-store` appends, `projections` follow.

pub(crate) mod accounts;
pub(crate) mod activation;
pub(crate) mod bank;
pub(crate) mod bank_views;
pub(crate) mod books;
pub(crate) mod data_subject;
pub(crate) mod examine;
pub(crate) mod fallback;
pub(crate) mod fiscal_years;
pub(crate) mod form;
pub(crate) mod invoice;
pub(crate) mod issue;
pub(crate) mod journal;
pub(crate) mod metadata;
pub(crate) mod note;
pub(crate) mod obligations;
pub(crate) mod once;
pub(crate) mod payment;
pub(crate) mod payment_parts;
mod payment_policy;
pub(crate) mod payment_views;
pub(crate) mod periods;
pub(crate) mod policy;
pub(crate) mod policy_views;
pub(crate) mod posting;
pub(crate) mod reconciliation;
pub(crate) mod return_views;
pub(crate) mod schedule_run;
pub(crate) mod schedule_views;
pub(crate) mod schedules;
mod sealed;
pub(crate) mod supplier_number;
pub(crate) mod tax;
pub(crate) mod tax_documents;
pub(crate) mod tax_return;
pub(crate) mod tenant;
pub(crate) mod views;
pub(crate) mod write_off;
pub(crate) mod year_close;

use niyam_documents::DrawError;
use niyam_domain::{Rejection, StreamId, TenantId, UnreadableEvent, Version};
use niyam_store::{AppendError, InvalidAppend, StoreError};
use niyam_values::Finding;

use crate::aggregates::ReadError;
use crate::commands::activation::ModuleError;
use crate::packs::PackError;
use crate::personal::OpeningError;
use crate::roles::Role;

/// The rules that commands keep themselves: the code of a finding, and what is wanted.
pub(crate) const RULES: &[(&str, &str)] = &[
    ("kind-not-supported", "Of purchases, invoices are recorded; notes are issued against their invoice."),
    ("supplier-number-missing", "A purchase has its supplier's number."),
    (
        "supplier-number-invalid",
        "A supplier's number has at most 64 characters, a letter or digit among them.",
    ),
    ("supplier-number-used", "A supplier's number is recorded once."),
    ("time-zone-unknown", "A tenant's time zone is an IANA name, for example Asia/Dhaka."),
    ("text-invalid", "A text of the profile or of the books is not empty, printable, and not too long."),
];

/// Who asks.
#[derive(Debug, Clone)]
pub(crate) struct Actor {
    pub(crate) tenant: TenantId,
    pub(crate) user: String,
    pub(crate) roles: Vec<Role>,
    pub(crate) trace_id: String,
}

/// The version that a change expects to meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    /// Whatever stands.
    Any,
    /// This one.
    Exactly(Version),
}

/// Why a command recorded nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    /// The user can do something.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// What the user saw is no longer what stands.
    #[error("{stream} has another version than the one expected")]
    Stale { stream: StreamId },
    /// The key was used for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// The key is no key.
    #[error("an idempotency key has 1 to 255 printable ASCII characters")]
    KeyInvalid,
    /// An event would be larger than the store takes.
    #[error("the command would record more than one event may hold")]
    TooLarge,
    /// A paper was asked of an invoice that is not issued.
    #[error("the invoice is not issued")]
    NotIssued,
    /// The pack does not draw such a paper for the invoice.
    #[error("there is no such paper")]
    FormMissing,
    /// The return shows no such amount.
    #[error("the return shows no such amount")]
    FigureMissing,
    /// The paper is more than can be drawn.
    #[error(transparent)]
    Paper(#[from] DrawError),
    /// Too many papers are being drawn.
    #[error("too many papers wait to be drawn")]
    PapersBusy,
    /// The token's tenant does not exist.
    #[error("there is no such tenant")]
    TenantUnknown,
    /// A module is not taken, or not activated.
    #[error(transparent)]
    Module(#[from] ModuleError),
    /// A policy of the tenant denies it.
    #[error("policy {module} denies it")]
    PolicyDenied { module: String, findings: Vec<Finding> },
    /// A policy of the tenant wants somebody's approval first.
    #[error("policy {module} wants an approval")]
    ApprovalRequired { module: String, reason: String },
    /// The tenant has no such job.
    #[error("there is no such job")]
    JobMissing,
    /// The tenant has as many jobs under way as it may.
    #[error("too many jobs are under way")]
    JobsTooMany,
    /// The candidate is no component that says what tax a document bears.
    #[error("there is no such candidate")]
    CandidateUnknown,
    /// A module did not answer.
    #[error(transparent)]
    Pack(Box<PackError>),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored event does not make sense, or one cannot be written: a defect.
    #[error("{0}")]
    Defect(String),
}

impl From<PackError> for CommandError {
    fn from(error: PackError) -> Self {
        Self::Pack(Box::new(error))
    }
}

impl From<sqlx::Error> for CommandError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<ReadError> for CommandError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Store(error) => Self::Store(error),
            ReadError::Opening(error) => error.into(),
            ReadError::Unreadable(error) => error.into(),
        }
    }
}

impl From<OpeningError> for CommandError {
    fn from(error: OpeningError) -> Self {
        match error {
            OpeningError::Store(error) => Self::Store(error),
            error => Self::Defect(error.to_string()),
        }
    }
}

impl From<UnreadableEvent> for CommandError {
    fn from(error: UnreadableEvent) -> Self {
        Self::Defect(error.to_string())
    }
}

impl From<serde_json::Error> for CommandError {
    fn from(error: serde_json::Error) -> Self {
        Self::Defect(error.to_string())
    }
}

impl From<AppendError> for CommandError {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Conflict { stream, .. } => Self::Stale { stream },
            AppendError::KeyReused => Self::KeyReused,
            // Tried often enough with the key of another request.
            AppendError::SubjectKeyed => Self::Store(StoreError::Overloaded),
            AppendError::Invalid(InvalidAppend::Key) => Self::KeyInvalid,
            AppendError::Invalid(InvalidAppend::EventTooLarge | InvalidAppend::TooLarge) => Self::TooLarge,
            AppendError::Invalid(error) => Self::Defect(error.to_string()),
            AppendError::Store(error) => Self::Store(error),
        }
    }
}
