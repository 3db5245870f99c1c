//! `/v1/fiscal-years` and `/v1/fiscal-periods/{code}`: what may still be posted for which days.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use niyam_domain::{PeriodCommand, Rejection};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::api::body::Body;
use crate::api::caller::Caller;
use crate::api::invoices::Nothing;
use crate::api::problem::{ApiError, Problem};
use crate::api::respond;
use crate::api::router::Api;
use crate::api::text::DateText;
use crate::commands::periods::{PeriodPage, RecordedPeriodView};
use crate::roles::{APPROVERS, ISSUERS, READERS};

/// Which fiscal year to open.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FiscalYearRequest {
    /// Any day of it.
    #[schema(value_type = String, format = Date)]
    date: DateText,
}

/// Opens the periods of a fiscal year, as the compliance pack's calendar has them.
#[utoipa::path(post, path = "/v1/fiscal-years", request_body = FiscalYearRequest, tag = "books",
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = PeriodPage), (status = 409, body = Problem)))]
pub(crate) async fn open(
    State(api): State<Arc<Api>>,
    caller: Caller,
    body: Body,
) -> Result<Response, ApiError> {
    caller.require(ISSUERS)?;
    let FiscalYearRequest { date } = body.parse()?;
    let key = caller.idempotency(&body.0)?;
    Ok(respond::committed(api.app.open_fiscal_year(&caller.actor, key, date.0).await?))
}

/// The periods of the fiscal years that were opened. A day that is in none of them is open.
#[utoipa::path(get, path = "/v1/fiscal-years", tag = "books", responses((status = 200, body = PeriodPage)))]
pub(crate) async fn list(State(api): State<Arc<Api>>, caller: Caller) -> Result<Response, ApiError> {
    caller.require(READERS)?;
    api.app.tenant(&caller.actor.tenant).await?;
    let at = api.app.periods(&caller.actor.tenant).await?;
    respond::versioned(&PeriodPage::new(&at.state, at.version), at.version)
}

/// A period that was opened. Its `ETag` is that of all periods.
#[utoipa::path(get, path = "/v1/fiscal-periods/{code}", tag = "books", params(("code" = String, Path)),
    responses((status = 200, body = RecordedPeriodView), (status = 404, body = Problem)))]
pub(crate) async fn show(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(code): Path<String>,
) -> Result<Response, ApiError> {
    caller.require(READERS)?;
    let at = api.app.periods(&caller.actor.tenant).await?;
    let period = at.state.find(&code).ok_or(Rejection::PeriodMissing)?;
    respond::versioned(&RecordedPeriodView::from(period), at.version)
}

/// Lets only an approver post into the period.
#[utoipa::path(post, path = "/v1/fiscal-periods/{code}/soft-close", tag = "books",
    params(("code" = String, Path), ("If-Match" = String, Header), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = RecordedPeriodView), (status = 409, body = Problem)))]
pub(crate) async fn soft_close(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(code): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    let Nothing {} = body.parse_or_default()?;
    let command = PeriodCommand::SoftClose(code.clone());
    change(&api, &caller, &code, &body, command).await
}

/// Lets nothing be posted into the period.
#[utoipa::path(post, path = "/v1/fiscal-periods/{code}/close", tag = "books",
    params(("code" = String, Path), ("If-Match" = String, Header), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = RecordedPeriodView), (status = 409, body = Problem)))]
pub(crate) async fn close(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(code): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    let Nothing {} = body.parse_or_default()?;
    let command = PeriodCommand::Close(code.clone());
    change(&api, &caller, &code, &body, command).await
}

/// Why a period is opened again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReopenRequest {
    /// 1 to 500 characters.
    pub(crate) reason: String,
}

/// Lets the period take postings again.
#[utoipa::path(post, path = "/v1/fiscal-periods/{code}/reopen", request_body = ReopenRequest, tag = "books",
    params(("code" = String, Path), ("If-Match" = String, Header), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = RecordedPeriodView), (status = 409, body = Problem)))]
pub(crate) async fn reopen(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(code): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    caller.require(APPROVERS)?;
    let ReopenRequest { reason } = body.parse()?;
    let command = PeriodCommand::Reopen { period: code.clone(), reason };
    change(&api, &caller, &code, &body, command).await
}

async fn change(
    api: &Api,
    caller: &Caller,
    code: &str,
    body: &Body,
    command: PeriodCommand,
) -> Result<Response, ApiError> {
    caller.require(APPROVERS)?;
    let (expected, key) = (caller.expected()?, caller.idempotency(&body.0)?);
    Ok(respond::committed(api.app.change_period(&caller.actor, key, expected, code, command).await?))
}
