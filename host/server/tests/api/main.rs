//! The server as its clients meet it: over HTTP, with the bundled pack, on either database.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod audit;
mod harness;
mod invoices;
mod openapi;
mod refusals;
