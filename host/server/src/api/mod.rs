//! HTTP: a handler parses, calls, maps. No business rule and no SQL here.

mod accounts;
mod activations;
mod body;
mod caller;
pub(crate) mod code;
mod csv;
mod data_subjects;
mod document;
mod fiscal_periods;
mod forms;
mod health;
mod invoices;
mod jobs;
mod journal_entries;
mod modules;
pub(crate) mod openapi;
mod problem;
mod reports;
mod respond;
pub(crate) mod router;
mod shadows;
mod simulations;
mod tax;
mod tax_returns;
mod tenant;
mod text;
mod verifications;
