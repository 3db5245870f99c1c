//! A transaction of either database, so that a view's SQL is written once: both understand it.

use niyam_store::Database;
use sqlx::{Postgres, Sqlite, Transaction};

/// A transaction that writes views.
pub(crate) enum Writer {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Writer {
    /// Begins. What a view loses in a crash is computed again, so PostgreSQL need not wait for its disk.
    pub(crate) async fn begin(database: &Database) -> Result<Self, sqlx::Error> {
        match database {
            Database::Sqlite { writer, .. } => Ok(Self::Sqlite(writer.begin_with("begin immediate").await?)),
            Database::Postgres(pool) => {
                let mut transaction = pool.begin().await?;
                sqlx::query("set local synchronous_commit = off").execute(&mut *transaction).await?;
                Ok(Self::Postgres(transaction))
            }
        }
    }

    pub(crate) async fn commit(self) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(transaction) => transaction.commit().await,
            Self::Postgres(transaction) => transaction.commit().await,
        }
    }
}

/// Runs one statement, the same in both dialects, with the same values.
macro_rules! run {
    ($writer:expr, $sql:expr, $($value:expr),* $(,)?) => {
        match $writer {
            $crate::projections::writer::Writer::Sqlite(transaction) => {
                sqlx::query($sql)$(.bind($value))*.execute(&mut **transaction).await.map(|_| ())
            }
            $crate::projections::writer::Writer::Postgres(transaction) => {
                sqlx::query($sql)$(.bind($value))*.execute(&mut **transaction).await.map(|_| ())
            }
        }
    };
}

/// Reads one optional row.
macro_rules! find {
    ($writer:expr, $row:ty, $sql:expr, $($value:expr),* $(,)?) => {
        match $writer {
            $crate::projections::writer::Writer::Sqlite(transaction) => {
                sqlx::query_as::<_, $row>($sql)$(.bind($value))*.fetch_optional(&mut **transaction).await
            }
            $crate::projections::writer::Writer::Postgres(transaction) => {
                sqlx::query_as::<_, $row>($sql)$(.bind($value))*.fetch_optional(&mut **transaction).await
            }
        }
    };
}

pub(crate) use {find, run};
