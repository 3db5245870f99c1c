//! Proves the books: computes every hash again, and says where and how a history is not what the store wrote.
//!
//! In reading order:
//!
//! 1. `verdict`: what is asked, and what comes of it.
//! 2. `fault`: the ways in which a history can be broken, and what each looks like.
//! 3. `verify`: reads a history page by page, the next page while the present one is hashed.
//! 4. `scan`: follows the chain, without I/O; `diagnose`: tells from the neighbours how it broke.
//! 5. `pair`: matches what is missing in one place with what is too much in another.
//! 6. `row`: an event as it is there. `open`: a database that is only read.
//!
//! It must not change anything, and must not trust a constraint of the database: who can change an event can drop
//! those first. The chain has no secret, so a history that was rewritten as a whole, or cut off together with its head,
//! is found only against an [`Anchor`], which somebody kept elsewhere.

mod diagnose;
mod fault;
mod open;
mod pair;
pub(crate) mod row;
mod scan;
mod verdict;
mod verify;

pub use fault::{Alteration, ChainBreak, ChainError, ChainFault, HeadFault};
pub use open::{open_for_audit, open_to_read};
pub use verdict::{Anchor, Progress, Verdict};
pub use verify::Audit;
