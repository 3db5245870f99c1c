//! Statements of the keys of data subjects.

use jiff::Timestamp;
use niyam_domain::{SubjectKeyId, TenantId};
use sqlx::{PgConnection, QueryBuilder, Sqlite, SqliteConnection};
use uuid::Uuid;

use super::read::on;
use crate::database::{Database, Durability, Reader, Scope, Writer};
use crate::error::StoreError;
use crate::group::Outcome;
use crate::subject::SubjectKey;

/// Ids that are asked for in one statement on SQLite.
const IDS_AT_ONCE: usize = 500;

#[derive(sqlx::FromRow)]
struct Row {
    tenant: String,
    key_id: Vec<u8>,
    subject: Vec<u8>,
    wrapped_key: Option<Vec<u8>>,
    created_at: i64,
    erased_at: Option<i64>,
}

impl Row {
    fn key(self) -> Result<(TenantId, SubjectKey), StoreError> {
        let damaged = |_| StoreError::DamagedSubjectKey;
        let at = |micros| Timestamp::from_microsecond(micros).map_err(|_| StoreError::DamagedSubjectKey);
        let key = SubjectKey {
            id: SubjectKeyId(Uuid::from_slice(&self.key_id).map_err(|_| StoreError::DamagedSubjectKey)?),
            subject: self.subject.try_into().map_err(damaged)?,
            wrapped: self.wrapped_key,
            created_at: at(self.created_at)?,
            erased_at: self.erased_at.map(at).transpose()?,
        };
        Ok((self.tenant.parse().map_err(|_| StoreError::DamagedSubjectKey)?, key))
    }
}

fn keys(rows: Vec<Row>) -> Result<Vec<SubjectKey>, StoreError> {
    rows.into_iter().map(|row| row.key().map(|(_, key)| key)).collect()
}

/// Those of the ids that there are.
pub async fn by_id(
    database: &Database,
    tenant: &TenantId,
    ids: &[SubjectKeyId],
) -> Result<Vec<SubjectKey>, StoreError> {
    const POSTGRES: &str = "select tenant, key_id, subject, wrapped_key, created_at, erased_at from subject_keys \
         where tenant = $1 and key_id = any($2)";
    let names: Vec<&[u8]> = ids.iter().map(|id| id.0.as_bytes().as_slice()).collect();
    let mut rows: Vec<Row> = Vec::with_capacity(ids.len());
    match database.read(&Scope::Tenant(tenant)).await? {
        Reader::Sqlite(mut connection) => {
            for names in names.chunks(IDS_AT_ONCE) {
                let mut query = QueryBuilder::<Sqlite>::new(
                    "select tenant, key_id, subject, wrapped_key, created_at, erased_at from subject_keys \
                     where tenant = ",
                );
                query.push_bind(tenant.as_str()).push(" and key_id in (");
                let mut list = query.separated(", ");
                for name in names {
                    list.push_bind(*name);
                }
                query.push(")");
                rows.extend(query.build_query_as::<Row>().fetch_all(&mut *connection).await?);
            }
        }
        Reader::Postgres(mut connection) => {
            rows = sqlx::query_as(POSTGRES)
                .bind(tenant.as_str())
                .bind(names)
                .fetch_all(&mut *connection)
                .await?;
        }
    }
    keys(rows)
}

/// All that a subject has and had, the newest first.
pub async fn of_subject(
    database: &Database,
    tenant: &TenantId,
    subject: &[u8; 32],
) -> Result<Vec<SubjectKey>, StoreError> {
    const SQL: &str = "select tenant, key_id, subject, wrapped_key, created_at, erased_at from subject_keys \
         where tenant = $1 and subject = $2 order by created_at desc, key_id desc";
    let rows: Vec<Row> = on!(database, Scope::Tenant(tenant), connection => sqlx::query_as(SQL)
        .bind(tenant.as_str()).bind(subject.as_slice()).fetch_all(connection).await)?;
    keys(rows)
}

/// Those after another one, destroyed ones first: who takes them in must not see two live keys of one subject.
pub async fn after(
    database: &Database,
    tenant: &TenantId,
    after: Option<&SubjectKey>,
    limit: u32,
) -> Result<Vec<SubjectKey>, StoreError> {
    const SQL: &str = "select tenant, key_id, subject, wrapped_key, created_at, erased_at from subject_keys \
         where tenant = $1 and (case when erased_at is null then 1 else 0 end > $2 \
             or (case when erased_at is null then 1 else 0 end = $2 and key_id > $3)) \
         order by case when erased_at is null then 1 else 0 end, key_id limit $4";
    let live = after.map_or(0, |key| i32::from(key.erased_at.is_none()));
    let id = after.map_or_else(Vec::new, |key| key.id.0.as_bytes().to_vec());
    let rows: Vec<Row> = on!(database, Scope::Tenant(tenant), connection => sqlx::query_as(SQL)
        .bind(tenant.as_str()).bind(live).bind(id).bind(i64::from(limit)).fetch_all(connection).await)?;
    keys(rows)
}

/// Any key that is not destroyed.
pub async fn some(database: &Database) -> Result<Option<(TenantId, SubjectKey)>, StoreError> {
    const SQL: &str = "select tenant, key_id, subject, wrapped_key, created_at, erased_at from subject_keys \
         where erased_at is null limit 1";
    let row: Option<Row> =
        on!(database, Scope::All, connection => sqlx::query_as(SQL).fetch_optional(connection).await)?;
    row.map(Row::key).transpose()
}

/// Every key that is destroyed.
pub async fn erased(database: &Database) -> Result<Vec<(TenantId, SubjectKey)>, StoreError> {
    const SQL: &str = "select tenant, key_id, subject, wrapped_key, created_at, erased_at from subject_keys \
         where erased_at is not null order by tenant, key_id";
    let rows: Vec<Row> =
        on!(database, Scope::All, connection => sqlx::query_as(SQL).fetch_all(connection).await)?;
    rows.into_iter().map(Row::key).collect()
}

/// Keys of a tenant that are gone, whatever is said of them.
pub async fn gone(database: &Database, tenant: &TenantId) -> Result<Vec<SubjectKeyId>, StoreError> {
    const SQL: &str = "select tenant, key_id, subject, wrapped_key, created_at, erased_at from subject_keys \
         where tenant = $1 and wrapped_key is null order by key_id";
    let rows: Vec<Row> = on!(database, Scope::Tenant(tenant), connection => sqlx::query_as(SQL)
        .bind(tenant.as_str()).fetch_all(connection).await)?;
    rows.into_iter().map(|row| row.key().map(|(_, key)| key.id)).collect()
}

/// Those of the keys of a tenant whose destruction its history tells of.
pub async fn told(
    database: &Database,
    tenant: &TenantId,
    ids: &[SubjectKeyId],
) -> Result<Vec<SubjectKeyId>, StoreError> {
    const SQL: &str = "select 1 from events where tenant = $1 and stream = $2 and version = 1";
    let mut told = Vec::new();
    for id in ids {
        let stream = id.stream();
        let row: Option<(i32,)> = on!(database, Scope::Tenant(tenant), connection => sqlx::query_as(SQL)
            .bind(tenant.as_str()).bind(stream.as_str()).fetch_optional(connection).await)?;
        told.extend(row.map(|_| *id));
    }
    Ok(told)
}

/// Keeps keys, or destroys them where they are kept, in one transaction; says how many it destroyed.
pub async fn put(database: &Database, tenant: &TenantId, keys: &[SubjectKey]) -> Result<u64, StoreError> {
    const DESTROY: &str = "update subject_keys set wrapped_key = null, erased_at = $3 \
         where tenant = $1 and key_id = $2 and erased_at is null and $3 is not null";
    const KEEP: &str = "insert into subject_keys (tenant, key_id, subject, wrapped_key, created_at, erased_at) \
         values ($1, $2, $3, $4, $5, $6) on conflict (tenant, key_id) do nothing";
    let mut writer = database.write(&Scope::Tenant(tenant), Durability::Full).await?;
    macro_rules! put {
        ($transaction:expr, $key:expr) => {{
            let key = $key;
            let erased_at = key.erased_at.map(Timestamp::as_microsecond);
            let destroyed = match erased_at {
                Some(erased_at) => sqlx::query(DESTROY)
                    .bind(tenant.as_str())
                    .bind(key.id.0.as_bytes().as_slice())
                    .bind(erased_at)
                    .execute(&mut **$transaction)
                    .await?
                    .rows_affected(),
                None => 0,
            };
            sqlx::query(KEEP)
                .bind(tenant.as_str())
                .bind(key.id.0.as_bytes().as_slice())
                .bind(key.subject.as_slice())
                .bind(key.wrapped.as_deref())
                .bind(key.created_at.as_microsecond())
                .bind(erased_at)
                .execute(&mut **$transaction)
                .await?;
            destroyed
        }};
    }
    let mut destroyed = 0;
    for key in keys {
        destroyed += match &mut writer {
            Writer::Sqlite(transaction) => put!(transaction, key),
            Writer::Postgres(transaction) => put!(transaction, key),
        };
    }
    writer.commit().await?;
    Ok(destroyed)
}

/// SQLite: empties the log, which still has the pages of before. PostgreSQL's own vacuum does it there.
pub async fn scrub(database: &Database) -> Result<(), StoreError> {
    if let Database::Sqlite { writer, .. } = database {
        sqlx::query("pragma wal_checkpoint(truncate)").execute(writer).await?;
    }
    Ok(())
}

/// Makes and destroys the keys of a transaction of appends, on SQLite; `at` in microseconds.
pub async fn write_sqlite(
    connection: &mut SqliteConnection,
    outcome: &Outcome,
    at: i64,
) -> Result<(), sqlx::Error> {
    for (tenant, key) in &outcome.new_keys {
        let id = key.id.0.as_bytes().as_slice();
        let make = sqlx::query(MAKE).bind(tenant.as_str()).bind(id).bind(key.subject.as_slice());
        make.bind(key.wrapped.as_slice()).bind(at).execute(&mut *connection).await?;
    }
    for (tenant, id) in &outcome.erased_keys {
        let erase = sqlx::query(ERASE).bind(tenant.as_str()).bind(id.0.as_bytes().as_slice()).bind(at);
        erase.execute(&mut *connection).await?;
    }
    Ok(())
}

/// The same on PostgreSQL.
pub async fn write_postgres(
    connection: &mut PgConnection,
    outcome: &Outcome,
    at: i64,
) -> Result<(), sqlx::Error> {
    const MAKE_ALL: &str = "insert into subject_keys (tenant, key_id, subject, wrapped_key, created_at) \
         select given.*, $1 from unnest($2::text[], $3::bytea[], $4::bytea[], $5::bytea[]) as given";
    let keys = &outcome.new_keys;
    if !keys.is_empty() {
        sqlx::query(MAKE_ALL)
            .bind(at)
            .bind(keys.iter().map(|(tenant, _)| tenant.as_str()).collect::<Vec<_>>())
            .bind(keys.iter().map(|(_, key)| key.id.0.as_bytes().as_slice()).collect::<Vec<_>>())
            .bind(keys.iter().map(|(_, key)| key.subject.as_slice()).collect::<Vec<_>>())
            .bind(keys.iter().map(|(_, key)| key.wrapped.as_slice()).collect::<Vec<_>>())
            .execute(&mut *connection)
            .await?;
    }
    for (tenant, id) in &outcome.erased_keys {
        let erase = sqlx::query(ERASE).bind(tenant.as_str()).bind(id.0.as_bytes().as_slice()).bind(at);
        erase.execute(&mut *connection).await?;
    }
    Ok(())
}

const MAKE: &str = "insert into subject_keys (tenant, key_id, subject, wrapped_key, created_at) \
     values ($1, $2, $3, $4, $5)";
const ERASE: &str = "update subject_keys set wrapped_key = null, erased_at = $3 \
     where tenant = $1 and key_id = $2 and erased_at is null";
