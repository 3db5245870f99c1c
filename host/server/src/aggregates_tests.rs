//! With a snapshot or without, the state is the same; with one, few events are read.

use std::future::Future;

use jiff::{Timestamp, civil::date};
use niyam_domain::{DataSubjectErased, DataSubjectEvent, DomainEvent as _};
use niyam_domain::{Invoice, InvoiceDrafted, InvoiceEvent, InvoiceId, InvoiceRevised};
use niyam_store::{
    Append, Batch, Clock, Database, DatabaseUrl, EventStore, NewEvent, StoreConfig, StreamWrite,
};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use uuid::Uuid;

use super::*;
use crate::ids::SystemIds;
use crate::personal::Sealing;

/// Which database.
#[derive(Debug, Clone, Copy)]
enum On {
    Sqlite,
    Postgres,
}

struct StoppedClock;

impl Clock for StoppedClock {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }
}

/// An invoice of a tenant on a fresh database, revised as often as the test says.
struct Test {
    aggregates: Aggregates,
    vault: Vault,
    /// The id of the customer, whose data are sealed then.
    customer: Option<&'static str>,
    store: EventStore,
    database: DatabaseUrl,
    tenant: TenantId,
    id: InvoiceId,
    version: u64,
    _folder: tempfile::TempDir,
}

impl Test {
    async fn new(on: On) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = match on {
            On::Sqlite => DatabaseUrl::Sqlite(folder.path().join("niyam.db")),
            On::Postgres => {
                tokio::task::spawn_blocking(niyam_testdb::database_url).await.unwrap().parse().unwrap()
            }
        };
        let config = StoreConfig::new(database.clone(), Arc::new(StoppedClock));
        let store = EventStore::open(config).await.unwrap();
        let vault = Vault::open(folder.path(), store.clone(), Arc::new(SystemIds)).await.unwrap();
        Self {
            database,
            aggregates: Aggregates::new(vault.clone()),
            vault,
            customer: None,
            store,
            tenant: "demo".parse().unwrap(),
            id: InvoiceId(Uuid::from_u128(1)),
            version: 0,
            _folder: folder,
        }
    }

    /// Appends events until the stream has `version`.
    async fn grow(&mut self, version: u64) {
        const AT_ONCE: u64 = 500;
        while self.version < version {
            let next = version.min(self.version + AT_ONCE);
            let events = (self.version + 1..=next).map(|version| self.event(version)).collect::<Vec<_>>();
            let (events, sealing) = self.seal(events).await;
            let write = StreamWrite { stream: self.id.stream(), expected: Version(self.version), events };
            let batch = Batch { writes: vec![write], answer: Vec::new() };
            self.store.append(&self.tenant, sealing.guard(Append::of(batch))).await.unwrap();
            self.version = next;
        }
    }

    /// A draft, and then revisions that each name another customer.
    fn event(&self, version: u64) -> (InvoiceEvent, NewEvent) {
        let drafted = include_bytes!("../../domain/tests/fixtures/events/invoice.drafted.v1.sparse.json");
        let InvoiceDrafted { mut assessment, .. } = serde_json::from_slice(drafted).unwrap();
        assessment.document.direction = niyam_values::Direction::Sale;
        assessment.document.customer.name = format!("Customer {version}");
        if let Some(id) = self.customer {
            id.clone_into(&mut assessment.document.customer.id);
        }
        let event = match version {
            1 => InvoiceEvent::Drafted(InvoiceDrafted { invoice_id: self.id, assessment }),
            _ => InvoiceEvent::Revised(InvoiceRevised { assessment }),
        };
        let recorded = NewEvent {
            id: Uuid::from_u128(version.into()),
            event_type: event.event_type().to_owned(),
            payload: event.payload().unwrap(),
            metadata: b"{}".to_vec(),
            effective_date: date(2026, 8, 15),
        };
        (event, recorded)
    }

    /// Sealed, if the customer has an id.
    async fn seal(&self, events: Vec<(InvoiceEvent, NewEvent)>) -> (Vec<NewEvent>, Sealing) {
        let places = match self.customer {
            Some(_) => events[0].0.personal(),
            None => Vec::new(),
        };
        let sealing = self.vault.sealing(&self.tenant, &self.id.stream(), &places).await.unwrap();
        let seal = |(event, recorded): (InvoiceEvent, NewEvent)| match self.customer {
            Some(_) => sealing.event(&event, recorded).unwrap(),
            None => recorded,
        };
        (events.into_iter().map(seal).collect(), sealing)
    }

    async fn load(&self) -> Loaded<Invoice> {
        self.aggregates.load(&self.tenant, &self.id.stream()).await.unwrap().unwrap()
    }

    /// Loads, and fails if the events alone tell otherwise; gives how many events were read.
    async fn load_and_compare(&self) -> u64 {
        let loaded = self.load().await;
        let events = self.store.load(&self.tenant, &self.id.stream(), Version(0)).await.unwrap();
        let events = self.vault.opening(&self.tenant).events(events).await.unwrap();
        let told = events
            .iter()
            .fold(None, |state, event| Some(Invoice::evolve(state, event.read().unwrap()).unwrap()));
        assert_eq!((Some(&loaded.state), loaded.version), (told.as_ref(), Version(self.version)));
        assert_eq!(loaded.state.document.customer.name, format!("Customer {}", self.version));
        loaded.events_read
    }

    async fn erase(&self, key: SubjectKeyId) {
        let event = DataSubjectEvent::Erased(DataSubjectErased { key_id: key, reason: None });
        let event = NewEvent {
            id: Uuid::from_u128(u128::MAX),
            event_type: event.event_type().to_owned(),
            payload: event.payload().unwrap(),
            metadata: b"{}".to_vec(),
            effective_date: date(2026, 8, 15),
        };
        let write = StreamWrite { stream: key.stream(), expected: Version(0), events: vec![event] };
        let append = Append::of(Batch { writes: vec![write], answer: Vec::new() }).erased_keys([key]);
        self.store.append(&self.tenant, append).await.unwrap();
    }

    async fn snapshot_version(&self) -> Option<u64> {
        let stream = self.id.stream();
        let found = self.store.load_snapshot(&self.tenant, &stream, &STATE_SCHEMA).await.unwrap();
        found.map(|snapshot| snapshot.version.0)
    }

    /// Until no snapshot is on its way.
    async fn settle(&self) {
        while !self.aggregates.saving.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    }

    async fn tamper(&self, sql: &str) -> u64 {
        let sql = AssertSqlSafe(sql);
        match self.store.database() {
            Database::Sqlite { writer, .. } => {
                sqlx::query(sql).execute(writer).await.unwrap().rows_affected()
            }
            Database::Postgres(_) => {
                // As the owner of the tables, whom no policy binds.
                let DatabaseUrl::Postgres(url) = &self.database else { panic!("not PostgreSQL") };
                let mut owner = PgConnection::connect(url).await.unwrap();
                sqlx::query(sql).execute(&mut owner).await.unwrap().rows_affected()
            }
        }
    }
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(test);
}

/// Each as a test on either database.
macro_rules! on_both {
    ($($test:ident,)*) => {
        mod sqlite {
            $(#[test] fn $test() { super::run(super::$test(super::On::Sqlite)); })*
        }
        mod postgres {
            $(#[test] fn $test() { super::run(super::$test(super::On::Postgres)); })*
        }
    };
}

on_both! {
    with_a_snapshot_ten_thousand_events_cost_what_a_hundred_do,
    the_state_is_the_same_with_and_without_a_snapshot_at_every_boundary,
    a_snapshot_that_is_of_no_use_is_replaced_and_never_an_error,
    a_snapshot_does_not_bring_an_erased_customer_back,
}

async fn with_a_snapshot_ten_thousand_events_cost_what_a_hundred_do(on: On) {
    let mut test = Test::new(on).await;
    test.grow(10_000).await;
    assert_eq!(test.load().await.events_read, 10_000);
    test.settle().await;
    assert_eq!(test.snapshot_version().await, Some(10_000));
    assert_eq!(test.load_and_compare().await, 0);
    test.grow(10_000 + EVENTS_MAX).await;
    assert_eq!(test.load_and_compare().await, EVENTS_MAX);
    // None of the others is so much as looked at: they would not read any more.
    let expected = test.load().await;
    assert_eq!(
        test.tamper("update events set payload = metadata where version <= 10000 and version > 1").await,
        9_999
    );
    assert_eq!(test.load().await, expected);
}

async fn the_state_is_the_same_with_and_without_a_snapshot_at_every_boundary(on: On) {
    let mut test = Test::new(on).await;
    // The version of the snapshot that a load begins with.
    let mut snapshot = 0;
    for version in 1..=3 * EVENTS_MAX + 5 {
        test.grow(version).await;
        let events_read = test.load_and_compare().await;
        assert_eq!(events_read, version - snapshot, "at version {version}");
        test.settle().await;
        if events_read > EVENTS_MAX {
            snapshot = version;
        }
        assert_eq!(test.snapshot_version().await.unwrap_or_default(), snapshot);
    }
    assert_eq!(snapshot, 3 * (EVENTS_MAX + 1));
}

async fn a_snapshot_that_is_of_no_use_is_replaced_and_never_an_error(on: On) {
    let mut test = Test::new(on).await;
    test.grow(EVENTS_MAX + 1).await;
    test.load().await;
    test.settle().await;
    for (useless, tampering) in [
        ("of another schema", "update snapshots set schema_hash = seal"),
        ("of another event", "update snapshots set version = version - 1"),
        ("of no event", "update snapshots set version = 1000000"),
        ("another state", "update snapshots set state = schema_hash"),
        ("another seal", "update snapshots set seal = schema_hash"),
    ] {
        assert_eq!(test.load_and_compare().await, 0, "{useless}");
        assert_eq!(test.tamper(tampering).await, 1, "{useless}");
        assert_eq!(test.load_and_compare().await, EVENTS_MAX + 1, "{useless}");
        test.settle().await;
    }
    // Sealed by somebody who knows how, but no invoice.
    let event =
        test.store.load(&test.tenant, &test.id.stream(), Version(EVENTS_MAX)).await.unwrap().remove(0);
    let snapshot = Snapshot { version: event.version, event_hash: event.hash, state: b"{}".to_vec() };
    assert!(
        test.store.save_snapshot(&test.tenant, &test.id.stream(), &STATE_SCHEMA, &snapshot).await.unwrap()
    );
    assert_eq!(test.load_and_compare().await, EVENTS_MAX + 1);
    test.settle().await;
    assert_eq!(test.load_and_compare().await, 0);
}

async fn a_snapshot_does_not_bring_an_erased_customer_back(on: On) {
    let mut test = Test::new(on).await;
    test.customer = Some("c-1042");
    test.grow(EVENTS_MAX + 1).await;
    let loaded = test.load().await;
    let key = loaded.keys[0];
    test.settle().await;
    let kept =
        test.store.load_snapshot(&test.tenant, &test.id.stream(), &STATE_SCHEMA).await.unwrap().unwrap();
    let json = String::from_utf8(kept.state.clone()).unwrap();
    assert!(
        json.contains("\"sealed\":{") && !json.contains("Customer") && !json.contains("c-1042"),
        "{json}"
    );
    assert_eq!(test.load_and_compare().await, 0);
    test.erase(key).await;
    let erased = test.load().await;
    let customer = &erased.state.document.customer;
    assert_eq!((customer.name.as_str(), customer.id.as_str(), erased.events_read), ("[erased]", "", 0));
    assert!(erased.keys.is_empty());
    // Who would run its decisions again is told why that cannot be.
    let events = test.store.load(&test.tenant, &test.id.stream(), Version(0)).await.unwrap();
    let sealed = InvoiceEvent::read(&events[0].event_type, &events[0].payload);
    assert!(matches!(sealed, Err(UnreadableEvent::Sealed { .. })), "{sealed:?}");
    let opened = test.vault.opening(&test.tenant).events(events).await.unwrap().remove(0);
    let refused = opened.whole().unwrap_err().to_string();
    assert!(refused.contains("erased: its decisions cannot be run again"), "{refused}");
    // One that was on its way when the key was destroyed opens no more than the events do.
    let late = Snapshot { event_hash: kept.event_hash, version: kept.version, state: kept.state };
    test.store.save_snapshot(&test.tenant, &test.id.stream(), &STATE_SCHEMA, &late).await.unwrap();
    assert_eq!(test.load().await.state, erased.state);
    // Recorded again about the same customer, it is under another key, and readable.
    test.grow(EVENTS_MAX + 3).await;
    let loaded = test.load().await;
    assert_eq!(loaded.state.document.customer.name, format!("Customer {}", EVENTS_MAX + 3));
    assert_ne!(loaded.keys, [key]);
}
