//! The module host: engine, limits, decisions. The only crate that knows wasmtime.
//!
//! A module is a WebAssembly component that exports a world of `wit/`. It is checked once ([`ModuleHost::load`]) and
//! then called as often as wanted, each time in a fresh instance that nothing survives. This crate must not know
//! tenants, databases or HTTP. Next step of the flow: `niyam-domain` takes a module's answer as an input.

mod accounts;
mod bindings;
mod call;
mod check;
mod compiled;
mod compiler;
mod digest;
mod engine;
mod error;
mod host;
mod inspect;
mod interfaces;
mod lift;
mod limits;
mod lower;
mod module;
mod policy;
mod returns;
mod sandbox;
mod schema;
pub mod signature;
mod workflow;
mod world;

pub use compiler::{Compiler, compile};
pub use digest::{digest_hex, digest_json};
pub use engine::Class;
pub use error::{LoadError, ModuleFailure};
pub use host::ModuleHost;
pub use inspect::inspect;
pub use limits::*;
pub use module::{Decided, Findings, Module};
pub use sandbox::Usage;
