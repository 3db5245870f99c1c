//! A line of the books as statements know it: taken by one of their lines at most.
//!
//! Each has a stream of its own, so that two that are matched with it at the same moment meet there.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::aggregate::Aggregate;
use crate::event::{DomainEvent, UnreadableEvent, domain_events};
use crate::ids::{EntryId, StatementId, StreamId};
use crate::personal::nothing_personal;

/// A line of a journal entry; the first is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LedgerLineRef {
    /// The entry.
    pub entry_id: EntryId,
    /// Which of its lines.
    pub line: u32,
}

impl LedgerLineRef {
    /// The stream that says who has taken it.
    #[must_use]
    pub fn stream(self) -> StreamId {
        StreamId::of(format!("bank-claim/{}/{}", self.entry_id, self.line))
    }
}

impl fmt::Display for LedgerLineRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {} of entry {}", self.line, self.entry_id)
    }
}

/// A line of a statement has taken it, in the transaction that matches them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimTaken {
    /// The statement.
    pub statement_id: StatementId,
    /// Which of its lines.
    pub line: u32,
}

/// It is free again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimReleased {}

domain_events! {
    /// What happens to a line of the books as statements know it.
    ClaimEvent {
        /// A line of a statement has taken it.
        Taken(ClaimTaken) = "bank-claim.taken.v1",
        /// It is free again.
        Released(ClaimReleased) = "bank-claim.released.v1",
    }
}

nothing_personal!(ClaimTaken, ClaimReleased, LedgerClaim);

/// Who has taken a line of the books.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerClaim {
    /// The statement and its line; none when it is free.
    pub taken: Option<(StatementId, u32)>,
}

impl Aggregate for LedgerClaim {
    type Event = ClaimEvent;

    fn evolve(state: Option<Self>, event: ClaimEvent) -> Result<Self, UnreadableEvent> {
        let event_type = event.event_type();
        match (state.unwrap_or_default().taken, event) {
            (None, ClaimEvent::Taken(ClaimTaken { statement_id, line })) => {
                Ok(Self { taken: Some((statement_id, line)) })
            }
            (Some(_), ClaimEvent::Released(ClaimReleased {})) => Ok(Self { taken: None }),
            _ => Err(UnreadableEvent::OutOfOrder { event_type }),
        }
    }
}
