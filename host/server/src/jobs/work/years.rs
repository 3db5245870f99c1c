//! Fiscal years, closed and reopened: step by step, each known by its ids, so that what broke off goes on where it was.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde::Serialize;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use super::{Broken, End, Ending, Following, TELL, TIME_MAX, ended, problem};
use crate::commands::year_close::{ClosingYear, Step, batches};
use crate::commands::{Actor, CommandError};
use crate::jobs::job::{JobKind, YearRequest};

/// How often the ledger is looked at that has not caught up.
const LOOK: Duration = Duration::from_millis(50);

/// What the close of a year came to.
#[derive(Serialize)]
struct YearResult<'a> {
    fiscal_year: &'a str,
    number: u32,
    /// Entries that closed it, or that were taken back.
    entries: usize,
}

impl From<CommandError> for Broken {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Store(error) => Self::Store(error),
            CommandError::Rejected(rejection) => {
                tracing::info!(%rejection, "a year is not closed");
                Self::Hopeless(rejection.code())
            }
            // Whatever moves on so often rests for a while.
            CommandError::Stale { .. } => Self::Store(niyam_store::StoreError::Overloaded),
            error => {
                tracing::error!(%error, "a year is not closed");
                Self::Hopeless(problem::UNREADABLE)
            }
        }
    }
}

impl Following {
    pub(super) async fn year(
        &self,
        kind: JobKind,
        user: &str,
        request: YearRequest,
    ) -> Result<Option<Ending>, Broken> {
        let YearRequest { fiscal_year, number, reason, roles, trace_id } = request;
        let actor = Actor { tenant: self.claim.tenant.clone(), user: user.to_owned(), roles, trace_id };
        let year = ClosingYear { desk: &self.jobs.desk, actor, fiscal_year, number };
        let told = match kind {
            JobKind::YearReopen => self.beside(self.reopen(&year, reason.unwrap_or_default())).await?,
            _ => self.beside(self.close(&year)).await?,
        };
        let (end, entries) = told.map_or_else(|end| (end, 0), |entries| (End::All, entries));
        let result = YearResult { fiscal_year: &year.fiscal_year, number, entries };
        Ok(ended(end, None, &result))
    }

    async fn close(&self, year: &ClosingYear<'_>) -> Result<usize, Broken> {
        if let Step::Done(entries) = year.begin().await? {
            return Ok(entries);
        }
        // Nothing is posted for its days from here on, so what the ledger holds then is what the year ends with.
        let until = year.head().await?;
        while year.ledger_position().await? < until {
            sleep(LOOK).await;
        }
        let parts = year.parts(until).await?;
        let total = parts.len();
        self.total.store(total as u64, Ordering::Relaxed);
        let mut done = 0;
        for batch in batches(&parts) {
            let posted = batch.len();
            year.post(batch).await?;
            done += posted;
            self.progress.tell(done as u64);
        }
        year.end(total).await?;
        Ok(total)
    }

    async fn reopen(&self, year: &ClosingYear<'_>, reason: String) -> Result<usize, Broken> {
        if let Step::Done(entries) = year.begin_reopen(&reason).await? {
            return Ok(entries);
        }
        let mut done = 0;
        self.total.store(u64::from(year.entries_known().await?), Ordering::Relaxed);
        while let Some(taken_back) = year.take_back(done, &reason).await? {
            done += taken_back;
            self.progress.tell(done as u64);
        }
        year.end_reopen().await?;
        Ok(done)
    }

    /// What `work` comes to while the job is kept; how it ended when that came first.
    async fn beside<T>(
        &self,
        work: impl Future<Output = Result<T, Broken>>,
    ) -> Result<Result<T, End>, Broken> {
        let mut work = pin!(work);
        let mut stopped = self.stopped.clone();
        let late = Instant::now() + TIME_MAX;
        let mut tell = interval(TELL);
        tell.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let is_stopping = tokio::select! {
                done = &mut work => return done.map(Ok),
                stops = async { stopped.wait_for(|stop| *stop).await.is_ok() } => stops,
                _ = tell.tick() => false,
            };
            if is_stopping {
                return Ok(Err(End::Stopping));
            }
            if !self.tell(&mut Vec::new()).await? {
                return Ok(Err(End::Lost));
            }
            if Instant::now() > late {
                return Ok(Err(End::Late));
            }
        }
    }
}
