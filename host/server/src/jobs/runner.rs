//! Takes jobs in turn, a few at a time, and works on them beside the requests, with less than half of what those have.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use niyam_modules::{CALLS_MAX, ModuleHost};
use niyam_store::Database;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::commands::books::Desk;
use crate::jobs::job::{Ask, Asked};
use crate::jobs::{table, work};
use crate::personal::Opener;
use crate::rerun::components::Components;

/// Jobs that a host works on at one time.
const JOBS_AT_ONCE: usize = 2;
/// Most module calls of all jobs of a host at one time: half of what its cores can do, and below what is left of the
/// pool beside the calls of requests.
const CALLS_AT_ONCE_MAX: usize = CALLS_MAX as usize / 4;
/// How often a host looks for jobs that another one took in, or left behind.
const LOOK: Duration = Duration::from_secs(2);
/// How long a job stays a host's that is not heard of again.
pub(super) const LEASE: Duration = Duration::from_secs(10);

/// The jobs of this process.
pub(crate) struct Jobs {
    pub(super) database: Database,
    pub(super) opener: Opener,
    modules: Arc<ModuleHost>,
    pub(super) desk: Desk,
    pub(super) host: Uuid,
    /// Module calls of all jobs together.
    pub(super) turns: Arc<Semaphore>,
    pub(super) workers: usize,
    wake: Notify,
}

impl Jobs {
    /// Jobs in the database of `opener`, worked on as `host` with the components of `modules`; those of the books at `desk`.
    pub(crate) fn new(opener: Opener, modules: Arc<ModuleHost>, desk: Desk, host: Uuid) -> Self {
        let database = opener.books().database().clone();
        let workers = (cores() / 2).clamp(1, CALLS_AT_ONCE_MAX);
        Self {
            database,
            opener,
            modules,
            desk,
            host,
            turns: Arc::new(Semaphore::new(workers)),
            workers,
            wake: Notify::new(),
        }
    }

    /// Takes a job in.
    pub(crate) async fn ask(&self, ask: &Ask) -> Result<Asked, sqlx::Error> {
        let asked = table::ask(&self.database, ask).await?;
        self.wake.notify_one();
        Ok(asked)
    }

    /// What is recorded.
    pub(crate) const fn opener(&self) -> &Opener {
        &self.opener
    }

    /// A turn among the module calls of jobs; held while it lasts.
    pub(crate) async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        // The semaphore is never closed.
        Arc::clone(&self.turns).acquire_owned().await.ok()
    }

    /// The components of the store, for one piece of work.
    pub(crate) fn components(&self) -> Arc<Components> {
        Arc::new(Components::new(self.opener.books().clone(), Arc::clone(&self.modules)))
    }

    /// The moment, microseconds.
    pub(super) fn now(&self) -> i64 {
        self.desk.clock.now().as_microsecond()
    }

    /// Until when a lease taken now holds, microseconds.
    pub(super) fn lease(&self) -> i64 {
        self.now().saturating_add(i64::try_from(LEASE.as_micros()).unwrap_or(i64::MAX))
    }
}

/// Cores of this machine that the process may use.
pub(crate) fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// Works on jobs until the server stops.
pub(crate) struct Runner {
    jobs: Arc<Jobs>,
}

impl Runner {
    pub(crate) fn new(jobs: Arc<Jobs>) -> Self {
        Self { jobs }
    }

    /// Takes job after job. Those under way when the server stops go back into the queue.
    pub(crate) async fn run(self, mut stopped: watch::Receiver<bool>) {
        let mut running = JoinSet::new();
        loop {
            while running.len() < JOBS_AT_ONCE {
                let times = (self.jobs.now(), self.jobs.lease());
                match table::claim(&self.jobs.database, self.jobs.host, times).await {
                    Ok(Some(job)) => {
                        running.spawn(work::run(Arc::clone(&self.jobs), job, stopped.clone()));
                    }
                    Ok(None) => break,
                    Err(error) => {
                        tracing::error!(%error, "failed to look for jobs");
                        break;
                    }
                }
            }
            tokio::select! {
                _ = stopped.wait_for(|stop| *stop) => break,
                () = self.jobs.wake.notified() => {}
                () = tokio::time::sleep(LOOK) => {}
                Some(ended) = running.join_next() => log(&ended),
            }
        }
        while let Some(ended) = running.join_next().await {
            log(&ended);
        }
    }
}

fn log(ended: &Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a job broke off");
    }
}
