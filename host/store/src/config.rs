//! What to open, and with which knobs.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

/// Tells the time; injected, so that tests and replays own it.
pub trait Clock: Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> jiff::Timestamp;
}

/// Which database holds the events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// One file, for a single host. Its parent folder must exist.
    Sqlite(PathBuf),
    /// A `postgres://` URL, for any number of hosts.
    Postgres(String),
}

/// A text that names no database that the store can open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a database is `postgres://…`, `sqlite:<file>` or the path of a file, not `{scheme}`")]
pub struct InvalidDatabaseUrl {
    /// What the text gave instead; never the whole text, which may hold a password.
    pub scheme: String,
}

impl FromStr for DatabaseUrl {
    type Err = InvalidDatabaseUrl;

    /// Reads `postgres://…`, `postgresql://…`, `sqlite:<file>`, `sqlite://<file>` or a file's path.
    fn from_str(text: &str) -> Result<Self, InvalidDatabaseUrl> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        let path = match text.strip_prefix("sqlite:") {
            Some(rest) => rest.strip_prefix("//").unwrap_or(rest),
            None => text,
        };
        if path.is_empty() || path == ":memory:" {
            return Err(InvalidDatabaseUrl { scheme: path.to_owned() });
        }
        match path.split_once("://") {
            Some((scheme, _)) => Err(InvalidDatabaseUrl { scheme: scheme.to_owned() }),
            None => Ok(Self::Sqlite(PathBuf::from(path))),
        }
    }
}

/// How to open an event store; [`StoreConfig::new`] has the values that suit most.
#[derive(Clone)]
pub struct StoreConfig {
    /// Which database holds the events.
    pub database: DatabaseUrl,
    /// What `recorded_at` is taken from.
    pub clock: Arc<dyn Clock>,
    /// Appends that share one transaction, at most.
    pub group_commands_max: usize,
    /// How long a group waits until it is as large as the one before, at most.
    pub gather: Duration,
    /// Appends that may wait, per lane.
    pub queue_commands_max: usize,
    /// How long an append waits for a place in a full queue before it is refused as overloaded.
    pub queue_wait: Duration,
    /// Transactions under way at a time on PostgreSQL; a tenant keeps its lane. SQLite has one. More of them share less
    /// of each commit; fewer of them let a tenant whose head another process holds keep more of the others waiting.
    pub lanes: usize,
    /// Connections to PostgreSQL, at most; two for each lane, and two more, in any case.
    pub connections_max: u32,
    /// Connections that read from SQLite, at most.
    pub readers_max: u32,
    /// How long a connection, a lock or SQLite's one writer is waited for.
    pub lock_wait: Duration,
    /// How long a single statement may run on PostgreSQL.
    pub statement_wait: Duration,
    /// How soon a subscription sees what another process appended, at the latest. On PostgreSQL hosts tell each other.
    pub poll_every: Duration,
    /// How long a repeated request gets its first answer, at least.
    pub idempotency_kept: Duration,
    /// How often older answers are purged.
    pub purge_every: Duration,
}

impl StoreConfig {
    /// The usual values: groups of 64, four lanes, answers kept for 24 hours.
    #[must_use]
    pub fn new(database: DatabaseUrl, clock: Arc<dyn Clock>) -> Self {
        let poll_every = match database {
            DatabaseUrl::Sqlite(_) => Duration::from_millis(250),
            DatabaseUrl::Postgres(_) => Duration::from_secs(1),
        };
        Self {
            database,
            clock,
            group_commands_max: 64,
            gather: Duration::from_millis(2),
            queue_commands_max: 1024,
            queue_wait: Duration::from_secs(5),
            lanes: 4,
            connections_max: 16,
            readers_max: 4,
            lock_wait: Duration::from_secs(10),
            statement_wait: Duration::from_secs(30),
            poll_every,
            idempotency_kept: Duration::from_hours(24),
            purge_every: Duration::from_mins(10),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::DatabaseUrl;

    #[test]
    fn a_database_is_named_by_a_url_or_by_a_file() {
        let postgres = "postgres://niyam@localhost/niyam";
        assert_eq!(postgres.parse(), Ok(DatabaseUrl::Postgres(postgres.to_owned())));
        for text in ["data/niyam.db", "sqlite:data/niyam.db", "sqlite://data/niyam.db"] {
            assert_eq!(text.parse(), Ok(DatabaseUrl::Sqlite(PathBuf::from("data/niyam.db"))), "{text}");
        }
        assert!("sqlite:///var/lib/niyam.db".parse() == Ok(DatabaseUrl::Sqlite("/var/lib/niyam.db".into())));
        for text in ["", "sqlite:", "sqlite::memory:", "mysql://user:secret@host/db"] {
            let refused = text.parse::<DatabaseUrl>();
            assert!(refused.as_ref().is_err_and(|error| !error.to_string().contains("secret")), "{text}");
        }
    }
}
