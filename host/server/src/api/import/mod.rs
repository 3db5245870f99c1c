//! `/v1/invoices/import`: many drafts in one call, each row by itself.
//!
//! 1. `rows`: what a body holds, row by row. 2. `columns`: a row of CSV as a document.
//!
//! Each row is a command with an idempotency key of its own, made of the call's key and the row's number. So a call that
//! broke off is sent again and goes on: rows that were done give the answer that they gave, and the others are done.

mod columns;
mod rows;

use std::sync::Arc;

use axum::body::{Body as ResponseBody, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest as _, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use futures::{StreamExt as _, stream};
use niyam_domain::InvoiceId;
use niyam_store::Idempotency;
use serde::Serialize;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::problem::{ApiError, Problem};
use crate::api::respond;
use crate::api::router::Api;
use crate::commands::views::FindingView;
use crate::commands::{Actor, CommandError};
use crate::roles::DRAFTERS;
use rows::{Format, Row, rows};

/// Largest body.
pub(crate) const BYTES_MAX: usize = 32 << 20;
/// Most rows of a call.
const ROWS_MAX: usize = 10_000;
/// Longest key of a call: the keys of its rows still fit.
const KEY_LENGTH_MAX: usize = 200;
/// Rows that are under way at once: they share commits.
const ROWS_AT_ONCE: usize = 32;

/// What became of a row.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RowResult {
    /// The row's number, from 1; the header of CSV is none.
    row: usize,
    /// As the status of a request that drafts this one invoice: 201 when it was drafted.
    status: u16,
    /// Why not, stable and kebab-case.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// Each place that is to blame: `/<row>/<column>` of CSV, `/<row>` and a JSON Pointer of JSON lines.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FindingView>,
    /// The draft.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    id: Option<InvoiceId>,
    /// Whether an earlier call with the same key drafted it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    replayed: bool,
}

/// The last line: how many rows came to what.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct ImportSummary {
    rows: usize,
    drafted: usize,
    replayed: usize,
    failed: usize,
}

/// Drafts up to 10,000 invoices, one for each row; a row that is wrong fails alone.
///
/// JSON lines (`application/x-ndjson`) have a document on each line, as `POST /v1/invoices` takes it. CSV (`text/csv`, UTF-8,
/// a header first) has an invoice of one line in each row, in these columns, in any order: `direction`, `tax_date`,
/// `currency`, `price_mode`, `party_name`, `party_country`, `description`, `supply_code`, `quantity`, `unit`, `unit_price`, and
/// where they are needed `kind`, `due_date`, `exchange_rate`, `exchange_rate_source`, `party_id`, `party_address`,
/// `party_identifier.<kind>`, `supplier_number`, `supplier_date`, `discount`, `account`, `attribute.<name>`,
/// `line_attribute.<name>`. An empty cell is as none.
///
/// The answer is JSON lines, one for each row in its order as it is done, and then the sums. A call that breaks off is sent
/// again with the same key: rows that were drafted answer as before, and the others are drafted.
#[utoipa::path(post, path = "/v1/invoices/import", tag = "invoices",
    request_body(content((String = "text/csv"), (String = "application/x-ndjson"))),
    params(("Idempotency-Key" = String, Header, description = "1 to 200 characters; needed.")),
    responses((status = 200, body = RowResult, content_type = "application/x-ndjson"),
              (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn import(
    State(api): State<Arc<Api>>,
    caller: Caller,
    request: Request,
) -> Result<Response, ApiError> {
    caller.require(DRAFTERS)?;
    let format = format(request.headers())?;
    let key = key(request.headers())?;
    // A tenant that does not exist fails once, not in every row.
    api.app.tenant(&caller.actor.tenant).await?;
    let body = Bytes::from_request(request, &()).await.map_err(|error| unread(&error))?;
    let rows = rows(format, &body)?;
    if rows.len() > ROWS_MAX {
        let message = format!("a call has at most {ROWS_MAX} rows; send the others in another one");
        return Err(ApiError::new(Code::RowsTooMany, message));
    }
    let actor = caller.actor;
    let results = stream::iter(rows.into_iter().enumerate())
        .map(move |(index, row)| take(Arc::clone(&api), actor.clone(), key.clone(), index + 1, row))
        .buffered(ROWS_AT_ONCE);
    let results = results.map(Some).chain(stream::iter([None]));
    let lines = results.scan(ImportSummary::default(), |summary, result| {
        let line = match &result {
            Some(result) => {
                summary.count(result);
                serde_json::to_vec(result)
            }
            None => serde_json::to_vec(summary),
        };
        let line = line.map(|mut line| {
            line.push(b'\n');
            Bytes::from(line)
        });
        std::future::ready(Some(line))
    });
    let mut response = Response::new(ResponseBody::from_stream(lines));
    respond::set(&mut response, header::CONTENT_TYPE, "application/x-ndjson");
    Ok(response)
}

impl ImportSummary {
    fn count(&mut self, result: &RowResult) {
        self.rows += 1;
        match result {
            RowResult { code: Some(_), .. } => self.failed += 1,
            RowResult { replayed: true, .. } => self.replayed += 1,
            _ => self.drafted += 1,
        }
    }
}

fn format(headers: &HeaderMap) -> Result<Format, ApiError> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "text/csv" => Ok(Format::Csv),
        "application/x-ndjson" | "application/jsonl" => Ok(Format::JsonLines),
        _ => Err(ApiError::new(Code::MediaTypeWrong, "rows are sent as text/csv or application/x-ndjson")),
    }
}

fn key(headers: &HeaderMap) -> Result<String, ApiError> {
    let key = headers.get("idempotency-key").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if (1..=KEY_LENGTH_MAX).contains(&key.len()) {
        return Ok(key.to_owned());
    }
    let message = format!("an import needs an Idempotency-Key of 1 to {KEY_LENGTH_MAX} characters");
    Err(ApiError::new(Code::IdempotencyKeyInvalid, message))
}

fn unread(error: &BytesRejection) -> ApiError {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        ApiError::new(Code::BodyTooLarge, "an import has at most 32 MiB")
    } else {
        ApiError::new(Code::BodyUnreadable, "the body broke off")
    }
}

/// Drafts one row.
async fn take(api: Arc<Api>, actor: Actor, key: String, number: usize, row: Row) -> RowResult {
    let Row { content, document, columns } = row;
    let fingerprint = Sha256::new().chain_update(b"import").chain_update(&content).finalize().into();
    let key = Idempotency { key: format!("{key}#{number}"), fingerprint };
    let done = match document {
        Ok(document) => match document.try_into() {
            Ok(document) => {
                let draft = Box::pin(api.app.draft_invoice(&actor, Some(key), document));
                draft.await.map_err(ApiError::from)
            }
            Err(error) => Err(error),
        },
        Err(error) => Err(error),
    };
    let drafted = done.and_then(|committed| {
        let id = id_of(&committed.answer.body).map_err(CommandError::from)?;
        Ok((committed.answer.status, id, committed.replayed))
    });
    match drafted {
        Ok((status, id, replayed)) => RowResult {
            row: number,
            status,
            code: None,
            detail: None,
            errors: Vec::new(),
            id: Some(id),
            replayed,
        },
        Err(error) => {
            let error = error.placed(|pointer| format!("/{number}{}", columns.place(pointer)));
            RowResult {
                row: number,
                status: error.status().as_u16(),
                code: Some(error.code().to_owned()),
                detail: Some(error.detail().to_owned()),
                errors: error.errors().iter().map(FindingView::from).collect(),
                id: None,
                replayed: false,
            }
        }
    }
}

fn id_of(body: &RawValue) -> Result<InvoiceId, serde_json::Error> {
    #[derive(serde::Deserialize)]
    struct Drafted {
        id: InvoiceId,
    }
    serde_json::from_str::<Drafted>(body.get()).map(|drafted| drafted.id)
}
