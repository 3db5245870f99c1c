//! Activations in shadow: asked about what was recorded, beside the modules whose answers are in the books.
//!
//! 1. [`told`]: what is counted, and what is kept of a difference.
//! 2. [`compare`]: one event, asked of the module in shadow.
//! 3. [`table`]: how far each shadow is, and its last differences.
//! 4. [`runner`]: follows the tenants that have shadows.
//!
//! A shadow follows events after they are recorded, so that no command waits for it, fails by it, or is answered otherwise.
//! It begins with the first event after its activation; what it counts could be counted anew from the history. Its calls
//! take the turns of jobs.

pub(crate) mod compare;
pub(crate) mod runner;
pub(crate) mod table;
pub(crate) mod told;

pub(crate) use runner::{Runner, Shadows};
