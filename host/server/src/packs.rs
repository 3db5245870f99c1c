//! Which module answers: the bundled ones, and those that activations name.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use niyam_domain::{Activation, TenantId};
use niyam_modules::{LoadError, Module, ModuleFailure, ModuleHost};
use niyam_store::{EventStore, StoreError};
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;

use crate::turns::{Busy, CALLS_AT_ONCE, CALLS_OF_TENANT, Turns};

/// The components in the binary.
static BUNDLED: &[&[u8]] = include!(concat!(env!("OUT_DIR"), "/bundled.rs"));

/// Why no module answered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PackError {
    /// The module did not answer.
    #[error(transparent)]
    Failed(#[from] ModuleFailure),
    /// Too many calls wait.
    #[error("too many module calls wait for their turn")]
    Busy,
    /// The component that the activation names cannot be loaded.
    #[error("module {id} cannot be loaded")]
    Unavailable {
        /// Its id.
        id: String,
        /// Why.
        #[source]
        source: Option<LoadError>,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The modules of this process.
pub(crate) struct Packs {
    host: Arc<ModuleHost>,
    store: EventStore,
    bundled: Vec<Arc<Module>>,
    turns: Turns,
    /// Components that are read at one time.
    inspections: Arc<Semaphore>,
    /// When each module was called last, in looks of [`Self::forget_idle`].
    used: Mutex<Used>,
}

/// What was called when.
#[derive(Default)]
struct Used {
    looks: u64,
    last: HashMap<String, u64>,
}

impl Packs {
    /// Takes the bundled modules, and `more`, through the checks that any module goes through.
    pub(crate) async fn load(
        host: Arc<ModuleHost>,
        store: EventStore,
        more: &[Vec<u8>],
    ) -> Result<Self, PackError> {
        let mut bundled = Vec::new();
        let components = BUNDLED.iter().map(|bytes| bytes.to_vec()).chain(more.iter().cloned());
        for bytes in components {
            let host = Arc::clone(&host);
            let (bytes, loaded) = blocking(move || {
                let loaded = host.load(&bytes);
                (bytes, loaded)
            })
            .await;
            let module = loaded.map_err(|source| PackError::Unavailable {
                id: "bundled".to_owned(),
                source: Some(source),
            })?;
            if let Some(digest) = digest_bytes(&module.reference().digest) {
                store.put_component(&digest, &bytes).await?;
            }
            tracing::info!(
                module.id = module.reference().id,
                module.version = module.reference().version,
                module.digest = module.reference().digest,
                "module loaded"
            );
            bundled.push(module);
        }
        Ok(Self {
            host,
            store,
            bundled,
            turns: Turns::new(CALLS_AT_ONCE, CALLS_OF_TENANT),
            inspections: Arc::new(Semaphore::new(2)),
            used: Mutex::default(),
        })
    }

    /// What takes components in.
    pub(crate) fn host(&self) -> Arc<ModuleHost> {
        Arc::clone(&self.host)
    }

    /// The compliance pack of that id that came with the binary.
    pub(crate) fn bundled(&self, id: &str) -> Option<Arc<Module>> {
        self.bundled.iter().find(|module| module.is_compliance_pack() && module.reference().id == id).cloned()
    }

    /// Ids of the compliance packs that came with the binary.
    pub(crate) fn bundled_ids(&self) -> Vec<String> {
        self.bundled
            .iter()
            .filter(|module| module.is_compliance_pack())
            .map(|module| module.reference().id.clone())
            .collect()
    }

    /// Calls the module of `activation`, off the async workers and in its turn.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        tenant: &TenantId,
        activation: &Activation,
        call: impl FnOnce(&Module, &str) -> Result<T, ModuleFailure> + Send + 'static,
    ) -> Result<T, PackError> {
        let module = self.module(activation).await?;
        let config = activation.config.clone();
        let answered = self.turns.run(tenant, move || call(&module, &config)).await;
        Ok(answered.map_err(|Busy| PackError::Busy)??)
    }

    async fn module(&self, activation: &Activation) -> Result<Arc<Module>, PackError> {
        let digest = &activation.module.digest;
        {
            let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
            let looks = used.looks;
            match used.last.get_mut(digest) {
                Some(last) => *last = looks,
                None => drop(used.last.insert(digest.clone(), looks)),
            }
        }
        if let Some(module) = self.host.get(digest) {
            return Ok(module);
        }
        self.load_stored(&activation.module.id, digest_bytes(digest)).await
    }

    /// The module with this SHA-256, checked, compiled and ready.
    pub(crate) async fn compile(&self, digest: &[u8; 32]) -> Result<Arc<Module>, PackError> {
        let name = hex::encode(digest);
        match self.host.get(&name) {
            Some(module) => Ok(module),
            None => self.load_stored(&name, Some(*digest)).await,
        }
    }

    async fn load_stored(&self, id: &str, digest: Option<[u8; 32]>) -> Result<Arc<Module>, PackError> {
        let unavailable = |source| PackError::Unavailable { id: id.to_owned(), source };
        let digest = digest.ok_or_else(|| unavailable(None))?;
        let bytes = self.store.component(&digest).await?.ok_or_else(|| unavailable(None))?;
        let host = Arc::clone(&self.host);
        blocking(move || host.load(&bytes)).await.map_err(|source| unavailable(Some(source)))
    }

    /// Reads a component's bytes, before anything is compiled; gives its SHA-256 with them.
    pub(crate) async fn inspect(&self, bytes: Vec<u8>) -> Result<([u8; 32], Vec<u8>), LoadError> {
        let turn = Arc::clone(&self.inspections).acquire_owned().await;
        blocking(move || {
            // Held until it is read, also when the client is gone by then.
            let _turn = turn;
            niyam_modules::inspect(&bytes)?;
            Ok((Sha256::digest(&bytes).into(), bytes))
        })
        .await
    }

    /// The module that came with the binary, by the SHA-256 of its component, hex.
    pub(crate) fn bundled_by_digest(&self, digest: &str) -> Option<Arc<Module>> {
        self.bundled.iter().find(|module| module.reference().digest == digest).cloned()
    }

    /// Everything that came with the binary.
    pub(crate) fn all_bundled(&self) -> &[Arc<Module>] {
        &self.bundled
    }

    /// How many modules are in memory.
    pub(crate) fn loaded(&self) -> usize {
        self.host.modules().len()
    }

    /// Lets modules leave memory that were not called since `looks` calls of this. Compiled code stays on disk.
    pub(crate) fn forget_idle(&self, looks: u64) {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.looks += 1;
        let now = used.looks;
        for module in self.host.modules() {
            let digest = &module.reference().digest;
            let last = *used.last.entry(digest.clone()).or_insert(now);
            if now - last > looks && self.bundled_by_digest(digest).is_none() {
                self.host.unload(digest);
                used.last.remove(digest);
            }
        }
    }
}

/// SHA-256 from its hex digits, as they are written everywhere: in lower case.
pub(crate) fn digest_bytes(digest: &str) -> Option<[u8; 32]> {
    let plain = digest.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    hex::decode(digest).ok().filter(|_| plain)?.try_into().ok()
}

/// Runs `work` where it may block. A panic in it goes on here.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
