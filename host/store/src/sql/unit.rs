//! The transaction of a group of appends: lock, look up, write, commit.

use std::collections::BTreeSet;

use niyam_domain::{StreamId, TenantId, Version};

use super::rows::Looked;
use super::{postgres, sqlite, subjects};
use crate::database::{Database, Durability, Scope, Writer};
use crate::error::{StoreError, code};
use crate::group::{Given, Outcome, StreamSet, Tip};

/// A transaction under way. Dropped, it is rolled back. On PostgreSQL it holds the row locks of its tenants' heads
/// after [`Unit::look`].
pub struct Unit(Writer);

/// What a transaction finds at its beginning.
#[derive(Default)]
pub struct Found {
    /// The ends of the tenants' histories.
    pub heads: Vec<(TenantId, Tip)>,
    /// The answers of those keys that have one.
    pub answers: Vec<(TenantId, String, Given)>,
    /// The versions of those streams that have events.
    pub versions: Vec<(TenantId, StreamId, Version)>,
}

/// How a commit failed.
pub enum CommitError {
    /// Nothing was written.
    RolledBack(sqlx::Error),
    /// Whether it was written is not known.
    Unknown(sqlx::Error),
}

impl Unit {
    /// Begins a transaction for these tenants.
    pub async fn begin(database: &Database, tenants: &BTreeSet<&TenantId>) -> Result<Self, sqlx::Error> {
        database.write(&Scope::Tenants(tenants.clone()), Durability::Full).await.map(Self)
    }

    /// Locks the heads of `tenants` in order, makes those that are not there, and looks up `keys` and `streams`.
    pub async fn look(
        &mut self,
        tenants: &BTreeSet<&TenantId>,
        keys: &[(&str, &str)],
        streams: &StreamSet,
    ) -> Result<Found, StoreError> {
        let names: Vec<&str> = tenants.iter().map(|tenant| tenant.as_str()).collect();
        let streams = pairs(streams);
        let mut found = Found::default();
        let rows = match &mut self.0 {
            Writer::Sqlite(transaction) => sqlite::look(transaction, &names, keys, &streams).await?,
            Writer::Postgres(transaction) => postgres::look(transaction, &names, keys, &streams).await?,
        };
        for row in rows {
            match row.looked() {
                Looked::Head(row) => found.heads.push(row.tip()?),
                Looked::Answer(row) => found.answers.push(row.given()?),
                Looked::Version(row) => found.versions.push(row.version()?),
            }
        }
        Ok(found)
    }

    /// The versions of those of `streams` that have events.
    pub async fn versions(
        &mut self,
        streams: &StreamSet,
    ) -> Result<Vec<(TenantId, StreamId, Version)>, StoreError> {
        let keys = pairs(streams);
        let rows = match &mut self.0 {
            Writer::Sqlite(transaction) => sqlite::versions(transaction, &keys).await?,
            Writer::Postgres(transaction) => postgres::versions(transaction, &keys).await?,
        };
        rows.into_iter().map(super::rows::VersionRow::version).collect()
    }

    /// Whether all that the outcome holds was written before. Its events tell: a position is written once, and the hash
    /// is of all that came before.
    pub async fn is_there(&mut self, outcome: &Outcome) -> Result<bool, sqlx::Error> {
        match &mut self.0 {
            // Its log is not in doubt for who wrote it.
            Writer::Sqlite(_) => Ok(false),
            Writer::Postgres(transaction) => postgres::is_there(transaction, outcome).await,
        }
    }

    /// Writes keys, events, heads and answers; `created_at` is of the keys and answers, microseconds.
    pub async fn write(&mut self, outcome: &Outcome, created_at: i64) -> Result<(), sqlx::Error> {
        match &mut self.0 {
            Writer::Sqlite(transaction) => {
                subjects::write_sqlite(transaction, outcome, created_at).await?;
                sqlite::write(transaction, outcome, created_at).await
            }
            Writer::Postgres(transaction) => {
                subjects::write_postgres(transaction, outcome, created_at).await?;
                postgres::write(transaction, outcome, created_at).await
            }
        }
    }

    /// Makes it durable.
    pub async fn commit(self) -> Result<(), CommitError> {
        self.0.commit().await.map_err(|error| {
            if was_rolled_back(&error) { CommitError::RolledBack(error) } else { CommitError::Unknown(error) }
        })
    }

    /// Gives it up.
    pub async fn rollback(self) -> Result<(), sqlx::Error> {
        self.0.rollback().await
    }
}

fn pairs(streams: &StreamSet) -> Vec<(&str, &str)> {
    streams.iter().map(|(tenant, stream)| (tenant.as_str(), stream.as_str())).collect()
}

/// Whether a failed `commit` surely wrote nothing.
fn was_rolled_back(error: &sqlx::Error) -> bool {
    code(error).is_some_and(|code| is_rolled_back_code(&code))
}

/// PostgreSQL answers a `commit` with an error of the transaction itself (not of a shutdown, which may come after the
/// commit).
///
/// SQLite finds the file locked, or a write into its log fails: then the frame with the commit mark, which is the last
/// one written, is not whole. A failure after that frame (to sync the log, or to grow its index) is not clear: what is
/// rolled back here would be committed by a recovery, unless the next transaction has written over it.
fn is_rolled_back_code(code: &str) -> bool {
    if let [_, _, _, _, _] = code.as_bytes() {
        return code != "40003" && ["23", "25", "40", "53"].iter().any(|class| code.starts_with(class));
    }
    code.parse::<u32>().is_ok_and(|code| code & 0xff == 5 || [13, 778].contains(&code))
}

#[cfg(test)]
mod tests {
    use super::is_rolled_back_code;

    #[test]
    fn only_a_clear_answer_counts_as_rolled_back() {
        for code in ["40001", "40P01", "23505", "25P02", "53100", "5", "517", "13", "778"] {
            assert!(is_rolled_back_code(code), "{code}");
        }
        // Completion unknown, shutdown, cancelled, broken connection; SQLite's I/O error, sync and index.
        for code in ["40003", "57P01", "57014", "08006", "10", "1034", "4874"] {
            assert!(!is_rolled_back_code(code), "{code}");
        }
    }
}
