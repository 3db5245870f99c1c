//! Encrypts what a command records: the personal places of its events, and of the answer that is kept for a repetition.

use std::sync::Arc;

use niyam_domain::personal::{self, Place};
use niyam_domain::{DomainEvent, StreamId, SubjectKeyId, TenantId, Version};
use niyam_store::{Append, NewEvent, NewSubjectKey};

use super::cipher::{Bound, CipherError};
use super::opening::OpeningError;
use super::vault::HeldKey;

/// A key that a command seals with.
pub(super) struct Used {
    /// The subject's name; `None` for the one that is known by the document alone.
    pub(super) name: Option<String>,
    pub(super) key: Arc<HeldKey>,
    /// What the append makes of it, when it is new.
    pub(super) new: Option<NewSubjectKey>,
}

/// The keys of one command's data subjects.
pub(crate) struct Sealing {
    tenant: TenantId,
    stream: StreamId,
    used: Vec<Used>,
}

impl Sealing {
    pub(super) fn new(tenant: TenantId, stream: StreamId, used: Vec<Used>) -> Self {
        Self { tenant, stream, used }
    }

    pub(super) fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &Arc<HeldKey>> {
        self.used.iter().map(|used| &used.key)
    }

    /// `recorded`, which is `event` of this command's stream, with its personal places sealed.
    pub(crate) fn event(
        &self,
        event: &impl DomainEvent,
        mut recorded: NewEvent,
    ) -> Result<NewEvent, OpeningError> {
        recorded.payload = self.seal(self.stream.as_str(), &event.personal(), recorded.payload)?;
        Ok(recorded)
    }

    /// The answer to the request with this idempotency key, with its personal places sealed.
    pub(crate) fn answer(
        &self,
        key: &str,
        places: &[Place],
        answer: Vec<u8>,
    ) -> Result<Vec<u8>, OpeningError> {
        self.seal(&answer_place(key), places, answer)
    }

    /// `append`, which makes the keys that are new, and is refused once one of the others is destroyed.
    pub(crate) fn guard(&self, append: Append) -> Append {
        let known = self.used.iter().filter(|used| used.new.is_none());
        let unchanged: Vec<_> = known.map(|used| (used.key.id.stream(), Version(0))).collect();
        append.unchanged(unchanged).new_keys(self.used.iter().filter_map(|used| used.new.clone()))
    }

    /// Whether the stream is that of one of its keys.
    pub(crate) fn guards(&self, stream: &StreamId) -> bool {
        let key: Option<SubjectKeyId> = SubjectKeyId::of_stream(stream);
        key.is_some_and(|id| self.used.iter().any(|used| used.key.id == id))
    }

    fn seal(&self, place: &str, places: &[Place], json: Vec<u8>) -> Result<Vec<u8>, OpeningError> {
        if places.is_empty() {
            return Ok(json);
        }
        let key = |wanted: &Place| {
            let used = self.used.iter().find(|used| used.name == wanted.subject);
            used.map(|used| &used.key)
        };
        seal(&self.tenant, place, places, &json, key)
    }
}

/// `json` with each place sealed under the key that `key` gives for it.
pub(super) fn seal<'a>(
    tenant: &TenantId,
    place: &str,
    places: &[Place],
    json: &[u8],
    key: impl Fn(&Place) -> Option<&'a Arc<HeldKey>>,
) -> Result<Vec<u8>, OpeningError> {
    let damaged = || OpeningError::Damaged { place: place.to_owned() };
    let json = std::str::from_utf8(json).map_err(|_| damaged())?;
    let closed = personal::close(json, places, |wanted, plain| {
        let key = key(wanted).ok_or(CipherError)?;
        key.cipher.seal(&Bound { tenant, key: key.id, place, kind: wanted.kind }, plain)
    });
    closed.map(String::into_bytes).map_err(|error| {
        tracing::error!(%error, place, "personal data could not be sealed");
        damaged()
    })
}

/// What the sealed places of a kept answer are bound to.
pub(super) fn answer_place(key: &str) -> String {
    format!("answer/{key}")
}
