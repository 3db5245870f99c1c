//! Decisions run again: on the component that made them, to prove them, or on another one, to see what it would change.
//!
//! 1. `stored`: what an event holds of decisions, its inputs and answers as the bytes that were stored.
//! 2. `components`: the component and the configuration of a decision, by digest.
//! 3. [`sweep`]: every event of some types, page by page, on several threads, in slices of time.
//! 4. [`verify`]: the same component must give the same answer, bit for bit; [`verifier`] asks it, and [`asked`] tells what
//!    policies were asked.
//! 5. [`simulate`]: what a candidate would answer, beside what was answered.
//! 6. [`replay`]: one decision's input and answer, as a fixture for a module's author.
//! 7. `count`: how much of it is done in which time.
//!
//! Nothing here changes a tenant's history. Next step of the flow: `jobs` runs it for clients of the API, `cli` for an
//! operator, beside a running server.

pub(crate) mod asked;
pub(crate) mod components;
mod count;
pub(crate) mod other_answer;
pub(crate) mod replay;
pub(crate) mod simulate;
pub(crate) mod stored;
pub(crate) mod sweep;
pub(crate) mod verifier;
pub(crate) mod verify;

pub use count::{Counted, simulate_documents, verify_decisions};
