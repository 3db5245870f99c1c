//! The rows of jobs and of what they found.

use niyam_domain::TenantId;
use niyam_store::{Database, Durability, Reader, Scope, Writer};
use uuid::Uuid;

use crate::jobs::job::{Ask, Asked, Job, JobKind, JobState, KEPT_MAX, UNFINISHED_MAX};
use crate::projections::writer::{find, run};

macro_rules! columns {
    ($before:literal, $after:literal) => {
        concat!(
            $before,
            " tenant, id, kind, state, request, requested_by, created_at, started_at, ended_at, attempts, done, total, \
             result, problem ",
            $after
        )
    };
}

/// Keeps a job that is asked for, unless it was before or is one too many.
pub(crate) async fn ask(database: &Database, ask: &Ask) -> Result<Asked, sqlx::Error> {
    const COUNT: &str = "select count(*) from jobs where tenant = $1 and state in ('queued', 'running') having count(*) >= $2";
    const OLD: &str = "select id from jobs where tenant = $1 and state not in ('queued', 'running') and id not in \
         (select id from jobs where tenant = $1 order by created_at desc, id desc limit $2) limit 1";
    let tenant = ask.tenant.as_str();
    let mut writer = database.write(&Scope::Tenant(&ask.tenant), Durability::Full).await?;
    if let Writer::Postgres(_) = writer {
        // Of two requests of one tenant that come together, one is counted by the other.
        run!(&mut writer, "select pg_advisory_xact_lock(hashtext('niyam jobs'), hashtext($1))", tenant)?;
    }
    if let Some(key) = &ask.key {
        const SQL: &str = "select id, fingerprint, kind from jobs where tenant = $1 and key = $2";
        let found = find!(&mut writer, (String, Vec<u8>, String), SQL, tenant, key.key.as_str())?;
        if let Some((id, fingerprint, kind)) = found {
            let same = fingerprint == key.fingerprint && kind == ask.kind.as_str();
            let id = Uuid::parse_str(&id).unwrap_or_default();
            return Ok(if same { Asked::Before(id) } else { Asked::KeyReused });
        }
    }
    if find!(&mut writer, (i64,), COUNT, tenant, UNFINISHED_MAX)?.is_some() {
        return Ok(Asked::TooMany);
    }
    let (key, fingerprint) = match &ask.key {
        Some(key) => (Some(key.key.as_str()), Some(key.fingerprint.as_slice())),
        None => (None, None),
    };
    run!(
        &mut writer,
        "insert into jobs (tenant, id, kind, state, request, requested_by, key, fingerprint, created_at, attempts, \
         done, total) values ($1, $2, $3, 'queued', $4, $5, $6, $7, $8, 0, 0, 0)",
        tenant,
        ask.id.to_string(),
        ask.kind.as_str(),
        ask.request.as_str(),
        ask.user.as_str(),
        key,
        fingerprint,
        ask.now.as_microsecond()
    )?;
    while let Some((old,)) = find!(&mut writer, (String,), OLD, tenant, KEPT_MAX)? {
        remove(&mut writer, tenant, &old).await?;
    }
    writer.commit().await?;
    Ok(Asked::Queued(ask.id))
}

async fn remove(writer: &mut Writer, tenant: &str, id: &str) -> Result<(), sqlx::Error> {
    run!(&mut *writer, "delete from job_differences where tenant = $1 and job = $2", tenant, id)?;
    run!(writer, "delete from jobs where tenant = $1 and id = $2", tenant, id)?;
    Ok(())
}

/// One optional row that a tenant may read.
macro_rules! read {
    ($database:expr, $tenant:expr, $sql:expr, $value:expr) => {{
        let (tenant, value) = ($tenant.as_str(), $value);
        match $database.read(&Scope::Tenant($tenant)).await? {
            Reader::Sqlite(mut connection) => {
                sqlx::query_as($sql).bind(tenant).bind(value).fetch_optional(&mut *connection).await
            }
            Reader::Postgres(mut connection) => {
                sqlx::query_as($sql).bind(tenant).bind(value).fetch_optional(&mut *connection).await
            }
        }
    }};
}

/// The job that came with an idempotency key, and the fingerprint of its request.
pub(crate) async fn asked(
    database: &Database,
    tenant: &TenantId,
    key: &str,
) -> Result<Option<(String, Vec<u8>)>, sqlx::Error> {
    const SQL: &str = "select id, fingerprint from jobs where tenant = $1 and key = $2";
    read!(database, tenant, SQL, key)
}

/// A job of the tenant, of whatever kind.
pub(crate) async fn find_any(
    database: &Database,
    tenant: &TenantId,
    id: Uuid,
) -> Result<Option<Job>, sqlx::Error> {
    const SQL: &str = columns!("select", "from jobs where tenant = $1 and id = $2");
    read!(database, tenant, SQL, id.to_string())
}

/// A job of the tenant.
pub(crate) async fn get(
    database: &Database,
    tenant: &TenantId,
    kind: JobKind,
    id: Uuid,
) -> Result<Option<Job>, sqlx::Error> {
    const SQL: &str = columns!("select", "from jobs where tenant = $1 and id = $2 and kind = $3");
    macro_rules! row {
        ($pool:expr) => {
            sqlx::query_as(SQL)
                .bind(tenant.as_str())
                .bind(id.to_string())
                .bind(kind.as_str())
                .fetch_optional($pool)
                .await
        };
    }
    match database.read(&Scope::Tenant(tenant)).await? {
        Reader::Sqlite(mut connection) => row!(&mut *connection),
        Reader::Postgres(mut connection) => row!(&mut *connection),
    }
}

/// Cancels a job that has not ended, takes away one that has; `None` if there is none.
pub(crate) async fn give_up(
    database: &Database,
    tenant: &TenantId,
    kind: JobKind,
    (id, now): (Uuid, i64),
) -> Result<Option<()>, sqlx::Error> {
    let id = id.to_string();
    let mut writer = database.write(&Scope::Tenant(tenant), Durability::Full).await?;
    let cancelled = run!(
        &mut writer,
        "update jobs set state = 'cancelled', ended_at = $4, host = null, lease_until = null \
         where tenant = $1 and id = $2 and kind = $3 and state in ('queued', 'running')",
        tenant.as_str(),
        id.as_str(),
        kind.as_str(),
        now
    )?;
    if cancelled == 0 {
        const SQL: &str = "select id from jobs where tenant = $1 and id = $2 and kind = $3";
        if find!(&mut writer, (String,), SQL, tenant.as_str(), id.as_str(), kind.as_str())?.is_none() {
            return Ok(None);
        }
        remove(&mut writer, tenant.as_str(), &id).await?;
    }
    writer.commit().await?;
    Ok(Some(()))
}

/// Takes the next job for `host`: of the tenant whose last turn is longest ago, and which has none running. One whose
/// lease ran out is begun again; what it had found before is forgotten.
pub(crate) async fn claim(
    database: &Database,
    host: Uuid,
    (now, lease_until): (i64, i64),
) -> Result<Option<Job>, sqlx::Error> {
    const SQL: &str = columns!(
        "select",
        "from jobs where (state = 'queued' or (state = 'running' and lease_until < $1)) \
         and not exists (select 1 from jobs as other where other.tenant = jobs.tenant and other.state = 'running' \
             and other.lease_until >= $1) \
         order by (select coalesce(max(other.started_at), 0) from jobs as other where other.tenant = jobs.tenant), \
             created_at, id limit 1"
    );
    // Nobody's writes wait for a look that finds nothing.
    if !any_unfinished(database).await? {
        return Ok(None);
    }
    let mut writer = database.write(&Scope::All, Durability::Full).await?;
    if let Writer::Postgres(_) = writer {
        // Two hosts would take two jobs of one tenant.
        run!(&mut writer, "select pg_advisory_xact_lock(hashtext('niyam job claims'))",)?;
    }
    let Some(mut job) = find!(&mut writer, Job, SQL, now)? else { return Ok(None) };
    run!(
        &mut writer,
        "update jobs set state = 'running', host = $3, lease_until = $4, started_at = $5, attempts = attempts + 1, \
         done = 0 where tenant = $1 and id = $2",
        job.tenant.as_str(),
        job.id.as_str(),
        host.as_bytes().as_slice(),
        lease_until,
        now
    )?;
    run!(
        &mut writer,
        "delete from job_differences where tenant = $1 and job = $2",
        job.tenant.as_str(),
        job.id.as_str()
    )?;
    writer.commit().await?;
    JobState::Running.as_str().clone_into(&mut job.state);
    job.attempts += 1;
    Ok(Some(job))
}

async fn any_unfinished(database: &Database) -> Result<bool, sqlx::Error> {
    const SQL: &str = "select id from jobs where state in ('queued', 'running') limit 1";
    let found: Option<(String,)> = match database.read(&Scope::All).await? {
        Reader::Sqlite(mut connection) => sqlx::query_as(SQL).fetch_optional(&mut *connection).await?,
        Reader::Postgres(mut connection) => sqlx::query_as(SQL).fetch_optional(&mut *connection).await?,
    };
    Ok(found.is_some())
}

/// Which job of which host.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    pub(crate) tenant: TenantId,
    pub(crate) id: String,
    pub(crate) host: Uuid,
}

/// What a job found at a position: position, item, JSON.
pub(crate) type FoundRow = (i64, i64, String);

/// Tells how far a job is, keeps the lease and what was found; `false` when the job is this host's no longer.
pub(crate) async fn go_on(
    database: &Database,
    claim: &Claim,
    (done, total, lease_until): (i64, i64, i64),
    found: &[FoundRow],
) -> Result<bool, sqlx::Error> {
    let mut writer = database.write(&Scope::Tenant(&claim.tenant), Durability::Relaxed).await?;
    let kept = run!(
        &mut writer,
        "update jobs set done = $4, total = $5, lease_until = $6 \
         where tenant = $1 and id = $2 and host = $3 and state = 'running'",
        claim.tenant.as_str(),
        claim.id.as_str(),
        claim.host.as_bytes().as_slice(),
        done,
        total,
        lease_until
    )?;
    if kept == 0 {
        return Ok(false);
    }
    if !found.is_empty() {
        const SQLITE: &str = "insert into job_differences (tenant, job, position, item, detail) \
             select $1, $2, value ->> 0, value ->> 1, value ->> 2 from json_each($3)";
        const POSTGRES: &str = "insert into job_differences (tenant, job, position, item, detail) \
             select $1, $2, (value ->> 0)::bigint, (value ->> 1)::bigint, value ->> 2 \
             from json_array_elements($3::json) as given (value)";
        let sql = if matches!(writer, Writer::Sqlite(_)) { SQLITE } else { POSTGRES };
        let rows = serde_json::to_string(found).unwrap_or_default();
        run!(&mut writer, sql, claim.tenant.as_str(), claim.id.as_str(), rows)?;
    }
    writer.commit().await?;
    Ok(true)
}

/// How a job ended.
#[derive(Debug)]
pub(crate) struct Ending {
    pub(crate) state: JobState,
    pub(crate) result: Option<String>,
    pub(crate) problem: Option<String>,
    /// Whether it left off in good order, as when the server stops: then it was no attempt.
    pub(crate) orderly: bool,
}

/// Ends a job; `false` when it is this host's no longer. A job that goes back to `queued` is begun again.
pub(crate) async fn end(
    database: &Database,
    claim: &Claim,
    (done, total, now): (i64, i64, i64),
    ending: &Ending,
) -> Result<bool, sqlx::Error> {
    let ended_at = if ending.state == JobState::Queued { None } else { Some(now) };
    let mut writer = database.write(&Scope::Tenant(&claim.tenant), Durability::Full).await?;
    let rows = run!(
        &mut writer,
        "update jobs set state = $4, result = $5, problem = $6, done = $7, total = $8, ended_at = $9, host = null, \
         lease_until = null, attempts = attempts - $10 \
         where tenant = $1 and id = $2 and host = $3 and state = 'running'",
        claim.tenant.as_str(),
        claim.id.as_str(),
        claim.host.as_bytes().as_slice(),
        ending.state.as_str(),
        ending.result.as_deref(),
        ending.problem.as_deref(),
        done,
        total,
        ended_at,
        i64::from(ending.orderly)
    )?;
    writer.commit().await?;
    Ok(rows > 0)
}

/// What a job found after a place, in order, at most `limit`.
pub(crate) async fn found(
    database: &Database,
    tenant: &TenantId,
    id: Uuid,
    (position, item): (i64, i64),
    limit: i64,
) -> Result<Vec<FoundRow>, sqlx::Error> {
    const SQL: &str = "select position, item, detail from job_differences where tenant = $1 and job = $2 \
         and (position > $3 or (position = $3 and item > $4)) order by position, item limit $5";
    macro_rules! rows {
        ($pool:expr) => {
            sqlx::query_as(SQL)
                .bind(tenant.as_str())
                .bind(id.to_string())
                .bind(position)
                .bind(item)
                .bind(limit)
                .fetch_all($pool)
                .await
        };
    }
    match database.read(&Scope::Tenant(tenant)).await? {
        Reader::Sqlite(mut connection) => rows!(&mut *connection),
        Reader::Postgres(mut connection) => rows!(&mut *connection),
    }
}
