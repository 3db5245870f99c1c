//! A small history of two tenants as plain rows, to be altered and written back into a database by somebody with full
//! access to it.

use std::collections::{BTreeMap, HashMap, HashSet};

use niyam_domain::{Position, TenantId, Version};
use niyam_store::audit::Anchor;
use niyam_store::{Append, Database, EventStore, Recorded};
use sha2::{Digest as _, Sha256};
use sqlx::{PgPool, Postgres, QueryBuilder, Sqlite, SqlitePool};

use crate::harness::{Kind, TestStore, batch, tenant, write};

/// Events of each tenant.
pub const EVENTS: i64 = 100;

/// A row of `events`, as bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub tenant: Vec<u8>,
    pub position: i64,
    pub stream: Vec<u8>,
    pub version: i64,
    pub event_id: Vec<u8>,
    pub event_type: Vec<u8>,
    pub recorded_at: i64,
    pub effective_date: Vec<u8>,
    pub payload: Vec<u8>,
    pub metadata: Vec<u8>,
    pub hash: Vec<u8>,
}

impl Row {
    fn of(event: Recorded) -> Self {
        Self {
            tenant: event.tenant.as_str().into(),
            position: i64::try_from(event.position.0).expect("few events"),
            stream: event.stream.as_str().into(),
            version: i64::try_from(event.version.0).expect("few events"),
            event_id: event.id.as_bytes().to_vec(),
            event_type: event.event_type.into_bytes(),
            recorded_at: event.recorded_at.as_microsecond(),
            effective_date: event.effective_date.to_string().into_bytes(),
            payload: event.payload,
            metadata: event.metadata,
            hash: event.hash.to_vec(),
        }
    }

    fn place(&self) -> Place<'_> {
        (&self.tenant, self.position)
    }

    /// The hash that the documented format gives, computed by other code than the store's.
    pub fn hash_after(&self, previous: &[u8]) -> Vec<u8> {
        let mut bytes = previous.to_vec();
        for field in [
            self.tenant.as_slice(),
            &self.position.to_be_bytes(),
            &self.stream,
            &self.version.to_be_bytes(),
            &self.event_id,
            &self.event_type,
            &self.recorded_at.to_be_bytes(),
            &self.effective_date,
            &self.payload,
            &self.metadata,
        ] {
            bytes.extend((field.len() as u64).to_be_bytes());
            bytes.extend(field);
        }
        Sha256::digest(bytes).to_vec()
    }
}

/// A tenant and a position.
type Place<'a> = (&'a [u8], i64);

/// A row of `tenant_heads`, as bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadRow {
    pub tenant: Vec<u8>,
    pub position: i64,
    pub hash: Vec<u8>,
}

/// All rows, in the order in which they are put into a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Books {
    pub events: Vec<Row>,
    pub heads: Vec<HeadRow>,
}

impl Books {
    /// What a store wrote.
    pub async fn of(store: &EventStore) -> anyhow::Result<Self> {
        let (mut events, mut heads) = (Vec::new(), Vec::new());
        for head in store.heads().await? {
            events.extend(store.read(&head.tenant, Position(0), 10_000).await?.into_iter().map(Row::of));
            heads.push(HeadRow {
                tenant: head.tenant.as_str().into(),
                position: i64::try_from(head.last_position.0)?,
                hash: head.hash.to_vec(),
            });
        }
        Ok(Self { events, heads })
    }

    /// Where in `events` a tenant's position is.
    pub fn index(&self, tenant: &str, position: i64) -> usize {
        let found =
            self.events.iter().position(|row| row.tenant == tenant.as_bytes() && row.position == position);
        found.expect("a position of the tenant")
    }

    pub fn row(&mut self, tenant: &str, position: i64) -> &mut Row {
        let index = self.index(tenant, position);
        &mut self.events[index]
    }

    pub fn head(&mut self, tenant: &str) -> &mut HeadRow {
        self.heads.iter_mut().find(|head| head.tenant == tenant.as_bytes()).expect("a tenant's head")
    }

    /// The hash of a tenant's event at `position`, 32 zero bytes before the first.
    pub fn hash(&self, tenant: &str, position: i64) -> Vec<u8> {
        if position == 0 { vec![0; 32] } else { self.events[self.index(tenant, position)].hash.clone() }
    }

    /// Moves a tenant's positions from `first` on.
    pub fn renumber(&mut self, tenant: &str, first: i64, by: i64) {
        for row in &mut self.events {
            if row.tenant == tenant.as_bytes() && row.position >= first {
                row.position += by;
            }
        }
    }

    pub fn anchors(&self, tenant: &str, positions: &[i64]) -> Vec<Anchor> {
        let anchor = |position: &i64| Anchor {
            position: Position(position.unsigned_abs()),
            hash: self.hash(tenant, *position).try_into().expect("a hash"),
        };
        positions.iter().map(anchor).collect()
    }
}

/// A store with [`EVENTS`] events of each of two tenants, on streams of which they share some.
pub async fn fill(kind: Kind) -> anyhow::Result<TestStore> {
    let test = TestStore::new(kind).await?;
    for (name, first) in [("acme", 0), ("bravo", 5)] {
        let tenant: TenantId = tenant(name);
        let mut versions = BTreeMap::new();
        for number in 0..EVENTS / 2 {
            let mut next = |stream: i64| {
                let name = format!("s/{}", first + stream % 10);
                let version: &mut u64 = versions.entry(name.clone()).or_default();
                *version += 1;
                write(&name, *version - 1, 1)
            };
            let writes = vec![next(number * 3), next(number * 3 + 1)];
            test.append(&tenant, Append::of(batch(writes))).await?;
        }
        assert_eq!(test.head(&tenant).await?.map(|head| head.last_position), Some(Position(100)));
    }
    assert!(!test.load(&tenant("bravo"), &"s/5".parse()?, Version(0)).await?.is_empty());
    Ok(test)
}

/// Runs a statement outside of what the store would do.
pub async fn execute(database: &Database, sql: &'static str) -> Result<(), sqlx::Error> {
    match database {
        Database::Sqlite { writer, .. } => sqlx::query(sql).execute(writer).await.map(drop),
        Database::Postgres(pool) => sqlx::query(sql).execute(pool).await.map(drop),
    }
}

/// Makes the database, which holds `before`, hold `after`.
pub async fn replace(database: &Database, before: &Books, after: &Books) -> Result<(), sqlx::Error> {
    let mut places: HashMap<Place<'_>, Vec<&Row>> = HashMap::new();
    for row in &after.events {
        places.entry(row.place()).or_default().push(row);
    }
    let mut gone: Vec<&Row> =
        before.events.iter().filter(|row| places.get(&row.place()) != Some(&vec![row])).collect();
    // Deleting many rows one by one takes longer than writing all.
    let all = gone.len() > 8;
    let kept: HashSet<Place<'_>> = if all {
        gone.clear();
        HashSet::new()
    } else {
        let changed: HashSet<_> = gone.iter().map(|row| row.place()).collect();
        before.events.iter().map(Row::place).filter(|place| !changed.contains(place)).collect()
    };
    if all {
        execute(database, "delete from events").await?;
    }
    let new: Vec<&Row> = after.events.iter().filter(|row| !kept.contains(&row.place())).collect();
    let heads = if before.heads == after.heads { &[][..] } else { &after.heads };
    if !heads.is_empty() || after.heads.is_empty() {
        execute(database, "delete from tenant_heads").await?;
    }
    match database {
        Database::Sqlite { writer, .. } => write_sqlite(writer, &gone, &new, heads).await,
        Database::Postgres(pool) => write_postgres(pool, &gone, &new, heads).await,
    }
}

async fn write_sqlite(
    pool: &SqlitePool,
    gone: &[&Row],
    new: &[&Row],
    heads: &[HeadRow],
) -> Result<(), sqlx::Error> {
    for row in gone {
        let delete = sqlx::query("delete from events where tenant = cast($1 as text) and position = $2");
        delete.bind(&row.tenant).bind(row.position).execute(pool).await?;
    }
    if !new.is_empty() {
        let mut query = QueryBuilder::<Sqlite>::new(
            "insert into events select cast(column1 as text), column2, cast(column3 as text), column4, column5, \
             cast(column6 as text), column7, cast(column8 as text), column9, column10, column11 from (",
        );
        query.push_values(new, |mut values, row| {
            values
                .push_bind(&row.tenant)
                .push_bind(row.position)
                .push_bind(&row.stream)
                .push_bind(row.version)
                .push_bind(&row.event_id)
                .push_bind(&row.event_type)
                .push_bind(row.recorded_at)
                .push_bind(&row.effective_date)
                .push_bind(&row.payload)
                .push_bind(&row.metadata)
                .push_bind(&row.hash);
        });
        query.push(")").build().execute(pool).await?;
    }
    for head in heads {
        let insert = sqlx::query("insert into tenant_heads values (cast($1 as text), $2, $3)");
        insert.bind(&head.tenant).bind(head.position).bind(&head.hash).execute(pool).await?;
    }
    Ok(())
}

async fn write_postgres(
    pool: &PgPool,
    gone: &[&Row],
    new: &[&Row],
    heads: &[HeadRow],
) -> Result<(), sqlx::Error> {
    for row in gone {
        let delete = sqlx::query("delete from events where tenant = $1 and position = $2");
        delete.bind(text(&row.tenant)).bind(row.position).execute(pool).await?;
    }
    if !new.is_empty() {
        let mut query = QueryBuilder::<Postgres>::new("insert into events ");
        query.push_values(new, |mut values, row| {
            values
                .push_bind(text(&row.tenant))
                .push_bind(row.position)
                .push_bind(text(&row.stream))
                .push_bind(row.version)
                .push_bind(&row.event_id)
                .push_bind(text(&row.event_type))
                .push_bind(row.recorded_at)
                .push_bind(text(&row.effective_date))
                .push_bind(&row.payload)
                .push_bind(&row.metadata)
                .push_bind(&row.hash);
        });
        query.build().execute(pool).await?;
    }
    for head in heads {
        let insert = sqlx::query("insert into tenant_heads values ($1, $2, $3)");
        insert.bind(text(&head.tenant)).bind(head.position).bind(&head.hash).execute(pool).await?;
    }
    Ok(())
}

/// What is no text PostgreSQL refuses, as it does the byte that this puts in instead.
fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap_or_else(|_| "\0".to_owned())
}
