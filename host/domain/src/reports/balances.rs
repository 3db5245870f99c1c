//! Sums of posted lines by currency and account.

use std::collections::BTreeMap;

use jiff::Timestamp;
use niyam_values::{Date, Decimal};

use crate::accounts::AccountCode;
use crate::journal::{EntryPosted, JournalLine, Side};
use crate::money::Currency;

/// A line that counts, with what reports ask of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostedLine {
    /// The account.
    pub account: AccountCode,
    /// Of what.
    pub currency: Currency,
    /// The day for which it counts.
    pub date: Date,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// The amount, on one of the sides.
    pub turnover: Turnover,
    /// Whether it moves the result of a year into equity.
    pub is_closing: bool,
}

impl PostedLine {
    /// The lines of `posted`, in order. A mirror closes a year if what it takes back does.
    #[must_use]
    pub fn of(posted: &EntryPosted, recorded_at: Timestamp, is_closing: bool) -> Vec<Self> {
        let line = |line: &JournalLine| Self {
            account: line.account.clone(),
            currency: line.currency,
            date: posted.entry.date,
            recorded_at,
            turnover: Turnover::of(line),
            is_closing,
        };
        posted.entry.lines.as_slice().iter().map(line).collect()
    }
}

/// Debits and credits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Turnover {
    /// Sum of the debits.
    pub debit: Decimal,
    /// Sum of the credits.
    pub credit: Decimal,
}

impl Turnover {
    /// The amount of `line`.
    #[must_use]
    pub fn of(line: &JournalLine) -> Self {
        match line.side {
            Side::Debit => Self { debit: line.amount, credit: Decimal::ZERO },
            Side::Credit => Self { debit: Decimal::ZERO, credit: line.amount },
        }
    }

    /// Debits less credits.
    #[must_use]
    pub fn balance(self) -> Decimal {
        self.debit.saturating_sub(self.credit)
    }

    /// Both sums. Amounts have 12 digits before the point, so that no sum of lines that fits a disk is out of range.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            debit: self.debit.saturating_add(other.debit),
            credit: self.credit.saturating_add(other.credit),
        }
    }
}

/// Which lines a report counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cut {
    /// The first day; all that came before when absent.
    pub from: Option<Date>,
    /// The last day; all that comes after when absent.
    pub until: Option<Date>,
    /// Only what was recorded by then; all when absent.
    pub known_at: Option<Timestamp>,
    /// Leaves out what moves the result of a year into equity.
    pub without_closing: bool,
}

impl Cut {
    /// Whether the cut holds `line`.
    #[must_use]
    pub fn holds(&self, line: &PostedLine) -> bool {
        self.from.is_none_or(|from| line.date >= from)
            && self.until.is_none_or(|until| line.date <= until)
            && self.known_at.is_none_or(|known_at| line.recorded_at <= known_at)
            && !(self.without_closing && line.is_closing)
    }
}

/// Sums by currency and account, of those accounts alone that have a line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Balances(BTreeMap<&'static str, BTreeMap<AccountCode, Turnover>>);

impl Balances {
    /// The sums of those of `lines` that `cut` holds.
    #[must_use]
    pub fn fold<'a>(lines: impl IntoIterator<Item = &'a PostedLine>, cut: &Cut) -> Self {
        let mut balances = Self::default();
        for line in lines.into_iter().filter(|line| cut.holds(line)) {
            balances.add(line.currency, &line.account, line.turnover);
        }
        balances
    }

    /// Adds a sum.
    pub fn add(&mut self, currency: Currency, account: &AccountCode, turnover: Turnover) {
        let accounts = self.0.entry(currency.code()).or_default();
        match accounts.get_mut(account) {
            Some(sum) => *sum = sum.plus(turnover),
            None => {
                accounts.insert(account.clone(), turnover);
            }
        }
    }

    /// These sums and `others`.
    #[must_use]
    pub fn plus(mut self, others: &Self) -> Self {
        for (currency, accounts) in &others.0 {
            let own = self.0.entry(currency).or_default();
            for (account, turnover) in accounts {
                let sum = own.entry(account.clone()).or_default();
                *sum = sum.plus(*turnover);
            }
        }
        self
    }

    /// The currencies, in the order of their codes.
    pub fn currencies(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }

    /// The accounts of a currency with their sums, in the order of their codes.
    pub fn of(&self, currency: &str) -> impl Iterator<Item = (&AccountCode, Turnover)> {
        self.0.get(currency).into_iter().flatten().map(|(account, turnover)| (account, *turnover))
    }

    /// What an account moved in a currency.
    #[must_use]
    pub fn account(&self, currency: &str, account: &AccountCode) -> Turnover {
        self.0.get(currency).and_then(|accounts| accounts.get(account)).copied().unwrap_or_default()
    }

    /// Every account that has a line, each once.
    pub fn accounts(&self) -> impl Iterator<Item = &AccountCode> {
        let mut all: Vec<&AccountCode> = self.0.values().flat_map(BTreeMap::keys).collect();
        all.sort_unstable();
        all.dedup();
        all.into_iter()
    }
}
