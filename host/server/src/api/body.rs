//! JSON bodies: what does not fit is told with its place and a code.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};

use crate::api::code::Code;
use crate::api::problem::ApiError;
use crate::api::text::Object;

/// Largest body.
pub(crate) const BODY_BYTES_MAX: usize = 1 << 20;

/// A body's bytes, at most [`BODY_BYTES_MAX`].
pub(crate) struct Body(pub(crate) Bytes);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        Bytes::from_request(request, state).await.map(Self).map_err(|error| {
            if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
                ApiError::new(Code::BodyTooLarge, "a body has at most 1 MiB")
            } else {
                ApiError::new(Code::BodyUnreadable, "the body broke off")
            }
        })
    }
}

impl Body {
    /// The body, an object, as `T`.
    pub(crate) fn parse<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        let mut reader = serde_json::Deserializer::from_slice(&self.0);
        let Object(value) = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
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
        return ApiError::at(Code::JsonMalformed, place, error.to_string());
    }
    let text = error.to_string();
    let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
    // The values of `text` say their code themselves.
    if let Some((code, message)) = message.split_once(": ")
        && let Some(code) = Code::find(code)
    {
        return ApiError::at(code, place, message);
    }
    let named = message.split('`').nth(1).map(|name| format!("/{}", escaped(name)));
    let code = match message {
        _ if message.starts_with("unknown field") => Code::FieldUnknown,
        _ if message.starts_with("missing field") => Code::FieldMissing,
        _ if message.starts_with("duplicate field") => Code::FieldDuplicate,
        _ if message.starts_with("invalid type") => Code::TypeWrong,
        _ => Code::ValueInvalid,
    };
    let is_field = matches!(code, Code::FieldUnknown | Code::FieldMissing | Code::FieldDuplicate);
    // The place ends at the object or, when the field was read already, at the field.
    match named.filter(|named| is_field && !place.ends_with(named.as_str())) {
        Some(named) => ApiError::at(code, &format!("{place}{named}"), message),
        None => ApiError::at(code, place, message),
    }
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
