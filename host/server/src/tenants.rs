//! The tenants as their events tell them; what was read before is kept, and only what came since is read again.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use niyam_domain::{StreamId, Tenant, TenantId, Version};

use crate::aggregates::{Aggregates, ReadError};

/// A tenant at a version of its stream.
#[derive(Debug, Clone)]
pub(crate) struct TenantAt {
    pub(crate) tenant: Arc<Tenant>,
    pub(crate) version: Version,
}

/// Reads tenants.
pub(crate) struct Tenants {
    aggregates: Aggregates,
    known: RwLock<HashMap<TenantId, TenantAt>>,
}

impl Tenants {
    pub(crate) fn new(aggregates: Aggregates) -> Self {
        Self { aggregates, known: RwLock::default() }
    }

    /// The tenant as of now, also when another process changed it a moment ago.
    pub(crate) async fn get(&self, id: &TenantId) -> Result<Option<TenantAt>, ReadError> {
        let stream = StreamId::tenant();
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned();
        let loaded = match &known {
            Some(known) => self.aggregates.catch_up(id, &stream, &*known.tenant, known.version).await?,
            None => self.aggregates.load(id, &stream).await?,
        };
        let Some(loaded) = loaded else { return Ok(known) };
        let now = TenantAt { tenant: Arc::new(loaded.state), version: loaded.version };
        let mut all = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let kept = all.entry(id.clone()).or_insert_with(|| now.clone());
        if kept.version < now.version {
            *kept = now.clone();
        }
        Ok(Some(now))
    }
}
