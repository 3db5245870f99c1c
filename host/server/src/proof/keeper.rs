//! Makes a checkpoint a day of every tenant whose history moved.
//!
//! What is due follows from the last checkpoint and the clock, not from how long this process runs: a server that was
//! down for a week makes up for it when it starts.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use niyam_domain::{Position, TenantId};
use niyam_store::{Clock, EventStore, Head};
use tokio::sync::watch;

use super::maker::{Checkpoints, Made, MakeError};

/// A history that moved gets a checkpoint when its last one is this old.
const EVERY: SignedDuration = SignedDuration::from_hours(24);
/// How soon a history that broke is looked at again, and anything else that failed.
const AGAIN_BROKEN: SignedDuration = SignedDuration::from_hours(1);
const AGAIN_FAILED: SignedDuration = SignedDuration::from_mins(1);
/// How often new tenants, and the clock, are looked at.
const LOOK: Duration = Duration::from_mins(1);

/// What the keeper found; clones share it.
#[derive(Clone, Default)]
pub(crate) struct Proofs {
    broken: Arc<RwLock<BTreeMap<TenantId, Position>>>,
    failing: Arc<RwLock<BTreeSet<Option<TenantId>>>>,
}

impl Proofs {
    /// Tenants whose history does not verify.
    pub(crate) fn broken(&self) -> Vec<TenantId> {
        self.broken.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    /// Whether a checkpoint that is due could not be made for another reason.
    pub(crate) fn is_failing(&self) -> bool {
        !self.failing.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    fn set_broken(&self, tenant: &TenantId, position: Option<Position>) {
        let mut broken = self.broken.write().unwrap_or_else(PoisonError::into_inner);
        match position {
            Some(position) => broken.insert(tenant.clone(), position),
            None => broken.remove(tenant),
        };
    }

    fn set_failing(&self, tenant: Option<&TenantId>, failing: bool) {
        let mut all = self.failing.write().unwrap_or_else(PoisonError::into_inner);
        if failing {
            all.insert(tenant.cloned());
        } else {
            all.remove(&tenant.cloned());
        }
    }
}

/// What is known of a tenant's checkpoints.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    position: Position,
    /// Of the last one.
    at: Option<Timestamp>,
    /// Not before, after a failure.
    again: Option<Timestamp>,
}

impl Known {
    /// From when on a history that moved gets its next checkpoint; `None` is at once.
    fn due(&self) -> Option<Timestamp> {
        let daily = self.at.and_then(|at| at.checked_add(EVERY).ok());
        daily.max(self.again)
    }
}

/// Makes checkpoints while the server runs.
pub(crate) struct Keeper {
    store: EventStore,
    checkpoints: Arc<Checkpoints>,
    clock: Arc<dyn Clock>,
    proofs: Proofs,
    known: HashMap<TenantId, Known>,
}

impl Keeper {
    pub(crate) fn new(store: EventStore, checkpoints: Arc<Checkpoints>, clock: Arc<dyn Clock>) -> Self {
        Self { store, checkpoints, clock, proofs: Proofs::default(), known: HashMap::new() }
    }

    pub(crate) fn proofs(&self) -> Proofs {
        self.proofs.clone()
    }

    /// Runs until `stop` says so.
    pub(crate) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            let pause = tokio::select! {
                // What is half verified is verified again later.
                _ = stop.changed() => return,
                pause = self.round() => pause,
            };
            tokio::select! {
                _ = stop.changed() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Makes the checkpoints that are due; how long nothing will be.
    async fn round(&mut self) -> Duration {
        let heads = match self.store.heads().await {
            Ok(heads) => heads,
            Err(error) => {
                tracing::error!(%error, "failed to look for histories to make checkpoints of");
                self.proofs.set_failing(None, true);
                return LOOK;
            }
        };
        self.proofs.set_failing(None, false);
        let mut pause = LOOK;
        for head in heads {
            let now = self.clock.now();
            let known = match self.known(&head.tenant) {
                Ok(known) => known,
                Err(error) => {
                    self.failed(&head.tenant, &error.into(), now);
                    continue;
                }
            };
            let wait = known.due().map_or(SignedDuration::ZERO, |due| due.duration_since(now));
            if known.position == head.last_position && known.again.is_none() {
                continue;
            }
            match Duration::try_from(wait) {
                Ok(wait) if !wait.is_zero() => pause = pause.min(wait),
                // Due now, or since.
                _ => self.make(&head, now).await,
            }
        }
        pause
    }

    fn known(&mut self, tenant: &TenantId) -> io::Result<Known> {
        if let Some(known) = self.known.get(tenant) {
            return Ok(*known);
        }
        let last = self.checkpoints.last(tenant)?;
        let known = last.map_or_else(Known::default, |last| Known {
            position: last.position,
            at: Some(last.at),
            again: None,
        });
        self.known.insert(tenant.clone(), known);
        Ok(known)
    }

    async fn make(&mut self, head: &Head, now: Timestamp) {
        let tenant = &head.tenant;
        let made = match self.checkpoints.make(self.store.database(), tenant, now).await {
            Ok(Made::Signed(checkpoint)) => {
                tracing::info!(tenant.id = %tenant, position = checkpoint.position.0, "checkpoint made");
                Some(checkpoint)
            }
            Ok(Made::Unchanged(last)) => last,
            Err(error) => return self.failed(tenant, &error, now),
        };
        self.proofs.set_broken(tenant, None);
        self.proofs.set_failing(Some(tenant), false);
        let known = made.map_or_else(Known::default, |checkpoint| Known {
            position: checkpoint.position,
            at: Some(checkpoint.at),
            again: None,
        });
        self.known.insert(tenant.clone(), known);
    }

    fn failed(&mut self, tenant: &TenantId, error: &MakeError, now: Timestamp) {
        let again = if let MakeError::Broken(broken) = error {
            tracing::error!(tenant.id = %tenant, position = broken.position.0, kind = broken.fault.kind(),
                "a history is broken, and gets no checkpoint");
            self.proofs.set_broken(tenant, Some(broken.position));
            AGAIN_BROKEN
        } else {
            tracing::error!(tenant.id = %tenant, %error, "failed to make a checkpoint");
            self.proofs.set_failing(Some(tenant), true);
            AGAIN_FAILED
        };
        self.known.entry(tenant.clone()).or_default().again = now.checked_add(again).ok();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};
    use std::sync::{Arc, LazyLock};
    use std::time::Duration;

    use jiff::Timestamp;
    use niyam_domain::{Position, TenantId, Version};
    use niyam_store::{
        Append, Batch, Clock, Database, DatabaseUrl, EventStore, NewEvent, StoreConfig, StreamWrite,
    };
    use tempfile::TempDir;

    use super::{Checkpoints, Keeper, LOOK};

    static ACME: LazyLock<TenantId> = LazyLock::new(|| "acme".parse().unwrap());
    /// A day, in microseconds.
    const DAY: i64 = 24 * 3600 * 1_000_000;
    const HOUR: i64 = DAY / 24;

    struct TestClock(AtomicI64);

    impl Clock for TestClock {
        fn now(&self) -> Timestamp {
            Timestamp::from_microsecond(self.0.load(Ordering::Relaxed)).unwrap()
        }
    }

    struct Test {
        folder: TempDir,
        clock: Arc<TestClock>,
        store: EventStore,
        keeper: Keeper,
    }

    impl Test {
        async fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let clock = Arc::new(TestClock(AtomicI64::new(1_780_000_000_000_000)));
            let database = DatabaseUrl::Sqlite(folder.path().join("niyam.db"));
            let store =
                EventStore::open(StoreConfig::new(database, Arc::<TestClock>::clone(&clock))).await.unwrap();
            let keeper = Self::keeper(&folder, &store, &clock);
            Self { folder, clock, store, keeper }
        }

        fn keeper(folder: &TempDir, store: &EventStore, clock: &Arc<TestClock>) -> Keeper {
            let checkpoints = Arc::new(Checkpoints::open(folder.path()).unwrap());
            Keeper::new(store.clone(), checkpoints, Arc::<TestClock>::clone(clock))
        }

        fn restart(&mut self) {
            self.keeper = Self::keeper(&self.folder, &self.store, &self.clock);
        }

        fn pass(&self, microseconds: i64) {
            self.clock.0.fetch_add(microseconds, Ordering::Relaxed);
        }

        async fn append(&self, expected: u64) {
            let event = NewEvent {
                id: uuid::Uuid::from_u128(u128::from(expected) + 1),
                event_type: "test.happened.v1".to_owned(),
                payload: b"{}".to_vec(),
                metadata: b"{}".to_vec(),
                effective_date: jiff::civil::date(2026, 7, 1),
            };
            let stream = "test/1".parse().unwrap();
            let write = StreamWrite { stream, expected: Version(expected), events: vec![event] };
            let batch = Batch { writes: vec![write], answer: Vec::new() };
            self.store.append(&ACME, Append::of(batch)).await.unwrap();
        }

        /// Number and position of the last checkpoint.
        fn last(&self) -> Option<(u64, u64)> {
            let last = Checkpoints::open(self.folder.path()).unwrap().last(&ACME).unwrap();
            last.map(|last| (last.number, last.position.0))
        }

        async fn tamper(&self, sql: &'static str) {
            let Database::Sqlite { writer, .. } = self.store.database() else { panic!("SQLite") };
            assert_eq!(sqlx::query(sql).execute(writer).await.unwrap().rows_affected(), 1);
        }
    }

    #[tokio::test]
    async fn a_history_that_moved_gets_a_checkpoint_when_the_last_is_a_day_old() {
        let mut test = Test::new().await;
        assert_eq!(test.keeper.round().await, LOOK);
        assert_eq!(test.last(), None, "there is no history yet");
        test.append(0).await;
        test.keeper.round().await;
        assert_eq!(test.last(), Some((1, 1)), "the first is made at once");
        test.append(1).await;
        test.pass(DAY - 1_000_000);
        assert_eq!(test.keeper.round().await, Duration::from_secs(1), "it knows when the next is due");
        assert_eq!(test.last(), Some((1, 1)));
        test.pass(999_999);
        assert_eq!(test.keeper.round().await, Duration::from_micros(1));
        assert_eq!(test.last(), Some((1, 1)));
        test.pass(1);
        test.keeper.round().await;
        assert_eq!(test.last(), Some((2, 2)), "a day to the microsecond");
        test.pass(3 * DAY);
        assert_eq!(test.keeper.round().await, LOOK);
        assert_eq!(test.last(), Some((2, 2)), "it has not moved");
        test.append(2).await;
        test.keeper.round().await;
        assert_eq!(test.last(), Some((3, 3)), "it moved, and the last is old");
    }

    #[tokio::test]
    async fn a_restart_neither_forgets_nor_repeats() {
        let mut test = Test::new().await;
        test.append(0).await;
        test.keeper.round().await;
        test.append(1).await;
        test.restart();
        test.pass(DAY / 2);
        test.keeper.round().await;
        assert_eq!(test.last(), Some((1, 1)));
        test.restart();
        test.pass(7 * DAY);
        test.keeper.round().await;
        assert_eq!(test.last(), Some((2, 2)), "it was due while nothing ran");
    }

    #[tokio::test]
    async fn a_broken_history_is_not_signed_and_is_named_until_it_is_whole_again() {
        let mut test = Test::new().await;
        test.append(0).await;
        test.keeper.round().await;
        test.append(1).await;
        test.pass(DAY);
        test.tamper("update events set payload = x'5b5d' where position = 2").await;
        test.keeper.round().await;
        assert_eq!(test.last(), Some((1, 1)));
        assert_eq!(test.keeper.proofs().broken(), std::slice::from_ref(&*ACME));
        assert!(!test.keeper.proofs().is_failing());
        test.tamper("update events set payload = x'7b7d' where position = 2").await;
        test.pass(HOUR - 1);
        test.keeper.round().await;
        assert_eq!(test.keeper.proofs().broken(), std::slice::from_ref(&*ACME), "not looked at again yet");
        test.pass(1);
        test.keeper.round().await;
        assert_eq!(test.keeper.proofs().broken(), []);
        assert_eq!(test.last(), Some((2, 2)));
    }

    #[tokio::test]
    async fn an_end_that_was_cut_off_since_the_last_checkpoint_is_named() {
        let mut test = Test::new().await;
        test.append(0).await;
        test.append(1).await;
        test.keeper.round().await;
        assert_eq!(test.last(), Some((1, 2)));
        let head = test.store.read(&ACME, Position(0), 1).await.unwrap().remove(0).hash;
        test.tamper("delete from events where position = 2").await;
        let Database::Sqlite { writer, .. } = test.store.database() else { panic!("SQLite") };
        let back = sqlx::query("update tenant_heads set last_position = 1, head_hash = $1");
        back.bind(head.as_slice()).execute(writer).await.unwrap();
        test.pass(DAY);
        test.keeper.round().await;
        assert_eq!(test.keeper.proofs().broken(), std::slice::from_ref(&*ACME));
    }

    #[tokio::test]
    async fn a_sheet_that_cannot_be_written_is_a_failure_and_no_break() {
        let mut test = Test::new().await;
        test.append(0).await;
        std::fs::write(test.folder.path().join("checkpoints"), "in the way").unwrap();
        test.keeper.round().await;
        assert!(test.keeper.proofs().is_failing());
        assert_eq!(test.keeper.proofs().broken(), []);
        std::fs::remove_file(test.folder.path().join("checkpoints")).unwrap();
        test.pass(HOUR);
        test.keeper.round().await;
        assert!(!test.keeper.proofs().is_failing());
        assert_eq!(test.last(), Some((1, 1)));
    }
}
