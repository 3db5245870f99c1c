//! A store on a fresh database, and short ways to say what tests say often.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use anyhow::Context as _;
use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::{Timestamp, civil::date};
use niyam_domain::{Position, StreamId, TenantId, Version};
use niyam_store::{
    Append, AppendError, Appended, Batch, Clock, Database, DatabaseUrl, EventStore, Idempotency, NewEvent,
    Recorded, StoreConfig, StreamWrite,
};
use sqlx::pool::PoolOptions;
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgPool, Postgres, Sqlite, Transaction};
use tempfile::TempDir;
use uuid::Uuid;

/// Which database a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

/// Steps a millisecond each time it is asked, so that equal times mean one transaction.
struct SteppingClock(AtomicI64);

impl Clock for SteppingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.fetch_add(1, Ordering::Relaxed)).expect("a time of our days")
    }
}

/// A fresh database, open.
pub struct TestStore {
    pub store: EventStore,
    config: StoreConfig,
    _folder: TempDir,
}

impl std::ops::Deref for TestStore {
    type Target = EventStore;

    fn deref(&self) -> &EventStore {
        &self.store
    }
}

impl TestStore {
    pub async fn new(kind: Kind) -> anyhow::Result<Self> {
        Self::with(kind, |_| {}).await
    }

    pub async fn with(kind: Kind, change: impl FnOnce(&mut StoreConfig)) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut config = config(kind, &folder).await?;
        change(&mut config);
        let store = EventStore::open(config.clone()).await?;
        Ok(Self { store, config, _folder: folder })
    }

    /// The file of a SQLite database.
    pub fn file(&self) -> PathBuf {
        match &self.config.database {
            DatabaseUrl::Sqlite(path) => path.clone(),
            DatabaseUrl::Postgres(_) => panic!("a server has no file"),
        }
    }

    /// The PostgreSQL database on a single connection, so that what is not committed is seen.
    pub async fn one_connection(&self) -> anyhow::Result<Database> {
        let DatabaseUrl::Postgres(url) = &self.config.database else { panic!("a server's database") };
        let pool = PoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
        Ok(Database::Postgres(pool.test_before_acquire(false).connect(url).await?))
    }

    /// Another host on the same database.
    pub async fn another_host(&self) -> anyhow::Result<EventStore> {
        Ok(EventStore::open(self.config.clone()).await?)
    }

    /// Another host that connects as this login.
    pub async fn another_host_as(&self, login: &str) -> anyhow::Result<EventStore> {
        let DatabaseUrl::Postgres(url) = &self.config.database else { anyhow::bail!("not PostgreSQL") };
        let (_, place) = url.split_once('@').context("a URL with a user")?;
        let database = DatabaseUrl::Postgres(format!("postgres://{login}@{place}"));
        Ok(EventStore::open(StoreConfig { database, ..self.config.clone() }).await?)
    }

    /// Closes the store and opens the database again.
    pub async fn reopen(&mut self) -> anyhow::Result<()> {
        self.store.clone().close().await;
        self.store = EventStore::open(self.config.clone()).await?;
        Ok(())
    }

    /// PostgreSQL as the owner of the tables, whom no policy binds.
    pub async fn owner(&self) -> anyhow::Result<PgPool> {
        let DatabaseUrl::Postgres(url) = &self.config.database else { anyhow::bail!("not PostgreSQL") };
        Ok(PgPoolOptions::new().max_connections(2).connect(url).await?)
    }

    /// Keeps every append waiting for the database until the lock is released.
    pub async fn lock(&self) -> anyhow::Result<Lock> {
        Ok(match self.database() {
            Database::Sqlite { writer, .. } => Lock::Sqlite(writer.begin_with("begin immediate").await?),
            Database::Postgres(_) => {
                let mut transaction = self.owner().await?.begin().await?;
                sqlx::query("lock table tenant_heads in exclusive mode").execute(&mut *transaction).await?;
                Lock::Postgres(transaction)
            }
        })
    }

    /// Runs SQL that the store would not.
    pub async fn tamper(&self, sql: &str) -> anyhow::Result<u64> {
        let sql = AssertSqlSafe(sql);
        Ok(match self.database() {
            Database::Sqlite { writer, .. } => sqlx::query(sql).execute(writer).await?.rows_affected(),
            Database::Postgres(_) => sqlx::query(sql).execute(&self.owner().await?).await?.rows_affected(),
        })
    }

    /// Positions and versions of everything the tenant has; fails on a gap.
    pub async fn history(&self, tenant: &TenantId) -> anyhow::Result<Vec<Recorded>> {
        let events = self.read(tenant, Position(0), 100_000).await?;
        for (expected, event) in (1..).zip(&events) {
            anyhow::ensure!(event.position == Position(expected), "gap before {}", event.position);
        }
        Ok(events)
    }
}

/// See [`TestStore::lock`].
pub enum Lock {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Lock {
    pub async fn release(self) -> anyhow::Result<()> {
        match self {
            Self::Sqlite(transaction) => transaction.rollback().await?,
            Self::Postgres(transaction) => transaction.rollback().await?,
        }
        Ok(())
    }
}

pub async fn config(kind: Kind, folder: &TempDir) -> anyhow::Result<StoreConfig> {
    let database = match kind {
        Kind::Sqlite => DatabaseUrl::Sqlite(folder.path().join("niyam.db")),
        Kind::Postgres => {
            DatabaseUrl::Postgres(tokio::task::spawn_blocking(niyam_testdb::database_url).await?)
        }
    };
    Ok(StoreConfig::new(database, Arc::new(SteppingClock(AtomicI64::new(1_780_000_000_000)))))
}

/// An append that has its place in the queue. It waits for its answer when polled again.
pub async fn queued(
    store: &EventStore,
    tenant: &TenantId,
    append: Append,
) -> BoxFuture<'static, Result<Appended, AppendError>> {
    let (store, tenant) = (store.clone(), tenant.clone());
    let mut waiting = async move { store.append(&tenant, append).await }.boxed();
    match futures::future::poll_immediate(&mut waiting).await {
        Some(answer) => std::future::ready(answer).boxed(),
        None => waiting,
    }
}

pub fn tenant(name: &str) -> TenantId {
    name.parse().expect("a name")
}

pub fn stream(name: &str) -> StreamId {
    name.parse().expect("a name")
}

pub fn event() -> NewEvent {
    static IDS: AtomicU64 = AtomicU64::new(1);
    let id = IDS.fetch_add(1, Ordering::Relaxed);
    NewEvent {
        id: Uuid::from_u64_pair(0x0198_0000_0000_7000, 0x8000_0000_0000_0000 | id),
        event_type: "invoice.drafted.v1".to_owned(),
        payload: format!(r#"{{ "number": {id} }}"#).into_bytes(),
        metadata: br#"{"actor":"test"}"#.to_vec(),
        effective_date: date(2026, 7, 1),
    }
}

pub fn write(name: &str, expected: u64, count: usize) -> StreamWrite {
    StreamWrite {
        stream: stream(name),
        expected: Version(expected),
        events: std::iter::repeat_with(event).take(count).collect(),
    }
}

/// A batch whose answer is `ok`.
pub fn batch(writes: Vec<StreamWrite>) -> Batch {
    Batch { writes, answer: b"ok".to_vec() }
}

/// An append of `count` events to one stream.
pub fn append(name: &str, expected: u64, count: usize) -> Append {
    Append::of(batch(vec![write(name, expected, count)]))
}

/// An append that draws a number of `series` and writes it to a stream of its own.
pub fn issue(series: &str, name: &str) -> Append {
    let (series, document, drawn) = (stream(series), write(name, 0, 1), event());
    Append::with_serials(vec![series.clone()], move |serials| {
        let number = serials.get(&series).expect("asked for");
        let expected = serials.expected(&series).expect("asked for");
        let taken = StreamWrite { stream: series.clone(), expected, events: vec![drawn.clone()] };
        Batch { writes: vec![document.clone(), taken], answer: number.to_string().into_bytes() }
    })
}

pub fn request(key: &str, fingerprint: u8) -> Idempotency {
    Idempotency { key: key.to_owned(), fingerprint: [fingerprint; 32] }
}
