//! What is stored, and what is read back.

use jiff::{Timestamp, civil};
use niyam_domain::{Position, StreamId, TenantId, Version};
use uuid::Uuid;

/// A link of the hash chain: sha-256.
pub type Hash = [u8; 32];

/// An event as the store holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Whose event it is.
    pub tenant: TenantId,
    /// Its number in the tenant's whole history.
    pub position: Position,
    /// The stream it belongs to.
    pub stream: StreamId,
    /// Its number in the stream.
    pub version: Version,
    /// Its id, given by the caller.
    pub id: Uuid,
    /// For example `invoice.issued.v1`.
    pub event_type: String,
    /// JSON, the very bytes that were appended.
    pub payload: Vec<u8>,
    /// JSON, the very bytes that were appended.
    pub metadata: Vec<u8>,
    /// When the store recorded it, to the microsecond.
    pub recorded_at: Timestamp,
    /// The day for which it counts in the tenant's books.
    pub effective_date: civil::Date,
    /// sha-256 of the previous event's hash and this event.
    pub hash: Hash,
}

/// Where a tenant's history ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Whose history.
    pub tenant: TenantId,
    /// Position of its last event.
    pub last_position: Position,
    /// Hash of its last event; 32 zero bytes before the first.
    pub hash: Hash,
}
