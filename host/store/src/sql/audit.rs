//! Statements that take nothing for granted: what they read may be no text, no hash of 32 bytes, no name of a tenant,
//! and no constraint may be left that would forbid it.

use sqlx::pool::PoolConnection;
use sqlx::{ColumnIndex, Decode, FromRow, PgPool, Postgres, Row};

use crate::audit::row::{StoredEvent, StoredHead};
use crate::database::Database;
use crate::error::StoreError;

/// Runs a statement, with a variant for each database, on the readers of either. What is bound first is always the
/// tenant's name: bytes on SQLite, where a text may be any, a text on PostgreSQL, where it cannot.
macro_rules! query {
    ($database:expr, $row:ty, $sql:ident, $tenant:expr, [$($bound:expr),*], $fetch:ident) => {
        match $database {
            Database::Sqlite { readers, .. } => {
                sqlx::query_as::<_, $row>($sql.sqlite).bind($tenant)$(.bind($bound))*.$fetch(readers).await
            }
            Database::Postgres(pool) => {
                // No tenant has a name that PostgreSQL could not store.
                let tenant = std::str::from_utf8($tenant).unwrap_or_default();
                let mut connection = unscoped(pool).await?;
                let query = sqlx::query_as::<_, $row>($sql.postgres).bind(tenant)$(.bind($bound))*;
                let found = query.$fetch(&mut *connection).await;
                scoped_again(connection, found).await
            }
        }
    };
}

/// A connection that sees every tenant's rows. Not a transaction, which an auditor may have begun already.
async fn unscoped(pool: &PgPool) -> Result<PoolConnection<Postgres>, sqlx::Error> {
    let mut connection = pool.acquire().await?;
    sqlx::query("set niyam.tenants = '*'").execute(&mut *connection).await?;
    Ok(connection)
}

/// Gives the connection back as it was, or not at all.
async fn scoped_again<T>(
    mut connection: PoolConnection<Postgres>,
    found: Result<T, sqlx::Error>,
) -> Result<T, sqlx::Error> {
    if found.is_err() || sqlx::query("reset niyam.tenants").execute(&mut *connection).await.is_err() {
        connection.close_on_drop();
    }
    found
}

struct Sql {
    sqlite: &'static str,
    postgres: &'static str,
}

/// One text for both databases, in which the tenant's name is written differently.
macro_rules! both {
    ($before:literal, $after:literal) => {
        Sql {
            sqlite: concat!($before, " cast($1 as text) ", $after),
            postgres: concat!($before, " $1 ", $after),
        }
    };
}

/// Names of tenants in either table, whatever they are; in order, without doubles.
pub async fn names(database: &Database) -> Result<Vec<Vec<u8>>, StoreError> {
    // Looks at one row of the index for each tenant, not at all of them.
    const EVENTS: &str = "with recursive named (tenant) as ( \
             select min(tenant) from events \
             union all \
             select (select min(events.tenant) from events where events.tenant > named.tenant) \
             from named where named.tenant is not null \
         ) select tenant from named where tenant is not null";
    const HEADS: &str = "select tenant from tenant_heads";
    let mut names = Vec::new();
    for sql in [EVENTS, HEADS] {
        let rows: Vec<Name> = match database {
            Database::Sqlite { readers, .. } => sqlx::query_as(sql).fetch_all(readers).await?,
            Database::Postgres(pool) => {
                let mut connection = unscoped(pool).await?;
                let found = sqlx::query_as(sql).fetch_all(&mut *connection).await;
                scoped_again(connection, found).await?
            }
        };
        names.extend(rows.into_iter().map(|Name(name)| name));
    }
    names.sort();
    names.dedup();
    Ok(names)
}

/// The end of a tenant's history, as it is there.
pub async fn head(database: &Database, tenant: &[u8]) -> Result<Option<StoredHead>, StoreError> {
    const SQL: Sql = both!(
        "select last_position, head_hash from tenant_heads where tenant =",
        "order by last_position desc limit 1"
    );
    Ok(query!(database, StoredHead, SQL, tenant, [], fetch_optional)?)
}

/// The events of a tenant after one position, if given, and up to another.
pub async fn range(
    database: &Database,
    tenant: &[u8],
    after: Option<i64>,
    up_to: i64,
) -> Result<Vec<StoredEvent>, StoreError> {
    const FROM: Sql = both!(
        "select position, stream, version, event_id, event_type, recorded_at, effective_date, payload, metadata, \
         hash from events where tenant =",
        "and position > $2 and position <= $3 order by position"
    );
    const ALL: Sql = both!(
        "select position, stream, version, event_id, event_type, recorded_at, effective_date, payload, metadata, \
         hash from events where tenant =",
        "and position <= $2 order by position"
    );
    Ok(match after {
        Some(after) => query!(database, StoredEvent, FROM, tenant, [after, up_to], fetch_all)?,
        None => query!(database, StoredEvent, ALL, tenant, [up_to], fetch_all)?,
    })
}

/// The first position after one.
pub async fn next_position(
    database: &Database,
    tenant: &[u8],
    after: i64,
) -> Result<Option<i64>, StoreError> {
    const SQL: Sql = both!("select min(position) from events where tenant =", "and position > $2");
    let row = query!(database, (Option<i64>,), SQL, tenant, [after], fetch_optional)?;
    Ok(row.and_then(|(position,)| position))
}

/// Streams whose versions are not 1, 2, 3 … each once, and the position of the first event that is not in its place;
/// at most `limit`.
pub async fn uneven_streams(
    database: &Database,
    tenant: &[u8],
    limit: i64,
) -> Result<Vec<(Vec<u8>, i64)>, StoreError> {
    const STREAMS: Sql = both!(
        "select stream from events where tenant =",
        "group by stream having min(version) <> 1 or max(version) <> count(*) \
         or count(distinct version) <> count(*) order by stream limit $2"
    );
    const FIRST: Sql = Sql {
        sqlite: "select min(position) from (select position, version, \
             row_number() over (order by version, position) as place from events \
             where tenant = cast($1 as text) and stream = cast($2 as text)) where version <> place",
        postgres: "select min(position) from (select position, version, \
             row_number() over (order by version, position) as place from events \
             where tenant = $1 and stream = convert_from($2, 'UTF8')) as placed where version <> place",
    };
    let streams = query!(database, Name, STREAMS, tenant, [limit], fetch_all)?;
    let mut uneven = Vec::with_capacity(streams.len());
    for Name(stream) in streams {
        let row = query!(database, (Option<i64>,), FIRST, tenant, [stream.as_slice()], fetch_optional)?;
        // Whole again by now: it was not an append, which keeps versions even at every moment.
        let position = row.and_then(|(position,)| position).unwrap_or_default();
        uneven.push((stream, position));
    }
    Ok(uneven)
}

/// Positions at which an event's id is used again, at most `limit`.
pub async fn repeated_ids(database: &Database, tenant: &[u8], limit: i64) -> Result<Vec<i64>, StoreError> {
    const SQL: Sql = both!(
        "select max(position) as last from events where tenant =",
        "group by event_id having count(*) > 1 order by last limit $2"
    );
    let rows = query!(database, (Option<i64>,), SQL, tenant, [limit], fetch_all)?;
    Ok(rows.into_iter().map(|(position,)| position.unwrap_or_default()).collect())
}

/// A text as it is there.
struct Name(Vec<u8>);

impl<'r, R: Row> FromRow<'r, R> for Name
where
    usize: ColumnIndex<R>,
    Option<&'r [u8]>: Decode<'r, R::Database>,
{
    fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
        Ok(Self(bytes(row, 0)?))
    }
}

impl<'r, R: Row> FromRow<'r, R> for StoredHead
where
    usize: ColumnIndex<R>,
    Option<i64>: Decode<'r, R::Database>,
    Option<&'r [u8]>: Decode<'r, R::Database>,
{
    fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
        Ok(Self { position: number(row, 0)?, hash: bytes(row, 1)?.try_into().ok() })
    }
}

impl<'r, R: Row> FromRow<'r, R> for StoredEvent
where
    usize: ColumnIndex<R>,
    Option<i64>: Decode<'r, R::Database>,
    Option<&'r [u8]>: Decode<'r, R::Database>,
{
    fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
        Ok(Self {
            position: number(row, 0)?,
            stream: bytes(row, 1)?,
            version: number(row, 2)?,
            event_id: bytes(row, 3)?,
            event_type: bytes(row, 4)?,
            recorded_at: number(row, 5)?,
            effective_date: bytes(row, 6)?,
            payload: bytes(row, 7)?,
            metadata: bytes(row, 8)?,
            hash: bytes(row, 9)?.try_into().ok(),
        })
    }
}

/// A blob or a text, unchecked: both databases keep a text as its bytes. Nothing for null, which then has no hash that
/// fits.
fn bytes<'r, R: Row>(row: &'r R, column: usize) -> Result<Vec<u8>, sqlx::Error>
where
    usize: ColumnIndex<R>,
    Option<&'r [u8]>: Decode<'r, R::Database>,
{
    let bytes: Option<&[u8]> = row.try_get_unchecked(column)?;
    Ok(bytes.unwrap_or_default().to_vec())
}

fn number<'r, R: Row>(row: &'r R, column: usize) -> Result<i64, sqlx::Error>
where
    usize: ColumnIndex<R>,
    Option<i64>: Decode<'r, R::Database>,
{
    let number: Option<i64> = row.try_get_unchecked(column)?;
    Ok(number.unwrap_or_default())
}
