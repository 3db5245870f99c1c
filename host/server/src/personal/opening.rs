//! Decrypts what was recorded. A key that is gone leaves a placeholder, and that is told.

use std::collections::HashMap;
use std::sync::Arc;

use niyam_domain::personal::{self, Place, SealError};
use niyam_domain::{DomainEvent, Position, StreamId, SubjectKeyId, TenantId, UnreadableEvent};
use niyam_store::{Recorded, StoreError};

use super::cipher::{Bound, CipherError};
use super::master::UnwrapError;
use super::sealing::{Sealing, answer_place, seal};
use super::vault::{HeldKey, Vault};

/// Why personal data cannot be read, though they were not erased.
#[derive(Debug, thiserror::Error)]
pub enum OpeningError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key that they are under is neither there nor destroyed.
    #[error("the key {0} of a data subject is missing")]
    Missing(SubjectKeyId),
    /// The key does not open.
    #[error("the key {id} of a data subject cannot be used: {source}")]
    Key {
        /// Which.
        id: SubjectKeyId,
        /// Why.
        source: UnwrapError,
    },
    /// They are not what was sealed there.
    #[error("the personal data of {place} are damaged")]
    Damaged {
        /// Where.
        place: String,
    },
}

/// An event whose personal data were erased: what a module was asked can no longer be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("personal data of the event at position {position} were erased: its decisions cannot be run again")]
pub(crate) struct Erased {
    /// Where.
    pub(crate) position: Position,
}

/// An event with nothing sealed in its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Opened {
    /// The event; its payload is what it was before it was sealed, or has placeholders.
    pub(crate) event: Recorded,
    /// Whether it has placeholders.
    pub(crate) erased: bool,
}

impl Opened {
    /// What happened, with placeholders for what was erased.
    pub(crate) fn read<E: DomainEvent>(&self) -> Result<E, UnreadableEvent> {
        E::read(&self.event.event_type, &self.event.payload)
    }

    /// The event as it was recorded, for running its decisions again.
    #[cfg_attr(not(test), expect(dead_code, reason = "for what runs decisions again"))]
    pub(crate) fn whole(self) -> Result<Recorded, Erased> {
        if self.erased { Err(Erased { position: self.event.position }) } else { Ok(self.event) }
    }
}

/// Reads one tenant's records, as of one moment: make a new one for each request or page.
pub(crate) struct Opening<'a> {
    vault: &'a Vault,
    tenant: &'a TenantId,
    /// Those asked for so far; `None` for those that were destroyed.
    keys: HashMap<SubjectKeyId, Option<Arc<HeldKey>>>,
}

impl<'a> Opening<'a> {
    pub(super) fn new(vault: &'a Vault, tenant: &'a TenantId) -> Self {
        Self { vault, tenant, keys: HashMap::new() }
    }

    /// Knows the keys that a command has just sealed with.
    pub(crate) fn knowing(mut self, sealing: &Sealing) -> Self {
        self.keys.extend(sealing.keys().map(|key| (key.id, Some(Arc::clone(key)))));
        self
    }

    /// Opens events, with one look at the keys for all of them.
    pub(crate) async fn events(&mut self, events: Vec<Recorded>) -> Result<Vec<Opened>, OpeningError> {
        let texts: Vec<&[u8]> = events.iter().map(|event| event.payload.as_slice()).collect();
        self.look_up(&texts).await?;
        let mut opened = Vec::with_capacity(events.len());
        for mut event in events {
            let (payload, erased) = self.open(event.stream.as_str(), event.payload)?;
            event.payload = payload;
            opened.push(Opened { event, erased });
        }
        Ok(opened)
    }

    /// Opens the answer that was kept for an idempotency key.
    pub(crate) async fn answer(&mut self, key: &str, answer: Vec<u8>) -> Result<Vec<u8>, OpeningError> {
        self.look_up(&[&answer]).await?;
        Ok(self.open(&answer_place(key), answer)?.0)
    }

    /// Opens JSON that belongs to a stream: a snapshot.
    pub(crate) async fn of_stream(
        &mut self,
        stream: &StreamId,
        json: Vec<u8>,
    ) -> Result<Vec<u8>, OpeningError> {
        self.look_up(&[&json]).await?;
        Ok(self.open(stream.as_str(), json)?.0)
    }

    /// Opens texts that views copied from events, each with the name of its stream.
    pub(crate) async fn copies(&mut self, texts: &[(String, &str)]) -> Result<Vec<Vec<u8>>, OpeningError> {
        let sealed: Vec<&[u8]> = texts.iter().map(|(_, text)| text.as_bytes()).collect();
        self.look_up(&sealed).await?;
        let open = |(stream, text): &(String, &str)| Ok(self.open(stream, text.as_bytes().to_vec())?.0);
        texts.iter().map(open).collect()
    }

    /// Seals a state that was told by what this has opened, for a snapshot: under the keys that it was opened with, and
    /// no others, since one of them may be destroyed by now. What was never sealed stays as it is.
    pub(crate) fn seal_again(
        &self,
        stream: &StreamId,
        places: Vec<Place>,
        state: Vec<u8>,
    ) -> Result<Vec<u8>, OpeningError> {
        let key = |place: &Place| {
            let name = place.subject.as_deref().unwrap_or(stream.as_str());
            let subject = self.vault.subject(self.tenant, name);
            self.keys.values().flatten().find(|key| key.subject == subject)
        };
        let places: Vec<Place> = places.into_iter().filter(|place| key(place).is_some()).collect();
        if places.is_empty() {
            return Ok(state);
        }
        seal(self.tenant, stream.as_str(), &places, &state, key)
    }

    /// The keys that opened something.
    pub(crate) fn keys(&self) -> Vec<SubjectKeyId> {
        let mut keys: Vec<_> = self.keys.values().flatten().map(|key| key.id).collect();
        keys.sort_unstable();
        keys
    }

    /// Looks up those keys that the texts need and that were not asked for yet.
    async fn look_up(&mut self, texts: &[&[u8]]) -> Result<(), OpeningError> {
        let mut wanted = Vec::new();
        for text in texts.iter().filter_map(|text| std::str::from_utf8(text).ok()) {
            let keys = personal::keys(text);
            let keys = keys.map_err(|_| OpeningError::Damaged { place: "a record".to_owned() })?;
            wanted.extend(keys.into_iter().filter(|key| !self.keys.contains_key(key)));
        }
        if wanted.is_empty() {
            return Ok(());
        }
        wanted.sort_unstable();
        wanted.dedup();
        for key in self.vault.store().subject_keys(self.tenant, &wanted).await? {
            self.keys.insert(key.id, self.vault.unwrap(self.tenant, &key)?);
        }
        Ok(())
    }

    fn open(&self, place: &str, json: Vec<u8>) -> Result<(Vec<u8>, bool), OpeningError> {
        if !personal::is_sealed(&json) {
            return Ok((json, false));
        }
        let damaged = || OpeningError::Damaged { place: place.to_owned() };
        let text = String::from_utf8(json).map_err(|_| damaged())?;
        let open = personal::open(&text, |sealed| {
            let Some(key) = self.keys.get(&sealed.key) else { return Err(OpeningError::Missing(sealed.key)) };
            let Some(key) = key else { return Ok(None) };
            let bound = Bound { tenant: self.tenant, key: sealed.key, place, kind: sealed.kind };
            key.cipher.open(&bound, sealed).map(Some).map_err(|CipherError| damaged())
        });
        match open {
            Ok(open) => Ok((open.json.into_bytes(), open.erased)),
            Err(SealError::Cipher(error)) => Err(error),
            Err(SealError::Missing(_) | SealError::Shape) => Err(damaged()),
        }
    }
}
