//! Snapshots: the state of an aggregate at a version of its stream, so that only what came after is read.
//!
//! One per stream, and none is needed: whatever is wrong with one, the events tell the state. The store does not look
//! into the state.

use niyam_domain::{StreamId, TenantId, Version};
use sha2::{Digest, Sha256};

use crate::error::StoreError;
use crate::event::Hash;
use crate::sql::snapshots::{self, SnapshotRow};
use crate::store::EventStore;

/// The state of an aggregate at a version of its stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The version of the last event that the state holds.
    pub version: Version,
    /// The hash of that event.
    pub event_hash: Hash,
    /// JSON.
    pub state: Vec<u8>,
}

impl Snapshot {
    /// Binds the state to the event at its version. It finds a slip or a clumsy hand; who can compute the chain again
    /// can compute this again.
    fn seal(&self, tenant: &TenantId, stream: &StreamId, schema: &[u8; 32]) -> Hash {
        let mut digest = Sha256::new();
        for field in [
            tenant.as_str().as_bytes(),
            stream.as_str().as_bytes(),
            &self.version.0.to_be_bytes(),
            &self.event_hash,
            schema,
            &self.state,
        ] {
            digest.update((field.len() as u64).to_be_bytes());
            digest.update(field);
        }
        digest.finalize().into()
    }

    /// What is stored, if it is of use.
    pub(crate) fn checked(
        row: SnapshotRow,
        tenant: &TenantId,
        stream: &StreamId,
        schema: &[u8; 32],
    ) -> Option<Self> {
        let not_used = |reason: &'static str| {
            tracing::debug!(tenant.id = %tenant, stream.id = %stream, reason, "snapshot not used");
            None
        };
        if row.schema_hash != schema {
            return not_used("it was made under another schema");
        }
        let SnapshotRow { version, seal, state, event_hash, .. } = row;
        let (Ok(version), Ok(event_hash)) = (u64::try_from(version), event_hash.try_into()) else {
            return not_used("it is damaged");
        };
        let snapshot = Self { version: Version(version), event_hash, state };
        if snapshot.seal(tenant, stream, schema) != seal.as_slice() {
            return not_used("it does not belong to the event at its version");
        }
        Some(snapshot)
    }
}

impl EventStore {
    /// The stream's snapshot, if there is one that was made under `schema` and belongs to the stream's events as they
    /// are.
    ///
    /// # Errors
    ///
    /// If the database fails.
    pub async fn load_snapshot(
        &self,
        tenant: &TenantId,
        stream: &StreamId,
        schema: &[u8; 32],
    ) -> Result<Option<Snapshot>, StoreError> {
        let row = snapshots::find(self.database(), tenant, stream).await?;
        Ok(row.and_then(|row| Snapshot::checked(row, tenant, stream, schema)))
    }

    /// Keeps `snapshot` for its stream, made under `schema`, unless one of a later version is kept already. Says
    /// whether it did.
    ///
    /// # Errors
    ///
    /// If the database fails.
    pub async fn save_snapshot(
        &self,
        tenant: &TenantId,
        stream: &StreamId,
        schema: &[u8; 32],
        snapshot: &Snapshot,
    ) -> Result<bool, StoreError> {
        let row = SnapshotRow {
            version: snapshot.version.0.min(i64::MAX as u64).cast_signed(),
            schema_hash: schema.to_vec(),
            seal: snapshot.seal(tenant, stream, schema).to_vec(),
            state: snapshot.state.clone(),
            event_hash: snapshot.event_hash.to_vec(),
        };
        let recorded_at = self.config().clock.now().as_microsecond();
        snapshots::save(self.database(), tenant, stream, &row, recorded_at).await
    }
}
