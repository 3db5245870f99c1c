//! The one thing that becomes an error response: RFC 9457 `application/problem+json`.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use niyam_documents::DrawError;
use niyam_domain::Rejection;
use niyam_store::StoreError;
use niyam_values::{Finding, Severity};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::code::Code;
use crate::commands::CommandError;
use crate::commands::activation::ModuleError;
use crate::commands::views::FindingView;
use crate::packs::PackError;
use crate::personal::OpeningError;

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
    /// The module that failed, or the policy that refused, when one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    module: Option<String>,
    /// Each place that is to blame.
    errors: Vec<FindingView>,
    /// Names the request in the log.
    trace_id: String,
}

impl ApiError {
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            status: code.status(),
            code: code.as_str().to_owned(),
            detail: detail.into(),
            errors: Vec::new(),
            module: None,
        }
    }

    /// The body has one wrong place.
    pub(crate) fn at(code: Code, pointer: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        let mut error = Self::new(code, message.clone());
        error.errors.push(Finding::error(code.as_str(), message).at(pointer));
        error
    }

    /// The same, with each place renamed.
    pub(crate) fn placed(mut self, place: impl Fn(&str) -> String) -> Self {
        for finding in &mut self.errors {
            finding.pointer = finding.pointer.as_deref().map(&place);
        }
        self
    }

    /// The status of the response.
    pub(crate) const fn status(&self) -> StatusCode {
        self.status
    }

    /// Its code.
    pub(crate) fn code(&self) -> &str {
        &self.code
    }

    /// What it says.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// Each place that is to blame.
    pub(crate) fn errors(&self) -> &[Finding] {
        &self.errors
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
            // What was not read of the body ends the connection: nobody should send another request on it.
            StatusCode::PAYLOAD_TOO_LARGE => {
                headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            StatusCode::UNAUTHORIZED => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            _ => {}
        }
        response
    }

    /// A problem that is not the client's: what is behind it goes to the log.
    fn failed(code: Code, detail: &str, inner: &dyn std::error::Error) -> Self {
        tracing::error!(code = code.as_str(), error = %inner, "request failed");
        Self::new(code, detail)
    }

    fn of_module(mut self, id: &str) -> Self {
        self.module = Some(id.to_owned());
        self
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
                Code::VersionMismatch,
                "the version in If-Match is not the one that stands; read it again",
            ),
            CommandError::KeyReused => {
                Self::new(Code::IdempotencyKeyReused, "the Idempotency-Key was used for another request")
            }
            CommandError::KeyInvalid => Self::new(
                Code::IdempotencyKeyInvalid,
                "an Idempotency-Key has 1 to 255 printable ASCII characters",
            ),
            CommandError::TooLarge => {
                Self::new(Code::DocumentTooLarge, "the document with its taxes has more than 1 MiB")
            }
            CommandError::TenantUnknown => {
                Self::new(Code::TenantUnknown, "the token's tenant does not exist")
            }
            CommandError::NotIssued => Self::new(Code::InvoiceNotIssued, "only an issued invoice has papers"),
            CommandError::FigureMissing => {
                Self::new(Code::FigureNotFound, "the return shows no amount of that name")
            }
            CommandError::FormMissing => {
                Self::new(Code::FormNotFound, "the pack has no such paper for this invoice")
            }
            CommandError::Paper(error @ DrawError::Typesetting(_)) => {
                Self::failed(Code::InternalError, "the server failed to draw the paper", &error)
            }
            CommandError::Paper(error @ DrawError::TooLarge(_)) => {
                Self::new(Code::FormTooLarge, error.to_string())
            }
            CommandError::Paper(error) => Self::new(Code::FormNotPrintable, error.to_string()),
            CommandError::PapersBusy => {
                Self::new(Code::PapersBusy, "too many papers wait to be drawn; try again")
            }
            CommandError::Module(error) => error.into(),
            CommandError::PolicyDenied { module, findings } => {
                let said = findings.iter().find(|finding| finding.severity == Severity::Error);
                let said = said.map_or("it gave no reason", |finding| finding.message.as_str());
                let detail = format!("the policy {module} denies it: {said}");
                Self { errors: findings, ..Self::new(Code::PolicyDenied, detail).of_module(&module) }
            }
            CommandError::ApprovalRequired { module, reason } => {
                let detail = format!("the policy {module} wants an approval first: {reason}");
                Self::new(Code::ApprovalRequired, detail).of_module(&module)
            }
            CommandError::JobMissing => Self::new(Code::JobNotFound, "the tenant has no such job"),
            CommandError::JobsTooMany => Self::new(
                Code::JobsTooMany,
                "as many verifications and simulations are under way as may be; wait for one, or give one up",
            ),
            CommandError::CandidateUnknown => Self::at(
                Code::CandidateUnknown,
                "/candidate/module",
                "there is no component with that digest that says what tax a document bears",
            ),
            CommandError::Pack(error) => (*error).into(),
            CommandError::Store(error) => error.into(),
            CommandError::Defect(reason) => {
                tracing::error!(reason, "a defect");
                Self::new(Code::InternalError, "the request failed")
            }
        }
    }
}

impl From<Rejection> for ApiError {
    fn from(rejection: Rejection) -> Self {
        let code = Code::find(rejection.code()).unwrap_or(Code::InternalError);
        let mut error = Self::new(code, rejection.to_string());
        if let Rejection::Findings(findings) = rejection {
            // One broken rule is the problem itself, however many places break it; several share the general code.
            if let Some((first, others)) = findings.split_first()
                && others.iter().all(|other| other.code == first.code)
            {
                error.code.clone_from(&first.code);
                error.detail.clone_from(&first.message);
            }
            error.errors = findings;
        }
        error
    }
}

impl From<ModuleError> for ApiError {
    fn from(error: ModuleError) -> Self {
        let code = match &error {
            ModuleError::SignatureMissing => Code::SignatureMissing,
            ModuleError::SignatureInvalid(_) => Code::SignatureInvalid,
            ModuleError::PublisherUnknown(_) => Code::PublisherUnknown,
            ModuleError::PublisherRevoked(_) => Code::PublisherRevoked,
            ModuleError::Limit => Code::ModuleLimitReached,
            // What a module fails at in its trial is no failure of the server.
            ModuleError::Refused(refusal) => match Code::find(&refusal.code) {
                Some(code) if code.status() == StatusCode::UNPROCESSABLE_ENTITY => code,
                _ => Code::ModuleRefused,
            },
            ModuleError::Missing => Code::ModuleNotFound,
            ModuleError::NotReady => Code::ModuleNotReady,
            ModuleError::NotAccepted => Code::ModuleNotAccepted,
            ModuleError::WorldNotOffered(_) => Code::WorldNotOffered,
        };
        Self::new(code, error.to_string())
    }
}

impl From<PackError> for ApiError {
    fn from(error: PackError) -> Self {
        match error {
            PackError::Failed(failure) => {
                let module = failure.module();
                tracing::error!(module.id = module.id, module.digest = module.digest, error = %failure,
                    "a module failed");
                let code = Code::find(failure.code()).unwrap_or(Code::InternalError);
                Self::new(code, failure.to_string()).of_module(&module.id)
            }
            PackError::Busy => Self::new(Code::ModulesBusy, "too many module calls wait; try again"),
            PackError::Unavailable { ref id, .. } => {
                let detail = format!("module {id} cannot be loaded");
                Self::failed(Code::ModuleUnavailable, &detail, &error).of_module(id)
            }
            PackError::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let (code, detail) = match &error {
            StoreError::Overloaded => (Code::Overloaded, "too many requests wait; try again"),
            StoreError::Unavailable(_) | StoreError::Closed => {
                (Code::DatabaseUnavailable, "the database is not to be had; try again")
            }
            StoreError::Full(_) => (
                Code::StorageFull,
                "the disk takes no more and nothing was recorded; try again once there is room",
            ),
            StoreError::CommitUnknown(_) => {
                (Code::OutcomeUnknown, "the database broke off; ask again with the same Idempotency-Key")
            }
            _ => (Code::InternalError, "the request failed"),
        };
        Self::failed(code, detail, &error)
    }
}

impl From<OpeningError> for ApiError {
    fn from(error: OpeningError) -> Self {
        CommandError::from(error).into()
    }
}

impl From<sqlx::Error> for ApiError {
    fn from(error: sqlx::Error) -> Self {
        StoreError::from(error).into()
    }
}
