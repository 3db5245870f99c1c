//! Statements for carrying a store's contents elsewhere.

use niyam_domain::{Position, TenantId};

use super::read::{change, on};
use crate::database::{Database, Durability, Reader, Scope, Writer};
use crate::error::StoreError;
use crate::transfer::GivenAnswer;

/// The component with the next digest after `after`, or from it on if `first`.
pub async fn component_after(
    database: &Database,
    after: &[u8; 32],
    first: bool,
) -> Result<Option<([u8; 32], Vec<u8>)>, StoreError> {
    const SQL: &str = "select digest, bytes from components where digest > $1 or (digest = $1 and $2 = 1) \
         order by digest limit 1";
    let row: Option<(Vec<u8>, Vec<u8>)> = on!(database, Scope::All, connection => sqlx::query_as(SQL)
        .bind(after.as_slice()).bind(i64::from(first)).fetch_optional(connection).await)?;
    row.map(|(digest, bytes)| Ok((digest.try_into().map_err(|_| StoreError::DigestMismatch)?, bytes)))
        .transpose()
}

#[derive(sqlx::FromRow)]
struct Row {
    key: String,
    fingerprint: Vec<u8>,
    answer: Vec<u8>,
    position: i64,
    created_at: i64,
}

/// The answers of a tenant that were given up to a position, in order of key.
pub async fn answers_after(
    database: &Database,
    tenant: &TenantId,
    up_to: Position,
    after: &str,
    limit: u32,
) -> Result<Vec<GivenAnswer>, StoreError> {
    const SQL: &str = "select key, fingerprint, answer, position, created_at from idempotency \
         where tenant = $1 and position <= $2 and key > $3 order by key limit $4";
    let rows: Vec<Row> = on!(database, Scope::Tenant(tenant), connection => sqlx::query_as(SQL)
        .bind(tenant.as_str()).bind(up_to.0.cast_signed()).bind(after).bind(i64::from(limit))
        .fetch_all(connection).await)?;
    rows.into_iter()
        .map(|row| {
            let fingerprint = row.fingerprint.try_into().map_err(|_| StoreError::DamagedHead)?;
            Ok(GivenAnswer {
                tenant: tenant.clone(),
                key: row.key,
                fingerprint,
                answer: row.answer,
                position: Position(row.position.cast_unsigned()),
                created_at: row.created_at,
            })
        })
        .collect()
}

/// Keeps an answer, unless its key has one.
pub async fn put_answer(database: &Database, given: &GivenAnswer) -> Result<(), StoreError> {
    const SQL: &str = "insert into idempotency (tenant, key, fingerprint, answer, position, created_at) \
         values ($1, $2, $3, $4, $5, $6) on conflict (tenant, key) do nothing";
    change!(database, Scope::Tenant(&given.tenant), connection => sqlx::query(SQL)
        .bind(given.tenant.as_str()).bind(given.key.as_str()).bind(given.fingerprint.as_slice())
        .bind(given.answer.as_slice()).bind(given.position.0.cast_signed()).bind(given.created_at)
        .execute(connection).await);
    Ok(())
}
