//! Reads what a report needs, all at one moment.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use niyam_domain::reports::{Cut, UnknownAccount};
use niyam_domain::{
    AccountCode, Aggregate as _, Chart, ChartEvent, DomainEvent as _, Rejection, Side, StreamId, TenantId,
    Version,
};
use niyam_store::{Scope, StoreError};
use niyam_values::Finding;

use super::table::{Column, Report, Table};
use super::{
    aged, audit_trail, cash_flow, general_ledger, statement, statements, tax_summary, trial_balance,
};
use crate::app::App;
use crate::commands::CommandError;
use crate::personal::OpeningError;
use crate::projections::ledger::page::LineCursor;
use crate::projections::ledger::snapshot::Snapshot;
use crate::projections::ledger::sums::{Dimension, day_before};

macro_rules! names {
    ($($name:ident = $text:literal, $title:literal;)+) => {
        /// The reports that there are.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum ReportName {
            $($name,)+
        }

        impl ReportName {
            /// All of them.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name),+];

            /// As the path has it.
            pub(crate) const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)+ }
            }
        }
    };
}
names! {
    TrialBalance = "trial-balance", "Trial balance";
    GeneralLedger = "general-ledger", "General ledger";
    ProfitAndLoss = "profit-and-loss", "Profit and loss";
    BalanceSheet = "balance-sheet", "Balance sheet";
    CashFlow = "cash-flow", "Cash flow";
    AgedReceivables = "aged-receivables", "Aged receivables";
    AgedPayables = "aged-payables", "Aged payables";
    CustomerStatement = "customer-statement", "Customer statement";
    TaxSummary = "tax-summary", "Tax summary";
    AuditTrail = "audit-trail", "Audit trail";
}

impl FromStr for ReportName {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.iter().copied().find(|name| name.as_str() == text).ok_or(())
    }
}

impl fmt::Display for ReportName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl ReportName {
    /// Whether it is of a period, which begins with the fiscal year when nothing else is said.
    fn needs_from(self) -> bool {
        matches!(self, Self::ProfitAndLoss | Self::CashFlow | Self::TaxSummary)
    }

    /// Which of the parameters besides the days it takes.
    pub(crate) fn takes(self, parameter: &str) -> bool {
        let own: &[&str] = match self {
            Self::TrialBalance | Self::ProfitAndLoss => &["from", "dimension"],
            Self::GeneralLedger => &["from", "account", "dimension", "limit", "after"],
            Self::CashFlow | Self::TaxSummary => &["from"],
            Self::CustomerStatement => &["from", "customer"],
            Self::AuditTrail => &["document"],
            Self::BalanceSheet => &["dimension"],
            Self::AgedReceivables | Self::AgedPayables => &[],
        };
        own.contains(&parameter)
    }
}

/// What is asked.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) name: ReportName,
    /// The last day; today when absent.
    pub(crate) as_of: Option<Date>,
    /// The first day.
    pub(crate) from: Option<Date>,
    /// Only what was recorded by then.
    pub(crate) known_at: Option<Timestamp>,
    pub(crate) account: Option<AccountCode>,
    pub(crate) dimension: Option<Dimension>,
    pub(crate) customer: Option<String>,
    pub(crate) document: Option<uuid::Uuid>,
    pub(crate) limit: u32,
    pub(crate) after: Option<LineCursor>,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReportError {
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The first day comes after the last.
    #[error("from comes after as_of")]
    DatesReversed,
    /// Nothing is known yet of what will be recorded.
    #[error("known_at lies in the future")]
    KnownInFuture,
    /// The report is of a period, and no fiscal year is opened that would say which.
    #[error("no fiscal year of that day was opened, so the report needs from")]
    FromMissing,
    /// The tenant has no such document.
    #[error("there is no such document")]
    DocumentMissing,
    /// A parameter that the report cannot do without.
    #[error("the report needs {0}")]
    Missing(&'static str),
}

impl From<sqlx::Error> for ReportError {
    fn from(error: sqlx::Error) -> Self {
        Self::Command(error.into())
    }
}

impl From<StoreError> for ReportError {
    fn from(error: StoreError) -> Self {
        Self::Command(error.into())
    }
}

impl From<OpeningError> for ReportError {
    fn from(error: OpeningError) -> Self {
        Self::Command(error.into())
    }
}

impl From<Rejection> for ReportError {
    fn from(rejection: Rejection) -> Self {
        Self::Command(rejection.into())
    }
}

impl From<UnknownAccount> for ReportError {
    fn from(error: UnknownAccount) -> Self {
        Self::Command(CommandError::Defect(error.to_string()))
    }
}

/// What a report is made with.
pub(super) struct Reading<'a, 'b> {
    pub(super) app: &'a App,
    pub(super) tenant: &'a TenantId,
    pub(super) asked: &'a Asked,
    /// The days and the moment that it is of.
    pub(super) as_of: Date,
    pub(super) from: Option<Date>,
    /// As it was when all that counts had been recorded.
    pub(super) chart: Chart,
    pub(super) ledger: &'a mut Snapshot<'b>,
}

impl Reading<'_, '_> {
    /// All that came until the last day.
    pub(super) fn until(&self) -> Cut {
        Cut { from: None, until: Some(self.as_of), known_at: self.asked.known_at, without_closing: false }
    }

    /// What came from the first day to the last.
    pub(super) fn period(&self) -> Cut {
        Cut { from: self.from, ..self.until() }
    }

    /// What came before the first day.
    pub(super) fn before(&self) -> Cut {
        // Without a first day, nothing came before it.
        let until = self.from.map_or(Date::MIN, day_before);
        Cut { until: Some(until), ..self.until() }
    }

    /// The name of an account.
    pub(super) fn name_of(&self, account: &AccountCode) -> String {
        self.chart.accounts.get(account).map(|account| account.name.clone()).unwrap_or_default()
    }
}

/// What a report found.
pub(super) struct Found {
    pub(super) about: Option<String>,
    pub(super) columns: &'static [Column],
    pub(super) tables: Vec<Table>,
    pub(super) next: Option<String>,
}

impl Found {
    pub(super) fn new(columns: &'static [Column], tables: Vec<Table>) -> Self {
        Self { about: None, columns, tables, next: None }
    }
}

impl App {
    /// The report that `asked` names, of `tenant`.
    pub(crate) async fn report(&self, tenant: &TenantId, asked: &Asked) -> Result<Report, ReportError> {
        let at = self.tenant(tenant).await?;
        let now = self.clock.now();
        if asked.known_at.is_some_and(|known_at| known_at > now) {
            return Err(ReportError::KnownInFuture);
        }
        let as_of = asked.as_of.unwrap_or_else(|| self.now_at(&at).date());
        let from = match asked.from {
            None if asked.name.needs_from() => Some(self.fiscal_year_of(tenant, as_of).await?),
            from => from,
        };
        if from.is_some_and(|from| from > as_of) {
            return Err(ReportError::DatesReversed);
        }
        let mut reader = self.store.database().read(&Scope::Tenant(tenant)).await?;
        let mut ledger = Snapshot::of(&mut reader, tenant).await?;
        let position = ledger.position;
        // After the ledger: every account of its lines was there before them.
        let chart = self.chart_known(tenant, asked.known_at).await?;
        let mut reading = Reading { app: self, tenant, asked, as_of, from, chart, ledger: &mut ledger };
        let found = match asked.name {
            ReportName::TrialBalance => trial_balance::read(&mut reading).await?,
            ReportName::GeneralLedger => general_ledger::read(&mut reading).await?,
            ReportName::ProfitAndLoss => statements::profit_and_loss(&mut reading).await?,
            ReportName::BalanceSheet => statements::balance_sheet(&mut reading).await?,
            ReportName::CashFlow => cash_flow::read(&mut reading).await?,
            ReportName::AgedReceivables => aged::read(&mut reading, Side::Debit).await?,
            ReportName::AgedPayables => aged::read(&mut reading, Side::Credit).await?,
            ReportName::CustomerStatement => statement::read(&mut reading).await?,
            ReportName::TaxSummary => tax_summary::read(&mut reading).await?,
            ReportName::AuditTrail => audit_trail::read(&mut reading).await?,
        };
        let Found { about, columns, tables, next } = found;
        let (name, title) = (asked.name.as_str(), asked.name.title());
        let known_at = asked.known_at.unwrap_or(now);
        Ok(Report { name, title, about, from, as_of, known_at, position, columns, tables, next })
    }

    /// The first day of the fiscal year of `day`.
    async fn fiscal_year_of(&self, tenant: &TenantId, day: Date) -> Result<Date, ReportError> {
        let periods = self.periods(tenant).await?.state;
        let year = periods.of(day).map(|period| period.period.fiscal_year.clone());
        let year = year.ok_or(ReportError::FromMissing)?;
        let starts =
            periods.periods.iter().map(|period| &period.period).filter(|period| period.fiscal_year == year);
        starts.map(|period| period.starts).min().ok_or(ReportError::FromMissing)
    }

    /// The chart as it was known then. An account that a clock going back recorded later than its lines is there too.
    async fn chart_known(
        &self,
        tenant: &TenantId,
        known_at: Option<Timestamp>,
    ) -> Result<Chart, ReportError> {
        let now = self.chart(tenant).await?.map(|chart| chart.state).unwrap_or_default();
        let Some(known_at) = known_at else { return Ok(now) };
        let mut then = None;
        for event in self.store.load(tenant, &StreamId::chart(), Version(0)).await? {
            if event.recorded_at > known_at {
                break;
            }
            let read = ChartEvent::read(&event.event_type, &event.payload).map_err(CommandError::from)?;
            then = Some(Chart::evolve(then, read).map_err(CommandError::from)?);
        }
        let mut then = then.unwrap_or_default();
        for (code, account) in now.accounts {
            then.accounts.entry(code).or_insert(account);
        }
        if then.roles.is_empty() {
            then.roles = now.roles;
        }
        Ok(then)
    }
}

/// A finding about a parameter.
pub(super) fn refused(rule: &'static str, pointer: &'static str, message: &str) -> ReportError {
    Rejection::Findings(vec![Finding::error(rule, message).at(pointer)]).into()
}
