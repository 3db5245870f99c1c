//! `/v1/schedules`: entries that come again, accruals, and depreciation.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::Response;
use niyam_domain::{
    Depreciation, Entry, Every, Method, NewEntry, Plan, Position, Recurring, Rejection, ScheduleCommand,
    ScheduleId, ScheduleTerms,
};
use niyam_values::{Date, Decimal, Finding};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::body::Body;
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::invoices::{HEAD_WAIT, Nothing, POSITION_WAIT};
use crate::api::journal_entries::JournalLineRequest;
use crate::api::problem::{ApiError, Problem};
use crate::api::respond;
use crate::api::router::Api;
use crate::api::text::{AttributesText, DateText, DecimalText, Object, date};
use crate::commands::books::authority;
use crate::commands::schedule_views::{OccurrenceView, RanView, ScheduleView};
use crate::projections::schedules::{ScheduleListItem, Schedules};
use crate::roles::{ISSUERS, READERS};

const LIMIT_DEFAULT: u32 = 50;
const LIMIT_MAX: u32 = 200;
/// Most occurrences of a preview: a hundred years of months.
const PREVIEW_MAX: usize = 1_200;

/// A schedule: `entry` for one that is recurring or an accrual, `asset` for depreciation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScheduleRequest {
    name: String,
    /// `recurring`, `accrual` (taken back on the first day of the next period) or `depreciation`.
    kind: String,
    /// Nothing is posted for a day before; the month of it is the first of an asset's life.
    #[schema(value_type = String, format = Date)]
    starts: DateText,
    /// Nothing is posted for a day after.
    #[schema(value_type = Option<String>, format = Date)]
    until: Option<DateText>,
    /// `month` when absent, or `fiscal-period`: the last day of each one that was opened.
    every: Option<String>,
    /// Of the month, 1 to 31; its last one when absent, or when it has fewer.
    day: Option<i8>,
    #[schema(value_type = Option<TemplateRequest>)]
    entry: Option<Object<TemplateRequest>>,
    #[schema(value_type = Option<AssetRequest>)]
    asset: Option<Object<AssetRequest>>,
}

/// What the entries of a schedule say.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TemplateRequest {
    description: String,
    reference: Option<String>,
    /// 2 to 500; debits equal credits in each currency.
    #[schema(value_type = Vec<JournalLineRequest>)]
    lines: Vec<Object<JournalLineRequest>>,
}

/// An asset that loses value.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AssetRequest {
    /// `straight-line`, or `declining-balance`: each year a part of what it was worth when the year began.
    method: String,
    #[schema(value_type = String, example = "120000.00")]
    cost: DecimalText,
    /// What it is worth in the end; nothing when absent.
    #[schema(value_type = Option<String>)]
    salvage: Option<DecimalText>,
    /// Its useful life; the last month takes the rest.
    months: u32,
    /// Percent of a year, for `declining-balance`.
    #[schema(value_type = Option<String>)]
    rate: Option<DecimalText>,
    /// ISO 4217.
    #[schema(example = "BDT")]
    currency: String,
    /// The account of the role `depreciation` when absent.
    expense_account: Option<String>,
    /// The account of the role `accumulated-depreciation` when absent.
    accumulated_account: Option<String>,
    /// What the entries say; the schedule's name when absent.
    description: Option<String>,
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    dimensions: AttributesText,
}

fn at(code: Code, pointer: &str, message: &str) -> ApiError {
    ApiError::at(code, pointer, message)
}

impl ScheduleRequest {
    /// What is asked for; accounts that are not named are those of their roles.
    async fn terms(self, api: &Api, caller: &Caller) -> Result<ScheduleTerms, ApiError> {
        let every = match self.every.as_deref() {
            None | Some("month") => Every::Month,
            Some("fiscal-period") => Every::FiscalPeriod,
            Some(_) => {
                return Err(at(Code::ValueInvalid, "/every", "a schedule is by month or by fiscal-period"));
            }
        };
        let unwanted = |what: &str| at(Code::FieldUnknown, what, "the kind of schedule does not have it");
        let missing = |what: &str| at(Code::FieldMissing, what, "the kind of schedule needs it");
        let plan = match self.kind.as_str() {
            "recurring" | "accrual" => {
                if self.asset.is_some() {
                    return Err(unwanted("/asset"));
                }
                let Object(entry) = self.entry.ok_or_else(|| missing("/entry"))?;
                let recurring = entry.recurring(every, self.day, self.starts.0)?;
                if self.kind == "accrual" { Plan::Accrual(recurring) } else { Plan::Recurring(recurring) }
            }
            "depreciation" => {
                let others = [
                    ("/entry", self.entry.is_some()),
                    ("/day", self.day.is_some()),
                    ("/every", every != Every::Month),
                ];
                if let Some((pointer, _)) = others.into_iter().find(|(_, is_there)| *is_there) {
                    return Err(unwanted(pointer));
                }
                let Object(asset) = self.asset.ok_or_else(|| missing("/asset"))?;
                Plan::Depreciation(asset.depreciation(api, caller, &self.name).await?)
            }
            _ => {
                let message = "a schedule is recurring, accrual or depreciation";
                return Err(at(Code::ValueInvalid, "/kind", message));
            }
        };
        let until = self.until.map(|until| until.0);
        Ok(ScheduleTerms { name: self.name, plan, starts: self.starts.0, until })
    }
}

impl TemplateRequest {
    fn recurring(self, every: Every, day: Option<i8>, starts: Date) -> Result<Recurring, ApiError> {
        let lines = self.lines.into_iter().map(|Object(line)| line.into()).collect();
        let new = NewEntry { date: starts, description: self.description, reference: self.reference, lines };
        let placed = |mut finding: Finding| {
            let pointer = finding.pointer.unwrap_or_default();
            // The day is the schedule's own.
            finding.pointer =
                Some(if pointer == "/date" { "/starts".to_owned() } else { format!("/entry{pointer}") });
            finding
        };
        let entry = Entry::new(new).map_err(|rejection| match rejection {
            Rejection::Findings(findings) => Rejection::Findings(findings.into_iter().map(placed).collect()),
            other => other,
        })?;
        let Entry { description, reference, lines, .. } = entry;
        Ok(Recurring { every, day, description, reference, lines })
    }
}

impl AssetRequest {
    async fn depreciation(self, api: &Api, caller: &Caller, name: &str) -> Result<Depreciation, ApiError> {
        let method = [Method::StraightLine, Method::DecliningBalance]
            .into_iter()
            .find(|method| method.as_str() == self.method)
            .ok_or_else(|| {
                let message = "an asset loses value by straight-line or declining-balance";
                at(Code::ValueInvalid, "/asset/method", message)
            })?;
        let refused = |rule: &str, pointer: &str, message: &str| {
            ApiError::from(Rejection::Findings(vec![Finding::error(rule, message).at(pointer)]))
        };
        let currency = self.currency.parse().map_err(|_| {
            let message = "a currency is a code of ISO 4217, for example BDT";
            refused("currency-unknown", "/asset/currency", message)
        })?;
        let chart = api.app.chart_needed(&caller.actor.tenant).await?.state;
        let account = |named: Option<String>, role: &str, pointer: &str| match named {
            None => Ok(chart.account_of(role)?.clone()),
            Some(code) => code.parse().map_err(|_| {
                refused("account-unknown", pointer, "the chart of accounts has no such account")
            }),
        };
        Ok(Depreciation {
            method,
            cost: self.cost.0,
            salvage: self.salvage.map_or(Decimal::ZERO, |salvage| salvage.0),
            months: self.months,
            rate: self.rate.map(|rate| rate.0),
            currency,
            expense: account(self.expense_account, "depreciation", "/asset/expense_account")?,
            accumulated: account(
                self.accumulated_account,
                "accumulated-depreciation",
                "/asset/accumulated_account",
            )?,
            description: self.description.unwrap_or_else(|| name.to_owned()),
            dimensions: self.dimensions.0,
        })
    }
}

/// Creates a schedule. What is due is posted by itself, within seconds of its day.
#[utoipa::path(post, path = "/v1/schedules", request_body = ScheduleRequest, tag = "books",
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = ScheduleView), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn create(
    State(api): State<Arc<Api>>,
    caller: Caller,
    body: Body,
) -> Result<Response, ApiError> {
    caller.require(ISSUERS)?;
    let request: ScheduleRequest = body.parse()?;
    let key = caller.idempotency(&body.0)?;
    let terms = request.terms(&api, &caller).await?;
    Ok(respond::committed(api.app.create_schedule(&caller.actor, key, terms).await?))
}

/// A schedule: what it posted, and what is due by today, with what keeps it from being posted.
#[utoipa::path(get, path = "/v1/schedules/{id}", tag = "books", params(("id" = String, Path)),
    responses((status = 200, body = ScheduleView), (status = 404, body = Problem)))]
pub(crate) async fn show(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    caller.require(READERS)?;
    let at = api.app.schedule(&caller.actor, schedule_id(&id)?).await?;
    respond::versioned(&api.app.schedule_view(&caller.actor, &at).await?, at.version)
}

/// Revises a schedule. Once it has posted, what it is and when it posts stays; names, texts, lines, accounts and the end
/// may change, for what is not posted yet.
#[utoipa::path(put, path = "/v1/schedules/{id}", request_body = ScheduleRequest, tag = "books",
    params(("id" = String, Path), ("If-Match" = String, Header)),
    responses((status = 200, body = ScheduleView), (status = 412, body = Problem)))]
pub(crate) async fn revise(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    caller.require(ISSUERS)?;
    let (id, expected) = (schedule_id(&id)?, caller.expected()?);
    let request: ScheduleRequest = body.parse()?;
    let command = ScheduleCommand::Revise(request.terms(&api, &caller).await?);
    Ok(respond::committed(api.app.change_schedule(&caller.actor, None, id, expected, command).await?))
}

/// How a schedule ends.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EndRequest {
    /// Nothing is posted for a day after; an accrual is taken back all the same.
    #[schema(value_type = String, format = Date)]
    last_day: DateText,
}

/// Ends a schedule.
#[utoipa::path(post, path = "/v1/schedules/{id}/end", request_body = EndRequest, tag = "books",
    params(("id" = String, Path), ("If-Match" = String, Header), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = ScheduleView), (status = 409, body = Problem)))]
pub(crate) async fn end(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    caller.require(ISSUERS)?;
    let (id, expected, key) = (schedule_id(&id)?, caller.expected()?, caller.idempotency(&body.0)?);
    let EndRequest { last_day } = body.parse()?;
    let command = ScheduleCommand::End(last_day.0);
    Ok(respond::committed(api.app.change_schedule(&caller.actor, key, id, expected, command).await?))
}

/// Through which day.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ThroughQuery {
    /// The last day.
    #[param(value_type = Option<String>, format = Date)]
    through: Option<String>,
}

type Queried<T> = Result<Query<T>, QueryRejection>;

fn through(query: Queried<ThroughQuery>) -> Result<Option<Date>, ApiError> {
    let Query(ThroughQuery { through }) =
        query.map_err(|error| ApiError::new(Code::QueryInvalid, error.body_text()))?;
    let day = |text: String| {
        date(&text).ok_or_else(|| at(Code::DateInvalid, "/through", "a date is YYYY-MM-DD and exists"))
    };
    through.map(day).transpose()
}

/// What a schedule posts, in order of its days.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PreviewPage {
    #[schema(value_type = String, format = Date)]
    through: Date,
    items: Vec<OccurrenceView>,
    /// Whether more comes by that day: at most 1200 are shown.
    more: bool,
}

/// All that a schedule posts through a day, a year from today when none is named: posted, due, held or planned. Nothing
/// is recorded.
#[utoipa::path(get, path = "/v1/schedules/{id}/preview", tag = "books",
    params(("id" = String, Path), ThroughQuery),
    responses((status = 200, body = PreviewPage), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn preview(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    query: Queried<ThroughQuery>,
) -> Result<Response, ApiError> {
    caller.require(READERS)?;
    let actor = &caller.actor;
    let found = api.app.schedule(actor, schedule_id(&id)?).await?;
    let today = api.app.desk.today(&api.app.tenant(&actor.tenant).await?);
    let through = through(query)?.unwrap_or_else(|| today.saturating_add(jiff::Span::new().years(1)));
    let against = api.app.desk.against(&actor.tenant).await?;
    let mut all = found.state.occurrences(through, &against.periods.state);
    let more = all.len() > PREVIEW_MAX;
    all.truncate(PREVIEW_MAX);
    let view = |occurrence: &niyam_domain::Occurrence| {
        if found.state.is_done(occurrence) {
            let posted = found.state.posted.get(&occurrence.key);
            let id = posted.and_then(|posted| match occurrence.what {
                niyam_domain::What::Entry(_) => Some(posted.entry_id),
                niyam_domain::What::Reversal => posted.mirror_id,
            });
            return OccurrenceView::new(occurrence, "posted", id, &[]);
        }
        let findings = against.findings(occurrence, authority(actor));
        let state = match (occurrence.date > today, findings.is_empty()) {
            (true, _) => "planned",
            (false, true) => "due",
            (false, false) => "held",
        };
        OccurrenceView::new(occurrence, state, None, &findings)
    };
    respond::json(&PreviewPage { through, items: all.iter().map(view).collect(), more })
}

/// What a run came to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RunView {
    /// What it posted.
    posted: Vec<RanView>,
    /// What stays due, and why.
    held: Vec<RanView>,
    /// Whether it left off before all was posted: ask again.
    more: bool,
}

/// Posts what is due of all schedules through a day, today when none is named, a month ahead at most: each once, however
/// often it is asked. An approver's run posts into soft-closed periods as well.
#[utoipa::path(post, path = "/v1/schedules/run", tag = "books", params(ThroughQuery),
    responses((status = 200, body = RunView), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn run(
    State(api): State<Arc<Api>>,
    caller: Caller,
    query: Queried<ThroughQuery>,
    body: Body,
) -> Result<Response, ApiError> {
    caller.require(ISSUERS)?;
    let Nothing {} = body.parse_or_default()?;
    let through = through(query)?;
    api.app.tenant(&caller.actor.tenant).await?;
    // What was created a moment ago is run as well.
    if let Some(head) = api.app.store.head(&caller.actor.tenant).await? {
        api.progress.wait(Schedules::NAME, &caller.actor.tenant, head.last_position, POSITION_WAIT).await;
    }
    let ran = api.app.run_schedules(&caller.actor, through).await?;
    let (posted, held): (Vec<_>, Vec<_>) = ran.outcomes.iter().partition(|(_, outcome)| outcome.is_posted());
    let views = |outcomes: Vec<&_>| outcomes.into_iter().map(RanView::new).collect();
    respond::json(&RunView { posted: views(posted), held: views(held), more: ran.more })
}

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ScheduleQuery {
    /// At most so many, 1 to 200; 50 when absent.
    limit: Option<u32>,
    /// The cursor of the page before.
    after: Option<String>,
}

/// A page of schedules, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SchedulePage {
    items: Vec<ScheduleListItem>,
    /// Cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Lists schedules, newest first.
#[utoipa::path(get, path = "/v1/schedules", tag = "books", params(ScheduleQuery),
    responses((status = 200, body = SchedulePage)))]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    caller: Caller,
    query: Queried<ScheduleQuery>,
) -> Result<Response, ApiError> {
    caller.require(READERS)?;
    let invalid = |detail: String| ApiError::new(Code::QueryInvalid, detail);
    let Query(ScheduleQuery { limit, after }) = query.map_err(|error| invalid(error.body_text()))?;
    let limit = limit.unwrap_or(LIMIT_DEFAULT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        return Err(invalid(format!("limit lies between 1 and {LIMIT_MAX}")));
    }
    let cursor = |text: String| {
        text.parse().map(Position).map_err(|_| invalid("after is no cursor of this list".to_owned()))
    };
    let before = after.map(cursor).transpose()?;
    let tenant = &caller.actor.tenant;
    api.app.tenant(tenant).await?;
    let behind = || ApiError::new(Code::ViewBehind, "the list does not hold that position yet");
    let wanted = caller.position()?;
    if let Some(position) = wanted {
        if !api.progress.wait(Schedules::NAME, tenant, position, POSITION_WAIT).await {
            return Err(behind());
        }
    } else if let Some(head) = api.app.store.head(tenant).await? {
        api.progress.wait(Schedules::NAME, tenant, head.last_position, HEAD_WAIT).await;
    }
    let (reached, mut items) = Schedules::page(api.app.store.database(), tenant, before, limit + 1).await?;
    if wanted.is_some_and(|position| reached < position) {
        return Err(behind());
    }
    let page = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = items.len() > page;
    items.truncate(page);
    let next = items.last().filter(|_| more).map(|item| item.created_position.to_string());
    let link =
        next.as_ref().map(|cursor| format!("</v1/schedules?limit={limit}&after={cursor}>; rel=\"next\""));
    let mut response = respond::json(&SchedulePage { items, next })?;
    if let Some(link) = link {
        respond::set(&mut response, header::LINK, &link);
    }
    respond::set_position(&mut response, reached);
    Ok(response)
}

/// A text that is no id names no schedule.
fn schedule_id(text: &str) -> Result<ScheduleId, ApiError> {
    text.parse().map_err(|_| Rejection::ScheduleMissing.into())
}
