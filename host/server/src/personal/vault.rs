//! The keys of data subjects: found or made for what is written, and looked up for what is read.
//!
//! What is read is opened with keys that the database has at that moment: none is kept, so that none outlives its
//! erasure on any host. What is written may be sealed with a key that is kept, since the append is refused once that key
//! has a stream, which is where its erasure is told.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use niyam_domain::personal::Place;
use niyam_domain::{StreamId, SubjectKeyId, TenantId};
use niyam_store::{EventStore, NewSubjectKey, StoreError, SubjectKey};
use zeroize::Zeroizing;

use super::cipher::{CipherError, CipherKey};
use super::ledger::Ledger;
use super::master::{KEY_FILE, MasterKey, UnwrapError};
use super::opening::{Opening, OpeningError};
use super::sealing::{Sealing, Used};
use crate::ids::IdSource;

/// Keys that are kept for writing, at most.
const HELD_MAX: usize = 10_000;

/// Why personal data cannot be worked with. The server does not start.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The file is not there, and the database has keys that it wrapped.
    #[error("{} is not there, and the database has personal data that only it opens: put it back", path.display())]
    MasterMissing {
        /// Where it should be.
        path: PathBuf,
    },
    /// It is another one.
    #[error("{} is not the master key of this database's personal data: {source}", path.display())]
    MasterWrong {
        /// Where it lies.
        path: PathBuf,
        /// What was found.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A file of the data folder cannot be used.
    #[error("failed to use {}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A key of a data subject, unwrapped.
pub(super) struct HeldKey {
    pub(super) id: SubjectKeyId,
    pub(super) subject: [u8; 32],
    pub(super) cipher: CipherKey,
}

/// By tenant and subject.
type HeldKeys = HashMap<(TenantId, [u8; 32]), Arc<HeldKey>>;

/// The keys of data subjects. Clones share what they hold.
#[derive(Clone)]
pub(crate) struct Vault {
    inner: Arc<Inner>,
}

struct Inner {
    store: EventStore,
    master: MasterKey,
    ids: Arc<dyn IdSource>,
    ledger: Ledger,
    held: Mutex<HeldKeys>,
}

impl Vault {
    /// Opens the master key of the data folder, which must be the one of the database, and destroys again what was
    /// erased and came back with an old backup.
    pub(crate) async fn open(
        data_folder: &Path,
        store: EventStore,
        ids: Arc<dyn IdSource>,
    ) -> Result<Self, VaultError> {
        let path = data_folder.join(KEY_FILE);
        let failed = |source| VaultError::File { path: path.clone(), source };
        let some = store.some_subject_key().await?;
        let master = match (MasterKey::find(data_folder).map_err(failed)?, &some) {
            (Some(master), _) => master,
            (None, Some(_)) => return Err(VaultError::MasterMissing { path }),
            (None, None) => MasterKey::open(data_folder).map_err(failed)?,
        };
        if let Some((tenant, key)) = &some {
            unwrap(&master, tenant, key)
                .map_err(|error| VaultError::MasterWrong { path: path.clone(), source: Box::new(error) })?;
        }
        let ledger = Ledger::of(data_folder);
        let failed = |source| VaultError::File { path: ledger.path().to_owned(), source };
        ledger.settle(&store).await?.map_err(failed)?;
        Ok(Self { inner: Arc::new(Inner { store, master, ids, ledger, held: Mutex::default() }) })
    }

    pub(crate) fn store(&self) -> &EventStore {
        &self.inner.store
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.inner.ledger
    }

    /// What stands for a subject's name in the database.
    pub(crate) fn subject(&self, tenant: &TenantId, name: &str) -> [u8; 32] {
        self.inner.master.subject(tenant, name)
    }

    /// Reads what is sealed in the tenant's records.
    pub(crate) fn opening<'a>(&'a self, tenant: &'a TenantId) -> Opening<'a> {
        Opening::new(self, tenant)
    }

    /// Seals what is written to `stream` at places like these: with the keys that their subjects have, or new ones, which
    /// the append makes.
    pub(crate) async fn sealing(
        &self,
        tenant: &TenantId,
        stream: &StreamId,
        places: &[Place],
    ) -> Result<Sealing, OpeningError> {
        let mut used: Vec<Used> = Vec::new();
        for place in places {
            if used.iter().any(|used| used.name == place.subject) {
                continue;
            }
            let name = place.subject.as_deref().unwrap_or(stream.as_str());
            let subject = self.subject(tenant, name);
            let (key, new) = match self.held(tenant, &subject) {
                Some(key) => (key, None),
                None => self.find_or_make(tenant, subject).await?,
            };
            used.push(Used { name: place.subject.clone(), key, new });
        }
        Ok(Sealing::new(tenant.clone(), stream.clone(), used))
    }

    async fn find_or_make(
        &self,
        tenant: &TenantId,
        subject: [u8; 32],
    ) -> Result<(Arc<HeldKey>, Option<NewSubjectKey>), OpeningError> {
        let found = self.inner.store.keys_of_subject(tenant, &subject).await?;
        if let Some(live) = found.iter().find(|key| key.erased_at.is_none())
            && let Some(key) = self.unwrap(tenant, live)?
        {
            self.hold(tenant, &key);
            return Ok((key, None));
        }
        let id = SubjectKeyId(self.inner.ids.next_id());
        let bytes: Zeroizing<[u8; 32]> = Zeroizing::new(rand::random());
        let wrapped = self.inner.master.wrap(tenant, id, &subject, &bytes);
        let wrapped =
            wrapped.map_err(|CipherError| OpeningError::Damaged { place: "a new key".to_owned() })?;
        let key = HeldKey { id, subject, cipher: CipherKey::new(&bytes) };
        Ok((Arc::new(key), Some(NewSubjectKey { id, subject, wrapped })))
    }

    /// The key; `None` once it was destroyed.
    pub(super) fn unwrap(
        &self,
        tenant: &TenantId,
        key: &SubjectKey,
    ) -> Result<Option<Arc<HeldKey>>, OpeningError> {
        let Some(cipher) = unwrap(&self.inner.master, tenant, key)
            .map_err(|source| OpeningError::Key { id: key.id, source })?
        else {
            return Ok(None);
        };
        Ok(Some(Arc::new(HeldKey { id: key.id, subject: key.subject, cipher })))
    }

    /// Keeps the keys of an append that is durable.
    pub(crate) fn keep(&self, sealing: &Sealing) {
        for key in sealing.keys() {
            self.hold(sealing.tenant(), key);
        }
    }

    /// Forgets the keys of an append that was refused for one of them.
    pub(crate) fn forget(&self, sealing: &Sealing) {
        for key in sealing.keys() {
            self.forget_subject(sealing.tenant(), &key.subject);
        }
    }

    /// Forgets the key of a subject that was erased.
    pub(crate) fn forget_subject(&self, tenant: &TenantId, subject: &[u8; 32]) {
        let mut held = self.inner.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.remove(&(tenant.clone(), *subject));
    }

    fn held(&self, tenant: &TenantId, subject: &[u8; 32]) -> Option<Arc<HeldKey>> {
        let held = self.inner.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.get(&(tenant.clone(), *subject)).cloned()
    }

    fn hold(&self, tenant: &TenantId, key: &Arc<HeldKey>) {
        let mut held = self.inner.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.len() >= HELD_MAX {
            held.clear();
        }
        held.insert((tenant.clone(), key.subject), Arc::clone(key));
    }
}

fn unwrap(master: &MasterKey, tenant: &TenantId, key: &SubjectKey) -> Result<Option<CipherKey>, UnwrapError> {
    let wrapped = key.wrapped.as_ref();
    wrapped.map(|wrapped| master.unwrap(tenant, key.id, &key.subject, wrapped)).transpose()
}
