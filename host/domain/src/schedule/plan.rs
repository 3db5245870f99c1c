//! What a schedule posts, and when.

use jiff::ToSpan as _;
use niyam_values::{Date, Finding, with_places};
use serde::{Deserialize, Serialize};

use super::aggregate::{Occurrence, What};
use super::depreciation::Depreciation;
use crate::accounts::Chart;
use crate::journal::{Entry, JournalLine, Lines, Side};
use crate::periods::Periods;

/// How often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Every {
    /// Once in each month.
    Month,
    /// Once in each fiscal period that was opened, on its last day.
    FiscalPeriod,
}

impl Every {
    /// As written in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::FiscalPeriod => "fiscal-period",
        }
    }
}

/// An entry that comes again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recurring {
    /// How often.
    pub every: Every,
    /// The day of a month, 1 to 31; its last day when it has fewer, or when none is named.
    pub day: Option<i8>,
    /// What the entries are about.
    pub description: String,
    /// What they refer to.
    pub reference: Option<String>,
    /// What they move.
    pub lines: Lines,
}

/// What a schedule posts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Plan {
    /// An entry that comes again.
    Recurring(Recurring),
    /// The same, taken back on the first day of the next period.
    Accrual(Recurring),
    /// What an asset loses, on the last day of each month of its life.
    Depreciation(Depreciation),
}

impl Plan {
    /// As written in JSON.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Recurring(_) => "recurring",
            Self::Accrual(_) => "accrual",
            Self::Depreciation(_) => "depreciation",
        }
    }

    /// What is wrong with it, besides its accounts.
    pub(super) fn check(&self) -> Vec<Finding> {
        match self {
            Self::Depreciation(asset) => asset.check("/asset"),
            Self::Recurring(Recurring { every, day, .. }) | Self::Accrual(Recurring { every, day, .. }) => {
                let fits = match every {
                    Every::Month => day.is_none_or(|day| (1..=31).contains(&day)),
                    Every::FiscalPeriod => day.is_none(),
                };
                let message = "a day of the month is 1 to 31; a fiscal period is posted on its last day";
                let finding = || Finding::error("schedule-day-invalid", message).at("/day");
                if fits { Vec::new() } else { vec![finding()] }
            }
        }
    }

    /// What keeps its accounts from being posted to.
    pub(super) fn check_accounts(&self, chart: &Chart) -> Vec<Finding> {
        match self {
            Self::Depreciation(asset) => {
                [("expense_account", &asset.expense), ("accumulated_account", &asset.accumulated)]
                    .into_iter()
                    .filter_map(|(field, code)| {
                        chart.check_posting(code.as_str(), &format!("/asset/{field}"))
                    })
                    .collect()
            }
            Self::Recurring(Recurring { lines, .. }) | Self::Accrual(Recurring { lines, .. }) => lines
                .as_slice()
                .iter()
                .enumerate()
                .filter_map(|(index, line)| {
                    chart.check_posting(line.account.as_str(), &format!("/entry/lines/{index}/account"))
                })
                .collect(),
        }
    }

    /// Whether `self` posts the same days and amounts of depreciation as `other`: what was posted already fits both.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let when = |recurring: &Recurring| (recurring.every, recurring.day);
        match (self, other) {
            (Self::Recurring(own), Self::Recurring(other)) | (Self::Accrual(own), Self::Accrual(other)) => {
                when(own) == when(other)
            }
            (Self::Depreciation(own), Self::Depreciation(other)) => {
                own.method == other.method
                    && own.months == other.months
                    && own.amounts() == other.amounts()
                    && own.currency == other.currency
            }
            _ => false,
        }
    }

    /// All that it posts from `starts` through `through`, in order, whether posted or not. By fiscal period, it is as far as
    /// periods were opened.
    pub(super) fn occurrences(&self, starts: Date, through: Date, periods: &Periods) -> Vec<Occurrence> {
        match self {
            Self::Depreciation(asset) => asset.occurrences(starts, through),
            Self::Recurring(recurring) => recurring.occurrences(starts, through, periods),
            Self::Accrual(recurring) => {
                let entries = recurring.occurrences(starts, through, periods);
                let reversals = entries.iter().filter_map(|entry| {
                    let date = recurring.next_period(entry, periods)?;
                    Some(Occurrence { key: entry.key.clone(), date, what: What::Reversal })
                });
                let mut all: Vec<_> = reversals.chain(entries.iter().cloned()).collect();
                all.retain(|occurrence| occurrence.date <= through);
                all.sort_by(|one, other| (one.date, &one.key).cmp(&(other.date, &other.key)));
                all
            }
        }
    }
}

impl Recurring {
    fn occurrences(&self, starts: Date, through: Date, periods: &Periods) -> Vec<Occurrence> {
        let mut found = Vec::new();
        match self.every {
            Every::Month => {
                for first in months(starts, through) {
                    let last = first.last_of_month();
                    let day = self.day.map_or(last.day(), |day| day.clamp(1, last.day()));
                    let date = Date::new(first.year(), first.month(), day).unwrap_or(last);
                    if starts <= date && date <= through {
                        found.push(self.occurrence(month_key(first), date));
                    }
                }
            }
            Every::FiscalPeriod => {
                let all = periods.periods.iter().map(|kept| &kept.period);
                for period in all.filter(|period| starts <= period.ends && period.ends <= through) {
                    found.push(self.occurrence(period.code.clone(), period.ends));
                }
            }
        }
        found
    }

    fn occurrence(&self, key: String, date: Date) -> Occurrence {
        let (description, reference) = (self.description.clone(), self.reference.clone());
        let entry = Entry { date, description, reference, lines: self.lines.clone() };
        Occurrence { key, date, what: What::Entry(Box::new(entry)) }
    }

    /// The first day after the month or the fiscal period of `entry`.
    fn next_period(&self, entry: &Occurrence, periods: &Periods) -> Option<Date> {
        let last = match self.every {
            Every::Month => entry.date.last_of_month(),
            Every::FiscalPeriod => periods.find(&entry.key).map_or(entry.date, |kept| kept.period.ends),
        };
        last.tomorrow().ok()
    }
}

impl Depreciation {
    fn occurrences(&self, starts: Date, through: Date) -> Vec<Occurrence> {
        let months = months(starts, through);
        let due = months
            .zip(self.amounts())
            .filter(|(first, amount)| !amount.is_zero() && first.last_of_month() <= through);
        due.filter_map(|(first, amount)| {
            let line = |account: &crate::accounts::AccountCode, side| JournalLine {
                account: account.clone(),
                side,
                amount: with_places(amount, self.currency.minor_units().into()),
                currency: self.currency,
                memo: None,
                dimensions: self.dimensions.clone(),
            };
            let lines = vec![line(&self.expense, Side::Debit), line(&self.accumulated, Side::Credit)];
            // The two lines are of one amount: they balance.
            let lines = Lines::balanced(lines).ok()?;
            let date = first.last_of_month();
            let entry = Entry { date, description: self.description.clone(), reference: None, lines };
            Some(Occurrence { key: month_key(first), date, what: What::Entry(Box::new(entry)) })
        })
        .collect()
    }
}

/// The first days of the months from that of `starts` to that of `through`.
fn months(starts: Date, through: Date) -> impl Iterator<Item = Date> {
    let first = starts.first_of_month();
    first.series(1.month()).take_while(move |month| *month <= through)
}

fn month_key(first: Date) -> String {
    format!("{:04}-{:02}", first.year(), first.month())
}
