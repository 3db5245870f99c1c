//! `/v1/activations`: which module decides for the tenant, from which date.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use niyam_domain::{ActivationState, OnFailure, Rejection, WithdrawActivation};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::api::body::Body;
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::problem::{ApiError, Problem};
use crate::api::respond;
use crate::api::router::Api;
use crate::api::shadows::ShadowView;
use crate::api::text::DateText;
use crate::commands::CommandError;
use crate::commands::activation::{ModuleError, WantedActivation};
use crate::commands::views::ActivationView;
use crate::packs::digest_bytes;
use crate::publishing::trust::Trust;
use crate::roles::{ADMINS, READERS};

/// A module, and from when on it decides.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ActivationRequest {
    /// SHA-256 of the component.
    module: String,
    /// First tax date that it answers for.
    #[schema(value_type = String, format = Date)]
    effective_from: DateText,
    /// Checked by the module's schema; its default when absent.
    #[schema(value_type = Option<Object>)]
    config: Option<Box<RawValue>>,
    /// `block` (when absent): a command whose module fails commits nothing; `previous`: the activation before answers.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    on_failure: OnFailure,
    /// `active` (when absent); `shadow`: asked beside the one that answers, and decides nothing.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    state: ActivationState,
}

/// Lets a module decide from a date on. It takes effect with the next command, on every host.
#[utoipa::path(post, path = "/v1/activations", tag = "modules", request_body = ActivationRequest,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = ActivationView), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem)))]
pub(crate) async fn activate(
    State(api): State<Arc<Api>>,
    caller: Caller,
    body: Body,
) -> Result<Response, ApiError> {
    caller.require(ADMINS)?;
    let key = caller.idempotency(&body.0)?;
    let request: ActivationRequest = body.parse()?;
    let missing = || CommandError::from(ModuleError::Missing);
    let wanted = WantedActivation {
        digest: digest_bytes(&request.module).ok_or_else(missing)?,
        effective_from: request.effective_from.0,
        config: request.config.map(|config| config.get().to_owned()),
        on_failure: request.on_failure,
        state: request.state,
    };
    Ok(respond::committed(api.app.activate(&caller.actor, key, wanted).await?))
}

/// An activation, and whether its module is still trusted.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TrustedActivation {
    #[serde(flatten)]
    activation: ActivationView,
    /// `bundled`, `trusted`, `unsigned`; `revoked` or `not-accepted` when it could not be activated today.
    #[schema(value_type = String)]
    trust: Trust,
    /// Of one in shadow: what it answered beside the one in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    shadow: Option<ShadowView>,
}

/// The whole history of activations.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ActivationPage {
    items: Vec<TrustedActivation>,
}

/// Lists every activation, the first one first, also those that were withdrawn.
#[utoipa::path(get, path = "/v1/activations", tag = "modules", responses((status = 200, body = ActivationPage)))]
pub(crate) async fn list(State(api): State<Arc<Api>>, caller: Caller) -> Result<Response, ApiError> {
    caller.require(READERS)?;
    let at = api.app.tenant(&caller.actor.tenant).await?;
    let trusts = api.app.trust_of_activations(&at).await?;
    let rows = api.app.shadow_rows(&at).await?;
    let items = at.tenant.activations.all().iter().zip(trusts).map(|(activated, trust)| TrustedActivation {
        activation: activated.into(),
        trust,
        shadow: ShadowView::of(activated, &rows),
    });
    let items = items.collect();
    respond::versioned(&ActivationPage { items }, at.version)
}

/// One activation.
#[utoipa::path(get, path = "/v1/activations/{number}", tag = "modules", params(("number" = u32, Path)),
    responses((status = 200, body = TrustedActivation), (status = 404, body = Problem)))]
pub(crate) async fn show(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(number): Path<String>,
) -> Result<Response, ApiError> {
    caller.require(READERS)?;
    let number = self::number(&number)?;
    let at = api.app.tenant(&caller.actor.tenant).await?;
    let trusts = api.app.trust_of_activations(&at).await?;
    let found = at.tenant.activations.all().iter().zip(trusts).find(|(found, _)| found.number == number);
    let (activated, trust) = found.ok_or(Rejection::ActivationMissing)?;
    let shadow = ShadowView::of(activated, &api.app.shadow_rows(&at).await?);
    respond::versioned(&TrustedActivation { activation: activated.into(), trust, shadow }, at.version)
}

/// Why an activation is withdrawn.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WithdrawRequest {
    reason: Option<String>,
}

/// Lets an activation no longer answer; the one before it does. What it decided stays decided.
#[utoipa::path(post, path = "/v1/activations/{number}/withdraw", tag = "modules", request_body = WithdrawRequest,
    params(("number" = u32, Path), ("If-Match" = String, Header), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = ActivationView), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn withdraw(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(number): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    caller.require(ADMINS)?;
    let (number, expected, key) = (self::number(&number)?, caller.expected()?, caller.idempotency(&body.0)?);
    let WithdrawRequest { reason } = body.parse_or_default()?;
    if reason.as_ref().is_some_and(|reason| reason.chars().count() > 500) {
        return Err(ApiError::at(Code::TextTooLong, "/reason", "at most 500 characters"));
    }
    let command = WithdrawActivation { number, reason };
    Ok(respond::committed(api.app.withdraw(&caller.actor, key, expected, command).await?))
}

/// A text that is no number names no activation.
pub(crate) fn number(text: &str) -> Result<u32, ApiError> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| plain).ok_or_else(|| Rejection::ActivationMissing.into())
}
