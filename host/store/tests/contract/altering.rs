//! Single alterations by somebody with full access to the database, each of which has to be found, and named as what
//! it is where that can be known.

use std::collections::HashSet;
use std::sync::Arc;

use niyam_domain::Position;
use niyam_store::audit::{Audit, open_for_audit};
use niyam_store::{Database, DatabaseUrl, Verdict};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use sqlx::pool::PoolOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Sqlite};

use crate::books::{Books, EVENTS, HeadRow, Row, execute, fill, replace};
use crate::harness::{Kind, TestStore};

/// Printed with a failure; the cases follow from it.
const SEED: u64 = 0x6e69_7961_6d03;
/// Positions at which the history is known from outside.
const ANCHORED: [i64; 3] = [30, 60, EVENTS];
const TENANTS: [&str; 2] = ["acme", "bravo"];

/// A way to alter the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Way {
    FlipContents,
    FlipHash,
    CutHash,
    FlipPosition,
    FlipTenant,
    Delete,
    DeleteAndRenumber,
    SwapRows,
    SwapContents,
    SwapPayloads,
    MoveWithin,
    MoveToOtherTenant,
    ForgeOne,
    ForgeRest,
    InsertAndRenumber,
    InsertAtEnd,
    CopyAndRenumber,
    CopyBeside,
    Truncate,
    HeadHash,
    HeadPosition,
    HeadTenant,
    HeadDelete,
    HeadBack,
}

impl Way {
    const ALL: [Self; 24] = [
        Self::FlipContents,
        Self::FlipHash,
        Self::CutHash,
        Self::FlipPosition,
        Self::FlipTenant,
        Self::Delete,
        Self::DeleteAndRenumber,
        Self::SwapRows,
        Self::SwapContents,
        Self::SwapPayloads,
        Self::MoveWithin,
        Self::MoveToOtherTenant,
        Self::ForgeOne,
        Self::ForgeRest,
        Self::InsertAndRenumber,
        Self::InsertAtEnd,
        Self::CopyAndRenumber,
        Self::CopyBeside,
        Self::Truncate,
        Self::HeadHash,
        Self::HeadPosition,
        Self::HeadTenant,
        Self::HeadDelete,
        Self::HeadBack,
    ];

    /// Whether only something kept outside the database can show it.
    fn needs_anchors(self) -> bool {
        matches!(self, Self::ForgeRest | Self::Truncate)
    }
}

/// What the first break of the tenant's history must be.
#[derive(Debug)]
struct Expected {
    kinds: &'static [&'static str],
    first: i64,
    last: i64,
}

fn at(kind: &'static [&'static str], position: i64) -> Expected {
    Expected { kinds: kind, first: position, last: position }
}

struct Case<'a> {
    random: &'a mut StdRng,
    books: Books,
    tenant: &'static str,
    anchored: bool,
}

impl Case<'_> {
    fn position(&mut self) -> i64 {
        self.random.random_range(1..=EVENTS)
    }

    fn two_positions(&mut self) -> (i64, i64) {
        let (one, mut other) = (self.position(), self.position());
        // Neighbours are the likelier mistake, and harder to tell apart.
        if self.random.random_bool(0.3) {
            other = if one == EVENTS { one - 1 } else { one + 1 };
        }
        if one == other { self.two_positions() } else { (one.min(other), one.max(other)) }
    }

    fn flip(&mut self, bytes: &mut [u8]) {
        let index = self.random.random_range(0..bytes.len());
        bytes[index] ^= 1 << self.random.random_range(0..8);
    }

    fn flip_number(&mut self, number: &mut i64) {
        *number ^= 1 << self.random.random_range(0..64);
    }

    fn payload(&mut self) -> Vec<u8> {
        format!(r#"{{"forged":{}}}"#, self.random.random::<u32>()).into_bytes()
    }

    /// An event that the store never wrote.
    fn foreign(&mut self, position: i64) -> Row {
        let mut row = self.books.row(self.tenant, 1).clone();
        row.position = position;
        row.stream = b"s/foreign".to_vec();
        row.version = 1;
        row.event_id = self.random.random::<[u8; 16]>().to_vec();
        row.payload = self.payload();
        row.hash = self.random.random::<[u8; 32]>().to_vec();
        row
    }

    /// Alters the books.
    fn alter(&mut self, way: Way) -> Expected {
        match way {
            Way::FlipContents | Way::FlipHash | Way::CutHash | Way::FlipPosition | Way::FlipTenant => {
                self.flip_one(way)
            }
            Way::Delete | Way::DeleteAndRenumber | Way::Truncate => self.take_out(way),
            Way::SwapRows | Way::SwapContents | Way::SwapPayloads => self.swap(way),
            Way::MoveWithin => self.move_within(),
            Way::MoveToOtherTenant => self.move_to_other_tenant(),
            Way::ForgeOne | Way::ForgeRest => self.forge(way),
            Way::InsertAndRenumber | Way::InsertAtEnd => self.insert(way),
            Way::CopyAndRenumber | Way::CopyBeside => self.copy(way),
            Way::HeadHash | Way::HeadPosition | Way::HeadTenant | Way::HeadDelete | Way::HeadBack => {
                self.alter_head(way)
            }
        }
    }

    fn flip_one(&mut self, way: Way) -> Expected {
        let position = self.position();
        let mut row = self.books.row(self.tenant, position).clone();
        let expected = match way {
            Way::FlipHash => {
                self.flip(&mut row.hash);
                at(&["altered"], position)
            }
            Way::CutHash => {
                row.hash.pop();
                at(&["altered"], position)
            }
            Way::FlipTenant => {
                self.flip(&mut row.tenant);
                at(&["moved"], position)
            }
            Way::FlipPosition => {
                self.flip_number(&mut row.position);
                at(&["reordered"], position.min(row.position.max(0)))
            }
            _ => {
                match self.random.random_range(0..8) {
                    0 => self.flip(&mut row.stream),
                    1 => self.flip_number(&mut row.version),
                    2 => self.flip(&mut row.event_id),
                    3 => self.flip(&mut row.event_type),
                    4 => self.flip_number(&mut row.recorded_at),
                    5 => self.flip(&mut row.effective_date),
                    6 => self.flip(&mut row.payload),
                    _ => self.flip(&mut row.metadata),
                }
                at(&["altered"], position)
            }
        };
        *self.books.row(self.tenant, position) = row;
        expected
    }

    fn take_out(&mut self, way: Way) -> Expected {
        let position = self.position();
        let index = self.books.index(self.tenant, position);
        if way == Way::Truncate {
            let hash = self.books.hash(self.tenant, position - 1);
            let tenant = self.tenant.as_bytes();
            self.books.events.retain(|row| row.tenant != tenant || row.position < position);
            let gone = position == 1 && self.random.random();
            if gone {
                self.books.heads.retain(|head| head.tenant != tenant);
            } else {
                let head = self.books.head(self.tenant);
                (head.position, head.hash) = (position - 1, hash);
            }
            return at(&["truncated"], position);
        }
        self.books.events.remove(index);
        if way == Way::Delete {
            return at(&["deleted"], position);
        }
        self.books.renumber(self.tenant, position, -1);
        let with_head = position < EVENTS && self.random.random();
        if with_head {
            self.books.head(self.tenant).position -= 1;
        }
        // One event is left after it, whose own hash nothing but a checkpoint at its old position can place.
        let unclear = with_head && position == EVENTS - 1 && !self.anchored;
        at(if unclear { &["altered"] } else { &["deleted"] }, position)
    }

    fn swap(&mut self, way: Way) -> Expected {
        let (one, other) = self.two_positions();
        let mut first = self.books.row(self.tenant, one).clone();
        let mut second = self.books.row(self.tenant, other).clone();
        match way {
            Way::SwapRows => (first.position, second.position) = (other, one),
            Way::SwapContents => {
                (first.position, second.position) = (other, one);
                std::mem::swap(&mut first.hash, &mut second.hash);
            }
            _ => std::mem::swap(&mut first.payload, &mut second.payload),
        }
        let (first_index, second_index) =
            (self.books.index(self.tenant, one), self.books.index(self.tenant, other));
        self.books.events[first_index] = first;
        self.books.events[second_index] = second;
        at(if way == Way::SwapPayloads { &["altered"] } else { &["reordered"] }, one)
    }

    /// One event stands elsewhere, and those between made room.
    fn move_within(&mut self) -> Expected {
        let (one, other) = self.two_positions();
        let (from, to) = if self.random.random() { (one, other) } else { (other, one) };
        let index = self.books.index(self.tenant, from);
        let mut row = self.books.events.remove(index);
        self.books.renumber(self.tenant, from + 1, -1);
        self.books.renumber(self.tenant, to, 1);
        row.position = to;
        self.books.events.push(row);
        at(&["reordered"], one)
    }

    fn move_to_other_tenant(&mut self) -> Expected {
        let position = self.position();
        let other = if self.tenant == "acme" { "bravo" } else { "acme" };
        let behind = EVENTS + self.random.random_range(1..5);
        let row = self.books.row(self.tenant, position);
        row.tenant = other.into();
        row.position = behind;
        at(&["moved"], position)
    }

    fn forge(&mut self, way: Way) -> Expected {
        let position = self.position();
        let payload = self.payload();
        self.books.row(self.tenant, position).payload = payload;
        let last = if way == Way::ForgeOne { position } else { EVENTS };
        let mut hash = self.books.hash(self.tenant, position - 1);
        for position in position..=last {
            let row = self.books.row(self.tenant, position);
            row.hash = row.hash_after(&hash);
            hash.clone_from(&row.hash);
        }
        if way == Way::ForgeRest {
            self.books.head(self.tenant).hash = hash;
            let shown = ANCHORED.into_iter().find(|anchor| *anchor >= position);
            return at(&["forged"], shown.expect("the last event is anchored"));
        }
        // It fits by itself, so it is the next event that does not fit, unless a checkpoint is here.
        if self.anchored && ANCHORED.contains(&position) {
            at(&["altered"], position)
        } else if position == EVENTS {
            at(&["head-wrong"], position)
        } else {
            at(&["altered"], position + 1)
        }
    }

    fn insert(&mut self, way: Way) -> Expected {
        if way == Way::InsertAtEnd {
            let position = EVENTS + self.random.random_range(1..4);
            let mut row = self.foreign(position);
            let sound = self.random.random();
            if sound {
                row.hash = row.hash_after(&self.books.hash(self.tenant, EVENTS));
            }
            self.books.events.push(row);
            return if sound && position == EVENTS + 1 {
                // As if the head had been moved back.
                at(&["head-wrong"], position)
            } else {
                at(&["inserted"], position)
            };
        }
        let position = self.position();
        let mut row = self.foreign(position);
        match self.random.random_range(0..3) {
            0 => row.hash = row.hash_after(&self.books.hash(self.tenant, position - 1)),
            1 => row.hash = self.books.hash(self.tenant, position),
            _ => {}
        }
        self.make_room(position);
        self.books.events.push(row);
        at(&["inserted"], position)
    }

    /// Renumbers for an event that is put in, with the head or without.
    fn make_room(&mut self, position: i64) {
        self.books.renumber(self.tenant, position, 1);
        if self.random.random() {
            self.books.head(self.tenant).position += 1;
        }
    }

    fn copy(&mut self, way: Way) -> Expected {
        let position = self.position();
        let mut copy = self.books.row(self.tenant, position).clone();
        if way == Way::CopyAndRenumber {
            let to = self.random.random_range(1..=EVENTS);
            self.make_room(to);
            copy.position = to;
            self.books.events.push(copy);
            // Which of two equal neighbours was there first cannot be known.
            let first = if to == position + 1 { position } else { to };
            return Expected { kinds: &["inserted"], first, last: to };
        }
        if self.random.random() {
            copy.payload = self.payload();
            if self.random.random() {
                copy.hash = copy.hash_after(&self.books.hash(self.tenant, position - 1));
            }
        }
        let index = self.books.index(self.tenant, position);
        let beside = if self.random.random() { index } else { index + 1 };
        self.books.events.insert(beside, copy);
        at(&["inserted"], position)
    }

    fn alter_head(&mut self, way: Way) -> Expected {
        let mut head = self.books.head(self.tenant).clone();
        let back = self.position() - 1;
        let expected = match way {
            Way::HeadPosition if self.random.random() => {
                self.flip_number(&mut head.position);
                at(&["head-wrong"], EVENTS)
            }
            Way::HeadPosition => {
                head.position = back;
                at(&["head-wrong"], EVENTS)
            }
            Way::HeadTenant => {
                self.flip(&mut head.tenant);
                at(&["head-wrong"], EVENTS)
            }
            Way::HeadBack => {
                head = HeadRow { position: back, hash: self.books.hash(self.tenant, back), ..head };
                at(&["head-wrong"], back + 1)
            }
            Way::HeadDelete => {
                self.books.heads.retain(|head| head.tenant != self.tenant.as_bytes());
                return at(&["head-wrong"], EVENTS);
            }
            _ => {
                self.flip(&mut head.hash);
                at(&["head-wrong"], EVENTS)
            }
        };
        *self.books.head(self.tenant) = head;
        expected
    }
}

/// The same rows on a single connection, so that what is not committed is seen: as they are, or without constraints.
async fn on_one_connection(test: &TestStore, bare: bool) -> anyhow::Result<Database> {
    let options = PoolOptions::<Sqlite>::new().max_connections(1).idle_timeout(None).max_lifetime(None);
    // By this name and not by SQLite's flag, which would make what is attached a memory as well.
    let memory = SqliteConnectOptions::new().filename(":memory:");
    let pool = options.test_before_acquire(false).connect_with(memory).await?;
    let run = async |sql: String| sqlx::query(AssertSqlSafe(sql)).execute(&pool).await;
    run(format!("attach '{}' as source", test.file().display())).await?;
    let tables: Vec<(String, String)> = sqlx::query_as(
        "select name, sql from source.sqlite_schema where type = 'table' and name in ('events', 'tenant_heads')",
    )
    .fetch_all(&pool)
    .await?;
    for (name, sql) in tables {
        if bare {
            run(format!("create table {name} as select * from source.{name}")).await?;
        } else {
            run(sql).await?;
            run(format!("insert into {name} select * from source.{name}")).await?;
        }
    }
    if bare {
        run("create index position on events (tenant, position)".to_owned()).await?;
    }
    run("detach source".to_owned()).await?;
    Ok(Database::Sqlite { writer: pool.clone(), readers: pool })
}

/// How many alterations were tried, found, and named as what they are.
#[derive(Debug, Default)]
struct Tally {
    ways: HashSet<Way>,
    cases: u32,
    found: u32,
    named: u32,
}

struct Trial {
    books: Arc<Books>,
    database: Database,
    random: StdRng,
    tally: Tally,
}

impl Trial {
    /// Alters, verifies and restores, until `cases` alterations were taken by the database.
    async fn run(&mut self, cases: u32) -> anyhow::Result<()> {
        while self.tally.cases < cases {
            let way = Way::ALL[self.random.random_range(0..Way::ALL.len())];
            self.one(way).await?;
        }
        Ok(())
    }

    async fn one(&mut self, way: Way) -> anyhow::Result<()> {
        let tenant = TENANTS[self.random.random_range(0..TENANTS.len())];
        let anchored = way.needs_anchors() || self.random.random();
        let mut case = Case { random: &mut self.random, books: Books::clone(&self.books), tenant, anchored };
        let expected = case.alter(way);
        let altered = case.books;
        if altered == *self.books {
            return Ok(());
        }
        execute(&self.database, "begin").await?;
        // What a constraint forbids is no case.
        if replace(&self.database, &self.books, &altered).await.is_ok() {
            // Where an event went, only a look at every tenant tells; which takes twice as long.
            let verdicts = match way {
                Way::FlipTenant | Way::MoveToOtherTenant | Way::HeadTenant => self.verify(anchored).await?,
                _ if self.tally.cases.is_multiple_of(16) => self.verify(anchored).await?,
                _ => vec![self.audit(anchored)?.tenant(&tenant.parse()?, |_| {}).await?],
            };
            self.judge(way, tenant, anchored, &expected, &verdicts);
        }
        execute(&self.database, "rollback").await?;
        Ok(())
    }

    async fn verify(&self, anchored: bool) -> anyhow::Result<Vec<Verdict>> {
        Ok(self.audit(anchored)?.everything(|_| {}).await?)
    }

    fn audit(&self, anchored: bool) -> anyhow::Result<Audit<'_>> {
        let mut audit = Audit::new(&self.database);
        for tenant in TENANTS.iter().filter(|_| anchored) {
            audit = audit.anchored(&tenant.parse()?, self.books.anchors(tenant, &ANCHORED));
        }
        Ok(audit)
    }

    fn judge(&mut self, way: Way, tenant: &str, anchored: bool, expected: &Expected, verdicts: &[Verdict]) {
        let case = self.tally.cases;
        let what =
            format!("seed {SEED:#x}, case {case}: {way:?}, anchored {anchored}: {expected:?}, {verdicts:?}");
        let of = |name: &str| verdicts.iter().find(|verdict| verdict.tenant == name);
        let verdict = of(tenant).unwrap_or_else(|| panic!("no verdict: {what}"));
        let others = verdicts.iter().filter(|verdict| verdict.tenant != tenant);
        let moved = matches!(way, Way::MoveToOtherTenant | Way::FlipTenant | Way::HeadTenant);
        for other in others {
            assert_eq!(
                other.is_proven(),
                !moved || TENANTS.contains(&other.tenant.as_str()) && way != Way::MoveToOtherTenant,
                "{what}"
            );
        }
        self.tally.cases += 1;
        self.tally.ways.insert(way);
        let Some(first) = verdict.breaks.first() else { panic!("not found: {what}") };
        self.tally.found += 1;
        let position = i64::try_from(first.position.0).unwrap_or(i64::MAX);
        assert!(expected.kinds.contains(&first.fault.kind()), "{what}");
        assert!((expected.first..=expected.last).contains(&position), "{what}");
        self.tally.named += 1;
    }
}

async fn alter(kind: Kind, cases: u32) -> anyhow::Result<()> {
    let test = fill(kind).await?;
    let books = Arc::new(Books::of(&test).await?);
    let databases = match kind {
        // Somebody with full access can do away with the constraints, too.
        Kind::Sqlite => vec![on_one_connection(&test, false).await?, on_one_connection(&test, true).await?],
        Kind::Postgres => vec![test.one_connection().await?],
    };
    let share = cases / u32::try_from(databases.len())?;
    let trial = |(number, database)| {
        let random = StdRng::seed_from_u64(SEED + number);
        let mut trial = Trial { books: Arc::clone(&books), database, random, tally: Tally::default() };
        tokio::spawn(async move {
            let untouched = trial.verify(true).await?;
            assert_eq!(untouched.len(), 2);
            let proven = |verdict: &Verdict| verdict.is_proven() && verdict.anchored == Some(Position(100));
            assert!(untouched.iter().all(proven));
            trial.run(share).await?;
            assert_eq!(trial.verify(true).await?, untouched, "what was altered was restored");
            anyhow::Ok(trial.tally)
        })
    };
    let trials: Vec<_> = (0..).zip(databases).map(trial).collect();
    let mut total = Tally::default();
    for trial in trials {
        let tally = trial.await??;
        total.ways.extend(tally.ways);
        total.cases += tally.cases;
        total.found += tally.found;
        total.named += tally.named;
    }
    let Tally { ways, cases: tried, found, named } = total;
    let ways = ways.len();
    println!("{kind:?}: {found} of {tried} alterations in {ways} ways found, {named} named as what they are");
    // The constraints of PostgreSQL forbid a cut hash and a second event with the same id or position.
    assert_eq!(ways, if kind == Kind::Sqlite { Way::ALL.len() } else { Way::ALL.len() - 3 });
    assert_eq!((tried, found, named), (cases, cases, cases));
    Ok(())
}

pub async fn sqlite() -> anyhow::Result<()> {
    alter(Kind::Sqlite, 10_000).await
}

pub async fn postgres() -> anyhow::Result<()> {
    alter(Kind::Postgres, 500).await
}

/// What is committed by one process is seen by another that only reads, beside the open store.
pub async fn a_reader_beside_the_store() -> anyhow::Result<()> {
    let test = fill(Kind::Sqlite).await?;
    let database = open_for_audit(&DatabaseUrl::Sqlite(test.file())).await?;
    let verify = async || Audit::new(&database).everything(|_| {}).await;
    assert!(verify().await?.iter().all(Verdict::is_proven));
    let first = Books::of(&test).await?.hash("acme", 1);
    test.tamper("update events set payload = x'7b7d' where tenant = 'bravo' and position = 50").await?;
    let verdicts = verify().await?;
    assert_eq!(verdicts.iter().map(Verdict::is_proven).collect::<Vec<_>>(), [true, false]);
    assert_eq!(verdicts[1].breaks[0].position, Position(50));
    let written = sqlx::query("delete from events");
    let Database::Sqlite { readers, .. } = &database else { panic!("SQLite") };
    assert!(written.execute(readers).await.is_err(), "it only reads");
    assert_eq!(Books::of(&test).await?.hash("acme", 1), first);
    Ok(())
}
