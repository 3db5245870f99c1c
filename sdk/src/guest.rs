//! The component's side of the contract: what the host calls, mapped to the author's trait.
//!
//! Only the macros of this crate name it. The next step of the flow is the author's own `determine`.

pub mod bindings;
mod convert;

mod compliance;
mod policy;
mod tax;
mod workflow;

pub use compliance::Compliance;
pub use policy::Policy;
pub use tax::Tax;
pub use workflow::Workflow;

use crate::{Context, Level};

/// The worlds of the contract: each exports its own interfaces, with types of [`bindings`], and its own description.
pub mod worlds {
    pub use niyam_world_compliance as compliance;
    pub use niyam_world_policy as policy;
    pub use niyam_world_tax as tax;
    pub use niyam_world_workflow as workflow;
}

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
