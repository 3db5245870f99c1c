//! Mushak-9.2: the turnover of one who is enlisted, and its tax (s.63).

use niyam_sdk::{Block, Cell, Decimal, Finding, Form, Grid, round_half_up};

use super::book::{Book, Entry};
use crate::amounts::percentage;
use crate::config::Registration;
use crate::papers::sheet::{Sheet, columns, text};
use crate::tables::{self, TURNOVER_RETURN};
use crate::turnover::TURNOVER_TAX;

/// The return of the period.
pub(crate) fn draw(book: &Book) -> Result<Form, Vec<Finding>> {
    let Some(paper) = tables::paper("mushak-9.2") else { return Err(Vec::new()) };
    let mut sheet = Sheet::new(paper, TURNOVER_RETURN);
    let law = || tables::citation(TURNOVER_RETURN);
    if book.config.registration != Registration::Enlisted {
        let message = "who is enlisted for turnover tax files Mushak-9.2";
        sheet.findings.push(Finding::error("return-not-offered", message).citing(law()));
    }
    sheet.findings.extend(book.unfiled(TURNOVER_RETURN));
    let header = sheet.fields(paper.header, false, |key| book.value(key));
    let footer = sheet.fields(paper.footer, false, |key| book.value(key));
    let supplies: Vec<(&Entry, Decimal)> =
        book.entries.iter().filter_map(|entry| Some((entry, turnover(entry)?))).collect();
    let total: Decimal = supplies.iter().map(|(_, turnover)| *turnover).sum();
    let places = book.config.places();
    // On the whole, and not on each document, which would round each.
    let rate = tables::levy(TURNOVER_TAX, book.period.ends).map_or(Decimal::ZERO, |levy| levy.value);
    let tax = percentage(total.max(Decimal::ZERO), rate, places).unwrap_or(Decimal::ZERO);
    let row = |(at, (entry, turnover)): (usize, &(&Entry, Decimal))| -> Vec<Cell> {
        let cell = |key: &str| match key {
            "serial" => Cell::Amount(Decimal::from(at + 1)),
            "challan_no" => text(Some(entry.number())),
            "challan_date" => Cell::Day(entry.document().tax_date),
            "description" => text(entry.document().lines.first().map(|line| line.description.as_str())),
            "turnover" => Cell::Amount(*turnover),
            _ => Cell::Empty,
        };
        paper.columns.iter().map(|column| cell(column.key)).collect()
    };
    let totals = paper.columns.iter().enumerate().map(|(at, column)| match column.key {
        _ if at == 0 => Cell::Text("সর্বমোট".to_owned()),
        "turnover" => Cell::Amount(round_half_up(total, places)),
        "turnover_tax" => Cell::Amount(tax),
        _ => Cell::Empty,
    });
    let rows = supplies.iter().enumerate().map(row).collect();
    let grid = Grid { columns: columns(paper.columns), rows, totals: totals.collect() };
    sheet.form(vec![Block::Fields(header), Block::Grid(grid), Block::Fields(footer)])
}

/// What a document adds to the turnover, or takes from it; nothing where it is no supply.
fn turnover(entry: &Entry) -> Option<Decimal> {
    let value = entry.taka(entry.register.taxes.net);
    match entry.kind() {
        "invoice" | "debit-note" if entry.is_sale() => Some(value),
        "credit-note" if entry.is_sale() => Some(-value),
        _ => None,
    }
}
