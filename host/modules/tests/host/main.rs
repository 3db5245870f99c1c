//! The module host with real components: `target/modules`, which `cargo xtask plugins` makes.

mod components;
mod decisions;
mod limits;
mod refusals;
