//! The statements, in both dialects. Every statement names the tenant, except those of the operator: heads, purge,
//! components.
//!
//! 1. `rows`: what both databases return.
//! 2. `read`: statements that both understand.
//! 3. `unit`: the transaction of a group of appends.
//! 4. `sqlite` and `postgres`: its statements.
//! 5. `types` and `snapshots`: reading by event type; snapshots.

mod postgres;
pub mod read;
pub mod rows;
pub mod snapshots;
mod sqlite;
pub mod types;
pub mod unit;
