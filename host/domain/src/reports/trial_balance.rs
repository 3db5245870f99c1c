//! The trial balance: every account with what it held before, moved, and holds.

use std::collections::BTreeSet;

use niyam_values::Decimal;

use crate::accounts::AccountCode;
use crate::reports::balances::{Balances, Turnover};

/// A trial balance in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialBalance {
    /// The currency.
    pub currency: &'static str,
    /// In the order of the accounts' codes.
    pub rows: Vec<TrialRow>,
    /// Sums of the debits and of the credits of the period.
    pub turnover: Turnover,
    /// Sums of the balances on the left and on the right.
    pub closing: Turnover,
}

/// An account of a trial balance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialRow {
    /// The account.
    pub account: AccountCode,
    /// What it held before: debits less credits.
    pub opening: Decimal,
    /// What it moved.
    pub turnover: Turnover,
    /// What it holds, on one of the sides.
    pub closing: Turnover,
}

/// The trial balances of what was before and what moved then, one for each currency.
#[must_use]
pub fn trial_balance(opening: &Balances, period: &Balances) -> Vec<TrialBalance> {
    let currencies: BTreeSet<&str> = opening.currencies().chain(period.currencies()).collect();
    currencies.into_iter().map(|currency| of_currency(currency, opening, period)).collect()
}

fn of_currency(currency: &'static str, opening: &Balances, period: &Balances) -> TrialBalance {
    let accounts: BTreeSet<&AccountCode> =
        opening.of(currency).chain(period.of(currency)).map(|(account, _)| account).collect();
    let mut turnover = Turnover::default();
    let mut closing = Turnover::default();
    let mut rows = Vec::with_capacity(accounts.len());
    for account in accounts {
        let before = opening.account(currency, account).balance();
        let moved = period.account(currency, account);
        let held = sided(before.saturating_add(moved.balance()));
        turnover = turnover.plus(moved);
        closing = closing.plus(held);
        rows.push(TrialRow { account: account.clone(), opening: before, turnover: moved, closing: held });
    }
    TrialBalance { currency, rows, turnover, closing }
}

/// A balance on the side on which it stands.
fn sided(balance: Decimal) -> Turnover {
    if balance < Decimal::ZERO {
        Turnover { debit: Decimal::ZERO, credit: -balance }
    } else {
        Turnover { debit: balance, credit: Decimal::ZERO }
    }
}
