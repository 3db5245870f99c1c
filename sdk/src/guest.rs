//! The component's side of the contract: what the host calls, mapped to the author's trait.
//!
//! Only the macros of this crate name it. The next step of the flow is the author's own `determine`.

pub mod bindings;
mod convert;

mod compliance;
mod tax;

pub use compliance::Compliance;
pub use tax::Tax;

use crate::{Context, Level};

/// What a call may reach.
fn context() -> Context {
    use bindings::niyam::rules::context;

    Context::new(context::config(), |level, message| {
        let level = match level {
            Level::Debug => context::Level::Debug,
            Level::Info => context::Level::Info,
            Level::Warn => context::Level::Warn,
        };
        context::log(level, message);
    })
}
