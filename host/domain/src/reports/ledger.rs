//! The running balance of one account, in each of its currencies.

use std::collections::BTreeMap;

use niyam_values::Decimal;

use crate::accounts::AccountCode;
use crate::reports::balances::{Balances, Turnover};

/// What an account holds, line by line: debits less credits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Running(BTreeMap<&'static str, Decimal>);

impl Running {
    /// What `account` holds by `before`.
    #[must_use]
    pub fn from(before: &Balances, account: &AccountCode) -> Self {
        let held = |currency| (currency, before.account(currency, account).balance());
        Self(before.currencies().map(held).collect())
    }

    /// Adds a line; what the account holds then.
    pub fn step(&mut self, currency: &'static str, line: Turnover) -> Decimal {
        let held = self.0.entry(currency).or_default();
        *held = held.saturating_add(line.balance());
        *held
    }

    /// What it holds in each currency.
    pub fn held(&self) -> impl Iterator<Item = (&'static str, Decimal)> {
        self.0.iter().map(|(currency, held)| (*currency, *held))
    }
}
