//! Journal entries: what the books say, in lines whose debits equal their credits.
//!
//! 1. `lines`: lines, and that they balance.
//! 2. `entry`: the aggregate, one for each entry.

mod entry;
mod lines;

pub use entry::{
    Books, DraftEntry, Entry, EntryDrafted, EntryEvent, EntryPosted, EntryReversed, EntryRevised,
    EntrySource, EntryStatus, JournalCommand, JournalEntry, NewEntry, PostEntry, Reversal, ReverseEntry,
    ReviseEntry, SourceKind,
};
pub(crate) use lines::{AMOUNT_LIMIT, findings_of, fit};
pub use lines::{JournalLine, LINES_OF_ENTRY_MAX, Lines, NewLine, Side, Unbalanced};

#[cfg(test)]
mod properties;
#[cfg(test)]
pub(crate) mod tests;
