//! `/v1/reports/{name}`: what the books say, as JSON, as CSV, or as a printable page.

mod csv;
mod json;
mod page;
mod query;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::Response;

use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::problem::{ApiError, Problem};
use crate::api::respond;
use crate::api::router::Api;
use crate::projections::ledger::NAME;
use crate::reports::{ReportError, ReportName};
use crate::roles::READERS;

pub(crate) use json::ReportView;
pub(crate) use query::{ReportQuery, escaped};

/// How long a report waits for the position that the client named.
const POSITION_WAIT: Duration = Duration::from_secs(5);
/// How long a report waits for what was recorded before it was asked.
const HEAD_WAIT: Duration = Duration::from_secs(1);

/// What can be answered.
const FORMATS: [(&str, &str, usize); 3] =
    [("application", "json", 0), ("text", "csv", 1), ("text", "html", 2)];

/// A report of the books: by the days for which entries count, and by when they were recorded. Amounts are exact, and no
/// two currencies are added up.
#[utoipa::path(get, path = "/v1/reports/{name}", tag = "books",
    params(("name" = String, Path, description = "`trial-balance`, `general-ledger`, `profit-and-loss`, \
        `balance-sheet`, `cash-flow`, `aged-receivables`, `aged-payables`, `customer-statement`, `tax-summary` or \
        `audit-trail`"), ReportQuery),
    responses(
        (status = 200, content((ReportView = "application/json"), (String = "text/csv"), (String = "text/html"))),
        (status = 400, body = Problem), (status = 404, body = Problem), (status = 406, body = Problem),
        (status = 422, body = Problem)))]
pub(crate) async fn show(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(name): Path<String>,
    query: Result<Query<ReportQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    caller.require(READERS)?;
    let name: ReportName = name
        .parse()
        .map_err(|()| ApiError::at(Code::ReportNotFound, "/name", format!("there are {}", query::names())))?;
    let format = caller.preferred(&FORMATS)?;
    let Query(query) = query.map_err(|error| ApiError::new(Code::QueryInvalid, error.body_text()))?;
    let asked = query.read(name)?;
    let tenant = &caller.actor.tenant;
    // A view knows no tenants: without this, one that does not exist would have empty books.
    api.app.tenant(tenant).await?;
    let behind = || ApiError::new(Code::ViewBehind, "the ledger does not hold that position yet");
    let wanted = caller.position()?;
    if let Some(position) = wanted {
        if !api.progress.wait(NAME, tenant, position, POSITION_WAIT).await {
            return Err(behind());
        }
    } else if let Some(head) = api.app.store.head(tenant).await? {
        api.progress.wait(NAME, tenant, head.last_position, HEAD_WAIT).await;
    }
    let report = api.app.report(tenant, &asked).await?;
    // A database that crashed may have taken back what the view was known to hold.
    if wanted.is_some_and(|position| report.position < position) {
        return Err(behind());
    }
    let mut response = match format {
        1 => csv::response(&report)?,
        2 => page::response(&report),
        _ => respond::json(&ReportView::from(&report))?,
    };
    if let Some(next) = query.next(&report) {
        respond::set(&mut response, header::LINK, &format!("<{next}>; rel=\"next\""));
    }
    respond::set_position(&mut response, report.position);
    respond::set(&mut response, header::VARY, "accept");
    Ok(response)
}

impl From<ReportError> for ApiError {
    fn from(error: ReportError) -> Self {
        let text = error.to_string();
        match error {
            ReportError::Command(error) => error.into(),
            ReportError::DatesReversed => Self::at(Code::DatesReversed, "/from", text),
            ReportError::KnownInFuture => Self::at(Code::KnownAtInFuture, "/known_at", text),
            ReportError::FromMissing => Self::at(Code::ParameterMissing, "/from", text),
            ReportError::DocumentMissing => Self::at(Code::DocumentNotFound, "/document", text),
            ReportError::Missing(name) => Self::at(Code::ParameterMissing, &format!("/{name}"), text),
        }
    }
}
