//! The 68 notes of Mushak-9.1: what documents give to them, and what the formulas make of that.

use niyam_sdk::{Decimal, Finding};

use super::book::{Book, Entry};
use crate::tables::{self, NOTES, Note, RETURN_PAPER};

/// Opening balances, and the notes that they stand in.
const OPENING: [(&str, u8); 6] = [
    ("vat-balance", 52),
    ("sd-balance", 53),
    ("old-vat-balance", 54),
    ("old-sd-balance", 55),
    ("use-old-vat-balance", 56),
    ("use-old-sd-balance", 57),
];

/// Amounts of the notes, by column, and where each comes from.
pub(crate) struct Figures<'a> {
    cells: [[Decimal; 3]; 69],
    pub(crate) trail: Vec<Trace<'a>>,
}

/// What a document gives to a note.
pub(crate) struct Trace<'a> {
    pub(crate) note: u8,
    pub(crate) entry: Entry<'a>,
    pub(crate) description: &'a str,
    pub(crate) columns: [Decimal; 3],
}

impl<'a> Figures<'a> {
    pub(crate) fn new() -> Self {
        Self { cells: [[Decimal::ZERO; 3]; 69], trail: Vec::new() }
    }

    /// Adds what a line of a document gives. Columns are those of the note's shape.
    pub(crate) fn add(&mut self, note: u8, entry: &Entry<'a>, description: &'a str, columns: [Decimal; 3]) {
        self.raise(note, columns);
        self.trail.push(Trace { note, entry: *entry, description, columns });
    }

    /// Adds to a note what no document gives.
    pub(crate) fn raise(&mut self, note: u8, columns: [Decimal; 3]) {
        for (cell, amount) in self.cells[usize::from(note)].iter_mut().zip(columns) {
            *cell = cell.saturating_add(amount);
        }
    }

    /// A column of a note.
    pub(crate) fn get(&self, note: u8, column: usize) -> Decimal {
        self.cells[usize::from(note)][column]
    }

    /// Puts the opening balances into their notes.
    pub(crate) fn open(&mut self, book: &Book) -> Result<(), Vec<Finding>> {
        let mut findings = Vec::new();
        for (at, balance) in book.opening.iter().enumerate() {
            let known = OPENING.iter().find(|(code, _)| *code == balance.code);
            match known {
                Some((_, note)) if !balance.amount.is_sign_negative() || balance.amount.is_zero() => {
                    self.raise(*note, [balance.amount, Decimal::ZERO, Decimal::ZERO]);
                }
                // Stock is the registers'.
                None if balance.code.starts_with("stock-") => {}
                _ => {
                    let code: String = balance.code.chars().take(64).collect();
                    let message = format!("{code} is no balance that a return opens with, or it is negative");
                    findings.push(Finding::error("opening-invalid", message).at(format!("/opening/{at}")));
                }
            }
        }
        if findings.is_empty() { Ok(()) } else { Err(findings) }
    }

    /// Computes every note that has a formula, and checks how much of an old balance is used.
    pub(crate) fn conclude(&mut self, book: &Book) -> Result<(), Vec<Finding>> {
        for note in NOTES.iter().filter(|note| !note.formula.is_empty()) {
            self.compute(note);
        }
        let most = tables::levy("balance-use", book.period.ends);
        let mut findings = Vec::new();
        for (used, held, of) in [(56, 54, 34), (57, 55, 36)] {
            let (used, held, net) = (self.get(used, 0), self.get(held, 0), self.get(of, 0));
            let part =
                most.map_or(Decimal::ZERO, |levy| net.max(Decimal::ZERO) * levy.value / Decimal::ONE_HUNDRED);
            if used > held || used > part {
                let message =
                    format!("{used} taka of an old balance are used: at most {held} of it, and {part}");
                let finding = Finding::error("balance-use-exceeded", message).at("/opening");
                let citation = most.map_or(RETURN_PAPER, |levy| levy.citation);
                findings.push(finding.citing(tables::citation(citation)));
            }
        }
        if findings.is_empty() { Ok(()) } else { Err(findings) }
    }

    fn compute(&mut self, note: &Note) {
        let mut sums = [Decimal::ZERO; 3];
        for term in note.formula {
            let signed = |amount: Decimal| if term.subtracted { -amount } else { amount };
            let cells = self.cells[usize::from(term.note)];
            let amounts = NOTES[usize::from(note.number) - 1].shape == tables::Shape::Amount;
            match term.column {
                // A column of a table, in a note of one amount.
                Some(column) if amounts => sums[0] += signed(cells[usize::from(column)]),
                Some(column) => sums[usize::from(column)] += signed(cells[usize::from(column)]),
                None if amounts => sums[0] += signed(cells[0]),
                None => {
                    for (sum, cell) in sums.iter_mut().zip(cells) {
                        *sum += signed(cell);
                    }
                }
            }
        }
        self.cells[usize::from(note.number)] = sums;
    }
}
