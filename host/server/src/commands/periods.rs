//! Fiscal periods: open a year as the pack's calendar has it, soft-close, close, reopen.

use niyam_domain::{
    Decision, PERIODS_OF_YEAR_MAX, Period, PeriodCommand, Periods, Rejection, StreamId, Version,
};
use niyam_modules::{Module, ModuleFailure};
use niyam_store::{Append, Batch, Idempotency};
use niyam_values::{Date, Finding, FiscalPeriod};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::commands::books::{At, TRIES};
use crate::commands::once::{Answer, Committed, once};
use crate::commands::tax::pack_on;
use crate::commands::{Actor, CommandError, Expected};
use crate::tenants::TenantAt;

impl App {
    /// Opens the fiscal year that holds `day`.
    pub(crate) async fn open_fiscal_year(
        &self,
        actor: &Actor,
        key: Option<Idempotency>,
        day: Date,
    ) -> Result<Committed, CommandError> {
        once(&self.vault, &actor.tenant, key.as_ref(), async {
            let at = self.tenant(&actor.tenant).await?;
            if !(1971..=2199).contains(&day.year()) {
                let finding = Finding::error("date-out-of-range", "a date lies between 1971 and 2199");
                return Err(Rejection::Findings(vec![finding.at("/date")]).into());
            }
            let activation = pack_on(&at, day)?.clone();
            let (periods, decisions) = self
                .packs
                .call(&actor.tenant, &activation, move |module, config| year_of(module, config, day))
                .await?;
            let answer = |periods: &Periods, version: Version| {
                let location = Some("/v1/fiscal-years".to_owned());
                Answer::new(201, location, version, &PeriodPage::new(periods, version))
            };
            let command = PeriodCommand::OpenYear { periods, decisions };
            let mut tries = 0;
            loop {
                let before = self.periods(&actor.tenant).await?;
                match self.record_periods(actor, key.clone(), &at, before, command.clone(), answer).await {
                    // Another change came first.
                    Err(CommandError::Stale { .. }) if tries < TRIES => tries += 1,
                    done => return done,
                }
            }
        })
        .await
    }

    /// Changes the state of the period `code`.
    pub(crate) async fn change_period(
        &self,
        actor: &Actor,
        key: Option<Idempotency>,
        expected: Expected,
        code: &str,
        command: PeriodCommand,
    ) -> Result<Committed, CommandError> {
        once(&self.vault, &actor.tenant, key.as_ref(), async {
            let at = self.tenant(&actor.tenant).await?;
            let before = self.periods(&actor.tenant).await?;
            if before.state.find(code).is_none() {
                return Err(Rejection::PeriodMissing.into());
            }
            before.expect(expected, &StreamId::periods())?;
            self.record_periods(actor, key.clone(), &at, before, command, |periods, version| {
                Answer::new(200, None, version, &periods.find(code).map(RecordedPeriodView::from))
            })
            .await
        })
        .await
    }

    async fn record_periods(
        &self,
        actor: &Actor,
        key: Option<Idempotency>,
        at: &TenantAt,
        before: At<Periods>,
        command: PeriodCommand,
        answer: impl Fn(&Periods, Version) -> Result<Answer, serde_json::Error>,
    ) -> Result<Committed, CommandError> {
        let events = Periods::decide(Some(&before.state), command)?;
        let today = self.now_at(at).date();
        let told = self.tell(actor, StreamId::periods(), Some(before), events, today)?;
        let answer = answer(&told.state, told.version)?.to_bytes()?;
        let mut append = Append::of(Batch { writes: told.write.into_iter().collect(), answer });
        append.idempotency = key;
        self.store.append(&actor.tenant, append).await?.try_into()
    }
}

/// The periods of the fiscal year that holds `day`, in order, each with the pack's word for it.
fn year_of(
    module: &Module,
    config: &str,
    day: Date,
) -> Result<(Vec<FiscalPeriod>, Vec<Decision>), ModuleFailure> {
    let of =
        |day: Date| module.fiscal_period_of(config, day).map(|decided| (decided.answer, decided.decision));
    let first = of(day)?;
    let year = first.0.fiscal_year.clone();
    let mut found = std::collections::VecDeque::from([first]);
    // One more than a year can have: the domain refuses it then.
    while found.len() <= PERIODS_OF_YEAR_MAX {
        let Some(before) = found.front().and_then(|(period, _)| period.starts.yesterday().ok()) else {
            break;
        };
        let earlier = of(before)?;
        if earlier.0.fiscal_year != year {
            break;
        }
        found.push_front(earlier);
    }
    while found.len() <= PERIODS_OF_YEAR_MAX {
        let Some(after) = found.back().and_then(|(period, _)| period.ends.tomorrow().ok()) else { break };
        let later = of(after)?;
        if later.0.fiscal_year != year {
            break;
        }
        found.push_back(later);
    }
    Ok(found.into_iter().unzip())
}

/// A fiscal period that was opened.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RecordedPeriodView {
    #[schema(example = "FY2026-2027-P01")]
    code: String,
    fiscal_year: String,
    #[schema(value_type = String, format = Date)]
    starts: Date,
    #[schema(value_type = String, format = Date)]
    ends: Date,
    /// `open`, `soft-closed` or `closed`.
    status: &'static str,
}

impl From<&Period> for RecordedPeriodView {
    fn from(kept: &Period) -> Self {
        let FiscalPeriod { code, fiscal_year, starts, ends } = kept.period.clone();
        Self { code, fiscal_year, starts, ends, status: kept.status.as_str() }
    }
}

/// The fiscal periods that were opened, in order.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PeriodPage {
    #[schema(value_type = u64)]
    version: Version,
    items: Vec<RecordedPeriodView>,
}

impl PeriodPage {
    pub(crate) fn new(periods: &Periods, version: Version) -> Self {
        Self { version, items: periods.periods.iter().map(RecordedPeriodView::from).collect() }
    }
}
