//! `/v1/journal-entries`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use niyam_domain::{EntryId, NewEntry, NewLine, Rejection};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::api::body::Body;
use crate::api::caller::Caller;
use crate::api::invoices::Nothing;
use crate::api::problem::{ApiError, Problem};
use crate::api::respond;
use crate::api::router::Api;
use crate::api::text::{AttributesText, DateText, DecimalText, Object};
use crate::commands::journal::EntryView;
use crate::roles::{DRAFTERS, ISSUERS, READERS};

/// A journal entry.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EntryRequest {
    /// The day for which it counts.
    #[schema(value_type = String, format = Date)]
    date: DateText,
    description: String,
    /// What it refers to, for example a voucher.
    reference: Option<String>,
    /// 2 to 500; debits equal credits in each currency.
    #[schema(value_type = Vec<JournalLineRequest>)]
    lines: Vec<Object<JournalLineRequest>>,
}

/// A line of a journal entry: either a debit or a credit.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct JournalLineRequest {
    /// Code of an active posting account.
    account: String,
    #[schema(value_type = Option<String>, example = "1500.00")]
    debit: Option<DecimalText>,
    #[schema(value_type = Option<String>)]
    credit: Option<DecimalText>,
    /// ISO 4217.
    #[schema(example = "BDT")]
    currency: String,
    memo: Option<String>,
    /// What reports cut by: branch, project, cost centre …
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    dimensions: AttributesText,
}

impl From<JournalLineRequest> for NewLine {
    fn from(line: JournalLineRequest) -> Self {
        Self {
            account: line.account,
            debit: line.debit.map(|amount| amount.0),
            credit: line.credit.map(|amount| amount.0),
            currency: line.currency,
            memo: line.memo,
            dimensions: line.dimensions.0,
        }
    }
}

impl From<EntryRequest> for NewEntry {
    fn from(request: EntryRequest) -> Self {
        Self {
            date: request.date.0,
            description: request.description,
            reference: request.reference,
            lines: request.lines.into_iter().map(|Object(line)| line.into()).collect(),
        }
    }
}

/// Drafts a journal entry.
#[utoipa::path(post, path = "/v1/journal-entries", request_body = EntryRequest, tag = "books",
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = EntryView), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn draft(
    State(api): State<Arc<Api>>,
    caller: Caller,
    body: Body,
) -> Result<Response, ApiError> {
    caller.require(DRAFTERS)?;
    let entry: EntryRequest = body.parse()?;
    let key = caller.idempotency(&body.0)?;
    Ok(respond::committed(api.app.draft_entry(&caller.actor, key, entry.into()).await?))
}

/// A journal entry as it stands.
#[utoipa::path(get, path = "/v1/journal-entries/{id}", tag = "books", params(("id" = String, Path)),
    responses((status = 200, body = EntryView), (status = 404, body = Problem)))]
pub(crate) async fn show(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    caller.require(READERS)?;
    let at = api.app.journal_entry(&caller.actor, entry_id(&id)?).await?;
    respond::versioned(&EntryView::new(&at.state, at.version), at.version)
}

/// Revises a draft.
#[utoipa::path(put, path = "/v1/journal-entries/{id}", request_body = EntryRequest, tag = "books",
    params(("id" = String, Path), ("If-Match" = String, Header)),
    responses((status = 200, body = EntryView), (status = 412, body = Problem)))]
pub(crate) async fn revise(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    caller.require(DRAFTERS)?;
    let (id, expected) = (entry_id(&id)?, caller.expected()?);
    let entry: EntryRequest = body.parse()?;
    Ok(respond::committed(api.app.revise_entry(&caller.actor, id, expected, entry.into()).await?))
}

/// Posts a draft: it counts from then on, and never changes.
#[utoipa::path(post, path = "/v1/journal-entries/{id}/post", tag = "books",
    params(("id" = String, Path), ("If-Match" = String, Header), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = EntryView), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn post(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    caller.require(ISSUERS)?;
    let (id, expected, key) = (entry_id(&id)?, caller.expected()?, caller.idempotency(&body.0)?);
    let Nothing {} = body.parse_or_default()?;
    Ok(respond::committed(api.app.post_entry(&caller.actor, key, id, expected).await?))
}

/// How an entry is taken back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReverseRequest {
    /// The day for which the mirror counts; the entry's own when absent.
    #[schema(value_type = Option<String>, format = Date)]
    date: Option<DateText>,
    /// 1 to 500 characters.
    reason: String,
}

/// Takes a posted entry back, once, by a mirror entry that is linked to it.
#[utoipa::path(post, path = "/v1/journal-entries/{id}/reverse", request_body = ReverseRequest, tag = "books",
    params(("id" = String, Path), ("If-Match" = String, Header), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = EntryView), (status = 409, body = Problem)))]
pub(crate) async fn reverse(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    caller.require(ISSUERS)?;
    let (id, expected, key) = (entry_id(&id)?, caller.expected()?, caller.idempotency(&body.0)?);
    let ReverseRequest { date, reason } = body.parse()?;
    let how = (date.map(|date| date.0), reason);
    Ok(respond::committed(api.app.reverse_entry(&caller.actor, key, id, expected, how).await?))
}

/// A text that is no id names no entry.
fn entry_id(text: &str) -> Result<EntryId, ApiError> {
    text.parse().map_err(|_| Rejection::EntryMissing.into())
}
