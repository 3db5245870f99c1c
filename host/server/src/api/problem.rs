//! The one thing that becomes an error response: RFC 9457 `application/problem+json`.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use niyam_domain::Rejection;
use niyam_store::StoreError;
use niyam_values::Finding;
use serde::Serialize;
use utoipa::ToSchema;

use crate::commands::CommandError;
use crate::commands::views::FindingView;
use crate::packs::PackError;

/// What went wrong, for the client.
#[derive(Debug, Clone)]
pub(crate) struct ApiError {
    status: StatusCode,
    code: String,
    detail: String,
    errors: Vec<Finding>,
    module: Option<String>,
}

/// A problem, as answered.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    #[serde(rename = "type")]
    kind: &'static str,
    title: String,
    status: u16,
    /// Stable, kebab-case: clients match on it.
    code: String,
    detail: String,
    /// The module that failed, when one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    module: Option<String>,
    /// Each place that is to blame.
    errors: Vec<FindingView>,
    /// Names the request in the log.
    trace_id: String,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), detail: detail.into(), errors: Vec::new(), module: None }
    }

    /// The body has one wrong place.
    pub(crate) fn at(status: StatusCode, code: &str, pointer: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        let mut error = Self::new(status, code, message.clone());
        error.errors.push(Finding::error(code, message).at(pointer));
        error
    }

    /// The response, once the request's trace id is known.
    pub(crate) fn render(&self, trace_id: &str) -> Response {
        let problem = Problem {
            kind: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error").to_owned(),
            status: self.status.as_u16(),
            code: self.code.clone(),
            detail: self.detail.clone(),
            module: self.module.clone(),
            errors: self.errors.iter().map(FindingView::from).collect(),
            trace_id: trace_id.to_owned(),
        };
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        match self.status {
            StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            StatusCode::UNAUTHORIZED => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            _ => {}
        }
        response
    }

    fn failed(status: StatusCode, code: &str, detail: &str, inner: &dyn std::error::Error) -> Self {
        tracing::error!(code, error = %inner, "request failed");
        Self::new(status, code, detail)
    }
}

impl IntoResponse for ApiError {
    /// Left for the router to render, which knows the trace id.
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<CommandError> for ApiError {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Rejected(rejection) => rejection.into(),
            CommandError::Stale { .. } => Self::new(
                StatusCode::PRECONDITION_FAILED,
                "version-mismatch",
                "the version in If-Match is not the one that stands; read it again",
            ),
            CommandError::KeyReused => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency-key-reused",
                "the Idempotency-Key was used for another request",
            ),
            CommandError::KeyInvalid => Self::new(
                StatusCode::BAD_REQUEST,
                "idempotency-key-invalid",
                "an Idempotency-Key has 1 to 255 printable ASCII characters",
            ),
            CommandError::TenantUnknown => {
                Self::new(StatusCode::FORBIDDEN, "tenant-unknown", "the token's tenant does not exist")
            }
            CommandError::Pack(error) => (*error).into(),
            CommandError::Store(error) => error.into(),
            CommandError::Defect(reason) => {
                tracing::error!(reason, "a defect");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal-error", "the request failed")
            }
        }
    }
}

impl From<Rejection> for ApiError {
    fn from(rejection: Rejection) -> Self {
        let status = match &rejection {
            Rejection::InvoiceMissing => StatusCode::NOT_FOUND,
            rejection if rejection.is_conflict() => StatusCode::CONFLICT,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        let mut error = Self::new(status, rejection.code(), rejection.to_string());
        if let Rejection::Findings(findings) = rejection {
            // One finding is the problem itself; several share the general code.
            if let [only] = findings.as_slice() {
                error.code.clone_from(&only.code);
                error.detail.clone_from(&only.message);
            }
            error.errors = findings;
        }
        error
    }
}

impl From<PackError> for ApiError {
    fn from(error: PackError) -> Self {
        match error {
            PackError::Failed(failure) => {
                tracing::error!(module.id = failure.module().id, module.digest = failure.module().digest,
                    error = %failure, "a module failed");
                let mut error =
                    Self::new(StatusCode::SERVICE_UNAVAILABLE, failure.code(), failure.to_string());
                error.module = Some(failure.module().id.clone());
                error
            }
            PackError::Busy => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "modules-busy",
                "too many module calls wait; try again",
            ),
            PackError::Unavailable { ref id, .. } => {
                let detail = format!("module {id} cannot be loaded");
                let mut problem =
                    Self::failed(StatusCode::SERVICE_UNAVAILABLE, "module-unavailable", &detail, &error);
                problem.module = Some(id.clone());
                problem
            }
            PackError::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let busy = StatusCode::SERVICE_UNAVAILABLE;
        match &error {
            StoreError::Overloaded => {
                Self::failed(busy, "overloaded", "too many requests wait; try again", &error)
            }
            StoreError::Unavailable(_) | StoreError::Closed => {
                Self::failed(busy, "database-unavailable", "the database is not to be had; try again", &error)
            }
            StoreError::Full(_) => Self::failed(
                StatusCode::INSUFFICIENT_STORAGE,
                "storage-full",
                "the disk takes no more and nothing was recorded; try again once there is room",
                &error,
            ),
            StoreError::CommitUnknown(_) => Self::failed(
                busy,
                "outcome-unknown",
                "the database broke off; ask again with the same Idempotency-Key",
                &error,
            ),
            _ => Self::failed(
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal-error",
                "the request failed",
                &error,
            ),
        }
    }
}

impl From<sqlx::Error> for ApiError {
    fn from(error: sqlx::Error) -> Self {
        StoreError::from(error).into()
    }
}
