//! HTTP: a handler parses, calls, maps. No business rule and no SQL here.

mod activations;
mod body;
mod caller;
pub(crate) mod code;
mod data_subjects;
mod document;
mod forms;
mod health;
mod invoices;
mod jobs;
mod modules;
pub(crate) mod openapi;
mod problem;
mod respond;
pub(crate) mod router;
mod simulations;
mod tax;
mod tenant;
mod text;
mod verifications;
