//! Personal data at rest: encrypted under a key of each data subject, so that destroying the key erases them.
//!
//! 1. `cipher`: the AEAD, and what it binds a text to.
//! 2. `master`: the master key, a file of the data folder, which wraps the keys of data subjects and names them.
//! 3. [`vault`]: those keys, found or made. [`sealing`]: encrypts what a command records.
//! 4. [`opening`]: decrypts what was recorded. Whoever reads an event's payload reads it through this.
//! 5. [`ledger`]: what was erased, kept outside the database, so that no old backup brings it back unseen.
//!
//! Where a payload is personal the domain says, beside each type of event (`niyam_domain::Personal`).

mod cipher;
pub(crate) mod ledger;
mod master;
pub(crate) mod opening;
pub(crate) mod sealing;
#[cfg(test)]
mod tests;
pub(crate) mod vault;

pub(crate) use opening::{Opened, OpeningError};
pub(crate) use sealing::Sealing;
pub(crate) use vault::Vault;
pub use vault::VaultError;
