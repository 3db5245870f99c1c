//! Profit and loss, and the balance sheet: accounts by class, below the headers of the chart.

use std::collections::{BTreeMap, BTreeSet};

use niyam_values::Decimal;

use crate::accounts::{AccountClass, AccountCode, AccountKind, Chart};
use crate::reports::balances::Balances;

/// Lines of an account that the chart does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the chart of accounts has no account {0}, to which lines were posted")]
pub struct UnknownAccount(pub AccountCode);

/// An account or a header of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementRow {
    /// The account.
    pub account: AccountCode,
    /// How many headers stand above it.
    pub level: usize,
    /// Header or posting.
    pub kind: AccountKind,
    /// Of a header the sum of what stands below it. Above zero on the side on which its class stands.
    pub amount: Decimal,
}

/// The accounts of one class that have lines, each below its headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// The class.
    pub class: AccountClass,
    /// Headers before what stands below them.
    pub rows: Vec<StatementRow>,
    /// Sum of the accounts.
    pub total: Decimal,
}

/// What was earned and spent, in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfitAndLoss {
    /// The currency.
    pub currency: &'static str,
    /// What was earned.
    pub income: Section,
    /// What was spent.
    pub expenses: Section,
    /// Income less expenses.
    pub profit: Decimal,
}

/// What is there, what is owed, and what is the owners', in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BalanceSheet {
    /// The currency.
    pub currency: &'static str,
    /// What is there.
    pub assets: Section,
    /// What is owed.
    pub liabilities: Section,
    /// What is the owners', as posted.
    pub equity: Section,
    /// Profit of years that no entry moved into equity yet.
    pub unclosed_profit: Decimal,
    /// Liabilities, equity and the unclosed profit: equals the assets.
    pub financed: Decimal,
}

/// Profit and loss of what `period` holds, one for each currency. It is to be without closing entries.
///
/// # Errors
/// When an account is not in the chart.
pub fn profit_and_loss(chart: &Chart, period: &Balances) -> Result<Vec<ProfitAndLoss>, UnknownAccount> {
    let tree = Tree::of(chart, period)?;
    let of = |currency| {
        let income = tree.section(currency, AccountClass::Income);
        let expenses = tree.section(currency, AccountClass::Expense);
        let profit = income.total.saturating_sub(expenses.total);
        ProfitAndLoss { currency, income, expenses, profit }
    };
    let moved = |found: &ProfitAndLoss| !(found.income.rows.is_empty() && found.expenses.rows.is_empty());
    Ok(period.currencies().map(of).filter(moved).collect())
}

/// The balance sheets of all that was posted until a day, one for each currency.
///
/// # Errors
/// When an account is not in the chart.
pub fn balance_sheet(chart: &Chart, until: &Balances) -> Result<Vec<BalanceSheet>, UnknownAccount> {
    let tree = Tree::of(chart, until)?;
    let of = |currency| {
        let assets = tree.section(currency, AccountClass::Asset);
        let liabilities = tree.section(currency, AccountClass::Liability);
        let equity = tree.section(currency, AccountClass::Equity);
        let income = tree.section(currency, AccountClass::Income).total;
        let unclosed_profit = income.saturating_sub(tree.section(currency, AccountClass::Expense).total);
        let financed = liabilities.total.saturating_add(equity.total).saturating_add(unclosed_profit);
        BalanceSheet { currency, assets, liabilities, equity, unclosed_profit, financed }
    };
    Ok(until.currencies().map(of).collect())
}

/// `balance`, debits less credits, as its class tells it.
pub(crate) fn natural(class: AccountClass, balance: Decimal) -> Decimal {
    match class {
        AccountClass::Asset | AccountClass::Expense => balance,
        AccountClass::Liability | AccountClass::Equity | AccountClass::Income => -balance,
    }
}

/// The accounts that have lines, and where they stand in the chart.
struct Tree<'a> {
    chart: &'a Chart,
    balances: &'a Balances,
    /// The headers above each account, from the top, and the account itself.
    paths: BTreeMap<&'a AccountCode, Vec<&'a AccountCode>>,
}

impl<'a> Tree<'a> {
    fn of(chart: &'a Chart, balances: &'a Balances) -> Result<Self, UnknownAccount> {
        let mut paths = BTreeMap::new();
        for account in balances.accounts() {
            paths.insert(account, path(chart, account)?);
        }
        Ok(Self { chart, balances, paths })
    }

    fn section(&self, currency: &str, class: AccountClass) -> Section {
        let mut total = Decimal::ZERO;
        let mut sums: BTreeMap<&AccountCode, Decimal> = BTreeMap::new();
        let mut order: BTreeSet<&[&AccountCode]> = BTreeSet::new();
        for (account, turnover) in self.balances.of(currency) {
            let is_of_class = self.chart.accounts.get(account).is_some_and(|found| found.class == class);
            let Some(path) = self.paths.get(account).filter(|_| is_of_class) else { continue };
            let amount = natural(class, turnover.balance());
            total = total.saturating_add(amount);
            for (level, above) in path.iter().enumerate() {
                let sum = sums.entry(above).or_default();
                *sum = sum.saturating_add(amount);
                order.insert(&path[..=level]);
            }
        }
        let row = |path: &[&AccountCode]| {
            let account = *path.last()?;
            let kind = self.chart.accounts.get(account)?.kind;
            let amount = sums.get(account).copied().unwrap_or_default();
            Some(StatementRow { account: account.clone(), level: path.len() - 1, kind, amount })
        };
        Section { class, rows: order.into_iter().filter_map(row).collect(), total }
    }
}

/// The headers above `account`, from the top, and the account itself.
fn path<'a>(chart: &'a Chart, account: &'a AccountCode) -> Result<Vec<&'a AccountCode>, UnknownAccount> {
    let mut path = vec![account];
    let mut at = chart.accounts.get(account).ok_or_else(|| UnknownAccount(account.clone()))?;
    // A chart has no circle; were there one, the walk ends all the same.
    while let Some(parent) = at.parent.as_ref().filter(|_| path.len() <= chart.accounts.len()) {
        let Some(header) = chart.accounts.get(parent) else { break };
        path.push(parent);
        at = header;
    }
    path.reverse();
    Ok(path)
}
