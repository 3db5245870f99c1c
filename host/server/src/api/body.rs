//! JSON bodies: what does not fit is told with its place and a code.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};

use crate::api::problem::ApiError;

/// Largest body.
pub(crate) const BODY_BYTES_MAX: usize = 1 << 20;

/// A body's bytes, at most [`BODY_BYTES_MAX`].
pub(crate) struct Body(pub(crate) Bytes);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        Bytes::from_request(request, state).await.map(Self).map_err(|error| {
            if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
                ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", "a body has at most 1 MiB")
            } else {
                ApiError::new(StatusCode::BAD_REQUEST, "body-unreadable", "the body broke off")
            }
        })
    }
}

impl Body {
    /// The body as `T`.
    pub(crate) fn parse<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        let mut reader = serde_json::Deserializer::from_slice(&self.0);
        let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            let place = pointer(error.path());
            refused(error.inner(), &place)
        })?;
        reader.end().map_err(|error| refused(&error, ""))?;
        Ok(value)
    }

    /// The body as `T`, or its default when there is none.
    pub(crate) fn parse_or_default<T: DeserializeOwned + Default>(&self) -> Result<T, ApiError> {
        if self.0.iter().all(u8::is_ascii_whitespace) { Ok(T::default()) } else { self.parse() }
    }
}

fn refused(error: &serde_json::Error, place: &str) -> ApiError {
    if !error.is_data() {
        return ApiError::at(StatusCode::BAD_REQUEST, "json-malformed", place, error.to_string());
    }
    let text = error.to_string();
    let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
    let quoted = message.split('`').nth(1);
    let (code, place) = if message.starts_with("unknown field") {
        let named = quoted.filter(|name| !place.ends_with(&format!("/{}", escaped(name))));
        ("field-unknown", named.map_or_else(|| place.to_owned(), |name| format!("{place}/{}", escaped(name))))
    } else if message.starts_with("missing field") {
        ("field-missing", quoted.map_or_else(|| place.to_owned(), |name| format!("{place}/{name}")))
    } else if message.starts_with("duplicate field") {
        ("field-duplicate", place.to_owned())
    } else if message.starts_with("invalid type") {
        ("type-wrong", place.to_owned())
    } else if let Some((code, message)) = message.split_once(": ").filter(|(code, _)| is_code(code)) {
        return ApiError::at(StatusCode::UNPROCESSABLE_ENTITY, code, place, message);
    } else {
        ("value-invalid", place.to_owned())
    };
    ApiError::at(StatusCode::UNPROCESSABLE_ENTITY, code, &place, message)
}

fn is_code(text: &str) -> bool {
    text.contains('-') && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
}

fn pointer(path: &Path) -> String {
    use std::fmt::Write as _;

    let mut pointer = String::new();
    for segment in path {
        // Writing to a text does not fail.
        let _ = match segment {
            Segment::Seq { index } => write!(pointer, "/{index}"),
            Segment::Map { key } => write!(pointer, "/{}", escaped(key)),
            Segment::Enum { variant } => write!(pointer, "/{variant}"),
            Segment::Unknown => Ok(()),
        };
    }
    pointer
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
