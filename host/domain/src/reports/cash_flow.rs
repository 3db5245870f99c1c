//! Cash flow, by the indirect method: the profit, and what else moved so that cash moved otherwise.
//!
//! What an account's movement belongs to is said by its roles, as IAS 7 tells activities apart: no code is wired in.

use std::collections::BTreeSet;

use niyam_values::Decimal;

use crate::accounts::{AccountClass, AccountCode, Chart};
use crate::reports::balances::Balances;
use crate::reports::statements::UnknownAccount;

/// Roles of what is cash, or as good as cash (IAS 7.6).
const CASH: [&str; 4] = ["cash", "bank", "cheques-in-hand", "wallet"];
/// Roles of what is acquired to be kept for years (IAS 7.16).
const INVESTING: [&str; 1] = ["property"];
/// Roles of what lenders gave (IAS 7.17).
const FINANCING: [&str; 1] = ["loan"];

/// What an account's movement belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// It is cash.
    Cash,
    /// It earns or spends, and so is in the profit.
    Profit,
    /// What the tenant does day by day.
    Operating,
    /// Buying and selling what is kept for years.
    Investing,
    /// Owners and lenders.
    Financing,
}

/// What an account did to cash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// The account.
    pub account: AccountCode,
    /// Above zero where cash came in.
    pub amount: Decimal,
}

/// Where cash came from and went, in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CashFlow {
    /// The currency.
    pub currency: &'static str,
    /// Income less expenses.
    pub profit: Decimal,
    /// What of the profit was not cash, and what was cash and not of the profit.
    pub operating: Vec<Flow>,
    /// What was bought to be kept, and sold.
    pub investing: Vec<Flow>,
    /// What owners and lenders gave and got.
    pub financing: Vec<Flow>,
    /// Cash before.
    pub opening: Decimal,
    /// What it moved: the profit and all flows.
    pub change: Decimal,
    /// Cash afterwards.
    pub closing: Decimal,
}

impl CashFlow {
    /// The profit and the flows of day-to-day business.
    #[must_use]
    pub fn from_operating(&self) -> Decimal {
        self.profit.saturating_add(sum(&self.operating))
    }

    /// Sum of the flows of what is kept.
    #[must_use]
    pub fn from_investing(&self) -> Decimal {
        sum(&self.investing)
    }

    /// Sum of the flows of owners and lenders.
    #[must_use]
    pub fn from_financing(&self) -> Decimal {
        sum(&self.financing)
    }
}

fn sum(flows: &[Flow]) -> Decimal {
    flows.iter().fold(Decimal::ZERO, |sum, flow| sum.saturating_add(flow.amount))
}

/// What the movement of `account` belongs to.
///
/// # Errors
/// When it is not in the chart.
pub fn activity(chart: &Chart, account: &AccountCode) -> Result<Activity, UnknownAccount> {
    let class = chart.accounts.get(account).ok_or_else(|| UnknownAccount(account.clone()))?.class;
    let has = |names: &[&str]| {
        chart.roles.iter().filter(|(_, of)| *of == account).any(|(role, _)| {
            let name = role.as_str().split(':').next().unwrap_or_default();
            names.contains(&name)
        })
    };
    Ok(match class {
        AccountClass::Income | AccountClass::Expense => Activity::Profit,
        AccountClass::Asset if has(&CASH) => Activity::Cash,
        AccountClass::Asset if has(&INVESTING) => Activity::Investing,
        AccountClass::Liability if has(&FINANCING) => Activity::Financing,
        AccountClass::Asset | AccountClass::Liability => Activity::Operating,
        AccountClass::Equity => Activity::Financing,
    })
}

/// The cash flows of what was before and what moved then, one for each currency. The movements are to be without closing
/// entries, which move no cash.
///
/// # Errors
/// When an account is not in the chart.
pub fn cash_flow(
    chart: &Chart,
    opening: &Balances,
    period: &Balances,
) -> Result<Vec<CashFlow>, UnknownAccount> {
    let currencies: BTreeSet<&'static str> = opening.currencies().chain(period.currencies()).collect();
    currencies.into_iter().map(|currency| of_currency(chart, currency, opening, period)).collect()
}

fn of_currency(
    chart: &Chart,
    currency: &'static str,
    opening: &Balances,
    period: &Balances,
) -> Result<CashFlow, UnknownAccount> {
    let mut flows = CashFlow {
        currency,
        profit: Decimal::ZERO,
        operating: Vec::new(),
        investing: Vec::new(),
        financing: Vec::new(),
        opening: Decimal::ZERO,
        change: Decimal::ZERO,
        closing: Decimal::ZERO,
    };
    for (account, turnover) in opening.of(currency) {
        if activity(chart, account)? == Activity::Cash {
            flows.opening = flows.opening.saturating_add(turnover.balance());
        }
    }
    for (account, turnover) in period.of(currency) {
        // What is credited elsewhere is debited to cash in the end.
        let amount = -turnover.balance();
        let flow = || Flow { account: account.clone(), amount };
        match activity(chart, account)? {
            Activity::Cash => {}
            Activity::Profit => flows.profit = flows.profit.saturating_add(amount),
            _ if amount.is_zero() => {}
            Activity::Operating => flows.operating.push(flow()),
            Activity::Investing => flows.investing.push(flow()),
            Activity::Financing => flows.financing.push(flow()),
        }
    }
    flows.change =
        flows.from_operating().saturating_add(flows.from_investing()).saturating_add(flows.from_financing());
    flows.closing = flows.opening.saturating_add(flows.change);
    Ok(flows)
}
