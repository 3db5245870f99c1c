//! The entrance: opens, appends, reads, closes.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use futures::TryStreamExt as _;
use niyam_domain::{Position, StreamId, TenantId, Version};
use sqlx::postgres::PgConnectOptions;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::append::{Append, AppendError, Appended, Idempotency};
use crate::batcher::{self, Lane, Waiting};
use crate::config::StoreConfig;
use crate::database::Database;
use crate::error::StoreError;
use crate::event::{Head, Recorded};
use crate::group::check_early;
use crate::login::Login;
use crate::notify;
use crate::rehearsal::{self, is_rehearsal};
use crate::sql::read;
use crate::tail::Tail;

/// The events of every tenant, in one database. Clones share connections and queues.
#[derive(Clone)]
pub struct EventStore {
    inner: Arc<Inner>,
}

struct Inner {
    database: Database,
    login: Option<Login>,
    config: StoreConfig,
    tail: Arc<Tail>,
    lanes: Vec<mpsc::Sender<Waiting>>,
    closing: watch::Sender<bool>,
    running: Mutex<Vec<JoinHandle<()>>>,
}

impl EventStore {
    /// Connects, brings the tables up to date, checks the settings and starts the lanes.
    ///
    /// # Errors
    ///
    /// [`StoreError::UnsafeSetting`] if the database would lose what it acknowledges; otherwise what keeps it from
    /// being opened.
    pub async fn open(config: StoreConfig) -> Result<Self, StoreError> {
        let database = Database::open(&config).await?;
        let login = match &database {
            Database::Sqlite { .. } => None,
            Database::Postgres(pool) => Some(Login::of(pool).await?),
        };
        let tail = Arc::new(Tail::new());
        let (closing, _) = watch::channel(false);
        let lanes_max = match database {
            Database::Sqlite { .. } => 1,
            Database::Postgres(_) => config.lanes.max(1),
        };
        let mut lanes = Vec::with_capacity(lanes_max);
        let mut running = Vec::with_capacity(lanes_max);
        for number in 0..lanes_max {
            let (sender, queue) = mpsc::channel(config.queue_commands_max.max(1));
            let lane = Lane::new(
                database.clone(),
                config.clone(),
                Arc::clone(&tail),
                queue,
                closing.subscribe(),
                number == 0,
            );
            lanes.push(sender);
            running.push(tokio::spawn(lane.run()));
        }
        if let Database::Postgres(pool) = &database {
            // Told and heard on the side: nothing that is acknowledged depends on it.
            let options =
                PgConnectOptions::clone(&pool.connect_options()).options([("synchronous_commit", "off")]);
            running.push(tokio::spawn(notify::tell(options, Arc::clone(&tail), closing.subscribe())));
            running.push(tokio::spawn(notify::hear(pool.clone(), Arc::clone(&tail), closing.subscribe())));
        }
        let running = Mutex::new(running);
        Ok(Self { inner: Arc::new(Inner { database, login, config, tail, lanes, closing, running }) })
    }

    /// Brings the tables up to date, and says which changes were made.
    ///
    /// # Errors
    ///
    /// If the database is not to be had, or does not let its tables be changed.
    pub async fn migrate(config: &StoreConfig) -> Result<Vec<String>, StoreError> {
        Database::migrate(config).await
    }

    /// Writes a batch in one transaction, and answers when it is durable; within [`rehearse`](crate::rehearse) it is
    /// decided and given up.
    ///
    /// A caller that stops waiting does not stop an append that has a place in the queue.
    ///
    /// # Errors
    ///
    /// Nothing was written, except perhaps on [`StoreError::CommitUnknown`].
    pub async fn append(&self, tenant: &TenantId, append: Append) -> Result<Appended, AppendError> {
        check_early(&append)?;
        if is_rehearsal() {
            return Box::pin(rehearsal::append(self.database(), &self.inner.config, tenant, append)).await;
        }
        let (waiting, answer) = Waiting::new(tenant.clone(), append);
        let lane = self.lane(tenant);
        match tokio::time::timeout(self.inner.config.queue_wait, lane.send(waiting)).await {
            Ok(Ok(())) => answer.await.unwrap_or(Err(StoreError::Closed.into())),
            Ok(Err(_)) => Err(StoreError::Closed.into()),
            Err(_) => Err(StoreError::Overloaded.into()),
        }
    }

    /// The events of a stream after version `after`, in order, all at once: for a stream that is known to be short.
    ///
    /// # Errors
    ///
    /// [`StoreError::Damaged`] if one is missing or not as written.
    pub async fn load(
        &self,
        tenant: &TenantId,
        stream: &StreamId,
        after: Version,
    ) -> Result<Vec<Recorded>, StoreError> {
        self.stream(tenant.clone(), stream.clone(), after).try_collect().await
    }

    /// The events of a tenant after position `after`, in order, at most `limit`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Damaged`] if one is missing or not as written.
    pub async fn read(
        &self,
        tenant: &TenantId,
        after: Position,
        limit: u32,
    ) -> Result<Vec<Recorded>, StoreError> {
        let rows = Box::pin(read::page(self.database(), tenant, after, limit)).await?;
        let mut events = Vec::with_capacity(rows.len());
        for (expected, row) in (after.0.saturating_add(1)..).zip(rows) {
            let event = row.recorded(tenant)?;
            if event.position.0 != expected {
                return Err(StoreError::Damaged { tenant: tenant.clone(), position: Position(expected) });
            }
            events.push(event);
        }
        Ok(events)
    }

    /// The answer that a request got already: `None` if it may run now.
    ///
    /// # Errors
    ///
    /// [`AppendError::KeyReused`] if the key belongs to another request.
    pub async fn answered(
        &self,
        tenant: &TenantId,
        idempotency: &Idempotency,
    ) -> Result<Option<Appended>, AppendError> {
        Box::pin(batcher::answered(self.database(), tenant, idempotency)).await
    }

    /// Where the history of every tenant that has events ends, in order of tenant.
    ///
    /// # Errors
    ///
    /// If the database fails.
    pub async fn heads(&self) -> Result<Vec<Head>, StoreError> {
        read::heads(self.database()).await
    }

    /// Where the tenant's history ends; `None` if it has no events.
    ///
    /// # Errors
    ///
    /// If the database fails.
    pub async fn head(&self, tenant: &TenantId) -> Result<Option<Head>, StoreError> {
        read::head(self.database(), tenant).await
    }

    /// How far the histories are known to go that this process appended to, or heard of, since it opened the store.
    #[must_use]
    pub fn known_positions(&self) -> Vec<(TenantId, Position)> {
        self.inner.tail.positions()
    }

    /// Changes whenever this process appended, or heard that another did, for any tenant.
    #[must_use]
    pub fn appended(&self) -> watch::Receiver<u64> {
        self.inner.tail.subscribe()
    }

    /// The connections, for read models.
    #[must_use]
    pub fn database(&self) -> &Database {
        &self.inner.database
    }

    /// What a session of this host could become on PostgreSQL, as it was when the store was opened.
    #[must_use]
    pub fn login(&self) -> Option<Login> {
        self.inner.login
    }

    /// Whether the database answers.
    ///
    /// # Errors
    ///
    /// If it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        read::ping(self.database()).await
    }

    /// Takes no more appends, answers those that wait, and closes the connections of every clone.
    pub async fn close(self) {
        self.inner.closing.send_replace(true);
        let running = std::mem::take(&mut *self.inner.running.lock().unwrap_or_else(PoisonError::into_inner));
        for lane in running {
            if let Err(error) = lane.await {
                tracing::error!(%error, "a lane of the store had failed");
            }
        }
        self.inner.database.close().await;
    }

    pub(crate) fn config(&self) -> &StoreConfig {
        &self.inner.config
    }

    pub(crate) fn tail(&self) -> &Tail {
        &self.inner.tail
    }

    fn lane(&self, tenant: &TenantId) -> &mpsc::Sender<Waiting> {
        let mut hasher = DefaultHasher::new();
        tenant.hash(&mut hasher);
        let lanes = &self.inner.lanes;
        let number = hasher.finish() % (lanes.len() as u64);
        &lanes[usize::try_from(number).unwrap_or_default()]
    }
}
