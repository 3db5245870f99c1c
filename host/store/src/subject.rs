//! The keys of data subjects, as the store keeps them: wrapped by a master key that it never sees.
//!
//! A key is made, and destroyed, in the transaction of an append: see [`Append`](crate::Append). A destroyed one leaves
//! its row, and never comes back.

use jiff::Timestamp;
use niyam_domain::{SubjectKeyId, TenantId};

use crate::error::StoreError;
use crate::sql::subjects;
use crate::store::EventStore;

/// A key of a data subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectKey {
    /// Its name.
    pub id: SubjectKeyId,
    /// Whose it is: a keyed digest.
    pub subject: [u8; 32],
    /// The key, encrypted by the master key; `None` once it was destroyed.
    pub wrapped: Option<Vec<u8>>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was destroyed.
    pub erased_at: Option<Timestamp>,
}

/// A key that an append makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSubjectKey {
    /// Its name.
    pub id: SubjectKeyId,
    /// Whose it is: a keyed digest.
    pub subject: [u8; 32],
    /// The key, encrypted by the master key.
    pub wrapped: Vec<u8>,
}

impl EventStore {
    /// Those of `ids` that there are, as of now.
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
        Box::pin(subjects::by_id(self.database(), tenant, ids)).await
    }

    /// All keys that a subject has and had, the newest first.
    ///
    /// # Errors
    ///
    /// If the database fails.
    pub async fn keys_of_subject(
        &self,
        tenant: &TenantId,
        subject: &[u8; 32],
    ) -> Result<Vec<SubjectKey>, StoreError> {
        Box::pin(subjects::of_subject(self.database(), tenant, subject)).await
    }

    /// The keys of a tenant after `after`, destroyed ones first, at most `limit`. `after` is the last one seen.
    ///
    /// # Errors
    ///
    /// If the database fails.
    pub async fn subject_keys_after(
        &self,
        tenant: &TenantId,
        after: Option<&SubjectKey>,
        limit: u32,
    ) -> Result<Vec<SubjectKey>, StoreError> {
        Box::pin(subjects::after(self.database(), tenant, after, limit)).await
    }

    /// One of the keys that are not destroyed, whoever's it is; `None` if there is none.
    ///
    /// # Errors
    ///
    /// If the database fails.
    pub async fn some_subject_key(&self) -> Result<Option<(TenantId, SubjectKey)>, StoreError> {
        Box::pin(subjects::some(self.database())).await
    }

    /// Every key that was destroyed, by tenant.
    ///
    /// # Errors
    ///
    /// If the database fails.
    pub async fn erased_subject_keys(&self) -> Result<Vec<(TenantId, SubjectKey)>, StoreError> {
        Box::pin(subjects::erased(self.database())).await
    }

    /// Takes in keys that another store has, in one transaction. What is destroyed on either side is destroyed; says how
    /// many that destroyed here.
    ///
    /// # Errors
    ///
    /// If the database fails, or a subject has another key here.
    pub async fn put_subject_keys(&self, tenant: &TenantId, keys: &[SubjectKey]) -> Result<u64, StoreError> {
        if keys.is_empty() {
            return Ok(0);
        }
        Box::pin(subjects::put(self.database(), tenant, keys)).await
    }

    /// Clears away, as far as the database lets, what a destroyed key left in its files. Appends wait for it.
    ///
    /// # Errors
    ///
    /// If the database fails.
    pub async fn scrub(&self) -> Result<(), StoreError> {
        Box::pin(subjects::scrub(self.database())).await
    }
}
