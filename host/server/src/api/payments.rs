//! `/v1/payments`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::Response;
use niyam_domain::{
    InvoiceId, NewAllocation, NewPayment, NewWithholding, PaymentDirection, PaymentId, PaymentMethod,
    PaymentStatus, Position, Rejection, TakingBack,
};
use niyam_values::{Attributes, Decimal};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::body::Body;
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::document::PartyRequest;
use crate::api::problem::{ApiError, Problem};
use crate::api::reports::escaped;
use crate::api::respond;
use crate::api::router::Api;
use crate::api::text::{DateText, DecimalText, Object};
use crate::commands::payment::PaymentCommand;
use crate::commands::payment_views::PaymentView;
use crate::projections::{PaymentListItem, PaymentListQuery};
use crate::roles::{DRAFTERS, ISSUERS, READERS};

const LIMIT_DEFAULT: u32 = 50;
const LIMIT_MAX: u32 = 200;
/// How long a list waits for the position that the client named.
const POSITION_WAIT: Duration = Duration::from_secs(5);
/// How long a list waits for what was recorded before it was asked.
const HEAD_WAIT: Duration = Duration::from_secs(1);

/// What is to be settled of an invoice.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AllocationRequest {
    /// Its id.
    invoice: String,
    /// As much as is left of both when absent.
    #[schema(value_type = Option<String>, example = "1150.00")]
    amount: Option<DecimalText>,
}

/// Tax that the payer kept back for the treasury, settled with its certificate.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WithholdingRequest {
    /// The tax's code, for example `vds`.
    #[schema(example = "vds")]
    tax: String,
    #[schema(value_type = String, example = "150.00")]
    amount: DecimalText,
    /// Needed of a receipt: what a customer withheld is settled by its certificate, which settles one payment.
    certificate_number: Option<String>,
    /// The day that the certificate bears; needed with its number.
    #[schema(value_type = Option<String>, format = Date)]
    certificate_date: Option<DateText>,
}

/// How the money moved.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PaymentDetailsRequest {
    /// The bank's or the wallet's own number of it.
    reference: Option<String>,
    /// Who paid, when it was not the party itself.
    payer: Option<String>,
    memo: Option<String>,
    /// Of the payer's bank; checked as the pack knows it.
    routing_number: Option<String>,
    account_number: Option<String>,
    wallet_number: Option<String>,
    /// Needed of a cheque.
    cheque_number: Option<String>,
    #[schema(value_type = Option<String>, format = Date)]
    cheque_date: Option<DateText>,
}

/// A payment to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PaymentRequest {
    /// `receipt` or `disbursement`.
    #[schema(value_type = String)]
    direction: PaymentDirection,
    /// `cash`, `bank-transfer`, `cheque`; `wallet:` and the name of one that the chart of accounts has a role for; or
    /// `withholding`, when no money moves and a certificate settles what was withheld.
    #[schema(example = "bank-transfer")]
    method: String,
    /// The role of the account that the money goes through, when the chart tells several of a kind apart: `bank:city`.
    account_role: Option<String>,
    /// The day for which it is to count.
    #[schema(value_type = String, format = Date)]
    date: DateText,
    /// ISO 4217.
    #[schema(example = "BDT")]
    currency: String,
    /// What the payer gave.
    #[schema(value_type = String, example = "1000.00")]
    amount: DecimalText,
    /// What the bank or the wallet kept of it, or took besides; 0 when absent.
    #[schema(value_type = Option<String>)]
    charges: Option<DecimalText>,
    /// Needed where no invoice names it.
    #[schema(value_type = Option<PartyRequest>)]
    party: Option<Object<PartyRequest>>,
    #[serde(default)]
    #[schema(value_type = Option<PaymentDetailsRequest>)]
    details: Object<PaymentDetailsRequest>,
    #[serde(default)]
    #[schema(value_type = Vec<AllocationRequest>)]
    allocations: Vec<Object<AllocationRequest>>,
    #[serde(default)]
    #[schema(value_type = Vec<WithholdingRequest>)]
    withheld: Vec<Object<WithholdingRequest>>,
    /// Whether what is paid beyond what is due is kept as an advance.
    #[serde(default)]
    as_advance: bool,
}

impl From<PaymentDetailsRequest> for Attributes {
    fn from(request: PaymentDetailsRequest) -> Self {
        let cheque_date = request.cheque_date.map(|date| date.0.to_string());
        let all = [
            ("reference", request.reference),
            ("payer", request.payer),
            ("memo", request.memo),
            ("routing_number", request.routing_number),
            ("account_number", request.account_number),
            ("wallet_number", request.wallet_number),
            ("cheque_number", request.cheque_number),
            ("cheque_date", cheque_date),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }
}

impl WithholdingRequest {
    fn read(self, index: usize) -> Result<NewWithholding, ApiError> {
        let missing = |field: &str| {
            let message = "a certificate has a number and a day";
            Err(ApiError::at(Code::FieldMissing, &format!("/withheld/{index}/{field}"), message))
        };
        let certificate = match (self.certificate_number, self.certificate_date) {
            (Some(number), Some(date)) => Some((number, date.0)),
            (None, None) => None,
            (None, Some(_)) => return missing("certificate_number"),
            (Some(_), None) => return missing("certificate_date"),
        };
        Ok(NewWithholding { tax: self.tax, amount: self.amount.0, certificate })
    }
}

fn allocations(requests: Vec<Object<AllocationRequest>>) -> Result<Vec<NewAllocation>, ApiError> {
    let read = |(index, Object(request)): (usize, Object<AllocationRequest>)| {
        // A text that is no id names no invoice.
        let invoice_id: InvoiceId = request.invoice.parse().map_err(|_| {
            let finding = niyam_values::Finding::error("invoice-unknown", "there is no such invoice");
            Rejection::Findings(vec![finding.at(format!("/allocations/{index}/invoice"))])
        })?;
        Ok(NewAllocation { invoice_id, amount: request.amount.map(|amount| amount.0) })
    };
    requests.into_iter().enumerate().map(read).collect()
}

impl PaymentRequest {
    fn read(self) -> Result<NewPayment, ApiError> {
        let withheld = self.withheld.into_iter().enumerate();
        let withheld = withheld.map(|(index, Object(held))| held.read(index)).collect::<Result<_, _>>()?;
        Ok(NewPayment {
            direction: self.direction,
            method: self.method,
            held_in: self.account_role,
            date: self.date.0,
            currency: self.currency,
            amount: self.amount.0,
            charges: self.charges.map_or(Decimal::ZERO, |charges| charges.0),
            party: self.party.map(|Object(party)| party.into()),
            details: self.details.0.into(),
            allocations: allocations(self.allocations)?,
            withheld,
            as_advance: self.as_advance,
        })
    }
}

/// Records a payment. It counts for nothing until it is completed.
#[utoipa::path(post, path = "/v1/payments", request_body = PaymentRequest, tag = "payments",
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = PaymentView), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn create(
    State(api): State<Arc<Api>>,
    caller: Caller,
    body: Body,
) -> Result<Response, ApiError> {
    caller.require(DRAFTERS)?;
    let request: PaymentRequest = body.parse()?;
    let key = caller.idempotency(&body.0)?;
    Ok(respond::committed(api.app.create_payment(&caller.actor, key, request.read()?).await?))
}

/// The day for which it counts.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OnDay {
    /// Today when absent; the payment's own day when it is completed.
    #[schema(value_type = Option<String>, format = Date)]
    date: Option<DateText>,
}

impl OnDay {
    fn day(self) -> Option<niyam_values::Date> {
        self.date.map(|date| date.0)
    }
}

/// Why, and for which day.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TakeBackRequest {
    /// Today when absent.
    #[schema(value_type = Option<String>, format = Date)]
    date: Option<DateText>,
    /// 1 to 500 characters. It should not name anybody.
    reason: String,
}

/// Why a payment failed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FailRequest {
    /// 1 to 500 characters. It should not name anybody.
    reason: String,
}

/// How a payment is given back: whole, with what it settled; or some of its advance alone.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefundRequest {
    /// Today when absent.
    #[schema(value_type = Option<String>, format = Date)]
    date: Option<DateText>,
    /// So much of the advance; all that the payment did when absent.
    #[schema(value_type = Option<String>)]
    amount: Option<DecimalText>,
    /// The role of the account that an advance goes back through; that of the payment when absent.
    account_role: Option<String>,
    /// 1 to 500 characters. It should not name anybody.
    reason: String,
}

/// What an advance settles.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AllocateRequest {
    /// Today when absent.
    #[schema(value_type = Option<String>, format = Date)]
    date: Option<DateText>,
    #[schema(value_type = Vec<AllocationRequest>)]
    allocations: Vec<Object<AllocationRequest>>,
}

async fn change(
    api: &Api,
    caller: &Caller,
    id: &str,
    body: &Body,
    command: impl FnOnce() -> Result<PaymentCommand, ApiError>,
) -> Result<Response, ApiError> {
    caller.require(ISSUERS)?;
    let (id, expected, key) = (payment_id(id)?, caller.expected()?, caller.idempotency(&body.0)?);
    let command = command()?;
    Ok(respond::committed(api.app.change_payment(&caller.actor, key, id, expected, command).await?))
}

/// The money moved: what the payment settles is settled, and its entry is posted, in one transaction.
#[utoipa::path(post, path = "/v1/payments/{id}/complete", request_body = OnDay, tag = "payments",
    params(("id" = String, Path), ("If-Match" = String, Header), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = PaymentView), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn complete(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    let command = || Ok(PaymentCommand::Complete { date: body.parse_or_default::<OnDay>()?.day() });
    change(&api, &caller, &id, &body, command).await
}

/// The money did not move.
#[utoipa::path(post, path = "/v1/payments/{id}/fail", request_body = FailRequest, tag = "payments",
    params(("id" = String, Path), ("If-Match" = String, Header), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = PaymentView), (status = 409, body = Problem)))]
pub(crate) async fn fail(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    let command = || {
        let FailRequest { reason } = body.parse()?;
        Ok(PaymentCommand::Fail { reason })
    };
    change(&api, &caller, &id, &body, command).await
}

/// Takes back all that a payment did: what it settled is open again, and each entry has its mirror.
#[utoipa::path(post, path = "/v1/payments/{id}/reverse", request_body = TakeBackRequest, tag = "payments",
    params(("id" = String, Path), ("If-Match" = String, Header), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = PaymentView), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn reverse(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    let command = || take_back(&body, TakingBack::Reversed);
    change(&api, &caller, &id, &body, command).await
}

/// Gives a payment back: whole, so that what it settled is open again; or, when an amount is named, some of its advance.
#[utoipa::path(post, path = "/v1/payments/{id}/refund", request_body = RefundRequest, tag = "payments",
    params(("id" = String, Path), ("If-Match" = String, Header), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = PaymentView), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn refund(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    let command = || {
        let RefundRequest { date, amount, account_role, reason } = body.parse()?;
        let date = date.map(|date| date.0);
        match (amount, account_role) {
            (Some(DecimalText(amount)), account_role) => {
                Ok(PaymentCommand::RefundAdvance { date, amount, account_role, reason })
            }
            (None, None) => Ok(PaymentCommand::TakeBack { how: TakingBack::Refunded, date, reason }),
            (None, Some(_)) => {
                let message = "a whole payment goes back as it came; name an amount to give an advance back";
                Err(ApiError::at(Code::FieldMissing, "/amount", message))
            }
        }
    };
    change(&api, &caller, &id, &body, command).await
}

/// A received cheque goes to the bank.
#[utoipa::path(post, path = "/v1/payments/{id}/deposit", request_body = OnDay, tag = "payments",
    params(("id" = String, Path), ("If-Match" = String, Header), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = PaymentView), (status = 409, body = Problem)))]
pub(crate) async fn deposit(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    let command = || Ok(PaymentCommand::Deposit { date: body.parse_or_default::<OnDay>()?.day() });
    change(&api, &caller, &id, &body, command).await
}

/// The bank paid a cheque: one that was deposited, or one that the tenant issued.
#[utoipa::path(post, path = "/v1/payments/{id}/clear", request_body = OnDay, tag = "payments",
    params(("id" = String, Path), ("If-Match" = String, Header), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = PaymentView), (status = 409, body = Problem)))]
pub(crate) async fn clear(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    let command = || Ok(PaymentCommand::Clear { date: body.parse_or_default::<OnDay>()?.day() });
    change(&api, &caller, &id, &body, command).await
}

/// The bank did not pay a cheque: what it settled is open again.
#[utoipa::path(post, path = "/v1/payments/{id}/bounce", request_body = TakeBackRequest, tag = "payments",
    params(("id" = String, Path), ("If-Match" = String, Header), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = PaymentView), (status = 409, body = Problem)))]
pub(crate) async fn bounce(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    let command = || take_back(&body, TakingBack::Bounced);
    change(&api, &caller, &id, &body, command).await
}

/// Lets some of an advance settle invoices.
#[utoipa::path(post, path = "/v1/payments/{id}/allocate", request_body = AllocateRequest, tag = "payments",
    params(("id" = String, Path), ("If-Match" = String, Header), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = PaymentView), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn allocate(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    let command = || {
        let AllocateRequest { date, allocations: requests } = body.parse()?;
        let date = date.map(|date| date.0);
        Ok(PaymentCommand::Allocate { date, allocations: allocations(requests)? })
    };
    change(&api, &caller, &id, &body, command).await
}

fn take_back(body: &Body, how: TakingBack) -> Result<PaymentCommand, ApiError> {
    let TakeBackRequest { date, reason } = body.parse()?;
    Ok(PaymentCommand::TakeBack { how, date: date.map(|date| date.0), reason })
}

/// A payment as it stands.
#[utoipa::path(get, path = "/v1/payments/{id}", tag = "payments", params(("id" = String, Path)),
    responses((status = 200, body = PaymentView), (status = 404, body = Problem)))]
pub(crate) async fn show(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    caller.require(READERS)?;
    let at = api.app.payment(&caller.actor, payment_id(&id)?).await?;
    respond::versioned(&PaymentView::new(&at.payment, at.version), at.version)
}

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PaymentsQuery {
    /// `pending`, `completed`, `failed`, `reversed`, `bounced` or `refunded`.
    #[param(value_type = Option<String>)]
    status: Option<PaymentStatus>,
    /// `cash`, `bank-transfer`, `cheque`, `withholding`, or `wallet:` and its name.
    #[param(value_type = Option<String>)]
    method: Option<PaymentMethod>,
    /// The tenant's own id of the customer or supplier.
    party: Option<String>,
    /// At most so many, 1 to 200; 50 when absent.
    limit: Option<u32>,
    /// The cursor of the page before.
    after: Option<String>,
}

/// The view that the list is read from.
const VIEW: &str = "payment_list";

/// A page of payments, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PaymentPage {
    items: Vec<PaymentListItem>,
    /// Cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Lists payments, newest first.
#[utoipa::path(get, path = "/v1/payments", tag = "payments", params(PaymentsQuery),
    responses((status = 200, body = PaymentPage)))]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    caller: Caller,
    query: Result<Query<PaymentsQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    caller.require(READERS)?;
    let invalid = |detail: String| ApiError::new(Code::QueryInvalid, detail);
    let Query(PaymentsQuery { status, method, party, limit, after }) =
        query.map_err(|error| invalid(error.body_text()))?;
    let limit = limit.unwrap_or(LIMIT_DEFAULT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        return Err(invalid(format!("limit lies between 1 and {LIMIT_MAX}")));
    }
    let cursor = |cursor: String| {
        cursor.parse().map(Position).map_err(|_| invalid("after is no cursor of this list".to_owned()))
    };
    let before = after.map(cursor).transpose()?;
    let tenant = &caller.actor.tenant;
    // A view knows no tenants: without this, one that does not exist would have an empty list.
    api.app.tenant(tenant).await?;
    let behind = || ApiError::new(Code::ViewBehind, "the list does not hold that position yet");
    let wanted = caller.position()?;
    if let Some(position) = wanted {
        if !api.progress.wait(VIEW, tenant, position, POSITION_WAIT).await {
            return Err(behind());
        }
    } else if let Some(head) = api.app.store.head(tenant).await? {
        api.progress.wait(VIEW, tenant, head.last_position, HEAD_WAIT).await;
    }
    let mut link = format!("/v1/payments?limit={limit}");
    for (name, value) in [
        ("status", status.map(|status| status.as_str().to_owned())),
        ("method", method.as_ref().map(ToString::to_string)),
        ("party", party.clone()),
    ] {
        if let Some(value) = value {
            link.extend(["&", name, "=", &escaped(&value)]);
        }
    }
    let query = PaymentListQuery { status, method, party, before, limit: limit + 1 };
    let (reached, mut items) = query.run(&api.app.vault, tenant).await?;
    // A database that crashed may have taken back what the view was known to hold.
    if wanted.is_some_and(|position| reached < position) {
        return Err(behind());
    }
    let page = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = items.len() > page;
    items.truncate(page);
    let next = items.last().filter(|_| more).map(|item| item.created_position.to_string());
    let mut response = respond::json(&PaymentPage { items, next: next.clone() })?;
    if let Some(cursor) = next {
        respond::set(&mut response, header::LINK, &format!("<{link}&after={cursor}>; rel=\"next\""));
    }
    respond::set_position(&mut response, reached);
    Ok(response)
}

/// A text that is no id names no payment.
fn payment_id(text: &str) -> Result<PaymentId, ApiError> {
    text.parse().map_err(|_| Rejection::PaymentMissing.into())
}
