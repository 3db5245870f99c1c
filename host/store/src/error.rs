//! What can go wrong with the database, cut by what the caller can do.

use std::borrow::Cow;
use std::sync::Arc;

use niyam_domain::{Position, TenantId};

/// A failure of the store. Cheap to clone, since one may answer a whole group of appends.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Too many appends wait: try again later, with fewer.
    #[error("failed to take the append: too many wait already")]
    Overloaded,
    /// The database is not to be had now: try again later. Nothing was written.
    #[error("failed to reach the database: {0}")]
    Unavailable(#[source] Arc<sqlx::Error>),
    /// The disk takes no more: it is full, or over a quota. Nothing was written; try again once there is room.
    #[error("failed to write: the disk takes no more: {0}")]
    Full(#[source] Arc<sqlx::Error>),
    /// The connection broke while committing: the append is there or not. Ask with its idempotency key.
    #[error("failed to learn whether the append was committed: {0}")]
    CommitUnknown(#[source] Arc<sqlx::Error>),
    /// The store was closed.
    #[error("failed to use the store: it is closed")]
    Closed,
    /// The database would lose what it acknowledges: change the setting.
    #[error("failed to open the store: {setting} is {found}, which does not keep what was acknowledged")]
    UnsafeSetting {
        /// Which setting.
        setting: &'static str,
        /// Its value.
        found: String,
    },
    /// The file of the database cannot be used.
    #[error("failed to open the store's file: {0}")]
    File(#[source] Arc<std::io::Error>),
    /// The tables cannot be brought up to date.
    #[error("failed to migrate the database: {0}")]
    Migrate(#[source] Arc<sqlx::migrate::MigrateError>),
    /// The tables are of an older version of the program.
    #[error("failed to open the store: its tables lack `{migration}`: run `niyam migrate`")]
    Outdated {
        /// The first change that they lack.
        migration: String,
    },
    /// The tables are of a newer version of the program.
    #[error("failed to open the store: its tables are of a newer version (migration {migration})")]
    TooNew {
        /// The last change that they had.
        migration: i64,
    },
    /// A stored row is not what the store wrote: run an audit.
    #[error("failed to read tenant {tenant}: the event at position {position} is missing or damaged")]
    Damaged {
        /// Whose history.
        tenant: TenantId,
        /// Where.
        position: Position,
    },
    /// A stored head is not what the store wrote: run an audit.
    #[error("failed to read the head of a tenant: it is damaged")]
    DamagedHead,
    /// A stored key of a data subject is not what the store wrote.
    #[error("failed to read a key of a data subject: it is damaged")]
    DamagedSubjectKey,
    /// A component's bytes are not what its digest says.
    #[error("failed to use the component: its bytes do not have the digest")]
    DigestMismatch,
    /// Anything else that the database says: a defect of the store or of its set-up.
    #[error("failed to use the database: {0}")]
    Database(#[source] Arc<sqlx::Error>),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if matches!(error, sqlx::Error::PoolClosed) {
            Self::Closed
        } else if code(&error).is_some_and(|code| is_full_code(&code)) {
            Self::Full(Arc::new(error))
        } else if is_transient(&error) {
            Self::Unavailable(Arc::new(error))
        } else {
            Self::Database(Arc::new(error))
        }
    }
}

/// PostgreSQL's SQLSTATE, or SQLite's (extended) result code, if it is the database that failed.
pub(crate) fn code(error: &sqlx::Error) -> Option<Cow<'_, str>> {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code)
}

/// Whether the disk takes no more. SQLite has a code for no space left; over a quota or a limit it only knows that a
/// write failed, or that its shared memory could not grow.
fn is_full_code(code: &str) -> bool {
    ["53100", "13", "778", "4874"].contains(&code)
}

/// Whether the database refuses the values themselves, so that trying the same again never helps.
#[must_use]
pub fn is_refusal(error: &sqlx::Error) -> bool {
    code(error).is_some_and(|code| is_refusal_code(&code))
}

/// PostgreSQL's data exceptions and constraints; SQLite's too-big, constraint and mismatch, in the low byte.
fn is_refusal_code(code: &str) -> bool {
    if let [_, _, _, _, _] = code.as_bytes() {
        return ["22", "23"].iter().any(|class| code.starts_with(class));
    }
    code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 18..=20))
}

/// Whether the same statement may succeed a little later.
pub(crate) fn is_transient(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(_) => code(error).is_some_and(|code| is_transient_code(&code)),
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::BeginFailed => true,
        _ => false,
    }
}

/// PostgreSQL's SQLSTATE, or SQLite's (extended) result code.
fn is_transient_code(code: &str) -> bool {
    if let [_, _, _, _, _] = code.as_bytes() {
        // Connection trouble, out of resources, the operator's shutdown.
        return ["08", "53", "57P"].iter().any(|class| code.starts_with(class))
            || ["40001", "40P01", "55P03"].contains(&code);
    }
    // SQLITE_BUSY and SQLITE_LOCKED are in the low byte.
    code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 5 | 6))
}

#[cfg(test)]
mod tests {
    use super::{is_full_code, is_refusal_code, is_transient_code};

    #[test]
    fn a_disk_that_takes_no_more_is_told_from_a_busy_database() {
        for code in ["53100", "13", "778", "4874"] {
            assert!(is_full_code(code), "{code}");
        }
        // Out of memory, too many connections, and SQLite's failures to read and to sync.
        for code in ["53200", "53300", "7", "266", "1034"] {
            assert!(!is_full_code(code), "{code}");
        }
    }

    #[test]
    fn only_values_that_are_refused_are_not_worth_another_try() {
        for code in ["22003", "23505", "18", "19", "20", "2067"] {
            assert!(is_refusal_code(code), "{code}");
        }
        for code in ["40001", "42P01", "53100", "57P01", "1", "5", "13", "10"] {
            assert!(!is_refusal_code(code), "{code}");
        }
    }

    #[test]
    fn a_busy_or_restarting_database_is_worth_another_try() {
        for code in ["40001", "40P01", "55P03", "57P01", "08006", "53300", "5", "6", "517"] {
            assert!(is_transient_code(code), "{code}");
        }
        for code in ["23505", "42P01", "57014", "1", "13", "2067"] {
            assert!(!is_transient_code(code), "{code}");
        }
    }
}
