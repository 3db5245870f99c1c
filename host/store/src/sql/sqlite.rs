//! The statements of an append's transaction on SQLite.

use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::rows::{AnswerRow, HeadRow, VersionRow};
use crate::group::Outcome;

/// Rows of one statement: few sizes, so that the connection finds the prepared statement again, and no more than
/// SQLite's 32,766 variables.
const STATEMENT_ROWS: [usize; 4] = [64, 16, 4, 1];

/// The heads of those of `tenants` that have one. The transaction holds the only write lock already.
pub async fn heads(connection: &mut SqliteConnection, tenants: &[&str]) -> Result<Vec<HeadRow>, sqlx::Error> {
    let mut rows = Vec::new();
    for chunk in chunks(tenants) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "select tenant, last_position, head_hash from tenant_heads where tenant in (",
        );
        let mut list = query.separated(", ");
        for tenant in chunk {
            list.push_bind(*tenant);
        }
        query.push(")");
        rows.extend(query.build_query_as().fetch_all(&mut *connection).await?);
    }
    Ok(rows)
}

/// The versions of the streams that have events.
pub async fn versions(
    connection: &mut SqliteConnection,
    streams: &[(&str, &str)],
) -> Result<Vec<VersionRow>, sqlx::Error> {
    let mut rows: Vec<VersionRow> = Vec::new();
    for chunk in chunks(streams) {
        let mut query = QueryBuilder::<Sqlite>::new("with given (tenant, stream) as (");
        push_pairs(&mut query, chunk);
        query.push(
            ") select given.tenant as tenant, given.stream as stream, \
             coalesce((select max(version) from events \
                 where events.tenant = given.tenant and events.stream = given.stream), 0) as version \
             from given",
        );
        rows.extend(query.build_query_as().fetch_all(&mut *connection).await?);
    }
    Ok(rows)
}

/// The answers of the keys that have one.
pub async fn answers(
    connection: &mut SqliteConnection,
    keys: &[(&str, &str)],
) -> Result<Vec<AnswerRow>, sqlx::Error> {
    let mut rows = Vec::new();
    for chunk in chunks(keys) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "select tenant, key, fingerprint, answer, position from idempotency where (tenant, key) in (",
        );
        push_pairs(&mut query, chunk);
        query.push(")");
        rows.extend(query.build_query_as().fetch_all(&mut *connection).await?);
    }
    Ok(rows)
}

/// Writes everything.
pub async fn write(
    connection: &mut SqliteConnection,
    outcome: &Outcome,
    created_at: i64,
) -> Result<(), sqlx::Error> {
    for chunk in chunks(&outcome.events) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "insert into events (tenant, position, stream, version, event_id, event_type, recorded_at, \
             effective_date, payload, metadata, hash) ",
        );
        query.push_values(chunk, |mut row, event| {
            row.push_bind(event.tenant.as_str())
                .push_bind(event.position.0.cast_signed())
                .push_bind(event.stream.as_str())
                .push_bind(event.version.0.cast_signed())
                .push_bind(event.id.as_bytes().as_slice())
                .push_bind(event.event_type.as_str())
                .push_bind(event.recorded_at.as_microsecond())
                .push_bind(event.effective_date.to_string())
                .push_bind(event.payload.as_slice())
                .push_bind(event.metadata.as_slice())
                .push_bind(event.hash.as_slice());
        });
        query.build().execute(&mut *connection).await?;
    }
    let tips: Vec<_> = outcome.tips.iter().collect();
    for chunk in chunks(&tips) {
        let mut query =
            QueryBuilder::<Sqlite>::new("insert into tenant_heads (tenant, last_position, head_hash) ");
        query.push_values(chunk, |mut row, (tenant, tip)| {
            row.push_bind(tenant.as_str())
                .push_bind(tip.position.0.cast_signed())
                .push_bind(tip.hash.as_slice());
        });
        query.push(
            " on conflict (tenant) do update set last_position = excluded.last_position, \
             head_hash = excluded.head_hash",
        );
        query.build().execute(&mut *connection).await?;
    }
    for chunk in chunks(&outcome.answers) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "insert into idempotency (tenant, key, fingerprint, answer, position, created_at) ",
        );
        query.push_values(chunk, |mut row, (tenant, key, given)| {
            row.push_bind(tenant.as_str())
                .push_bind(key.as_str())
                .push_bind(given.fingerprint.as_slice())
                .push_bind(given.answer.as_slice())
                .push_bind(given.position.0.cast_signed())
                .push_bind(created_at);
        });
        query.build().execute(&mut *connection).await?;
    }
    Ok(())
}

fn push_pairs(query: &mut QueryBuilder<Sqlite>, pairs: &[(&str, &str)]) {
    query.push_values(pairs, |mut row, (first, second)| {
        row.push_bind(*first).push_bind(*second);
    });
}

/// Cuts `rows` into pieces of [`STATEMENT_ROWS`], the largest first.
fn chunks<T>(rows: &[T]) -> impl Iterator<Item = &[T]> {
    let mut rest = rows;
    std::iter::from_fn(move || {
        let size = STATEMENT_ROWS.into_iter().find(|size| *size <= rest.len())?;
        let (chunk, after) = rest.split_at(size);
        rest = after;
        Some(chunk)
    })
}
