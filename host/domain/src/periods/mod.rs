//! Fiscal periods: opened by the pack's calendar, closed so that nothing more counts for their days.
//!
//! All periods of a tenant are one aggregate. What is posted names the version of it that let the day pass, so that no
//! posting that began before a close comes after it. A day that lies in no recorded period is open.
//!
//! `years`: fiscal years, whose result is moved into equity once; from then on their days are shut.

mod years;

use std::collections::BTreeMap;
use std::fmt;

use niyam_values::{Date, Finding, FiscalPeriod};
use serde::{Deserialize, Serialize};

use crate::accounts::AccountCode;
use crate::aggregate::Aggregate;
use crate::decision::Decision;
use crate::event::{DomainEvent, UnreadableEvent, domain_events};
use crate::personal::nothing_personal;
use crate::rejection::Rejection;

pub use years::{FiscalYear, YearCloseBegun, YearClosed, YearReopenBegun, YearReopened, YearStatus};

#[cfg(test)]
pub(crate) mod tests;
#[cfg(test)]
mod years_tests;

/// Most periods of a fiscal year: its weeks.
pub const PERIODS_OF_YEAR_MAX: usize = 53;
/// Most characters of a reason.
const REASON_LENGTH_MAX: usize = 500;

/// Where a period stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PeriodStatus {
    /// Takes postings.
    Open,
    /// Takes an approver's postings alone.
    SoftClosed,
    /// Takes none.
    Closed,
}

impl PeriodStatus {
    /// As written in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::SoftClosed => "soft-closed",
            Self::Closed => "closed",
        }
    }
}

impl fmt::Display for PeriodStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// What who posts may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authority {
    /// Posts into open periods.
    Ordinary,
    /// Posts into soft-closed ones as well.
    Approver,
}

/// A fiscal year's periods are kept from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FiscalYearOpened {
    /// In order, without a gap.
    pub periods: Vec<FiscalPeriod>,
    /// Who said so, for each.
    pub decisions: Vec<Decision>,
}

/// Only an approver posts into it from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeriodSoftClosed {
    /// Its code.
    pub period: String,
}

/// Nothing is posted into it from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeriodClosed {
    /// Its code.
    pub period: String,
}

/// It takes postings again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeriodReopened {
    /// Its code.
    pub period: String,
    /// Why.
    pub reason: String,
}

domain_events! {
    /// What happens to fiscal periods.
    PeriodEvent {
        /// A fiscal year's periods are kept from now on.
        YearOpened(FiscalYearOpened) = "fiscal-year.opened.v1",
        /// Only an approver posts into the period from now on.
        SoftClosed(PeriodSoftClosed) = "fiscal-period.soft-closed.v1",
        /// Nothing is posted into the period from now on.
        Closed(PeriodClosed) = "fiscal-period.closed.v1",
        /// The period takes postings again.
        Reopened(PeriodReopened) = "fiscal-period.reopened.v1",
        /// The year's result is being moved into equity: its days, and all before, take nothing else.
        YearCloseBegun(YearCloseBegun) = "fiscal-year.close-begun.v1",
        /// The year's result lies in equity.
        YearClosed(YearClosed) = "fiscal-year.closed.v1",
        /// The year's closing is being taken back.
        YearReopenBegun(YearReopenBegun) = "fiscal-year.reopen-begun.v1",
        /// The year's closing was taken back: its periods say again what is posted.
        YearReopened(YearReopened) = "fiscal-year.reopened.v1",
    }
}

nothing_personal!(
    FiscalYearOpened,
    PeriodSoftClosed,
    PeriodClosed,
    PeriodReopened,
    YearCloseBegun,
    YearClosed,
    YearReopenBegun,
    YearReopened,
    Periods,
);

/// What may be asked of fiscal periods.
#[derive(Debug, Clone)]
pub enum PeriodCommand {
    /// Keep the periods of a fiscal year, as the pack's calendar has them.
    OpenYear {
        /// In order, without a gap.
        periods: Vec<FiscalPeriod>,
        /// Who said so, for each.
        decisions: Vec<Decision>,
    },
    /// Let only an approver post into the period of this code.
    SoftClose(String),
    /// Let nothing be posted into the period of this code.
    Close(String),
    /// Let the period take postings again.
    Reopen {
        /// Its code.
        period: String,
        /// Why.
        reason: String,
    },
    /// Begin to move a year's result into equity.
    BeginYearClose {
        /// The year.
        fiscal_year: String,
        /// The account that takes the result.
        retained_earnings: AccountCode,
    },
    /// End it: so many entries have moved the result.
    EndYearClose {
        /// The year.
        fiscal_year: String,
        /// How many.
        entries: u32,
    },
    /// Begin to take a year's closing back.
    BeginYearReopen {
        /// The year.
        fiscal_year: String,
        /// Why.
        reason: String,
    },
    /// End it: each of its entries was taken back.
    EndYearReopen {
        /// The year.
        fiscal_year: String,
    },
}

/// A period as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// Code, fiscal year, first and last day.
    pub period: FiscalPeriod,
    /// Where it stands.
    pub status: PeriodStatus,
}

/// A tenant's periods as their events tell them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Periods {
    /// In order of their days; no two share one.
    pub periods: Vec<Period>,
    /// The years that were ever begun to be closed, by name.
    pub years: BTreeMap<String, FiscalYear>,
}

impl Periods {
    /// What `command` makes happen.
    ///
    /// # Errors
    /// When the period's state does not allow it.
    pub fn decide(state: Option<&Self>, command: PeriodCommand) -> Result<Vec<PeriodEvent>, Rejection> {
        use PeriodStatus::{Closed, Open, SoftClosed};
        let none = Self::default();
        let state = state.unwrap_or(&none);
        let event = match command {
            PeriodCommand::OpenYear { periods, decisions } => {
                state.may_open(&periods)?;
                PeriodEvent::YearOpened(FiscalYearOpened { periods, decisions })
            }
            PeriodCommand::SoftClose(period) => {
                state.require(&period, &[Open], "open")?;
                PeriodEvent::SoftClosed(PeriodSoftClosed { period })
            }
            PeriodCommand::Close(period) => {
                state.require(&period, &[Open, SoftClosed], "open or soft-closed")?;
                PeriodEvent::Closed(PeriodClosed { period })
            }
            PeriodCommand::Reopen { period, reason } => {
                check_reason(&reason)?;
                state.require(&period, &[SoftClosed, Closed], "closed or soft-closed")?;
                state.check_year_of(&period)?;
                PeriodEvent::Reopened(PeriodReopened { period, reason })
            }
            PeriodCommand::BeginYearClose { fiscal_year, retained_earnings } => {
                state.begin_close(fiscal_year, retained_earnings)?
            }
            PeriodCommand::EndYearClose { fiscal_year, entries } => state.end_close(fiscal_year, entries)?,
            PeriodCommand::BeginYearReopen { fiscal_year, reason } => {
                state.begin_reopen(fiscal_year, reason)?
            }
            PeriodCommand::EndYearReopen { fiscal_year } => state.end_reopen(fiscal_year)?,
        };
        Ok(vec![event])
    }

    /// The recorded period of `day`.
    #[must_use]
    pub fn of(&self, day: Date) -> Option<&Period> {
        self.periods.iter().find(|kept| kept.period.starts <= day && day <= kept.period.ends)
    }

    /// The recorded period of that code.
    #[must_use]
    pub fn find(&self, code: &str) -> Option<&Period> {
        self.periods.iter().find(|kept| kept.period.code == code)
    }

    /// What keeps `day` from being posted to by who has `authority`; `pointer` says where the day stands.
    #[must_use]
    pub fn check_day(&self, day: Date, authority: Authority, pointer: &str) -> Option<Finding> {
        if let Some(year) = self.shut_through(day) {
            let message = format!("the fiscal year {year} is closed, and with it all days before its end");
            return Some(Finding::error("fiscal-year-closed", message).at(pointer));
        }
        let found = self.of(day)?;
        let code = &found.period.code;
        let (rule, message) = match (found.status, authority) {
            (PeriodStatus::Open, _) | (PeriodStatus::SoftClosed, Authority::Approver) => return None,
            (PeriodStatus::SoftClosed, Authority::Ordinary) => {
                ("period-soft-closed", format!("{code} is soft-closed: an approver may still post"))
            }
            (PeriodStatus::Closed, _) => ("period-closed", format!("{code} is closed")),
        };
        Some(Finding::error(rule, message).at(pointer))
    }

    fn require(&self, code: &str, allowed: &[PeriodStatus], needed: &'static str) -> Result<(), Rejection> {
        let found = self.find(code).ok_or(Rejection::PeriodMissing)?.status;
        if allowed.contains(&found) { Ok(()) } else { Err(Rejection::WrongPeriodStatus { found, needed }) }
    }

    fn may_open(&self, periods: &[FiscalPeriod]) -> Result<(), Rejection> {
        if !is_year(periods) {
            return Err(Rejection::CalendarBroken);
        }
        let known = |new: &FiscalPeriod| {
            self.periods.iter().any(|Period { period: kept, .. }| {
                kept.code == new.code || (kept.starts <= new.ends && new.starts <= kept.ends)
            })
        };
        if periods.iter().any(known) { Err(Rejection::FiscalYearExists) } else { Ok(()) }
    }
}

fn check_reason(reason: &str) -> Result<(), Rejection> {
    let fits = !reason.trim().is_empty()
        && reason.chars().count() <= REASON_LENGTH_MAX
        && !reason.chars().any(char::is_control);
    if fits {
        return Ok(());
    }
    let finding = Finding::error("text-invalid", "a reason has 1 to 500 printable characters");
    Err(Rejection::Findings(vec![finding.at("/reason")]))
}

/// Whether `periods` are one year's: in order, without a gap, each with a code of its own.
fn is_year(periods: &[FiscalPeriod]) -> bool {
    let whole = |period: &FiscalPeriod| {
        period.starts <= period.ends
            && (1..=64).contains(&period.code.len())
            && period.code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let follows = |pair: &[FiscalPeriod]| {
        pair[0].ends.tomorrow().is_ok_and(|next| next == pair[1].starts)
            && pair[0].fiscal_year == pair[1].fiscal_year
    };
    let mut codes: Vec<&str> = periods.iter().map(|period| period.code.as_str()).collect();
    codes.sort_unstable();
    codes.dedup();
    (1..=PERIODS_OF_YEAR_MAX).contains(&periods.len())
        && codes.len() == periods.len()
        && periods.iter().all(whole)
        && periods.windows(2).all(follows)
}

impl Aggregate for Periods {
    type Event = PeriodEvent;

    fn evolve(state: Option<Self>, event: PeriodEvent) -> Result<Self, UnreadableEvent> {
        let event_type = event.event_type();
        let mut periods = state.unwrap_or_default();
        let (code, status) = match event {
            PeriodEvent::YearOpened(FiscalYearOpened { periods: opened, .. }) => {
                let open = |period| Period { period, status: PeriodStatus::Open };
                periods.periods.extend(opened.into_iter().map(open));
                periods.periods.sort_by_key(|kept| kept.period.starts);
                return Ok(periods);
            }
            PeriodEvent::SoftClosed(PeriodSoftClosed { period }) => (period, PeriodStatus::SoftClosed),
            PeriodEvent::Closed(PeriodClosed { period }) => (period, PeriodStatus::Closed),
            PeriodEvent::Reopened(PeriodReopened { period, .. }) => (period, PeriodStatus::Open),
            PeriodEvent::YearCloseBegun(_)
            | PeriodEvent::YearClosed(_)
            | PeriodEvent::YearReopenBegun(_)
            | PeriodEvent::YearReopened(_) => {
                let told = periods.tell_year(event);
                return told.map(|()| periods).ok_or(UnreadableEvent::OutOfOrder { event_type });
            }
        };
        let found = periods.periods.iter_mut().find(|kept| kept.period.code == code);
        found.ok_or(UnreadableEvent::OutOfOrder { event_type })?.status = status;
        Ok(periods)
    }
}
