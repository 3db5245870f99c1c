//! The statements of an append's transaction on SQLite.

use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::rows::{LookRow, VersionRow};
use crate::group::Outcome;

/// Rows of one statement: few sizes, so that the connection finds the prepared statement again, close enough that few
/// statements make any number, and no more than SQLite's 32,766 variables.
const STATEMENT_ROWS: [usize; 11] = [64, 48, 32, 24, 16, 12, 8, 6, 4, 2, 1];

/// The heads of those of `tenants` that have one, the answers of those of `keys`, and the versions of `streams`: by one
/// statement, which is the same for any number of them. The transaction holds the only write lock already.
pub async fn look(
    connection: &mut SqliteConnection,
    tenants: &[&str],
    keys: &[(&str, &str)],
    streams: &[(&str, &str)],
) -> Result<Vec<LookRow>, sqlx::Error> {
    const LOOK: &str = "select 0 as kind, tenant, '' as name, last_position as number, head_hash as hash, \
             null as answer, 1 as current \
         from tenant_heads where tenant in (select value from json_each($1)) \
         union all \
         select 1, idempotency.tenant, idempotency.key, position, fingerprint, answer, 1 \
         from json_each($2) as given cross join idempotency \
             on idempotency.tenant = given.value ->> 0 and idempotency.key = given.value ->> 1 \
         union all \
         select 2, given.value ->> 0, given.value ->> 1, coalesce((select max(version) from events \
             where events.tenant = given.value ->> 0 and events.stream = given.value ->> 1), 0), null, null, 1 \
         from json_each($3) as given";
    sqlx::query_as(LOOK)
        .bind(array(tenants.iter().map(|tenant| text(tenant))))
        .bind(array(keys.iter().map(pair)))
        .bind(array(streams.iter().map(pair)))
        .fetch_all(connection)
        .await
}

/// The versions of the streams.
pub async fn versions(
    connection: &mut SqliteConnection,
    streams: &[(&str, &str)],
) -> Result<Vec<VersionRow>, sqlx::Error> {
    const VERSIONS: &str = "select given.value ->> 0 as tenant, given.value ->> 1 as stream, \
             coalesce((select max(version) from events \
                 where events.tenant = given.value ->> 0 and events.stream = given.value ->> 1), 0) as version \
         from json_each($1) as given";
    sqlx::query_as(VERSIONS).bind(array(streams.iter().map(pair))).fetch_all(connection).await
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

/// A JSON array of what is JSON already.
fn array(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}

fn pair((first, second): &(&str, &str)) -> String {
    format!("[{},{}]", text(first), text(second))
}

/// A JSON text. Tenants, streams and keys are printable ASCII, so only two characters need an escape.
fn text(text: &str) -> String {
    if text.contains(['\\', '"']) {
        format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        format!("\"{text}\"")
    }
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
