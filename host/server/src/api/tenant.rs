//! `/v1/tenant`: the profile that the tenant's papers show.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use niyam_domain::Profile;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::api::body::Body;
use crate::api::caller::Caller;
use crate::api::document::{IdentifierRequest, identifiers};
use crate::api::problem::{ApiError, Problem};
use crate::api::respond;
use crate::api::router::Api;
use crate::api::text::{AttributesText, Object};
use crate::commands::views::TenantView;
use crate::roles::{ADMINS, READERS};

/// A new profile, whole; country and time zone stay as they are when absent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProfileRequest {
    legal_name: Option<String>,
    address: Option<String>,
    time_zone: Option<String>,
    #[serde(default)]
    #[schema(value_type = Vec<IdentifierRequest>)]
    identifiers: Vec<Object<IdentifierRequest>>,
    /// For example `responsible_person`, `designation`.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    attributes: AttributesText,
}

/// The tenant's profile.
#[utoipa::path(get, path = "/v1/tenant", tag = "tenant", responses((status = 200, body = TenantView)))]
pub(crate) async fn show(State(api): State<Arc<Api>>, caller: Caller) -> Result<Response, ApiError> {
    caller.require(READERS)?;
    let at = api.app.tenant(&caller.actor.tenant).await?;
    respond::versioned(&TenantView::new(&at.tenant, at.version), at.version)
}

/// Changes the tenant's profile.
#[utoipa::path(put, path = "/v1/tenant", tag = "tenant", request_body = ProfileRequest,
    params(("If-Match" = String, Header)),
    responses((status = 200, body = TenantView), (status = 412, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn change(
    State(api): State<Arc<Api>>,
    caller: Caller,
    body: Body,
) -> Result<Response, ApiError> {
    caller.require(ADMINS)?;
    let expected = caller.expected()?;
    let request: ProfileRequest = body.parse()?;
    let at = api.app.tenant(&caller.actor.tenant).await?;
    let profile = Profile {
        legal_name: request.legal_name,
        address: request.address,
        country: at.tenant.profile.country.clone(),
        time_zone: request.time_zone.unwrap_or_else(|| at.tenant.profile.time_zone.clone()),
        identifiers: identifiers(request.identifiers),
        attributes: request.attributes.0,
    };
    Ok(respond::committed(api.app.change_profile(&caller.actor, expected, profile).await?))
}
