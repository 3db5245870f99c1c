//! The ways in which a history can be broken, named by what can be known.
//!
//! An event keeps its own hash and not that of the event before it, so what happened is told from the neighbours: a
//! next event that still fits confirms a stored hash. Where two explanations fit the same bytes, the text says so.

use niyam_domain::Position;

use crate::error::StoreError;

/// Where a tenant's history is not what the store wrote.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the history of tenant {tenant} breaks at {}: {fault}", place(*.position, *.last))]
pub struct ChainBreak {
    /// Whose history; as it is there, which may be no tenant's name.
    pub tenant: String,
    /// The first position that does not fit.
    pub position: Position,
    /// The last one that the same fault concerns.
    pub last: Position,
    /// What is wrong there.
    pub fault: ChainFault,
}

fn place(first: Position, last: Position) -> String {
    if first == last { format!("position {first}") } else { format!("positions {first} to {last}") }
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainFault {
    /// Which bytes of it changed cannot be known.
    #[error("altered: {0}")]
    Altered(Alteration),
    /// Events are missing.
    #[error("deleted: events missing here: {events}{}", if *.renumbered { "; those after were renumbered" } else { "" })]
    Deleted {
        /// How many.
        events: u64,
        /// Whether later positions were moved to hide it.
        renumbered: bool,
    },
    /// Events are there that the store did not write.
    #[error("inserted: events here that are not of this history: {events}")]
    Inserted {
        /// How many.
        events: u64,
    },
    /// Events stand in each other's place.
    #[error("reordered: the event that belongs at one of positions {from} and {to} stands at the other")]
    Reordered {
        /// One place.
        from: Position,
        /// The other.
        to: Position,
    },
    /// The event that belongs here stands in another tenant's history.
    #[error("moved: the event of this position stands at position {position} of tenant {tenant}")]
    Moved {
        /// Whose, as it is there.
        tenant: String,
        /// Where.
        position: Position,
    },
    /// The end was cut off, and the head moved back.
    #[error("truncated: a checkpoint was made at position {checkpoint}, and the history ends before it")]
    Truncated {
        /// The first checkpoint that the history does not reach.
        checkpoint: Position,
    },
    /// The hashes fit each other, but not a checkpoint.
    #[error(
        "forged: the checkpoint has another hash here; history was rewritten somewhere after position {after}"
    )]
    Forged {
        /// Up to where it is still what was signed.
        after: Position,
    },
    /// The head does not name the last event.
    #[error("head wrong: {0}")]
    Head(HeadFault),
    /// The chain is sound here, but the store would not have written it.
    #[error("uneven versions: those of stream {stream} are not 1, 2, 3 and so on, each once")]
    Versions {
        /// Which stream, as it is there.
        stream: String,
    },
    /// The chain is sound here, but the store would not have written it.
    #[error("repeated id: the event's id is that of an earlier event")]
    RepeatedId,
}

impl ChainFault {
    /// Whether the chain itself is sound there.
    pub(super) const fn is_semantic(&self) -> bool {
        matches!(self, Self::Versions { .. } | Self::RepeatedId)
    }

    /// The kind in one word, for programs.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Altered(_) => "altered",
            Self::Deleted { .. } => "deleted",
            Self::Inserted { .. } => "inserted",
            Self::Reordered { .. } => "reordered",
            Self::Moved { .. } => "moved",
            Self::Truncated { .. } => "truncated",
            Self::Forged { .. } => "forged",
            Self::Head(_) => "head-wrong",
            Self::Versions { .. } => "uneven-versions",
            Self::RepeatedId => "repeated-id",
        }
    }
}

/// What speaks for an event having been altered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Alteration {
    /// The stored hash is confirmed by what follows, the contents do not have it.
    #[error(
        "the contents do not have the stored hash, which what follows confirms (or the event before was replaced, with \
         a hash made to fit)"
    )]
    Contents,
    /// The contents are confirmed by what follows, the stored hash is another.
    #[error("the stored hash was changed; what follows confirms the contents")]
    Hash,
    /// Nothing that follows confirms the contents or the stored hash; a next event that the fault includes cannot be
    /// proved, since it needs the right hash of this one.
    #[error("neither the contents nor the stored hash fit what follows")]
    Both,
    /// Sound by itself, but a checkpoint has another hash here, with which what follows fits.
    #[error("the event was replaced, with a hash made to fit, which a checkpoint disproves")]
    Replaced,
}

/// How a head does not name the last event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeadFault {
    /// There are events, and no head.
    #[error("it is missing")]
    Missing,
    /// Its hash is that of the last event, which stands elsewhere.
    #[error("its position was changed; its hash is that of the last event")]
    Position,
    /// It stands at the last event.
    #[error(
        "its hash is not that of the event at its position (or that event was replaced, with a hash made to fit)"
    )]
    Hash,
    /// It names an event that is there, but sound events follow.
    #[error("sound events follow that it does not know: {events}; it was moved back, or they were put in")]
    Behind {
        /// How many.
        events: u64,
    },
}

/// Why a chain is not proved.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ChainError {
    /// It is broken.
    #[error(transparent)]
    Broken(#[from] ChainBreak),
    /// It could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}
