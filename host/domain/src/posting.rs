//! What a document moves in the books, by the roles of accounts.

use niyam_values::{
    Attributes, Date, Decimal, Determination, Direction, Document, Effect, Finding, TaxItem, round_half_up,
};

use crate::accounts::{AccountCode, Chart};
use crate::ids::InvoiceId;
use crate::invoice::{Invoice, InvoiceWrittenOff, LineShare, NoteDraft, NoteKind};
use crate::journal::{AMOUNT_LIMIT, Entry, JournalLine, LINES_OF_ENTRY_MAX, Lines, Side, findings_of};
use crate::money::{Currency, MoneyError};
use crate::rejection::Rejection;

#[cfg(test)]
mod tests;

/// The attribute of a purchase's line that names the account it is posted to, by its code.
pub const LINE_ACCOUNT: &str = "account";

/// The entry of an issued document.
///
/// Of a sale: the customer owes the gross, income is the net, and each added tax is owed to the treasury. What the
/// customer will withhold is part of what it owes until it shows a certificate. Each tax goes to the role
/// `output-tax:<its code>`, or to `output-tax` where the chart does not tell them apart.
///
/// Of a purchase: each line's net goes to the account that it names, or to the role `purchases`; an added tax that may
/// be set off to `input-tax:<its code>` or `input-tax`, one that may not to `non-recoverable-tax`, or to the line's
/// account where there is no such role. What is withheld is owed to the treasury, by the role
/// `tax-withheld-for-suppliers:<its code>`, and the rest to the supplier. A tax of which the buyer is accountable, and
/// that has a role `output-tax:<its code>`, is owed and set off.
///
/// What rounding to the currency's places leaves goes to the role `rounding`. A document of nothing has no entry.
///
/// # Errors
/// When the chart has no account for a role, or the entry would have too many lines or too large an amount.
pub fn post_document(
    chart: &Chart,
    id: InvoiceId,
    (document, taxes): (&Document, &Determination),
    number: &str,
) -> Result<Option<Entry>, Rejection> {
    let mut posting = Posting::new(chart, document)?;
    let whole = LineShare::whole(document, taxes);
    for Movement { place, debit, .. } in movements(chart, document, taxes, &whole) {
        posting.add(&place, Side::Debit, debit)?;
    }
    let what = match document.direction {
        Direction::Sale => "Invoice",
        Direction::Purchase => "Purchase",
    };
    posting.entry(document.tax_date, format!("{what} {number}"), id.to_string())
}

/// The entry of a note against `invoice`, which stands as it was before: the difference of what was posted before the
/// note and what would be after it, so that an invoice and the notes that credit all of it leave nothing anywhere.
///
/// # Errors
/// As [`post_document`].
pub fn post_note(
    chart: &Chart,
    invoice: &Invoice,
    id: InvoiceId,
    note: &NoteDraft,
    number: &str,
) -> Result<Option<Entry>, Rejection> {
    let (document, taxes) = (&invoice.document, &invoice.taxes);
    let mut posting = Posting::new(chart, document)?;
    let after = invoice.left_after(note).ok_or(Rejection::NothingToCredit)?;
    let before = movements(chart, document, taxes, &invoice.left);
    for Movement { place, tax, debit } in movements(chart, document, taxes, &after) {
        let was = before.iter().find(|movement| movement.place == place && movement.tax == tax);
        let was = was.map_or(Decimal::ZERO, |movement| movement.debit);
        let change = posting.rounded(debit).saturating_sub(posting.rounded(was));
        posting.add(&place, Side::Debit, change)?;
    }
    let what = match note.kind {
        NoteKind::CreditNote => "Credit note",
        NoteKind::DebitNote => "Debit note",
    };
    let description = format!("{what} {number} against {}", note.of.number);
    posting.entry(note.document.tax_date, description, id.to_string())
}

/// The entry of what is written off: a customer's debt to the role `bad-debts`, a debt to a supplier to `other-income`.
///
/// # Errors
/// As [`post_document`].
pub fn post_write_off(
    chart: &Chart,
    invoice: &Invoice,
    written_off: &InvoiceWrittenOff,
) -> Result<Option<Entry>, Rejection> {
    let mut posting = Posting::new(chart, &invoice.document)?;
    let (debit, credit) = match invoice.document.direction {
        Direction::Sale => ("bad-debts", "receivable"),
        Direction::Purchase => ("payable", "other-income"),
    };
    posting.add(&Place::role(debit), Side::Debit, written_off.amount)?;
    posting.add(&Place::role(credit), Side::Credit, written_off.amount)?;
    let number = invoice.issued.as_ref().map(|issued| issued.facts.number.as_str()).unwrap_or_default();
    posting.entry(written_off.date, format!("Invoice {number} written off"), invoice.id.to_string())
}

/// Where an amount goes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// The account of a role.
    Role(String),
    /// The account that a line names; where the name stands.
    Account(String, String),
}

impl Place {
    fn role(role: &str) -> Self {
        Self::Role(role.to_owned())
    }

    /// The role of a tax's own, if the chart has it.
    fn own(chart: &Chart, role: &str, code: &str) -> Option<Self> {
        let own = format!("{role}:{code}");
        chart.roles.keys().any(|known| known.as_str() == own).then_some(Self::Role(own))
    }

    /// The role of a tax's own, or the one for all.
    fn of_tax(chart: &Chart, role: &str, code: &str) -> Self {
        Self::own(chart, role, code).unwrap_or_else(|| Self::role(role))
    }
}

/// What goes to one place, of one tax or of none: a debit, or below zero a credit, unrounded.
struct Movement {
    place: Place,
    tax: Option<String>,
    debit: Decimal,
}

#[derive(Default)]
struct Movements(Vec<Movement>);

impl Movements {
    fn add(&mut self, place: Place, debit: Decimal) {
        self.add_of(place, None, debit);
    }

    fn add_of(&mut self, place: Place, tax: Option<&str>, debit: Decimal) {
        let same = |movement: &&mut Movement| movement.place == place && movement.tax.as_deref() == tax;
        match self.0.iter_mut().find(same) {
            Some(movement) => movement.debit = movement.debit.saturating_add(debit),
            None => self.0.push(Movement { place, tax: tax.map(str::to_owned), debit }),
        }
    }
}

/// What these shares of a document's lines move. The same places for the same document, whatever the shares.
fn movements(
    chart: &Chart,
    document: &Document,
    taxes: &Determination,
    shares: &[LineShare],
) -> Vec<Movement> {
    let mut moved = Movements::default();
    let owner = match document.direction {
        Direction::Sale => Place::role("receivable"),
        Direction::Purchase => Place::role("payable"),
    };
    moved.add(owner.clone(), Decimal::ZERO);
    for share in shares {
        let Some(line) = taxes.lines.iter().find(|line| line.line_id == share.line_id) else { continue };
        let items = line.taxes.iter().zip(share.taxes.iter().map(|item| item.amount));
        match document.direction {
            Direction::Sale => {
                moved.add(owner.clone(), share.gross);
                moved.add(Place::role("revenue"), -share.net);
                for (item, amount) in items.filter(|(item, _)| item.effect == Effect::Added) {
                    let place = Place::of_tax(chart, "output-tax", &item.code);
                    moved.add_of(place, Some(&item.code), -amount);
                }
            }
            Direction::Purchase => {
                let place = place_of_line(document, &share.line_id);
                moved.add(place.clone(), share.net);
                moved.add(owner.clone(), -share.gross);
                for (item, amount) in items {
                    purchase_tax(chart, &mut moved, (&place, &owner), item, amount);
                }
            }
        }
    }
    moved.0
}

fn purchase_tax(
    chart: &Chart,
    moved: &mut Movements,
    (line, owner): (&Place, &Place),
    item: &TaxItem,
    amount: Decimal,
) {
    let borne = || {
        if item.recoverable {
            return Place::of_tax(chart, "input-tax", &item.code);
        }
        let known = chart.roles.keys().any(|role| role.as_str() == "non-recoverable-tax");
        let shared = if known { Place::role("non-recoverable-tax") } else { line.clone() };
        Place::own(chart, "non-recoverable-tax", &item.code).unwrap_or(shared)
    };
    match item.effect {
        Effect::Added => moved.add_of(borne(), Some(&item.code), amount),
        Effect::Withheld => {
            moved.add(owner.clone(), amount);
            let place = Place::of_tax(chart, "tax-withheld-for-suppliers", &item.code);
            moved.add_of(place, Some(&item.code), -amount);
        }
        Effect::Informative => {
            if let Some(owed) = Place::own(chart, "output-tax", &item.code) {
                moved.add_of(borne(), Some(&item.code), amount);
                moved.add_of(owed, Some(&item.code), -amount);
            }
        }
    }
}

/// Where a purchase's line is posted.
fn place_of_line(document: &Document, id: &str) -> Place {
    let line = document.lines.iter().enumerate().find(|(_, line)| line.id == id);
    let named = line.and_then(|(index, line)| Some((index, line.attributes.get(LINE_ACCOUNT)?)));
    match named {
        Some((index, account)) => Place::Account(account.to_owned(), format!("/lines/{index}/account")),
        None => Place::role("purchases"),
    }
}

struct Posting<'a> {
    chart: &'a Chart,
    currency: Currency,
    lines: Vec<JournalLine>,
}

impl<'a> Posting<'a> {
    fn new(chart: &'a Chart, document: &Document) -> Result<Self, Rejection> {
        let currency: Currency = document.currency.parse().map_err(|error: MoneyError| {
            let finding = Finding::error("currency-unknown", error.to_string()).at("/currency");
            Rejection::Findings(vec![finding])
        })?;
        Ok(Self { chart, currency, lines: Vec::new() })
    }

    fn rounded(&self, amount: Decimal) -> Decimal {
        round_half_up(amount, self.currency.minor_units().into())
    }

    /// Adds a line; a negative amount stands on the other side, and nothing makes no line.
    fn add(&mut self, place: &Place, side: Side, amount: Decimal) -> Result<(), Rejection> {
        let amount = self.rounded(amount);
        if amount.is_zero() {
            return Ok(());
        }
        let account = match place {
            Place::Role(role) => self.chart.account_of(role)?.clone(),
            Place::Account(code, pointer) => self.named(code, pointer)?,
        };
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

    /// The account that a line names; whether it takes postings is looked at with the entry.
    fn named(&self, code: &str, pointer: &str) -> Result<AccountCode, Rejection> {
        let known = code.parse().ok().filter(|code| self.chart.accounts.contains_key(code));
        known.ok_or_else(|| {
            let finding = Finding::error("account-unknown", "the chart of accounts has no such account");
            Rejection::Findings(vec![finding.at(pointer)])
        })
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
        self.add(&Place::role("rounding"), Side::Credit, left)?;
        if self.lines.is_empty() {
            return Ok(None);
        }
        self.check_bounds()?;
        let lines = Lines::balanced(self.lines)
            .map_err(|unbalanced| Rejection::Findings(findings_of(&unbalanced)))?;
        Ok(Some(Entry { date, description, reference: Some(reference), lines }))
    }
}
