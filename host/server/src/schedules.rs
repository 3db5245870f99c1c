//! Runs schedules when their day comes: every host does, and each occurrence is posted once all the same.
//!
//! What cannot be posted, since a period is closed or an account takes no more postings, stays due: it is tried again when
//! the day, the schedule, the chart or the periods are others. Next step of the flow: `commands/schedule_run.rs`.

use std::collections::HashMap;
use std::time::Duration;

use niyam_domain::{ScheduleId, TenantId, Version};
use niyam_values::Date;
use tokio::sync::watch;

use crate::commands::books::Desk;
use crate::commands::{Actor, CommandError};
use crate::projections::schedules::Schedules;

/// How often a host looks for what has come due.
const LOOK: Duration = Duration::from_secs(2);
/// Most entries of one schedule before another one has its turn.
const POSTED_AT_ONCE: usize = 100;
/// The user of what nobody asked for.
const USER: &str = "schedule";

/// What a schedule was run against; with the same, there is nothing more to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    /// Of the schedule, as the view has it.
    version: i64,
    chart: Version,
    periods: Version,
    today: Date,
}

/// Runs the schedules of all tenants.
pub(crate) struct Ticker {
    desk: Desk,
    seen: HashMap<(TenantId, ScheduleId), Seen>,
}

impl Ticker {
    pub(crate) fn new(desk: Desk) -> Self {
        Self { desk, seen: HashMap::new() }
    }

    /// Looks until the server stops.
    pub(crate) async fn run(mut self, mut stopped: watch::Receiver<bool>) {
        loop {
            let stops = tokio::select! {
                stops = async { stopped.wait_for(|stop| *stop).await.is_ok() } => stops,
                () = tokio::time::sleep(LOOK) => false,
            };
            if stops || stopped.has_changed().is_err() {
                return;
            }
            if let Err(error) = self.look(&stopped).await {
                tracing::error!(%error, "failed to look for schedules");
            }
        }
    }

    async fn look(&mut self, stopped: &watch::Receiver<bool>) -> Result<(), CommandError> {
        let rows = Schedules::of_all(self.desk.store.database()).await?;
        let mut by_tenant: HashMap<TenantId, Vec<(ScheduleId, i64)>> = HashMap::new();
        for (tenant, id, version) in rows {
            by_tenant.entry(tenant).or_default().push((id, version));
        }
        self.seen.retain(|(tenant, _), _| by_tenant.contains_key(tenant));
        for (tenant, schedules) in by_tenant {
            if *stopped.borrow() {
                break;
            }
            if let Err(error) = self.look_at(&tenant, schedules).await {
                tracing::error!(tenant.id = %tenant, %error, "failed to run schedules");
            }
        }
        Ok(())
    }

    async fn look_at(
        &mut self,
        tenant: &TenantId,
        schedules: Vec<(ScheduleId, i64)>,
    ) -> Result<(), CommandError> {
        let today = self.desk.today(&self.desk.tenant(tenant).await?);
        let against = self.desk.against(tenant).await?;
        let (chart, periods) = (against.chart.version, against.periods.version);
        for (id, version) in schedules {
            let now = Seen { version, chart, periods, today };
            if self.seen.get(&(tenant.clone(), id)) == Some(&now) {
                continue;
            }
            let trace_id = self.desk.ids.next_id().to_string();
            let actor = Actor { tenant: tenant.clone(), user: USER.to_owned(), roles: Vec::new(), trace_id };
            match self.desk.run_schedule(&actor, id, today, POSTED_AT_ONCE).await {
                Ok((_, false)) => {
                    self.seen.insert((tenant.clone(), id), now);
                }
                Ok((_, true)) => {}
                Err(error) => {
                    tracing::error!(tenant.id = %tenant, schedule.id = %id, %error, "failed to run a schedule");
                }
            }
        }
        Ok(())
    }
}
