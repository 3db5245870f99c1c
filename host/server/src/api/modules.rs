//! `/v1/modules` and `/v1/module-policy`: bring a module, see what became of it, say whose are accepted.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use niyam_domain::ModulePolicy;
use niyam_modules::signature::Signed;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::body::Body;
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::problem::{ApiError, Problem};
use crate::api::respond;
use crate::api::router::Api;
use crate::commands::activation::{ModuleAt, ModuleError, Uploaded};
use crate::commands::views::ModulePolicyBody;
use crate::publishing::report::{Report, advice};
use crate::publishing::trust::Trust;
use crate::roles::{ADMINS, READERS};

/// Most signatures of one request.
const SIGNATURES_MAX: usize = 8;
/// Most publishers that a policy may name.
const PUBLISHERS_MAX: usize = 100;

/// A module, and what became of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UploadView {
    /// SHA-256 of the component.
    digest: String,
    /// `queued`, `compiling`, `ready` or `refused`.
    state: &'static str,
    /// `bundled`, `trusted`, `revoked`, `unsigned` or `not-accepted`: whether the tenant's policy lets it be activated.
    #[schema(value_type = String)]
    trust: Trust,
    /// Size of the component; absent when it came with the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    /// Ids of the keys that signed it.
    signed_by: Vec<String>,
    /// In the answer to an upload: signatures that count for nothing, since nobody whom the operator trusts has the key.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ignored_signatures: Vec<IgnoredSignatureView>,
    /// What it says of itself, once it is ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    manifest: Option<ManifestView>,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<RefusalView>,
}

/// What a module says of itself.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ManifestView {
    id: String,
    version: String,
    title: String,
    /// `compliance-module`, `tax-module`, `policy-module` or `workflow-module`.
    world: String,
    jurisdictions: Vec<String>,
    /// JSON Schema of its configuration.
    #[schema(value_type = Object)]
    config_schema: serde_json::Value,
    #[schema(value_type = Object)]
    config_default: serde_json::Value,
}

/// A signature that counts for nothing.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IgnoredSignatureView {
    key_id: String,
    /// `publisher-unknown` or `publisher-revoked`.
    code: &'static str,
}

impl IgnoredSignatureView {
    fn of(error: ModuleError) -> Option<Self> {
        let (key_id, code) = match error {
            ModuleError::PublisherUnknown(key_id) => (key_id, Code::PublisherUnknown),
            ModuleError::PublisherRevoked(key_id) => (key_id, Code::PublisherRevoked),
            _ => return None,
        };
        Some(Self { key_id, code: code.as_str() })
    }
}

/// Why a module was refused.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RefusalView {
    code: String,
    message: String,
    /// What the code means, and what to do.
    advice: String,
}

impl From<ModuleAt> for UploadView {
    fn from(module: ModuleAt) -> Self {
        let (manifest, refusal) = match module.report {
            Some(Report::Ready(described)) => {
                let manifest = ManifestView {
                    id: described.id,
                    version: described.version,
                    title: described.title,
                    world: described.world.as_str().to_owned(),
                    jurisdictions: described.jurisdictions,
                    config_schema: described.config_schema,
                    config_default: described.config_default,
                };
                (Some(manifest), None)
            }
            Some(Report::Refused(refusal)) => {
                let advice = advice(&refusal.code).to_owned();
                (None, Some(RefusalView { code: refusal.code, message: refusal.message, advice }))
            }
            None => (None, None),
        };
        Self {
            digest: module.digest,
            state: module.state.as_str(),
            trust: module.trust,
            bytes: module.bytes,
            signed_by: module.signers,
            ignored_signatures: Vec::new(),
            manifest,
            refusal,
        }
    }
}

/// A component's bytes.
pub(crate) struct Component(Vec<u8>);

impl<S: Send + Sync> FromRequest<S> for Component {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if !kind.is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/wasm")) {
            return Err(ApiError::new(Code::MediaTypeWrong, "a module is sent as application/wasm"));
        }
        Bytes::from_request(request, state).await.map(|bytes| Self(bytes.into())).map_err(|error| {
            if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
                ApiError::new(Code::ComponentTooLarge, "a component has at most 32 MiB")
            } else {
                ApiError::new(Code::BodyUnreadable, "the body broke off")
            }
        })
    }
}

/// Brings a module: a component, with the signatures of its publishers. It is compiled in the background.
#[utoipa::path(post, path = "/v1/modules", tag = "modules",
    request_body(content = Vec<u8>, content_type = "application/wasm"),
    params(("Niyam-Signature" = Option<Vec<String>>, Header,
        description = "`<key id>:<base64 of the ed25519 signature>`; may repeat. Signed is `niyam-module-v1`, a zero byte and the component's SHA-256.")),
    responses((status = 202, body = UploadView), (status = 200, body = UploadView),
        (status = 415, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn upload(
    State(api): State<Arc<Api>>,
    caller: Caller,
    request: Request,
) -> Result<Response, ApiError> {
    // Before the body is read, which only who may upload makes the server hold.
    caller.require(ADMINS)?;
    let signed = signatures(request.headers())?;
    let _turn = api.app.uploads.acquire().await;
    let Component(bytes) = Component::from_request(request, &api).await?;
    let Uploaded { module, new, ignored } = api.app.upload_module(&caller.actor, bytes, signed).await?;
    let location = format!("/v1/modules/{}", module.digest);
    let ignored_signatures = ignored.into_iter().filter_map(IgnoredSignatureView::of).collect();
    let mut response = respond::json(&UploadView { ignored_signatures, ..module.into() })?;
    if new {
        *response.status_mut() = StatusCode::ACCEPTED;
    }
    respond::set(&mut response, header::LOCATION, &location);
    Ok(response)
}

fn signatures(headers: &HeaderMap) -> Result<Vec<Signed>, ApiError> {
    let wrong = || {
        ApiError::new(
            Code::SignatureMalformed,
            format!("Niyam-Signature is <key id>:<base64 of 64 bytes>, at most {SIGNATURES_MAX} times"),
        )
    };
    let values = headers.get_all("niyam-signature");
    if values.iter().count() > SIGNATURES_MAX {
        return Err(wrong());
    }
    values.iter().map(|value| value.to_str().ok().and_then(Signed::read).ok_or_else(wrong)).collect()
}

/// Modules that the tenant may see.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ModulePage {
    items: Vec<UploadView>,
}

/// Lists the modules that the tenant brought, the newest first, and those that came with the server.
#[utoipa::path(get, path = "/v1/modules", tag = "modules", responses((status = 200, body = ModulePage)))]
pub(crate) async fn list(State(api): State<Arc<Api>>, caller: Caller) -> Result<Response, ApiError> {
    caller.require(READERS)?;
    let at = api.app.tenant(&caller.actor.tenant).await?;
    let modules = api.app.modules(&at).await?;
    respond::json(&ModulePage { items: modules.into_iter().map(UploadView::from).collect() })
}

/// What became of a module.
#[utoipa::path(get, path = "/v1/modules/{digest}", tag = "modules", params(("digest" = String, Path)),
    responses((status = 200, body = UploadView), (status = 404, body = Problem)))]
pub(crate) async fn show(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(digest): Path<String>,
) -> Result<Response, ApiError> {
    caller.require(READERS)?;
    let at = api.app.tenant(&caller.actor.tenant).await?;
    respond::json(&UploadView::from(api.app.module(&at, &digest).await?))
}

/// Whose modules the tenant accepts.
#[utoipa::path(get, path = "/v1/module-policy", tag = "modules",
    responses((status = 200, body = ModulePolicyBody)))]
pub(crate) async fn policy(State(api): State<Arc<Api>>, caller: Caller) -> Result<Response, ApiError> {
    caller.require(READERS)?;
    let at = api.app.tenant(&caller.actor.tenant).await?;
    respond::versioned(&ModulePolicyBody::from(&at.tenant.module_policy), at.version)
}

/// Changes whose modules the tenant accepts. What is active stays active.
#[utoipa::path(put, path = "/v1/module-policy", tag = "modules", request_body = ModulePolicyBody,
    params(("If-Match" = String, Header)),
    responses((status = 200, body = ModulePolicyBody), (status = 412, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn change_policy(
    State(api): State<Arc<Api>>,
    caller: Caller,
    body: Body,
) -> Result<Response, ApiError> {
    caller.require(ADMINS)?;
    let expected = caller.expected()?;
    let ModulePolicyBody { publishers, signatures } = body.parse()?;
    if !(1..=8).contains(&signatures) {
        return Err(ApiError::at(Code::ValueInvalid, "/signatures", "1 to 8 signatures"));
    }
    for (index, name) in publishers.iter().flatten().enumerate() {
        if index >= PUBLISHERS_MAX || name.trim().is_empty() || name.chars().count() > 64 {
            let message = format!("at most {PUBLISHERS_MAX} names of 1 to 64 characters");
            return Err(ApiError::at(Code::ValueInvalid, &format!("/publishers/{index}"), message));
        }
    }
    let policy = ModulePolicy { publishers, signatures };
    Ok(respond::committed(api.app.change_module_policy(&caller.actor, expected, policy).await?))
}
