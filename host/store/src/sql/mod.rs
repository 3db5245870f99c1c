//! The statements, in both dialects. Every statement names the tenant, except those of the operator: heads, names, purge,
//! components.
//!
//! 1. `rows`: what both databases return.
//! 2. `read`: statements that both understand.
//! 3. `call`: a group of appends in one round trip; `unit`: the transaction of one, step by step.
//! 4. `types` and `snapshots`: reading by event type; snapshots.
//! 5. `modules`: uploaded modules and publishers; `subjects`: keys of data subjects.
//! 6. `transfer`: for carrying everything elsewhere.
//! 7. `sqlite` and `postgres`: the statements of that transaction.
//! 8. `audit`: statements that take nothing for granted.

pub mod audit;
pub mod call;
pub mod modules;
mod postgres;
pub mod read;
pub mod rows;
pub mod snapshots;
mod sqlite;
pub mod subjects;
pub mod transfer;
pub mod types;
pub mod unit;
