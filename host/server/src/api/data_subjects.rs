//! `/v1/data-subjects`: the people and firms that documents are about.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::api::body::Body;
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::problem::{ApiError, Problem};
use crate::api::respond;
use crate::api::router::Api;
use crate::commands::data_subject::{ErasureView, is_reason};
use crate::roles::ADMINS;

/// Why somebody is erased.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EraseRequest {
    /// Kept for ever: it should not name the person.
    reason: Option<String>,
}

/// Erases a data subject for good: what documents say of it can be read by nobody any more. It is named by the id that
/// documents give the party; a party without one by its document, `invoice/` and the invoice's id (the slash as `%2F`).
#[utoipa::path(post, path = "/v1/data-subjects/{id}/erase", tag = "data subjects", request_body = EraseRequest,
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = ErasureView), (status = 404, body = Problem)))]
pub(crate) async fn erase(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    caller.require(ADMINS)?;
    let EraseRequest { reason } = body.parse_or_default()?;
    if reason.as_deref().is_some_and(|reason| !is_reason(reason)) {
        return Err(ApiError::at(Code::TextTooLong, "/reason", "at most 500 printable characters"));
    }
    let key = caller.idempotency(&body.0)?;
    api.app.tenant(&caller.actor.tenant).await?;
    Ok(respond::committed(api.app.erase_subject(&caller.actor, key, &id, reason).await?))
}
