//! The entries that move a fiscal year's income and expense into retained earnings.
//!
//! Made of sums, not of lines, and the same for the same sums: whoever breaks off and begins again makes the same entries.
//! What lines bear of dimensions is closed apart, so that the balance sheet of a branch balances as well.

use std::collections::BTreeMap;

use niyam_values::{Attributes, Date, Decimal, Finding, with_places};

use crate::accounts::{AccountClass, AccountCode, Chart};
use crate::journal::{
    AMOUNT_LIMIT, Entry, JournalLine, LINES_OF_ENTRY_MAX, Lines, Side, Unbalanced, findings_of,
};
use crate::money::Currency;
use crate::rejection::Rejection;
use crate::reports::Balances;

#[cfg(test)]
mod tests;

/// Most bytes of an entry's lines, as reckoned: an event holds twice as many.
const BYTES_OF_ENTRY_MAX: usize = 512 * 1024;
/// Bytes of a line without its dimensions.
const BYTES_OF_LINE: usize = 256;

/// The account that takes the result of a year.
///
/// # Errors
/// When the chart has none of that role, or it is not one of equity that takes postings.
pub fn retained_earnings(chart: &Chart) -> Result<AccountCode, Rejection> {
    let code = chart.account_of("retained-earnings")?;
    let refuse = |finding: Finding| Err(Rejection::Findings(vec![finding]));
    if let Some(finding) = chart.check_posting(code.as_str(), "/account") {
        return refuse(Finding { pointer: None, ..finding });
    }
    if chart.accounts.get(code).is_none_or(|account| account.class != AccountClass::Equity) {
        let message = format!("the result of a year goes into equity, and {code} is none");
        return refuse(Finding::error("retained-earnings-not-equity", message));
    }
    Ok(code.clone())
}

/// A currency, and what lines bear of dimensions, by name.
type Group = (&'static str, Vec<(String, String)>);

/// What each account of income and expense holds at the end of a year: debits less credits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClosingSums(BTreeMap<Group, BTreeMap<AccountCode, Decimal>>);

impl ClosingSums {
    /// Of the accounts of income and expense in `held`, as if no line bore a dimension.
    #[must_use]
    pub fn of(chart: &Chart, held: &Balances) -> Self {
        let mut sums = Self::default();
        for currency in held.currencies() {
            for (account, turnover) in held.of(currency) {
                if is_result(chart, account) {
                    sums.add((currency, Vec::new()), account, turnover.balance());
                }
            }
        }
        sums
    }

    /// Takes `balance`, which lines with those dimensions hold, away from what bears none.
    pub fn bearing(
        &mut self,
        chart: &Chart,
        account: &AccountCode,
        currency: Currency,
        dimensions: Vec<(String, String)>,
        balance: Decimal,
    ) {
        let mut dimensions = dimensions;
        dimensions.sort_unstable();
        if dimensions.is_empty() || !is_result(chart, account) {
            return;
        }
        self.add((currency.code(), Vec::new()), account, -balance);
        self.add((currency.code(), dimensions), account, balance);
    }

    /// The accounts, each once.
    #[must_use]
    pub fn accounts(&self) -> Vec<AccountCode> {
        let mut all: Vec<&AccountCode> = self.0.values().flat_map(BTreeMap::keys).collect();
        all.sort_unstable();
        all.dedup();
        all.into_iter().cloned().collect()
    }

    fn add(&mut self, group: Group, account: &AccountCode, balance: Decimal) {
        let sum = self.0.entry(group).or_default().entry(account.clone()).or_default();
        *sum = sum.saturating_add(balance);
    }

    /// The entries that leave nothing on those accounts, for the last day of the year. None when there is nothing.
    ///
    /// # Errors
    /// When an amount has more places than its currency, which no line can have.
    pub fn entries(
        &self,
        fiscal_year: &str,
        day: Date,
        retained_earnings: &AccountCode,
    ) -> Result<Vec<Entry>, Rejection> {
        let mut entries = Vec::new();
        let (mut lines, mut bytes) = (Vec::new(), 0);
        let mut end = |lines: &mut Vec<JournalLine>| -> Result<(), Rejection> {
            if lines.is_empty() {
                return Ok(());
            }
            let lines = Lines::balanced(std::mem::take(lines))
                .map_err(|unbalanced: Vec<Unbalanced>| Rejection::Findings(findings_of(&unbalanced)))?;
            entries.push(Entry {
                date: day,
                description: format!("Closing of fiscal year {fiscal_year}"),
                reference: Some(fiscal_year.chars().take(64).collect()),
                lines,
            });
            Ok(())
        };
        for ((currency, dimensions), accounts) in &self.0 {
            let currency: Currency = currency.parse().map_err(|_| unknown_currency())?;
            let of = Block { currency, dimensions, retained_earnings };
            for block in of.blocks(accounts) {
                let more = block.len() * of.line_bytes();
                if lines.len() + block.len() > LINES_OF_ENTRY_MAX || bytes + more > BYTES_OF_ENTRY_MAX {
                    end(&mut lines)?;
                    bytes = 0;
                }
                bytes += more;
                lines.extend(block);
            }
        }
        end(&mut lines)?;
        Ok(entries)
    }
}

fn is_result(chart: &Chart, account: &AccountCode) -> bool {
    let class = chart.accounts.get(account).map(|account| account.class);
    matches!(class, Some(AccountClass::Income | AccountClass::Expense))
}

fn unknown_currency() -> Rejection {
    Rejection::Findings(vec![Finding::error("currency-unknown", "a currency is a code of ISO 4217")])
}

/// Lines of one currency and one set of dimensions.
struct Block<'a> {
    currency: Currency,
    dimensions: &'a [(String, String)],
    retained_earnings: &'a AccountCode,
}

impl Block<'_> {
    /// At most so many bytes has a line, whatever has to be escaped in it.
    fn line_bytes(&self) -> usize {
        let pair = |(name, value): &(String, String)| 2 * (name.len() + value.len()) + 6;
        BYTES_OF_LINE + self.dimensions.iter().map(pair).sum::<usize>()
    }

    /// Lines that balance by themselves, at most an entry's in each block.
    fn blocks(&self, accounts: &BTreeMap<AccountCode, Decimal>) -> Vec<Vec<JournalLine>> {
        let mut blocks = Vec::new();
        let most = (BYTES_OF_ENTRY_MAX / self.line_bytes()).clamp(2, LINES_OF_ENTRY_MAX);
        let (mut lines, mut left) = (Vec::new(), Decimal::ZERO);
        for (account, balance) in accounts {
            for part in parts(*balance, self.currency) {
                let after = left.saturating_add(part);
                if lines.len() + 1 + lines_for(after, self.currency) > most {
                    blocks.push(self.ended(std::mem::take(&mut lines), left));
                    left = Decimal::ZERO;
                }
                // What an account holds is taken away on the other side.
                lines.push(self.line(account, -part));
                left = left.saturating_add(part);
            }
        }
        if !lines.is_empty() {
            blocks.push(self.ended(lines, left));
        }
        blocks
    }

    fn ended(&self, mut lines: Vec<JournalLine>, left: Decimal) -> Vec<JournalLine> {
        lines.extend(
            parts(left, self.currency).into_iter().map(|part| self.line(self.retained_earnings, part)),
        );
        lines
    }

    fn line(&self, account: &AccountCode, balance: Decimal) -> JournalLine {
        JournalLine {
            account: account.clone(),
            side: if balance > Decimal::ZERO { Side::Debit } else { Side::Credit },
            amount: with_places(balance.abs(), self.currency.minor_units().into()),
            currency: self.currency,
            memo: None,
            dimensions: self.dimensions.iter().cloned().collect::<Attributes>(),
        }
    }
}

/// How many lines `balance` takes.
fn lines_for(balance: Decimal, currency: Currency) -> usize {
    let most = most_of_line(currency);
    let lines = (balance.abs() / most).ceil();
    usize::try_from(lines).unwrap_or(usize::MAX)
}

/// The largest amount that a line may hold.
fn most_of_line(currency: Currency) -> Decimal {
    AMOUNT_LIMIT.saturating_sub(Decimal::new(1, currency.minor_units().into()))
}

/// `balance` in parts that a line may hold each; none when it is zero.
fn parts(balance: Decimal, currency: Currency) -> Vec<Decimal> {
    let most = most_of_line(currency);
    let sign = if balance < Decimal::ZERO { -Decimal::ONE } else { Decimal::ONE };
    let mut left = balance.abs();
    let mut parts = Vec::new();
    while left > Decimal::ZERO {
        let part = left.min(most);
        parts.push(part * sign);
        left = left.saturating_sub(part);
    }
    parts
}
