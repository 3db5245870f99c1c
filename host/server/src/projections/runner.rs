//! Follows the store and keeps the live build of every view up to date.
//!
//! Any number of hosts may run it on one database: each tenant's view is worked on by the host that has its lease, and
//! another takes it over when that host is not heard of for some seconds. An event that a view cannot take stops that
//! view for that tenant, is kept in `projection_failures`, and shows in `/health`; `niyam projections resume`, or the
//! start of a host, tries again.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use niyam_domain::{Position, TenantId};
use niyam_store::{Clock, Database, Durability, EventStore, Recorded, Scope, StoreError, Writer, is_refusal};
use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

use crate::projections::checkpoint;
use crate::projections::view::{ApplyError, Build, VIEWS, View};

/// Events of a tenant in one transaction.
pub(crate) const EVENTS_AT_ONCE: u32 = 500;
/// How often everything is looked at: other processes' events, leases that expired, views that may go on.
const POLL: Duration = Duration::from_millis(500);
/// How long a wake-up gathers company.
const GATHER: Duration = Duration::from_millis(4);
/// Pause after a failure of the database.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a host that is not heard of keeps its tenants.
pub(crate) const LEASE: Duration = Duration::from_secs(4);
/// How often a reader looks whether another host has brought a view up to its position.
const WAIT_POLL: Duration = Duration::from_millis(15);

type Key = (&'static str, TenantId);

/// How far the views have come, and where they stopped.
#[derive(Clone)]
pub(crate) struct Progress {
    database: Database,
    reached: Arc<RwLock<HashMap<Key, Position>>>,
    moved: Arc<watch::Sender<()>>,
    stopped: Arc<RwLock<HashSet<Key>>>,
}

impl Progress {
    /// Waits until the view holds `position` of the tenant; `false` when that took longer than `patience`.
    pub(crate) async fn wait(
        &self,
        view: &'static str,
        tenant: &TenantId,
        position: Position,
        patience: Duration,
    ) -> bool {
        let deadline = Instant::now() + patience;
        let mut moved = self.moved.subscribe();
        while self.reached(view, tenant) < position {
            let now = Instant::now();
            if now >= deadline || self.is_stopped(&(view, tenant.clone())) {
                return false;
            }
            let pause = WAIT_POLL.min(deadline - now);
            if let Ok(changed) = tokio::time::timeout(pause, moved.changed()).await {
                if changed.is_err() {
                    return false;
                }
                continue;
            }
            // Nothing moved here: another host may have the tenant's lease.
            match checkpoint::position(&self.database, tenant, view).await {
                Ok(found) => self.advance(view, tenant, found),
                Err(error) => tracing::debug!(%error, "failed to look for a view's position"),
            }
        }
        true
    }

    /// The position that the view is known to hold.
    pub(crate) fn reached(&self, view: &'static str, tenant: &TenantId) -> Position {
        let reached = self.reached.read().unwrap_or_else(PoisonError::into_inner);
        reached.get(&(view, tenant.clone())).copied().unwrap_or_default()
    }

    /// For how many tenants a view has stopped.
    pub(crate) fn stopped(&self) -> usize {
        self.stopped.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn is_stopped(&self, key: &Key) -> bool {
        self.stopped.read().unwrap_or_else(PoisonError::into_inner).contains(key)
    }

    fn advance(&self, view: &'static str, tenant: &TenantId, position: Position) {
        let mut reached = self.reached.write().unwrap_or_else(PoisonError::into_inner);
        let at = reached.entry((view, tenant.clone())).or_default();
        *at = position.max(*at);
    }

    fn set(&self, view: &'static str, tenant: &TenantId, position: Position) {
        let mut reached = self.reached.write().unwrap_or_else(PoisonError::into_inner);
        reached.insert((view, tenant.clone()), position);
    }

    /// Goes back as well: a database that crashed may have lost the last moves of a view that it had committed, and with
    /// the first of them the view's whole checkpoint.
    fn set_all(&self, view: &'static str, positions: HashMap<TenantId, Position>) {
        let mut reached = self.reached.write().unwrap_or_else(PoisonError::into_inner);
        reached.retain(|(name, tenant), _| *name != view || positions.contains_key(tenant));
        reached.extend(positions.into_iter().map(|(tenant, position)| ((view, tenant), position)));
    }

    fn set_stopped(&self, view: &'static str, tenants: impl Iterator<Item = TenantId>) {
        let mut stopped = self.stopped.write().unwrap_or_else(PoisonError::into_inner);
        stopped.retain(|(name, _)| *name != view);
        stopped.extend(tenants.map(|tenant| (view, tenant)));
    }
}

/// Keeps the views.
pub(crate) struct Runner {
    store: EventStore,
    clock: Arc<dyn Clock>,
    views: Vec<&'static dyn View>,
    host: Uuid,
    progress: Progress,
    /// Tenants whose lease another host had at the last look.
    elsewhere: HashSet<Key>,
}

/// An event that a view cannot take.
struct Poison {
    tenant: TenantId,
    position: Position,
    reason: String,
}

enum Failed {
    Poison(Poison),
    Store(StoreError),
}

impl From<sqlx::Error> for Failed {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// A tenant that a view is behind of, and the events that it lacks.
struct Work {
    tenant: TenantId,
    head: Position,
    events: Vec<Recorded>,
}

impl Runner {
    /// A runner of every view, which is `host` to the others.
    pub(crate) fn new(store: EventStore, clock: Arc<dyn Clock>, host: Uuid) -> Self {
        Self::of(store, clock, host, VIEWS.to_vec())
    }

    /// A runner of these views.
    pub(crate) fn of(
        store: EventStore,
        clock: Arc<dyn Clock>,
        host: Uuid,
        views: Vec<&'static dyn View>,
    ) -> Self {
        let progress = Progress {
            database: store.database().clone(),
            reached: Arc::default(),
            moved: Arc::new(watch::Sender::new(())),
            stopped: Arc::default(),
        };
        Self { store, clock, views, host, progress, elsewhere: HashSet::new() }
    }

    pub(crate) fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// Runs until `stop` says so, then lets other hosts take over.
    pub(crate) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut appended = self.store.appended();
        let mut look_at = Instant::now();
        let mut started = false;
        while !*stop.borrow() {
            appended.mark_unchanged();
            let pause = match self.round(&mut look_at, &mut started).await {
                Ok(true) => continue,
                Ok(false) => look_at.saturating_duration_since(Instant::now()),
                Err(error) => {
                    tracing::error!(%error, "failed to update the projections");
                    look_at = Instant::now();
                    PAUSE
                }
            };
            tokio::select! {
                _ = stop.changed() => {}
                _ = appended.changed() => tokio::time::sleep(GATHER).await,
                () = tokio::time::sleep(pause) => {}
            }
        }
        if let Err(error) = checkpoint::release(self.store.database(), self.host).await {
            tracing::debug!(%error, "leases not released; they expire");
        }
    }

    /// Applies what is new; whether more may be waiting.
    async fn round(&mut self, look_at: &mut Instant, started: &mut bool) -> Result<bool, StoreError> {
        let heads = if Instant::now() >= *look_at {
            self.look(*started).await?;
            *started = true;
            *look_at = Instant::now() + POLL;
            self.store.heads().await?.into_iter().map(|head| (head.tenant, head.last_position)).collect()
        } else {
            self.store.known_positions()
        };
        let mut more = false;
        for view in self.views.clone() {
            more |= self.catch_up(view, &heads).await?;
        }
        Ok(more)
    }

    /// Looks where the views stand in the database. At its start a host lets those that stopped try again.
    async fn look(&mut self, started: bool) -> Result<(), StoreError> {
        let database = self.store.database();
        self.elsewhere.clear();
        for view in &self.views {
            let name = view.name();
            let failures = checkpoint::failures(database, name).await?;
            let tenants = failures.into_iter().filter_map(|failure| failure.tenant.parse().ok());
            self.progress.set_stopped(name, tenants.filter(|_| started));
            self.progress.set_all(name, checkpoint::positions(database, name).await?.into_iter().collect());
        }
        Ok(())
    }

    /// Brings one view up to the heads, a page for each tenant; whether more may be waiting.
    async fn catch_up(
        &mut self,
        view: &'static dyn View,
        heads: &[(TenantId, Position)],
    ) -> Result<bool, StoreError> {
        let name = view.name();
        let mut behind: Vec<&(TenantId, Position)> = heads
            .iter()
            .filter(|(tenant, head)| {
                let key = (name, tenant.clone());
                self.progress.reached(name, tenant) < *head
                    && !self.progress.is_stopped(&key)
                    && !self.elsewhere.contains(&key)
            })
            .collect();
        behind.sort();
        // On SQLite every transaction waits for the disk: one for all. On PostgreSQL one each, so that no tenant waits.
        let at_once = match self.store.database() {
            Database::Sqlite { .. } => behind.len().clamp(1, 64),
            Database::Postgres(_) => 1,
        };
        let mut more = false;
        for heads in behind.chunks(at_once) {
            let mut work = Vec::with_capacity(heads.len());
            for (tenant, head) in heads {
                let after = self.progress.reached(name, tenant);
                let events = self.store.read(tenant, after, EVENTS_AT_ONCE).await?;
                work.push(Work { tenant: tenant.clone(), head: *head, events });
            }
            more |= self.apply(view, &work).await?;
        }
        Ok(more)
    }

    async fn apply(&mut self, view: &'static dyn View, work: &[Work]) -> Result<bool, StoreError> {
        let mut poisons = Vec::new();
        let reached = loop {
            match self.attempt(view, work, &poisons).await {
                Ok(reached) => break reached,
                // What the event did is rolled back; the next attempt stops before it.
                Err(Failed::Poison(poison)) => poisons.push(poison),
                Err(Failed::Store(error)) => return Err(error),
            }
        };
        let mut more = false;
        for (work, position) in work.iter().zip(reached) {
            let key = (view.name(), work.tenant.clone());
            match position {
                Some(position) => {
                    self.progress.set(key.0, &work.tenant, position);
                    more |=
                        position < work.head && !poisons.iter().any(|poison| poison.tenant == work.tenant);
                }
                None => {
                    self.elsewhere.insert(key);
                }
            }
        }
        for poison in poisons {
            tracing::error!(tenant.id = %poison.tenant, position = poison.position.0, reason = poison.reason,
                projection = view.name(), "a projection stopped at an event that it cannot take");
            self.progress
                .stopped
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .insert((view.name(), poison.tenant));
        }
        self.progress.moved.send_replace(());
        Ok(more)
    }

    /// One transaction. For each tenant the position reached, or none while another host has its lease.
    async fn attempt(
        &self,
        view: &'static dyn View,
        work: &[Work],
        poisons: &[Poison],
    ) -> Result<Vec<Option<Position>>, Failed> {
        let name = view.name();
        let now = self.clock.now().as_microsecond();
        let until = now.saturating_add(i64::try_from(LEASE.as_micros()).unwrap_or(i64::MAX));
        let scope = Scope::Tenants(work.iter().map(|work| &work.tenant).collect());
        // What a view loses in a crash is computed again.
        let mut writer = self.store.database().write(&scope, Durability::Relaxed).await?;
        let mut reached = Vec::with_capacity(work.len());
        for Work { tenant, events, .. } in work {
            if !checkpoint::claim(&mut writer, tenant, name, self.host, (now, until)).await? {
                reached.push(None);
                continue;
            }
            let (build, before) = checkpoint::live(&mut writer, tenant, name).await?;
            let poison = poisons.iter().find(|poison| poison.tenant == *tenant);
            let last = poison.map(|poison| poison.position);
            let position = apply_events(&mut writer, view, build, before, events, last).await?;
            match poison {
                Some(poison) => {
                    let failure = (poison.position, poison.reason.as_str(), now);
                    checkpoint::record_failure(&mut writer, tenant, name, failure).await?;
                }
                // It may have been stopped, and goes on.
                None if position > before => {
                    checkpoint::clear_failure(&mut writer, tenant, name).await?;
                }
                None => {}
            }
            if position > before {
                checkpoint::advance(&mut writer, tenant, name, build, position).await?;
            }
            reached.push(Some(position));
        }
        writer.commit().await?;
        Ok(reached)
    }
}

/// Applies the events that follow `position` without a gap, those before `until` only; the position reached.
async fn apply_events(
    writer: &mut Writer,
    view: &dyn View,
    build: Build,
    mut position: Position,
    events: &[Recorded],
    until: Option<Position>,
) -> Result<Position, Failed> {
    for event in events {
        if event.position <= position {
            continue;
        }
        // Another host came between: what it left out is read in the next round.
        if event.position.0 != position.0 + 1 || until.is_some_and(|until| event.position >= until) {
            break;
        }
        let poison = |reason: String| {
            Failed::Poison(Poison { tenant: event.tenant.clone(), position: event.position, reason })
        };
        match view.apply(writer, build, event).await {
            Ok(()) => {}
            Err(ApplyError::Unreadable(reason)) => return Err(poison(reason)),
            Err(ApplyError::Database(error)) if is_refusal(&error) => return Err(poison(error.to_string())),
            Err(ApplyError::Database(error)) => return Err(error.into()),
        }
        position = event.position;
    }
    Ok(position)
}
