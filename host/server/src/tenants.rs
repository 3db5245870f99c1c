//! The tenants as their events tell them; what was read before is kept, and only what came since is read again.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use niyam_domain::{DomainEvent as _, StreamId, Tenant, TenantEvent, TenantId, UnreadableEvent, Version};
use niyam_store::{EventStore, StoreError};

/// Why a stream could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An event does not make sense.
    #[error(transparent)]
    Unreadable(#[from] UnreadableEvent),
}

/// A tenant at a version of its stream.
#[derive(Debug, Clone)]
pub(crate) struct TenantAt {
    pub(crate) tenant: Arc<Tenant>,
    pub(crate) version: Version,
}

/// Reads tenants.
#[derive(Default)]
pub(crate) struct Tenants {
    known: RwLock<HashMap<TenantId, TenantAt>>,
}

impl Tenants {
    /// The tenant as of now, also when another process changed it a moment ago.
    pub(crate) async fn get(&self, store: &EventStore, id: &TenantId) -> Result<Option<TenantAt>, ReadError> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned();
        let after = known.as_ref().map_or(Version(0), |known| known.version);
        let events = store.load(id, &StreamId::tenant(), after).await?;
        let Some(last) = events.last() else { return Ok(known) };
        let version = last.version;
        let mut state = known.map(|known| Tenant::clone(&known.tenant));
        for event in &events {
            state = Some(Tenant::evolve(state, TenantEvent::read(&event.event_type, &event.payload)?)?);
        }
        let Some(tenant) = state else { return Ok(None) };
        let now = TenantAt { tenant: Arc::new(tenant), version };
        let mut all = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let kept = all.entry(id.clone()).or_insert_with(|| now.clone());
        if kept.version < now.version {
            *kept = now.clone();
        }
        Ok(Some(now))
    }
}
