//! Schedules: created, revised, ended; and run when somebody asks.

use std::time::Duration;

use niyam_domain::{Occurrence, Rejection, Schedule, ScheduleCommand, ScheduleId, ScheduleTerms, StreamId};
use niyam_store::{Append, Batch, Idempotency};
use niyam_values::{Date, Finding};
use tokio::time::Instant;

use crate::app::App;
use crate::commands::books::{At, TRIES, authority, is_beside};
use crate::commands::once::{Answer, Committed, once};
use crate::commands::schedule_run::Outcome;
use crate::commands::schedule_views::ScheduleView;
use crate::commands::{Actor, CommandError, Expected};
use crate::projections::schedules::Schedules;

/// How far ahead of today schedules may be run, days: a month's end is posted before it has come, a year's is not.
const AHEAD_MAX_DAYS: i64 = 31;
/// How long a run may take, below what a request may.
const RUN_TIME: Duration = Duration::from_secs(20);
/// Most entries that one run posts.
const POSTED_MAX: usize = 1_000;

/// What a run came to.
#[derive(Debug, Default)]
pub(crate) struct Ran {
    pub(crate) outcomes: Vec<(ScheduleId, Outcome)>,
    /// Whether the same run goes on when it is asked for again.
    pub(crate) more: bool,
}

impl App {
    /// The schedule, if it is the tenant's.
    pub(crate) async fn schedule(&self, actor: &Actor, id: ScheduleId) -> Result<At<Schedule>, CommandError> {
        Ok(self.at(&actor.tenant, &id.stream()).await?.ok_or(Rejection::ScheduleMissing)?)
    }

    pub(crate) async fn create_schedule(
        &self,
        actor: &Actor,
        key: Option<Idempotency>,
        terms: ScheduleTerms,
    ) -> Result<Committed, CommandError> {
        once(&self.vault, &actor.tenant, key.as_ref(), async {
            self.tenant(&actor.tenant).await?;
            let id = ScheduleId(self.ids.next_id());
            self.decide_schedule(actor, key.clone(), id, None, ScheduleCommand::Create(id, terms)).await
        })
        .await
    }

    /// Lets the schedule be what `command` says, or end.
    pub(crate) async fn change_schedule(
        &self,
        actor: &Actor,
        key: Option<Idempotency>,
        id: ScheduleId,
        expected: Expected,
        command: ScheduleCommand,
    ) -> Result<Committed, CommandError> {
        once(&self.vault, &actor.tenant, key.as_ref(), async {
            let found = self.schedule(actor, id).await?;
            found.expect(expected, &id.stream())?;
            self.decide_schedule(actor, key.clone(), id, Some(found), command).await
        })
        .await
    }

    async fn decide_schedule(
        &self,
        actor: &Actor,
        key: Option<Idempotency>,
        id: ScheduleId,
        before: Option<At<Schedule>>,
        command: ScheduleCommand,
    ) -> Result<Committed, CommandError> {
        let today = self.desk.today(&self.tenant(&actor.tenant).await?);
        let mut tries = 0;
        loop {
            let chart = self.chart_needed(&actor.tenant).await?;
            let state = before.as_ref().map(|before| &before.state);
            let events = Schedule::decide(state, command.clone(), &chart.state)?;
            let told = self.tell(actor, id.stream(), before.clone(), events, today)?;
            let at = At { state: told.state, version: told.version };
            let view = self.schedule_view(actor, &at).await?;
            let (status, location) =
                if before.is_none() { (201, Some(format!("/v1/schedules/{id}"))) } else { (200, None) };
            let answer = Answer::new(status, location, at.version, &view)?.to_bytes()?;
            let mut append = Append::of(Batch { writes: told.write.into_iter().collect(), answer })
                .unchanged([(StreamId::chart(), chart.version)]);
            append.idempotency = key.clone();
            let done = self.store.append(&actor.tenant, append).await.map_err(CommandError::from);
            if is_beside(&done, &id.stream()) && tries < TRIES {
                tries += 1;
            } else {
                return done?.try_into();
            }
        }
    }

    /// The schedule with what is due by today, and what keeps it from being posted.
    pub(crate) async fn schedule_view(
        &self,
        actor: &Actor,
        at: &At<Schedule>,
    ) -> Result<ScheduleView, CommandError> {
        let today = self.desk.today(&self.tenant(&actor.tenant).await?);
        let against = self.desk.against(&actor.tenant).await?;
        let due = at.state.due(today, &against.periods.state);
        let judge = |occurrence: Occurrence| {
            let findings = against.findings(&occurrence, authority(actor));
            (occurrence, findings)
        };
        let judged: Vec<_> = due.into_iter().map(judge).collect();
        Ok(ScheduleView::new(&at.state, at.version, &against.periods.state, &judged))
    }

    /// Posts all that is due through a day, of all schedules; what keeps something from it is told.
    pub(crate) async fn run_schedules(
        &self,
        actor: &Actor,
        through: Option<Date>,
    ) -> Result<Ran, CommandError> {
        let today = self.desk.today(&self.tenant(&actor.tenant).await?);
        let latest = today.saturating_add(jiff::Span::new().days(AHEAD_MAX_DAYS));
        let through = through.unwrap_or(today);
        if through > latest {
            let message = format!("schedules are run through {latest} at most");
            let finding = Finding::error("date-out-of-range", message).at("/through");
            return Err(Rejection::Findings(vec![finding]).into());
        }
        let until = Instant::now() + RUN_TIME;
        let mut ran = Ran::default();
        for id in Schedules::of_tenant(self.store.database(), &actor.tenant).await? {
            let posted = ran.outcomes.iter().filter(|(_, outcome)| outcome.is_posted()).count();
            let left = POSTED_MAX.saturating_sub(posted);
            if Instant::now() > until || left == 0 {
                ran.more = true;
                break;
            }
            let (outcomes, more) = self.desk.run_schedule(actor, id, through, left).await?;
            ran.outcomes.extend(outcomes.into_iter().map(|outcome| (id, outcome)));
            ran.more |= more;
        }
        Ok(ran)
    }
}
