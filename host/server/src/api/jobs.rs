//! `/v1/jobs/{id}`, and what all jobs share: the job as it is shown, and pages of what it found.

use std::sync::Arc;

use axum::body::Body as HttpBody;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::Response;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::problem::{ApiError, Problem};
use crate::api::respond;
use crate::api::router::Api;
use crate::commands::CommandError;
use crate::jobs::table::FoundRow;
use crate::jobs::{Job, JobKind, JobState};
use crate::roles::READERS;

const LIMIT_DEFAULT: u32 = 20;
const LIMIT_MAX: u32 = 100;

/// How far a job is: in positions of the tenant's history, or in entries that it posts.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobProgress {
    done: u64,
    /// Zero until it begins.
    total: u64,
}

/// A job.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobView {
    id: String,
    /// `verification`, `simulation`, `year-close` or `year-reopen`.
    kind: String,
    /// `queued`, `running`, `done`, `failed` or `cancelled`.
    state: JobState,
    progress: JobProgress,
    requested_by: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    started_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
    /// Why it failed: `candidate-fails` (the candidate failed on 100 documents and was given up), `candidate-unavailable`,
    /// `history-unreadable`, `job-time-exceeded` (one hour), `job-abandoned` (the server broke off five times), or why a
    /// fiscal year is no longer to be closed, as `fiscal-year-status-conflict`.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    /// What was asked.
    #[schema(value_type = Object)]
    request: serde_json::Value,
    /// What came of it, once it ended; of a job that failed, as far as it came.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    result: Option<serde_json::Value>,
}

/// The job, as shown.
pub(crate) fn view(job: &Job) -> Result<JobView, ApiError> {
    let moment = |microseconds: i64| {
        Timestamp::from_microsecond(microseconds).map_err(|error| CommandError::Defect(error.to_string()))
    };
    let mut request: serde_json::Value = serde_json::from_str(&job.request).map_err(CommandError::from)?;
    // A configuration is kept as its text.
    if let Some(config) = request.get("config").and_then(|config| config.as_str()) {
        let config: serde_json::Value = serde_json::from_str(config).unwrap_or_default();
        request["config"] = config;
    }
    Ok(JobView {
        id: job.id.clone(),
        kind: job.kind.clone(),
        state: JobState::find(&job.state)
            .ok_or_else(|| CommandError::Defect("a job without a state".to_owned()))?,
        progress: JobProgress { done: job.done.unsigned_abs(), total: job.total.unsigned_abs() },
        requested_by: job.requested_by.clone(),
        created_at: moment(job.created_at)?,
        started_at: job.started_at.map(moment).transpose()?,
        ended_at: job.ended_at.map(moment).transpose()?,
        problem: job.problem.clone(),
        request,
        result: job.result.as_deref().map(serde_json::from_str).transpose().map_err(CommandError::from)?,
    })
}

/// How far a job is, of whatever kind, and what came of it.
#[utoipa::path(get, path = "/v1/jobs/{id}", tag = "books", params(("id" = String, Path)),
    responses((status = 200, body = JobView), (status = 404, body = Problem)))]
pub(crate) async fn show(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    caller.require(READERS)?;
    respond::json(&view(&api.app.any_job(&caller.actor, &id).await?)?)
}

/// 202: the job is taken in.
pub(crate) fn accepted(kind: JobKind, (id, before): (Uuid, bool), job: &Job) -> Result<Response, ApiError> {
    let mut response = respond::json(&view(job)?)?;
    *response.status_mut() = StatusCode::ACCEPTED;
    respond::set(&mut response, header::LOCATION, &format!("{}/{id}", kind.path()));
    if before {
        respond::set(&mut response, HeaderName::from_static("idempotency-replayed"), "true");
    }
    Ok(response)
}

/// 204.
pub(crate) fn gone() -> Response {
    let mut response = Response::new(HttpBody::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// Which part of what a job found.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FoundQuery {
    /// At most so many, 1 to 100; 20 when absent.
    limit: Option<u32>,
    /// The cursor of the page before.
    after: Option<String>,
}

/// Where a page begins, and how long it is.
pub(crate) struct Page {
    pub(crate) after: (i64, i64),
    pub(crate) limit: u32,
}

impl Page {
    pub(crate) fn of(query: Result<Query<FoundQuery>, QueryRejection>) -> Result<Self, ApiError> {
        let invalid = |detail: String| ApiError::new(Code::QueryInvalid, detail);
        let Query(FoundQuery { limit, after }) = query.map_err(|error| invalid(error.body_text()))?;
        let limit = limit.unwrap_or(LIMIT_DEFAULT);
        if !(1..=LIMIT_MAX).contains(&limit) {
            return Err(invalid(format!("limit lies between 1 and {LIMIT_MAX}")));
        }
        let place = |cursor: &str| {
            let (position, item) = cursor.split_once('-')?;
            Some((position.parse().ok()?, item.parse().ok()?))
        };
        let after = match after {
            None => (0, -1),
            Some(cursor) => {
                place(&cursor).ok_or_else(|| invalid("after is no cursor of this list".to_owned()))?
            }
        };
        Ok(Self { after, limit })
    }

    /// Whether it begins at the beginning.
    pub(crate) fn is_first(&self) -> bool {
        self.after == (0, -1)
    }

    /// Leaves at most a page of `rows`, which are one more; the cursor of the next page.
    pub(crate) fn cut(&self, rows: &mut Vec<FoundRow>) -> Option<String> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        rows.last().filter(|_| more).map(|(position, item, _)| format!("{position}-{item}"))
    }
}

/// What was kept of each row.
pub(crate) fn details<T: DeserializeOwned>(rows: &[FoundRow]) -> Result<Vec<T>, ApiError> {
    let details = rows.iter().map(|(_, _, detail)| serde_json::from_str(detail)).collect();
    Ok(Result::<_, serde_json::Error>::map_err(details, CommandError::from)?)
}

/// Adds the link to the next page.
pub(crate) fn link(response: &mut Response, path: &str, limit: u32, next: Option<&str>) {
    if let Some(cursor) = next {
        let link = format!("<{path}?limit={limit}&after={cursor}>; rel=\"next\"");
        respond::set(response, header::LINK, &link);
    }
}
