//! The server as its clients meet it: over HTTP, with the bundled pack, on either database.

mod harness;
mod invoices;
mod openapi;
mod refusals;
