//! The list of schedules.

use futures::FutureExt as _;
use futures::future::BoxFuture;
use niyam_domain::{DomainEvent as _, Position, ScheduleEvent, ScheduleId, ScheduleTerms, TenantId};
use niyam_store::{Database, Reader, Recorded, Scope, Writer};
use serde::Serialize;
use utoipa::ToSchema;

use crate::projections::checkpoint::position_seen;
use crate::projections::view::{ApplyError, Build, View};
use crate::projections::writer::run;

/// A schedule in the list.
#[derive(Debug, Serialize, ToSchema, sqlx::FromRow)]
pub(crate) struct ScheduleListItem {
    id: String,
    version: i64,
    name: String,
    /// `recurring`, `accrual` or `depreciation`.
    kind: String,
    /// `active` or `ended`.
    status: String,
    starts: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    #[serde(skip)]
    pub(crate) created_position: i64,
}

/// The view.
pub(crate) struct Schedules;

/// All rows that a reader sees, the same in both dialects.
macro_rules! rows {
    ($reader:expr, $sql:expr, $($value:expr),* $(,)?) => {
        match $reader {
            Reader::Sqlite(connection) => sqlx::query_as($sql)$(.bind($value))*.fetch_all(&mut **connection).await,
            Reader::Postgres(connection) => sqlx::query_as($sql)$(.bind($value))*.fetch_all(&mut **connection).await,
        }
    };
}

impl Schedules {
    pub(crate) const NAME: &'static str = "schedules";

    /// A page of the list, newest first, and the position that it surely holds.
    pub(crate) async fn page(
        database: &Database,
        tenant: &TenantId,
        before: Option<Position>,
        limit: u32,
    ) -> Result<(Position, Vec<ScheduleListItem>), sqlx::Error> {
        const SQL: &str = "select id, version, name, kind, status, starts, until, created_position from schedules \
             where tenant = $1 and build = (select build from projection_checkpoints \
             where tenant = $1 and projection = 'schedules' and live) and created_position < $2 \
             order by created_position desc limit $3";
        let before = before.map_or(i64::MAX, |position| i64::try_from(position.0).unwrap_or(i64::MAX));
        let mut reader = database.read(&Scope::Tenant(tenant)).await?;
        let position = position_seen(&mut reader, tenant, Self::NAME).await?;
        Ok((position, rows!(&mut reader, SQL, tenant.as_str(), before, i64::from(limit))?))
    }

    /// The schedules of a tenant, the oldest first.
    pub(crate) async fn of_tenant(
        database: &Database,
        tenant: &TenantId,
    ) -> Result<Vec<ScheduleId>, sqlx::Error> {
        const SQL: &str = "select id from schedules where tenant = $1 and build = (select build from \
             projection_checkpoints where tenant = $1 and projection = 'schedules' and live) order by created_position";
        let mut reader = database.read(&Scope::Tenant(tenant)).await?;
        let found: Vec<(String,)> = rows!(&mut reader, SQL, tenant.as_str())?;
        Ok(found.into_iter().filter_map(|(id,)| id.parse().ok()).collect())
    }

    /// The schedules of all tenants, each with its version.
    pub(crate) async fn of_all(database: &Database) -> Result<Vec<(TenantId, ScheduleId, i64)>, sqlx::Error> {
        const SQL: &str = "select s.tenant, s.id, s.version from schedules as s join projection_checkpoints as c \
             on c.tenant = s.tenant and c.build = s.build and c.projection = 'schedules' and c.live \
             order by s.tenant, s.created_position";
        let mut reader = database.read(&Scope::All).await?;
        let found: Vec<(String, String, i64)> = rows!(&mut reader, SQL,)?;
        let known = |(tenant, id, version): (String, String, i64)| {
            Some((tenant.parse().ok()?, id.parse().ok()?, version))
        };
        Ok(found.into_iter().filter_map(known).collect())
    }
}

impl View for Schedules {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn forget(&self) -> &'static [&'static str] {
        &["delete from schedules where tenant = $1 and build = $2 and id in \
           (select id from schedules where tenant = $1 and build = $2 limit 2000)"]
    }

    fn apply<'a>(
        &'a self,
        writer: &'a mut Writer,
        build: Build,
        event: &'a Recorded,
    ) -> BoxFuture<'a, Result<(), ApplyError>> {
        apply(writer, build, event).boxed()
    }
}

/// Events of other aggregates are not the list's business.
async fn apply(writer: &mut Writer, build: Build, event: &Recorded) -> Result<(), ApplyError> {
    let Some(id) = event.stream.as_str().strip_prefix("schedule/") else { return Ok(()) };
    let (terms, status) = match ScheduleEvent::read(&event.event_type, &event.payload)? {
        ScheduleEvent::Created(created) => return insert(writer, build, event, (id, &created.terms)).await,
        ScheduleEvent::Revised(revised) => (Some(revised.terms), None),
        ScheduleEvent::Ended(_) => (None, Some("ended")),
        ScheduleEvent::Posted(_) | ScheduleEvent::Reversed(_) => (None, None),
    };
    let (name, kind, starts, until, is_revised) = match &terms {
        Some(terms) => (
            Some(terms.name.as_str()),
            Some(terms.plan.kind()),
            Some(terms.starts.to_string()),
            terms.until.map(|until| until.to_string()),
            1_i64,
        ),
        None => (None, None, None, None, 0),
    };
    run!(
        writer,
        "update schedules set version = $4, name = coalesce($5, name), kind = coalesce($6, kind), \
         starts = coalesce($7, starts), until = case when $8 = 1 then $9 else until end, status = coalesce($10, status) \
         where tenant = $1 and build = $2 and id = $3",
        event.tenant.as_str(),
        build.0,
        id,
        signed(event.version.0),
        name,
        kind,
        starts,
        is_revised,
        until,
        status
    )?;
    Ok(())
}

async fn insert(
    writer: &mut Writer,
    build: Build,
    event: &Recorded,
    (id, terms): (&str, &ScheduleTerms),
) -> Result<(), ApplyError> {
    run!(
        writer,
        "insert into schedules (tenant, build, id, version, name, kind, status, starts, until, created_position) \
         values ($1, $2, $3, $4, $5, $6, 'active', $7, $8, $9)",
        event.tenant.as_str(),
        build.0,
        id,
        signed(event.version.0),
        terms.name.as_str(),
        terms.plan.kind(),
        terms.starts.to_string(),
        terms.until.map(|until| until.to_string()),
        signed(event.position.0)
    )?;
    Ok(())
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
