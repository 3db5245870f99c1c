//! `/v1/activations/{number}/differences`: what an activation in shadow answers otherwise.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use niyam_domain::{Activated, ActivationState, Rejection};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::activations::number;
use crate::api::caller::Caller;
use crate::api::jobs::{self, FoundQuery, Page};
use crate::api::problem::{ApiError, Problem};
use crate::api::respond;
use crate::api::router::Api;
use crate::api::simulations::OtherAnswerView;
use crate::roles::READERS;
use crate::shadow::table::ShadowRow;
use crate::shadow::told::{OtherPlan, OtherRuling, ShadowCounts, ShadowDifference};

/// What an activation in shadow answered about what was recorded since it was activated.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShadowView {
    /// Position of the tenant's history up to which it was asked.
    up_to: u64,
    #[serde(flatten)]
    counts: ShadowCounts,
    /// Whether it failed so often that it is asked no more: 100 times, and at more than half of what it was asked.
    given_up: bool,
}

impl ShadowView {
    /// `None` of one that is no shadow.
    pub(crate) fn of(activated: &Activated, rows: &[ShadowRow]) -> Option<Self> {
        if activated.activation.state != ActivationState::Shadow {
            return None;
        }
        let row = rows.iter().find(|row| row.number == activated.number).cloned().unwrap_or_default();
        Some(Self { up_to: row.position.0, given_up: row.counts.is_given_up(), counts: row.counts })
    }
}

/// Something that a module in shadow answers otherwise.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "function")]
#[expect(clippy::large_enum_variant, reason = "a page of them, on its way out")]
pub(crate) enum ShadowDifferenceView {
    /// Other taxes, with both answers.
    #[serde(rename = "determine")]
    Taxes(OtherAnswerView),
    /// Another issue.
    #[serde(rename = "prepare-issue")]
    Plan(OtherPlan),
    /// Another ruling of a policy.
    #[serde(rename = "evaluate")]
    Ruling(OtherRuling),
}

/// A page of differences, the last one first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShadowDifferencePage {
    items: Vec<ShadowDifferenceView>,
    /// Cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// What an activation in shadow answers otherwise than what is recorded, the last one first; the last 1,000 are kept.
#[utoipa::path(get, path = "/v1/activations/{number}/differences", tag = "modules",
    params(("number" = u32, Path), FoundQuery),
    responses((status = 200, body = ShadowDifferencePage), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub(crate) async fn differences(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(number): Path<String>,
    query: Result<Query<FoundQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    caller.require(READERS)?;
    let number = self::number(&number)?;
    let page = Page::of(query)?;
    let at = api.app.tenant(&caller.actor.tenant).await?;
    let activated = at.tenant.activations.get(number).ok_or(Rejection::ActivationMissing)?;
    let before = if page.is_first() { i64::MAX } else { page.after.0 };
    let mut rows = api.app.shadow_differences(&at, number, (before, page.limit + 1)).await?;
    let next = page.cut(&mut rows);
    let told: Vec<ShadowDifference> = jobs::details(&rows)?;
    let taxes = told.iter().filter_map(|difference| match difference {
        ShadowDifference::Taxes(told) => Some(told.clone()),
        _ => None,
    });
    let taxes: Vec<_> = taxes.collect();
    let both = if taxes.is_empty() {
        Vec::new()
    } else {
        let activation = &activated.activation;
        let candidate = (activation.module.digest.clone(), activation.config.clone());
        api.app.both_answers(&caller.actor, candidate, taxes).await?
    };
    let mut both = both.into_iter().map(OtherAnswerView::from);
    let items = told.into_iter().filter_map(|difference| match difference {
        ShadowDifference::Taxes(_) => both.next().map(ShadowDifferenceView::Taxes),
        ShadowDifference::Plan(told) => Some(ShadowDifferenceView::Plan(told)),
        ShadowDifference::Ruling(told) => Some(ShadowDifferenceView::Ruling(told)),
    });
    let items = items.collect();
    let mut response = respond::json(&ShadowDifferencePage { items, next: next.clone() })?;
    jobs::link(&mut response, &format!("/v1/activations/{number}/differences"), page.limit, next.as_deref());
    Ok(response)
}
