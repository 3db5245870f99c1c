//! `/v1/simulations`: what a candidate would answer on the tenant's own documents.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::Body as HttpBody;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::Response;
use futures::stream;
use niyam_values::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::body::Body;
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::csv::plain;
use crate::api::jobs::{self, FoundQuery, JobView, Page};
use crate::api::problem::{ApiError, Problem};
use crate::api::respond;
use crate::api::router::Api;
use crate::api::text::{DateText, Object};
use crate::commands::CommandError;
use crate::commands::examine::BothAnswers;
use crate::commands::views::{DeterminationView, FindingView};
use crate::jobs::{JobKind, SimulationRequest};
use crate::rerun::other_answer::{OtherAnswer, Sums};
use crate::rerun::simulate::Filter;
use crate::roles::{EXAMINERS, READERS};

const KIND: JobKind = JobKind::Simulation;
/// Kinds of documents that a filter may name.
const KINDS_MAX: usize = 20;
/// Rows of an export that are read at once.
const ROWS_AT_ONCE: u32 = 1000;

/// A module, and how it would be configured.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CandidateRequest {
    /// SHA-256 of a component that the host has.
    module: String,
    /// Fits the module's schema.
    #[schema(value_type = Object)]
    config: serde_json::Value,
}

/// Which documents: issued ones by tax date and kind.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FilterRequest {
    /// First tax date.
    #[schema(value_type = Option<String>, format = Date)]
    from: Option<DateText>,
    /// Last tax date.
    #[schema(value_type = Option<String>, format = Date)]
    to: Option<DateText>,
    /// `invoice`, `credit-note` …, at most 20; all when there is none.
    #[serde(default)]
    kinds: Vec<String>,
    /// Whether drafts and approved documents count as well.
    #[serde(default)]
    drafts: bool,
}

/// What to ask whom.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SimulationBody {
    #[schema(value_type = CandidateRequest)]
    candidate: Object<CandidateRequest>,
    #[serde(default)]
    #[schema(value_type = Option<FilterRequest>)]
    filter: Option<Object<FilterRequest>>,
}

impl FilterRequest {
    fn checked(self) -> Result<Filter, ApiError> {
        let (from, to) = (self.from.map(|date| date.0), self.to.map(|date| date.0));
        if let (Some(from), Some(to)) = (from, to)
            && from > to
        {
            return Err(ApiError::at(
                Code::ValueInvalid,
                "/filter/to",
                "the last tax date lies before the first",
            ));
        }
        if self.kinds.len() > KINDS_MAX {
            let message = format!("at most {KINDS_MAX} kinds are named");
            return Err(ApiError::at(Code::ValueInvalid, "/filter/kinds", message));
        }
        if let Some(index) = self.kinds.iter().position(|kind| kind.is_empty() || kind.chars().count() > 64) {
            let pointer = format!("/filter/kinds/{index}");
            return Err(ApiError::at(Code::ValueInvalid, &pointer, "a kind has 1 to 64 characters"));
        }
        let kinds: BTreeSet<String> = self.kinds.into_iter().collect();
        Ok(Filter { from, to, kinds, drafts: self.drafts })
    }
}

/// Asks a candidate about the tenant's documents, in the background; nothing of the tenant changes. The result counts
/// `documents`, `same`, `differ`, `other_reasons` (citations or findings alone), `refused`, `failed` and `unreadable`, those
/// that are not asked about since personal data were `erased`, and has the `totals` of each tax before and after.
#[utoipa::path(post, path = "/v1/simulations", tag = "proof", request_body = SimulationBody,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 202, body = JobView), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn ask(
    State(api): State<Arc<Api>>,
    caller: Caller,
    body: Body,
) -> Result<Response, ApiError> {
    caller.require(EXAMINERS)?;
    let SimulationBody { candidate: Object(candidate), filter } = body.parse()?;
    let filter = filter.map(|Object(filter)| filter).unwrap_or_default().checked()?;
    let key = caller.idempotency(&body.0)?;
    let candidate = (candidate.module, &candidate.config);
    let (id, before) = api.app.ask_simulation(&caller.actor, key, candidate, filter).await?;
    let (_, job) = api.app.job(&caller.actor, KIND, &id.to_string()).await?;
    jobs::accepted(KIND, (id, before), &job)
}

/// How far a simulation is, and what came of it.
#[utoipa::path(get, path = "/v1/simulations/{id}", tag = "proof", params(("id" = String, Path)),
    responses((status = 200, body = JobView), (status = 404, body = Problem)))]
pub(crate) async fn show(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    caller.require(READERS)?;
    let (_, job) = api.app.job(&caller.actor, KIND, &id).await?;
    respond::json(&jobs::view(&job)?)
}

/// Cancels a simulation that has not ended; takes away one that has.
#[utoipa::path(delete, path = "/v1/simulations/{id}", tag = "proof", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = Problem)))]
pub(crate) async fn give_up(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    caller.require(EXAMINERS)?;
    api.app.give_up_job(&caller.actor, KIND, &id).await?;
    Ok(jobs::gone())
}

/// A document that the candidate answers otherwise, with both answers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OtherAnswerView {
    #[serde(flatten)]
    told: OtherAnswer,
    /// As it is in the books.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer_before: Option<DeterminationView>,
    /// Whether personal data of the document were erased since: the candidate cannot be asked about it again.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    erased: bool,
    /// The candidate's; absent when it refuses or fails, or when the document was erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer_after: Option<DeterminationView>,
    /// What the candidate finds wrong, when it refuses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    findings: Vec<FindingView>,
}

impl From<BothAnswers> for OtherAnswerView {
    fn from(both: BothAnswers) -> Self {
        Self {
            told: both.told,
            erased: both.erased,
            answer_before: both.before.as_ref().map(DeterminationView::from),
            answer_after: both.after.as_ref().map(DeterminationView::from),
            findings: both.findings.iter().map(FindingView::from).collect(),
        }
    }
}

/// A page of documents that the candidate answers otherwise, in order of position.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OtherAnswerPage {
    items: Vec<OtherAnswerView>,
    /// Cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// The documents that the candidate answers otherwise: as JSON with both answers, or all of them as CSV.
#[utoipa::path(get, path = "/v1/simulations/{id}/differences", tag = "proof",
    params(("id" = String, Path), FoundQuery),
    responses((status = 200, content((OtherAnswerPage = "application/json"), (String = "text/csv"))),
        (status = 404, body = Problem), (status = 406, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn differences(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    query: Result<Query<FoundQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    caller.require(READERS)?;
    if caller.wants("text", "csv")? {
        return export(api, caller, &id).await;
    }
    let page = Page::of(query)?;
    let (id, job) = api.app.job(&caller.actor, KIND, &id).await?;
    let mut rows = api.app.job_found(&caller.actor, id, page.after, page.limit + 1).await?;
    let next = page.cut(&mut rows);
    let SimulationRequest { module, config, .. } =
        serde_json::from_str(&job.request).map_err(CommandError::from)?;
    let both = api.app.both_answers(&caller.actor, (module, config), jobs::details(&rows)?).await?;
    let items = both.into_iter().map(OtherAnswerView::from).collect();
    let mut response = respond::json(&OtherAnswerPage { items, next: next.clone() })?;
    let path = format!("{}/{id}/differences", KIND.path());
    jobs::link(&mut response, &path, page.limit, next.as_deref());
    Ok(response)
}

/// The documents that the candidate answers otherwise, all of them, as CSV with the sums of both answers.
#[utoipa::path(get, path = "/v1/simulations/{id}/differences.csv", tag = "proof", params(("id" = String, Path)),
    responses((status = 200, body = String, content_type = "text/csv"), (status = 404, body = Problem)))]
pub(crate) async fn differences_csv(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    caller.require(READERS)?;
    export(api, caller, &id).await
}

const COLUMNS: [&str; 16] = [
    "position",
    "invoice",
    "number",
    "tax_date",
    "document_kind",
    "currency",
    "kind",
    "net_before",
    "net_after",
    "tax_added_before",
    "tax_added_after",
    "tax_withheld_before",
    "tax_withheld_after",
    "payable_before",
    "payable_after",
    "codes",
];

async fn export(api: Arc<Api>, caller: Caller, id: &str) -> Result<Response, ApiError> {
    let (id, _) = api.app.job(&caller.actor, KIND, id).await?;
    let head = format!("{}\r\n", COLUMNS.join(","));
    let state = (api, caller.actor, Some((0, -1)), Some(head));
    let pages = stream::try_unfold(state, move |(api, actor, after, head)| async move {
        let Some(after) = after else { return Ok::<_, std::io::Error>(None) };
        let rows = api.app.job_found(&actor, id, after, ROWS_AT_ONCE).await;
        let rows = rows.map_err(std::io::Error::other)?;
        let full = rows.len() >= ROWS_AT_ONCE as usize;
        let next = rows.last().filter(|_| full).map(|(position, item, _)| (*position, *item));
        let mut text = head.unwrap_or_default().into_bytes();
        text.extend(csv(&rows).map_err(std::io::Error::other)?);
        Ok(Some((text, (api, actor, next, None))))
    });
    let mut response = Response::new(HttpBody::from_stream(pages));
    respond::set(&mut response, header::CONTENT_TYPE, "text/csv; charset=utf-8");
    let name = format!("attachment; filename=\"simulation-{id}.csv\"");
    respond::set(&mut response, header::CONTENT_DISPOSITION, &name);
    Ok(response)
}

fn csv(rows: &[crate::jobs::table::FoundRow]) -> Result<Vec<u8>, CommandError> {
    let defect = |error: csv::Error| CommandError::Defect(error.to_string());
    let mut writer = csv::WriterBuilder::new()
        .has_headers(false)
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    for (_, _, detail) in rows {
        let told: OtherAnswer = serde_json::from_str(detail)?;
        let pair = |of: fn(&Sums) -> Decimal| {
            [
                of(&told.before).to_string(),
                told.after.as_ref().map(|after| of(after).to_string()).unwrap_or_default(),
            ]
        };
        let mut row = vec![
            told.position.to_string(),
            told.invoice.clone(),
            plain(told.number.as_deref().unwrap_or_default()),
            told.tax_date.to_string(),
            plain(&told.document_kind),
            plain(&told.currency),
            told.kind.as_str().to_owned(),
        ];
        row.extend(pair(|sums| sums.net));
        row.extend(pair(|sums| sums.tax_added));
        row.extend(pair(|sums| sums.tax_withheld));
        row.extend(pair(|sums| sums.payable));
        row.push(plain(&told.codes.join(" ")));
        writer.write_record(&row).map_err(defect)?;
    }
    writer.into_inner().map_err(|error| CommandError::Defect(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::{COLUMNS, OtherAnswer, csv};

    #[test]
    fn a_row_has_every_column_and_no_formula() {
        let told = r#"{"position":7,"invoice":"i","number":"=1+1","tax_date":"2026-08-15","document_kind":"a,\"b\"",
            "currency":"BDT","kind":"refused","before":{"net":"1","tax_added":"2","tax_withheld":"0","payable":"3"},
            "codes":["@x"]}"#;
        assert!(serde_json::from_str::<OtherAnswer>(told).is_ok());
        let text = String::from_utf8(csv(&[(7, 0, told.to_owned())]).unwrap()).unwrap();
        assert_eq!(text, "7,i,'=1+1,2026-08-15,\"a,\"\"b\"\"\",BDT,refused,1,,2,,0,,3,,'@x\r\n");
        assert_eq!(COLUMNS.len(), 16);
    }
}
