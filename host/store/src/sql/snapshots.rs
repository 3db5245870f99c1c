//! Statements of snapshots.

use niyam_domain::{StreamId, TenantId};

use super::read::{change, on};
use super::rows::EventRow;
use crate::database::{Database, Durability, Reader, Scope, Writer};
use crate::error::StoreError;

/// A snapshot, as stored, and the hash of the event at its version.
#[derive(sqlx::FromRow)]
pub struct SnapshotRow {
    /// The stream's version that it stands for.
    pub version: i64,
    /// Of what made the state.
    pub schema_hash: Vec<u8>,
    /// What it was sealed with.
    pub seal: Vec<u8>,
    /// JSON.
    pub state: Vec<u8>,
    /// Of the event at that version now.
    pub event_hash: Vec<u8>,
}

/// The snapshot of a stream, unless there is no event at its version.
pub async fn find(
    database: &Database,
    tenant: &TenantId,
    stream: &StreamId,
) -> Result<Option<SnapshotRow>, StoreError> {
    const SQL: &str = "select snapshots.version, schema_hash, seal, state, hash as event_hash from snapshots \
         join events on events.tenant = snapshots.tenant and events.stream = snapshots.stream \
             and events.version = snapshots.version \
         where snapshots.tenant = $1 and snapshots.stream = $2";
    let row = on!(database, Scope::Tenant(tenant), connection => sqlx::query_as(SQL)
        .bind(tenant.as_str()).bind(stream.as_str()).fetch_optional(connection).await);
    Ok(row?)
}

/// The snapshot of a stream, if it was made under `schema`, and the events after it, at most `limit`: one statement, since
/// most streams are short.
pub async fn resume(
    database: &Database,
    tenant: &TenantId,
    stream: &StreamId,
    schema: &[u8; 32],
    limit: u32,
) -> Result<Vec<EventRow>, StoreError> {
    const SQL: &str = "with kept as ( \
             select snapshots.version, seal, state, hash from snapshots \
             join events on events.tenant = snapshots.tenant and events.stream = snapshots.stream \
                 and events.version = snapshots.version \
             where snapshots.tenant = $1 and snapshots.stream = $2 and schema_hash = $3 \
         ) \
         select 0 as position, '' as stream, version, seal as event_id, '' as event_type, 0 as recorded_at, \
             '' as effective_date, state as payload, seal as metadata, hash from kept \
         union all \
         select * from (select position, stream, version, event_id, event_type, recorded_at, effective_date, \
             payload, metadata, hash from events where tenant = $1 and stream = $2 \
                 and version > coalesce((select version from kept), 0) order by version limit $4) as page \
         order by version";
    let rows = on!(database, Scope::Tenant(tenant), connection => sqlx::query_as(SQL)
        .bind(tenant.as_str()).bind(stream.as_str()).bind(schema.as_slice()).bind(i64::from(limit))
        .fetch_all(connection).await);
    Ok(rows?)
}

/// Keeps a snapshot, unless a later one is kept already; says whether it did.
pub async fn save(
    database: &Database,
    tenant: &TenantId,
    stream: &StreamId,
    row: &SnapshotRow,
    recorded_at: i64,
) -> Result<bool, StoreError> {
    // One that stands for a version that the stream does not have must not stay for ever.
    const SQL: &str = "insert into snapshots (tenant, stream, version, schema_hash, seal, state, recorded_at) \
         values ($1, $2, $3, $4, $5, $6, $7) \
         on conflict (tenant, stream) do update set version = excluded.version, \
             schema_hash = excluded.schema_hash, seal = excluded.seal, state = excluded.state, \
             recorded_at = excluded.recorded_at \
         where snapshots.version <= excluded.version or not exists (select 1 from events \
             where events.tenant = snapshots.tenant and events.stream = snapshots.stream \
                 and events.version = snapshots.version)";
    let rows = change!(database, Scope::Tenant(tenant), connection => sqlx::query(SQL)
        .bind(tenant.as_str()).bind(stream.as_str()).bind(row.version).bind(row.schema_hash.as_slice())
        .bind(row.seal.as_slice()).bind(row.state.as_slice()).bind(recorded_at).execute(connection).await);
    Ok(rows > 0)
}
