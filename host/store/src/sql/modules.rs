//! Statements of uploaded modules and of publishers.

use jiff::Timestamp;
use niyam_domain::TenantId;
use uuid::Uuid;

use super::read::{change, on};
use crate::database::{Database, Durability, Reader, Scope, Writer};
use crate::error::StoreError;
use crate::modules::{ModuleState, ModuleUpload, Publisher, UploadedModule};

/// Runs one statement of a transaction; how many rows it changed.
macro_rules! run {
    ($writer:expr, $sql:expr $(, $value:expr)*) => {
        match &mut $writer {
            Writer::Sqlite(connection) => {
                sqlx::query($sql)$(.bind($value))*.execute(&mut **connection).await.map(|done| done.rows_affected())
            }
            Writer::Postgres(connection) => {
                sqlx::query($sql)$(.bind($value))*.execute(&mut **connection).await.map(|done| done.rows_affected())
            }
        }
    };
}

pub async fn add_publisher(
    database: &Database,
    key_id: &str,
    name: &str,
    key: &[u8; 32],
    now: i64,
) -> Result<bool, StoreError> {
    const SQL: &str = "insert into publishers (key_id, name, public_key, added_at) values ($1, $2, $3, $4) \
         on conflict (key_id) do nothing";
    let rows = change!(database, Scope::All, connection => sqlx::query(SQL)
        .bind(key_id).bind(name).bind(key.as_slice()).bind(now).execute(connection).await);
    Ok(rows > 0)
}

pub async fn revoke_publisher(database: &Database, key_id: &str, now: i64) -> Result<bool, StoreError> {
    const SQL: &str = "update publishers set revoked_at = $2 where key_id = $1 and revoked_at is null";
    let rows = change!(database, Scope::All, connection => sqlx::query(SQL)
        .bind(key_id).bind(now).execute(connection).await);
    Ok(rows > 0)
}

#[derive(sqlx::FromRow)]
struct PublisherRow {
    key_id: String,
    name: String,
    public_key: Vec<u8>,
    added_at: i64,
    revoked_at: Option<i64>,
}

pub async fn publishers(database: &Database) -> Result<Vec<Publisher>, StoreError> {
    const SQL: &str =
        "select key_id, name, public_key, added_at, revoked_at from publishers order by added_at, key_id";
    let rows: Vec<PublisherRow> =
        on!(database, Scope::All, connection => sqlx::query_as(SQL).fetch_all(connection).await)?;
    rows.into_iter()
        .map(|row| {
            Ok(Publisher {
                public_key: fixed(row.public_key)?,
                added_at: time(row.added_at)?,
                revoked_at: row.revoked_at.map(time).transpose()?,
                key_id: row.key_id,
                name: row.name,
            })
        })
        .collect()
}

/// The bytes, the place in the queue, the signatures, the tenant's claim: all or nothing.
pub async fn upload(
    database: &Database,
    tenant: &TenantId,
    upload: &ModuleUpload<'_>,
    now: i64,
) -> Result<bool, StoreError> {
    const COMPONENT: &str =
        "insert into components (digest, bytes) values ($1, $2) on conflict (digest) do nothing";
    const MODULE: &str = "insert into modules (digest, state, bytes, queued_at) values ($1, 'queued', $2, $3) \
         on conflict (digest) do nothing";
    const SIGNATURE: &str = "insert into module_signatures (digest, key_id, signature) values ($1, $2, $3) \
         on conflict (digest, key_id) do nothing";
    const UPLOAD: &str = "insert into module_uploads (tenant, digest, uploaded_by, uploaded_at) \
         values ($1, $2, $3, $4) on conflict (tenant, digest) do nothing";
    let digest = upload.digest.as_slice();
    let size = i64::try_from(upload.bytes.len()).unwrap_or(i64::MAX);
    let mut writer = database.write(&Scope::Tenant(tenant), Durability::Full).await?;
    run!(writer, COMPONENT, digest, upload.bytes)?;
    run!(writer, MODULE, digest, size, now)?;
    // In one order, whatever the request's: two of them then wait for one another, and never both.
    let mut signatures: Vec<_> = upload.signatures.iter().collect();
    signatures.sort();
    for (key_id, signature) in signatures {
        run!(writer, SIGNATURE, digest, key_id.as_str(), signature.as_slice())?;
    }
    let new = run!(writer, UPLOAD, tenant.as_str(), digest, upload.user, now)?;
    writer.commit().await?;
    Ok(new > 0)
}

#[derive(sqlx::FromRow)]
struct ModuleRow {
    digest: Vec<u8>,
    state: String,
    bytes: i64,
    report: Option<String>,
    queued_at: i64,
}

impl ModuleRow {
    fn module(self) -> Result<UploadedModule, StoreError> {
        let state = ModuleState::of(&self.state).ok_or_else(|| unreadable("state of a module"))?;
        Ok(UploadedModule {
            digest: fixed(self.digest)?,
            state,
            bytes: self.bytes.unsigned_abs(),
            report: self.report,
            queued_at: time(self.queued_at)?,
        })
    }
}

pub async fn uploaded(database: &Database, tenant: &TenantId) -> Result<Vec<UploadedModule>, StoreError> {
    const SQL: &str = "select modules.digest, state, bytes, report, queued_at from module_uploads \
         join modules on modules.digest = module_uploads.digest \
         where tenant = $1 order by uploaded_at desc, modules.digest";
    let rows: Vec<ModuleRow> = on!(database, Scope::Tenant(tenant), connection => sqlx::query_as(SQL)
        .bind(tenant.as_str()).fetch_all(connection).await)?;
    rows.into_iter().map(ModuleRow::module).collect()
}

pub async fn uploaded_one(
    database: &Database,
    tenant: &TenantId,
    digest: &[u8; 32],
) -> Result<Option<UploadedModule>, StoreError> {
    const SQL: &str = "select modules.digest, state, bytes, report, queued_at from module_uploads \
         join modules on modules.digest = module_uploads.digest where tenant = $1 and modules.digest = $2";
    let row: Option<ModuleRow> = on!(database, Scope::Tenant(tenant), connection => sqlx::query_as(SQL)
        .bind(tenant.as_str()).bind(digest.as_slice()).fetch_optional(connection).await)?;
    row.map(ModuleRow::module).transpose()
}

pub async fn signers(database: &Database, digest: &[u8; 32]) -> Result<Vec<String>, StoreError> {
    const SQL: &str = "select key_id from module_signatures where digest = $1 order by key_id";
    let rows: Vec<(String,)> = on!(database, Scope::All, connection => sqlx::query_as(SQL)
        .bind(digest.as_slice()).fetch_all(connection).await)?;
    Ok(rows.into_iter().map(|(key_id,)| key_id).collect())
}

pub async fn ready(database: &Database) -> Result<Vec<[u8; 32]>, StoreError> {
    const SQL: &str = "select digest from modules where state = 'ready'";
    let rows: Vec<(Vec<u8>,)> =
        on!(database, Scope::All, connection => sqlx::query_as(SQL).fetch_all(connection).await)?;
    rows.into_iter().map(|(digest,)| fixed(digest)).collect()
}

/// Only one host gets it: what another one took in between no longer matches.
pub async fn claim(
    database: &Database,
    host: Uuid,
    now: i64,
    until: i64,
) -> Result<Option<([u8; 32], u64)>, StoreError> {
    const NEXT: &str = "select digest, attempts from modules \
         where state = 'queued' or (state = 'compiling' and host_until < $1) order by queued_at limit 1";
    const CLAIM: &str = "update modules set state = 'compiling', host = $2, host_until = $3, attempts = attempts + 1 \
         where digest = $4 and (state = 'queued' or (state = 'compiling' and host_until < $1))";
    let next: Option<(Vec<u8>, i64)> = on!(database, Scope::All, connection => sqlx::query_as(NEXT)
        .bind(now).fetch_optional(connection).await)?;
    let Some((digest, attempts)) = next else { return Ok(None) };
    let rows = change!(database, Scope::All, connection => sqlx::query(CLAIM)
        .bind(now).bind(host.as_bytes().as_slice()).bind(until).bind(digest.as_slice()).execute(connection).await);
    if rows == 0 { Ok(None) } else { fixed(digest).map(|digest| Some((digest, attempts.unsigned_abs() + 1))) }
}

pub async fn keep_claim(
    database: &Database,
    host: Uuid,
    digest: &[u8; 32],
    until: i64,
) -> Result<bool, StoreError> {
    const SQL: &str =
        "update modules set host_until = $3 where digest = $1 and host = $2 and state = 'compiling'";
    let rows = change!(database, Scope::All, connection => sqlx::query(SQL)
        .bind(digest.as_slice()).bind(host.as_bytes().as_slice()).bind(until).execute(connection).await);
    Ok(rows > 0)
}

pub async fn settle(
    database: &Database,
    host: Uuid,
    digest: &[u8; 32],
    state: ModuleState,
    report: &str,
) -> Result<bool, StoreError> {
    const SQL: &str = "update modules set state = $3, report = $4, host = null, host_until = null \
         where digest = $1 and host = $2 and state = 'compiling'";
    let rows = change!(database, Scope::All, connection => sqlx::query(SQL)
        .bind(digest.as_slice()).bind(host.as_bytes().as_slice()).bind(state.as_str()).bind(report)
        .execute(connection).await);
    Ok(rows > 0)
}

fn fixed<const N: usize>(bytes: Vec<u8>) -> Result<[u8; N], StoreError> {
    bytes.try_into().map_err(|_| unreadable("bytes of another length"))
}

fn time(micros: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(micros).map_err(|_| unreadable("a time out of range"))
}

fn unreadable(what: &str) -> StoreError {
    sqlx::Error::Decode(what.into()).into()
}
