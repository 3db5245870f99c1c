//! Fiscal years: shown, and asked to be closed or reopened, which a job does.

use niyam_domain::{
    EntryId, PeriodCommand, Periods, Rejection, StreamId, TenantId, Version, YearStatus, retained_earnings,
};
use niyam_store::Idempotency;
use niyam_values::Date;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::app::App;
use crate::commands::year_close::part_of;
use crate::commands::{Actor, CommandError, Expected};
use crate::jobs::{JobKind, YearRequest};

impl App {
    /// Asks for the year's close, if it may be closed as things stand; goes on with one that broke off.
    pub(crate) async fn ask_year_close(
        &self,
        actor: &Actor,
        key: Option<Idempotency>,
        expected: Expected,
        fiscal_year: String,
    ) -> Result<(Uuid, bool), CommandError> {
        self.tenant(&actor.tenant).await?;
        if let Some(before) = self.asked_before(actor, key.as_ref()).await? {
            return Ok((before, true));
        }
        let periods = self.periods(&actor.tenant).await?;
        let status = periods.state.year_status(&fiscal_year).ok_or(Rejection::FiscalYearMissing)?;
        periods.expect(expected, &StreamId::periods())?;
        let last = periods.state.years.get(&fiscal_year).map_or(0, |year| year.number);
        let number = if status == YearStatus::Closing {
            last
        } else {
            let chart = self.chart_needed(&actor.tenant).await?;
            let retained_earnings = retained_earnings(&chart.state)?;
            let fiscal_year = fiscal_year.clone();
            Periods::decide(
                Some(&periods.state),
                PeriodCommand::BeginYearClose { fiscal_year, retained_earnings },
            )?;
            last.saturating_add(1)
        };
        let request = request(actor, fiscal_year, number, None);
        self.ask_job(actor, key, JobKind::YearClose, &request).await
    }

    /// Asks for the year's closing to be taken back, if it may be.
    pub(crate) async fn ask_year_reopen(
        &self,
        actor: &Actor,
        key: Option<Idempotency>,
        expected: Expected,
        (fiscal_year, reason): (String, String),
    ) -> Result<(Uuid, bool), CommandError> {
        self.tenant(&actor.tenant).await?;
        if let Some(before) = self.asked_before(actor, key.as_ref()).await? {
            return Ok((before, true));
        }
        let periods = self.periods(&actor.tenant).await?;
        let status = periods.state.year_status(&fiscal_year).ok_or(Rejection::FiscalYearMissing)?;
        periods.expect(expected, &StreamId::periods())?;
        if status != YearStatus::Reopening {
            let (fiscal_year, reason) = (fiscal_year.clone(), reason.clone());
            Periods::decide(Some(&periods.state), PeriodCommand::BeginYearReopen { fiscal_year, reason })?;
        }
        let number = periods.state.years.get(&fiscal_year).map_or(0, |year| year.number);
        let request = request(actor, fiscal_year, number, Some(reason));
        self.ask_job(actor, key, JobKind::YearReopen, &request).await
    }
}

fn request(actor: &Actor, fiscal_year: String, number: u32, reason: Option<String>) -> YearRequest {
    let (roles, trace_id) = (actor.roles.clone(), actor.trace_id.clone());
    YearRequest { fiscal_year, number, reason, roles, trace_id }
}

/// A fiscal year that was opened.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FiscalYearView {
    #[schema(example = "2026-2027")]
    fiscal_year: String,
    #[schema(value_type = String, format = Date)]
    starts: Date,
    #[schema(value_type = String, format = Date)]
    ends: Date,
    /// `open`, `closing`, `closed` or `reopening`.
    status: &'static str,
    /// How often it was closed, or begun to be.
    closings: u32,
    /// The entries that close it, once it is closed.
    #[schema(value_type = Vec<String>)]
    entries: Vec<EntryId>,
    /// Why its last closing was taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[schema(value_type = u64)]
    version: Version,
}

impl FiscalYearView {
    pub(crate) fn new(
        tenant: &TenantId,
        fiscal_year: &str,
        periods: &Periods,
        version: Version,
    ) -> Result<Self, Rejection> {
        let (starts, ends) = periods.days_of_year(fiscal_year).ok_or(Rejection::FiscalYearMissing)?;
        let status = periods.year_status(fiscal_year).unwrap_or(YearStatus::Open);
        let kept = periods.years.get(fiscal_year);
        let closings = kept.map_or(0, |year| year.number);
        let entries = kept.and_then(|year| year.entries).filter(|_| status == YearStatus::Closed);
        let ids = (0..entries.unwrap_or_default() as usize)
            .map(|part| part_of(tenant, fiscal_year, closings, part))
            .collect();
        Ok(Self {
            fiscal_year: fiscal_year.to_owned(),
            starts,
            ends,
            status: status.as_str(),
            closings,
            entries: ids,
            reason: kept.and_then(|year| year.reason.clone()),
            version,
        })
    }
}
