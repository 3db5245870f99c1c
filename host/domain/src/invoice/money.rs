//! What is open of an issued invoice: settled by payments, lowered and raised by notes, written off. Never below zero.

use niyam_values::{Decimal, Determination, Direction, Document, Effect, Finding, round_half_up};

use crate::invoice::commands::{ReverseSettlement, SettleInvoice, WriteOffInvoice};
use crate::invoice::events::InvoiceStatus;
use crate::invoice::events::{InvoiceEvent, InvoiceSettled, InvoiceWrittenOff, SettlementReversed, owed};
use crate::invoice::lines::{self, LineShare};
use crate::invoice::note::check_year;
use crate::invoice::state::{Invoice, Numbered};
use crate::rejection::Rejection;

/// What is open of a document when it is issued, with the places of its currency.
#[must_use]
pub fn initial_outstanding(document: &Document, taxes: &Determination) -> Decimal {
    round_half_up(owed(document.direction, taxes), document.minor_units.into()).max(Decimal::ZERO)
}

/// What is owed by these shares of a document's lines, with the places of its currency.
pub(super) fn owed_by(document: &Document, taxes: &Determination, shares: &[LineShare]) -> Option<Decimal> {
    let gross = lines::gross(shares)?;
    let owed = match document.direction {
        Direction::Sale => gross,
        Direction::Purchase => gross.checked_sub(withheld(taxes, shares)?)?,
    };
    Some(round_half_up(owed, document.minor_units.into()))
}

fn withheld(taxes: &Determination, shares: &[LineShare]) -> Option<Decimal> {
    let mut sum = Decimal::ZERO;
    for share in shares {
        let Some(line) = taxes.lines.iter().find(|line| line.line_id == share.line_id) else { continue };
        let items = line.taxes.iter().zip(&share.taxes);
        for (_, share) in items.filter(|(item, _)| item.effect == Effect::Withheld) {
            sum = sum.checked_add(share.amount)?;
        }
    }
    Some(sum)
}

impl Invoice {
    /// Its issue.
    ///
    /// # Errors
    /// When it is not issued.
    pub fn require_issued(&self) -> Result<&Numbered, Rejection> {
        match &self.issued {
            Some(issued) if self.status == InvoiceStatus::Issued => Ok(issued),
            _ => Err(Rejection::WrongStatus { found: self.status, needed: "issued" }),
        }
    }

    pub(super) fn settle(&self, command: &SettleInvoice) -> Result<InvoiceEvent, Rejection> {
        self.require_issued()?;
        let SettleInvoice { payment, amount, date } = *command;
        self.check_amount(amount)?;
        if amount > self.outstanding {
            return Err(Rejection::SettlementExceedsOutstanding { outstanding: self.outstanding });
        }
        Ok(InvoiceEvent::Settled(InvoiceSettled { payment, amount, date }))
    }

    pub(super) fn reverse_settlement(&self, command: &ReverseSettlement) -> Result<InvoiceEvent, Rejection> {
        self.require_issued()?;
        let ReverseSettlement { payment, amount, date } = *command;
        self.check_amount(amount)?;
        let settled = self.settled.get(&payment).copied().ok_or(Rejection::SettlementMissing)?;
        if amount > settled {
            return Err(Rejection::ReversalExceedsSettled { settled });
        }
        Ok(InvoiceEvent::SettlementReversed(SettlementReversed { payment, amount, date }))
    }

    pub(super) fn write_off(&self, command: WriteOffInvoice) -> Result<InvoiceEvent, Rejection> {
        self.require_issued()?;
        if self.note.is_some() {
            return Err(Rejection::NoteOfNote);
        }
        if self.outstanding.is_zero() {
            return Err(Rejection::NothingOutstanding);
        }
        let WriteOffInvoice { amount, date, reason } = command;
        let amount = amount.unwrap_or(self.outstanding);
        self.check_amount(amount)?;
        if amount > self.outstanding {
            let message = format!("{} are open", self.outstanding);
            let finding = Finding::error("write-off-exceeds-outstanding", message).at("/amount");
            return Err(Rejection::Findings(vec![finding]));
        }
        check_year(date)?;
        if date < self.document.tax_date {
            let message = format!("the invoice is of {}", self.document.tax_date);
            let finding = Finding::error("write-off-before-invoice", message).at("/date");
            return Err(Rejection::Findings(vec![finding]));
        }
        Ok(InvoiceEvent::WrittenOff(InvoiceWrittenOff { amount, date, reason }))
    }

    /// Refuses an amount that is not above zero, or has more places than the document's currency.
    fn check_amount(&self, amount: Decimal) -> Result<(), Rejection> {
        let places = u32::from(self.document.minor_units);
        let finding = if amount <= Decimal::ZERO {
            Finding::error("amount-not-positive", "an amount is above zero")
        } else if amount.normalize().scale() > places {
            let message = format!("an amount of {} has {places} decimals", self.document.currency);
            Finding::error("amount-too-precise", message)
        } else {
            return Ok(());
        };
        Err(Rejection::Findings(vec![finding.at("/amount")]))
    }

    /// The state after an event of this file's, or of a note; `None` when it cannot follow.
    pub(super) fn moved(mut self, event: &InvoiceEvent) -> Option<Self> {
        self.issued.as_ref()?;
        let less =
            |one: Decimal, other: Decimal| one.checked_sub(other).filter(|left| *left >= Decimal::ZERO);
        match event {
            InvoiceEvent::Credited(credited) => {
                self.left = lines::less(&self.left, &credited.lines)?;
                self.outstanding = less(self.outstanding, credited.applied)?;
            }
            InvoiceEvent::Debited(debited) => {
                self.left = lines::more(&self.left, &debited.lines)?;
                self.outstanding = self.outstanding.checked_add(debited.amount)?;
            }
            InvoiceEvent::WrittenOff(written_off) => {
                self.outstanding = less(self.outstanding, written_off.amount)?;
                self.written_off = self.written_off.checked_add(written_off.amount)?;
            }
            InvoiceEvent::Settled(settled) => {
                self.outstanding = less(self.outstanding, settled.amount)?;
                let sum = self.settled.entry(settled.payment).or_default();
                *sum = sum.checked_add(settled.amount)?;
            }
            InvoiceEvent::SettlementReversed(reversed) => {
                let settled = less(*self.settled.get(&reversed.payment)?, reversed.amount)?;
                if settled.is_zero() {
                    self.settled.remove(&reversed.payment);
                } else {
                    self.settled.insert(reversed.payment, settled);
                }
                self.outstanding = self.outstanding.checked_add(reversed.amount)?;
            }
            _ => return None,
        }
        Some(self)
    }
}
