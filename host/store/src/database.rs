//! Opens the database: settings, tables, and the refusal of settings that lose what was acknowledged.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::pool::PoolOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, PgPool, SqliteConnection, SqlitePool};

use crate::config::{DatabaseUrl, StoreConfig};
use crate::error::StoreError;

static SQLITE: Migrator = sqlx::migrate!("../../migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("../../migrations/postgres");

/// The pools of an open database.
#[derive(Debug, Clone)]
pub enum Database {
    /// One file.
    Sqlite {
        /// The one connection that writes. Begin with `begin immediate`, and hold it briefly: appends wait for it.
        writer: SqlitePool,
        /// Connections that only read.
        readers: SqlitePool,
    },
    /// A server.
    Postgres(PgPool),
}

impl Database {
    /// Connects, brings the tables up to date, and checks the settings.
    pub(crate) async fn open(config: &StoreConfig) -> Result<Self, StoreError> {
        match &config.database {
            DatabaseUrl::Sqlite(path) => open_sqlite(path, config).await,
            DatabaseUrl::Postgres(url) => open_postgres(url, config).await,
        }
    }

    /// Waits for what is under way and closes the connections.
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

async fn open_sqlite(path: &Path, config: &StoreConfig) -> Result<Database, StoreError> {
    make_private(path).map_err(|error| StoreError::File(Arc::new(error)))?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(config.lock_wait)
        .foreign_keys(true)
        .synchronous(SqliteSynchronous::Full);
    let writer = PoolOptions::new()
        .max_connections(1)
        .acquire_timeout(config.lock_wait)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .after_release(|connection, _| Box::pin(is_out_of_transaction(connection)))
        .connect_with(options.clone().journal_mode(SqliteJournalMode::Wal))
        .await?;
    migrate_sqlite(&writer).await?;
    let (journal,): (String,) = sqlx::query_as("pragma journal_mode").fetch_one(&writer).await?;
    refuse("journal_mode", journal, |journal| journal != "wal")?;
    let (synchronous,): (i64,) = sqlx::query_as("pragma synchronous").fetch_one(&writer).await?;
    refuse("synchronous", synchronous.to_string(), |synchronous| synchronous != "2")?;
    let readers = PoolOptions::new()
        .max_connections(config.readers_max)
        .acquire_timeout(config.lock_wait)
        .test_before_acquire(false)
        .connect_with(options.pragma("query_only", "on"))
        .await?;
    Ok(Database::Sqlite { writer, readers })
}

/// On a full disk SQLite rolls back by itself, and the rollback that the driver then sends fails. The driver goes on to
/// count a transaction, and would refuse to begin another on that connection for ever; it has to go.
async fn is_out_of_transaction(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    // The rollback is queued; the ping returns behind it.
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}

/// SQLite has no lock that spans migrations, so of two processes that start together one may have to look again.
async fn migrate_sqlite(writer: &SqlitePool) -> Result<(), StoreError> {
    const ATTEMPTS: u32 = 5;
    let mut attempt = 1;
    loop {
        match SQLITE.run(writer).await {
            Ok(()) => return Ok(()),
            Err(error) if attempt == ATTEMPTS => return Err(StoreError::Migrate(Arc::new(error))),
            Err(error) => {
                tracing::debug!(attempt, %error, "migration failed, looking again");
                tokio::time::sleep(Duration::from_millis(50) * attempt).await;
                attempt += 1;
            }
        }
    }
}

/// Makes the file if it is not there; only its owner may read it, and what SQLite makes beside it.
fn make_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        // An open file that is closed would drop SQLite's locks on it, hence by path.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => keep_private(path),
        opened => opened.map(drop),
    }
}

#[cfg(unix)]
fn keep_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path)?.permissions().mode() & 0o777;
    if mode == 0o600 {
        return Ok(());
    }
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn keep_private(_: &Path) -> std::io::Result<()> {
    Ok(())
}

async fn open_postgres(url: &str, config: &StoreConfig) -> Result<Database, StoreError> {
    let options: PgConnectOptions = url.parse()?;
    let options = options.application_name("niyam");
    // Migrations may take longer than an append is allowed to.
    let mut connection = options.clone().connect().await?;
    POSTGRES.run(&mut connection).await.map_err(|error| StoreError::Migrate(Arc::new(error)))?;
    connection.close().await?;
    let milliseconds = |wait: Duration| wait.as_millis().to_string();
    let options = options.options([
        ("lock_timeout", milliseconds(config.lock_wait)),
        ("statement_timeout", milliseconds(config.statement_wait)),
        ("idle_in_transaction_session_timeout", milliseconds(config.statement_wait * 2)),
    ]);
    let lanes = u32::try_from(config.lanes).unwrap_or(u32::MAX);
    let pool = PoolOptions::new()
        .max_connections(config.connections_max.max(lanes.saturating_add(1)))
        .acquire_timeout(config.lock_wait)
        .connect_with(options)
        .await?;
    let (fsync, commit): (String, String) =
        sqlx::query_as("select current_setting('fsync'), current_setting('synchronous_commit')")
            .fetch_one(&pool)
            .await?;
    refuse("fsync", fsync, |fsync| fsync != "on")?;
    refuse("synchronous_commit", commit, |commit| commit == "off")?;
    Ok(Database::Postgres(pool))
}

fn refuse(
    setting: &'static str,
    found: String,
    unsafe_value: impl Fn(&str) -> bool,
) -> Result<(), StoreError> {
    if unsafe_value(&found) { Err(StoreError::UnsafeSetting { setting, found }) } else { Ok(()) }
}
