//! Mushak-9.1, and the documents behind each of its notes.

use niyam_sdk::{Block, Cell, Column, Decimal, Finding, Form, Grid};

use super::book::Book;
use super::collect;
use super::figures::Figures;
use crate::papers::sheet::{Sheet, both, column, columns, text};
use crate::papers::{party_cell, party_id};
use crate::tables::{self, NOTES, Note, PARTS, Paper, RETURN_PAPER, Shape};

/// The return of the period.
///
/// # Errors
/// What is missing of who files it, and what [`collect::figures`] refuses.
pub(crate) fn draw(book: &Book) -> Result<Form, Vec<Finding>> {
    let paper = paper("mushak-9.1")?;
    let mut sheet = Sheet::new(paper, RETURN_PAPER);
    sheet.findings.extend(book.unfiled(RETURN_PAPER));
    let header = sheet.fields(paper.header, false, |key| book.value(key));
    let footer = sheet.fields(paper.footer, false, |key| book.value(key));
    let figures = match collect::figures(book) {
        Ok(figures) => figures,
        Err(refused) => {
            sheet.findings.extend(refused);
            return Err(sheet.findings);
        }
    };
    let mut blocks = vec![Block::Fields(header)];
    for part in PARTS {
        blocks.push(Block::Paragraph(both(part.bn, part.en)));
        let notes: Vec<&Note> = NOTES.iter().filter(|note| note.part == part.number).collect();
        blocks.push(Block::Grid(grid(book, paper, &notes, &figures)));
    }
    blocks.push(Block::Fields(footer));
    sheet.form(blocks)
}

/// The documents that each note is the sum of.
pub(crate) fn details(book: &Book) -> Result<Form, Vec<Finding>> {
    let paper = paper("mushak-9.1-details")?;
    let mut sheet = Sheet::new(paper, RETURN_PAPER);
    let header = sheet.fields(paper.header, false, |key| book.value(key));
    let mut figures = collect::figures(book)?;
    figures.trail.sort_by_key(|trace| (trace.note, trace.entry.at));
    let row = |trace: &super::figures::Trace| -> Vec<Cell> {
        let shape = NOTES[usize::from(trace.note) - 1].shape;
        let cell = |key: &str| match key {
            "note" => Cell::Amount(Decimal::from(trace.note)),
            "challan_no" => text(Some(trace.entry.number())),
            "challan_date" => Cell::Day(trace.entry.document().tax_date),
            "party_name" => party_cell(trace.entry.party(), "name"),
            "party_id" => party_id(trace.entry.party()),
            "description" => text(Some(trace.description)),
            key => place(shape, key).map_or(Cell::Empty, |at| Cell::Amount(trace.columns[at])),
        };
        paper.columns.iter().map(|column| cell(column.key)).collect()
    };
    let rows = figures.trail.iter().map(row).collect();
    let grid = Grid { columns: columns(paper.columns), rows, totals: Vec::new() };
    sheet.form(vec![Block::Fields(header), Block::Grid(grid)])
}

fn paper(code: &str) -> Result<&'static Paper, Vec<Finding>> {
    tables::paper(code)
        .ok_or_else(|| vec![Finding::error("return-not-offered", format!("there is no {code}"))])
}

/// Where a column of the form stands among a note's amounts.
fn place(shape: Shape, key: &str) -> Option<usize> {
    match (shape, key) {
        (Shape::Supply | Shape::Purchase, "value") | (Shape::Amount, "amount") => Some(0),
        (Shape::Supply, "sd") | (Shape::Purchase, "vat") => Some(1),
        (Shape::Supply, "vat") => Some(2),
        _ => None,
    }
}

/// A part's table: its notes, in the columns that their shape has.
fn grid(book: &Book, paper: &'static Paper, notes: &[&Note], figures: &Figures) -> Grid {
    let shape = notes.first().map_or(Shape::Amount, |note| note.shape);
    let shown = |key: &str| matches!(key, "note" | "description") || place(shape, key).is_some();
    let columns: Vec<Column> = paper.columns.iter().filter(|place| shown(place.key)).map(column).collect();
    let row = |note: &&Note| -> Vec<Cell> {
        let cell = |column: &Column| match column.key.as_str() {
            "note" => Cell::Amount(Decimal::from(note.number)),
            "description" => Cell::Text(format!("{} / {}", note.bn, note.en)),
            key => place(shape, key).map_or(Cell::Empty, |at| {
                Cell::Amount(niyam_sdk::round_half_up(figures.get(note.number, at), book.config.places()))
            }),
        };
        columns.iter().map(cell).collect()
    };
    let rows = notes.iter().map(row).collect();
    Grid { columns, rows, totals: Vec::new() }
}
