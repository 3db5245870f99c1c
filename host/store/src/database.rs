//! Opens the database: settings, tables, and the refusal of settings that lose what was acknowledged.
//!
//! Every use of it names the tenants whose rows it may touch. PostgreSQL holds it to that by row-level security, under
//! a role that owns nothing and may neither change nor delete an event.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use niyam_domain::TenantId;
use sqlx::migrate::Migrator;
use sqlx::pool::{PoolConnection, PoolOptions};
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, PgConnection, PgPool, Postgres, Sqlite, SqliteConnection,
    SqlitePool, Transaction,
};

use crate::config::{DatabaseUrl, StoreConfig};
use crate::error::{StoreError, is_transient};

static SQLITE: Migrator = sqlx::migrate!("../../migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("../../migrations/postgres");

const APPLIED: &str = "select version from _sqlx_migrations where success order by version";

/// Pages that SQLite's writer keeps, in kibibytes, which SQLite wants negative: appends to many tenants touch many.
const CACHE: &str = "-16384";

/// The role that the host works as on PostgreSQL: row-level security binds it, and it owns nothing.
const HOST_ROLE: &str = "niyam_host";

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
    /// A server. Its connections see no tenant's rows until they are told whose.
    Postgres(PgPool),
}

/// Whose rows may be touched.
#[derive(Debug, Clone)]
pub enum Scope<'a> {
    /// One tenant's.
    Tenant(&'a TenantId),
    /// Those of several, in one transaction.
    Tenants(BTreeSet<&'a TenantId>),
    /// Everybody's: for the operator's own work, which is not on behalf of a tenant.
    All,
}

impl Scope<'_> {
    /// The value of the setting that the policies read. Only letters, digits, hyphens and commas, or a star.
    fn setting(&self) -> String {
        match self {
            Self::Tenant(tenant) => tenant.as_str().to_owned(),
            Self::Tenants(tenants) => {
                tenants.iter().map(|tenant| tenant.as_str()).collect::<Vec<_>>().join(",")
            }
            Self::All => "*".to_owned(),
        }
    }
}

/// A connection that reads. On PostgreSQL a transaction that sees one moment, and ends when it is dropped.
#[derive(Debug)]
pub enum Reader {
    /// Any of the readers.
    Sqlite(PoolConnection<Sqlite>),
    /// Reads only, within its scope.
    Postgres(Transaction<'static, Postgres>),
}

/// A transaction that writes. Dropped, it is rolled back.
#[derive(Debug)]
pub enum Writer {
    /// Holds SQLite's write lock from the beginning: be brief, appends wait for it.
    Sqlite(Transaction<'static, Sqlite>),
    /// Writes within its scope.
    Postgres(Transaction<'static, Postgres>),
}

impl Writer {
    /// Makes it durable.
    ///
    /// # Errors
    ///
    /// If the database fails; whether it was written is then not always known.
    pub async fn commit(self) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(transaction) => transaction.commit().await,
            Self::Postgres(transaction) => transaction.commit().await,
        }
    }

    /// Gives it up.
    ///
    /// # Errors
    ///
    /// If the database fails, which then gives it up by itself.
    pub async fn rollback(self) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(transaction) => transaction.rollback().await,
            Self::Postgres(transaction) => transaction.rollback().await,
        }
    }
}

/// How durable a write has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Once committed, it stays.
    Full,
    /// A crash may undo it; for what is computed again.
    Relaxed,
}

impl Database {
    /// A connection for reading what is in `scope`.
    ///
    /// # Errors
    ///
    /// If the database is not to be had.
    pub async fn read(&self, scope: &Scope<'_>) -> Result<Reader, sqlx::Error> {
        match self {
            Self::Sqlite { readers, .. } => Ok(Reader::Sqlite(readers.acquire().await?)),
            Self::Postgres(pool) => {
                let begin = format!(
                    "begin isolation level repeatable read read only; set local niyam.tenants = '{}'",
                    scope.setting()
                );
                Ok(Reader::Postgres(Box::pin(begin_postgres(pool, begin)).await?))
            }
        }
    }

    /// A transaction for writing what is in `scope`.
    ///
    /// # Errors
    ///
    /// If the database is not to be had.
    pub async fn write(&self, scope: &Scope<'_>, durability: Durability) -> Result<Writer, sqlx::Error> {
        match self {
            Self::Sqlite { writer, .. } => Ok(Writer::Sqlite(writer.begin_with("begin immediate").await?)),
            Self::Postgres(pool) => {
                let relaxed = match durability {
                    Durability::Full => "",
                    Durability::Relaxed => "; set local synchronous_commit = off",
                };
                let begin = format!(
                    "begin isolation level read committed; set local niyam.tenants = '{}'{relaxed}",
                    scope.setting()
                );
                Ok(Writer::Postgres(Box::pin(begin_postgres(pool, begin)).await?))
            }
        }
    }

    /// Brings the tables up to date, and says which changes were made. SQLite does it whenever it is opened.
    ///
    /// # Errors
    ///
    /// If the database is not to be had, or does not let its tables be changed.
    pub(crate) async fn migrate(config: &StoreConfig) -> Result<Vec<String>, StoreError> {
        match &config.database {
            DatabaseUrl::Sqlite(path) => {
                make_private(path).map_err(|error| StoreError::File(Arc::new(error)))?;
                let mut connection = sqlite_options(path, config).connect().await?;
                let before = applied_sqlite(&mut connection).await?;
                migrate_sqlite(&mut connection).await?;
                connection.close().await?;
                Ok(names(&SQLITE, &before))
            }
            DatabaseUrl::Postgres(url) => {
                let mut connection =
                    url.parse::<PgConnectOptions>()?.application_name("niyam").connect().await?;
                lock_migrations(&mut connection).await?;
                let before = applied_postgres(&mut connection).await?;
                run_postgres(&mut connection).await?;
                connection.close().await?;
                Ok(names(&POSTGRES, &before.unwrap_or_default()))
            }
        }
    }

    /// Connects and checks the settings and the tables. Those of SQLite, and of a new database, are made.
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

/// Begins with `statement`. A connection that broke while nobody used it is replaced.
async fn begin_postgres(
    pool: &PgPool,
    statement: String,
) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    let mut tries = pool.size();
    loop {
        match pool.begin_with(AssertSqlSafe(statement.clone())).await {
            Err(error)
                if tries > 0 && is_transient(&error) && !matches!(error, sqlx::Error::PoolTimedOut) =>
            {
                tries -= 1;
            }
            begun => return begun,
        }
    }
}

fn sqlite_options(path: &Path, config: &StoreConfig) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(config.lock_wait)
        .foreign_keys(true)
        .synchronous(SqliteSynchronous::Full)
        // A destroyed key must not stay in a page's free space.
        .pragma("secure_delete", "fast")
}

async fn open_sqlite(path: &Path, config: &StoreConfig) -> Result<Database, StoreError> {
    make_private(path).map_err(|error| StoreError::File(Arc::new(error)))?;
    let options = sqlite_options(path, config);
    let writer = PoolOptions::new()
        .max_connections(1)
        .acquire_timeout(config.lock_wait)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .after_release(|connection, _| Box::pin(is_out_of_transaction(connection)))
        .connect_with(options.clone().journal_mode(SqliteJournalMode::Wal).pragma("cache_size", CACHE))
        .await?;
    migrate_sqlite(&mut *writer.acquire().await?).await?;
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
async fn migrate_sqlite(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    const ATTEMPTS: u32 = 5;
    let mut attempt = 1;
    loop {
        match SQLITE.run(&mut *connection).await {
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

/// Whether policies would not bind the role that asks.
const UNBOUND: &str = "select rolsuper or rolbypassrls or exists ( \
     select from pg_class where relowner = pg_roles.oid) from pg_roles where rolname = current_user";

async fn open_postgres(url: &str, config: &StoreConfig) -> Result<Database, StoreError> {
    let options: PgConnectOptions = url.parse()?;
    let options = options.application_name("niyam");
    // Migrations may take longer than an append is allowed to.
    let mut connection = options.clone().connect().await?;
    check_tables(&mut connection).await?;
    connection.close().await?;
    let milliseconds = |wait: Duration| wait.as_millis().to_string();
    let options = options.options([
        ("role", HOST_ROLE.to_owned()),
        ("lock_timeout", milliseconds(config.lock_wait)),
        ("statement_timeout", milliseconds(config.statement_wait)),
        ("idle_in_transaction_session_timeout", milliseconds(config.statement_wait * 2)),
    ]);
    let lanes = u32::try_from(config.lanes).unwrap_or(u32::MAX);
    let pool = PoolOptions::new()
        // A lane keeps one, and takes another where it has to look things up.
        .max_connections(config.connections_max.max(lanes.saturating_mul(2).saturating_add(2)))
        .acquire_timeout(config.lock_wait)
        // Every use begins with a statement of its own, which finds out as well.
        .test_before_acquire(false)
        .connect_with(options)
        .await?;
    let (fsync, commit): (String, String) =
        sqlx::query_as("select current_setting('fsync'), current_setting('synchronous_commit')")
            .fetch_one(&pool)
            .await?;
    refuse("fsync", fsync, |fsync| fsync != "on")?;
    refuse("synchronous_commit", commit, |commit| commit == "off")?;
    let (unbound,): (bool,) = sqlx::query_as(UNBOUND).fetch_one(&pool).await?;
    refuse(HOST_ROLE, unbound.to_string(), |unbound| unbound == "true")?;
    Ok(Database::Postgres(pool))
}

/// Makes the tables of a new database, and refuses those of another version of the program.
async fn check_tables(connection: &mut PgConnection) -> Result<(), StoreError> {
    // Of two hosts that meet a new database, one makes the tables and the other waits.
    lock_migrations(connection).await?;
    let Some(applied) = applied_postgres(connection).await? else { return run_postgres(connection).await };
    if let Some(missing) = POSTGRES.iter().find(|migration| !applied.contains(&migration.version)) {
        return Err(StoreError::Outdated { migration: missing.description.to_string() });
    }
    let newest = POSTGRES.iter().map(|migration| migration.version).max().unwrap_or_default();
    match applied.last() {
        Some(last) if *last > newest => Err(StoreError::TooNew { migration: *last }),
        _ => Ok(()),
    }
}

/// Until the connection closes.
async fn lock_migrations(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    const LOCK: &str = "select pg_advisory_lock(hashtext('niyam migrations'))";
    sqlx::query(LOCK).execute(connection).await.map(|_| ())
}

async fn run_postgres(connection: &mut PgConnection) -> Result<(), StoreError> {
    POSTGRES.run(&mut *connection).await.map_err(|error| StoreError::Migrate(Arc::new(error)))
}

/// The migrations that the database has had; `None` if it has had none ever.
async fn applied_postgres(connection: &mut PgConnection) -> Result<Option<Vec<i64>>, StoreError> {
    const KNOWN: &str = "select to_regclass('_sqlx_migrations') is not null";
    let (known,): (bool,) = sqlx::query_as(KNOWN).fetch_one(&mut *connection).await?;
    if !known {
        return Ok(None);
    }
    let rows: Vec<(i64,)> = sqlx::query_as(APPLIED).fetch_all(connection).await?;
    Ok(Some(rows.into_iter().map(|(version,)| version).collect()))
}

async fn applied_sqlite(connection: &mut SqliteConnection) -> Result<Vec<i64>, StoreError> {
    const KNOWN: &str = "select count(*) from sqlite_schema where name = '_sqlx_migrations'";
    let (known,): (i64,) = sqlx::query_as(KNOWN).fetch_one(&mut *connection).await?;
    if known == 0 {
        return Ok(Vec::new());
    }
    let rows: Vec<(i64,)> = sqlx::query_as(APPLIED).fetch_all(connection).await?;
    Ok(rows.into_iter().map(|(version,)| version).collect())
}

/// The migrations that were not among those applied before.
fn names(migrator: &Migrator, before: &[i64]) -> Vec<String> {
    let new = migrator.iter().filter(|migration| !before.contains(&migration.version));
    new.map(|migration| format!("{:04} {}", migration.version, migration.description)).collect()
}

fn refuse(
    setting: &'static str,
    found: String,
    unsafe_value: impl Fn(&str) -> bool,
) -> Result<(), StoreError> {
    if unsafe_value(&found) { Err(StoreError::UnsafeSetting { setting, found }) } else { Ok(()) }
}
