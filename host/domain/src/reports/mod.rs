//! What the books say: reports computed from the lines of posted entries.
//!
//! Pure: whoever sums the lines, from a list in memory or from a database, gets the same reports of the same sums.
//! Nothing is rounded, and no two currencies are added up.
//!
//! 1. [`balances`]: which lines count, and their sums by account.
//! 2. [`trial_balance`], [`statements`], [`cash_flow`]: reports made of such sums.
//! 3. [`ledger`]: the running balance of an account. [`aging`]: how old what is owed is.

mod aging;
mod balances;
mod cash_flow;
mod ledger;
mod statements;
mod trial_balance;

pub use aging::{AgeBand, Aged, age};
pub use balances::{Balances, Cut, PostedLine, Turnover};
pub use cash_flow::{Activity, CashFlow, Flow, activity, cash_flow};
pub use ledger::Running;
pub use statements::{
    BalanceSheet, ProfitAndLoss, Section, StatementRow, UnknownAccount, balance_sheet, profit_and_loss,
};
pub use trial_balance::{TrialBalance, TrialRow, trial_balance};

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
