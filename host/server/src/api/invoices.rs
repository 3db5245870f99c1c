//! `/v1/invoices`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::Response;
use jiff::Timestamp;
use niyam_domain::{InvoiceEvent, InvoiceId, Position, Rejection, Version};
use niyam_store::Idempotency;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::body::Body;
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::document::DocumentRequest;
use crate::api::problem::{ApiError, Problem};
use crate::api::respond;
use crate::api::router::Api;
use crate::api::text::date;
use crate::commands::metadata::Metadata;
use crate::commands::policy_views::FallbackView;
use crate::commands::views::{Answered, DecisionView, InvoiceView};
use crate::commands::{CommandError, Expected};
use crate::personal::Opened;
use crate::projections::{InvoiceListItem, InvoiceListQuery, ListedStatus};
use crate::roles::{APPROVERS, DRAFTERS, ISSUERS, READERS, Role};

const LIMIT_DEFAULT: u32 = 50;
const LIMIT_MAX: u32 = 200;
/// How long a list waits for the position that the client named.
pub(crate) const POSITION_WAIT: Duration = Duration::from_secs(5);
/// How long a list waits for what was recorded before it was asked.
pub(crate) const HEAD_WAIT: Duration = Duration::from_secs(1);

/// Drafts an invoice, of a sale or of a purchase.
#[utoipa::path(post, path = "/v1/invoices", request_body = DocumentRequest, tag = "invoices",
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = InvoiceView), (status = 422, body = Problem)))]
pub(crate) async fn draft(
    State(api): State<Arc<Api>>,
    caller: Caller,
    body: Body,
) -> Result<Response, ApiError> {
    caller.require(DRAFTERS)?;
    let document: DocumentRequest = body.parse()?;
    let key = caller.idempotency(&body.0)?;
    Ok(respond::committed(api.app.draft_invoice(&caller.actor, key, document.try_into()?).await?))
}

/// Revises a draft; an approved invoice becomes a draft again.
#[utoipa::path(put, path = "/v1/invoices/{id}", request_body = DocumentRequest, tag = "invoices",
    params(("id" = String, Path), ("If-Match" = String, Header)),
    responses((status = 200, body = InvoiceView), (status = 412, body = Problem)))]
pub(crate) async fn revise(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    let Change { id, expected, .. } = change(&caller, DRAFTERS, &id, &body)?;
    let document: DocumentRequest = body.parse()?;
    Ok(respond::committed(api.app.revise_invoice(&caller.actor, id, expected, document.try_into()?).await?))
}

/// What a change of an invoice says besides its body.
pub(crate) struct Change {
    pub(crate) id: InvoiceId,
    pub(crate) expected: Expected,
    pub(crate) key: Option<Idempotency>,
}

pub(crate) fn change(caller: &Caller, roles: &[Role], id: &str, body: &Body) -> Result<Change, ApiError> {
    caller.require(roles)?;
    Ok(Change { id: invoice_id(id)?, expected: caller.expected()?, key: caller.idempotency(&body.0)? })
}

/// Nothing to say.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// Approves a draft.
#[utoipa::path(post, path = "/v1/invoices/{id}/approve", tag = "invoices",
    params(("id" = String, Path), ("If-Match" = String, Header), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = InvoiceView), (status = 409, body = Problem)))]
pub(crate) async fn approve(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    let Change { id, expected, key } = change(&caller, APPROVERS, &id, &body)?;
    let Nothing {} = body.parse_or_default()?;
    Ok(respond::committed(api.app.approve_invoice(&caller.actor, key, id, expected).await?))
}

/// Issues an approved invoice, and posts it: it gets its number and never changes again. A purchase is entered into the
/// books under its supplier's number, unless the pack has a paper of the tenant's own for it.
#[utoipa::path(post, path = "/v1/invoices/{id}/issue", tag = "invoices",
    params(("id" = String, Path), ("If-Match" = String, Header), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = InvoiceView), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn issue(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    let Change { id, expected, key } = change(&caller, ISSUERS, &id, &body)?;
    let Nothing {} = body.parse_or_default()?;
    Ok(respond::committed(api.app.issue_invoice(&caller.actor, key, id, expected).await?))
}

/// Why an invoice is given up.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CancelRequest {
    reason: Option<String>,
}

/// Cancels a draft.
#[utoipa::path(post, path = "/v1/invoices/{id}/cancel", request_body = CancelRequest, tag = "invoices",
    params(("id" = String, Path), ("If-Match" = String, Header), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = InvoiceView), (status = 409, body = Problem)))]
pub(crate) async fn cancel(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    let Change { id, expected, key } = change(&caller, DRAFTERS, &id, &body)?;
    let CancelRequest { reason } = body.parse_or_default()?;
    if reason.as_ref().is_some_and(|reason| reason.chars().count() > 500) {
        return Err(ApiError::at(Code::TextTooLong, "/reason", "at most 500 characters"));
    }
    Ok(respond::committed(api.app.cancel_invoice(&caller.actor, key, id, expected, reason).await?))
}

/// An invoice as it stands.
#[utoipa::path(get, path = "/v1/invoices/{id}", tag = "invoices", params(("id" = String, Path)),
    responses((status = 200, body = InvoiceView), (status = 404, body = Problem)))]
pub(crate) async fn show(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    caller.require(READERS)?;
    let at = api.app.invoice(&caller.actor, invoice_id(&id)?).await?;
    respond::versioned(&InvoiceView::new(&at.invoice, at.version), at.version)
}

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// `draft`, `approved`, `issued`, `cancelled`, or `overdue`: issued, and not paid in full by its day.
    #[param(value_type = Option<String>)]
    status: Option<ListedStatus>,
    /// The day as of which something is overdue, `YYYY-MM-DD`; today, in the tenant's time zone, when absent. What was
    /// paid later than that day counts as paid.
    #[param(value_type = Option<String>)]
    as_of: Option<String>,
    /// At most so many, 1 to 200; 50 when absent.
    limit: Option<u32>,
    /// The cursor of the page before.
    after: Option<String>,
}

/// The view that the list is read from.
const VIEW: &str = "invoice_list";

/// A page of invoices, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InvoicePage {
    items: Vec<InvoiceListItem>,
    /// Cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Lists invoices, newest first.
#[utoipa::path(get, path = "/v1/invoices", tag = "invoices", params(ListQuery),
    responses((status = 200, body = InvoicePage)))]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    caller: Caller,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    caller.require(READERS)?;
    let invalid = |detail: String| ApiError::new(Code::QueryInvalid, detail);
    let Query(ListQuery { status, as_of, limit, after }) =
        query.map_err(|error| invalid(error.body_text()))?;
    let limit = limit.unwrap_or(LIMIT_DEFAULT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        return Err(invalid(format!("limit lies between 1 and {LIMIT_MAX}")));
    }
    let before = after
        .map(|cursor| {
            cursor.parse().map(Position).map_err(|_| invalid("after is no cursor of this list".to_owned()))
        })
        .transpose()?;
    let tenant = &caller.actor.tenant;
    // A view knows no tenants: without this, one that does not exist would have an empty list.
    let at = api.app.tenant(tenant).await?;
    let day = as_of
        .as_deref()
        .map(|text| date(text).ok_or_else(|| invalid("as_of is a day, as 2026-08-15".to_owned())));
    let day = day.transpose()?.unwrap_or_else(|| api.app.now_at(&at).date());
    let behind = || ApiError::new(Code::ViewBehind, "the list does not hold that position yet");
    let wanted = caller.position()?;
    if let Some(position) = wanted {
        if !api.progress.wait(VIEW, tenant, position, POSITION_WAIT).await {
            return Err(behind());
        }
    } else if let Some(head) = api.app.store.head(tenant).await? {
        api.progress.wait(VIEW, tenant, head.last_position, HEAD_WAIT).await;
    }
    let query = InvoiceListQuery { status, as_of: day, before, limit: limit + 1 };
    let (reached, mut items) = query.run(&api.app.vault, tenant).await?;
    // A database that crashed may have taken back what the view was known to hold.
    if wanted.is_some_and(|position| reached < position) {
        return Err(behind());
    }
    let page = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = items.len() > page;
    items.truncate(page);
    let next = items.last().filter(|_| more).map(|item| item.created_position.to_string());
    let mut link = next.as_ref().map(|cursor| format!("</v1/invoices?limit={limit}&after={cursor}"));
    if let (Some(link), Some(status)) = (&mut link, status) {
        link.push_str("&status=");
        link.push_str(status.as_str());
    }
    if let (Some(link), Some(as_of)) = (&mut link, as_of) {
        link.push_str("&as_of=");
        link.push_str(&as_of);
    }
    let mut response = respond::json(&InvoicePage { items, next })?;
    if let Some(link) = link {
        respond::set(&mut response, header::LINK, &format!("{link}>; rel=\"next\""));
    }
    respond::set_position(&mut response, reached);
    Ok(response)
}

/// One event of an invoice.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventView {
    #[schema(value_type = u64)]
    position: Position,
    #[schema(value_type = u64)]
    version: Version,
    #[serde(rename = "type")]
    event_type: String,
    #[schema(value_type = String, format = DateTime)]
    recorded_at: Timestamp,
    #[schema(value_type = String, format = Date)]
    effective_date: niyam_values::Date,
    user: String,
    trace_id: String,
    /// Link of the tenant's hash chain.
    hash: String,
    #[schema(value_type = Object)]
    payload: serde_json::Value,
    /// Whether personal data of the payload were erased. The hash is of what was recorded, and holds.
    erased: bool,
}

/// The events of an invoice.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventPage {
    items: Vec<EventView>,
}

/// All that happened to an invoice.
#[utoipa::path(get, path = "/v1/invoices/{id}/events", tag = "invoices", params(("id" = String, Path)),
    responses((status = 200, body = EventPage), (status = 404, body = Problem)))]
pub(crate) async fn events(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let mut items = Vec::new();
    for Opened { event, erased } in recorded(&api, &caller, &id).await? {
        let metadata: Metadata = serde_json::from_slice(&event.metadata).map_err(CommandError::from)?;
        items.push(EventView {
            position: event.position,
            version: event.version,
            event_type: event.event_type,
            recorded_at: event.recorded_at,
            effective_date: event.effective_date,
            user: metadata.user,
            trace_id: metadata.trace_id,
            hash: hex::encode(event.hash),
            payload: serde_json::from_slice(&event.payload).map_err(CommandError::from)?,
            erased,
        });
    }
    respond::json(&EventPage { items })
}

/// The decisions of modules that shaped an invoice.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DecisionPage {
    items: Vec<DecisionView>,
    /// Modules that failed, and that another one answered for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fallbacks: Vec<FallbackView>,
}

/// Explains each amount: which module decided it, by which rule of which law, of which input, at which cost. The policies
/// that let a command pass come after the others.
#[utoipa::path(get, path = "/v1/invoices/{id}/decisions", tag = "invoices", params(("id" = String, Path)),
    responses((status = 200, body = DecisionPage), (status = 404, body = Problem)))]
pub(crate) async fn decisions(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let (mut items, mut fallbacks) = (Vec::new(), Vec::new());
    let opened = recorded(&api, &caller, &id).await?;
    let tenant = api.app.tenant(&caller.actor.tenant).await?.tenant;
    for opened in opened {
        let event = &opened.event;
        let at = (event.position, event.version, event.event_type.as_str(), event.recorded_at);
        let assessed = |assessment: &niyam_domain::Assessment| {
            let answered = Answered::Taxes(&assessment.document, &assessment.taxes);
            DecisionView::new(at, &assessment.decision, answered, tenant.activations.all())
        };
        match opened.read::<InvoiceEvent>().map_err(CommandError::from)? {
            InvoiceEvent::Drafted(drafted) => items.push(assessed(&drafted.assessment)),
            InvoiceEvent::Revised(revised) => items.push(assessed(&revised.assessment)),
            InvoiceEvent::Issued(issued) => {
                items.push(assessed(&issued.assessment));
                let answered = Answered::Plan(&issued.assessment.document, &issued.plan);
                items.push(DecisionView::new(at, &issued.plan_decision, answered, tenant.activations.all()));
            }
            InvoiceEvent::Recorded(recorded) => items.push(assessed(&recorded.assessment)),
            InvoiceEvent::NoteIssued(note) => items.extend(note.planned.as_ref().map(|planned| {
                let answered = Answered::Plan(&note.document, &planned.plan);
                DecisionView::new(at, &planned.decision, answered, tenant.activations.all())
            })),
            InvoiceEvent::Approved(_)
            | InvoiceEvent::Cancelled(_)
            | InvoiceEvent::Credited(_)
            | InvoiceEvent::Debited(_)
            | InvoiceEvent::WrittenOff(_)
            | InvoiceEvent::Settled(_)
            | InvoiceEvent::SettlementReversed(_) => {}
        }
        let metadata: Metadata = serde_json::from_slice(&event.metadata).map_err(CommandError::from)?;
        items.extend(metadata.policies.iter().map(|policy| {
            DecisionView::new(at, &policy.decision, Answered::Policy(policy), tenant.activations.all())
        }));
        fallbacks
            .extend(metadata.fallbacks.into_iter().map(|failed| FallbackView::new(event.version, failed)));
    }
    respond::json(&DecisionPage { items, fallbacks })
}

async fn recorded(api: &Api, caller: &Caller, id: &str) -> Result<Vec<Opened>, ApiError> {
    caller.require(READERS)?;
    let events = api.app.store.load(&caller.actor.tenant, &invoice_id(id)?.stream(), Version(0)).await?;
    if events.is_empty() {
        return Err(Rejection::InvoiceMissing.into());
    }
    Ok(api.app.vault.opening(&caller.actor.tenant).events(events).await?)
}

/// A text that is no id names no invoice.
pub(crate) fn invoice_id(text: &str) -> Result<InvoiceId, ApiError> {
    text.parse().map_err(|_| Rejection::InvoiceMissing.into())
}
