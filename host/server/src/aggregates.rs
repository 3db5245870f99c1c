//! Aggregates as their events tell them: the last snapshot, and the events that came after it.
//!
//! A snapshot only saves reading. Whether there is one, it is of use, or it could be kept changes nothing else.

use std::borrow::Cow;
use std::collections::HashSet;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};

use futures::{Stream, TryStreamExt as _};
use niyam_domain::{Aggregate, STATE_SCHEMA, StreamId, SubjectKeyId, TenantId, UnreadableEvent, Version};
use niyam_store::{Recorded, Snapshot, StoreError};

use crate::personal::opening::Opening;
use crate::personal::{OpeningError, Vault};

/// Events that a load may read before it leaves a snapshot behind.
const EVENTS_MAX: u64 = 100;
/// Events whose keys are looked up at once.
const EVENTS_AT_ONCE: usize = 256;

/// Why a stream could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Personal data cannot be opened.
    #[error(transparent)]
    Opening(#[from] OpeningError),
    /// An event does not make sense.
    #[error(transparent)]
    Unreadable(#[from] UnreadableEvent),
}

/// An aggregate at a version of its stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Loaded<A> {
    pub(crate) state: A,
    pub(crate) version: Version,
    /// How many events were read for it.
    pub(crate) events_read: u64,
    /// The keys of data subjects that opened it. What is recorded again of it must not outlive one of them.
    pub(crate) keys: Vec<SubjectKeyId>,
}

/// Loads aggregates.
#[derive(Clone)]
pub(crate) struct Aggregates {
    vault: Vault,
    /// Streams for which a snapshot is on its way.
    saving: Arc<Mutex<HashSet<(TenantId, StreamId)>>>,
}

impl Aggregates {
    pub(crate) fn new(vault: Vault) -> Self {
        Self { vault, saving: Arc::default() }
    }

    /// The aggregate; `None` if its stream has no events.
    pub(crate) async fn load<A: Aggregate>(
        &self,
        tenant: &TenantId,
        stream: &StreamId,
    ) -> Result<Option<Loaded<A>>, ReadError> {
        let mut opening = self.vault.opening(tenant);
        let (snapshot, events) = Box::pin(self.vault.store().resume(tenant, stream, &STATE_SCHEMA)).await?;
        let Some(snapshot) = snapshot else {
            return self.replay(opening, tenant, stream, None, Version(0), events).await;
        };
        let version = snapshot.version;
        match self.state(&mut opening, tenant, stream, snapshot).await? {
            Some(state) => {
                self.replay(opening, tenant, stream, Some(Cow::Owned(state)), version, events).await
            }
            None => {
                let events = Box::pin(self.vault.store().stream(tenant.clone(), stream.clone(), Version(0)));
                Box::pin(self.replay(opening, tenant, stream, None, Version(0), events)).await
            }
        }
    }

    /// What became of an aggregate since it was loaded; `None` if it is still the same.
    pub(crate) async fn catch_up<A: Aggregate>(
        &self,
        tenant: &TenantId,
        stream: &StreamId,
        known: &A,
        version: Version,
    ) -> Result<Option<Loaded<A>>, ReadError> {
        let opening = self.vault.opening(tenant);
        let events = self.vault.store().stream(tenant.clone(), stream.clone(), version);
        self.replay(opening, tenant, stream, Some(Cow::Borrowed(known)), version, events).await
    }

    /// Takes in the `events` after `version`. `None` if there is neither an event nor a state of our own to begin with.
    async fn replay<A: Aggregate>(
        &self,
        mut opening: Opening<'_>,
        tenant: &TenantId,
        stream: &StreamId,
        mut state: Option<Cow<'_, A>>,
        mut version: Version,
        events: impl Stream<Item = Result<Recorded, StoreError>>,
    ) -> Result<Option<Loaded<A>>, ReadError> {
        let mut pages = pin!(events.try_chunks(EVENTS_AT_ONCE));
        let (mut events_read, mut event_hash) = (0, None);
        while let Some(page) = pages.try_next().await.map_err(|failed| failed.1)? {
            for opened in opening.events(page).await? {
                let next = opened.read()?;
                state = Some(Cow::Owned(A::evolve(state.map(Cow::into_owned), next)?));
                version = opened.event.version;
                event_hash = Some(opened.event.hash);
                events_read += 1;
            }
        }
        let Some(Cow::Owned(state)) = state else { return Ok(None) };
        if let Some(event_hash) = event_hash
            && events_read > EVENTS_MAX
        {
            let sealed = serde_json::to_vec(&state).map_err(|error| error.to_string()).and_then(|bytes| {
                opening.seal_again(stream, state.personal(), bytes).map_err(|error| error.to_string())
            });
            match sealed {
                Ok(state) => self.save(tenant, stream, Snapshot { version, event_hash, state }),
                Err(error) => tracing::debug!(%error, stream.id = %stream, "a state cannot be kept"),
            }
        }
        Ok(Some(Loaded { state, version, events_read, keys: opening.keys() }))
    }

    /// The state that a snapshot holds, if it is of use.
    async fn state<A: Aggregate>(
        &self,
        opening: &mut Opening<'_>,
        tenant: &TenantId,
        stream: &StreamId,
        snapshot: Snapshot,
    ) -> Result<Option<A>, StoreError> {
        let state = match opening.of_stream(stream, snapshot.state).await {
            Ok(state) => state,
            Err(OpeningError::Store(error)) => return Err(error),
            Err(error) => {
                tracing::debug!(%error, tenant.id = %tenant, stream.id = %stream, "snapshot not used: it does not open");
                return Ok(None);
            }
        };
        match serde_json::from_slice(&state) {
            Ok(state) => Ok(Some(state)),
            Err(error) => {
                tracing::debug!(%error, tenant.id = %tenant, stream.id = %stream, "snapshot not used: it does not read");
                Ok(None)
            }
        }
    }

    /// Keeps a snapshot in the background, one at a time for a stream.
    fn save(&self, tenant: &TenantId, stream: &StreamId, snapshot: Snapshot) {
        let (store, saving) = (self.vault.store().clone(), Arc::clone(&self.saving));
        let key = (tenant.clone(), stream.clone());
        if !saving.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone()) {
            return;
        }
        tokio::spawn(async move {
            let (tenant, stream) = &key;
            if let Err(error) = store.save_snapshot(tenant, stream, &STATE_SCHEMA, &snapshot).await {
                tracing::debug!(%error, tenant.id = %tenant, stream.id = %stream, "snapshot not kept");
            }
            saving.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
        });
    }
}

#[cfg(test)]
#[path = "aggregates_tests.rs"]
mod tests;
