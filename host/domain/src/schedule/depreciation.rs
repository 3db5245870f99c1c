//! What an asset loses each month, to the last minor unit, and never below what it is worth in the end.

use niyam_values::{Attributes, Decimal, Finding, round_half_up};
use serde::{Deserialize, Serialize};

use crate::accounts::AccountCode;
use crate::journal::{AMOUNT_LIMIT, fit};
use crate::money::Currency;

/// Most months of an asset's life: a hundred years.
const MONTHS_MAX: u32 = 1_200;
/// Most decimal places of a rate.
const RATE_PLACES_MAX: u32 = 6;
/// Most characters of what the entries are about.
const DESCRIPTION_LENGTH_MAX: usize = 500;
const MONTHS_OF_YEAR: u32 = 12;

/// How an asset loses its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// The same each month.
    StraightLine,
    /// Each year a part of what it was worth when the year began, the same in each month of it.
    DecliningBalance,
}

impl Method {
    /// As written in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StraightLine => "straight-line",
            Self::DecliningBalance => "declining-balance",
        }
    }
}

/// An asset that loses value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Depreciation {
    /// How.
    pub method: Method,
    /// What it cost.
    pub cost: Decimal,
    /// What it is worth in the end.
    pub salvage: Decimal,
    /// Its useful life.
    pub months: u32,
    /// Percent of a year, when its balance declines.
    pub rate: Option<Decimal>,
    /// Of what.
    pub currency: Currency,
    /// Where the loss is spent.
    pub expense: AccountCode,
    /// Where it is gathered.
    pub accumulated: AccountCode,
    /// What the entries are about.
    pub description: String,
    /// Branch, project, cost centre …
    pub dimensions: Attributes,
}

impl Depreciation {
    /// What is wrong with its numbers.
    pub(super) fn check(&self, at: &str) -> Vec<Finding> {
        const INVALID: &str = "depreciation-invalid";
        let mut findings = Vec::new();
        let mut refuse = |field: &str, rule: &str, message: &str| {
            findings.push(Finding::error(rule, message).at(format!("{at}/{field}")));
        };
        for (field, amount) in [("cost", self.cost), ("salvage", self.salvage)] {
            if amount >= AMOUNT_LIMIT {
                refuse(field, "number-out-of-range", "at most 12 digits before the decimal point");
            }
            if amount.normalize().scale() > self.currency.minor_units().into() {
                let message = format!("{} has {} decimal places", self.currency, self.currency.minor_units());
                refuse(field, "amount-too-precise", &message);
            }
        }
        if self.description.trim().is_empty()
            || self.description.chars().count() > DESCRIPTION_LENGTH_MAX
            || self.description.chars().any(char::is_control)
        {
            refuse("description", "text-invalid", "1 to 500 printable characters");
        }
        if !fit(&self.dimensions) {
            refuse("dimensions", "dimension-invalid", "at most 20, named by letters, digits, - and _");
        }
        if self.salvage < Decimal::ZERO {
            refuse("salvage", INVALID, "an asset is worth nothing in the end, or more");
        }
        if self.cost <= self.salvage {
            refuse("cost", INVALID, "an asset costs more than it is worth in the end");
        }
        if !(1..=MONTHS_MAX).contains(&self.months) {
            refuse("months", INVALID, "a useful life has 1 to 1200 months");
        }
        let fits = |rate: Decimal| {
            rate > Decimal::ZERO
                && rate <= Decimal::ONE_HUNDRED
                && rate.normalize().scale() <= RATE_PLACES_MAX
        };
        match (self.method, self.rate) {
            (Method::StraightLine, None) => {}
            (Method::DecliningBalance, Some(rate)) if fits(rate) => {}
            (Method::StraightLine, Some(_)) => refuse("rate", INVALID, "a straight line has no rate"),
            (Method::DecliningBalance, _) => {
                refuse(
                    "rate",
                    INVALID,
                    "a declining balance has a rate above 0 and up to 100 percent of a year",
                );
            }
        }
        findings
    }

    /// What is lost in each month of its life; the last one takes what is left above the salvage value. A month may lose
    /// nothing when little is left.
    #[must_use]
    pub fn amounts(&self) -> Vec<Decimal> {
        let places = self.currency.minor_units().into();
        let mut left = self.cost.saturating_sub(self.salvage);
        let total = left;
        let mut year = Decimal::ZERO;
        let mut amounts = Vec::new();
        for month in 0..self.months {
            let wanted = match self.method {
                Method::StraightLine => round_half_up(total / Decimal::from(self.months), places),
                Method::DecliningBalance => {
                    if month % MONTHS_OF_YEAR == 0 {
                        let worth = self.salvage.saturating_add(left);
                        let percent = self.rate.unwrap_or_default() / Decimal::ONE_HUNDRED;
                        year = round_half_up(worth * percent / Decimal::from(MONTHS_OF_YEAR), places);
                    }
                    year
                }
            };
            let amount = if month + 1 == self.months { left } else { wanted.min(left) };
            left = left.saturating_sub(amount);
            amounts.push(amount);
        }
        amounts
    }
}
