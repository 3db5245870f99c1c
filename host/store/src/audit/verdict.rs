//! What is asked, and what comes of it.

use niyam_domain::Position;

use super::fault::ChainBreak;
use crate::event::Hash;

/// What a history is known to have been: the hash of the event at a position, kept outside the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Anchor {
    /// Of which event.
    pub position: Position,
    /// Its hash.
    pub hash: Hash,
}

impl Anchor {
    /// Where every history begins.
    pub const GENESIS: Self = Self { position: Position(0), hash: crate::chain::GENESIS };
}

/// How far a verification has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress<'a> {
    /// Whose history is being read, as it is there.
    pub tenant: &'a str,
    /// The position that was reached.
    pub position: Position,
    /// The last one, as far as is known.
    pub last: Position,
}

/// What was found out about a tenant's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whose, as it is there.
    pub tenant: String,
    /// Where it ends.
    pub end: Anchor,
    /// Events whose hash was computed.
    pub events: u64,
    /// What is wrong: the chain's breaks in order of position, then what the store would not have written; at most
    /// [`Verdict::BREAKS_KEPT`].
    pub breaks: Vec<ChainBreak>,
    /// How many things are wrong.
    pub breaks_found: u64,
    /// The last position at which an anchor agrees.
    pub anchored: Option<Position>,
}

impl Verdict {
    /// Breaks that a verdict describes one by one.
    pub const BREAKS_KEPT: usize = 1000;

    /// Whether the history is what the store wrote, as far as its anchors reach.
    #[must_use]
    pub const fn is_proven(&self) -> bool {
        self.breaks_found == 0
    }
}
