//! What the author of a Niyam module depends on.
//!
//! Write a struct, implement the trait of your world for it, call the macro of that world once: [`export_tax!`],
//! [`export_compliance!`], [`export_policy!`] or [`export_workflow!`].
//! Everything is plain Rust: the types of the contract (`wit/`) do not show, and the same code runs natively in tests.
//! A module is a pure function: there is no clock, no randomness, no file and no network to reach.

mod context;
mod export;
mod module;

#[cfg(target_arch = "wasm32")]
mod allocator;
#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod guest;

pub use context::{Context, Level};
pub use module::{ComplianceModule, PolicyModule, TaxModule, WorkflowModule};
pub use niyam_values::*;
