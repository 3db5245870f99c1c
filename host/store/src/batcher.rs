//! Gathers waiting appends into one transaction, and answers each after the commit.
//!
//! What queued while the last transaction ran forms the next one, with those that it answered and that come back at
//! once, so a quiet store answers at once and a busy one shares its commits. A lane has one transaction under way at a time; a tenant keeps its lane. It must not decide
//! what becomes of an append: `group` does.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use niyam_domain::{Position, TenantId};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use crate::append::{Append, AppendError, Appended, InvalidAppend};
use crate::config::StoreConfig;
use crate::database::Database;
use crate::error::StoreError;
use crate::group::{Command, Given, Known, Outcome, Settled, settle, streams};
use crate::sql::read;
use crate::sql::unit::{CommitError, Unit};

/// How often a transaction is tried before its appends fail.
const ATTEMPTS_MAX: u32 = 6;
/// Pause before the second attempt; doubles with each.
const PAUSE_FIRST: Duration = Duration::from_millis(10);

type Answer = Result<Appended, AppendError>;

/// An append that waits, and who waits for it.
pub struct Waiting {
    command: Command,
    answer: oneshot::Sender<Answer>,
}

impl Waiting {
    /// An append, and where its answer will arrive. The append goes on when nobody waits any more.
    pub fn new(tenant: TenantId, append: Append) -> (Self, oneshot::Receiver<Answer>) {
        let (answer, receiver) = oneshot::channel();
        (Self { command: Command { tenant, append }, answer }, receiver)
    }

    fn answer(self, answer: Answer) {
        // The caller may have gone away; the append counts all the same.
        let _ = self.answer.send(answer);
    }
}

/// How far each tenant's history is known to go, for those who wait for more.
pub struct Tail {
    appends: watch::Sender<u64>,
    known: Mutex<TailKnown>,
}

#[derive(Default)]
struct TailKnown {
    positions: HashMap<TenantId, Position>,
    /// What other hosts were not told yet.
    unsent: BTreeSet<TenantId>,
}

impl Tail {
    /// Knows nothing yet.
    pub fn new() -> Self {
        Self { appends: watch::Sender::new(0), known: Mutex::default() }
    }

    /// Wakes whenever a process is known to have appended.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.appends.subscribe()
    }

    /// Where the tenant's history is known to go.
    pub fn position(&self, tenant: &TenantId) -> Option<Position> {
        self.known().positions.get(tenant).copied()
    }

    /// Where every history is known to go.
    pub fn positions(&self) -> Vec<(TenantId, Position)> {
        self.known().positions.iter().map(|(tenant, position)| (tenant.clone(), *position)).collect()
    }

    /// What this process appended since this was last asked.
    pub fn take_unsent(&self) -> Vec<(TenantId, Position)> {
        let mut known = self.known();
        let unsent = std::mem::take(&mut known.unsent);
        unsent
            .into_iter()
            .filter_map(|tenant| {
                known.positions.get_key_value(&tenant).map(|(tenant, position)| (tenant.clone(), *position))
            })
            .collect()
    }

    /// Another host, or this one, says how far it appended.
    pub fn heard(&self, tips: impl Iterator<Item = (TenantId, Position)>) {
        let mut news = false;
        let mut known = self.known();
        for (tenant, position) in tips {
            let at = known.positions.entry(tenant).or_default();
            news |= *at < position;
            *at = position.max(*at);
        }
        drop(known);
        if news {
            self.appends.send_modify(|appends| *appends += 1);
        }
    }

    fn moved(&self, outcome: &Outcome) {
        if outcome.events.is_empty() {
            return;
        }
        let mut known = self.known();
        for (tenant, tip) in &outcome.tips {
            let at = known.positions.entry(tenant.clone()).or_default();
            *at = tip.position.max(*at);
            known.unsent.insert(tenant.clone());
        }
        drop(known);
        self.appends.send_modify(|appends| *appends += 1);
    }

    fn known(&self) -> MutexGuard<'_, TailKnown> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One transaction at a time, for the tenants that belong to it.
pub struct Lane {
    database: Database,
    config: StoreConfig,
    tail: Arc<Tail>,
    queue: mpsc::Receiver<Waiting>,
    closing: watch::Receiver<bool>,
    /// Whether this lane purges old idempotency keys, and when it last did.
    purge: Option<Timestamp>,
}

/// The group before.
#[derive(Default)]
struct Last {
    commands: usize,
    time: Duration,
}

/// Why a whole transaction failed.
enum GroupError {
    /// Nothing was written, and trying again may help.
    Transient(StoreError),
    /// Nothing was written, and trying again does not help. One append of several may be the cause.
    Final(AppendError),
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

impl Lane {
    /// A lane that is not running yet. `purges`: whether it forgets old answers in between.
    pub fn new(
        database: Database,
        config: StoreConfig,
        tail: Arc<Tail>,
        queue: mpsc::Receiver<Waiting>,
        closing: watch::Receiver<bool>,
        purges: bool,
    ) -> Self {
        let purge = purges.then_some(Timestamp::UNIX_EPOCH);
        Self { database, config, tail, queue, closing, purge }
    }

    /// Appends until the store is closed or gone, and all that waited is answered.
    pub async fn run(mut self) {
        let mut waiting = Vec::with_capacity(self.config.group_commands_max);
        let mut open = true;
        let mut last = Last::default();
        loop {
            let taken = tokio::select! {
                biased;
                _ = self.closing.wait_for(|closing| *closing), if open => {
                    open = false;
                    self.queue.close();
                    continue;
                }
                taken = self.queue.recv_many(&mut waiting, self.config.group_commands_max.max(1)) => taken,
            };
            if taken == 0 {
                return;
            }
            if open {
                self.gather(&mut waiting, &last).await;
            }
            let began = Instant::now();
            let commands = waiting.len();
            self.answer_all(std::mem::take(&mut waiting)).await;
            last = Last { commands, time: began.elapsed() };
            self.purge_sometimes().await;
        }
    }

    /// Waits a little for as many appends as the last group had: those that were just answered often ask again at once,
    /// and would miss a group that left with the first of them.
    async fn gather(&mut self, waiting: &mut Vec<Waiting>, last: &Last) {
        let expected = last.commands.min(self.config.group_commands_max);
        if waiting.len() >= expected {
            return;
        }
        let gathering = async {
            while waiting.len() < expected {
                if self.queue.recv_many(waiting, expected - waiting.len()).await == 0 {
                    return;
                }
            }
        };
        // Too late is as good as complete.
        let _ = tokio::time::timeout(self.config.gather.min(last.time), gathering).await;
    }

    /// Commits what can be, and answers everyone.
    async fn answer_all(&self, waiting: Vec<Waiting>) {
        let commands: Vec<&Command> = waiting.iter().map(|waiting| &waiting.command).collect();
        match self.commit(&commands).await {
            Ok(answers) => {
                for (waiting, answer) in waiting.into_iter().zip(answers) {
                    waiting.answer(answer);
                }
            }
            // One of them is the cause; the others must not suffer for it.
            Err(GroupError::Final(_)) if waiting.len() > 1 => {
                for waiting in waiting {
                    let answer = match self.commit(&[&waiting.command]).await {
                        Ok(mut answers) => answers.pop().unwrap_or(Err(StoreError::Closed.into())),
                        Err(error) => Err(error.into()),
                    };
                    waiting.answer(answer);
                }
            }
            Err(error) => {
                let error = AppendError::from(error);
                for waiting in waiting {
                    waiting.answer(Err(error.clone()));
                }
            }
        }
    }

    /// Commits the commands, trying again what is worth it.
    async fn commit(&self, commands: &[&Command]) -> Result<Vec<Answer>, GroupError> {
        let mut attempt = 1;
        loop {
            match self.attempt(commands).await {
                Err(GroupError::Transient(error)) if attempt < ATTEMPTS_MAX => {
                    tracing::warn!(attempt, %error, "append failed, trying again");
                    tokio::time::sleep(PAUSE_FIRST * 2_u32.pow(attempt - 1)).await;
                    attempt += 1;
                }
                outcome => {
                    let outcome = outcome?;
                    self.tail.moved(&outcome);
                    return Ok(outcome.results);
                }
            }
        }
    }

    /// One transaction: locks the tenants' heads in order, then looks up, decides, writes and commits.
    async fn attempt(&self, commands: &[&Command]) -> Result<Outcome, GroupError> {
        let tenants: BTreeSet<&TenantId> = commands.iter().map(|command| &command.tenant).collect();
        let keys: BTreeSet<(&str, &str)> = commands.iter().filter_map(|command| key(command)).collect();
        let streams = streams(commands);
        let mut unit = Unit::begin(&self.database, &tenants).await?;
        let found = unit.look(&tenants, &keys.into_iter().collect::<Vec<_>>(), &streams).await?;
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
            match settle(commands, &known, recorded_at) {
                Settled::Missing(streams) => {
                    let found = unit.versions(&streams).await?;
                    known.learn(streams, found);
                }
                Settled::Done(outcome) if outcome.is_empty() => {
                    unit.rollback().await?;
                    return Ok(outcome);
                }
                Settled::Done(outcome) => {
                    unit.write(&outcome, recorded_at.as_microsecond()).await?;
                    return match unit.commit().await {
                        Ok(()) => Ok(outcome),
                        Err(CommitError::RolledBack(error)) => Err(error.into()),
                        Err(CommitError::Unknown(error)) => {
                            Err(GroupError::All(StoreError::CommitUnknown(Arc::new(error))))
                        }
                    };
                }
            }
        }
        Err(GroupError::Final(InvalidAppend::BuildUnstable.into()))
    }

    async fn purge_sometimes(&mut self) {
        let Some(last) = self.purge else { return };
        let now = self.config.clock.now();
        let due = now.duration_since(last).unsigned_abs() >= self.config.purge_every;
        let Ok(kept) = jiff::SignedDuration::try_from(self.config.idempotency_kept) else { return };
        let Ok(created_before) = now.checked_sub(kept) else { return };
        if !due {
            return;
        }
        self.purge = Some(now);
        match read::purge_answers(&self.database, created_before.as_microsecond()).await {
            Ok(0) => {}
            Ok(purged) => tracing::debug!(purged, "old idempotency keys purged"),
            Err(error) => tracing::warn!(%error, "old idempotency keys not purged"),
        }
    }
}

impl From<GroupError> for AppendError {
    fn from(error: GroupError) -> Self {
        match error {
            GroupError::Transient(error) | GroupError::All(error) => error.into(),
            GroupError::Final(error) => error,
        }
    }
}

fn key(command: &Command) -> Option<(&str, &str)> {
    let idempotency = command.append.idempotency.as_ref()?;
    Some((command.tenant.as_str(), idempotency.key.as_str()))
}

/// As it will be read back.
fn to_the_microsecond(time: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(time.as_microsecond()).unwrap_or(time)
}

/// The answer that was given for a request, if any.
pub async fn answered(
    database: &Database,
    tenant: &TenantId,
    idempotency: &crate::append::Idempotency,
) -> Result<Option<Appended>, AppendError> {
    let given: Option<Given> = read::answer(database, tenant, &idempotency.key).await?;
    given.map(|given| given.replay(idempotency)).transpose()
}
