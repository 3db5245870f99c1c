//! How far a build of a view has come, which host works on it, and where it stopped.
//!
//! A checkpoint is locked while its build is written, so each event is applied once, whatever the leases say; a lease
//! only keeps hosts from waiting for each other's work.

use niyam_domain::{Position, TenantId};
use niyam_store::{Database, Durability, Reader, Scope, Writer};
use uuid::Uuid;

use crate::projections::view::Build;
use crate::projections::writer::{find, run};

/// The live build of a tenant's view, locked until the transaction ends; made if there is none.
pub(crate) async fn live(
    writer: &mut Writer,
    tenant: &TenantId,
    projection: &str,
) -> Result<(Build, Position), sqlx::Error> {
    const FIND: &str = "select build, position from projection_checkpoints \
         where tenant = $1 and projection = $2 and live";
    const LOCK: &str = "select build, position from projection_checkpoints \
         where tenant = $1 and projection = $2 and live for update";
    let sql = if matches!(writer, Writer::Sqlite(_)) { FIND } else { LOCK };
    for _ in 0..2 {
        if let Some((build, position)) = find!(&mut *writer, (i64, i64), sql, tenant.as_str(), projection)? {
            return Ok((Build(build), Position(position.unsigned_abs())));
        }
        // A rebuild that was switched to while this waited for its lock is found by looking again.
        run!(
            &mut *writer,
            "insert into projection_checkpoints (tenant, projection, build, position, live) \
             select $1, $2, 0, 0, true where not exists \
             (select 1 from projection_checkpoints where tenant = $1 and projection = $2 and live) \
             on conflict do nothing",
            tenant.as_str(),
            projection
        )?;
    }
    let found = find!(&mut *writer, (i64, i64), sql, tenant.as_str(), projection)?;
    let (build, position) = found.ok_or(sqlx::Error::RowNotFound)?;
    Ok((Build(build), Position(position.unsigned_abs())))
}

/// Position of one build, locked until the transaction ends.
pub(crate) async fn lock(
    writer: &mut Writer,
    tenant: &TenantId,
    projection: &str,
    build: Build,
) -> Result<Option<Position>, sqlx::Error> {
    const FIND: &str = "select position from projection_checkpoints \
         where tenant = $1 and projection = $2 and build = $3";
    const LOCK: &str = "select position from projection_checkpoints \
         where tenant = $1 and projection = $2 and build = $3 for update";
    let sql = if matches!(writer, Writer::Sqlite(_)) { FIND } else { LOCK };
    let found = find!(writer, (i64,), sql, tenant.as_str(), projection, build.0)?;
    Ok(found.map(|(position,)| Position(position.unsigned_abs())))
}

/// Moves a build's checkpoint.
pub(crate) async fn advance(
    writer: &mut Writer,
    tenant: &TenantId,
    projection: &str,
    build: Build,
    position: Position,
) -> Result<(), sqlx::Error> {
    run!(
        writer,
        "update projection_checkpoints set position = $4 where tenant = $1 and projection = $2 and build = $3",
        tenant.as_str(),
        projection,
        build.0,
        signed(position)
    )?;
    Ok(())
}

/// Takes or keeps the lease of a tenant's view; `false` while another host has it. Times in microseconds.
pub(crate) async fn claim(
    writer: &mut Writer,
    tenant: &TenantId,
    projection: &str,
    host: Uuid,
    (now, expires_at): (i64, i64),
) -> Result<bool, sqlx::Error> {
    let rows = run!(
        writer,
        "insert into projection_leases (tenant, projection, host, expires_at) values ($1, $2, $3, $4) \
         on conflict (tenant, projection) do update set host = excluded.host, expires_at = excluded.expires_at \
         where projection_leases.host = excluded.host or projection_leases.expires_at < $5",
        tenant.as_str(),
        projection,
        host.as_bytes().as_slice(),
        expires_at,
        now
    )?;
    Ok(rows > 0)
}

/// Gives up all leases of a host, so that another need not wait for them to expire.
pub(crate) async fn release(database: &Database, host: Uuid) -> Result<(), sqlx::Error> {
    let mut writer = database.write(&Scope::All, Durability::Relaxed).await?;
    run!(&mut writer, "delete from projection_leases where host = $1", host.as_bytes().as_slice())?;
    writer.commit().await
}

/// Keeps where a view stopped, and why. `failed_at` in microseconds.
pub(crate) async fn record_failure(
    writer: &mut Writer,
    tenant: &TenantId,
    projection: &str,
    (position, reason, failed_at): (Position, &str, i64),
) -> Result<(), sqlx::Error> {
    run!(
        writer,
        "insert into projection_failures (tenant, projection, position, error, failed_at) \
         values ($1, $2, $3, $4, $5) \
         on conflict (tenant, projection) do update \
         set position = excluded.position, error = excluded.error, failed_at = excluded.failed_at",
        tenant.as_str(),
        projection,
        signed(position),
        reason,
        failed_at
    )?;
    Ok(())
}

/// Lets a stopped view go on; `false` if it was not stopped.
pub(crate) async fn clear_failure(
    writer: &mut Writer,
    tenant: &TenantId,
    projection: &str,
) -> Result<bool, sqlx::Error> {
    let rows = run!(
        writer,
        "delete from projection_failures where tenant = $1 and projection = $2",
        tenant.as_str(),
        projection
    )?;
    Ok(rows > 0)
}

/// A view that stopped.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct Failure {
    pub(crate) tenant: String,
    pub(crate) position: i64,
    pub(crate) error: String,
}

/// Where a view stopped, in order of tenant.
pub(crate) async fn failures(database: &Database, projection: &str) -> Result<Vec<Failure>, sqlx::Error> {
    const SQL: &str =
        "select tenant, position, error from projection_failures where projection = $1 order by tenant";
    match database.read(&Scope::All).await? {
        Reader::Sqlite(mut connection) => {
            sqlx::query_as(SQL).bind(projection).fetch_all(&mut *connection).await
        }
        Reader::Postgres(mut connection) => {
            sqlx::query_as(SQL).bind(projection).fetch_all(&mut *connection).await
        }
    }
}

/// How far the live build of every tenant's view has come, in order of tenant.
pub(crate) async fn positions(
    database: &Database,
    projection: &str,
) -> Result<Vec<(TenantId, Position)>, sqlx::Error> {
    const SQL: &str =
        "select tenant, position from projection_checkpoints where projection = $1 and live order by tenant";
    let rows: Vec<(String, i64)> = match database.read(&Scope::All).await? {
        Reader::Sqlite(mut connection) => {
            sqlx::query_as(SQL).bind(projection).fetch_all(&mut *connection).await?
        }
        Reader::Postgres(mut connection) => {
            sqlx::query_as(SQL).bind(projection).fetch_all(&mut *connection).await?
        }
    };
    // A name that is none belongs to no tenant that has a head.
    let known = rows.into_iter().filter_map(|(tenant, position)| Some((tenant.parse().ok()?, position)));
    Ok(known.map(|(tenant, position)| (tenant, Position(position.unsigned_abs()))).collect())
}

/// How far the live build of one tenant's view has come.
pub(crate) async fn position(
    database: &Database,
    tenant: &TenantId,
    projection: &str,
) -> Result<Position, sqlx::Error> {
    position_seen(&mut database.read(&Scope::Tenant(tenant)).await?, tenant, projection).await
}

/// The same, as `reader` sees it. What it reads afterwards holds at least that position.
pub(crate) async fn position_seen(
    reader: &mut Reader,
    tenant: &TenantId,
    projection: &str,
) -> Result<Position, sqlx::Error> {
    const SQL: &str = "select position from projection_checkpoints \
         where tenant = $1 and projection = $2 and live";
    let row: Option<(i64,)> = match reader {
        Reader::Sqlite(connection) => {
            sqlx::query_as(SQL)
                .bind(tenant.as_str())
                .bind(projection)
                .fetch_optional(&mut **connection)
                .await?
        }
        Reader::Postgres(connection) => {
            sqlx::query_as(SQL)
                .bind(tenant.as_str())
                .bind(projection)
                .fetch_optional(&mut **connection)
                .await?
        }
    };
    Ok(row.map_or(Position(0), |(position,)| Position(position.unsigned_abs())))
}

/// The build that a rebuild fills: the one that an interrupted rebuild left, or a new one.
pub(crate) async fn next_build(
    writer: &mut Writer,
    tenant: &TenantId,
    projection: &str,
) -> Result<Build, sqlx::Error> {
    let (live, _) = live(writer, tenant, projection).await?;
    let left = find!(
        &mut *writer,
        (i64,),
        "select max(build) from projection_checkpoints \
         where tenant = $1 and projection = $2 and not live and build > $3 having max(build) is not null",
        tenant.as_str(),
        projection,
        live.0
    )?;
    if let Some((build,)) = left {
        return Ok(Build(build));
    }
    let build = Build(live.0 + 1);
    run!(
        writer,
        "insert into projection_checkpoints (tenant, projection, build, position, live) \
         values ($1, $2, $3, 0, false)",
        tenant.as_str(),
        projection,
        build.0
    )?;
    Ok(build)
}

/// Shows `to` in place of `from`.
pub(crate) async fn switch(
    writer: &mut Writer,
    tenant: &TenantId,
    projection: &str,
    from: Build,
    to: Build,
) -> Result<(), sqlx::Error> {
    for (build, live) in [(from, false), (to, true)] {
        run!(
            &mut *writer,
            "update projection_checkpoints set live = ($4 = 1) \
             where tenant = $1 and projection = $2 and build = $3",
            tenant.as_str(),
            projection,
            build.0,
            i64::from(live)
        )?;
    }
    Ok(())
}

/// Builds that are older than the live one, whose rows can go.
pub(crate) async fn old_builds(
    writer: &mut Writer,
    tenant: &TenantId,
    projection: &str,
) -> Result<Option<Build>, sqlx::Error> {
    let found = find!(
        writer,
        (i64,),
        "select build from projection_checkpoints where tenant = $1 and projection = $2 and not live and build < \
         (select build from projection_checkpoints where tenant = $1 and projection = $2 and live) limit 1",
        tenant.as_str(),
        projection
    )?;
    Ok(found.map(|(build,)| Build(build)))
}

/// Forgets the checkpoint of a build whose rows are gone.
pub(crate) async fn drop_build(
    writer: &mut Writer,
    tenant: &TenantId,
    projection: &str,
    build: Build,
) -> Result<(), sqlx::Error> {
    run!(
        writer,
        "delete from projection_checkpoints where tenant = $1 and projection = $2 and build = $3 and not live",
        tenant.as_str(),
        projection,
        build.0
    )?;
    Ok(())
}

fn signed(position: Position) -> i64 {
    i64::try_from(position.0).unwrap_or(i64::MAX)
}
