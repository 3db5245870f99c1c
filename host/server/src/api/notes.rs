//! Notes against issued invoices, and what is written off of them.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use niyam_domain::{DUE_DATE, NoteKind, Share, WantedLine, check_attributes};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::api::body::Body;
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::document::{SupplierInvoiceRequest, reason};
use crate::api::invoices::change;
use crate::api::problem::{ApiError, Problem};
use crate::api::respond;
use crate::api::router::Api;
use crate::api::text::{AttributesText, DateText, DecimalText, Object};
use crate::commands::note::NoteRequested;
use crate::commands::supplier_number::{SUPPLIER_DATE, SUPPLIER_NUMBER};
use crate::commands::views::{EXCHANGE_RATE_SOURCE, InvoiceView};
use crate::commands::write_off::WriteOffRequested;
use crate::roles::{APPROVERS, ISSUERS};

/// Most lines that a note names.
const LINES_MAX: usize = niyam_domain::LINES_MAX;

/// What a note changes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoteRequest {
    /// Its day; today, in the tenant's time zone, when absent.
    #[schema(value_type = Option<String>, format = Date)]
    date: Option<DateText>,
    /// Why, 1 to 500 characters.
    reason: String,
    /// Of which lines. A credit note without lines credits all that is left.
    #[schema(value_type = Option<Vec<NoteLineRequest>>)]
    lines: Option<Vec<Object<NoteLineRequest>>>,
    /// The supplier's number of a note against a purchase.
    #[schema(value_type = Option<SupplierInvoiceRequest>)]
    supplier_invoice: Option<Object<SupplierInvoiceRequest>>,
    /// Further facts that the paper shows.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    attributes: AttributesText,
}

/// What a note changes of a line. Of a credit note without quantity and amount all that is left of it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoteLineRequest {
    /// The line's id on the invoice.
    line: String,
    /// So much of what was supplied, at the invoice's price.
    #[schema(value_type = Option<String>, example = "2")]
    quantity: Option<DecimalText>,
    /// So much of the value without taxes; what was supplied stays.
    #[schema(value_type = Option<String>, example = "150.00")]
    amount: Option<DecimalText>,
}

/// Attributes that come from the invoice, or from fields of the request.
const RESERVED: [&str; 8] = [
    EXCHANGE_RATE_SOURCE,
    SUPPLIER_NUMBER,
    SUPPLIER_DATE,
    DUE_DATE,
    "original_number",
    "original_date",
    "original_time",
    "reason",
];

impl NoteRequest {
    fn requested(self, kind: NoteKind) -> Result<NoteRequested, ApiError> {
        let findings = check_attributes("/attributes", &self.attributes.0);
        if !findings.is_empty() {
            return Err(niyam_domain::Rejection::Findings(findings).into());
        }
        let mut attributes = self.attributes.0;
        if let Some(name) = RESERVED.into_iter().find(|name| attributes.get(name).is_some()) {
            let place = format!("/attributes/{name}");
            return Err(ApiError::at(Code::FieldUnknown, &place, "the note has it from elsewhere"));
        }
        if let Some(Object(supplier)) = self.supplier_invoice {
            supplier.set(&mut attributes)?;
        }
        let lines = self.lines.map(|lines| {
            if lines.len() > LINES_MAX {
                let message = format!("at most {LINES_MAX} lines");
                return Err(ApiError::at(Code::ValueInvalid, "/lines", message));
            }
            lines.into_iter().enumerate().map(|(index, Object(line))| line.wanted(index)).collect()
        });
        Ok(NoteRequested {
            kind,
            lines: lines.transpose()?,
            date: self.date.map(|date| date.0),
            reason: reason(self.reason)?,
            attributes,
        })
    }
}

impl NoteLineRequest {
    fn wanted(self, index: usize) -> Result<WantedLine, ApiError> {
        let share = match (self.quantity, self.amount) {
            (None, None) => Share::Whole,
            (Some(quantity), None) => Share::Quantity(quantity.0),
            (None, Some(amount)) => Share::Net(amount.0),
            (Some(_), Some(_)) => {
                let place = format!("/lines/{index}/amount");
                let message = "a line of a note has a quantity or an amount, not both";
                return Err(ApiError::at(Code::FieldUnknown, &place, message));
            }
        };
        Ok(WantedLine { line: self.line, share })
    }
}

/// Credits an issued invoice, whole or by line, quantity or amount; never more than is left of it.
///
/// The taxes of the note are a part of the invoice's, and what credits the rest of a line credits the rest of its taxes.
/// What of the note is no longer open of the invoice is open by itself, and owed to the customer.
#[utoipa::path(post, path = "/v1/invoices/{id}/credit-notes", request_body = NoteRequest, tag = "invoices",
    params(("id" = String, Path), ("If-Match" = String, Header), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = InvoiceView), (status = 409, body = Problem)))]
pub(crate) async fn credit(
    state: State<Arc<Api>>,
    caller: Caller,
    id: Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    issue(state, caller, id, body, NoteKind::CreditNote).await
}

/// Raises an issued invoice by a debit note, by line, quantity or amount, with the taxes that the lines bear.
#[utoipa::path(post, path = "/v1/invoices/{id}/debit-notes", request_body = NoteRequest, tag = "invoices",
    params(("id" = String, Path), ("If-Match" = String, Header), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = InvoiceView), (status = 409, body = Problem)))]
pub(crate) async fn debit(
    state: State<Arc<Api>>,
    caller: Caller,
    id: Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    issue(state, caller, id, body, NoteKind::DebitNote).await
}

async fn issue(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    body: Body,
    kind: NoteKind,
) -> Result<Response, ApiError> {
    let asked = change(&caller, ISSUERS, &id, &body)?;
    let request: NoteRequest = body.parse()?;
    let requested = request.requested(kind)?;
    let done = api.app.issue_note(&caller.actor, asked.key, asked.id, asked.expected, requested).await?;
    Ok(respond::committed(done))
}

/// What is given up.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WriteOffRequest {
    /// How much; all that is open when absent.
    #[schema(value_type = Option<String>)]
    amount: Option<DecimalText>,
    /// The day for which it counts; today, in the tenant's time zone, when absent.
    #[schema(value_type = Option<String>, format = Date)]
    date: Option<DateText>,
    /// Why, 1 to 500 characters.
    reason: String,
}

/// Gives up what is open of an invoice, or a part of it: a customer's debt goes to the role `bad-debts`, a debt to a
/// supplier to `other-income`.
#[utoipa::path(post, path = "/v1/invoices/{id}/write-off", request_body = WriteOffRequest, tag = "invoices",
    params(("id" = String, Path), ("If-Match" = String, Header), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = InvoiceView), (status = 409, body = Problem)))]
pub(crate) async fn write_off(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    let asked = change(&caller, APPROVERS, &id, &body)?;
    let request: WriteOffRequest = body.parse()?;
    let requested = WriteOffRequested {
        amount: request.amount.map(|amount| amount.0),
        date: request.date.map(|date| date.0),
        reason: reason(request.reason)?,
    };
    let done = api.app.write_off_invoice(&caller.actor, asked.key, asked.id, asked.expected, requested);
    Ok(respond::committed(done.await?))
}
