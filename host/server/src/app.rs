//! The parts of a running Niyam, joined.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::thread;
use std::time::Duration;

use niyam_domain::{Invoice, StreamId, TenantId, Version};
use niyam_modules::{Compiler, LoadError, ModuleHost};
use niyam_store::{Clock, DatabaseUrl, EventStore, StoreConfig, StoreError};
use tokio::sync::{Notify, Semaphore};

use crate::aggregates::{Aggregates, ReadError};
use crate::auth::SigningKey;
use crate::clock::SystemClock;
use crate::commands::books::Desk;
use crate::ids::{IdSource, SystemIds};
use crate::jobs::Jobs;
use crate::packs::{PackError, Packs};
use crate::personal::{Vault, VaultError};
use crate::proof::maker::Checkpoints;
use crate::shadow::Shadows;
use crate::tenants::Tenants;
use crate::turns::Turns;

/// Most components that are taken in at one time.
const UPLOADS_AT_ONCE: usize = 4;

/// What to open.
pub struct AppConfig {
    /// Keys, compiled modules and, by default, the database.
    pub data_folder: PathBuf,
    /// PostgreSQL; absent for SQLite in the data folder.
    pub database: Option<DatabaseUrl>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Components besides the bundled ones, checked as they are.
    pub modules: Vec<Vec<u8>>,
    /// Whether modules that nobody signed may be uploaded and activated.
    pub allow_unsigned: bool,
    /// What compiles modules apart from this process; absent, they are compiled here.
    pub compiler: Option<Compiler>,
    /// How long a module stays in memory that nobody calls; what came with the binary stays.
    pub idle_after: Duration,
}

impl AppConfig {
    /// The bundled modules, the machine's clock, SQLite unless `database` says otherwise.
    #[must_use]
    pub fn new(data_folder: PathBuf, database: Option<DatabaseUrl>) -> Self {
        Self {
            data_folder,
            database,
            clock: Arc::new(SystemClock),
            modules: Vec::new(),
            allow_unsigned: false,
            compiler: None,
            idle_after: Duration::from_mins(5),
        }
    }
}

/// Where the database lies when no other is named.
pub(crate) fn default_database(data_folder: &Path) -> DatabaseUrl {
    DatabaseUrl::Sqlite(data_folder.join("niyam.db"))
}

/// Why it does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The data folder cannot be used.
    #[error("failed to use the data folder: {0}")]
    Data(#[source] io::Error),
    /// The store does not open.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The engine does not start.
    #[error("failed to start the module host: {0}")]
    Engine(#[source] LoadError),
    /// Personal data cannot be opened.
    #[error(transparent)]
    Personal(#[from] VaultError),
    /// A bundled module is refused.
    #[error("failed to load the bundled modules: {0}")]
    Modules(String),
}

/// A running Niyam.
pub struct App {
    pub(crate) store: EventStore,
    pub(crate) vault: Vault,
    pub(crate) aggregates: Aggregates,
    /// What keeping the books takes.
    pub(crate) desk: Desk,
    pub(crate) packs: Arc<Packs>,
    /// Wakes what compiles modules.
    pub(crate) compiler: Arc<Notify>,
    /// Components that are taken in at one time, whole in memory.
    pub(crate) uploads: Semaphore,
    /// Whose paper is drawn, and when.
    pub(crate) papers: Turns,
    pub(crate) allow_unsigned: bool,
    pub(crate) idle_after: Duration,
    pub(crate) tenants: Arc<Tenants>,
    pub(crate) key: SigningKey,
    pub(crate) checkpoints: Arc<Checkpoints>,
    pub(crate) jobs: Arc<Jobs>,
    pub(crate) shadows: Arc<Shadows>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdSource>,
    /// How often a module failed and another one answered for it.
    pub(crate) fallbacks: AtomicUsize,
}

impl App {
    /// Opens the data folder, the database and the modules.
    ///
    /// # Errors
    /// When one of them does not open.
    pub async fn open(config: AppConfig) -> Result<Self, OpenError> {
        let AppConfig { data_folder, database, clock, modules, allow_unsigned, compiler, idle_after } =
            config;
        make_folder(&data_folder)?;
        let key = SigningKey::open(&data_folder).map_err(OpenError::Data)?;
        let checkpoints = Arc::new(Checkpoints::open(&data_folder).map_err(OpenError::Data)?);
        let store = open_store(&data_folder, database, Arc::clone(&clock)).await?;
        let ids: Arc<dyn IdSource> = Arc::new(SystemIds);
        let vault = Vault::open(&data_folder, store.clone(), Arc::clone(&ids)).await?;
        let mut host = ModuleHost::new(data_folder.join("compiled")).map_err(OpenError::Engine)?;
        if let Some(compiler) = compiler {
            host = host.compiling_with(compiler);
        }
        let packs =
            Packs::load(Arc::new(host), store.clone(), &modules).await.map_err(|error| match error {
                PackError::Store(error) => OpenError::Store(error),
                PackError::Unavailable { source: Some(source), .. } => OpenError::Modules(source.to_string()),
                error => OpenError::Modules(error.to_string()),
            })?;
        let aggregates = Aggregates::new(vault.clone());
        let tenants = Arc::new(Tenants::new(aggregates.clone()));
        let desk = Desk {
            store: store.clone(),
            aggregates: aggregates.clone(),
            tenants: Arc::clone(&tenants),
            clock: Arc::clone(&clock),
            ids: Arc::clone(&ids),
        };
        let packs = Arc::new(packs);
        let jobs = Jobs::new(vault.opener().clone(), packs.host(), desk.clone(), ids.next_id());
        let jobs = Arc::new(jobs);
        let shadows = Shadows::new(Arc::clone(&packs), Arc::clone(&jobs), aggregates.clone());
        // Each takes a processor while it is drawn, and no tenant takes all of them.
        let papers_at_once = thread::available_parallelism().map_or(2, Into::into).max(2);
        Ok(Self {
            store,
            vault,
            aggregates,
            desk,
            packs,
            compiler: Arc::default(),
            uploads: Semaphore::new(UPLOADS_AT_ONCE),
            papers: Turns::new(papers_at_once, papers_at_once / 2),
            allow_unsigned,
            idle_after,
            tenants,
            key,
            checkpoints,
            jobs,
            shadows: Arc::new(shadows),
            clock,
            ids,
            fallbacks: AtomicUsize::new(0),
        })
    }

    /// The key that signs tokens.
    #[must_use]
    pub fn signing_key(&self) -> &SigningKey {
        &self.key
    }

    /// The event store.
    #[must_use]
    pub fn store(&self) -> &EventStore {
        &self.store
    }

    /// Loads an invoice as a command does: its version, and how many events were read for it; `None` if there is none.
    ///
    /// # Errors
    /// When the store fails, or an event does not make sense.
    pub async fn load_invoice(
        &self,
        tenant: &TenantId,
        stream: &StreamId,
    ) -> Result<Option<(Version, u64)>, ReadError> {
        let loaded = self.aggregates.load::<Invoice>(tenant, stream).await?;
        Ok(loaded.map(|loaded| (loaded.version, loaded.events_read)))
    }

    /// Lets appends under way finish and closes the database.
    pub async fn close(self) {
        self.store.close().await;
    }
}

/// Brings the tables of the database up to date, and says which changes were made.
///
/// # Errors
/// When the database is not to be had, or does not let its tables be changed.
pub async fn migrate_database(config: AppConfig) -> Result<Vec<String>, OpenError> {
    make_folder(&config.data_folder)?;
    Ok(EventStore::migrate(&store_config(&config.data_folder, config.database, &config.clock)).await?)
}

/// Opens the event store alone.
pub(crate) async fn open_store(
    data_folder: &Path,
    database: Option<DatabaseUrl>,
    clock: Arc<dyn Clock>,
) -> Result<EventStore, OpenError> {
    make_folder(data_folder)?;
    Ok(EventStore::open(store_config(data_folder, database, &clock)).await?)
}

fn make_folder(folder: &Path) -> Result<(), OpenError> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(OpenError::Data)
}

fn store_config(data_folder: &Path, database: Option<DatabaseUrl>, clock: &Arc<dyn Clock>) -> StoreConfig {
    let database = database.unwrap_or_else(|| default_database(data_folder));
    StoreConfig::new(database, Arc::clone(clock))
}
