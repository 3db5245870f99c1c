//! Mushak-6.10: purchases and sales above the threshold of rule 42.

use niyam_sdk::{Block, Cell, Decimal, Finding, Form, Grid};

use super::book::{Book, Entry};
use crate::config::Parties;
use crate::papers::sheet::{Sheet, columns, text};
use crate::papers::{party_cell, party_id};
use crate::tables::{self, STATEMENT_PAPER};

/// The statement of the period.
pub(crate) fn draw(book: &Book) -> Result<Form, Vec<Finding>> {
    let Some(paper) = tables::paper("mushak-6.10") else { return Err(Vec::new()) };
    let mut sheet = Sheet::new(paper, STATEMENT_PAPER);
    let header = sheet.fields(paper.header, false, |key| book.value(key));
    let stated: Vec<(&Entry, Decimal)> =
        book.entries.iter().filter_map(|entry| Some((entry, value(book, entry)?))).collect();
    let row = |(at, (entry, value)): (usize, &(&Entry, Decimal))| -> Vec<Cell> {
        let cell = |key: &str| match key {
            "serial" => Cell::Amount(Decimal::from(at + 1)),
            "direction" => {
                text(Some(if entry.is_sale() { "বিক্রয়" } else { "ক্রয়" }))
            }
            "challan_no" => text(Some(entry.number())),
            "challan_date" => Cell::Day(entry.document().tax_date),
            "value" => Cell::Amount(*value),
            "party_name" => party_cell(entry.party(), "name"),
            "party_address" => party_cell(entry.party(), "address"),
            "party_id" => party_id(entry.party()),
            _ => Cell::Empty,
        };
        paper.columns.iter().map(|column| cell(column.key)).collect()
    };
    let rows = stated.iter().enumerate().map(row).collect();
    let grid = Grid { columns: columns(paper.columns), rows, totals: Vec::new() };
    sheet.form(vec![Block::Fields(header), Block::Grid(grid)])
}

/// The value of a purchase or sale that is stated; nothing for any other.
fn value(book: &Book, entry: &Entry) -> Option<Decimal> {
    let traded = matches!(entry.kind(), "invoice" | "import-entry");
    let value = entry.taka(entry.register.taxes.net);
    let above =
        tables::threshold("statement-6.10", entry.document().tax_date).is_some_and(|row| value > row.taka);
    let registered = entry.party().identifier("bin").is_some();
    let wanted = book.config.statement.parties == Parties::All || !registered;
    (traded && above && wanted).then_some(value)
}
