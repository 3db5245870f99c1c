//! What a document moves in the books, by the roles of accounts.

use niyam_values::{Attributes, Date, Decimal, Determination, Document, Effect, Finding, round_half_up};

use crate::accounts::{AccountCode, Chart};
use crate::ids::InvoiceId;
use crate::journal::{AMOUNT_LIMIT, Entry, JournalLine, LINES_OF_ENTRY_MAX, Lines, Side, findings_of};
use crate::money::{Currency, MoneyError};
use crate::rejection::Rejection;

#[cfg(test)]
mod tests;

/// The entry of an issued sale: the customer owes the gross, income is the net, and each added tax is owed to the
/// treasury. What the customer will withhold is part of what it owes until it shows a certificate.
///
/// Each tax goes to the role `output-tax:<its code>`, or to `output-tax` where the chart does not tell them apart. What
/// rounding to the currency's places leaves goes to the role `rounding`. A document of nothing has no entry.
///
/// # Errors
/// When the chart has no account for a role, or the entry would have too many lines or too large an amount.
pub fn post_sale(
    chart: &Chart,
    invoice_id: InvoiceId,
    (document, taxes): (&Document, &Determination),
    number: &str,
) -> Result<Option<Entry>, Rejection> {
    let currency: Currency = document.currency.parse().map_err(|error: MoneyError| {
        let finding = Finding::error("currency-unknown", error.to_string()).at("/currency");
        Rejection::Findings(vec![finding])
    })?;
    let mut posting = Posting { chart, currency, lines: Vec::new() };
    posting.add("receivable", Side::Debit, taxes.gross)?;
    posting.add("revenue", Side::Credit, taxes.net)?;
    for (code, amount) in added_taxes(taxes) {
        let own = format!("output-tax:{code}");
        let known = chart.roles.keys().any(|role| role.as_str() == own);
        posting.add(if known { &own } else { "output-tax" }, Side::Credit, amount)?;
    }
    let date = document.tax_date;
    posting.entry(date, format!("Invoice {number}"), invoice_id.to_string())
}

/// The sum of each added tax, in the order in which the lines bear them.
fn added_taxes(taxes: &Determination) -> Vec<(&str, Decimal)> {
    let mut sums: Vec<(&str, Decimal)> = Vec::new();
    let items = taxes.lines.iter().flat_map(|line| &line.taxes);
    for item in items.filter(|item| item.effect == Effect::Added) {
        match sums.iter_mut().find(|(code, _)| *code == item.code) {
            Some((_, sum)) => *sum = sum.saturating_add(item.amount),
            None => sums.push((&item.code, item.amount)),
        }
    }
    sums
}

struct Posting<'a> {
    chart: &'a Chart,
    currency: Currency,
    lines: Vec<JournalLine>,
}

impl Posting<'_> {
    /// Adds a line; a negative amount stands on the other side, and nothing makes no line.
    fn add(&mut self, role: &str, side: Side, amount: Decimal) -> Result<(), Rejection> {
        let amount = round_half_up(amount, self.currency.minor_units().into());
        if amount.is_zero() {
            return Ok(());
        }
        let account: AccountCode = self.chart.account_of(role)?.clone();
        let side = if amount < Decimal::ZERO { side.other() } else { side };
        self.lines.push(JournalLine {
            account,
            side,
            amount: amount.abs(),
            currency: self.currency,
            memo: None,
            dimensions: Attributes::new(),
        });
        Ok(())
    }

    /// Holds the entry to what anybody's is held to: its lines, and amounts whose sums are exact.
    fn check_bounds(&self) -> Result<(), Rejection> {
        let finding = if self.lines.len() > LINES_OF_ENTRY_MAX {
            Finding::error("entry-lines-count", format!("an entry has 2 to {LINES_OF_ENTRY_MAX} lines"))
        } else if self.lines.iter().any(|line| line.amount >= AMOUNT_LIMIT) {
            Finding::error("number-out-of-range", "at most 12 digits before the decimal point")
        } else {
            return Ok(());
        };
        Err(Rejection::Findings(vec![finding.at("/lines")]))
    }

    fn entry(
        mut self,
        date: Date,
        description: String,
        reference: String,
    ) -> Result<Option<Entry>, Rejection> {
        let signed = |line: &JournalLine| match line.side {
            Side::Debit => line.amount,
            Side::Credit => -line.amount,
        };
        self.check_bounds()?;
        let left: Decimal = self.lines.iter().map(signed).sum();
        self.add("rounding", Side::Credit, left)?;
        if self.lines.is_empty() {
            return Ok(None);
        }
        self.check_bounds()?;
        let lines = Lines::balanced(self.lines)
            .map_err(|unbalanced| Rejection::Findings(findings_of(&unbalanced)))?;
        Ok(Some(Entry { date, description, reference: Some(reference), lines }))
    }
}
