//! Random appends, and hosts that die at random points among them.
//!
//! A host is a store on a runtime of its own. It dies with its runtime: every task is dropped where it stands, no
//! append is waited for, no connection is closed in order. The next host opens the same database at once, while
//! PostgreSQL may still be at work for the dead one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use niyam_domain::{Position, StreamId, TenantId, Version};
use niyam_store::{
    Append, AppendError, Appended, Batch, DatabaseUrl, EventStore, Idempotency, NewEvent, Recorded,
    StoreConfig, StoreError, StreamWrite,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::{
    Config, FileFailurePersistence, RngSeed, TestCaseError, TestError, TestRunner, contextualize_config,
};
use sqlx::Connection as _;
use tokio::runtime::{Builder, Runtime};
use uuid::Uuid;

use crate::harness::{Kind, config, event, request, stream, tenant};

/// The same cases each time, unless `PROPTEST_RNG_SEED` and `PROPTEST_CASES` ask for others; where a crash falls is
/// for the machine to say. What failed once is kept beside this file and comes first ever after.
fn runner() -> TestRunner {
    TestRunner::new(contextualize_config(Config {
        cases: 24,
        rng_seed: RngSeed::Fixed(1),
        max_shrink_iters: 200,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/contract/crashing.proptest"
        )))),
        ..Config::default()
    }))
}

/// The life of one host.
#[derive(Debug, Clone)]
struct Life {
    /// Appended at once.
    plans: Vec<Plan>,
    /// `None`: all is waited for, and the store is closed in order.
    crash: Option<Crash>,
    /// Appends of one transaction, at most.
    group: usize,
}

/// When a host dies.
#[derive(Debug, Clone)]
struct Crash {
    /// After so many answers, if there are so many.
    answers: usize,
    /// And then so much later.
    microseconds: u64,
}

/// An append to be made.
#[derive(Debug, Clone)]
struct Plan {
    tenant: usize,
    stream: usize,
    events: usize,
    /// How far the version expected is from that which fits, if all before it is accepted.
    wrong_by: u64,
    /// Whether it draws a number too.
    serial: bool,
    /// Key and fingerprint.
    key: Option<(u8, u8)>,
}

fn plans() -> impl Strategy<Value = Plan> {
    let wrong_by = prop_oneof![6 => Just(0), 1 => 1..3_u64];
    let key = option::of((0..4_u8, prop_oneof![5 => Just(0_u8), 1 => Just(1)]));
    (0..2_usize, 0..3_usize, 1..4_usize, wrong_by, any::<bool>(), key).prop_map(
        |(tenant, stream, events, wrong_by, serial, key)| Plan {
            tenant,
            stream,
            events,
            wrong_by,
            serial,
            key,
        },
    )
}

fn lives() -> impl Strategy<Value = Vec<Life>> {
    let crash = (0..6_usize, prop_oneof![Just(0), 0..8_000_u64])
        .prop_map(|(answers, microseconds)| Crash { answers, microseconds });
    let life = (vec(plans(), 1..16), option::weighted(0.8, crash), 1..6_usize)
        .prop_map(|(plans, crash, group)| Life { plans, crash, group });
    vec(life, 1..5)
}

/// An append that was made, and what came of it.
struct Command {
    tenant: TenantId,
    stream: StreamId,
    expected: Version,
    events: Vec<NewEvent>,
    /// Written to the series, if it draws a number.
    drawn: Option<NewEvent>,
    key: Option<Idempotency>,
    /// `None`: never answered.
    answer: Option<Result<Appended, AppendError>>,
}

impl Command {
    fn append(&self) -> Append {
        let Self { stream: name, expected, events, drawn, key, .. } = self;
        let document = StreamWrite { stream: name.clone(), expected: *expected, events: events.clone() };
        let series = stream("series");
        let append = match drawn.clone() {
            None => Append::of(Batch { writes: vec![document], answer: expected.to_string().into_bytes() }),
            Some(drawn) => Append::with_serials(vec![series.clone()], move |serials| {
                let number = serials.get(&series).expect("asked for");
                let expected = serials.expected(&series).expect("asked for");
                let drawn = StreamWrite { stream: series.clone(), expected, events: vec![drawn.clone()] };
                Batch { writes: vec![document.clone(), drawn], answer: number.to_string().into_bytes() }
            }),
        };
        match key {
            Some(key) => append.idempotent(key.clone()),
            None => append,
        }
    }

    fn ids(&self) -> BTreeSet<Uuid> {
        self.events.iter().chain(&self.drawn).map(|event| event.id).collect()
    }

    /// The request that it is, if it may be repeated.
    fn request(&self) -> Option<(&TenantId, &str)> {
        Some((&self.tenant, self.key.as_ref()?.key.as_str()))
    }
}

/// A database, and all that was ever asked of it.
struct World {
    config: StoreConfig,
    /// Looks at the database from outside.
    observer: Runtime,
    _folder: tempfile::TempDir,
    tenants: [TenantId; 2],
    commands: Vec<Command>,
    counts: Counts,
}

/// What the cases came across.
#[derive(Debug, Default)]
struct Counts {
    cases: usize,
    crashes: usize,
    accepted: usize,
    rejected: usize,
    unanswered: usize,
    unanswered_but_written: usize,
    answered_again: usize,
}

impl World {
    fn new(kind: Kind) -> anyhow::Result<Self> {
        let observer = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let folder = tempfile::tempdir()?;
        let mut config = observer.block_on(config(kind, &folder))?;
        config.connections_max = 4;
        config.lanes = 2;
        let (tenants, commands) = ([tenant("none"), tenant("none")], Vec::new());
        Ok(Self { config, observer, _folder: folder, tenants, commands, counts: Counts::default() })
    }

    /// Other tenants on the same database.
    fn begin_case(&mut self) {
        self.counts.cases += 1;
        self.tenants = ["a", "b"].map(|name| tenant(&format!("{name}-{}", self.counts.cases)));
        self.commands.clear();
    }

    /// Opens a host, lets it append, and lets it die or close.
    fn live(&mut self, life: &Life) -> anyhow::Result<()> {
        let dead = self.connections()?;
        let host = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let mut config = self.config.clone();
        config.group_commands_max = life.group;
        let store = host.block_on(EventStore::open(config))?;
        // What was left open is asked again at once, by the next host.
        let begun = self.commands.len();
        for index in 0..begun {
            if self.commands[index].answer.is_none() && self.commands[index].key.is_some() {
                self.ask_again(&host, &store, index)?;
            }
        }
        self.await_end_of(&host, &store, &dead)?;
        host.block_on(self.check(&store))?;
        host.block_on(self.plan(&store, &life.plans))?;
        let (sender, answers) = mpsc::channel();
        for (index, command) in self.commands.iter().enumerate().skip(begun) {
            let (store, tenant, append) = (store.clone(), command.tenant.clone(), command.append());
            let sender = sender.clone();
            host.spawn(async move {
                let answer = store.append(&tenant, append).await;
                // Nobody may be left to hear it.
                let _ = sender.send((index, answer));
            });
        }
        drop(sender);
        let wanted = life.crash.as_ref().map_or(life.plans.len(), |crash| crash.answers);
        let mut heard: Vec<_> = answers.iter().take(wanted).collect();
        if let Some(crash) = &life.crash {
            std::thread::sleep(Duration::from_micros(crash.microseconds));
            // The store and its lanes die with their tasks, wherever these are.
            drop(store);
            drop(host);
            // An answer that was given counts, whether it was heard before or not. That the store is gone is none.
            heard.extend(answers.try_iter());
            heard.retain(|(_, answer)| !matches!(answer, Err(AppendError::Store(StoreError::Closed))));
            self.counts.crashes += 1;
        } else {
            host.block_on(store.close());
        }
        for (index, answer) in heard {
            self.commands[index].answer = Some(answer);
        }
        Ok(())
    }

    /// Makes commands of plans, with the versions as they are.
    async fn plan(&mut self, store: &EventStore, plans: &[Plan]) -> anyhow::Result<()> {
        let mut versions = BTreeMap::new();
        for plan in plans {
            let Plan { tenant, stream: number, events, wrong_by, serial, key } = plan.clone();
            let (tenant, name) = (self.tenants[tenant].clone(), stream(&format!("s/{number}")));
            let found = store.load(&tenant, &name, Version(0)).await?.len() as u64;
            let version: &mut u64 = versions.entry((tenant.clone(), name.clone())).or_insert(found);
            let expected = Version(*version + wrong_by);
            if wrong_by == 0 {
                *version += events as u64;
            }
            self.commands.push(Command {
                tenant,
                stream: name,
                expected,
                events: std::iter::repeat_with(event).take(events).collect(),
                drawn: serial.then(event),
                key: key.map(|(key, fingerprint)| request(&format!("key-{key}"), fingerprint)),
                answer: None,
            });
        }
        Ok(())
    }

    /// A client that got no answer asks again, and once more: the second answer is the first one again.
    fn ask_again(&mut self, host: &Runtime, store: &EventStore, index: usize) -> anyhow::Result<()> {
        let command = &self.commands[index];
        let ask = || host.block_on(store.append(&command.tenant, command.append()));
        let first = ask();
        if let Ok(first) = &first {
            let second = ask().context("a repeated request is refused")?;
            ensure!(second == Appended { replayed: true, ..first.clone() }, "{second:?} after {first:?}");
        }
        self.counts.answered_again += usize::from(matches!(&first, Ok(answer) if answer.replayed));
        self.commands[index].answer = Some(first);
        Ok(())
    }

    /// Connections of hosts to PostgreSQL; none of them is of a host that lives.
    fn connections(&self) -> anyhow::Result<Vec<i32>> {
        let DatabaseUrl::Postgres(url) = &self.config.database else { return Ok(Vec::new()) };
        self.observer.block_on(async {
            let mut connection = sqlx::PgConnection::connect(url).await?;
            let sql = "select pid from pg_stat_activity \
                 where datname = current_database() and application_name = 'niyam'";
            let found = sqlx::query_scalar(sql).fetch_all(&mut connection).await?;
            connection.close().await?;
            Ok(found)
        })
    }

    /// Waits until the database is through with what the dead had begun.
    fn await_end_of(&self, host: &Runtime, store: &EventStore, dead: &[i32]) -> anyhow::Result<()> {
        if let niyam_store::Database::Sqlite { writer, .. } = store.database() {
            // A dead host's statement holds the write lock, or comes after this and finds nobody to go on for.
            return host
                .block_on(async { Ok(writer.begin_with("begin immediate").await?.rollback().await?) });
        }
        while self.connections()?.iter().any(|pid| dead.contains(pid)) {
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }

    /// Everything that must hold, whatever died when.
    async fn check(&mut self, store: &EventStore) -> anyhow::Result<()> {
        for tenant in self.tenants.clone() {
            let events = store.read(&tenant, Position(0), 100_000).await?;
            let proved = store.verify_chain(&tenant).await?;
            ensure!(
                proved == Position(events.len() as u64),
                "{} events, proved up to {proved}",
                events.len()
            );
            check_versions(&events)?;
            self.check_commands(&tenant, &events)?;
        }
        Ok(())
    }

    /// Every command happened once or not at all, as it was told; and nothing else did.
    fn check_commands(&self, tenant: &TenantId, events: &[Recorded]) -> anyhow::Result<()> {
        let by_id: BTreeMap<Uuid, &Recorded> = events.iter().map(|event| (event.id, event)).collect();
        ensure!(by_id.len() == events.len(), "an event is there twice");
        let mut explained = 0;
        // The command that had the effect of each request.
        let mut effects: BTreeMap<&str, (&Command, Appended)> = BTreeMap::new();
        let of_tenant = || self.commands.iter().filter(|command| command.tenant == *tenant);
        for command in of_tenant() {
            let ids = command.ids();
            let there: Vec<&Recorded> = ids.iter().filter_map(|id| by_id.get(id).copied()).collect();
            ensure!(there.is_empty() || there.len() == ids.len(), "an append is there in part");
            explained += there.len();
            match &command.answer {
                Some(Ok(answer)) if !answer.replayed => {
                    ensure!(!there.is_empty(), "an acknowledged append is lost");
                }
                Some(Err(AppendError::Store(error))) => anyhow::bail!("{error}"),
                Some(Err(error)) => ensure!(there.is_empty(), "a refused append is there: {error}"),
                Some(Ok(_)) | None => {}
            }
            if there.is_empty() {
                continue;
            }
            let effect = Self::effect(command, &by_id)?;
            if let Some(Ok(answer)) = &command.answer {
                ensure!(*answer == Appended { replayed: answer.replayed, ..effect.clone() }, "{answer:?}");
            }
            if let Some((_, key)) = command.request() {
                ensure!(effects.insert(key, (command, effect)).is_none(), "{key} had two effects");
            }
        }
        ensure!(explained == events.len(), "{} events, {explained} of which were asked for", events.len());
        for command in of_tenant() {
            let (Some((_, key)), Some(answer)) = (command.request(), &command.answer) else { continue };
            let effect = effects.get(key);
            match answer {
                Ok(answer) => {
                    let (first, effect) = effect.context("an answer without an effect")?;
                    ensure!(first.key == command.key, "{key} was answered for another request");
                    ensure!(
                        *answer == Appended { replayed: answer.replayed, ..effect.clone() },
                        "{answer:?}"
                    );
                }
                Err(AppendError::KeyReused) => {
                    let (first, _) = effect.context("a key was refused and never used")?;
                    ensure!(first.key != command.key, "{key} was refused for the same request");
                }
                Err(_) => {}
            }
        }
        Ok(())
    }

    /// What a command that is there must have been answered, by where its events are.
    fn effect(command: &Command, by_id: &BTreeMap<Uuid, &Recorded>) -> anyhow::Result<Appended> {
        let place = |event: &NewEvent| by_id.get(&event.id).copied().context("an event is gone");
        let first = place(&command.events[0])?;
        let all = command.events.iter().chain(&command.drawn);
        for (number, event) in (0_u64..).zip(all) {
            let found = place(event)?;
            ensure!(found.position.0 == first.position.0 + number, "an append is torn at {}", found.position);
            ensure!(found.payload == event.payload, "another payload at {}", found.position);
        }
        for (version, event) in (command.expected.0 + 1..).zip(&command.events) {
            let found = place(event)?;
            ensure!(found.stream == command.stream && found.version.0 == version, "{found:?}");
        }
        let last = command.drawn.as_ref().unwrap_or(&command.events[command.events.len() - 1]);
        let last = place(last)?;
        let answer = match &command.drawn {
            Some(_) => last.version.to_string(),
            None => command.expected.to_string(),
        };
        Ok(Appended { position: last.position, answer: answer.into_bytes(), replayed: false })
    }

    fn count(&mut self, store: &EventStore, host: &Runtime) -> anyhow::Result<()> {
        for command in &self.commands {
            match &command.answer {
                Some(Ok(_)) => self.counts.accepted += 1,
                Some(Err(_)) => self.counts.rejected += 1,
                None => {
                    self.counts.unanswered += 1;
                    let events = host.block_on(store.load(&command.tenant, &command.stream, Version(0)))?;
                    let written = events.iter().any(|event| event.id == command.events[0].id);
                    self.counts.unanswered_but_written += usize::from(written);
                }
            }
        }
        Ok(())
    }

    fn run(&mut self, lives: &[Life]) -> anyhow::Result<()> {
        self.begin_case();
        for life in lives {
            self.live(life)?;
        }
        // The last one only looks, and asks again.
        self.live(&Life { plans: Vec::new(), crash: None, group: 1 })?;
        let host = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let store = host.block_on(EventStore::open(self.config.clone()))?;
        self.count(&store, &host)?;
        host.block_on(store.close());
        Ok(())
    }
}

/// Streams, and so number series, have the versions 1, 2, 3 … in order of position.
fn check_versions(events: &[Recorded]) -> anyhow::Result<()> {
    let mut versions: BTreeMap<&StreamId, u64> = BTreeMap::new();
    for event in events {
        let version = versions.entry(&event.stream).or_default();
        *version += 1;
        ensure!(event.version.0 == *version, "{} follows {version} of {}", event.version, event.stream);
    }
    Ok(())
}

pub fn whatever_crashes_what_was_acknowledged_is_there_once(kind: Kind) -> anyhow::Result<()> {
    let world = std::cell::RefCell::new(World::new(kind)?);
    let property = |lives: Vec<Life>| {
        world.borrow_mut().run(&lives).map_err(|error| TestCaseError::fail(format!("{error:#}")))
    };
    match runner().run(&lives(), property) {
        Ok(()) => {}
        Err(TestError::Fail(reason, lives)) => anyhow::bail!("{reason}\n{lives:#?}"),
        Err(error) => anyhow::bail!("{error}"),
    }
    let counts = world.into_inner().counts;
    eprintln!("{kind:?}: {counts:?}");
    // The cases are of use: hosts died with appends under way, and others had gone before.
    ensure!(
        counts.crashes > 0 && counts.unanswered > 0 && counts.accepted > 0 && counts.rejected > 0,
        "{counts:?}"
    );
    Ok(())
}
