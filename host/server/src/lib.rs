//! Niyam: the books of many tenants, with rules that run as sandboxed modules.
//!
//! The flow of a request, which is also the reading order: `api` parses it, `commands` loads what it needs, asks the
//! modules and lets `niyam-domain` decide, the store appends; `projections` follow the store, and queries read them;
//! `reports` are made of what views hold; `proof` signs what a history was. `personal` encrypts what is about a person, on its way to the store and back.
//! `rerun` runs decisions again, and `jobs` does that in the background; `shadow` asks modules in shadow about what was
//! recorded.

mod aggregates;
mod api;
mod app;
mod auth;
mod backup;
mod bank;
pub mod cli;
mod clock;
mod commands;
mod describe;
mod ids;
mod jobs;
mod keys;
mod packs;
mod personal;
mod projections;
mod proof;
mod publishing;
mod reports;
mod rerun;
mod roles;
mod schedules;
mod serve;
mod shadow;
mod telemetry;
mod tenants;
mod turns;

pub use aggregates::ReadError;
pub use app::{App, AppConfig, OpenError};
pub use auth::{Claims, SigningKey};
pub use clock::SystemClock;
pub use commands::data_subject::{Erasure, erase_subject};
pub use commands::tenant::{NewTenant, activate_pack, create_tenant};
pub use describe::Reference;
pub use personal::VaultError;
pub use rerun::{Counted, simulate_documents, verify_decisions};
pub use roles::Role;
pub use serve::{ServeError, Server};
