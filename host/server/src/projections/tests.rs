//! Hosts that share the work, views that stop, views that are rebuilt: with a view that tells what it was given.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::{Timestamp, civil::date};
use niyam_domain::{Position, TenantId, Version};
use niyam_store::{
    Append, Batch, Clock, DatabaseUrl, EventStore, NewEvent, Recorded, StoreConfig, StreamWrite, Writer,
};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::runner::{LEASE, Progress, Runner};
use super::view::{ApplyError, Build, View};
use super::{checkpoint, rebuild};

const PATIENCE: Duration = Duration::from_mins(1);

/// Time that stands still until it is moved.
struct StoppedClock(AtomicI64);

impl Clock for StoppedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

/// Keeps what it was given, refuses events of type `bad.v1` while `strict`.
struct Told {
    name: &'static str,
    strict: AtomicBool,
    given: Mutex<Vec<(TenantId, Build, Position)>>,
}

impl Told {
    fn new() -> &'static Self {
        let given = Mutex::default();
        Box::leak(Box::new(Self { name: "told", strict: AtomicBool::new(true), given }))
    }

    fn of(&self, tenant: &TenantId, build: Build) -> Vec<u64> {
        let given = self.given.lock().unwrap();
        let of = |(owner, of, position): &(TenantId, Build, Position)| {
            (owner == tenant && *of == build).then_some(position.0)
        };
        let mut positions: Vec<u64> = given.iter().filter_map(of).collect();
        // Before an event that is refused, what its transaction did is rolled back and done again.
        positions.dedup();
        positions
    }
}

impl View for Told {
    fn name(&self) -> &'static str {
        self.name
    }

    fn forget(&self) -> &'static [&'static str] {
        &[]
    }

    fn apply<'a>(
        &'a self,
        _: &'a mut Writer,
        build: Build,
        event: &'a Recorded,
    ) -> BoxFuture<'a, Result<(), ApplyError>> {
        async move {
            if event.event_type == "bad.v1" && self.strict.load(Ordering::SeqCst) {
                return Err(ApplyError::Unreadable("it is bad".to_owned()));
            }
            self.given.lock().unwrap().push((event.tenant.clone(), build, event.position));
            Ok(())
        }
        .boxed()
    }
}

struct Hosts {
    store: EventStore,
    clock: Arc<StoppedClock>,
    _folder: tempfile::TempDir,
}

struct Host {
    progress: Progress,
    stop: watch::Sender<bool>,
    running: JoinHandle<()>,
}

impl Hosts {
    async fn new(postgres: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = if postgres {
            DatabaseUrl::Postgres(tokio::task::spawn_blocking(niyam_testdb::database_url).await.unwrap())
        } else {
            DatabaseUrl::Sqlite(folder.path().join("niyam.db"))
        };
        let clock = Arc::new(StoppedClock(AtomicI64::new(1_790_000_000_000_000)));
        let store = EventStore::open(StoreConfig::new(database, Arc::clone(&clock) as Arc<dyn Clock>)).await;
        Self { store: store.unwrap(), clock, _folder: folder }
    }

    fn host(&self, number: u128, view: &'static Told) -> Host {
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let runner = Runner::of(self.store.clone(), clock, Uuid::from_u128(number), vec![view]);
        let progress = runner.progress();
        let (stop, stopped) = watch::channel(false);
        Host { progress, stop, running: tokio::spawn(runner.run(stopped)) }
    }

    async fn append(&self, tenant: &TenantId, version: u64, event_type: &str) -> Position {
        let id = Uuid::from_u128(u128::from(version) + 1);
        let event = NewEvent {
            id,
            event_type: event_type.to_owned(),
            payload: b"{}".to_vec(),
            metadata: b"{}".to_vec(),
            effective_date: date(2026, 7, 1),
        };
        let write =
            StreamWrite { stream: "a".parse().unwrap(), expected: Version(version), events: vec![event] };
        let append = Append::of(Batch { writes: vec![write], answer: Vec::new() });
        self.store.append(tenant, append).await.unwrap().position
    }
}

async fn views_keep_up(postgres: bool) {
    let hosts = Hosts::new(postgres).await;
    let view = Told::new();
    let one = hosts.host(1, view);
    let acme: TenantId = "acme".parse().unwrap();
    for version in 0..20 {
        let position = hosts.append(&acme, version, "good.v1").await;
        assert!(one.progress.wait(view.name, &acme, position, PATIENCE).await);
    }
    assert_eq!(view.of(&acme, Build(0)), (1..=20).collect::<Vec<_>>());
    one.stop.send_replace(true);
    one.running.await.unwrap();
    // A host that starts goes on from the checkpoint.
    let two = hosts.host(2, view);
    let position = hosts.append(&acme, 20, "good.v1").await;
    assert!(two.progress.wait(view.name, &acme, position, PATIENCE).await);
    assert_eq!(view.of(&acme, Build(0)), (1..=21).collect::<Vec<_>>());
}

async fn a_host_that_dies_is_replaced(postgres: bool) {
    let hosts = Hosts::new(postgres).await;
    let (first, second) = (Told::new(), Told::new());
    let acme: TenantId = "acme".parse().unwrap();
    let one = hosts.host(1, first);
    let position = hosts.append(&acme, 0, "good.v1").await;
    assert!(one.progress.wait(first.name, &acme, position, PATIENCE).await);
    let two = hosts.host(2, second);
    // The first has the lease: it works, the second knows of it.
    let position = hosts.append(&acme, 1, "good.v1").await;
    assert!(two.progress.wait(second.name, &acme, position, PATIENCE).await);
    assert_eq!((first.of(&acme, Build(0)), second.of(&acme, Build(0))), (vec![1, 2], vec![]));
    // It dies without a word; its lease runs out.
    one.running.abort();
    let _ = one.running.await;
    let position = hosts.append(&acme, 2, "good.v1").await;
    assert!(!two.progress.wait(second.name, &acme, position, Duration::from_millis(50)).await);
    hosts.clock.0.fetch_add(i64::try_from(LEASE.as_micros()).unwrap() + 1, Ordering::SeqCst);
    assert!(two.progress.wait(second.name, &acme, position, PATIENCE).await);
    assert_eq!(second.of(&acme, Build(0)), [3]);
}

async fn a_host_that_stops_gives_up_its_leases(postgres: bool) {
    let hosts = Hosts::new(postgres).await;
    let (first, second) = (Told::new(), Told::new());
    let acme: TenantId = "acme".parse().unwrap();
    let one = hosts.host(1, first);
    let position = hosts.append(&acme, 0, "good.v1").await;
    assert!(one.progress.wait(first.name, &acme, position, PATIENCE).await);
    one.stop.send_replace(true);
    one.running.await.unwrap();
    // Time stands still, so the lease would never expire.
    let two = hosts.host(2, second);
    let position = hosts.append(&acme, 1, "good.v1").await;
    assert!(two.progress.wait(second.name, &acme, position, PATIENCE).await);
    assert_eq!(second.of(&acme, Build(0)), [2]);
}

async fn an_event_that_cannot_be_taken_stops_its_tenant_until_it_is_resumed(postgres: bool) {
    let hosts = Hosts::new(postgres).await;
    let view = Told::new();
    let host = hosts.host(1, view);
    let (acme, bravo): (TenantId, TenantId) = ("acme".parse().unwrap(), "bravo".parse().unwrap());
    for (version, event_type) in [(0, "good.v1"), (1, "bad.v1"), (2, "good.v1")] {
        hosts.append(&acme, version, event_type).await;
    }
    let other = hosts.append(&bravo, 0, "good.v1").await;
    assert!(host.progress.wait(view.name, &bravo, other, PATIENCE).await);
    assert!(!host.progress.wait(view.name, &acme, Position(3), PATIENCE).await);
    assert_eq!((view.of(&acme, Build(0)), host.progress.stopped()), (vec![1], 1));
    let database = hosts.store.database();
    let failures = checkpoint::failures(database, view.name).await.unwrap();
    assert_eq!((failures.len(), failures[0].position, failures[0].error.as_str()), (1, 2, "it is bad"));
    // Before it is mended, it stops at the same event again.
    assert!(rebuild::resume(database, view, &acme).await.unwrap());
    while checkpoint::failures(database, view.name).await.unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    view.strict.store(false, Ordering::SeqCst);
    assert!(rebuild::resume(database, view, &acme).await.unwrap());
    while !host.progress.wait(view.name, &acme, Position(3), Duration::from_millis(20)).await {}
    assert_eq!(view.of(&acme, Build(0)), [1, 2, 3]);
    assert!(checkpoint::failures(database, view.name).await.unwrap().is_empty());
    assert!(!rebuild::resume(database, view, &acme).await.unwrap());
}

async fn a_rebuild_is_switched_to_when_it_holds_all_that_is_shown(postgres: bool) {
    let hosts = Hosts::new(postgres).await;
    let view = Told::new();
    let host = hosts.host(1, view);
    let acme: TenantId = "acme".parse().unwrap();
    for version in 0..1200 {
        hosts.append(&acme, version, "good.v1").await;
    }
    let appending = async {
        for version in 1200..1260 {
            hosts.append(&acme, version, "good.v1").await;
        }
    };
    let mut events = 0;
    let rebuilding = rebuild::rebuild(&hosts.store, view, &acme, |applied| events += applied);
    let ((), rebuilt) = tokio::join!(appending, rebuilding);
    rebuilt.unwrap();
    assert!((1200..=1260).contains(&events), "{events}");
    let last = hosts.append(&acme, 1260, "good.v1").await;
    assert!(host.progress.wait(view.name, &acme, last, PATIENCE).await);
    // Whoever applied an event to the new build, each was applied to it, once and in order.
    assert_eq!(view.of(&acme, Build(1)), (1..=1261).collect::<Vec<_>>());
    assert_eq!(checkpoint::position(hosts.store.database(), &acme, view.name).await.unwrap(), last);
    let left: BTreeMap<_, _> =
        checkpoint::positions(hosts.store.database(), view.name).await.unwrap().into_iter().collect();
    assert_eq!(left, BTreeMap::from([(acme, last)]));
}

async fn a_rebuild_that_meets_a_bad_event_leaves_what_is_shown(postgres: bool) {
    let hosts = Hosts::new(postgres).await;
    let view = Told::new();
    view.strict.store(false, Ordering::SeqCst);
    let host = hosts.host(1, view);
    let acme: TenantId = "acme".parse().unwrap();
    hosts.append(&acme, 0, "good.v1").await;
    let last = hosts.append(&acme, 1, "bad.v1").await;
    assert!(host.progress.wait(view.name, &acme, last, PATIENCE).await);
    view.strict.store(true, Ordering::SeqCst);
    let refused = rebuild::rebuild(&hosts.store, view, &acme, |_| {}).await;
    assert!(matches!(refused, Err(rebuild::RebuildError::Poison { position: Position(2), .. })));
    assert_eq!(checkpoint::position(hosts.store.database(), &acme, view.name).await.unwrap(), last);
    // Mended, it goes on where it was.
    view.strict.store(false, Ordering::SeqCst);
    rebuild::rebuild(&hosts.store, view, &acme, |_| {}).await.unwrap();
    let last = hosts.append(&acme, 2, "good.v1").await;
    assert!(host.progress.wait(view.name, &acme, last, PATIENCE).await);
    assert_eq!(view.of(&acme, Build(1)).last(), Some(&3));
}

macro_rules! on_both {
    ($($name:ident)*) => {
        mod sqlite { $(#[tokio::test(flavor = "multi_thread")] async fn $name() {
            super::$name(false).await;
        })* }
        mod postgres { $(#[tokio::test(flavor = "multi_thread")] async fn $name() {
            super::$name(true).await;
        })* }
    };
}
on_both! {
    views_keep_up
    a_host_that_dies_is_replaced
    a_host_that_stops_gives_up_its_leases
    an_event_that_cannot_be_taken_stops_its_tenant_until_it_is_resumed
    a_rebuild_is_switched_to_when_it_holds_all_that_is_shown
    a_rebuild_that_meets_a_bad_event_leaves_what_is_shown
}
