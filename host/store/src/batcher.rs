//! Gathers waiting appends into one transaction, and answers each after the commit.
//!
//! What queued while the last transaction ran forms the next one, with those that it answered and that come back at
//! once, so a quiet store answers at once and a busy one shares its commits. A lane has one transaction under way at a
//! time; a tenant keeps its lane. It must not decide what becomes of an append: `group` does, and `commit` writes it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use niyam_domain::TenantId;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use crate::append::{Append, AppendError, Appended};
use crate::commit::{Committer, GroupError};
use crate::config::StoreConfig;
use crate::database::Database;
use crate::error::StoreError;
use crate::group::{Command, Given};
use crate::sql::read;
use crate::tail::Tail;

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

/// One transaction at a time, for the tenants that belong to it.
pub struct Lane {
    database: Database,
    config: StoreConfig,
    committer: Committer,
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
        let committer = Committer::new(database.clone(), config.clone());
        Self { database, config, committer, tail, queue, closing, purge }
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
    async fn answer_all(&mut self, waiting: Vec<Waiting>) {
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

    async fn commit(&mut self, commands: &[&Command]) -> Result<Vec<Answer>, GroupError> {
        let outcome = self.committer.commit(commands).await?;
        self.tail.moved(&outcome);
        Ok(outcome.results)
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

/// The answer that was given for a request, if any.
pub async fn answered(
    database: &Database,
    tenant: &TenantId,
    idempotency: &crate::append::Idempotency,
) -> Result<Option<Appended>, AppendError> {
    let given: Option<Given> = read::answer(database, tenant, &idempotency.key).await?;
    given.map(|given| given.replay(idempotency)).transpose()
}
