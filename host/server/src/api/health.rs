//! Whether the process lives, whether it can serve, and each part by name.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use niyam_store::Login;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::problem::ApiError;
use crate::api::respond;
use crate::api::router::Api;

/// The state of each part.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// `ok` or `degraded`.
    status: &'static str,
    /// `ok` or `unavailable`.
    database: &'static str,
    /// PostgreSQL only, as at the start: `bound` if the login is no more than a member of the host's role, `owner` if it
    /// owns tables, `unbound` if no policy binds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    database_login: Option<&'static str>,
    /// Ids of the packs that came with the binary.
    packs: Vec<String>,
    /// For how many tenants a projection stopped at an event that it cannot take.
    projections_stopped: usize,
    /// For how many tenants the history is not what was written: the log and `niyam audit verify` tell more.
    chains_broken: usize,
    /// `ok`, or `failing` when a checkpoint that is due cannot be made.
    checkpoints: &'static str,
    /// `refused` unless the server takes modules that nobody signed: then `allowed`.
    unsigned_modules: &'static str,
    /// Modules in memory. One that nobody calls leaves it after a while, and comes back when it is called.
    modules_loaded: usize,
    /// How many publishers' keys were revoked; activations of what they signed are flagged.
    publishers_revoked: usize,
    /// How often a module failed and another one answered for it, since the server started.
    fallbacks: usize,
    /// How often a module in shadow answered otherwise than the one in force, since the server started.
    shadow_differences: usize,
}

/// The process lives.
#[utoipa::path(get, path = "/health/live", tag = "health", responses((status = 200)))]
pub(crate) async fn live() -> StatusCode {
    StatusCode::OK
}

/// Requests can be served.
#[utoipa::path(get, path = "/health/ready", tag = "health", responses((status = 200), (status = 503)))]
pub(crate) async fn ready(State(api): State<Arc<Api>>) -> Result<StatusCode, ApiError> {
    api.app.store.ping().await?;
    Ok(StatusCode::OK)
}

/// Each part by name.
#[utoipa::path(get, path = "/health", tag = "health", responses((status = 200, body = Health)))]
pub(crate) async fn show(State(api): State<Arc<Api>>) -> Result<Response, ApiError> {
    let reachable = api.app.store.ping().await.is_ok();
    let projections_stopped = api.progress.stopped();
    // Their names are not for everybody who may look here.
    let chains_broken = api.proofs.broken().len();
    let failing = api.proofs.is_failing();
    let sound = reachable && projections_stopped == 0 && chains_broken == 0 && !failing;
    let publishers = api.app.store.publishers().await.unwrap_or_default();
    respond::json(&Health {
        status: if sound { "ok" } else { "degraded" },
        database: if reachable { "ok" } else { "unavailable" },
        database_login: api.app.store.login().map(Login::as_str),
        packs: api.app.packs.bundled_ids(),
        projections_stopped,
        chains_broken,
        checkpoints: if failing { "failing" } else { "ok" },
        unsigned_modules: if api.app.allow_unsigned { "allowed" } else { "refused" },
        modules_loaded: api.app.packs.loaded(),
        publishers_revoked: publishers.iter().filter(|publisher| publisher.revoked_at.is_some()).count(),
        fallbacks: api.app.fallbacks.load(Ordering::Relaxed),
        shadow_differences: api.app.shadows.differences(),
    })
}
