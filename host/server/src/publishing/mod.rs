//! Modules from outside: who signed them, whether they may be activated, and the worker that compiles them.
//!
//! 1. `signature`: what a publisher signs, and how a request carries it.
//! 2. `trust`: which publishers' signatures count for a tenant.
//! 3. `report`: what is kept of a module that was tried.
//! 4. `worker`: compiles what waits, one at a time, off the request's path.

pub(crate) mod report;
pub(crate) mod signature;
pub(crate) mod trust;
pub(crate) mod worker;
