//! The module host with real components: `target/modules`, which `cargo xtask plugins` makes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod compiling;
mod components;
mod wicked;

mod contract;
mod decisions;
mod policies;
mod workflows;
mod worlds;

mod forged;
mod hostile;
mod limits;
mod mutants;
mod refusals;
mod state;
