//! What a module's author does, as `niyam module …`: from an empty folder to a module in force.
//!
//! A module runs here as it runs in the server: in the same host, under the same limits. Nothing here knows the server
//! but by its API. Next step of the flow: `POST /v1/modules`.

mod bench;
mod command;
mod component;
mod difference;
mod fixture;
mod inspect;
mod invocation;
mod key;
mod new;
mod push;
mod run;
mod sign;
mod test;

pub use command::{ModuleCommand, run};
pub use component::Loaded;
pub use fixture::{Fixture, Outcome};
pub use invocation::Invocation;
