//! Who calls, and what the headers ask for.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, Method, header};
use niyam_domain::{Position, Version};
use niyam_store::Idempotency;
use sha2::{Digest as _, Sha256};

use crate::api::code::Code;
use crate::api::problem::ApiError;
use crate::api::router::Api;
use crate::auth::TokenError;
use crate::commands::{Actor, CommandError, Expected};
use crate::roles::Role;

/// The request's name in the log.
#[derive(Debug, Clone)]
pub(crate) struct TraceId(pub(crate) String);

/// Headers that say what a request does, for whom.
const ONCE: [&str; 4] = ["authorization", "idempotency-key", "if-match", "niyam-position"];

/// A caller whose token holds.
pub(crate) struct Caller {
    pub(crate) actor: Actor,
    method: Method,
    /// Path and query.
    target: String,
    headers: HeaderMap,
}

impl FromRequestParts<Arc<Api>> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, ApiError> {
        // Which of two is meant nobody can tell, and something before this server may take the other one.
        if let Some(name) = ONCE.iter().find(|name| parts.headers.get_all(**name).iter().count() > 1) {
            return Err(ApiError::new(Code::HeaderRepeated, format!("{name} is there more than once")));
        }
        let token = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim())
            .ok_or_else(|| ApiError::new(Code::TokenMissing, "a bearer token is needed"))?;
        let claims = api.app.key.verify(token, api.app.clock.now()).map_err(|error| {
            let code = match error {
                TokenError::Invalid => Code::TokenInvalid,
                TokenError::Expired => Code::TokenExpired,
                TokenError::NotYetValid => Code::TokenNotYetValid,
            };
            ApiError::new(code, error.to_string())
        })?;
        let trace_id = parts.extensions.get::<TraceId>().map(|id| id.0.clone()).unwrap_or_default();
        let actor = Actor { tenant: claims.tenant, user: claims.sub, roles: claims.roles, trace_id };
        Ok(Self {
            actor,
            method: parts.method.clone(),
            target: parts
                .uri
                .path_and_query()
                .map_or_else(|| parts.uri.path(), PathAndQuery::as_str)
                .to_owned(),
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
        Err(ApiError::new(Code::RoleMissing, format!("one of these roles is needed: {}", names.join(", "))))
    }

    /// The version that the change expects; `If-Match` is demanded.
    pub(crate) fn expected(&self) -> Result<Expected, ApiError> {
        let Some(value) = self.headers.get(header::IF_MATCH) else {
            return Err(ApiError::new(
                Code::IfMatchMissing,
                "a change needs If-Match with the ETag that was read",
            ));
        };
        let text = value.to_str().unwrap_or_default().trim();
        if text == "*" {
            return Ok(Expected::Any);
        }
        text.strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'))
            // As it is sent, and in no other spelling.
            .and_then(|text| text.parse().ok().filter(|version: &u64| version.to_string() == text))
            .map(|version| Expected::Exactly(Version(version)))
            .ok_or_else(|| ApiError::new(Code::VersionMismatch, "If-Match is no ETag of this resource"))
    }

    /// The request's idempotency key, with a fingerprint of what it asks: method, path, query, `If-Match` and body.
    pub(crate) fn idempotency(&self, body: &[u8]) -> Result<Option<Idempotency>, ApiError> {
        let Some(value) = self.headers.get("idempotency-key") else { return Ok(None) };
        let key = value.to_str().unwrap_or_default().to_owned();
        if key.is_empty() || key.len() > 255 {
            return Err(CommandError::KeyInvalid.into());
        }
        let body: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
        let matched = self.headers.get(header::IF_MATCH).map_or(&b""[..], |value| value.as_bytes());
        let mut hasher = Sha256::new();
        for part in
            [self.method.as_str().as_bytes(), self.target.as_bytes(), matched, body.to_string().as_bytes()]
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
            .ok_or_else(|| ApiError::new(Code::PositionInvalid, "Niyam-Position is a whole number"))
    }

    /// The one of `offered`, each with its kind and subtype, that the client wants most, the first of equals; 406 when it
    /// wants none.
    pub(crate) fn preferred<T: Copy>(&self, offered: &[(&str, &str, T)]) -> Result<T, ApiError> {
        preferred(self.accept(), offered).ok_or_else(|| {
            let names: Vec<_> =
                offered.iter().map(|(kind, subtype, _)| format!("{kind}/{subtype}")).collect();
            ApiError::new(Code::NotAcceptable, format!("{} are offered", names.join(", ")))
        })
    }

    /// Whether `If-None-Match` names that `ETag`.
    pub(crate) fn has(&self, etag: &str) -> bool {
        let named =
            self.headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        // Compared weakly (RFC 9110, 13.1.2).
        named
            .flat_map(|value| value.split(','))
            .map(str::trim)
            .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
    }

    fn accept(&self) -> &str {
        self.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("*/*")
    }

    /// Whether the client would rather have `kind/subtype` than JSON; 406 when it wants neither.
    pub(crate) fn wants(&self, kind: &str, subtype: &str) -> Result<bool, ApiError> {
        let accept = self.accept();
        match (wanted(accept, kind, subtype), wanted(accept, "application", "json")) {
            (None, None) => {
                let offered = format!("application/json and {kind}/{subtype} are offered");
                Err(ApiError::new(Code::NotAcceptable, offered))
            }
            (other, json) => Ok(other > json),
        }
    }
}

/// The first of those of `offered` that `accept` wants most.
fn preferred<T: Copy>(accept: &str, offered: &[(&str, &str, T)]) -> Option<T> {
    let wishes =
        offered.iter().filter_map(|(kind, subtype, what)| Some((wanted(accept, kind, subtype)?, *what)));
    // Of equals, `max_by_key` would take the last.
    wishes.rev().max_by_key(|(wish, _)| *wish).map(|(_, what)| what)
}

/// How much `accept` wants `kind/subtype`, with a named type above a wildcard; nothing when it does not.
fn wanted(accept: &str, kind: &str, subtype: &str) -> Option<(u16, u8)> {
    let range = |text: &str| {
        let mut parts = text.split(';').map(str::trim);
        let (its_kind, its_subtype) = parts.next()?.split_once('/')?;
        let named = match (its_kind, its_subtype) {
            ("*", "*") => 0,
            (its_kind, "*") if its_kind.eq_ignore_ascii_case(kind) => 1,
            (its_kind, its_subtype)
                if its_kind.eq_ignore_ascii_case(kind) && its_subtype.eq_ignore_ascii_case(subtype) =>
            {
                2
            }
            _ => return None,
        };
        let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        Some((named, weight.map_or(1000, thousandths)))
    };
    // The range that names the type best says how much it is wanted (RFC 9110, 12.5.1).
    let (named, weight) = accept.split(',').filter_map(range).max_by_key(|(named, _)| *named)?;
    (weight > 0).then_some((weight, named))
}

/// `0.25` as 250; what is no weight is none.
fn thousandths(text: &str) -> u16 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    match whole {
        "1" => 1000,
        "0" if fraction.len() <= 3 && digits(fraction) => format!("{fraction:0<3}").parse().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::{preferred, wanted};

    #[test]
    fn what_is_wanted_most_is_given_and_the_first_of_equals() {
        let given = |accept: &str| {
            preferred(
                accept,
                &[("application", "json", 'j'), ("text", "html", 'h'), ("application", "pdf", 'p')],
            )
        };
        for (accept, expected) in [
            ("*/*", Some('j')),
            ("application/pdf", Some('p')),
            ("text/html, application/pdf", Some('h')),
            ("application/pdf;q=0.9, text/html;q=0.8", Some('p')),
            ("application/*", Some('j')),
            ("application/*, application/json;q=0", Some('p')),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Some('h')),
            ("image/png", None),
            ("*/*;q=0", None),
        ] {
            assert_eq!(given(accept), expected, "{accept}");
        }
    }

    #[test]
    fn the_best_named_range_says_how_much_a_type_is_wanted() {
        let page = |accept: &str| wanted(accept, "text", "html") > wanted(accept, "application", "json");
        assert!(page("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
        assert!(page("application/json;q=0.5, text/html;q=0.75"));
        assert!(page("TEXT/*"));
        assert!(!page("text/html;q=0.5, application/json"));
        assert!(!page("*/*"));
        assert!(!page("application/json"));
        assert_eq!(wanted("text/html;q=0, */*", "text", "html"), None);
        assert_eq!(wanted("image/png", "text", "html"), None);
    }
}
