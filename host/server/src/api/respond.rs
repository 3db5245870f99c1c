//! Answers, with the headers that clients go on with.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use niyam_domain::{Position, Version};
use serde::Serialize;

use crate::api::problem::ApiError;
use crate::commands::CommandError;
use crate::commands::once::Committed;

/// 200 with JSON.
pub(crate) fn json(value: &impl Serialize) -> Result<Response, ApiError> {
    let body = serde_json::to_vec(value).map_err(CommandError::from)?;
    let mut response = Response::new(Body::from(body));
    set(&mut response, header::CONTENT_TYPE, "application/json");
    Ok(response)
}

/// [`json`] with the version as `ETag`.
pub(crate) fn versioned(value: &impl Serialize, version: Version) -> Result<Response, ApiError> {
    let mut response = json(value)?;
    set(&mut response, header::ETAG, &format!("\"{version}\""));
    Ok(response)
}

/// What a command answered.
pub(crate) fn committed(committed: Committed) -> Response {
    let Committed { answer, position, replayed } = committed;
    let mut response = Response::new(Body::from(answer.body.get().to_owned()));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    set(&mut response, header::CONTENT_TYPE, "application/json");
    set(&mut response, header::ETAG, &format!("\"{}\"", answer.version));
    if let Some(location) = answer.location {
        set(&mut response, header::LOCATION, &location);
    }
    set_position(&mut response, position);
    if replayed {
        set(&mut response, HeaderName::from_static("idempotency-replayed"), "true");
    }
    response
}

/// Tells up to where the answer holds.
pub(crate) fn set_position(response: &mut Response, position: Position) {
    set(response, HeaderName::from_static("niyam-position"), &position.to_string());
}

/// Sets a header whose value is printable.
pub(crate) fn set(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
