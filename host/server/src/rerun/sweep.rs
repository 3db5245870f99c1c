//! Every event of some types of a tenant: page by page, the next page on its way while the present one is worked on, by
//! several workers who take ranges of positions in turn. What is sealed in an event is opened as its page is read.
//!
//! Memory stays flat, whatever the history's length. Work is done in slices of time, each with a permit that workers
//! share with others, so that a module which takes long for each document holds nobody else up for longer than a slice.

use std::collections::VecDeque;
use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use niyam_domain::{Position, TenantId};
use niyam_store::{Recorded, StoreError};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;

use crate::personal::opening::Unopened;
use crate::personal::{Opened, Opener, OpeningError};

/// Positions that a worker takes at once: no more events than one page holds.
const RANGE_POSITIONS: u32 = 512;
/// How long a worker goes on before others get their turn.
const SLICE: Duration = Duration::from_millis(100);
/// Batches of findings that may wait for being taken.
const FOUND_WAITING: usize = 8;

/// What is gone through.
pub(crate) struct Sweep {
    pub(crate) opener: Opener,
    pub(crate) tenant: TenantId,
    /// As stored.
    pub(crate) event_types: Vec<String>,
    /// Only events after this position.
    pub(crate) after: Position,
    /// And up to this one.
    pub(crate) up_to: Position,
}

/// How far it is, and whether it should stop.
#[derive(Debug, Default)]
pub(crate) struct SweepProgress {
    done: AtomicU64,
    stop: AtomicBool,
}

impl SweepProgress {
    /// Positions that were gone through.
    pub(crate) fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// Tells how many there are by now.
    pub(crate) fn tell(&self, done: u64) {
        self.done.store(done, Ordering::Relaxed);
    }

    /// Ends it before the next event.
    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Whether it ended before all was done.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// What is done with each event. One for each worker.
pub(crate) trait Work: Send + 'static {
    /// What is worth telling at once.
    type Found: Send + 'static;

    /// Takes one event, which has placeholders where personal data were erased.
    ///
    /// # Errors
    /// When the store fails: nothing more can be done.
    fn take(&mut self, event: &Opened, found: &mut Vec<Self::Found>) -> Result<(), StoreError>;

    /// Hears of an event that cannot be opened.
    fn miss(&mut self, event: &Recorded, reason: String, found: &mut Vec<Self::Found>);

    /// Whether nothing more is to be learnt.
    fn is_over(&self) -> bool {
        false
    }
}

/// What the workers of a sweep tell, and then they themselves.
pub(crate) struct Telling<W: Work> {
    /// In batches; ends with the sweep, and has to be taken for it to go on.
    pub(crate) found: mpsc::Receiver<Vec<W::Found>>,
    sweeping: JoinHandle<Result<Vec<W>, OpeningError>>,
}

impl<W: Work> Telling<W> {
    /// The workers, once all is done or stopped.
    ///
    /// # Errors
    /// When the store failed, or the keys of personal data do not open.
    pub(crate) async fn workers(self) -> Result<Vec<W>, OpeningError> {
        joined(self.sweeping.await)?
    }
}

impl Sweep {
    /// Positions that it goes through.
    pub(crate) fn length(&self) -> u64 {
        self.up_to.0.saturating_sub(self.after.0)
    }

    /// Begins: with these workers, each slice under a permit of `turns`.
    pub(crate) fn start<W: Work>(
        self,
        workers: Vec<W>,
        turns: &Arc<Semaphore>,
        progress: &Arc<SweepProgress>,
    ) -> Telling<W> {
        let (told, found) = mpsc::channel(FOUND_WAITING);
        let sweep = Arc::new(self);
        let next = Arc::new(AtomicU64::new(sweep.after.0));
        let (turns, progress) = (Arc::clone(turns), Arc::clone(progress));
        let sweeping = tokio::spawn(async move {
            let working = workers.into_iter().map(|work| {
                let worker = Worker {
                    sweep: Arc::clone(&sweep),
                    next: Arc::clone(&next),
                    turns: Arc::clone(&turns),
                    progress: Arc::clone(&progress),
                    told: told.clone(),
                };
                tokio::spawn(worker.run(work))
            });
            // All begin before the first is waited for.
            let working: Vec<_> = working.collect();
            drop(told);
            let mut done = Vec::with_capacity(working.len());
            let mut failed = None;
            for worker in working {
                match joined(worker.await).flatten() {
                    Ok(work) => done.push(work),
                    Err(error) => failed = Some(error),
                }
            }
            failed.map_or(Ok(done), Err)
        });
        Telling { found, sweeping }
    }
}

/// A page that is on its way.
type Reading = JoinHandle<Result<Page, OpeningError>>;
/// Events, and how many positions they stand for.
type Page = (Vec<Result<Opened, Box<Unopened>>>, u64);

struct Worker<F> {
    sweep: Arc<Sweep>,
    /// Where the next range begins.
    next: Arc<AtomicU64>,
    turns: Arc<Semaphore>,
    progress: Arc<SweepProgress>,
    told: mpsc::Sender<Vec<F>>,
}

impl<F: Send + 'static> Worker<F> {
    async fn run<W: Work<Found = F>>(self, work: W) -> Result<W, OpeningError> {
        let progress = Arc::clone(&self.progress);
        let done = self.work_through(work).await;
        if done.is_err() {
            progress.stop();
        }
        done
    }

    async fn work_through<W: Work<Found = F>>(self, mut work: W) -> Result<W, OpeningError> {
        let mut reading = self.read_next();
        while let Some(read) = reading.take() {
            let (page, positions) = joined(read.await)??;
            reading = self.read_next();
            let mut page = VecDeque::from(page);
            while !page.is_empty() && !self.progress.is_stopped() {
                let mut found = Vec::new();
                // The semaphore is never closed.
                let Ok(turn) = Arc::clone(&self.turns).acquire_owned().await else { break };
                let progress = Arc::clone(&self.progress);
                let worked = tokio::task::spawn_blocking(move || {
                    let began = Instant::now();
                    let mut done = Ok(());
                    if work.is_over() {
                        progress.stop();
                    }
                    while began.elapsed() < SLICE && done.is_ok() && !progress.is_stopped() {
                        let Some(event) = page.pop_front() else { break };
                        match event {
                            Ok(event) => done = work.take(&event, &mut found),
                            Err(unopened) => {
                                let Unopened { event, error } = *unopened;
                                work.miss(&event, error.to_string(), &mut found);
                            }
                        }
                    }
                    drop(turn);
                    (work, page, found, done)
                });
                let done;
                (work, page, found, done) = joined(worked.await)?;
                done?;
                if !found.is_empty() && self.told.send(found).await.is_err() {
                    self.progress.stop();
                }
            }
            if self.progress.is_stopped() {
                break;
            }
            self.progress.done.fetch_add(positions, Ordering::Relaxed);
        }
        Ok(work)
    }

    /// The events of the next range, on their way, and how many positions it has; `None` at the end.
    fn read_next(&self) -> Option<Reading> {
        let begins = self.next.fetch_add(u64::from(RANGE_POSITIONS), Ordering::Relaxed);
        let ends = begins.saturating_add(u64::from(RANGE_POSITIONS)).min(self.sweep.up_to.0);
        if begins >= ends || self.progress.is_stopped() {
            return None;
        }
        let sweep = Arc::clone(&self.sweep);
        Some(tokio::spawn(async move {
            let range = (Position(begins), Position(ends));
            let Sweep { opener, tenant, event_types, .. } = &*sweep;
            let page = opener.books().of_types(tenant, event_types, range, RANGE_POSITIONS).await?;
            Ok((opener.opening(tenant).each(page).await?, ends - begins))
        }))
    }
}

/// What a task gave. A panic in it goes on here; one that ended with the process had its store closed.
fn joined<T>(done: Result<T, tokio::task::JoinError>) -> Result<T, OpeningError> {
    done.map_err(|error| match error.try_into_panic() {
        Ok(reason) => panic::resume_unwind(reason),
        Err(_) => StoreError::Closed.into(),
    })
}
