//! Reading by event type.
//!
//! The index holds a type's events in order of position; a page takes the next of each type in turn. So a page costs
//! what its events cost, however rare its types are and however long the history is.

use niyam_domain::{Position, TenantId};

use super::rows::EventRow;
use crate::database::{Database, Reader, Scope};
use crate::error::StoreError;

const SQLITE: &str = "with recursive given (event_type) as (select value from json_each($2)), \
     page (position, number) as ( \
         select $3, 0 \
         union all \
         select (select min(next) from (select (select min(events.position) from events \
             where events.tenant = $1 and events.event_type = given.event_type \
                 and events.position > page.position) as next from given)), \
             number + 1 \
         from page where page.position < $4 and number < $5 \
     ) \
     select events.position as position, stream, version, event_id, event_type, recorded_at, effective_date, \
         payload, metadata, hash \
     from page join events on events.tenant = $1 and events.position = page.position \
     where number > 0 and page.position <= $4 order by page.position";

const POSTGRES: &str = "select events.position as position, stream, version, event_id, event_type, recorded_at, effective_date, \
         payload, metadata, hash \
     from ( \
         select next.position from unnest($2::text[]) as given (event_type) \
         cross join lateral (select position from events \
             where tenant = $1 and event_type = given.event_type and position > $3 and position <= $4 \
             order by position limit $5) as next \
         order by next.position limit $5 \
     ) as page join events on events.tenant = $1 and events.position = page.position \
     order by events.position";

/// The events of the types after a position and up to another, at most `limit`. Each type is given once.
pub async fn page(
    database: &Database,
    tenant: &TenantId,
    event_types: &[String],
    (after, up_to): (Position, Position),
    limit: u32,
) -> Result<Vec<EventRow>, StoreError> {
    let signed = |position: Position| position.0.min(i64::MAX as u64).cast_signed();
    macro_rules! rows {
        ($sql:expr, $types:expr, $pool:expr) => {
            sqlx::query_as($sql)
                .bind(tenant.as_str())
                .bind($types)
                .bind(signed(after))
                .bind(signed(up_to))
                .bind(i64::from(limit))
                .fetch_all($pool)
                .await?
        };
    }
    Ok(match database.read(&Scope::Tenant(tenant)).await? {
        Reader::Sqlite(mut connection) => rows!(SQLITE, json(event_types), &mut *connection),
        Reader::Postgres(mut connection) => rows!(POSTGRES, event_types, &mut *connection),
    })
}

const LAST_SQLITE: &str = "select max(position) from events where tenant = $1 and position <= $4 \
         and event_type in (select value from json_each($2)) \
         and not exists (select 1 from events as later where later.tenant = $1 and later.stream = events.stream \
             and later.position <= $4 and later.event_type in (select value from json_each($3))) \
     group by stream order by 1";

const LAST_POSTGRES: &str = "select max(position) from events where tenant = $1 and position <= $4 \
         and event_type = any ($2::text[]) \
         and not exists (select 1 from events as later where later.tenant = $1 and later.stream = events.stream \
             and later.position <= $4 and later.event_type = any ($3::text[])) \
     group by stream order by 1";

/// Positions of the last event of a wanted type in each stream without one of the types that end it, in order.
pub async fn last_in_streams(
    database: &Database,
    tenant: &TenantId,
    (wanted, ended): (&[String], &[String]),
    up_to: Position,
) -> Result<Vec<Position>, StoreError> {
    let up_to = up_to.0.min(i64::MAX as u64).cast_signed();
    macro_rules! rows {
        ($sql:expr, $wanted:expr, $ended:expr, $pool:expr) => {
            sqlx::query_as($sql)
                .bind(tenant.as_str())
                .bind($wanted)
                .bind($ended)
                .bind(up_to)
                .fetch_all($pool)
                .await?
        };
    }
    let rows: Vec<(i64,)> = match database.read(&Scope::Tenant(tenant)).await? {
        Reader::Sqlite(mut connection) => rows!(LAST_SQLITE, json(wanted), json(ended), &mut *connection),
        Reader::Postgres(mut connection) => rows!(LAST_POSTGRES, wanted, ended, &mut *connection),
    };
    Ok(rows.into_iter().map(|(position,)| Position(position.unsigned_abs())).collect())
}

/// A JSON array of texts. Event types are printable ASCII, so only two characters need an escape.
fn json(event_types: &[String]) -> String {
    let texts: Vec<String> = event_types
        .iter()
        .map(|event_type| format!("\"{}\"", event_type.replace('\\', "\\\\").replace('"', "\\\"")))
        .collect();
    format!("[{}]", texts.join(","))
}
