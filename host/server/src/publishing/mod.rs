//! Modules from outside: who signed them, whether they may be activated, and the worker that compiles them.
//!
//! 1. `trust`: which publishers' signatures count for a tenant.
//! 2. `report`: what is kept of a module that was tried.
//! 3. `worker`: compiles what waits, one at a time, off the request's path.
//!
//! What a publisher signs is in `niyam_modules::signature`.

pub(crate) mod report;
pub(crate) mod trust;
pub(crate) mod worker;
