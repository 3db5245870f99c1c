//! `/v1/registers/{code}` and `/v1/tax-returns/{code}`: what the pack draws of a period's documents.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use jiff::ToSpan as _;
use niyam_documents::{FormView, Options};
use niyam_domain::{Position, TaxReturn};
use niyam_store::Idempotency;
use niyam_values::{Date, OpeningBalance};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::body::Body;
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::forms::{self, MEDIA};
use crate::api::invoices::Nothing;
use crate::api::problem::{ApiError, Problem};
use crate::api::respond;
use crate::api::router::Api;
use crate::api::text::{self, DateText, DecimalText};
use crate::commands::Expected;
use crate::commands::books::At;
use crate::commands::form::{Medium, Sheet, identifier};
use crate::commands::obligations::ObligationView;
use crate::commands::return_views::{ContributionView, ReturnView};
use crate::commands::tax_documents::Figure;
use crate::commands::tax_return::{PeriodName, ReturnOf};
use crate::projections::TaxDocuments;
use crate::roles::{APPROVERS, ISSUERS, READERS};
use crate::tenants::TenantAt;

/// How long a return waits for the documents that were issued before it was asked.
const DOCUMENTS_WAIT: Duration = Duration::from_secs(5);
/// Documents of a page.
const LIMIT_DEFAULT: usize = 50;
const LIMIT_MAX: usize = 200;

/// Which period.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PeriodQuery {
    /// Its code, once its fiscal year was opened, or a day of it.
    #[param(example = "2026-07-31")]
    period: String,
    /// Of a return that was prepared or filed before; the last one if absent. Returns alone have it.
    sequence: Option<u32>,
}

/// What is brought into the period.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PrepareRequest {
    /// Balances by the pack's codes.
    #[serde(default)]
    opening: Vec<OpeningRequest>,
    /// The day on which it is going to be filed; today if absent.
    #[schema(value_type = Option<String>, format = Date)]
    filed_on: Option<DateText>,
}

/// A balance that is brought into the period.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OpeningRequest {
    code: String,
    #[schema(value_type = String)]
    amount: DecimalText,
}

/// A return, and what it says.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReturnPage {
    #[serde(flatten)]
    state: ReturnView,
    /// Which of them `form` is.
    shown: u32,
    /// Drawn again, from the same documents by the same module.
    form: FormView,
    /// Whether it came out as it did then, to the byte.
    proven: bool,
    /// Whether personal data that it showed were erased since.
    erased: bool,
}

/// The documents that make a figure.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ContributionPage {
    figure: String,
    /// What the return shows.
    total: String,
    /// What comes from elsewhere than a single document: balances brought in, limits, roundings of the whole.
    remainder: String,
    items: Vec<ContributionView>,
    /// Cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Which figure.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FigureQuery {
    /// Its code, once its fiscal year was opened, or a day of it.
    period: String,
    /// The key of a field; or the text of a row's first cell, or `total`, and the key of a column: `1:vat`.
    figure: String,
    sequence: Option<u32>,
    /// 1 to 200.
    limit: Option<usize>,
    after: Option<usize>,
}

type Queried<T> = Result<Query<T>, QueryRejection>;

/// Which days.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ObligationsQuery {
    /// First day on which something may be due, `YYYY-MM-DD`; today if absent.
    #[param(example = "2026-07-01")]
    from: Option<String>,
    /// Last day; 90 days after the first if absent, and at most 400.
    #[param(example = "2027-06-30")]
    to: Option<String>,
}

/// What is to be filed or paid, in the order of the days.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ObligationPage {
    #[schema(value_type = String, format = Date)]
    from: Date,
    #[schema(value_type = String, format = Date)]
    to: Date,
    items: Vec<ObligationView>,
}

/// What must be filed or paid by which day, as the pack's calendar has it, and how far its return is.
#[utoipa::path(get, path = "/v1/obligations", tag = "tax-returns", params(ObligationsQuery),
    responses((status = 200, body = ObligationPage), (status = 422, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn obligations(
    State(api): State<Arc<Api>>,
    caller: Caller,
    query: Queried<ObligationsQuery>,
) -> Result<Response, ApiError> {
    caller.require(READERS)?;
    let Query(query) = query.map_err(|error| ApiError::new(Code::QueryInvalid, error.body_text()))?;
    let day = |name: &str, text: Option<String>| {
        let invalid = || ApiError::new(Code::DateInvalid, format!("{name} is YYYY-MM-DD and exists"));
        text.map(|text| text::date(&text).ok_or_else(invalid)).transpose()
    };
    let at = api.app.tenant(&caller.actor.tenant).await?;
    let from = day("from", query.from)?.unwrap_or_else(|| api.app.now_at(&at).date());
    let to = day("to", query.to)?.unwrap_or_else(|| from.saturating_add(90.days()));
    let items = api.app.obligations(&at, from, to).await?;
    respond::json(&ObligationPage { from, to, items })
}

/// A register or return of a period as it stands, prepared or not.
#[utoipa::path(get, path = "/v1/registers/{code}", tag = "tax-returns",
    params(("code" = String, Path, example = "mushak-6.2"), PeriodQuery),
    responses((status = 200, content((FormView = "application/json"), (String = "text/html"), (Vec<u8> = "application/pdf"))),
        (status = 404, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn register(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(code): Path<String>,
    query: Queried<PeriodQuery>,
) -> Result<Response, ApiError> {
    caller.require(READERS)?;
    let medium = caller.preferred(&MEDIA)?;
    let (at, of, _) = named(&api, &caller, code, query).await?;
    let known_at = documents_known(&api, &caller).await?;
    let (number, date) = (of.period.code.clone(), of.period.ends);
    let form = api.app.draw_register(&caller.actor, &at, of, known_at).await?;
    let sheet = Sheet { form, number, date, seal: None };
    let drawn = api.app.draw_sheet(&caller.actor.tenant, sheet, medium, Options::default()).await?;
    let mut response = forms::respond_with(&caller, medium, None, drawn);
    respond::set_position(&mut response, known_at);
    Ok(response)
}

/// The return of a period: where it stands, and what it says.
#[utoipa::path(get, path = "/v1/tax-returns/{code}", tag = "tax-returns",
    params(("code" = String, Path, example = "mushak-9.1"), PeriodQuery),
    responses((status = 200, content((ReturnPage = "application/json"), (String = "text/html"), (Vec<u8> = "application/pdf"))),
        (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn show(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(code): Path<String>,
    query: Queried<PeriodQuery>,
) -> Result<Response, ApiError> {
    caller.require(READERS)?;
    let medium = caller.preferred(&MEDIA)?;
    let (at, of, sequence) = named(&api, &caller, code, query).await?;
    let At { state, version } = api.app.tax_return(&caller.actor.tenant, &of).await?;
    let prepared = of_sequence(&state, sequence)?;
    let drawn = api.app.draw_again(&at, prepared).await?;
    if medium != Medium::Json {
        let filing = &prepared.filing;
        let (number, date) = (filing.facts.number.clone(), filing.facts.issued_on);
        let seal = Some(identifier(&filing.document.supplier).into_iter().collect());
        let sheet = Sheet { form: drawn.form, number, date, seal };
        let drawn = api.app.draw_sheet(&caller.actor.tenant, sheet, medium, Options::default()).await?;
        return Ok(forms::respond_with(&caller, medium, None, drawn));
    }
    let shown = prepared.sequence;
    let (state, form) = (ReturnView::new(&state, version), FormView::from(&drawn.form));
    respond::versioned(
        &ReturnPage { state, shown, form, proven: drawn.proven, erased: drawn.erased },
        version,
    )
}

/// The documents that a figure of a return comes from, and how much of it each adds.
#[utoipa::path(get, path = "/v1/tax-returns/{code}/documents", tag = "tax-returns",
    params(("code" = String, Path, example = "mushak-9.1"), FigureQuery),
    responses((status = 200, body = ContributionPage), (status = 404, body = Problem)))]
pub(crate) async fn documents(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(code): Path<String>,
    query: Queried<FigureQuery>,
) -> Result<Response, ApiError> {
    caller.require(READERS)?;
    let invalid = |detail: String| ApiError::new(Code::QueryInvalid, detail);
    let Query(query) = query.map_err(|error| invalid(error.body_text()))?;
    let FigureQuery { period, figure, sequence, limit, after } = query;
    let limit = limit.unwrap_or(LIMIT_DEFAULT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        return Err(invalid(format!("limit lies between 1 and {LIMIT_MAX}")));
    }
    let at = api.app.tenant(&caller.actor.tenant).await?;
    let of = ReturnOf { code, period: api.app.period_named(&at, &period_name(period)).await? };
    let At { state, .. } = api.app.tax_return(&caller.actor.tenant, &of).await?;
    let prepared = of_sequence(&state, sequence)?;
    let Figure { total, remainder, contributions } = api.app.figure(&at, prepared, figure.clone()).await?;
    let (from, count) = (after.unwrap_or(0), contributions.len());
    let items: Vec<ContributionView> = contributions.into_iter().skip(from).take(limit).collect();
    let reached = from.saturating_add(items.len());
    let next = (reached < count).then(|| reached.to_string());
    let (total, remainder) = (total.to_string(), remainder.to_string());
    respond::json(&ContributionPage { figure, total, remainder, items, next })
}

/// Draws the return of a period, anew if it was before; of one that was filed, a correction.
#[utoipa::path(post, path = "/v1/tax-returns/{code}/prepare", request_body = PrepareRequest, tag = "tax-returns",
    params(("code" = String, Path, example = "mushak-9.1"), PeriodQuery, ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = ReturnView), (status = 201, body = ReturnView),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn prepare(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(code): Path<String>,
    query: Queried<PeriodQuery>,
    body: Body,
) -> Result<Response, ApiError> {
    caller.require(ISSUERS)?;
    let PrepareRequest { opening, filed_on } = body.parse_or_default()?;
    let opening = opening
        .into_iter()
        .map(|balance| OpeningBalance { code: balance.code, amount: balance.amount.0 })
        .collect();
    let key = caller.idempotency(&body.0)?;
    let (_, of, _) = named(&api, &caller, code, query).await?;
    let known_at = documents_known(&api, &caller).await?;
    let filed_on = filed_on.map(|day| day.0);
    let prepared = api.app.prepare_return(&caller.actor, key, of, opening, filed_on, known_at);
    Ok(respond::committed(Box::pin(prepared).await?))
}

/// Says that the return was gone through.
#[utoipa::path(post, path = "/v1/tax-returns/{code}/review", tag = "tax-returns",
    params(("code" = String, Path), PeriodQuery, ("If-Match" = String, Header),
        ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = ReturnView), (status = 409, body = Problem)))]
pub(crate) async fn review(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(code): Path<String>,
    query: Queried<PeriodQuery>,
    body: Body,
) -> Result<Response, ApiError> {
    let (of, expected, key) = change(&api, &caller, code, query, &body).await?;
    let reviewed = api.app.review_return(&caller.actor, key, expected, &of);
    Ok(respond::committed(Box::pin(reviewed).await?))
}

/// Files the return: it has a number and a digest from now on, and is locked.
#[utoipa::path(post, path = "/v1/tax-returns/{code}/file", tag = "tax-returns",
    params(("code" = String, Path), PeriodQuery, ("If-Match" = String, Header),
        ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = ReturnView), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn file(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(code): Path<String>,
    query: Queried<PeriodQuery>,
    body: Body,
) -> Result<Response, ApiError> {
    let (of, expected, key) = change(&api, &caller, code, query, &body).await?;
    let known_at = documents_known(&api, &caller).await?;
    let filed = api.app.file_return(&caller.actor, key, expected, &of, known_at);
    Ok(respond::committed(Box::pin(filed).await?))
}

/// What an approver changes, what must stand, and under which key.
async fn change(
    api: &Api,
    caller: &Caller,
    code: String,
    query: Queried<PeriodQuery>,
    body: &Body,
) -> Result<(ReturnOf, Expected, Option<Idempotency>), ApiError> {
    caller.require(APPROVERS)?;
    let Nothing {} = body.parse_or_default()?;
    let (expected, key) = (caller.expected()?, caller.idempotency(&body.0)?);
    let (_, of, _) = named(api, caller, code, query).await?;
    Ok((of, expected, key))
}

/// The tenant, what is asked for, and which of its returns.
async fn named(
    api: &Api,
    caller: &Caller,
    code: String,
    query: Queried<PeriodQuery>,
) -> Result<(TenantAt, ReturnOf, Option<u32>), ApiError> {
    let Query(PeriodQuery { period, sequence }) =
        query.map_err(|error| ApiError::new(Code::QueryInvalid, error.body_text()))?;
    let at = api.app.tenant(&caller.actor.tenant).await?;
    let period = api.app.period_named(&at, &period_name(period)).await?;
    Ok((at, ReturnOf { code, period }, sequence))
}

fn period_name(text: String) -> PeriodName {
    text::date(&text).map_or(PeriodName::Code(text), PeriodName::Day)
}

/// The end of the tenant's history, once the view of documents holds it: a return must not miss one.
async fn documents_known(api: &Api, caller: &Caller) -> Result<Position, ApiError> {
    let tenant = &caller.actor.tenant;
    let head = api.app.store.head(tenant).await?.map_or(Position(0), |head| head.last_position);
    let wanted = caller.position()?.map_or(head, |asked| asked.max(head));
    if api.progress.wait(TaxDocuments::NAME, tenant, wanted, DOCUMENTS_WAIT).await {
        Ok(wanted)
    } else {
        Err(ApiError::new(Code::ViewBehind, "the documents of the period are not all there yet; try again"))
    }
}

/// The return of that number, or the last one.
fn of_sequence(state: &TaxReturn, sequence: Option<u32>) -> Result<&niyam_domain::ReturnPrepared, ApiError> {
    let Some(sequence) = sequence else { return Ok(&state.prepared) };
    if state.prepared.sequence == sequence {
        return Ok(&state.prepared);
    }
    let found =
        state.filed.iter().map(|filed| &filed.prepared).find(|prepared| prepared.sequence == sequence);
    found.ok_or_else(|| ApiError::new(Code::TaxReturnNotFound, "there is no such return of the period"))
}
