//! What a caller asks to be written, and what it gets.

use std::collections::BTreeMap;

use jiff::civil;
use niyam_domain::{Position, StreamId, SubjectKeyId, Version};
use uuid::Uuid;

use crate::error::StoreError;
use crate::subject::NewSubjectKey;

/// Longest idempotency key, bytes.
pub const KEY_BYTES_MAX: usize = 255;
/// Longest event type, bytes.
pub const EVENT_TYPE_BYTES_MAX: usize = 200;
/// Largest payload and metadata of one event, together, bytes.
pub const EVENT_BYTES_MAX: usize = 1024 * 1024;
/// Most events of one append.
pub const EVENTS_MAX: usize = 1000;
/// Most bytes of one append: payloads, metadata and the answer.
pub const APPEND_BYTES_MAX: usize = 8 * 1024 * 1024;

/// A command's writes: one transaction, whole or not at all.
pub struct Append {
    /// Streams that the command read and that must still have these versions.
    pub unchanged: Vec<(StreamId, Version)>,
    /// The request that this answers, if it may be repeated.
    pub idempotency: Option<Idempotency>,
    /// Number series from which the command takes the next number: a serial is the version that the series'
    /// stream gets. What `build` returns must write exactly one event to each.
    pub serials: Vec<StreamId>,
    /// Keys of data subjects that are made with the events, which are encrypted under them.
    pub new_keys: Vec<NewSubjectKey>,
    /// Keys of data subjects that are destroyed with the events, which say so.
    pub erased_keys: Vec<SubjectKeyId>,
    /// Makes the writes, given the serials. Runs inside the transaction and again when that has to be
    /// repeated, so it must be quick, and give the same for the same serials.
    pub build: Box<dyn Fn(&Serials) -> Batch + Send + Sync>,
}

impl Append {
    /// Writes `batch`, which needs no serials.
    #[must_use]
    pub fn of(batch: Batch) -> Self {
        Self {
            unchanged: Vec::new(),
            idempotency: None,
            serials: Vec::new(),
            new_keys: Vec::new(),
            erased_keys: Vec::new(),
            build: Box::new(move |_| batch.clone()),
        }
    }

    /// Writes what `build` makes of the next numbers of `serials`.
    #[must_use]
    pub fn with_serials(
        serials: Vec<StreamId>,
        build: impl Fn(&Serials) -> Batch + Send + Sync + 'static,
    ) -> Self {
        Self {
            unchanged: Vec::new(),
            idempotency: None,
            serials,
            new_keys: Vec::new(),
            erased_keys: Vec::new(),
            build: Box::new(build),
        }
    }

    /// The same, only while these streams have these versions.
    #[must_use]
    pub fn unchanged(mut self, streams: impl IntoIterator<Item = (StreamId, Version)>) -> Self {
        self.unchanged.extend(streams);
        self
    }

    /// The same, and makes these keys of data subjects.
    #[must_use]
    pub fn new_keys(mut self, keys: impl IntoIterator<Item = NewSubjectKey>) -> Self {
        self.new_keys.extend(keys);
        self
    }

    /// The same, and destroys these keys of data subjects.
    #[must_use]
    pub fn erased_keys(mut self, keys: impl IntoIterator<Item = SubjectKeyId>) -> Self {
        self.erased_keys.extend(keys);
        self
    }

    /// The same, once for this request.
    #[must_use]
    pub fn idempotent(mut self, idempotency: Idempotency) -> Self {
        self.idempotency = Some(idempotency);
        self
    }
}

impl std::fmt::Debug for Append {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Append")
            .field("unchanged", &self.unchanged)
            .field("idempotency", &self.idempotency)
            .field("serials", &self.serials)
            .finish_non_exhaustive()
    }
}

/// A request that may be repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    /// The caller's name for it.
    pub key: String,
    /// Digest of what it asks for.
    pub fingerprint: [u8; 32],
}

/// The next number of each series that an append asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Serials(pub(crate) BTreeMap<StreamId, Version>);

impl Serials {
    /// The number that the series gives: the version that its stream gets. `None` if not asked for.
    #[must_use]
    pub fn get(&self, series: &StreamId) -> Option<Version> {
        self.0.get(series).copied()
    }

    /// The version that the series' stream has before its number is taken. `None` if not asked for.
    #[must_use]
    pub fn expected(&self, series: &StreamId) -> Option<Version> {
        self.get(series).map(|serial| Version(serial.0.saturating_sub(1)))
    }
}

/// The writes of one append, and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Batch {
    /// What is written, each stream once.
    pub writes: Vec<StreamWrite>,
    /// Handed back to the caller, and again to a repeated request. The store does not look into it.
    pub answer: Vec<u8>,
}

/// Events for one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamWrite {
    /// Which stream.
    pub stream: StreamId,
    /// The version that it must have before.
    pub expected: Version,
    /// At least one.
    pub events: Vec<NewEvent>,
}

/// An event to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Unique within the tenant.
    pub id: Uuid,
    /// For example `invoice.issued.v1`.
    pub event_type: String,
    /// JSON bytes.
    pub payload: Vec<u8>,
    /// JSON bytes.
    pub metadata: Vec<u8>,
    /// The day for which it counts in the tenant's books.
    pub effective_date: civil::Date,
}

/// An append that is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// Position of its last event, or the tenant's last position when it wrote none.
    pub position: Position,
    /// The batch's answer.
    pub answer: Vec<u8>,
    /// Whether this is the answer to an earlier request with the same key and fingerprint.
    pub replayed: bool,
}

/// An append that wrote nothing; only [`StoreError::CommitUnknown`] leaves that open.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppendError {
    /// A stream moved on: load again, decide again.
    #[error("failed to append: stream {stream} has version {found}, expected was {expected}")]
    Conflict {
        /// Which stream.
        stream: StreamId,
        /// The version that the append expected.
        expected: Version,
        /// The version that it has.
        found: Version,
    },
    /// The idempotency key belongs to another request.
    #[error("failed to append: the idempotency key was used for another request")]
    KeyReused,
    /// A data subject that the append makes a key for has one: look it up, encrypt again.
    #[error("failed to append: a data subject has a key already")]
    SubjectKeyed,
    /// The caller is wrong, and stays wrong.
    #[error("failed to append: {0}")]
    Invalid(#[from] InvalidAppend),
    /// The store is in trouble.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is wrong with an append.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAppend {
    /// The key is empty or too long.
    #[error("an idempotency key has 1 to {KEY_BYTES_MAX} printable ASCII characters")]
    Key,
    /// A stream is written twice.
    #[error("stream {0} is written more than once")]
    StreamTwice(StreamId),
    /// A stream is written without events.
    #[error("stream {0} is written without an event")]
    NoEvents(StreamId),
    /// A series was asked for a number that was not taken as one event.
    #[error("series {0} must get exactly one event, at its present version")]
    SerialNotTaken(StreamId),
    /// Two events have the same id, here or in the tenant's history.
    #[error("the id of an event is in use already")]
    EventIdUsed,
    /// The type is empty or too long.
    #[error("an event's type has 1 to {EVENT_TYPE_BYTES_MAX} printable ASCII characters")]
    EventType,
    /// The payload and metadata of one event are too large.
    #[error("an event has at most {EVENT_BYTES_MAX} bytes")]
    EventTooLarge,
    /// Too many events, or too many bytes.
    #[error("an append has at most {EVENTS_MAX} events and {APPEND_BYTES_MAX} bytes")]
    TooLarge,
    /// `build` does not give the same for the same serials.
    #[error("the append's build names other streams each time")]
    BuildUnstable,
    /// `build` panicked.
    #[error("the append's build panicked")]
    BuildPanicked,
}
