//! Fiscal years: closed by moving their result into equity, in order, and reopened in the other order.
//!
//! Between the begin of a close and its end nothing is posted for the year's days, or for any day before, but the entries
//! that close it. What is read of the books in between is therefore what the year ends with.

use std::fmt;

use niyam_values::Date;
use serde::{Deserialize, Serialize};

use super::{PeriodEvent, PeriodStatus, Periods, check_reason};
use crate::accounts::AccountCode;
use crate::rejection::Rejection;

/// Where a fiscal year stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum YearStatus {
    /// Its periods say what is posted.
    Open,
    /// Its result is being moved into equity.
    Closing,
    /// Its result lies in equity.
    Closed,
    /// Its closing is being taken back.
    Reopening,
}

impl YearStatus {
    /// As written in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closing => "closing",
            Self::Closed => "closed",
            Self::Reopening => "reopening",
        }
    }
}

impl fmt::Display for YearStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A year's result is being moved into equity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct YearCloseBegun {
    /// The year.
    pub fiscal_year: String,
    /// Which closing of the year it is: 1, 2, 3 …
    pub number: u32,
    /// The account that takes the result, whatever becomes of its role.
    pub retained_earnings: AccountCode,
}

/// A year's result lies in equity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct YearClosed {
    /// The year.
    pub fiscal_year: String,
    /// Which closing of the year it is.
    pub number: u32,
    /// How many entries moved the result.
    pub entries: u32,
}

/// A year's closing is being taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct YearReopenBegun {
    /// The year.
    pub fiscal_year: String,
    /// Which closing of the year it is.
    pub number: u32,
    /// Why.
    pub reason: String,
}

/// A year's closing was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct YearReopened {
    /// The year.
    pub fiscal_year: String,
    /// Which closing of the year it was.
    pub number: u32,
}

/// A year that was ever begun to be closed, as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FiscalYear {
    /// Where it stands.
    pub status: YearStatus,
    /// Its last day, for which the closing entries count.
    pub ends: Date,
    /// Its last closing: 1, 2, 3 …
    pub number: u32,
    /// The account that takes the result.
    pub retained_earnings: AccountCode,
    /// How many entries closed it; none before that is done.
    pub entries: Option<u32>,
    /// Why its closing is, or was, taken back.
    pub reason: Option<String>,
}

impl Periods {
    /// First and last day of a fiscal year that was opened.
    #[must_use]
    pub fn days_of_year(&self, fiscal_year: &str) -> Option<(Date, Date)> {
        let mut own = self.periods.iter().filter(|kept| kept.period.fiscal_year == fiscal_year);
        let first = own.next()?.period.clone();
        Some((first.starts, own.next_back().map_or(first.ends, |last| last.period.ends)))
    }

    /// Where a fiscal year stands that was opened.
    #[must_use]
    pub fn year_status(&self, fiscal_year: &str) -> Option<YearStatus> {
        self.days_of_year(fiscal_year)?;
        Some(self.years.get(fiscal_year).map_or(YearStatus::Open, |year| year.status))
    }

    /// The year whose close shuts `day`.
    pub(super) fn shut_through(&self, day: Date) -> Option<&str> {
        let shut = |year: &FiscalYear| year.status != YearStatus::Open && day <= year.ends;
        self.years.iter().find(|(_, year)| shut(year)).map(|(name, _)| name.as_str())
    }

    /// A period of a closed year is opened once its year is.
    pub(super) fn check_year_of(&self, code: &str) -> Result<(), Rejection> {
        let Some(found) = self.find(code) else { return Err(Rejection::PeriodMissing) };
        match self.shut_through(found.period.starts).and_then(|year| self.year_status(year)) {
            None | Some(YearStatus::Open) => Ok(()),
            Some(found) => Err(Rejection::WrongYearStatus { found, needed: "open" }),
        }
    }

    pub(super) fn begin_close(
        &self,
        fiscal_year: String,
        retained_earnings: AccountCode,
    ) -> Result<PeriodEvent, Rejection> {
        let (starts, _) = self.days_of_year(&fiscal_year).ok_or(Rejection::FiscalYearMissing)?;
        self.require_year(&fiscal_year, &[YearStatus::Open], "open")?;
        let open: Vec<&str> = self
            .periods
            .iter()
            .filter(|kept| kept.period.fiscal_year == fiscal_year && kept.status == PeriodStatus::Open)
            .map(|kept| kept.period.code.as_str())
            .collect();
        if !open.is_empty() {
            return Err(Rejection::FiscalYearPeriodsOpen(open.join(", ")));
        }
        if let Some(later) = self.later_not_open(starts) {
            return Err(Rejection::FiscalYearOrder(later.to_owned()));
        }
        let earlier = |name: &str, ends: Date| {
            ends < starts && self.shut_through(ends).is_none() && name != fiscal_year
        };
        let found = self
            .periods
            .iter()
            .map(|kept| &kept.period)
            .find(|period| earlier(&period.fiscal_year, period.ends));
        if let Some(period) = found {
            return Err(Rejection::FiscalYearOrder(period.fiscal_year.clone()));
        }
        let number = self.years.get(&fiscal_year).map_or(0, |year| year.number).saturating_add(1);
        Ok(PeriodEvent::YearCloseBegun(YearCloseBegun { fiscal_year, number, retained_earnings }))
    }

    pub(super) fn end_close(&self, fiscal_year: String, entries: u32) -> Result<PeriodEvent, Rejection> {
        let number = self.require_year(&fiscal_year, &[YearStatus::Closing], "closing")?;
        Ok(PeriodEvent::YearClosed(YearClosed { fiscal_year, number, entries }))
    }

    pub(super) fn begin_reopen(&self, fiscal_year: String, reason: String) -> Result<PeriodEvent, Rejection> {
        let (starts, _) = self.days_of_year(&fiscal_year).ok_or(Rejection::FiscalYearMissing)?;
        check_reason(&reason)?;
        // A close that broke off is taken back as well.
        let allowed = [YearStatus::Closing, YearStatus::Closed];
        let number = self.require_year(&fiscal_year, &allowed, "closing or closed")?;
        if let Some(later) = self.later_not_open(starts) {
            return Err(Rejection::FiscalYearOrder(later.to_owned()));
        }
        Ok(PeriodEvent::YearReopenBegun(YearReopenBegun { fiscal_year, number, reason }))
    }

    pub(super) fn end_reopen(&self, fiscal_year: String) -> Result<PeriodEvent, Rejection> {
        let number = self.require_year(&fiscal_year, &[YearStatus::Reopening], "reopening")?;
        Ok(PeriodEvent::YearReopened(YearReopened { fiscal_year, number }))
    }

    /// The number of the year's last closing, when it stands as it should.
    fn require_year(
        &self,
        fiscal_year: &str,
        allowed: &[YearStatus],
        needed: &'static str,
    ) -> Result<u32, Rejection> {
        let found = self.year_status(fiscal_year).ok_or(Rejection::FiscalYearMissing)?;
        if !allowed.contains(&found) {
            return Err(Rejection::WrongYearStatus { found, needed });
        }
        Ok(self.years.get(fiscal_year).map_or(0, |year| year.number))
    }

    /// A year that ends after `day` and whose result lies in equity, or is on its way.
    fn later_not_open(&self, starts: Date) -> Option<&str> {
        let later = |name: &str, year: &FiscalYear| {
            year.status != YearStatus::Open
                && self.days_of_year(name).is_some_and(|(first, _)| first > starts)
        };
        self.years.iter().find(|(name, year)| later(name, year)).map(|(name, _)| name.as_str())
    }

    pub(super) fn tell_year(&mut self, event: PeriodEvent) -> Option<()> {
        match event {
            PeriodEvent::YearCloseBegun(YearCloseBegun { fiscal_year, number, retained_earnings }) => {
                let (_, ends) = self.days_of_year(&fiscal_year)?;
                let status = YearStatus::Closing;
                let year =
                    FiscalYear { status, ends, number, retained_earnings, entries: None, reason: None };
                self.years.insert(fiscal_year, year);
            }
            PeriodEvent::YearClosed(YearClosed { fiscal_year, entries, .. }) => {
                let year = self.years.get_mut(&fiscal_year)?;
                (year.status, year.entries) = (YearStatus::Closed, Some(entries));
            }
            PeriodEvent::YearReopenBegun(YearReopenBegun { fiscal_year, reason, .. }) => {
                let year = self.years.get_mut(&fiscal_year)?;
                (year.status, year.reason) = (YearStatus::Reopening, Some(reason));
            }
            PeriodEvent::YearReopened(YearReopened { fiscal_year, .. }) => {
                self.years.get_mut(&fiscal_year)?.status = YearStatus::Open;
            }
            _ => return None,
        }
        Some(())
    }
}
