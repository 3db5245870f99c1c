//! Commits a group of appends: at once on what the lane remembers, or else by looking everything up under the locks.
//!
//! On PostgreSQL the usual group is one call of a function in the database, so one round trip: it makes sure that the
//! heads are where the lane left them, and writes. Whatever is not as remembered has it write nothing, and the group is
//! decided again in a transaction that locks first and then looks. Where a connection breaks so that nobody knows
//! whether a group was written, that transaction finds out, and holds the locks by which what comes late is refused.
//!
//! What becomes of each append, `group` decides; who waits for the answers, `batcher` knows.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use niyam_domain::TenantId;
use sqlx::{Connection as _, PgPool, Postgres, pool::PoolConnection};
use tokio::time::Instant;

use crate::append::{AppendError, InvalidAppend};
use crate::config::StoreConfig;
use crate::database::Database;
use crate::error::StoreError;
use crate::group::{Command, Known, Outcome, Settled, Unknown, settle, streams};
use crate::memory::Memory;
use crate::sql::call::{self, Called};
use crate::sql::unit::{CommitError, Unit};

/// How often a transaction is tried before its appends fail.
const ATTEMPTS_MAX: u32 = 6;
/// Pause before the second attempt; doubles with each.
const PAUSE_FIRST: Duration = Duration::from_millis(10);
/// A connection that was not used for longer is asked whether it is alive, before it is sent what might then be in doubt.
const FRESH: Duration = Duration::from_millis(20);

/// Why a whole transaction failed.
pub enum GroupError {
    /// Nothing was written, and trying again may help.
    Transient(StoreError),
    /// Nothing was written, and trying again does not help. One append of several may be the cause.
    Final(AppendError),
    /// Whether it was written is not known yet.
    Doubtful(Box<Outcome>, Arc<sqlx::Error>),
    /// It befell all of them alike: the database is not to be had, or nobody knows what was written.
    All(StoreError),
}

impl From<StoreError> for GroupError {
    fn from(error: StoreError) -> Self {
        match &error {
            // Waiting for a connection took long enough, and would take as long for each append by itself.
            StoreError::Unavailable(inner) if matches!(**inner, sqlx::Error::PoolTimedOut) => {
                Self::All(error)
            }
            StoreError::Unavailable(_) => Self::Transient(error),
            StoreError::Closed => Self::All(error),
            _ => Self::Final(error.into()),
        }
    }
}

impl From<sqlx::Error> for GroupError {
    fn from(error: sqlx::Error) -> Self {
        if is_event_id_used(&error) {
            return Self::Final(InvalidAppend::EventIdUsed.into());
        }
        if is_key_answered(&error) {
            // By another host, in a transaction that moved no head: the next attempt sees it.
            return Self::Transient(StoreError::Unavailable(Arc::new(error)));
        }
        if is_subject_keyed(&error) {
            return Self::Final(AppendError::SubjectKeyed);
        }
        StoreError::from(error).into()
    }
}

fn is_key_answered(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(|error| error.is_unique_violation() && error.constraint() == Some("idempotency_key"))
}

fn is_event_id_used(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| {
        error.is_unique_violation()
            && (error.constraint() == Some("events_event_id") || error.message().contains("events.event_id"))
    })
}

fn is_subject_keyed(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| {
        error.is_unique_violation()
            && (error.constraint() == Some("subject_keys_live")
                || error.message().contains("subject_keys.subject"))
    })
}

impl GroupError {
    /// The same, after attempts that left it in doubt whether the appends were written.
    fn after(self, mut doubts: Vec<Doubt>) -> Self {
        match doubts.pop() {
            Some(doubt) => Self::All(StoreError::CommitUnknown(doubt.error)),
            None => self,
        }
    }
}

impl From<GroupError> for AppendError {
    fn from(error: GroupError) -> Self {
        match error {
            GroupError::Transient(error) | GroupError::All(error) => error.into(),
            GroupError::Doubtful(_, error) => StoreError::CommitUnknown(error).into(),
            GroupError::Final(error) => error,
        }
    }
}

/// Commits one group after the other.
pub struct Committer {
    database: Database,
    config: StoreConfig,
    memory: Memory,
    /// Kept from group to group: the pool asks after each connection that it gets back.
    connection: Option<Kept>,
}

struct Kept {
    connection: PoolConnection<Postgres>,
    used: Instant,
}

/// A group of which nobody knows whether it was written.
struct Doubt {
    outcome: Outcome,
    error: Arc<sqlx::Error>,
}

impl Committer {
    /// Remembers nothing yet.
    pub fn new(database: Database, config: StoreConfig) -> Self {
        Self { database, config, memory: Memory::default(), connection: None }
    }

    /// Commits the commands, trying again what is worth it.
    pub async fn commit(&mut self, commands: &[&Command]) -> Result<Outcome, GroupError> {
        let tenants: BTreeSet<&TenantId> = commands.iter().map(|command| &command.tenant).collect();
        let mut doubts = Vec::new();
        match self.at_once(commands, &tenants).await {
            AtOnce::Written(outcome) => return Ok(outcome),
            AtOnce::Not => {}
            AtOnce::Doubtful(doubt) => {
                tracing::warn!(error = %doubt.error, "append in doubt, looking for it");
                doubts.push(doubt);
            }
        }
        let mut attempt = 1;
        loop {
            let error = match self.attempt(commands, &tenants, &doubts).await {
                Ok(outcome) => return Ok(outcome),
                Err(error) => error,
            };
            self.memory.forget(tenants.iter().copied());
            match error {
                GroupError::Transient(error) if attempt < ATTEMPTS_MAX => {
                    tracing::warn!(attempt, %error, "append failed, trying again");
                }
                GroupError::Doubtful(outcome, error) if attempt < ATTEMPTS_MAX => {
                    tracing::warn!(attempt, %error, "append in doubt, looking for it");
                    doubts.push(Doubt { outcome: *outcome, error });
                }
                error => return Err(error.after(doubts)),
            }
            tokio::time::sleep(PAUSE_FIRST * 2_u32.pow(attempt - 1)).await;
            attempt += 1;
        }
    }

    /// One round trip, if all that has to be known is remembered or may be supposed.
    async fn at_once(&mut self, commands: &[&Command], tenants: &BTreeSet<&TenantId>) -> AtOnce {
        let Database::Postgres(pool) = &self.database else { return AtOnce::Not };
        let known = self.memory.known();
        let plain =
            |command: &&Command| command.append.new_keys.is_empty() && command.append.erased_keys.is_empty();
        if !commands.iter().all(plain) {
            return AtOnce::Not;
        }
        let Some(heads) = tenants
            .iter()
            .map(|tenant| known.tips.get(*tenant).map(|tip| (*tenant, *tip)))
            .collect::<Option<Vec<_>>>()
        else {
            return AtOnce::Not;
        };
        // After the heads were learnt, so that times follow positions as long as the hosts' clocks agree.
        let recorded_at = to_the_microsecond(self.config.clock.now());
        let outcome = match settle(commands, known, Unknown::Supposed, recorded_at) {
            Settled::Done(outcome) if !outcome.is_empty() => outcome,
            // Nothing to write: it is enough to look.
            Settled::Done(_) | Settled::Missing(_) => return AtOnce::Not,
        };
        let Some(mut kept) = kept(self.connection.take(), pool).await else { return AtOnce::Not };
        let (keys, at) = (keys(commands), recorded_at.as_microsecond());
        match call::append(&mut kept.connection, &heads, &keys, &outcome, at).await {
            Called::Written => {
                self.memory.moved(&outcome);
                self.connection = Some(Kept { used: Instant::now(), ..kept });
                AtOnce::Written(outcome)
            }
            Called::Refused => {
                self.memory.forget(tenants.iter().copied());
                self.connection = Some(Kept { used: Instant::now(), ..kept });
                AtOnce::Not
            }
            Called::Unknown(error) => {
                self.memory.forget(tenants.iter().copied());
                kept.connection.close_on_drop();
                AtOnce::Doubtful(Doubt { outcome, error: Arc::new(error) })
            }
        }
    }

    /// One transaction: locks the tenants' heads in order, then looks up, decides, writes and commits. What turns out to
    /// be there of what was in doubt is the outcome.
    async fn attempt(
        &mut self,
        commands: &[&Command],
        tenants: &BTreeSet<&TenantId>,
        doubts: &[Doubt],
    ) -> Result<Outcome, GroupError> {
        let (keys, streams) = (keys(commands), streams(commands));
        let mut unit = Unit::begin(&self.database, tenants).await?;
        let found = unit.look(tenants, &keys, &streams).await?;
        for doubt in doubts {
            if unit.is_there(&doubt.outcome).await? {
                unit.rollback().await?;
                return Ok(doubt.outcome.clone());
            }
        }
        let mut known = Known { tips: found.heads.into_iter().collect(), ..Known::default() };
        known.learn(streams, found.versions);
        for (tenant, key, given) in found.answers {
            known.answers.entry(tenant).or_default().insert(key, given);
        }
        // After the lock, so that times follow positions as long as the hosts' clocks agree.
        let recorded_at = to_the_microsecond(self.config.clock.now());
        // The streams that depend on serials, and then those of serials that changed.
        let passes_max = commands.len() + 2;
        for _ in 0..=passes_max {
            match settle(commands, &known, Unknown::Missing, recorded_at) {
                Settled::Missing(streams) => {
                    let found = unit.versions(&streams).await?;
                    known.learn(streams, found);
                }
                Settled::Done(outcome) if outcome.is_empty() => {
                    unit.rollback().await?;
                    // A head that was made was taken back with the rest.
                    known.tips.retain(|_, tip| tip.position.0 > 0);
                    known.versions.retain(|tenant, _| known.tips.contains_key(tenant));
                    self.memory.found(known);
                    return Ok(outcome);
                }
                Settled::Done(outcome) => {
                    unit.write(&outcome, recorded_at.as_microsecond()).await?;
                    return match unit.commit().await {
                        Ok(()) => {
                            self.memory.found(known);
                            self.memory.moved(&outcome);
                            Ok(outcome)
                        }
                        Err(CommitError::RolledBack(error)) => Err(error.into()),
                        Err(CommitError::Unknown(error)) => Err(self.unknown(outcome, error)),
                    };
                }
            }
        }
        Err(GroupError::Final(InvalidAppend::BuildUnstable.into()))
    }

    /// SQLite's log tells only once it is opened again; and keys of data subjects without an event leave no trace by
    /// which to know this transaction.
    fn unknown(&self, outcome: Outcome, error: sqlx::Error) -> GroupError {
        let error = Arc::new(error);
        let traceless =
            outcome.events.is_empty() && !(outcome.new_keys.is_empty() && outcome.erased_keys.is_empty());
        if matches!(self.database, Database::Sqlite { .. }) || traceless {
            return GroupError::All(StoreError::CommitUnknown(error));
        }
        GroupError::Doubtful(Box::new(outcome), error)
    }
}

/// What came of a group that was called.
enum AtOnce {
    Written(Outcome),
    /// Nothing was written.
    Not,
    Doubtful(Doubt),
}

/// A connection that is alive, or was a moment ago. `None` if there is none at hand.
async fn kept(kept: Option<Kept>, pool: &PgPool) -> Option<Kept> {
    let mut kept = match kept {
        Some(kept) if kept.used.elapsed() < FRESH => return Some(kept),
        Some(kept) => kept,
        None => Kept { connection: pool.try_acquire()?, used: Instant::now() },
    };
    match kept.connection.ping().await {
        Ok(()) => Some(kept),
        Err(error) => {
            tracing::debug!(%error, "a connection broke while nobody used it");
            kept.connection.close_on_drop();
            None
        }
    }
}

/// Every key once, with its tenant.
fn keys<'a>(commands: &[&'a Command]) -> Vec<(&'a str, &'a str)> {
    let key = |command: &&'a Command| {
        let idempotency = command.append.idempotency.as_ref()?;
        Some((command.tenant.as_str(), idempotency.key.as_str()))
    };
    commands.iter().filter_map(key).collect::<BTreeSet<_>>().into_iter().collect()
}

/// As it will be read back.
fn to_the_microsecond(time: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(time.as_microsecond()).unwrap_or(time)
}
