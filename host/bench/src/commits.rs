//! What a commit costs at least: one row, one transaction, through the driver that the store uses.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Result;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, PgConnection, SqliteConnection};

use crate::figures::Times;

/// As large as a small event.
const ROW_BYTES: usize = 1024;

const TABLE: &str = "create table bare_commits (id integer primary key, payload text not null)";
const INSERT: &str = "insert into bare_commits (id, payload) values ($1, $2)";

/// A database of its own, with a table of one kind of row.
pub struct Commits {
    connection: Kind,
    rows: i32,
}

enum Kind {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Commits {
    /// A new file in `folder`, with the settings of the store.
    pub async fn sqlite(folder: &Path) -> Result<Self> {
        let mut connection = SqliteConnectOptions::new()
            .filename(folder.join("commits.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .connect()
            .await?;
        sqlx::query(TABLE).execute(&mut connection).await?;
        Ok(Self { connection: Kind::Sqlite(connection), rows: 0 })
    }

    /// A new table in the database of `url`.
    pub async fn postgres(url: &str) -> Result<Self> {
        let mut connection = PgConnection::connect(url).await?;
        sqlx::query(TABLE).execute(&mut connection).await?;
        Ok(Self { connection: Kind::Postgres(connection), rows: 0 })
    }

    /// Where PostgreSQL says that it keeps its files.
    pub async fn data_folder(&mut self) -> Result<Option<PathBuf>> {
        match &mut self.connection {
            Kind::Sqlite(_) => Ok(None),
            Kind::Postgres(connection) => {
                let (folder,): (String,) =
                    sqlx::query_as("show data_directory").fetch_one(connection).await?;
                Ok(Some(folder.into()))
            }
        }
    }

    /// Commits `count` rows, one after the other.
    pub async fn run(&mut self, count: usize) -> Result<Times> {
        let payload = "x".repeat(ROW_BYTES);
        let mut times = Times::default();
        for _ in 0..count {
            self.rows += 1;
            let began = Instant::now();
            match &mut self.connection {
                Kind::Sqlite(connection) => {
                    let mut transaction = connection.begin_with("begin immediate").await?;
                    let insert = sqlx::query(INSERT).bind(self.rows).bind(payload.as_str());
                    insert.execute(&mut *transaction).await?;
                    transaction.commit().await?;
                }
                Kind::Postgres(connection) => {
                    let mut transaction = connection.begin().await?;
                    let insert = sqlx::query(INSERT).bind(self.rows).bind(payload.as_str());
                    insert.execute(&mut *transaction).await?;
                    transaction.commit().await?;
                }
            }
            times.push(began.elapsed());
        }
        Ok(times)
    }
}
