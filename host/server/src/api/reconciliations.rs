//! `/v1/reconciliations/{statement}`: a bank statement beside the books.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use niyam_domain::{EntryId, LedgerLineRef};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::bank_statements::{check_reached, ledger_known, statement_id};
use crate::api::body::Body;
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::problem::{ApiError, Problem};
use crate::api::respond;
use crate::api::router::Api;
use crate::api::text::Object;
use crate::commands::bank_views::StatementSummary;
use crate::commands::reconciliation::{ProposalView, ReconciliationView};
use crate::roles::{ISSUERS, READERS};

const DAYS_DEFAULT: u32 = 5;
const DAYS_MAX: u32 = 60;

/// The bank's balance and the books' at the end of the statement, and what explains their difference, to the last minor
/// unit.
#[utoipa::path(get, path = "/v1/reconciliations/{statement}", tag = "books", params(("statement" = String, Path)),
    responses((status = 200, body = ReconciliationView), (status = 404, body = Problem)))]
pub(crate) async fn show(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(statement): Path<String>,
) -> Result<Response, ApiError> {
    caller.require(READERS)?;
    let id = statement_id(&statement)?;
    let wanted = ledger_known(&api, &caller).await?;
    let view = api.app.reconciliation(&caller.actor, id).await?;
    check_reached(wanted, view.position)?;
    let mut response = respond::json(&view)?;
    respond::set_position(&mut response, view.position);
    Ok(response)
}

/// How far apart a line of the statement and one of the books may be.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DaysQuery {
    /// At most so many days, 0 to 60; 5 when absent.
    days: Option<u32>,
}

/// Lines of the books that the statement's unmatched lines may be, the surest first for each.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProposalPage {
    items: Vec<ProposalView>,
}

/// Which lines of the books the statement's unmatched lines may be: of the same amount, within some days, with how sure
/// that is, and why. Nothing is matched.
#[utoipa::path(get, path = "/v1/reconciliations/{statement}/proposals", tag = "books",
    params(("statement" = String, Path), DaysQuery),
    responses((status = 200, body = ProposalPage), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn proposals(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(statement): Path<String>,
    query: Result<Query<DaysQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    caller.require(READERS)?;
    let id = statement_id(&statement)?;
    let invalid = |detail: String| ApiError::new(Code::QueryInvalid, detail);
    let Query(DaysQuery { days }) = query.map_err(|error| invalid(error.body_text()))?;
    let days = days.unwrap_or(DAYS_DEFAULT);
    if days > DAYS_MAX {
        return Err(invalid(format!("days are at most {DAYS_MAX}")));
    }
    ledger_known(&api, &caller).await?;
    respond::json(&ProposalPage { items: api.app.proposals(&caller.actor, id, days).await? })
}

/// A line of a posted entry.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LedgerLineRequest {
    entry_id: String,
    /// Which of its lines; the first is 0.
    line: u32,
}

/// A match.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfirmRequest {
    /// The statement's line; the first is 0.
    line: u32,
    /// One, or several that add up to it: 100 at most.
    #[schema(value_type = Vec<LedgerLineRequest>)]
    ledger_lines: Vec<Object<LedgerLineRequest>>,
}

/// Matches a line of the statement with one line of the books, or splits it over several, which add up to it. A line of
/// the books is matched once.
#[utoipa::path(post, path = "/v1/reconciliations/{statement}/confirm", request_body = ConfirmRequest, tag = "books",
    params(("statement" = String, Path), ("If-Match" = String, Header), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = StatementSummary), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn confirm(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(statement): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    caller.require(ISSUERS)?;
    let (id, expected, key) = (statement_id(&statement)?, caller.expected()?, caller.idempotency(&body.0)?);
    let ConfirmRequest { line, ledger_lines } = body.parse()?;
    let mut named = Vec::with_capacity(ledger_lines.len());
    for (index, Object(ledger_line)) in ledger_lines.into_iter().enumerate() {
        let entry_id: EntryId = ledger_line.entry_id.parse().map_err(|_| {
            let pointer = format!("/ledger_lines/{index}/entry_id");
            ApiError::at(Code::ValueInvalid, &pointer, "an entry's id is a UUID")
        })?;
        named.push(LedgerLineRef { entry_id, line: ledger_line.line });
    }
    let confirmed = api.app.confirm_match(&caller.actor, key, (id, expected), (line, named)).await?;
    Ok(respond::committed(confirmed))
}

/// Which match.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UndoRequest {
    /// The statement's line; the first is 0.
    line: u32,
}

/// Takes a match back: its lines are free again.
#[utoipa::path(post, path = "/v1/reconciliations/{statement}/undo", request_body = UndoRequest, tag = "books",
    params(("statement" = String, Path), ("If-Match" = String, Header), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = StatementSummary), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn undo(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(statement): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    caller.require(ISSUERS)?;
    let (id, expected, key) = (statement_id(&statement)?, caller.expected()?, caller.idempotency(&body.0)?);
    let UndoRequest { line } = body.parse()?;
    Ok(respond::committed(api.app.undo_match(&caller.actor, key, (id, expected), line).await?))
}
