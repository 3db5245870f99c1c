//! `/v1/verifications`: the tenant's decisions, run again and compared bit for bit.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::body::Body;
use crate::api::caller::Caller;
use crate::api::jobs::{self, FoundQuery, JobView, Page};
use crate::api::problem::{ApiError, Problem};
use crate::api::respond;
use crate::api::router::Api;
use crate::jobs::{JobKind, VerificationRequest};
use crate::rerun::verify::Difference;
use crate::roles::{EXAMINERS, READERS};

const KIND: JobKind = JobKind::Verification;

/// Runs the tenant's decisions again, in the background. The result counts `decisions`, `proven`, `other_fuel` (the same
/// answer at another cost: the engine changed), `untried`, `erased` (personal data of the input were) and `differing`, by
/// component too, and concludes `proven`, `differs` or `unproven`; what was erased alone leaves it `proven`,
/// unless `keys_lost` counts keys that are gone though no erasure is recorded.
#[utoipa::path(post, path = "/v1/verifications", tag = "proof", request_body = VerificationRequest,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 202, body = JobView), (status = 429, body = Problem)))]
pub(crate) async fn ask(
    State(api): State<Arc<Api>>,
    caller: Caller,
    body: Body,
) -> Result<Response, ApiError> {
    caller.require(EXAMINERS)?;
    let request: VerificationRequest = body.parse_or_default()?;
    let key = caller.idempotency(&body.0)?;
    let (id, before) = api.app.ask_verification(&caller.actor, key, &request).await?;
    let (_, job) = api.app.job(&caller.actor, KIND, &id.to_string()).await?;
    jobs::accepted(KIND, (id, before), &job)
}

/// How far a verification is, and what came of it.
#[utoipa::path(get, path = "/v1/verifications/{id}", tag = "proof", params(("id" = String, Path)),
    responses((status = 200, body = JobView), (status = 404, body = Problem)))]
pub(crate) async fn show(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    caller.require(READERS)?;
    let (_, job) = api.app.job(&caller.actor, KIND, &id).await?;
    respond::json(&jobs::view(&job)?)
}

/// Cancels a verification that has not ended; takes away one that has.
#[utoipa::path(delete, path = "/v1/verifications/{id}", tag = "proof", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = Problem)))]
pub(crate) async fn give_up(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    caller.require(EXAMINERS)?;
    api.app.give_up_job(&caller.actor, KIND, &id).await?;
    Ok(jobs::gone())
}

/// A page of what differs, in order of position.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DifferencePage {
    items: Vec<Difference>,
    /// Cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// What differs, and how.
#[utoipa::path(get, path = "/v1/verifications/{id}/differences", tag = "proof",
    params(("id" = String, Path), FoundQuery),
    responses((status = 200, body = DifferencePage), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn differences(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    query: Result<Query<FoundQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    caller.require(READERS)?;
    let page = Page::of(query)?;
    let (id, _) = api.app.job(&caller.actor, KIND, &id).await?;
    let mut rows = api.app.job_found(&caller.actor, id, page.after, page.limit + 1).await?;
    let next = page.cut(&mut rows);
    let path = format!("{}/{id}/differences", KIND.path());
    let mut response = respond::json(&DifferencePage { items: jobs::details(&rows)?, next: next.clone() })?;
    jobs::link(&mut response, &path, page.limit, next.as_deref());
    Ok(response)
}
