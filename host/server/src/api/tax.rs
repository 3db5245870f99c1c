//! Questions that change nothing: taxes of a document, an identifier, a tax period.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use niyam_domain::Rejection;
use niyam_values::Date;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::body::Body;
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::document::{DocumentRequest, IdentifierRequest};
use crate::api::problem::{ApiError, Problem};
use crate::api::router::Api;
use crate::api::{respond, text};
use crate::commands::views::DeterminationView;
use crate::roles::READERS;

/// What tax a document bears; nothing is stored.
#[utoipa::path(post, path = "/v1/tax/determinations", tag = "tax", request_body = DocumentRequest,
    responses((status = 200, body = DeterminationView), (status = 422, body = Problem)))]
pub(crate) async fn determine(
    State(api): State<Arc<Api>>,
    caller: Caller,
    body: Body,
) -> Result<Response, ApiError> {
    caller.require(READERS)?;
    let document: DocumentRequest = body.parse()?;
    let at = api.app.tenant(&caller.actor.tenant).await?;
    let assessed = api.app.assess(&at, document.try_into()?).await?;
    respond::json(&DeterminationView::from(&assessed.answer.taxes))
}

/// An identifier that holds.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IdentifierCheck {
    kind: String,
    /// As given.
    value: String,
    /// As it is written.
    normal_form: String,
    valid: bool,
}

/// Checks an identifier and gives its normal form.
#[utoipa::path(post, path = "/v1/identifiers/check", tag = "tax", request_body = IdentifierRequest,
    responses((status = 200, body = IdentifierCheck), (status = 422, body = Problem)))]
pub(crate) async fn check_identifier(
    State(api): State<Arc<Api>>,
    caller: Caller,
    body: Body,
) -> Result<Response, ApiError> {
    caller.require(READERS)?;
    let IdentifierRequest { kind, value } = body.parse()?;
    if kind.len() > 64 || value.len() > 64 {
        return Err(ApiError::at(Code::TextTooLong, "/value", "at most 64 characters"));
    }
    let at = api.app.tenant(&caller.actor.tenant).await?;
    let checked = api.app.check_identifier(&at, kind.clone(), value.clone()).await?;
    let normal_form = checked.map_err(Rejection::Findings)?;
    respond::json(&IdentifierCheck { kind, value, normal_form, valid: true })
}

/// Which day.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PeriodQuery {
    /// `YYYY-MM-DD`.
    date: String,
}

/// A tax period.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PeriodView {
    #[schema(example = "FY2026-2027-P01")]
    code: String,
    fiscal_year: String,
    #[schema(value_type = String, format = Date)]
    starts: Date,
    #[schema(value_type = String, format = Date)]
    ends: Date,
}

/// The tax period that holds a day.
#[utoipa::path(get, path = "/v1/fiscal-periods", tag = "tax", params(PeriodQuery),
    responses((status = 200, body = PeriodView), (status = 422, body = Problem)))]
pub(crate) async fn fiscal_period(
    State(api): State<Arc<Api>>,
    caller: Caller,
    query: Result<Query<PeriodQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    caller.require(READERS)?;
    let Query(PeriodQuery { date }) =
        query.map_err(|error| ApiError::new(Code::QueryInvalid, error.body_text()))?;
    let day =
        text::date(&date).ok_or_else(|| ApiError::new(Code::DateInvalid, "date is YYYY-MM-DD and exists"))?;
    let at = api.app.tenant(&caller.actor.tenant).await?;
    let period = api.app.fiscal_period(&at, day).await?;
    respond::json(&PeriodView {
        code: period.code,
        fiscal_year: period.fiscal_year,
        starts: period.starts,
        ends: period.ends,
    })
}
