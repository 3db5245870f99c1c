//! Statements that both databases understand as they are, outside of an append.

use niyam_domain::{Position, StreamId, TenantId, Version};

use super::rows::{AnswerRow, EventRow, HeadRow};
use crate::database::{Database, Durability, Reader, Scope, Writer};
use crate::error::StoreError;
use crate::event::Head;
use crate::group::Given;

/// Runs the same expression on a connection that reads what is in the scope.
macro_rules! on {
    ($database:expr, $scope:expr, $connection:ident => $body:expr) => {
        match $database.read(&$scope).await? {
            Reader::Sqlite(mut connection) => {
                let $connection = &mut *connection;
                $body
            }
            Reader::Postgres(mut connection) => {
                let $connection = &mut *connection;
                $body
            }
        }
    };
}
/// Runs the same expression in a transaction that writes what is in the scope.
macro_rules! change {
    ($database:expr, $scope:expr, $connection:ident => $body:expr) => {{
        let mut writer = $database.write(&$scope, Durability::Full).await?;
        let done = match &mut writer {
            Writer::Sqlite(connection) => {
                let $connection = &mut **connection;
                $body.map(|done| done.rows_affected())
            }
            Writer::Postgres(connection) => {
                let $connection = &mut **connection;
                $body.map(|done| done.rows_affected())
            }
        }?;
        writer.commit().await?;
        done
    }};
}

pub(super) use {change, on};

const STREAM: &str = "select position, stream, version, event_id, event_type, recorded_at, effective_date, payload, \
     metadata, hash from events where tenant = $1 and stream = $2 and version > $3 order by version limit $4";

const PAGE: &str = "select position, stream, version, event_id, event_type, recorded_at, effective_date, payload, \
     metadata, hash from events where tenant = $1 and position > $2 order by position limit $3";

/// The events of a stream after a version, at most `limit`.
pub async fn stream(
    database: &Database,
    tenant: &TenantId,
    stream: &StreamId,
    after: Version,
    limit: u32,
) -> Result<Vec<EventRow>, StoreError> {
    let after = after.0.min(i64::MAX as u64).cast_signed();
    let rows = on!(database, Scope::Tenant(tenant), connection => sqlx::query_as(STREAM)
        .bind(tenant.as_str()).bind(stream.as_str()).bind(after).bind(i64::from(limit)).fetch_all(connection).await);
    Ok(rows?)
}

/// The events of a tenant after a position, at most `limit`.
pub async fn page(
    database: &Database,
    tenant: &TenantId,
    after: Position,
    limit: u32,
) -> Result<Vec<EventRow>, StoreError> {
    let after = after.0.min(i64::MAX as u64).cast_signed();
    let rows = on!(database, Scope::Tenant(tenant), connection => sqlx::query_as(PAGE)
        .bind(tenant.as_str()).bind(after).bind(i64::from(limit)).fetch_all(connection).await);
    Ok(rows?)
}

const AT_SQLITE: &str = "select position, stream, version, event_id, event_type, recorded_at, effective_date, payload, \
     metadata, hash from events where tenant = $1 and position in (select value from json_each($2)) order by position";

const AT_POSTGRES: &str = "select position, stream, version, event_id, event_type, recorded_at, effective_date, payload, \
     metadata, hash from events where tenant = $1 and position = any ($2::bigint[]) order by position";

/// The events of a tenant at these positions, in order; of those that are there.
pub async fn at(
    database: &Database,
    tenant: &TenantId,
    positions: &[Position],
) -> Result<Vec<EventRow>, StoreError> {
    let positions: Vec<i64> =
        positions.iter().map(|position| position.0.min(i64::MAX as u64).cast_signed()).collect();
    Ok(match database.read(&Scope::Tenant(tenant)).await? {
        Reader::Sqlite(mut connection) => {
            let positions: Vec<String> = positions.iter().map(i64::to_string).collect();
            let positions = format!("[{}]", positions.join(","));
            sqlx::query_as(AT_SQLITE)
                .bind(tenant.as_str())
                .bind(positions)
                .fetch_all(&mut *connection)
                .await?
        }
        Reader::Postgres(mut connection) => {
            sqlx::query_as(AT_POSTGRES)
                .bind(tenant.as_str())
                .bind(positions)
                .fetch_all(&mut *connection)
                .await?
        }
    })
}

/// The end of a tenant's history.
pub async fn head(database: &Database, tenant: &TenantId) -> Result<Option<Head>, StoreError> {
    const SQL: &str =
        "select tenant, last_position, head_hash from tenant_heads where tenant = $1 and last_position > 0";
    let row: Option<HeadRow> = on!(database, Scope::Tenant(tenant), connection => sqlx::query_as(SQL).bind(tenant.as_str()).fetch_optional(connection).await)?;
    row.map(HeadRow::head).transpose()
}

/// The end of every tenant's history, in order of tenant.
pub async fn heads(database: &Database) -> Result<Vec<Head>, StoreError> {
    const SQL: &str =
        "select tenant, last_position, head_hash from tenant_heads where last_position > 0 order by tenant";
    let rows: Vec<HeadRow> =
        on!(database, Scope::All, connection => sqlx::query_as(SQL).fetch_all(connection).await)?;
    rows.into_iter().map(HeadRow::head).collect()
}

/// The answer that was given for an idempotency key.
pub async fn answer(database: &Database, tenant: &TenantId, key: &str) -> Result<Option<Given>, StoreError> {
    const SQL: &str =
        "select tenant, key, fingerprint, answer, position from idempotency where tenant = $1 and key = $2";
    let row: Option<AnswerRow> = on!(database, Scope::Tenant(tenant), connection => sqlx::query_as(SQL).bind(tenant.as_str()).bind(key).fetch_optional(connection).await)?;
    Ok(row.map(AnswerRow::given).transpose()?.map(|(_, _, given)| given))
}

/// The bytes of a component.
pub async fn component(database: &Database, digest: &[u8; 32]) -> Result<Option<Vec<u8>>, StoreError> {
    const SQL: &str = "select bytes from components where digest = $1";
    let row: Option<(Vec<u8>,)> = on!(database, Scope::All, connection => sqlx::query_as(SQL).bind(digest.as_slice()).fetch_optional(connection).await)?;
    Ok(row.map(|(bytes,)| bytes))
}

/// Keeps the bytes of a component, unless they are kept already.
pub async fn put_component(database: &Database, digest: &[u8; 32], bytes: &[u8]) -> Result<(), StoreError> {
    const SQL: &str =
        "insert into components (digest, bytes) values ($1, $2) on conflict (digest) do nothing";
    change!(database, Scope::All, connection => sqlx::query(SQL).bind(digest.as_slice()).bind(bytes).execute(connection).await);
    Ok(())
}

/// Whether the database answers, and has the store's tables.
pub async fn ping(database: &Database) -> Result<(), StoreError> {
    const SQL: &str = "select last_position from tenant_heads limit 1";
    on!(database, Scope::All, connection => sqlx::query(SQL).fetch_optional(connection).await.map(|_| ()))?;
    Ok(())
}

/// Forgets at most 1,000 answers that were given before `created_before`, microseconds; says how many.
pub async fn purge_answers(database: &Database, created_before: i64) -> Result<u64, StoreError> {
    const SQLITE: &str = "delete from idempotency where (tenant, key) in \
         (select tenant, key from idempotency where created_at < $1 limit 1000)";
    const POSTGRES: &str = "delete from idempotency where (tenant, key) in \
         (select tenant, key from idempotency where created_at < $1 limit 1000 for update skip locked)";
    let sql = if matches!(database, Database::Sqlite { .. }) { SQLITE } else { POSTGRES };
    Ok(
        change!(database, Scope::All, connection => sqlx::query(sql).bind(created_before).execute(connection).await),
    )
}
