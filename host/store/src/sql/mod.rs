//! The statements, in both dialects. Every statement names the tenant, except those of the operator: heads, names, purge,
//! components.
//!
//! 1. `rows`: what both databases return.
//! 2. `read`: statements that both understand.
//! 3. `unit`: the transaction of a group of appends.
//! 4. `sqlite` and `postgres`: its statements.
//! 5. `audit`: statements that take nothing for granted.

pub mod audit;
mod postgres;
pub mod read;
pub mod rows;
mod sqlite;
pub mod unit;
