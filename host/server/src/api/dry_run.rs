//! `?dry_run=true`: what a command would do.
//!
//! The command runs as ever, against what stands, up to where it appends; there it is decided and given up. The answer is
//! the command's, with what it would record, and names nothing that a client could go on with.

use axum::body::{Body, to_bytes};
use axum::extract::{Query, Request};
use axum::http::{HeaderName, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use niyam_domain::personal;
use niyam_store::{Recorded, rehearse};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::api::code::Code;
use crate::api::problem::ApiError;
use crate::api::respond;

/// The parameter.
pub(crate) const NAME: &str = "dry_run";
/// What keeps something besides events, works on after its answer, or goes on from what it recorded, so that it cannot
/// be tried.
const NOT_OFFERED: [&str; 6] = [
    "/v1/modules",
    "/v1/verifications",
    "/v1/simulations",
    "/v1/invoices/import",
    "/v1/fiscal-years/",
    "/v1/schedules/run",
];

/// Whether commands under this path may be tried.
pub(crate) fn is_offered(path: &str) -> bool {
    path.starts_with("/v1/") && !NOT_OFFERED.iter().any(|prefix| path.starts_with(prefix))
}

/// An event that would be recorded.
#[derive(Serialize)]
struct WouldRecord<'a> {
    stream: &'a str,
    version: u64,
    #[serde(rename = "type")]
    event_type: &'a str,
    effective_date: String,
    /// Absent where personal data lie sealed in it: the answer itself shows them.
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'a RawValue>,
}

impl<'a> WouldRecord<'a> {
    fn new(event: &'a Recorded) -> Self {
        let open = Some(&event.payload).filter(|payload| !personal::is_sealed(payload));
        Self {
            stream: event.stream.as_str(),
            version: event.version.0,
            event_type: &event.event_type,
            effective_date: event.effective_date.to_string(),
            payload: open.and_then(|payload| serde_json::from_slice(payload).ok()),
        }
    }
}

/// Takes the parameter from the request, and tries the command when it says so.
pub(crate) async fn layer(mut request: Request, next: Next) -> Response {
    if request.method() == Method::GET {
        return next.run(request).await;
    }
    let path = request.uri().path().to_owned();
    let (asked, rest) = match taken(request.uri().query().unwrap_or_default()) {
        Ok(taken) => taken,
        Err(refused) => return refused.into_response(),
    };
    let Some(dry) = asked else { return next.run(request).await };
    if !is_offered(&path) {
        let message = "this cannot be tried: dry_run is not offered here";
        return ApiError::new(Code::QueryInvalid, message).into_response();
    }
    let target = if rest.is_empty() { path } else { format!("{path}?{rest}") };
    let Ok(uri) = target.parse::<Uri>() else {
        return ApiError::new(Code::QueryInvalid, "the query does not read").into_response();
    };
    *request.uri_mut() = uri;
    if !dry {
        return next.run(request).await;
    }
    // Nothing is kept for a repetition, and nothing kept is answered.
    request.headers_mut().remove("idempotency-key");
    let (response, events) = rehearse(next.run(request)).await;
    if !response.status().is_success() {
        return response;
    }
    shown(response, &events).await.unwrap_or_else(IntoResponse::into_response)
}

/// What `dry_run` says, if it is there, and the other parameters.
fn taken(query: &str) -> Result<(Option<bool>, String), ApiError> {
    let (own, rest): (Vec<&str>, Vec<&str>) = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .partition(|pair| pair.split('=').next() == Some(NAME));
    // Whoever writes it otherwise means it all the same, and must not have done what was only to be tried.
    let uri = format!("/?{query}").parse::<Uri>().unwrap_or_default();
    let decoded = Query::<Vec<(String, String)>>::try_from_uri(&uri).map(|Query(pairs)| pairs);
    let meant = decoded.unwrap_or_default();
    let meant = meant.iter().filter(|(name, _)| name.trim().eq_ignore_ascii_case(NAME)).count();
    let asked = match own.as_slice() {
        _ if meant != own.len() => {
            return Err(ApiError::new(Code::QueryInvalid, "the parameter is written dry_run"));
        }
        [] => None,
        ["dry_run=true"] => Some(true),
        ["dry_run=false"] => Some(false),
        _ => return Err(ApiError::new(Code::QueryInvalid, "dry_run is true or false")),
    };
    Ok((asked, rest.join("&")))
}

/// The answer with what would be recorded.
async fn shown(response: Response, events: &[Recorded]) -> Result<Response, ApiError> {
    let failed = || ApiError::new(Code::InternalError, "the request failed");
    let (mut parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.map_err(|_| failed())?;
    let body = std::str::from_utf8(&body).map_err(|_| failed())?.trim();
    let events: Vec<WouldRecord<'_>> = events.iter().map(WouldRecord::new).collect();
    let events = serde_json::to_string(&events).map_err(|_| failed())?;
    let fields = body.strip_prefix('{').ok_or_else(failed)?;
    let comma = if fields.trim_start().starts_with('}') { "" } else { "," };
    let text = format!("{{\"dry_run\":true,\"would_record\":{events}{comma}{fields}");
    parts.status = StatusCode::OK;
    for name in [header::ETAG, header::LOCATION, header::CONTENT_LENGTH] {
        parts.headers.remove(name);
    }
    parts.headers.remove(HeaderName::from_static("niyam-position"));
    let mut response = Response::from_parts(parts, Body::from(text));
    respond::set(&mut response, header::CONTENT_TYPE, "application/json");
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::{is_offered, taken};

    #[test]
    fn the_parameter_is_taken_from_the_others() {
        let read = |query: &str| taken(query).ok();
        assert_eq!(read(""), Some((None, String::new())));
        assert_eq!(read("period=1&dry_run=true&x=2"), Some((Some(true), "period=1&x=2".to_owned())));
        assert_eq!(read("dry_run=false"), Some((Some(false), String::new())));
        for query in [
            "dry_run",
            "dry_run=",
            "dry_run=1",
            "dry_run=TRUE",
            "dry_run=true&dry_run=false",
            "DRY_RUN=true",
            "dry%5Frun=true",
        ] {
            assert!(taken(query).is_err(), "{query}");
        }
    }

    #[test]
    fn what_keeps_more_than_events_is_not_tried() {
        for path in ["/v1/invoices/1/issue", "/v1/fiscal-years", "/v1/schedules"] {
            assert!(is_offered(path), "{path}");
        }
        for path in [
            "/v1/modules",
            "/v1/verifications",
            "/v1/simulations",
            "/v1/fiscal-years/2026-2027/close",
            "/v1/schedules/run",
            "/health",
        ] {
            assert!(!is_offered(path), "{path}");
        }
    }
}
