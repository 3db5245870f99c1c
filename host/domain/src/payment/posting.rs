//! The entries of payments, by the roles of accounts. Amounts are exact: nothing is rounded.

use niyam_values::{Attributes, Date, Decimal, Finding};

use crate::accounts::{AccountCode, Chart};
use crate::journal::{Entry, JournalLine, Lines, Side, findings_of};
use crate::money::Currency;
use crate::payment::method::{PaymentDirection, PaymentMethod};
use crate::payment::terms::{Allocation, OpenSide, PaymentTerms};
use crate::rejection::Rejection;

/// The role of received cheques that no bank has paid.
const CHEQUES_IN_HAND: &str = "cheques-in-hand";
/// The role of what banks and wallets keep.
const CHARGES: &str = "bank-charges";

/// What an entry of a payment is about.
pub(super) struct About<'a> {
    pub(super) terms: &'a PaymentTerms,
    pub(super) chart: &'a Chart,
    pub(super) date: Date,
    /// Of the payment.
    pub(super) reference: String,
}

impl About<'_> {
    /// What the money and the withheld tax settle, and what is left as an advance.
    pub(super) fn completion(&self) -> Result<Entry, Rejection> {
        let terms = self.terms;
        let mut lines = self.lines();
        // Of a receipt: money comes in on the left. A disbursement is its mirror.
        let (came, settled) = match terms.direction {
            PaymentDirection::Receipt => (Side::Debit, Side::Credit),
            PaymentDirection::Disbursement => (Side::Credit, Side::Debit),
        };
        if let Some(held_in) = &terms.held_in {
            let role = if self.is_received_cheque() { CHEQUES_IN_HAND } else { held_in.as_str() };
            let moved = match terms.direction {
                PaymentDirection::Receipt => terms.amount.saturating_sub(terms.charges),
                PaymentDirection::Disbursement => terms.amount.saturating_add(terms.charges),
            };
            lines.add(role, came, moved, "/method")?;
        }
        lines.add(CHARGES, Side::Debit, terms.charges, "/charges")?;
        for (index, held) in terms.withheld.iter().enumerate() {
            let role = terms.direction.withheld_role();
            let own = format!("{role}:{}", held.tax);
            let known = self.chart.roles.keys().any(|known| known.as_str() == own);
            let role = if known { own.as_str() } else { role };
            lines.add(role, came, held.amount, &format!("/withheld/{index}/tax"))?;
        }
        lines.settle(&terms.allocations, settled)?;
        lines.add(terms.direction.advance_role(), settled, terms.advance, "/as_advance")?;
        let what = match terms.direction {
            PaymentDirection::Receipt => "Receipt",
            PaymentDirection::Disbursement => "Disbursement",
        };
        self.entry(lines, format!("{what} by {}", terms.method))
    }

    /// The bank paid a received cheque.
    pub(super) fn clearing(&self) -> Result<Entry, Rejection> {
        let mut lines = self.lines();
        let moved = self.terms.amount.saturating_sub(self.terms.charges);
        let bank = self.terms.held_in.as_ref().map_or("bank", |role| role.as_str());
        lines.add(bank, Side::Debit, moved, "/account_role")?;
        lines.add(CHEQUES_IN_HAND, Side::Credit, moved, "/account_role")?;
        self.entry(lines, "Cheque cleared".to_owned())
    }

    /// Some of the advance settles documents.
    pub(super) fn allocation(&self, allocations: &[Allocation]) -> Result<Entry, Rejection> {
        let amount = allocations.iter().fold(Decimal::ZERO, |sum, part| sum.saturating_add(part.amount));
        let direction = self.terms.direction;
        let (advance, open) = match direction {
            PaymentDirection::Receipt => (Side::Debit, Side::Credit),
            PaymentDirection::Disbursement => (Side::Credit, Side::Debit),
        };
        let mut lines = self.lines();
        lines.add(direction.advance_role(), advance, amount, "/allocations")?;
        lines.settle(allocations, open)?;
        self.entry(lines, "Advance allocated".to_owned())
    }

    /// So much of the advance was given back, through an account of the role `held_in`.
    pub(super) fn refund(&self, amount: Decimal, held_in: &str) -> Result<Entry, Rejection> {
        let direction = self.terms.direction;
        let (advance, money) = match direction {
            PaymentDirection::Receipt => (Side::Debit, Side::Credit),
            PaymentDirection::Disbursement => (Side::Credit, Side::Debit),
        };
        let mut lines = self.lines();
        lines.add(direction.advance_role(), advance, amount, "/amount")?;
        lines.add(held_in, money, amount, "/account_role")?;
        self.entry(lines, "Advance given back".to_owned())
    }

    fn is_received_cheque(&self) -> bool {
        self.terms.method == PaymentMethod::Cheque && self.terms.direction == PaymentDirection::Receipt
    }

    fn lines(&self) -> Building<'_> {
        Building { chart: self.chart, currency: self.terms.currency, lines: Vec::new() }
    }

    fn entry(&self, built: Building<'_>, description: String) -> Result<Entry, Rejection> {
        let lines = Lines::balanced(built.lines)
            .map_err(|unbalanced| Rejection::Findings(findings_of(&unbalanced)))?;
        Ok(Entry { date: self.date, description, reference: Some(self.reference.clone()), lines })
    }
}

struct Building<'a> {
    chart: &'a Chart,
    currency: Currency,
    lines: Vec<JournalLine>,
}

impl Building<'_> {
    /// Adds what is settled, a line for each account.
    fn settle(&mut self, allocations: &[Allocation], side: Side) -> Result<(), Rejection> {
        for open in [OpenSide::Receivable, OpenSide::Payable] {
            let own = allocations.iter().filter(|part| part.side == open);
            let amount = own.fold(Decimal::ZERO, |sum, part| sum.saturating_add(part.amount));
            self.add(open.role(), side, amount, "/allocations")?;
        }
        Ok(())
    }

    /// Adds a line; nothing makes no line. `at` says what wants the role.
    fn add(&mut self, role: &str, side: Side, amount: Decimal, at: &str) -> Result<(), Rejection> {
        if amount.is_zero() {
            return Ok(());
        }
        let account: AccountCode =
            self.chart.account_of(role).cloned().map_err(|rejection| match rejection {
                Rejection::Findings(findings) => {
                    Rejection::Findings(findings.into_iter().map(|finding: Finding| finding.at(at)).collect())
                }
                other => other,
            })?;
        let (currency, dimensions) = (self.currency, Attributes::new());
        self.lines.push(JournalLine { account, side, amount, currency, memo: None, dimensions });
        Ok(())
    }
}
