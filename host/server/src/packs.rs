//! Which module answers: the bundled ones, and those that activations name.

use std::sync::Arc;

use niyam_domain::{Activation, TenantId};
use niyam_modules::{LoadError, Module, ModuleFailure, ModuleHost};
use niyam_store::{EventStore, StoreError};

use crate::turns::{Busy, Turns};

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
        Ok(Self { host, store, bundled, turns: Turns::new() })
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
        if let Some(module) = self.host.get(&activation.module.digest) {
            return Ok(module);
        }
        let unavailable = |source| PackError::Unavailable { id: activation.module.id.clone(), source };
        let digest = digest_bytes(&activation.module.digest).ok_or_else(|| unavailable(None))?;
        let bytes = self.store.component(&digest).await?.ok_or_else(|| unavailable(None))?;
        let host = Arc::clone(&self.host);
        blocking(move || host.load(&bytes)).await.map_err(|source| unavailable(Some(source)))
    }
}

fn digest_bytes(digest: &str) -> Option<[u8; 32]> {
    hex::decode(digest).ok()?.try_into().ok()
}

/// Runs `work` where it may block. A panic in it goes on here.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
