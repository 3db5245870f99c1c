//! The statements of an append's transaction on PostgreSQL.

use niyam_domain::TenantId;
use sqlx::PgConnection;

use super::rows::{LookRow, VersionRow};
use crate::chain;
use crate::group::Outcome;

/// Locks the heads of `tenants`, which are in order, and looks up `keys` and `streams`. Heads that are not there are made
/// first.
///
/// One statement does all, as long as nobody else holds a head: what it reads is older than a lock for which it waited.
/// Whether it waited shows in the head, which every append of events moves.
///
/// Each key and stream is looked up by itself. A join would be planned while the tables of a new database are small, as
/// one that reads them whole, and stay so for as long as nobody analyzes them.
pub async fn look(
    connection: &mut PgConnection,
    tenants: &[&str],
    keys: &[(&str, &str)],
    streams: &[(&str, &str)],
) -> Result<Vec<LookRow>, sqlx::Error> {
    const LOOK: &str = "with seen as materialized ( \
             select tenant, last_position, head_hash from tenant_heads where tenant = any($1) \
         ), locked as materialized ( \
             select tenant, last_position, head_hash from tenant_heads where tenant = any($1) \
             order by tenant for update \
         ) \
         select 0 as kind, locked.tenant, '' as name, locked.last_position as number, locked.head_hash as hash, \
             null::bytea as answer, coalesce((seen.last_position, seen.head_hash) = \
                 (locked.last_position, locked.head_hash), false) as current \
         from locked left join seen on seen.tenant = locked.tenant \
         union all \
         select 1, given.tenant, given.key, found.position, found.fingerprint, found.answer, true \
         from unnest($2::text[], $3::text[]) as given (tenant, key) \
         cross join lateral (select position, fingerprint, answer from idempotency \
             where idempotency.tenant = given.tenant and idempotency.key = given.key limit 1) as found \
         union all \
         select 2, given.tenant, given.stream, newest.version, null, null, true \
         from unnest($4::text[], $5::text[]) as given (tenant, stream) \
         cross join lateral (select version from events \
             where events.tenant = given.tenant and events.stream = given.stream \
             order by version desc limit 1) as newest";
    const MAKE: &str = "insert into tenant_heads (tenant, last_position, head_hash) \
         select tenant, 0, $2 from unnest($1::text[]) as given (tenant) order by tenant \
         on conflict (tenant) do nothing";
    let (key_tenants, keys): (Vec<&str>, Vec<&str>) = keys.iter().copied().unzip();
    let (stream_tenants, streams): (Vec<&str>, Vec<&str>) = streams.iter().copied().unzip();
    let look = || {
        sqlx::query_as::<_, LookRow>(LOOK)
            .bind(tenants)
            .bind(&key_tenants)
            .bind(&keys)
            .bind(&stream_tenants)
            .bind(&streams)
    };
    let mut rows = look().fetch_all(&mut *connection).await?;
    if rows.iter().filter(|row| row.is_head()).count() < tenants.len() {
        let make = sqlx::query(MAKE).bind(tenants).bind(chain::GENESIS.as_slice());
        make.execute(&mut *connection).await?;
        rows = look().fetch_all(&mut *connection).await?;
    }
    if rows.iter().any(|row| !row.current) {
        // The locks are held by now.
        rows = look().fetch_all(connection).await?;
    }
    Ok(rows)
}

/// The versions of the streams that have events.
pub async fn versions(
    connection: &mut PgConnection,
    streams: &[(&str, &str)],
) -> Result<Vec<VersionRow>, sqlx::Error> {
    const SQL: &str = "select given.tenant, given.stream, newest.version \
         from unnest($1::text[], $2::text[]) as given (tenant, stream) \
         cross join lateral (select version from events \
             where events.tenant = given.tenant and events.stream = given.stream \
             order by version desc limit 1) as newest";
    let (tenants, names): (Vec<&str>, Vec<&str>) = streams.iter().copied().unzip();
    sqlx::query_as(SQL).bind(tenants).bind(names).fetch_all(connection).await
}

/// Whether the tips of the outcome are events that are there; false if it has none.
pub async fn is_there(connection: &mut PgConnection, outcome: &Outcome) -> Result<bool, sqlx::Error> {
    const SQL: &str = "select count(*) from unnest($1::text[], $2::bigint[], $3::bytea[]) as given (tenant, position, hash) \
         cross join lateral (select from events \
             where events.tenant = given.tenant and events.position = given.position \
                 and events.hash = given.hash limit 1) as found";
    let tips = &outcome.tips;
    if tips.is_empty() {
        return Ok(false);
    }
    let found: i64 = sqlx::query_scalar(SQL)
        .bind(tips.keys().map(TenantId::as_str).collect::<Vec<_>>())
        .bind(tips.values().map(|tip| tip.position.0.cast_signed()).collect::<Vec<_>>())
        .bind(tips.values().map(|tip| tip.hash.as_slice()).collect::<Vec<_>>())
        .fetch_one(connection)
        .await?;
    Ok(usize::try_from(found).is_ok_and(|found| found == tips.len()))
}

/// Writes everything in one statement, so in one round trip.
pub async fn write(
    connection: &mut PgConnection,
    outcome: &Outcome,
    created_at: i64,
) -> Result<(), sqlx::Error> {
    const SQL: &str = "with moved as ( \
             update tenant_heads set last_position = given.position, head_hash = given.hash \
             from unnest($1::text[], $2::bigint[], $3::bytea[]) as given (tenant, position, hash) \
             where tenant_heads.tenant = given.tenant \
         ), answered as ( \
             insert into idempotency (tenant, key, fingerprint, answer, position, created_at) \
             select given.*, $4 from unnest($5::text[], $6::text[], $7::bytea[], $8::bytea[], $9::bigint[]) as given \
         ) \
         insert into events (tenant, position, stream, version, event_id, event_type, recorded_at, \
             effective_date, payload, metadata, hash) \
         select * from unnest($10::text[], $11::bigint[], $12::text[], $13::bigint[], $14::bytea[], $15::text[], \
             $16::bigint[], $17::text[], $18::bytea[], $19::bytea[], $20::bytea[])";
    let Outcome { events, tips, answers, .. } = outcome;
    sqlx::query(SQL)
        .bind(tips.keys().map(TenantId::as_str).collect::<Vec<_>>())
        .bind(tips.values().map(|tip| tip.position.0.cast_signed()).collect::<Vec<_>>())
        .bind(tips.values().map(|tip| tip.hash.as_slice()).collect::<Vec<_>>())
        .bind(created_at)
        .bind(answers.iter().map(|(tenant, _, _)| tenant.as_str()).collect::<Vec<_>>())
        .bind(answers.iter().map(|(_, key, _)| key.as_str()).collect::<Vec<_>>())
        .bind(answers.iter().map(|(_, _, given)| given.fingerprint.as_slice()).collect::<Vec<_>>())
        .bind(answers.iter().map(|(_, _, given)| given.answer.as_slice()).collect::<Vec<_>>())
        .bind(answers.iter().map(|(_, _, given)| given.position.0.cast_signed()).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.tenant.as_str()).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.position.0.cast_signed()).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.stream.as_str()).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.version.0.cast_signed()).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.id.as_bytes().as_slice()).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.event_type.as_str()).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.recorded_at.as_microsecond()).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.effective_date.to_string()).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.payload.as_slice()).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.metadata.as_slice()).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.hash.as_slice()).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}
