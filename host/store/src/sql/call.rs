//! A group of appends in one call of a function in PostgreSQL, which is a transaction of its own.
//!
//! See the migration that makes `niyam_append`. SQLite needs none: its calls go nowhere.

use std::collections::HashSet;

use niyam_domain::TenantId;
use sqlx::PgConnection;
use sqlx::postgres::{PgDatabaseError, PgSeverity};

use crate::group::{Outcome, Tip};

/// What came of a call.
pub enum Called {
    /// All was written, and is durable.
    Written,
    /// Nothing was written: a head, a version or a key was not as supposed, or the database refused.
    Refused,
    /// Whether it was written is not known. The database may even come to it later; it is refused then if a head of
    /// the group has moved meanwhile.
    Unknown(sqlx::Error),
}

/// Writes what the outcome holds, if the heads of the group's tenants, in order, are these, and its keys have no answer;
/// `at` in microseconds.
pub async fn append(
    connection: &mut PgConnection,
    heads: &[(&TenantId, Tip)],
    keys: &[(&str, &str)],
    outcome: &Outcome,
    at: i64,
) -> Called {
    match call(connection, heads, keys, outcome, at).await {
        Ok(true) => Called::Written,
        Ok(false) => Called::Refused,
        Err(error) if was_rolled_back(&error) => {
            tracing::debug!(%error, "the call of a group failed");
            Called::Refused
        }
        Err(error) => Called::Unknown(error),
    }
}

async fn call(
    connection: &mut PgConnection,
    heads: &[(&TenantId, Tip)],
    keys: &[(&str, &str)],
    outcome: &Outcome,
    at: i64,
) -> Result<bool, sqlx::Error> {
    const SQL: &str = "select niyam_append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, \
         $19, $20, $21, $22, $23, $24, $25, $26, $27)";
    let Outcome { events, tips, answers, supposed, .. } = outcome;
    // That a stream has no events yet, and a key no answer, the constraints know where one is written.
    let begun: HashSet<_> = events
        .iter()
        .filter(|event| event.version.0 == 1)
        .map(|event| (event.tenant.as_str(), event.stream.as_str()))
        .collect();
    let supposed: Vec<_> = supposed
        .iter()
        .filter(|((tenant, stream), _)| !begun.contains(&(tenant.as_str(), stream.as_str())))
        .collect();
    let answered: HashSet<_> =
        answers.iter().map(|(tenant, key, _)| (tenant.as_str(), key.as_str())).collect();
    let keys = keys.iter().filter(|key| !answered.contains(*key));
    let signed = |tip: &Tip| tip.position.0.cast_signed();
    let (of_keys, keys): (Vec<&str>, Vec<&str>) = keys.copied().unzip();
    sqlx::query_scalar(SQL)
        .bind(heads.iter().map(|(tenant, _)| tenant.as_str()).collect::<Vec<_>>())
        .bind(heads.iter().map(|(_, tip)| signed(tip)).collect::<Vec<_>>())
        .bind(heads.iter().map(|(_, tip)| tip.hash.as_slice()).collect::<Vec<_>>())
        .bind(supposed.iter().map(|((tenant, _), _)| tenant.as_str()).collect::<Vec<_>>())
        .bind(supposed.iter().map(|((_, stream), _)| stream.as_str()).collect::<Vec<_>>())
        .bind(supposed.iter().map(|(_, version)| version.0.cast_signed()).collect::<Vec<_>>())
        .bind(of_keys)
        .bind(keys)
        .bind(tips.keys().map(TenantId::as_str).collect::<Vec<_>>())
        .bind(tips.values().map(signed).collect::<Vec<_>>())
        .bind(tips.values().map(|tip| tip.hash.as_slice()).collect::<Vec<_>>())
        .bind(answers.iter().map(|(tenant, _, _)| tenant.as_str()).collect::<Vec<_>>())
        .bind(answers.iter().map(|(_, key, _)| key.as_str()).collect::<Vec<_>>())
        .bind(answers.iter().map(|(_, _, given)| given.fingerprint.as_slice()).collect::<Vec<_>>())
        .bind(answers.iter().map(|(_, _, given)| given.answer.as_slice()).collect::<Vec<_>>())
        .bind(answers.iter().map(|(_, _, given)| given.position.0.cast_signed()).collect::<Vec<_>>())
        .bind(at)
        .bind(events.iter().map(|event| event.tenant.as_str()).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.position.0.cast_signed()).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.stream.as_str()).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.version.0.cast_signed()).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.id.as_bytes().as_slice()).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.event_type.as_str()).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.effective_date.to_string()).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.payload.as_slice()).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.metadata.as_slice()).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.hash.as_slice()).collect::<Vec<_>>())
        .fetch_one(connection)
        .await
}

/// Whether a failed call surely wrote nothing: an error that leaves the session as it is comes before the commit, which
/// nothing can make fail halfway. What ends the session may come after it.
fn was_rolled_back(error: &sqlx::Error) -> bool {
    let Some(error) = error.as_database_error() else { return false };
    let Some(severity) = error.try_downcast_ref::<PgDatabaseError>().map(PgDatabaseError::severity) else {
        return false;
    };
    severity == PgSeverity::Error && error.code().is_some_and(|code| is_clear(&code))
}

/// PostgreSQL's own code for a completion that is not known, and those of connections and shutdowns, which something
/// between it and the host may send.
fn is_clear(code: &str) -> bool {
    code != "40003" && !["08", "57P"].iter().any(|class| code.starts_with(class))
}

#[cfg(test)]
mod tests {
    use super::is_clear;

    #[test]
    fn what_may_come_after_a_commit_is_in_doubt() {
        for code in ["40003", "57P01", "57P02", "08006", "08P01"] {
            assert!(!is_clear(code), "{code}");
        }
        for code in ["23505", "40P01", "55P03", "57014", "53100", "42501"] {
            assert!(is_clear(code), "{code}");
        }
    }
}
