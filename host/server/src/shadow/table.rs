//! The rows of shadows: how far each is, and its last differences.

use niyam_domain::{Position, TenantId};
use niyam_store::{Database, Durability, Reader, Scope, StoreError};

use crate::projections::writer::run;
use crate::shadow::told::{ShadowCounts, ShadowDifference};

/// Differences that are kept of a shadow; all are counted.
const KEPT_MAX: i64 = 1000;

/// How far a shadow is.
#[derive(Debug, Clone, Default)]
pub(crate) struct ShadowRow {
    /// Of the activation.
    pub(crate) number: u32,
    /// Up to which events were looked at.
    pub(crate) position: Position,
    pub(crate) counts: ShadowCounts,
    /// How many differences there were.
    pub(crate) found: u64,
}

type Row = (i64, i64, String, i64);

fn row((number, position, counts, found): Row) -> Result<ShadowRow, sqlx::Error> {
    let decode = |error: serde_json::Error| sqlx::Error::Decode(error.into());
    Ok(ShadowRow {
        number: u32::try_from(number).unwrap_or_default(),
        position: Position(position.unsigned_abs()),
        counts: serde_json::from_str(&counts).map_err(decode)?,
        found: found.unsigned_abs(),
    })
}

/// The tenants with shadows that were ever asked.
///
/// # Errors
/// When the database fails.
pub(crate) async fn tenants(database: &Database) -> Result<Vec<TenantId>, StoreError> {
    const SQL: &str = "select distinct tenant from shadows order by tenant";
    let found: Vec<(String,)> = match database.read(&Scope::All).await? {
        Reader::Sqlite(mut connection) => sqlx::query_as(SQL).fetch_all(&mut *connection).await?,
        Reader::Postgres(mut connection) => sqlx::query_as(SQL).fetch_all(&mut *connection).await?,
    };
    Ok(found.into_iter().filter_map(|(tenant,)| tenant.parse().ok()).collect())
}

/// The tenant's shadows, in order of their activations.
///
/// # Errors
/// When the database fails.
pub(crate) async fn all(database: &Database, tenant: &TenantId) -> Result<Vec<ShadowRow>, StoreError> {
    const SQL: &str = "select number, position, counts, found from shadows where tenant = $1 order by number";
    macro_rules! rows {
        ($connection:expr) => {
            sqlx::query_as::<_, Row>(SQL).bind(tenant.as_str()).fetch_all($connection).await?
        };
    }
    let rows = match database.read(&Scope::Tenant(tenant)).await? {
        Reader::Sqlite(mut connection) => rows!(&mut *connection),
        Reader::Postgres(mut connection) => rows!(&mut *connection),
    };
    Ok(rows.into_iter().map(row).collect::<Result<_, _>>()?)
}

/// Keeps a shadow that begins after `position`; one that is there stays as it is.
///
/// # Errors
/// When the database fails.
pub(crate) async fn begin(
    database: &Database,
    tenant: &TenantId,
    number: u32,
    position: Position,
) -> Result<(), StoreError> {
    let counts = serde_json::to_string(&ShadowCounts::default()).unwrap_or_default();
    let mut writer = database.write(&Scope::Tenant(tenant), Durability::Relaxed).await?;
    run!(
        &mut writer,
        "insert into shadows (tenant, number, position, counts, found) values ($1, $2, $3, $4, 0) \
         on conflict (tenant, number) do nothing",
        tenant.as_str(),
        i64::from(number),
        signed(position.0),
        counts
    )?;
    Ok(writer.commit().await?)
}

/// Moves a shadow on from where it was read to `position`, with what was found on the way; `false` when another host
/// did so meanwhile, and nothing is kept.
///
/// # Errors
/// When the database fails.
pub(crate) async fn go_on(
    database: &Database,
    tenant: &TenantId,
    before: &ShadowRow,
    (position, counts): (Position, &ShadowCounts),
    found: &[ShadowDifference],
) -> Result<bool, StoreError> {
    let json = |value: serde_json::Result<String>| value.map_err(|error| sqlx::Error::Encode(error.into()));
    let number = i64::from(before.number);
    let last = signed(before.found) + i64::try_from(found.len()).unwrap_or(i64::MAX);
    let mut writer = database.write(&Scope::Tenant(tenant), Durability::Relaxed).await?;
    let moved = run!(
        &mut writer,
        "update shadows set position = $4, counts = $5, found = $6 where tenant = $1 and number = $2 and position = $3",
        tenant.as_str(),
        number,
        signed(before.position.0),
        signed(position.0),
        json(serde_json::to_string(counts))?,
        last
    )?;
    if moved == 0 {
        return Ok(false);
    }
    for (serial, difference) in (signed(before.found) + 1..).zip(found) {
        run!(
            &mut writer,
            "insert into shadow_differences (tenant, number, serial, detail) values ($1, $2, $3, $4)",
            tenant.as_str(),
            number,
            serial,
            json(serde_json::to_string(difference))?
        )?;
    }
    if !found.is_empty() && last > KEPT_MAX {
        run!(
            &mut writer,
            "delete from shadow_differences where tenant = $1 and number = $2 and serial <= $3",
            tenant.as_str(),
            number,
            last - KEPT_MAX
        )?;
    }
    writer.commit().await?;
    Ok(true)
}

/// How far the shadow of that activation is; `None` if it was never asked.
///
/// # Errors
/// When the database fails.
pub(crate) async fn get(
    database: &Database,
    tenant: &TenantId,
    number: u32,
) -> Result<Option<ShadowRow>, StoreError> {
    let all = all(database, tenant).await?;
    Ok(all.into_iter().find(|row| row.number == number))
}

/// A shadow's differences before a serial number, the last one first, at most `limit`: serial, 0, JSON.
///
/// # Errors
/// When the database fails.
pub(crate) async fn differences(
    database: &Database,
    tenant: &TenantId,
    number: u32,
    (before, limit): (i64, i64),
) -> Result<Vec<(i64, i64, String)>, StoreError> {
    const SQL: &str = "select serial, serial - serial, detail from shadow_differences \
         where tenant = $1 and number = $2 and serial < $3 order by serial desc limit $4";
    macro_rules! rows {
        ($connection:expr) => {
            sqlx::query_as(SQL)
                .bind(tenant.as_str())
                .bind(i64::from(number))
                .bind(before)
                .bind(limit)
                .fetch_all($connection)
                .await?
        };
    }
    Ok(match database.read(&Scope::Tenant(tenant)).await? {
        Reader::Sqlite(mut connection) => rows!(&mut *connection),
        Reader::Postgres(mut connection) => rows!(&mut *connection),
    })
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
