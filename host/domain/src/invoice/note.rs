//! Credit and debit notes: what they change of an invoice, and the paper that says so.
//!
//! A note's taxes are a part of those that the invoice bears, rounded to the currency's places; what takes the rest of
//! a line takes the rest of each of its taxes. So an invoice and the notes that credit all of it are nothing together,
//! to the last place.

use niyam_values::{
    Attributes, Date, Decimal, Determination, Direction, Document, Effect, Finding, IssueFacts, Line,
    LineTaxes, PriceMode, TaxItem, round_half_up,
};

use crate::invoice::commands::{IssueNote, NotePlan};
use crate::invoice::events::{
    InvoiceCredited, InvoiceDebited, InvoiceEvent, NoteIssued, NoteKind, NoteOf, Planned,
};
use crate::invoice::lines::{self, LineShare};
use crate::invoice::money::owed_by;
use crate::invoice::state::Invoice;
use crate::number_series::NumberDrawn;
use crate::rejection::Rejection;

/// Places of a unit price that is made of an amount.
const UNIT_PRICE_PLACES: u32 = 6;
/// Facts of the invoice that go with its note: they belong to amounts that both have.
const KEPT: [&str; 1] = ["exchange_rate_source"];

/// What a note is to change.
#[derive(Debug, Clone)]
pub struct WantedNote {
    /// Which way it goes.
    pub kind: NoteKind,
    /// Of which lines; of a credit note all that is left when absent.
    pub lines: Option<Vec<WantedLine>>,
    /// Its day: the one whose tax period it counts for.
    pub date: Date,
    /// Why.
    pub reason: String,
    /// Further facts of the document.
    pub attributes: Attributes,
}

/// What is to change of a line.
#[derive(Debug, Clone)]
pub struct WantedLine {
    /// The line's id on the invoice.
    pub line: String,
    /// How much of it.
    pub share: Share,
}

/// How much of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// All that is left.
    Whole,
    /// So much of what was supplied, at the invoice's price.
    Quantity(Decimal),
    /// So much of the value without taxes; what was supplied stays.
    Net(Decimal),
}

/// A note that lacks its number.
#[derive(Debug, Clone, PartialEq)]
pub struct NoteDraft {
    /// Which way it goes.
    pub kind: NoteKind,
    /// What it is against.
    pub of: NoteOf,
    /// The document.
    pub document: Document,
    /// What it changes.
    pub taxes: Determination,
    /// What it takes of, or adds to, each line.
    pub lines: Vec<LineShare>,
    /// What it changes of what is owed.
    pub amount: Decimal,
    /// How much of that is open, if it credits.
    pub applied: Decimal,
}

impl Invoice {
    /// The note that changes what is `wanted`.
    ///
    /// # Errors
    /// When the invoice is not issued, is a note itself or written off, or does not have as much left.
    pub fn draft_note(&self, wanted: &WantedNote) -> Result<NoteDraft, Rejection> {
        let issued = self.require_issued()?;
        if self.note.is_some() {
            return Err(Rejection::NoteOfNote);
        }
        self.require_other_party()?;
        let credits = wanted.kind == NoteKind::CreditNote;
        if credits && self.written_off > Decimal::ZERO {
            return Err(Rejection::InvoiceWrittenOff);
        }
        check_year(wanted.date)?;
        if wanted.date < self.document.tax_date {
            let message =
                format!("the invoice is of {}, and no note comes before it", self.document.tax_date);
            return Err(refused("note-before-invoice", &message, "/date"));
        }
        let shares = self.shares(wanted)?;
        if shares.iter().all(LineShare::is_nothing) {
            return Err(Rejection::NothingToCredit);
        }
        let after = self.changed(wanted.kind, &shares).ok_or(Rejection::NothingToCredit)?;
        let owed = |shares: &[LineShare]| {
            owed_by(&self.document, &self.taxes, shares)
                .ok_or_else(|| refused("amount-out-of-range", "the note's total is too large", "/lines"))
        };
        // The difference of what is owed before and after: so that rounding adds up to nothing as well.
        let (before, after) = (owed(&self.left)?, owed(&after)?);
        let amount = if credits { before - after } else { after - before };
        let document = self.note_document(wanted, &shares);
        let taxes = self.note_taxes(&shares);
        let of = NoteOf { invoice: self.id, number: issued.facts.number.clone() };
        let applied = if credits { amount.min(self.outstanding).max(Decimal::ZERO) } else { Decimal::ZERO };
        Ok(NoteDraft { kind: wanted.kind, of, document, taxes, lines: shares, amount, applied })
    }

    /// Whether `command` may issue its note; what it makes happen once a serial is drawn, if it needs one.
    ///
    /// # Errors
    /// When the invoice has moved on since the note was drafted.
    pub fn prepare_note(&self, command: IssueNote) -> Result<PreparedNote, Rejection> {
        self.require_issued()?;
        let draft = &command.draft;
        let fits = self.left_after(draft).is_some() && draft.applied <= self.outstanding;
        if fits { Ok(PreparedNote { command }) } else { Err(Rejection::NothingToCredit) }
    }

    /// What is left of each line after the note; `None` when it takes more than there is.
    #[must_use]
    pub fn left_after(&self, note: &NoteDraft) -> Option<Vec<LineShare>> {
        self.changed(note.kind, &note.lines)
    }

    fn changed(&self, kind: NoteKind, shares: &[LineShare]) -> Option<Vec<LineShare>> {
        match kind {
            NoteKind::CreditNote => lines::less(&self.left, shares),
            NoteKind::DebitNote => lines::more(&self.left, shares),
        }
    }

    fn shares(&self, wanted: &WantedNote) -> Result<Vec<LineShare>, Rejection> {
        let Some(wanted_lines) = &wanted.lines else {
            if wanted.kind == NoteKind::DebitNote {
                return Err(refused("note-without-lines", "a debit note says what it adds", "/lines"));
            }
            let open = self.left.iter().filter(|line| !line.is_valueless());
            return Ok(open.cloned().collect());
        };
        let (mut shares, mut findings) = (Vec::with_capacity(wanted_lines.len()), Vec::new());
        for (index, line) in wanted_lines.iter().enumerate() {
            let earlier = wanted_lines.iter().take(index).any(|other| other.line == line.line);
            let share = if earlier {
                Err(("note-line-twice", "the line is there already".to_owned(), "line"))
            } else {
                self.share(wanted.kind, line)
            };
            match share {
                Ok(share) => shares.push(share),
                Err((code, message, field)) => {
                    findings.push(Finding::error(code, message).at(format!("/lines/{index}/{field}")));
                }
            }
        }
        if wanted_lines.is_empty() {
            findings
                .push(Finding::error("note-without-lines", "a note changes at least one line").at("/lines"));
        }
        if findings.is_empty() { Ok(shares) } else { Err(Rejection::Findings(findings)) }
    }

    /// The share that a line is wanted with, or a finding: its code, its words and the field that it is about.
    fn share(
        &self,
        kind: NoteKind,
        wanted: &WantedLine,
    ) -> Result<LineShare, (&'static str, String, &'static str)> {
        let taxed = self.taxes.lines.iter().find(|line| line.line_id == wanted.line);
        let left = self.left.iter().find(|line| line.line_id == wanted.line);
        let (Some(taxed), Some(left)) = (taxed, left) else {
            return Err(("note-line-unknown", "the invoice has no such line".to_owned(), "line"));
        };
        let places = u32::from(self.document.minor_units);
        let effects: Vec<Effect> = taxed.taxes.iter().map(|item| item.effect).collect();
        let inexact = |field| move || ("amount-out-of-range", "the amount is too large".to_owned(), field);
        let whole = LineShare::whole(&self.document, &self.taxes);
        let original = whole.iter().find(|line| line.line_id == wanted.line).unwrap_or(left);
        match (kind, wanted.share) {
            (_, Share::Quantity(quantity)) if quantity <= Decimal::ZERO => {
                Err(("quantity-not-positive", "a quantity is above zero".to_owned(), "quantity"))
            }
            (_, Share::Net(net)) if net <= Decimal::ZERO => {
                Err(("amount-not-positive", "an amount is above zero".to_owned(), "amount"))
            }
            (_, Share::Net(net)) if net.normalize().scale() > places => {
                let message = format!("an amount of {} has {places} decimals", self.document.currency);
                Err(("amount-too-precise", message, "amount"))
            }
            (NoteKind::CreditNote, _) if left.is_valueless() => {
                Err(("credit-exceeds-remaining", "nothing of the line is left".to_owned(), "line"))
            }
            (NoteKind::CreditNote, Share::Whole) => Ok(left.clone()),
            (NoteKind::CreditNote, Share::Quantity(quantity)) if quantity > left.quantity => {
                let message = format!("{} of the line are left", left.quantity.normalize());
                Err(("credit-exceeds-remaining", message, "quantity"))
            }
            (NoteKind::CreditNote, Share::Quantity(quantity)) if quantity == left.quantity => {
                Ok(left.clone())
            }
            (NoteKind::CreditNote, Share::Quantity(quantity)) => {
                let part = left.part(quantity, left.quantity, &effects, places);
                Ok(LineShare { quantity, ..part.ok_or_else(inexact("quantity"))? })
            }
            (NoteKind::CreditNote, Share::Net(net)) if net > left.net => {
                let message = format!("{} of the line are left", left.net);
                Err(("credit-exceeds-remaining", message, "amount"))
            }
            (NoteKind::CreditNote, Share::Net(net)) if net == left.net => {
                Ok(LineShare { quantity: Decimal::ZERO, ..left.clone() })
            }
            (NoteKind::CreditNote, Share::Net(net)) => {
                let part = left.part(net, left.net, &effects, places).ok_or_else(inexact("amount"))?;
                Ok(part)
            }
            (NoteKind::DebitNote, Share::Whole) => {
                Err(("note-share-missing", "a debit note says by how much".to_owned(), "line"))
            }
            (NoteKind::DebitNote, Share::Quantity(quantity)) => {
                if original.quantity.is_zero() {
                    return Err(("line-without-value", "the line has no quantity".to_owned(), "line"));
                }
                let part = original.part(quantity, original.quantity, &effects, places);
                Ok(LineShare { quantity, ..part.ok_or_else(inexact("quantity"))? })
            }
            (NoteKind::DebitNote, Share::Net(net)) => {
                if original.net <= Decimal::ZERO {
                    return Err(("line-without-value", "the line has no value to add to".to_owned(), "line"));
                }
                let part = original.part(net, original.net, &effects, places);
                part.ok_or_else(inexact("amount"))
            }
        }
    }

    fn note_document(&self, wanted: &WantedNote, shares: &[LineShare]) -> Document {
        let original = &self.document;
        let line = |share: &LineShare| {
            let line = original.lines.iter().find(|line| line.id == share.line_id)?;
            let value = match original.price_mode {
                PriceMode::Exclusive => share.net,
                PriceMode::Inclusive => share.gross,
            };
            Some(note_line(line, share, value))
        };
        let mut attributes = Attributes::new();
        for (name, value) in original.attributes.iter().filter(|(name, _)| KEPT.contains(name)) {
            attributes.set(name, value);
        }
        for (name, value) in wanted.attributes.iter() {
            attributes.set(name, value);
        }
        if let Some(issued) = &self.issued {
            attributes.set("original_number", &issued.facts.number);
            attributes.set("original_date", issued.facts.issued_on.to_string());
            attributes.set("original_time", &issued.facts.issued_at);
        }
        attributes.set("reason", &wanted.reason);
        Document {
            kind: wanted.kind.as_str().to_owned(),
            tax_date: wanted.date,
            lines: shares.iter().filter_map(line).collect(),
            attributes,
            ..original.clone()
        }
    }

    /// The invoice's taxes, with the amounts of `shares`.
    fn note_taxes(&self, shares: &[LineShare]) -> Determination {
        let line = |share: &LineShare| {
            let original = self.taxes.lines.iter().find(|line| line.line_id == share.line_id)?;
            let items = original.taxes.iter().zip(&share.taxes);
            let taxes =
                items.map(|(item, share)| TaxItem { base: share.base, amount: share.amount, ..item.clone() });
            Some(LineTaxes {
                line_id: share.line_id.clone(),
                net: share.net,
                taxes: taxes.collect(),
                gross: share.gross,
            })
        };
        let lines: Vec<LineTaxes> = shares.iter().filter_map(line).collect();
        let sum =
            |amounts: &mut dyn Iterator<Item = Decimal>| amounts.fold(Decimal::ZERO, Decimal::saturating_add);
        let net = sum(&mut lines.iter().map(|line| line.net));
        let gross = sum(&mut lines.iter().map(|line| line.gross));
        let withheld = lines.iter().flat_map(|line| &line.taxes);
        let withheld = withheld.filter(|item| item.effect == Effect::Withheld);
        let tax_withheld = sum(&mut withheld.map(|item| item.amount));
        Determination {
            lines,
            net,
            tax_added: gross.saturating_sub(net),
            tax_withheld,
            gross,
            payable: gross.saturating_sub(tax_withheld),
            citations: self.taxes.citations.clone(),
            findings: Vec::new(),
        }
    }
}

/// The line of a note: of what was supplied at the invoice's price, or of a price that changes.
fn note_line(line: &Line, share: &LineShare, value: Decimal) -> Line {
    let by_quantity = !share.quantity.is_zero();
    let quantity = if by_quantity { share.quantity } else { line.quantity };
    let full = quantity.checked_mul(line.unit_price).filter(|full| by_quantity && *full >= value);
    if let Some(full) = full {
        return Line { quantity, discount: full - value, ..line.clone() };
    }
    let price = value.checked_div(quantity).unwrap_or(value);
    let unit_price = round_half_up(price, UNIT_PRICE_PLACES).normalize();
    Line { quantity, unit_price, discount: Decimal::ZERO, ..line.clone() }
}

impl LineShare {
    /// Whether nothing of its amounts is left, whatever there is of the quantity.
    fn is_valueless(&self) -> bool {
        LineShare { quantity: Decimal::ZERO, ..self.clone() }.is_nothing()
    }
}

/// Refuses a day that no document may have.
pub(super) fn check_year(date: Date) -> Result<(), Rejection> {
    if (1971..=2199).contains(&date.year()) {
        return Ok(());
    }
    Err(refused("date-out-of-range", "a date lies between 1971 and 2199", "/date"))
}

fn refused(code: &str, message: &str, pointer: &str) -> Rejection {
    Rejection::Findings(vec![Finding::error(code, message).at(pointer)])
}

/// A note that lacks only its serial.
#[derive(Debug, Clone)]
pub struct PreparedNote {
    command: IssueNote,
}

impl PreparedNote {
    /// The series that the serial is to be drawn from, if the tenant numbers it.
    #[must_use]
    pub fn series(&self) -> Option<&str> {
        match &self.command.plan {
            NotePlan::Own(plan, _) => Some(&plan.series),
            NotePlan::Supplier(_) => None,
        }
    }

    /// What happens, with `serial` drawn if there is a series: to the note, to the invoice, and to the series.
    #[must_use]
    pub fn with_serial(&self, serial: u64) -> (InvoiceEvent, InvoiceEvent, Option<NumberDrawn>) {
        let IssueNote { note_id, draft, plan, issued_on, issued_time, issued_at, attributes } =
            self.command.clone();
        let (number, planned, drawn) = match plan {
            NotePlan::Own(plan, decision) => {
                let plan = *plan;
                let number = plan.number_pattern.replace("{serial}", &serial.to_string());
                let series = plan.series.clone();
                let drawn = NumberDrawn { series, serial, number: number.clone(), invoice_id: note_id };
                (number, Some(Planned { plan, decision: *decision, serial }), Some(drawn))
            }
            NotePlan::Supplier(number) => (number, None, None),
        };
        let NoteDraft { kind, of, document, taxes, lines, amount, applied } = draft;
        let date = document.tax_date;
        let (change, unapplied) = match kind {
            NoteKind::CreditNote => {
                let number = number.clone();
                let credited = InvoiceCredited { note: note_id, number, date, amount, applied, lines };
                (InvoiceEvent::Credited(credited), amount - applied)
            }
            NoteKind::DebitNote => {
                let number = number.clone();
                let debited = InvoiceDebited { note: note_id, number, date, amount, lines };
                (InvoiceEvent::Debited(debited), Decimal::ZERO)
            }
        };
        let facts = IssueFacts { number, issued_on, issued_at: issued_time, attributes };
        let issued = NoteIssued { note_id, kind, of, document, taxes, planned, facts, unapplied, issued_at };
        (InvoiceEvent::NoteIssued(issued), change, drawn)
    }

    /// What it changes.
    #[must_use]
    pub fn draft(&self) -> &NoteDraft {
        &self.command.draft
    }

    /// Whether the note is the supplier's.
    #[must_use]
    pub fn is_of_supplier(&self) -> bool {
        self.command.draft.document.direction == Direction::Purchase
    }
}
