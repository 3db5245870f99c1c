//! `/v1/fiscal-years/{code}`: a year's result, moved into equity once, and back.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;

use crate::api::body::Body;
use crate::api::caller::Caller;
use crate::api::fiscal_periods::ReopenRequest;
use crate::api::invoices::Nothing;
use crate::api::jobs::{self, JobView};
use crate::api::problem::{ApiError, Problem};
use crate::api::respond;
use crate::api::router::Api;
use crate::commands::fiscal_years::FiscalYearView;
use crate::jobs::JobKind;
use crate::roles::{APPROVERS, READERS};

/// A fiscal year that was opened, and the entries that close it. Its `ETag` is that of all periods.
#[utoipa::path(get, path = "/v1/fiscal-years/{code}", tag = "books", params(("code" = String, Path)),
    responses((status = 200, body = FiscalYearView), (status = 404, body = Problem)))]
pub(crate) async fn show(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(code): Path<String>,
) -> Result<Response, ApiError> {
    caller.require(READERS)?;
    let at = api.app.periods(&caller.actor.tenant).await?;
    let view = FiscalYearView::new(&caller.actor.tenant, &code, &at.state, at.version)?;
    respond::versioned(&view, at.version)
}

/// Moves the year's income and expense into the account of the role `retained-earnings`, in the background: in each
/// currency, and for each set of dimensions that lines bear, by entries for the year's last day. All of its periods are
/// closed or soft-closed before; from then on nothing is posted for its days, or for any day before. Asked again, a close
/// that broke off goes on. `GET /v1/jobs/{id}` tells how far it is, in entries.
#[utoipa::path(post, path = "/v1/fiscal-years/{code}/close", tag = "books",
    params(("code" = String, Path), ("If-Match" = String, Header), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 202, body = JobView), (status = 409, body = Problem), (status = 422, body = Problem),
        (status = 429, body = Problem)))]
pub(crate) async fn close(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(code): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    const KIND: JobKind = JobKind::YearClose;
    caller.require(APPROVERS)?;
    let Nothing {} = body.parse_or_default()?;
    let (expected, key) = (caller.expected()?, caller.idempotency(&body.0)?);
    let (id, before) = api.app.ask_year_close(&caller.actor, key, expected, code).await?;
    let (_, job) = api.app.job(&caller.actor, KIND, &id.to_string()).await?;
    jobs::accepted(KIND, (id, before), &job)
}

/// Takes the year's closing back, in the background: each of its entries by a mirror. Later years are reopened first.
/// Then its periods say again what is posted, and it can be closed again.
#[utoipa::path(post, path = "/v1/fiscal-years/{code}/reopen", request_body = ReopenRequest, tag = "books",
    params(("code" = String, Path), ("If-Match" = String, Header), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 202, body = JobView), (status = 409, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn reopen(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(code): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    const KIND: JobKind = JobKind::YearReopen;
    caller.require(APPROVERS)?;
    let ReopenRequest { reason } = body.parse()?;
    let (expected, key) = (caller.expected()?, caller.idempotency(&body.0)?);
    let (id, before) = api.app.ask_year_reopen(&caller.actor, key, expected, (code, reason)).await?;
    let (_, job) = api.app.job(&caller.actor, KIND, &id.to_string()).await?;
    jobs::accepted(KIND, (id, before), &job)
}
