//! An event and a head as they are there, whatever was done to them.

use crate::chain::Link;
use crate::event::Hash;

/// An event; texts as bytes, which may be no text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// Where it stands in the tenant's history.
    pub position: i64,
    /// The stream it belongs to.
    pub stream: Vec<u8>,
    /// Its number in the stream.
    pub version: i64,
    /// Its id.
    pub event_id: Vec<u8>,
    /// Its type.
    pub event_type: Vec<u8>,
    /// When it was recorded.
    pub recorded_at: i64,
    /// The day for which it counts.
    pub effective_date: Vec<u8>,
    /// JSON.
    pub payload: Vec<u8>,
    /// JSON.
    pub metadata: Vec<u8>,
    /// Its hash, if that has the length of one.
    pub hash: Option<Hash>,
}

impl StoredEvent {
    /// The hash of its contents as the tenant's event at `position`, after an event with hash `previous`.
    pub fn hash_at(&self, tenant: &[u8], position: i64, previous: &Hash) -> Hash {
        Link {
            tenant,
            position,
            stream: &self.stream,
            version: self.version,
            event_id: &self.event_id,
            event_type: &self.event_type,
            recorded_at: self.recorded_at,
            effective_date: &self.effective_date,
            payload: &self.payload,
            metadata: &self.metadata,
        }
        .hash(previous)
    }

    /// Whether its own hash says that this is its place.
    pub fn fits(&self, tenant: &[u8], position: i64, previous: &Hash) -> bool {
        self.hash.is_some_and(|hash| hash == self.hash_at(tenant, position, previous))
    }

    /// About how much memory it takes.
    pub fn bytes(&self) -> usize {
        256 + self.stream.len() + self.payload.len() + self.metadata.len()
    }
}

/// The end of a tenant's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredHead {
    /// Position of its last event.
    pub position: i64,
    /// Hash of its last event, if it has the length of one.
    pub hash: Option<Hash>,
}
