//! All that reading what is sealed needs: the books and the master key. Enough for a database that is only read.

use std::path::Path;
use std::sync::Arc;

use niyam_domain::TenantId;
use niyam_store::{Books, SubjectKey};

use super::cipher::CipherKey;
use super::master::{KEY_FILE, MasterKey, UnwrapError};
use super::opening::{Opening, OpeningError};
use super::vault::{HeldKey, VaultError};

/// Opens the records of a database. Clones share the master key.
#[derive(Clone)]
pub(crate) struct Opener {
    books: Books,
    master: Arc<MasterKey>,
}

impl Opener {
    /// With the master key of the data folder, which must be the one of the database. Nothing is written.
    ///
    /// # Errors
    /// When the master key is not there while the database has keys that it wrapped, or is another one.
    pub(crate) async fn find(data_folder: &Path, books: Books) -> Result<Self, VaultError> {
        // Without a key that it wrapped, what is sealed was erased, and no master key opens it.
        Self::with(data_folder, books, |_| Ok(MasterKey::of(&rand::random()))).await
    }

    /// The same; `make` gives a master key when there is none, and none is needed yet.
    pub(super) async fn with(
        data_folder: &Path,
        books: Books,
        make: impl FnOnce(&Path) -> std::io::Result<MasterKey>,
    ) -> Result<Self, VaultError> {
        let path = data_folder.join(KEY_FILE);
        let failed = |source| VaultError::File { path: path.clone(), source };
        let some = books.some_subject_key().await?;
        let master = match (MasterKey::find(data_folder).map_err(failed)?, &some) {
            (Some(master), _) => master,
            (None, Some(_)) => return Err(VaultError::MasterMissing { path }),
            (None, None) => make(data_folder).map_err(failed)?,
        };
        let opener = Self { books, master: Arc::new(master) };
        if let Some((tenant, key)) = &some {
            opener
                .cipher(tenant, key)
                .map_err(|error| VaultError::MasterWrong { path: path.clone(), source: Box::new(error) })?;
        }
        Ok(opener)
    }

    /// What is recorded, sealed.
    pub(crate) const fn books(&self) -> &Books {
        &self.books
    }

    pub(super) fn master(&self) -> &MasterKey {
        &self.master
    }

    /// Reads what is sealed in the tenant's records.
    pub(crate) fn opening<'a>(&'a self, tenant: &'a TenantId) -> Opening<'a> {
        Opening::new(self, tenant)
    }

    /// The key; `None` once it was destroyed.
    pub(super) fn unwrap(
        &self,
        tenant: &TenantId,
        key: &SubjectKey,
    ) -> Result<Option<Arc<HeldKey>>, OpeningError> {
        let cipher = self.cipher(tenant, key).map_err(|source| OpeningError::Key { id: key.id, source })?;
        Ok(cipher.map(|cipher| Arc::new(HeldKey { id: key.id, subject: key.subject, cipher })))
    }

    fn cipher(&self, tenant: &TenantId, key: &SubjectKey) -> Result<Option<CipherKey>, UnwrapError> {
        let wrapped = key.wrapped.as_ref();
        wrapped.map(|wrapped| self.master.unwrap(tenant, key.id, &key.subject, wrapped)).transpose()
    }
}
