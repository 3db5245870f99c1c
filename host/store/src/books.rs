//! What is recorded, for a reader that needs no entrance to append: also of a database that is only read.

use niyam_domain::{Position, StreamId, SubjectKeyId, TenantId, Version};

use crate::component::check;
use crate::database::Database;
use crate::error::StoreError;
use crate::event::{Head, Recorded};
use crate::sql::{read, subjects, types};
use crate::subject::SubjectKey;

/// The histories and components of a database, read alone.
#[derive(Debug, Clone)]
pub struct Books {
    database: Database,
}

impl Books {
    /// Those of `database`, whichever way it was opened.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }

    /// Where they are read from.
    #[must_use]
    pub const fn database(&self) -> &Database {
        &self.database
    }

    /// Where the tenant's history ends; `None` if it has no events.
    ///
    /// # Errors
    ///
    /// If the database fails.
    pub async fn head(&self, tenant: &TenantId) -> Result<Option<Head>, StoreError> {
        read::head(&self.database, tenant).await
    }

    /// Where the history of every tenant that has events ends, in order of tenant.
    ///
    /// # Errors
    ///
    /// If the database fails.
    pub async fn heads(&self) -> Result<Vec<Head>, StoreError> {
        read::heads(&self.database).await
    }

    /// The events of the types after a position and up to another, in order, at most `limit`. Types are as stored.
    ///
    /// # Errors
    ///
    /// [`StoreError::Damaged`] if one is not as written. That one is missing is not seen here.
    pub async fn of_types(
        &self,
        tenant: &TenantId,
        event_types: &[String],
        range: (Position, Position),
        limit: u32,
    ) -> Result<Vec<Recorded>, StoreError> {
        let rows = types::page(&self.database, tenant, event_types, range, limit).await?;
        rows.into_iter().map(|row| row.recorded(tenant)).collect()
    }

    /// The events at these positions, in order. Ask for no more at once than may be held.
    ///
    /// # Errors
    ///
    /// [`StoreError::Damaged`] if one is missing or not as written.
    pub async fn at(&self, tenant: &TenantId, positions: &[Position]) -> Result<Vec<Recorded>, StoreError> {
        let rows = read::at(&self.database, tenant, positions).await?;
        let events: Vec<Recorded> =
            rows.into_iter().map(|row| row.recorded(tenant)).collect::<Result<_, _>>()?;
        let missing = |position: &&Position| {
            events.binary_search_by_key(&position.0, |event| event.position.0).is_err()
        };
        match positions.iter().find(missing) {
            Some(&position) => Err(StoreError::Damaged { tenant: tenant.clone(), position }),
            None => Ok(events),
        }
    }

    /// The events of a stream, in order, all at once: for a stream that is known to be short.
    ///
    /// # Errors
    ///
    /// [`StoreError::Damaged`] if one is not as written.
    pub async fn stream(&self, tenant: &TenantId, stream: &StreamId) -> Result<Vec<Recorded>, StoreError> {
        let rows = read::stream(&self.database, tenant, stream, Version(0), u32::MAX).await?;
        rows.into_iter().map(|row| row.recorded(tenant)).collect()
    }

    /// Positions of the last event of one of the `wanted` types in each stream that has none of the `ended` types, in
    /// order, up to a position. Types are as stored.
    ///
    /// # Errors
    ///
    /// If the database fails.
    pub async fn last_in_streams(
        &self,
        tenant: &TenantId,
        wanted: &[String],
        ended: &[String],
        up_to: Position,
    ) -> Result<Vec<Position>, StoreError> {
        types::last_in_streams(&self.database, tenant, (wanted, ended), up_to).await
    }

    /// Those of the keys of data subjects that there are, as of now.
    ///
    /// # Errors
    ///
    /// If the database fails.
    pub async fn subject_keys(
        &self,
        tenant: &TenantId,
        ids: &[SubjectKeyId],
    ) -> Result<Vec<SubjectKey>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        Box::pin(subjects::by_id(&self.database, tenant, ids)).await
    }

    /// Those of the keys of data subjects whose destruction the tenant's history tells of. A key that is destroyed
    /// without that was so in another history, or somebody tampered with it.
    ///
    /// # Errors
    ///
    /// If the database fails.
    pub async fn erasures_told(
        &self,
        tenant: &TenantId,
        ids: &[SubjectKeyId],
    ) -> Result<Vec<SubjectKeyId>, StoreError> {
        Box::pin(subjects::told(&self.database, tenant, ids)).await
    }

    /// Keys of data subjects that are gone, though the tenant's history tells of no erasure: somebody altered the
    /// database.
    ///
    /// # Errors
    ///
    /// If the database fails.
    pub async fn keys_lost(&self, tenant: &TenantId) -> Result<u64, StoreError> {
        let gone = Box::pin(subjects::gone(&self.database, tenant)).await?;
        let told = self.erasures_told(tenant, &gone).await?;
        Ok((gone.len() - told.len()) as u64)
    }

    /// One of the keys of data subjects that are not destroyed, whoever's it is; `None` if there is none.
    ///
    /// # Errors
    ///
    /// If the database fails.
    pub async fn some_subject_key(&self) -> Result<Option<(TenantId, SubjectKey)>, StoreError> {
        Box::pin(subjects::some(&self.database)).await
    }

    /// The component with this sha-256, checked.
    ///
    /// # Errors
    ///
    /// [`StoreError::DigestMismatch`] if the stored bytes are not those that were put in.
    pub async fn component(&self, digest: &[u8; 32]) -> Result<Option<Vec<u8>>, StoreError> {
        let bytes = read::component(&self.database, digest).await?;
        if let Some(bytes) = &bytes {
            check(digest, bytes)?;
        }
        Ok(bytes)
    }
}
