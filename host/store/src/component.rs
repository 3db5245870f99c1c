//! WebAssembly components by digest. They belong to the platform: tenants only name them.

use sha2::{Digest, Sha256};

use crate::error::StoreError;
use crate::sql::read;
use crate::store::EventStore;

impl EventStore {
    /// Keeps a component under its sha-256; keeping it again changes nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError::DigestMismatch`] if `digest` is not that of `bytes`.
    pub async fn put_component(&self, digest: &[u8; 32], bytes: &[u8]) -> Result<(), StoreError> {
        check(digest, bytes)?;
        read::put_component(self.database(), digest, bytes).await
    }

    /// The component with this sha-256, checked.
    ///
    /// # Errors
    ///
    /// [`StoreError::DigestMismatch`] if the stored bytes are not those that were put in.
    pub async fn component(&self, digest: &[u8; 32]) -> Result<Option<Vec<u8>>, StoreError> {
        let bytes = read::component(self.database(), digest).await?;
        if let Some(bytes) = &bytes {
            check(digest, bytes)?;
        }
        Ok(bytes)
    }
}

pub(crate) fn check(digest: &[u8; 32], bytes: &[u8]) -> Result<(), StoreError> {
    let found: [u8; 32] = Sha256::digest(bytes).into();
    if found == *digest { Ok(()) } else { Err(StoreError::DigestMismatch) }
}
