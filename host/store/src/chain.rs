//! The hash over an event and the one before it.
//!
//! `hash = sha256(previous hash, fields)`, where a field is its length in bytes as a 64-bit big-endian number and
//! then its bytes, in the order of [`Link`]; numbers are 8 bytes big-endian, texts UTF-8. The first event of a
//! tenant has 32 zero bytes for the previous hash. This format never changes.

use sha2::{Digest, Sha256};

use crate::event::{Hash, Recorded};

/// What stands for the previous hash of a tenant's first event.
pub const GENESIS: Hash = [0; 32];

/// The hashed fields of an event, as they are stored; texts as bytes, since what was tampered with may be no text.
pub struct Link<'a> {
    /// Whose event it is.
    pub tenant: &'a [u8],
    /// Its number in the tenant's history.
    pub position: i64,
    /// The stream it belongs to.
    pub stream: &'a [u8],
    /// Its number in the stream.
    pub version: i64,
    /// The 16 bytes of its id.
    pub event_id: &'a [u8],
    /// Its type.
    pub event_type: &'a [u8],
    /// When it was recorded, microseconds since 1970-01-01T00:00:00Z.
    pub recorded_at: i64,
    /// ISO 8601.
    pub effective_date: &'a [u8],
    /// JSON.
    pub payload: &'a [u8],
    /// JSON.
    pub metadata: &'a [u8],
}

impl Link<'_> {
    /// The event's hash, after an event with hash `previous`.
    pub fn hash(&self, previous: &Hash) -> Hash {
        let mut digest = Sha256::new();
        digest.update(previous);
        for field in [
            self.tenant,
            &self.position.to_be_bytes(),
            self.stream,
            &self.version.to_be_bytes(),
            self.event_id,
            self.event_type,
            &self.recorded_at.to_be_bytes(),
            self.effective_date,
            self.payload,
            self.metadata,
        ] {
            digest.update((field.len() as u64).to_be_bytes());
            digest.update(field);
        }
        digest.finalize().into()
    }
}

/// The hash of `event`, after an event with hash `previous`.
pub fn seal(event: &Recorded, previous: &Hash) -> Hash {
    Link {
        tenant: event.tenant.as_str().as_bytes(),
        position: event.position.0.cast_signed(),
        stream: event.stream.as_str().as_bytes(),
        version: event.version.0.cast_signed(),
        event_id: event.id.as_bytes(),
        event_type: event.event_type.as_bytes(),
        recorded_at: event.recorded_at.as_microsecond(),
        effective_date: event.effective_date.to_string().as_bytes(),
        payload: &event.payload,
        metadata: &event.metadata,
    }
    .hash(previous)
}

#[cfg(test)]
mod tests {
    use super::{GENESIS, Link};

    fn link<'a>(stream: &'a str, event_type: &'a str) -> Link<'a> {
        Link {
            tenant: b"acme",
            position: 1,
            stream: stream.as_bytes(),
            version: 1,
            event_id: &[7; 16],
            event_type: event_type.as_bytes(),
            recorded_at: 1_750_000_000_000_000,
            effective_date: b"2026-07-01",
            payload: b"{}",
            metadata: b"{}",
        }
    }

    #[test]
    fn the_format_of_the_hash_never_changes() {
        let hash = link("invoice/1", "invoice.drafted.v1").hash(&GENESIS);
        let hex = hash.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        assert_eq!(hex, "ae314bf2b1a49fd183a731b4b79cd78b3d96d737e8363fba02cb96b991d2654f");
    }

    #[test]
    fn bytes_that_move_between_fields_change_the_hash() {
        assert_ne!(link("ab", "c").hash(&GENESIS), link("a", "bc").hash(&GENESIS));
    }

    #[test]
    fn the_previous_hash_counts() {
        assert_ne!(link("a", "b").hash(&GENESIS), link("a", "b").hash(&[1; 32]));
    }
}
