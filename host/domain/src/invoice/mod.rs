//! An invoice, of a sale or a purchase: draft, revise, approve, issue, cancel; then notes against it, settlements, and
//! what is written off.
//!
//! The taxes come in with the command, as a module found them; nothing here knows a rate. An issued invoice never
//! changes: notes correct it, and each is an invoice of its own that says which one it is against.
//!
//! 1. `events` and `commands`.
//! 2. `lines`: what of each line may still be credited.
//! 3. `state`: the aggregate. `money` is what may be asked of it once it is issued.
//! 4. `issue`: an issue that lacks only its serial. `note`: the same of a note.

mod commands;
mod events;
mod issue;
mod lines;
mod money;
mod note;
mod state;

pub use commands::{
    ApproveInvoice, CancelInvoice, DraftInvoice, InvoiceCommand, IssueInvoice, IssueNote, NotePlan,
    RecordInvoice, ReverseSettlement, ReviseInvoice, SettleInvoice, WriteOffInvoice,
};
pub use events::{
    InvoiceApproved, InvoiceCancelled, InvoiceCredited, InvoiceDebited, InvoiceDrafted, InvoiceEvent,
    InvoiceIssued, InvoiceRecorded, InvoiceRevised, InvoiceSettled, InvoiceStatus, InvoiceWrittenOff, Issue,
    NoteIssued, NoteKind, NoteOf, Planned, SettlementReversed,
};
pub use issue::PreparedIssue;
pub use lines::{LineShare, TaxShare};
pub use money::initial_outstanding;
pub use note::{NoteDraft, PreparedNote, Share, WantedLine, WantedNote};
pub use state::{Invoice, Numbered};

#[cfg(test)]
mod money_tests;
#[cfg(test)]
mod note_properties;
#[cfg(test)]
mod note_tests;
#[cfg(test)]
mod properties;
#[cfg(test)]
pub(crate) mod tests;
