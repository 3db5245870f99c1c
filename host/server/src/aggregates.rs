//! Aggregates as their events tell them: the last snapshot, and the events that came after it.
//!
//! A snapshot only saves reading. Whether there is one, it is of use, or it could be kept changes nothing else.

use std::borrow::Cow;
use std::collections::HashSet;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};

use futures::{Stream, TryStreamExt as _};
use niyam_domain::{Aggregate, DomainEvent as _, STATE_SCHEMA, StreamId, TenantId, UnreadableEvent, Version};
use niyam_store::{EventStore, Recorded, Snapshot, StoreError};

/// Events that a load may read before it leaves a snapshot behind.
const EVENTS_MAX: u64 = 100;

/// Why a stream could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
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
}

/// Loads aggregates.
#[derive(Clone)]
pub(crate) struct Aggregates {
    store: EventStore,
    /// Streams for which a snapshot is on its way.
    saving: Arc<Mutex<HashSet<(TenantId, StreamId)>>>,
}

impl Aggregates {
    pub(crate) fn new(store: EventStore) -> Self {
        Self { store, saving: Arc::default() }
    }

    /// The aggregate; `None` if its stream has no events.
    pub(crate) async fn load<A: Aggregate>(
        &self,
        tenant: &TenantId,
        stream: &StreamId,
    ) -> Result<Option<Loaded<A>>, ReadError> {
        let (snapshot, events) = Box::pin(self.store.resume(tenant, stream, &STATE_SCHEMA)).await?;
        let Some(snapshot) = snapshot else {
            return self.replay(tenant, stream, None, Version(0), events).await;
        };
        match serde_json::from_slice(&snapshot.state) {
            Ok(state) => self.replay(tenant, stream, Some(Cow::Owned(state)), snapshot.version, events).await,
            Err(error) => {
                tracing::debug!(%error, tenant.id = %tenant, stream.id = %stream, "snapshot not used: it does not read");
                let events = Box::pin(self.store.stream(tenant.clone(), stream.clone(), Version(0)));
                Box::pin(self.replay(tenant, stream, None, Version(0), events)).await
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
        let events = self.store.stream(tenant.clone(), stream.clone(), version);
        self.replay(tenant, stream, Some(Cow::Borrowed(known)), version, events).await
    }

    /// Takes in the `events` after `version`. `None` if there is neither an event nor a state of our own to begin with.
    async fn replay<A: Aggregate>(
        &self,
        tenant: &TenantId,
        stream: &StreamId,
        mut state: Option<Cow<'_, A>>,
        mut version: Version,
        events: impl Stream<Item = Result<Recorded, StoreError>>,
    ) -> Result<Option<Loaded<A>>, ReadError> {
        let mut events = pin!(events);
        let (mut events_read, mut event_hash) = (0, None);
        while let Some(event) = events.try_next().await? {
            let next = A::Event::read(&event.event_type, &event.payload)?;
            state = Some(Cow::Owned(A::evolve(state.map(Cow::into_owned), next)?));
            version = event.version;
            event_hash = Some(event.hash);
            events_read += 1;
        }
        let Some(Cow::Owned(state)) = state else { return Ok(None) };
        if let Some(event_hash) = event_hash
            && events_read > EVENTS_MAX
        {
            match serde_json::to_vec(&state) {
                Ok(state) => self.save(tenant, stream, Snapshot { version, event_hash, state }),
                Err(error) => tracing::debug!(%error, stream.id = %stream, "a state has no JSON form"),
            }
        }
        Ok(Some(Loaded { state, version, events_read }))
    }

    /// Keeps a snapshot in the background, one at a time for a stream.
    fn save(&self, tenant: &TenantId, stream: &StreamId, snapshot: Snapshot) {
        let (store, saving) = (self.store.clone(), Arc::clone(&self.saving));
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
