//! The statements, in both dialects. Every statement names the tenant, except those of the operator: heads, purge,
//! components.
//!
//! 1. `rows`: what both databases return.
//! 2. `read`: statements that both understand.
//! 3. `unit`: the transaction of a group of appends.
//! 4. `transfer`: for carrying everything elsewhere.
//! 5. `sqlite` and `postgres`: its statements.

mod postgres;
pub mod read;
pub mod rows;
mod sqlite;
pub mod transfer;
pub mod unit;
