//! The component and the configuration of a decision, by digest.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use niyam_domain::{DomainEvent as _, Position, TenantEvent, TenantId};
use niyam_modules::{Module, ModuleHost, digest_hex};
use niyam_store::{Books, StoreError};
use tokio::runtime::Handle;

/// Events that are read at once.
const PAGE_EVENTS: u32 = 256;

/// Why a decision's component cannot be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoComponent {
    /// The store does not hold it.
    Missing,
    /// What the store holds is something else.
    Altered,
    /// This version of the host does not take it in; the code says why.
    Refused(String),
}

type Found = Arc<OnceLock<Result<Arc<Module>, NoComponent>>>;

/// Components of the store, loaded when one is asked for and held as long as this lives: for one piece of work.
pub(crate) struct Components {
    books: Books,
    host: Arc<ModuleHost>,
    runtime: Handle,
    known: Mutex<HashMap<String, Found>>,
}

impl Components {
    /// # Panics
    /// Outside of an asynchronous runtime.
    pub(crate) fn new(books: Books, host: Arc<ModuleHost>) -> Self {
        Self { books, host, runtime: Handle::current(), known: Mutex::default() }
    }

    /// The component with this digest. Blocks while it is read and compiled; others who want it wait for that.
    ///
    /// # Errors
    /// When the store fails. That there is no such component is an answer.
    pub(crate) fn get(&self, digest: &str) -> Result<Result<Arc<Module>, NoComponent>, StoreError> {
        let known = |known: &HashMap<String, Found>| known.get(digest).and_then(|entry| entry.get().cloned());
        if let Some(found) = known(&self.known.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(found);
        }
        // What is not there is not kept: it may come, and anything can be asked for.
        let bytes = match self.bytes(digest)? {
            Ok(bytes) => bytes,
            Err(missing) => return Ok(Err(missing)),
        };
        let entry = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(known.entry(digest.to_owned()).or_default())
        };
        Ok(entry.get_or_init(|| self.load(digest, &bytes)).clone())
    }

    fn bytes(&self, digest: &str) -> Result<Result<Vec<u8>, NoComponent>, StoreError> {
        let Some(digest) = hex::decode(digest).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()) else {
            return Ok(Err(NoComponent::Missing));
        };
        match self.runtime.block_on(self.books.component(&digest)) {
            Ok(bytes) => Ok(bytes.ok_or(NoComponent::Missing)),
            Err(StoreError::DigestMismatch) => Ok(Err(NoComponent::Altered)),
            Err(error) => Err(error),
        }
    }

    fn load(&self, digest: &str, bytes: &[u8]) -> Result<Arc<Module>, NoComponent> {
        self.host.load(bytes).map_err(|error| {
            tracing::warn!(module.digest = digest, %error, "failed to load a component that decided");
            NoComponent::Refused(error.code().to_owned())
        })
    }
}

/// The configurations that the tenant's activations ever named, by the digest of their text.
///
/// # Errors
/// When the store fails, or an activation cannot be read.
pub(crate) async fn configs(
    books: &Books,
    tenant: &TenantId,
) -> Result<HashMap<String, String>, ConfigsError> {
    let types: Vec<String> = TenantEvent::TYPES
        .iter()
        .chain(TenantEvent::OLDER_TYPES)
        .filter(|event_type| event_type.starts_with("module.activated."))
        .map(|event_type| (*event_type).to_owned())
        .collect();
    let up_to = books.head(tenant).await?.map(|head| head.last_position).unwrap_or_default();
    let mut configs = HashMap::new();
    let mut after = Position(0);
    loop {
        let page = books.of_types(tenant, &types, (after, up_to), PAGE_EVENTS).await?;
        for event in &page {
            after = event.position;
            let read = TenantEvent::read(&event.event_type, &event.payload);
            if let TenantEvent::ModuleActivated(activated) =
                read.map_err(|error| ConfigsError::Unreadable(event.position, error.to_string()))?
            {
                let config = activated.activation.config;
                configs.insert(digest_hex(config.as_bytes()), config);
            }
        }
        if page.len() < PAGE_EVENTS as usize {
            return Ok(configs);
        }
    }
}

/// Why the configurations are not known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigsError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An activation cannot be read.
    #[error("the activation at position {0} cannot be read: {1}")]
    Unreadable(Position, String),
}
