//! Who calls, and what the headers ask for.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use niyam_domain::{Position, Version};
use niyam_store::Idempotency;
use sha2::{Digest as _, Sha256};

use crate::api::problem::ApiError;
use crate::api::router::Api;
use crate::commands::{Actor, Expected};
use crate::roles::Role;

/// The request's name in the log.
#[derive(Debug, Clone)]
pub(crate) struct TraceId(pub(crate) String);

/// A caller whose token holds.
pub(crate) struct Caller {
    pub(crate) actor: Actor,
    method: Method,
    path: String,
    headers: HeaderMap,
}

impl FromRequestParts<Arc<Api>> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, ApiError> {
        let refused = |code: &str, detail: &str| ApiError::new(StatusCode::UNAUTHORIZED, code, detail);
        let token = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim())
            .ok_or_else(|| refused("token-missing", "a bearer token is needed"))?;
        let claims = api.app.key.verify(token, api.app.clock.now()).map_err(|error| match error {
            crate::auth::TokenError::Invalid => refused("token-invalid", &error.to_string()),
            crate::auth::TokenError::Expired => refused("token-expired", &error.to_string()),
        })?;
        let trace_id = parts.extensions.get::<TraceId>().map(|id| id.0.clone()).unwrap_or_default();
        let actor = Actor { tenant: claims.tenant, user: claims.sub, roles: claims.roles, trace_id };
        Ok(Self {
            actor,
            method: parts.method.clone(),
            path: parts.uri.path().to_owned(),
            headers: parts.headers.clone(),
        })
    }
}

impl Caller {
    /// Refuses a caller that holds none of `roles`.
    pub(crate) fn require(&self, roles: &[Role]) -> Result<(), ApiError> {
        if self.actor.roles.iter().any(|role| roles.contains(role)) {
            return Ok(());
        }
        let names: Vec<_> = roles.iter().map(|role| role.as_str()).collect();
        Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "role-missing",
            format!("one of these roles is needed: {}", names.join(", ")),
        ))
    }

    /// The version that the change expects; `If-Match` is demanded.
    pub(crate) fn expected(&self) -> Result<Expected, ApiError> {
        let Some(value) = self.headers.get(header::IF_MATCH) else {
            return Err(ApiError::new(
                StatusCode::PRECONDITION_REQUIRED,
                "if-match-missing",
                "a change needs If-Match with the ETag that was read",
            ));
        };
        let text = value.to_str().unwrap_or_default().trim();
        if text == "*" {
            return Ok(Expected::Any);
        }
        text.strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'))
            .and_then(|text| text.parse().ok())
            .map(|version| Expected::Exactly(Version(version)))
            .ok_or_else(|| {
                ApiError::new(
                    StatusCode::PRECONDITION_FAILED,
                    "version-mismatch",
                    "If-Match is no ETag of this resource",
                )
            })
    }

    /// The request's idempotency key, with a fingerprint of what it asks: method, path, `If-Match` and body.
    pub(crate) fn idempotency(&self, body: &[u8]) -> Result<Option<Idempotency>, ApiError> {
        let Some(value) = self.headers.get("idempotency-key") else { return Ok(None) };
        let key = value.to_str().unwrap_or_default().to_owned();
        if key.is_empty() || key.len() > 255 {
            return Err(crate::commands::CommandError::KeyInvalid.into());
        }
        let body: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
        let matched = self.headers.get(header::IF_MATCH).map_or(&b""[..], |value| value.as_bytes());
        let mut hasher = Sha256::new();
        for part in
            [self.method.as_str().as_bytes(), self.path.as_bytes(), matched, body.to_string().as_bytes()]
        {
            hasher.update(part.len().to_be_bytes());
            hasher.update(part);
        }
        Ok(Some(Idempotency { key, fingerprint: hasher.finalize().into() }))
    }

    /// The position that a view must hold before it answers, when the client asks for one.
    pub(crate) fn position(&self) -> Result<Option<Position>, ApiError> {
        let Some(value) = self.headers.get("niyam-position") else { return Ok(None) };
        value
            .to_str()
            .ok()
            .and_then(|text| text.parse().ok())
            .map(|position| Some(Position(position)))
            .ok_or_else(|| {
                ApiError::new(StatusCode::BAD_REQUEST, "position-invalid", "Niyam-Position is a whole number")
            })
    }

    /// Whether the client would rather have a page than JSON; 406 when it wants neither.
    pub(crate) fn wants_page(&self) -> Result<bool, ApiError> {
        let accept = self.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("*/*");
        let place = |kind: &str| accept.split(',').position(|part| part.trim().starts_with(kind));
        let page = place("text/html").or_else(|| place("text/*"));
        let json = place("application/json").or_else(|| place("application/*")).or_else(|| place("*/*"));
        match (page, json) {
            (Some(page), Some(json)) => Ok(page < json),
            (Some(_), None) => Ok(true),
            (None, Some(_)) => Ok(false),
            (None, None) => Err(ApiError::new(
                StatusCode::NOT_ACCEPTABLE,
                "not-acceptable",
                "application/json and text/html are offered",
            )),
        }
    }
}
