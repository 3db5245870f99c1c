//! The module host with real components: `target/modules`, which `cargo xtask plugins` makes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod components;
mod decisions;
mod limits;
mod policies;
mod refusals;
mod workflows;
mod worlds;
