//! Part 4 of Mushak-9.1: purchases, and how much of their VAT is credited.
//!
//! When all supplies of the period allow the credit, it is whole; when none does, there is none; otherwise a purchase that
//! does not say what it is used for is apportioned by the value of the supplies.

use niyam_sdk::{Decimal, Finding, Line, LineTaxes, round_half_up};

use super::book::{Book, Entry, item};
use super::figures::Figures;
use crate::config::{Config, Mixed};
use crate::credit::{self, Bar, Claim};
use crate::line::{REVERSED, STANDARD};

const ZERO: Decimal = Decimal::ZERO;

/// Purchases whose credit depends on the period's supplies, and the others by their notes.
#[derive(Default)]
pub(super) struct Inputs<'a> {
    settled: Vec<Input<'a>>,
    depending: Vec<Input<'a>>,
}

struct Input<'a> {
    entry: Entry<'a>,
    line: &'a Line,
    note: u8,
    /// Where what is not credited stands.
    barred_note: u8,
    value: Decimal,
    vat: Decimal,
}

impl<'a> Inputs<'a> {
    /// Takes a purchase or an import, and checks the window of its credit.
    pub(super) fn add(&mut self, book: &Book<'a>, entry: &Entry<'a>, findings: &mut Vec<Finding>) {
        let imported = entry.kind() == "import-entry";
        let forgone = entry.get("credit") == Some("forgone");
        let day = entry.document().tax_date;
        let bars = if imported { Vec::new() } else { claim(entry).bars() };
        let claimed =
            !forgone && bars.is_empty() && entry.lines().any(|(_, taxed)| credited_rate(book.config, taxed));
        let window = credit::window(book.config, day).filter(|_| claimed);
        let missed = window.and_then(|(periods, citation)| {
            credit::missed(day, book.period.starts.max(day), periods, citation)
        });
        if let Some(finding) = missed {
            findings.push(finding.at(entry.place("document/tax_date")));
            return;
        }
        for (line, taxed) in entry.lines() {
            let reversed = item(taxed, REVERSED).is_some();
            let import = imported || reversed;
            let other = if import { 22 } else { 21 };
            let vat = entry.tax(taxed, if reversed { REVERSED } else { "vat" });
            let rate = item(taxed, "vat").or_else(|| item(taxed, REVERSED)).map(|item| item.rate);
            let note = |local: u8| if import { local + 1 } else { local };
            let bar = bars.first().map(|(bar, _)| *bar).filter(|_| !reversed);
            let (note, barred) = match (bar, rate) {
                (Some(Bar::Enlisted), _) => (19, true),
                (Some(Bar::Unregistered), _) => (20, true),
                (_, None) => (note(12), true),
                (_, Some(Some(rate))) if rate.is_zero() => (note(10), true),
                (None, Some(Some(rate))) if rate == STANDARD => (note(14), false),
                (None, Some(Some(_))) if book.config.input_credit.other_rates => (note(16), false),
                (None, Some(None)) if book.config.input_credit.other_rates && !import => (18, false),
                (Some(Bar::Other) | None, Some(_)) => (other, true),
            };
            let input =
                Input { entry: *entry, line, note, barred_note: other, value: value(entry, taxed), vat };
            let used_for = line.attributes.get("used_for").map(str::trim).or_else(|| entry.get("used_for"));
            match used_for {
                _ if barred => self.settled.push(input),
                _ if forgone => self.settled.push(Input { note: other, ..input }),
                Some("creditable") => self.settled.push(input),
                Some("other") => self.settled.push(Input { note: other, ..input }),
                _ => self.depending.push(input),
            }
        }
    }

    /// Puts all of them into their notes, once the supplies stand in theirs.
    pub(super) fn conclude(self, config: &Config, figures: &mut Figures<'a>) {
        for input in &self.settled {
            input.put(figures, input.note, input.value, input.vat);
        }
        let (open, all) = supplies(figures);
        for input in &self.depending {
            let whole = all.is_zero() || open == all;
            let none = open.is_zero() || !whole && config.input_credit.mixed == Mixed::Bar;
            if whole || none {
                input.put(
                    figures,
                    if whole { input.note } else { input.barred_note },
                    input.value,
                    input.vat,
                );
                continue;
            }
            let part = |amount: Decimal| {
                let share = amount.checked_mul(open).and_then(|product| product.checked_div(all));
                round_half_up(share.unwrap_or(ZERO), config.places())
            };
            let (value, vat) = (part(input.value), part(input.vat));
            input.put(figures, input.note, value, vat);
            input.put(figures, input.barred_note, input.value - value, input.vat - vat);
        }
    }
}

impl<'a> Input<'a> {
    fn put(&self, figures: &mut Figures<'a>, note: u8, value: Decimal, vat: Decimal) {
        figures.add(note, &self.entry, &self.line.description, [value, vat, ZERO]);
    }
}

fn credited_rate(config: &Config, taxed: &LineTaxes) -> bool {
    let vat = item(taxed, "vat").or_else(|| item(taxed, REVERSED));
    vat.is_some_and(|vat| {
        vat.rate == Some(STANDARD) || config.input_credit.other_rates && !vat.amount.is_zero()
    })
}

/// The value of the supplies that allow the credit, and of all.
fn supplies(figures: &Figures) -> (Decimal, Decimal) {
    let all = (1..=8).map(|note| figures.get(note, 0)).sum();
    let standard = figures.trail.iter().filter(|trace| trace.note == 5).filter(|trace| {
        let lines = trace.entry.lines();
        let rates = lines.filter_map(|(_, taxed)| item(taxed, "vat")).map(|vat| vat.rate);
        rates.into_iter().all(|rate| rate == Some(STANDARD))
    });
    let by_price: Decimal = standard.map(|trace| trace.columns[0]).sum();
    (figures.get(1, 0) + figures.get(2, 0) + figures.get(4, 0) + by_price, all)
}

/// What a purchase is worth without VAT and supplementary duty: an import with its customs duties.
fn value(entry: &Entry, taxed: &LineTaxes) -> Decimal {
    entry.taka(taxed.net) + entry.tax(taxed, "cd") + entry.tax(taxed, "rd")
}

fn claim<'a>(entry: &Entry<'a>) -> Claim<'a> {
    let register = entry.register;
    let gross = entry.taka(register.taxes.gross);
    Claim { document: &register.document, later: Some(&register.facts.attributes), gross }
}
