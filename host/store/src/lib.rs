//! The event store: appends, reads and watches the events of each tenant, on SQLite or PostgreSQL.
//!
//! What it promises: an append is atomic over its streams and durable before it is answered; positions of a
//! tenant are gapless and follow commit order; a repeated request gets its first answer; each tenant's events
//! form a hash chain. What it must not do: look into payloads, decide anything, or know modules.
//!
//! In reading order:
//!
//! 1. [`config`]: what to open, and with which knobs.
//! 2. [`event`]: what is stored, and what is read back.
//! 3. [`append`]: what a caller asks to be written, and what it gets.
//! 4. [`store`]: the entrance, [`EventStore`]; [`error`]: what can go wrong.
//! 5. `batcher`: gathers waiting appends into one transaction; `tail`: how far histories are known to go.
//!    [`rehearsal`]: appends that are decided and not written.
//! 6. `group`: decides, without I/O, what becomes of each append of a transaction; `commit`: commits it, at once on what
//!    `memory` holds, or by looking everything up.
//! 7. `chain`: the hash over an event and the one before it.
//! 8. [`database`]: opening, and the settings that are refused; [`login`]: who stands behind the host's role; `sql`: the statements, in both dialects.
//! 9. `reading`: events that are there; [`subscription`]: events as they come;
//!    [`books`]: what is there, of a database that is only read.
//! 10. `notify`: what hosts on one PostgreSQL tell each other.
//! 11. [`snapshot`]: states, so that fewer events are read.
//! 12. [`audit`]: proves the books.
//! 13. `component`: WebAssembly components by digest; [`modules`]: those that were uploaded, and publishers.
//! 14. [`subject`]: the keys of data subjects, wrapped.
//! 15. [`transfer`]: everything, for a backup or another database.
//!
//! The next step of the flow is the server, whose projections follow a subscription.

pub mod append;
pub mod audit;
mod batcher;
pub mod books;
mod chain;
mod commit;
mod component;
pub mod config;
pub mod database;
pub mod error;
pub mod event;
mod group;
pub mod login;
mod memory;
pub mod modules;
mod notify;
mod reading;
pub mod rehearsal;
pub mod snapshot;
mod sql;
pub mod store;
pub mod subject;
pub mod subscription;
mod tail;
pub mod transfer;

pub use append::{
    Append, AppendError, Appended, Batch, Idempotency, InvalidAppend, NewEvent, Serials, StreamWrite,
};
pub use audit::{Audit, ChainBreak, ChainError, ChainFault, Verdict};
pub use books::Books;
pub use config::{Clock, DatabaseUrl, InvalidDatabaseUrl, StoreConfig};
pub use database::{Database, Durability, Reader, Scope, Writer};
pub use error::{StoreError, is_refusal};
pub use event::{Head, Recorded};
pub use login::Login;
pub use modules::{ModuleState, ModuleUpload, Publisher, UploadedModule};
pub use rehearsal::{is_rehearsal, rehearse};
pub use snapshot::Snapshot;
pub use store::EventStore;
pub use subject::{NewSubjectKey, SubjectKey};
pub use transfer::{Component, GivenAnswer, ImportError, Imported, Record};
