//! Follows the store and keeps the views up to date.
//!
//! Any number of hosts may run it on one database: a tenant's checkpoint is locked while its events are applied, so
//! each event is applied once. An event that a view cannot take stops that view for that tenant, is kept in
//! `projection_failures`, and shows in `/health`; a restart tries again.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use niyam_domain::{Position, TenantId};
use niyam_store::{Clock, Database, EventStore, Head, StoreError};
use tokio::sync::watch;

use crate::projections::invoice_list::{self, ApplyError};
use crate::projections::writer::{Writer, find, run};

/// The view that this runner keeps.
const NAME: &str = "invoice_list";
/// Events of a tenant in one transaction.
const EVENTS_AT_ONCE: u32 = 500;
/// How often other processes' events are looked for.
const POLL: Duration = Duration::from_millis(250);
/// How long a wake-up gathers company.
const GATHER: Duration = Duration::from_millis(4);
/// Pause after a failure of the database.
const PAUSE: Duration = Duration::from_secs(1);

/// How far the views have come, and where they stopped.
#[derive(Clone)]
pub(crate) struct Progress {
    reached: Arc<RwLock<HashMap<TenantId, Position>>>,
    moved: Arc<watch::Sender<()>>,
    stopped: Arc<RwLock<HashSet<TenantId>>>,
}

impl Progress {
    /// Waits until the view holds `position` of the tenant; `false` when that took longer than `patience`.
    pub(crate) async fn wait(&self, tenant: &TenantId, position: Position, patience: Duration) -> bool {
        let mut moved = self.moved.subscribe();
        let there = async {
            while self.reached(tenant) < position {
                if moved.changed().await.is_err() {
                    return;
                }
            }
        };
        tokio::time::timeout(patience, there).await.is_ok() && self.reached(tenant) >= position
    }

    /// The position that the view holds.
    pub(crate) fn reached(&self, tenant: &TenantId) -> Position {
        let reached = self.reached.read().unwrap_or_else(PoisonError::into_inner);
        reached.get(tenant).copied().unwrap_or_default()
    }

    /// For how many tenants the view has stopped.
    pub(crate) fn stopped(&self) -> usize {
        self.stopped.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn is_stopped(&self, tenant: &TenantId) -> bool {
        self.stopped.read().unwrap_or_else(PoisonError::into_inner).contains(tenant)
    }

    fn advance(&self, tenant: TenantId, position: Position) {
        self.reached.write().unwrap_or_else(PoisonError::into_inner).insert(tenant, position);
    }

    fn set(&self, reached: HashMap<TenantId, Position>) {
        *self.reached.write().unwrap_or_else(PoisonError::into_inner) = reached;
    }

    fn stop(&self, tenant: TenantId) {
        self.stopped.write().unwrap_or_else(PoisonError::into_inner).insert(tenant);
    }
}

/// Keeps the views.
pub(crate) struct Runner {
    store: EventStore,
    clock: Arc<dyn Clock>,
    progress: Progress,
}

impl Runner {
    pub(crate) fn new(store: EventStore, clock: Arc<dyn Clock>) -> Self {
        let progress = Progress {
            reached: Arc::default(),
            moved: Arc::new(watch::Sender::new(())),
            stopped: Arc::default(),
        };
        Self { store, clock, progress }
    }

    pub(crate) fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// Runs until `stop` says so.
    pub(crate) async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut appended = self.store.appended();
        while !*stop.borrow() {
            let pause = match self.catch_up().await {
                Ok(true) => continue,
                Ok(false) => POLL,
                Err(error) => {
                    tracing::error!(%error, projection = NAME, "failed to update a projection");
                    PAUSE
                }
            };
            tokio::select! {
                _ = stop.changed() => {}
                _ = appended.changed() => tokio::time::sleep(GATHER).await,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Applies what is new; whether more may be waiting.
    async fn catch_up(&self) -> Result<bool, StoreError> {
        // Read anew each time: a database that crashed may have lost the last moves of a view that it had committed.
        self.progress.set(checkpoints(self.store.database()).await?);
        let heads = self.store.heads().await?;
        let mut behind: Vec<Head> = heads
            .into_iter()
            .filter(|head| self.progress.reached(&head.tenant) < head.last_position)
            .filter(|head| !self.progress.is_stopped(&head.tenant))
            .collect();
        if behind.is_empty() {
            return Ok(false);
        }
        behind.sort_by(|one, other| one.tenant.cmp(&other.tenant));
        let mut more = false;
        // On SQLite every transaction waits for the disk: one for all. On PostgreSQL one each, so that no tenant waits.
        let at_once = match self.store.database() {
            Database::Sqlite { .. } => behind.len(),
            Database::Postgres(_) => 1,
        };
        for heads in behind.chunks(at_once.max(1)) {
            more |= self.apply(heads).await?;
        }
        Ok(more)
    }

    async fn apply(&self, heads: &[Head]) -> Result<bool, StoreError> {
        let mut work = Vec::with_capacity(heads.len());
        for head in heads {
            let after = self.progress.reached(&head.tenant);
            work.push((head, self.store.read(&head.tenant, after, EVENTS_AT_ONCE).await?));
        }
        let mut writer = Writer::begin(self.store.database()).await?;
        let mut reached = Vec::with_capacity(heads.len());
        let mut more = false;
        for (head, events) in work {
            let tenant = &head.tenant;
            let mut position = checkpoint(&mut writer, tenant).await?;
            for event in &events {
                if event.position <= position {
                    continue;
                }
                // Another host came between: what it left out is read in the next round.
                if event.position.0 != position.0 + 1 {
                    break;
                }
                let reason = match invoice_list::apply(&mut writer, event).await {
                    Ok(()) => None,
                    Err(ApplyError::Unreadable(reason)) => Some(reason),
                    Err(ApplyError::Database(error)) => return Err(error.into()),
                };
                if let Some(reason) = reason {
                    tracing::error!(tenant.id = %tenant, position = event.position.0, reason, projection = NAME,
                        "a projection stopped at an event that it cannot take");
                    self.record_failure(&mut writer, tenant, event.position, &reason).await?;
                    self.progress.stop(tenant.clone());
                    break;
                }
                position = event.position;
            }
            run!(
                &mut writer,
                "update projection_checkpoints set position = $3 where tenant = $1 and projection = $2",
                tenant.as_str(),
                NAME,
                signed(position)
            )?;
            more |= position < head.last_position && !self.progress.is_stopped(tenant);
            reached.push((tenant.clone(), position));
        }
        writer.commit().await?;
        for (tenant, position) in reached {
            self.progress.advance(tenant, position);
        }
        self.progress.moved.send_replace(());
        Ok(more)
    }

    async fn record_failure(
        &self,
        writer: &mut Writer,
        tenant: &TenantId,
        position: Position,
        reason: &str,
    ) -> Result<(), sqlx::Error> {
        run!(
            writer,
            "insert into projection_failures (tenant, projection, position, error, failed_at) \
             values ($1, $2, $3, $4, $5) \
             on conflict (tenant, projection) do update \
             set position = excluded.position, error = excluded.error, failed_at = excluded.failed_at",
            tenant.as_str(),
            NAME,
            signed(position),
            reason,
            self.clock.now().as_microsecond()
        )
    }
}

/// The checkpoints of all tenants.
async fn checkpoints(database: &Database) -> Result<HashMap<TenantId, Position>, sqlx::Error> {
    const SQL: &str = "select tenant, position from projection_checkpoints where projection = $1";
    let rows: Vec<(String, i64)> = match database {
        Database::Sqlite { readers, .. } => sqlx::query_as(SQL).bind(NAME).fetch_all(readers).await?,
        Database::Postgres(pool) => sqlx::query_as(SQL).bind(NAME).fetch_all(pool).await?,
    };
    let known = rows
        .into_iter()
        .filter_map(|(tenant, position)| Some((tenant.parse().ok()?, Position(position.unsigned_abs()))));
    Ok(known.collect())
}

/// How far the view of the tenant has come, as the database has it.
pub(crate) async fn checkpoint_of(database: &Database, tenant: &TenantId) -> Result<Position, sqlx::Error> {
    const SQL: &str = "select position from projection_checkpoints where tenant = $1 and projection = $2";
    let tenant = tenant.as_str();
    let found: Option<(i64,)> = match database {
        Database::Sqlite { readers, .. } => {
            sqlx::query_as(SQL).bind(tenant).bind(NAME).fetch_optional(readers).await?
        }
        Database::Postgres(pool) => sqlx::query_as(SQL).bind(tenant).bind(NAME).fetch_optional(pool).await?,
    };
    Ok(found.map_or(Position(0), |(position,)| Position(position.unsigned_abs())))
}

/// The tenant's checkpoint, locked until the transaction ends.
async fn checkpoint(writer: &mut Writer, tenant: &TenantId) -> Result<Position, sqlx::Error> {
    run!(
        &mut *writer,
        "insert into projection_checkpoints (tenant, projection, position) values ($1, $2, 0) \
         on conflict (tenant, projection) do nothing",
        tenant.as_str(),
        NAME
    )?;
    let lock = match writer {
        Writer::Sqlite(_) => {
            "select position from projection_checkpoints where tenant = $1 and projection = $2"
        }
        Writer::Postgres(_) => {
            "select position from projection_checkpoints where tenant = $1 and projection = $2 for update"
        }
    };
    let found = find!(&mut *writer, (i64,), lock, tenant.as_str(), NAME)?;
    Ok(found.map_or(Position(0), |(position,)| Position(position.unsigned_abs())))
}

fn signed(position: Position) -> i64 {
    i64::try_from(position.0).unwrap_or(i64::MAX)
}
