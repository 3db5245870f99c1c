//! A database that is only read: beside a running server, or where nobody may write.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{PgPool, SqlitePool, pool::PoolOptions};

use crate::config::DatabaseUrl;
use crate::database::Database;
use crate::error::StoreError;

/// How long a connection or a lock is waited for.
const WAIT: Duration = Duration::from_secs(30);

/// Connects without changing anything: no tables are made, none are brought up to date.
///
/// # Errors
///
/// If the database is not to be had.
pub async fn open_for_audit(url: &DatabaseUrl) -> Result<Database, StoreError> {
    open_to_read(url, 2).await
}

/// [`open_for_audit`] with so many connections.
///
/// # Errors
///
/// If the database is not to be had.
pub async fn open_to_read(url: &DatabaseUrl, connections: u32) -> Result<Database, StoreError> {
    match url {
        DatabaseUrl::Sqlite(path) => {
            let readers = open_sqlite(path, connections).await?;
            Ok(Database::Sqlite { writer: readers.clone(), readers })
        }
        DatabaseUrl::Postgres(url) => Ok(Database::Postgres(open_postgres(url, connections).await?)),
    }
}

async fn open_sqlite(path: &Path, connections: u32) -> Result<SqlitePool, StoreError> {
    if let Err(error) = std::fs::metadata(path) {
        return Err(StoreError::File(Arc::new(error)));
    }
    let options = SqliteConnectOptions::new().filename(path).read_only(true).busy_timeout(WAIT);
    let opened = connect_sqlite(options.clone(), connections).await;
    match opened {
        // In a folder that cannot be written SQLite cannot make the index of its log. Without a log the file is all.
        Err(_) if !has_log(path) => Ok(connect_sqlite(options.immutable(true), connections).await?),
        opened => Ok(opened?),
    }
}

async fn connect_sqlite(options: SqliteConnectOptions, connections: u32) -> Result<SqlitePool, sqlx::Error> {
    let pool = PoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(WAIT)
        .test_before_acquire(false)
        .connect_with(options)
        .await?;
    // Opening alone reads nothing.
    sqlx::query("select count(*) from sqlite_schema").fetch_one(&pool).await?;
    Ok(pool)
}

/// Whether writes may be in SQLite's log that are not in the file yet.
fn has_log(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    std::fs::metadata(log).is_ok_and(|log| log.len() > 0)
}

async fn open_postgres(url: &str, connections: u32) -> Result<PgPool, StoreError> {
    let options: PgConnectOptions = url.parse()?;
    let options = options.application_name("niyam-audit").options([
        ("default_transaction_read_only", "on"),
        ("lock_timeout", "30s"),
        // Looking at the versions of every stream of a large tenant takes its time.
        ("statement_timeout", "0"),
    ]);
    Ok(PoolOptions::new().max_connections(connections).acquire_timeout(WAIT).connect_with(options).await?)
}
