//! What must be filed or paid by which day: the pack's calendar, beside the returns that stand here.

use jiff::ToSpan as _;
use niyam_domain::{Rejection, TaxReturn, World, return_stream};
use niyam_modules::Module;
use niyam_values::{Date, Finding, Obligation};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::commands::CommandError;
use crate::commands::books::At;
use crate::commands::fallback::in_turn;
use crate::tenants::TenantAt;

/// Most days that one question covers.
const DAYS_MAX: i32 = 400;
/// A period may have ended so many days before what is to be filed for it is due: a return of a year takes months.
const DAYS_BEFORE: i64 = 400;
/// Most periods that are looked at: a calendar with a period a day would have more.
const PERIODS_MAX: usize = 120;

/// Something to be filed or paid.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ObligationView {
    /// The paper, or the pack's own name for what is due.
    #[schema(example = "mushak-9.1")]
    code: String,
    title: String,
    /// Code of the tax period that it is for.
    #[schema(example = "FY2026-2027-P01")]
    period: String,
    /// The last day.
    #[schema(value_type = String, format = Date)]
    due: Date,
    /// `prepared`, `reviewed` or `filed`: how far the return of this code and period is here. Absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
}

impl App {
    /// What is due from `from` to `to`, in the order of the days.
    pub(crate) async fn obligations(
        &self,
        at: &TenantAt,
        from: Date,
        to: Date,
    ) -> Result<Vec<ObligationView>, CommandError> {
        if from > to || from.until(to).map_or(true, |span| span.get_days() > DAYS_MAX) {
            let message = format!("from lies at most {DAYS_MAX} days before to, and not behind it");
            let finding = Finding::error("date-out-of-range", message);
            return Err(Rejection::Findings(vec![finding]).into());
        }
        let mut due = Vec::new();
        let mut day = from.saturating_sub(DAYS_BEFORE.days());
        let mut periods = 0;
        while day <= to && periods < PERIODS_MAX {
            let period = match self.fiscal_period(at, day).await {
                Ok(period) => period,
                // The tenant had no pack yet.
                Err(CommandError::Rejected(Rejection::NoActivePack)) => {
                    day = day.saturating_add(1.day());
                    continue;
                }
                Err(error) => return Err(error),
            };
            periods += 1;
            // The calendar ends there, and no day follows.
            let is_last = period.ends == Date::MAX;
            day = period.ends.saturating_add(1.day());
            let packs = in_turn(&at.tenant.activations, World::ComplianceModule, period.ends);
            let ask = move |module: &Module, config: &str| module.obligations(config, &period);
            let asked = self.ask(&at.tenant.id, packs, ask).await?.answer.answer;
            due.extend(asked.into_iter().filter(|obligation| (from..=to).contains(&obligation.due)));
            if is_last {
                break;
            }
        }
        due.sort_by(|one, other| {
            (one.due, &one.code, &one.period).cmp(&(other.due, &other.code, &other.period))
        });
        let mut views = Vec::with_capacity(due.len());
        for obligation in due {
            views.push(self.obligation_view(at, obligation).await?);
        }
        Ok(views)
    }

    async fn obligation_view(
        &self,
        at: &TenantAt,
        obligation: Obligation,
    ) -> Result<ObligationView, CommandError> {
        let Obligation { code, title, period, due } = obligation;
        let standing: Option<At<TaxReturn>> = match return_stream(&code, &period) {
            Ok(stream) => self.at(&at.tenant.id, &stream).await?,
            Err(_) => None,
        };
        let status = standing.map(|standing| standing.state.status.as_str());
        Ok(ObligationView { code, title, period, due, status })
    }
}
