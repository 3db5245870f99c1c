//! What each kind of job does, and how it is followed: progress, lease, findings, the end.
//!
//! `years`: fiscal years, closed and reopened.

mod years;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use niyam_domain::{Position, TenantId};
use niyam_store::StoreError;
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::jobs::job::{Job, JobKind, JobState, SimulationRequest, VerificationRequest};
use crate::jobs::runner::Jobs;
use crate::jobs::table::{self, Claim, Ending, FoundRow};
use crate::personal::OpeningError;
use crate::rerun::components::ConfigsError;
use crate::rerun::simulate::{Simulated, Simulator, simulation};
use crate::rerun::sweep::{Sweep, SweepProgress, Work};
use crate::rerun::verify::{Conclusion, Verified, verification};

/// How often a job is begun before it is given up: one that takes its host down must not take down all.
const ATTEMPTS_MAX: i64 = 5;
/// How long a job may take.
const TIME_MAX: Duration = Duration::from_hours(1);
/// How often a job tells how far it is, and keeps its lease.
const TELL: Duration = Duration::from_secs(1);
/// Findings that are kept of a job; all are counted.
const FOUND_KEPT_MAX: u64 = 100_000;
/// Findings that are written at once.
const FOUND_AT_ONCE: usize = 1000;

/// Why a job ended without a whole result.
mod problem {
    pub(super) const ABANDONED: &str = "job-abandoned";
    pub(super) const TIME: &str = "job-time-exceeded";
    pub(super) const CANDIDATE_FAILS: &str = "candidate-fails";
    pub(super) const CANDIDATE_MISSING: &str = "candidate-unavailable";
    pub(super) const UNREADABLE: &str = "history-unreadable";
}

/// Why a job did not come to an end.
#[derive(Debug, thiserror::Error)]
enum Broken {
    /// For the next attempt.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// For good.
    #[error("{0}")]
    Hopeless(&'static str),
}

impl From<ConfigsError> for Broken {
    fn from(error: ConfigsError) -> Self {
        match error {
            ConfigsError::Store(error) => Self::Store(error),
            ConfigsError::Unreadable(..) => Self::Hopeless(problem::UNREADABLE),
        }
    }
}

impl From<OpeningError> for Broken {
    fn from(error: OpeningError) -> Self {
        match error {
            OpeningError::Store(error) => Self::Store(error),
            error => {
                tracing::error!(%error, "personal data do not open");
                Self::Hopeless(problem::UNREADABLE)
            }
        }
    }
}

impl From<sqlx::Error> for Broken {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Works on a claimed job to its end, or until the server stops.
pub(super) async fn run(jobs: Arc<Jobs>, job: Job, stopped: watch::Receiver<bool>) {
    let Ok(tenant) = job.tenant.parse::<TenantId>() else { return };
    let claim = Claim { tenant, id: job.id.clone(), host: jobs.host };
    let mut following = Following {
        jobs: Arc::clone(&jobs),
        claim: claim.clone(),
        stopped,
        progress: Arc::default(),
        total: AtomicU64::new(0),
        found: 0,
    };
    let began = Instant::now();
    let worked = if job.attempts > ATTEMPTS_MAX {
        Err(Broken::Hopeless(problem::ABANDONED))
    } else {
        following.work(&job).await
    };
    let ending = match worked {
        Ok(Some(ending)) => ending,
        // Another host's by now, or cancelled.
        Ok(None) => return,
        Err(Broken::Hopeless(problem)) => Ending {
            state: JobState::Failed,
            result: None,
            problem: Some(problem.to_owned()),
            orderly: false,
        },
        Err(Broken::Store(error)) => {
            tracing::error!(tenant.id = %claim.tenant, job.id = claim.id, %error, "a job broke off, and is tried again");
            Ending { state: JobState::Queued, result: None, problem: None, orderly: false }
        }
    };
    let at = (signed(following.progress.done()), signed(following.total.load(Ordering::Relaxed)), jobs.now());
    match table::end(&jobs.database, &claim, at, &ending).await {
        Ok(_) => tracing::info!(
            tenant.id = %claim.tenant,
            job.id = claim.id,
            job.kind = job.kind,
            job.state = ending.state.as_str(),
            job.problem = ending.problem,
            duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            "job left"
        ),
        // Its lease runs out, and it is begun again.
        Err(error) => {
            tracing::error!(tenant.id = %claim.tenant, job.id = claim.id, %error, "failed to end a job");
        }
    }
}

/// What a verification came to.
#[derive(Serialize)]
struct VerificationResult<'a> {
    conclusion: Conclusion,
    #[serde(flatten)]
    verified: &'a Verified,
    /// Findings, and how many of them are kept.
    differences: u64,
    differences_kept: u64,
}

/// What a simulation came to.
#[derive(Serialize)]
struct SimulationResult<'a> {
    #[serde(flatten)]
    simulated: &'a Simulated,
    differences_kept: u64,
}

/// A job that is followed.
struct Following {
    jobs: Arc<Jobs>,
    claim: Claim,
    stopped: watch::Receiver<bool>,
    progress: Arc<SweepProgress>,
    total: AtomicU64,
    /// Findings so far.
    found: u64,
}

/// Why a sweep ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// All was gone through, or nothing more was to be learnt.
    All,
    /// It took too long.
    Late,
    /// The server stops.
    Stopping,
    /// Cancelled, or another host's by now.
    Lost,
}

impl Following {
    /// How it ended; `None` when it is another's business now.
    async fn work(&mut self, job: &Job) -> Result<Option<Ending>, Broken> {
        let unreadable = |_| Broken::Hopeless(problem::UNREADABLE);
        let kind = JobKind::find(&job.kind).ok_or(Broken::Hopeless(problem::UNREADABLE))?;
        let request = &job.request;
        match kind {
            JobKind::Verification => self.verify(serde_json::from_str(request).map_err(unreadable)?).await,
            JobKind::Simulation => self.simulate(serde_json::from_str(request).map_err(unreadable)?).await,
            JobKind::YearClose | JobKind::YearReopen => {
                let request = serde_json::from_str(request).map_err(unreadable)?;
                self.year(kind, &job.requested_by, request).await
            }
        }
    }

    async fn verify(&mut self, request: VerificationRequest) -> Result<Option<Ending>, Broken> {
        let VerificationRequest { since, ignore_fuel } = request;
        let Jobs { opener, workers, .. } = &*self.jobs;
        let components = self.jobs.components();
        let (sweep, workers) =
            verification(opener, &components, &self.claim.tenant, Position(since), *workers).await?;
        let (end, workers) = self.follow(sweep, workers, |difference| difference.position).await?;
        let mut verified = Verified::default();
        for worker in workers {
            verified.add(worker.verified);
        }
        let result = VerificationResult {
            conclusion: verified.conclusion(ignore_fuel),
            verified: &verified,
            differences: self.found,
            differences_kept: self.found.min(FOUND_KEPT_MAX),
        };
        Ok(ended(end, None, &result))
    }

    async fn simulate(&mut self, request: SimulationRequest) -> Result<Option<Ending>, Broken> {
        let SimulationRequest { module: digest, config, filter } = request;
        let components = self.jobs.components();
        let module = tokio::task::spawn_blocking(move || components.get(&digest)).await;
        let module = module
            .map_err(|_| Broken::Hopeless(problem::CANDIDATE_MISSING))??
            .map_err(|_| Broken::Hopeless(problem::CANDIDATE_MISSING))?;
        let candidate = (&module, config.as_str());
        let (sweep, workers) =
            simulation(&self.jobs.opener, &self.claim.tenant, candidate, filter, self.jobs.workers).await?;
        let (end, workers) = self.follow(sweep, workers, |answer| answer.position).await?;
        let (given_up, simulated) = Simulator::conclude(workers);
        let result =
            SimulationResult { simulated: &simulated, differences_kept: self.found.min(FOUND_KEPT_MAX) };
        Ok(ended(end, given_up.then_some(problem::CANDIDATE_FAILS), &result))
    }

    /// Goes through a sweep, keeps what it finds, and the lease.
    async fn follow<W: Work>(
        &mut self,
        sweep: Sweep,
        workers: Vec<W>,
        position: impl Fn(&W::Found) -> u64,
    ) -> Result<(End, Vec<W>), Broken>
    where
        W::Found: Serialize,
    {
        self.total.store(sweep.length(), Ordering::Relaxed);
        let mut telling = sweep.start(workers, &self.jobs.turns, &self.progress);
        let mut waiting = Vec::new();
        let mut end = End::All;
        let late = Instant::now() + TIME_MAX;
        let mut tell = interval(TELL);
        tell.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut stopped = self.stopped.clone();
        loop {
            let flush = tokio::select! {
                batch = telling.found.recv() => {
                    let Some(batch) = batch else { break };
                    self.keep(&batch, &position, &mut waiting)?;
                    waiting.len() >= FOUND_AT_ONCE
                }
                _ = tell.tick() => true,
                _ = stopped.wait_for(|stop| *stop), if end == End::All => {
                    end = End::Stopping;
                    false
                }
            };
            if end == End::All && Instant::now() > late {
                end = End::Late;
            }
            if flush && end != End::Lost && !self.tell(&mut waiting).await? {
                end = End::Lost;
            }
            if end != End::All {
                self.progress.stop();
            }
        }
        let workers = telling.workers().await?;
        if end != End::Lost && !self.tell(&mut waiting).await? {
            end = End::Lost;
        }
        Ok((end, workers))
    }

    fn keep<F: Serialize>(
        &mut self,
        batch: &[F],
        position: impl Fn(&F) -> u64,
        waiting: &mut Vec<FoundRow>,
    ) -> Result<(), Broken> {
        // What was found at one position comes in one batch.
        let (mut last, mut item) = (0, 0);
        for found in batch {
            let at = position(found);
            item = if at == last { item + 1 } else { 0 };
            last = at;
            if self.found < FOUND_KEPT_MAX {
                let detail =
                    serde_json::to_string(found).map_err(|_| Broken::Hopeless(problem::UNREADABLE))?;
                waiting.push((signed(at), item, detail));
            }
            self.found += 1;
        }
        Ok(())
    }

    /// Whether the job is still this host's.
    async fn tell(&self, waiting: &mut Vec<FoundRow>) -> Result<bool, Broken> {
        let at =
            (signed(self.progress.done()), signed(self.total.load(Ordering::Relaxed)), self.jobs.lease());
        let found = std::mem::take(waiting);
        let told = table::go_on(&self.jobs.database, &self.claim, at, &found).await;
        if told.is_err() {
            self.progress.stop();
        }
        Ok(told?)
    }
}

fn ended(end: End, problem: Option<&str>, result: &impl Serialize) -> Option<Ending> {
    let result = serde_json::to_string(result).ok();
    let failed = |problem: &str| Ending {
        state: JobState::Failed,
        result: result.clone(),
        problem: Some(problem.to_owned()),
        orderly: false,
    };
    match (end, problem) {
        (End::Lost, _) => None,
        (End::Stopping, _) => {
            Some(Ending { state: JobState::Queued, result: None, problem: None, orderly: true })
        }
        (End::Late, _) => Some(failed(problem::TIME)),
        (End::All, Some(problem)) => Some(failed(problem)),
        (End::All, None) => Some(Ending { state: JobState::Done, result, problem: None, orderly: false }),
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
