//! The registers of goods: Mushak-6.1 of purchases, 6.2 of sales, 6.2.1 of both for one who only trades.
//!
//! A line's attribute `item` names the goods, or else its description does. Opening stock comes as the balances
//! `stock-quantity:ITEM` and `stock-value:ITEM`. What leaves the stock leaves it at the average value.

use std::collections::BTreeMap;

use niyam_sdk::{Block, Cell, Decimal, Finding, Form, Grid, Line, LineTaxes, round_half_up};

use super::book::{Book, Entry};
use crate::movements::{PRODUCTION, STOCK_ISSUE};
use crate::papers::sheet::{Sheet, columns, text};
use crate::papers::{party_cell, party_id};
use crate::tables::{self, PURCHASE_REGISTER};

/// Mushak-6.1: what is bought, and what of it is used.
pub(crate) fn purchases(book: &Book) -> Result<Form, Vec<Finding>> {
    draw(book, "mushak-6.1", |entry| match (entry.kind(), entry.is_sale()) {
        ("invoice" | "import-entry", false) => Some(Move::In),
        (STOCK_ISSUE, _) => Some(Move::Out),
        _ => None,
    })
}

/// Mushak-6.2: what is made, and what of it is sold.
pub(crate) fn sales(book: &Book) -> Result<Form, Vec<Finding>> {
    draw(book, "mushak-6.2", |entry| match (entry.kind(), entry.is_sale()) {
        (PRODUCTION, _) => Some(Move::In),
        ("invoice", true) => Some(Move::Out),
        _ => None,
    })
}

/// Mushak-6.2.1: what is bought, and what of it is sold.
pub(crate) fn trade(book: &Book) -> Result<Form, Vec<Finding>> {
    draw(book, "mushak-6.2.1", |entry| match (entry.kind(), entry.is_sale()) {
        ("invoice" | "import-entry", false) => Some(Move::In),
        ("invoice", true) => Some(Move::Out),
        _ => None,
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Move {
    In,
    Out,
}

#[derive(Clone, Copy, Default)]
struct Stock {
    quantity: Decimal,
    value: Decimal,
}

impl Stock {
    fn plus(self, quantity: Decimal, value: Decimal) -> Self {
        Self { quantity: self.quantity.saturating_add(quantity), value: self.value.saturating_add(value) }
    }

    /// The value of so much of it, at the average; nothing where there is none of it.
    fn average(self, quantity: Decimal) -> Decimal {
        let value = self.value.checked_mul(quantity).and_then(|value| value.checked_div(self.quantity));
        value.unwrap_or(Decimal::ZERO)
    }
}

fn draw(book: &Book, code: &str, moves: impl Fn(&Entry) -> Option<Move>) -> Result<Form, Vec<Finding>> {
    let Some(paper) = tables::paper(code) else { return Err(Vec::new()) };
    let mut sheet = Sheet::new(paper, PURCHASE_REGISTER);
    let header = sheet.fields(paper.header, false, |key| book.value(key));
    let mut rows_of: Vec<(&Entry, Move)> =
        book.entries.iter().filter_map(|entry| Some((entry, moves(entry)?))).collect();
    rows_of.sort_by_key(|(entry, _)| (entry.document().tax_date, entry.at));
    let (mut stocks, mut rows) = (BTreeMap::new(), Vec::new());
    for (entry, way) in rows_of {
        for (line, taxed) in entry.lines() {
            let stock = stocks.entry(item(line)).or_insert_with(|| opening(book, item(line)));
            let row = Row { both: code == "mushak-6.2.1", ..Row::of(entry, way, line, taxed, *stock) };
            *stock = row.closing;
            let serial = rows.len() + 1;
            let cells = paper.columns.iter().map(|column| row.cell(column.key, serial, book.config.places()));
            rows.push(cells.collect());
        }
    }
    let grid = Grid { columns: columns(paper.columns), rows, totals: Vec::new() };
    sheet.form(vec![Block::Fields(header), Block::Grid(grid)])
}

fn item(line: &Line) -> &str {
    line.attributes
        .get("item")
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .unwrap_or(line.description.trim())
}

fn opening(book: &Book, item: &str) -> Stock {
    let balance = |what: &str| book.opening(&format!("{what}:{item}")).unwrap_or_default();
    Stock { quantity: balance("stock-quantity"), value: balance("stock-value") }
}

/// A line of a document, between the stock before and after it.
struct Row<'a> {
    entry: &'a Entry<'a>,
    way: Move,
    /// Whether the register has purchases and sales in columns of their own.
    both: bool,
    line: &'a Line,
    opening: Stock,
    total: Stock,
    closing: Stock,
    /// Without supplementary duty and VAT; an import with its customs duties.
    value: Decimal,
    sd: Decimal,
    vat: Decimal,
}

impl<'a> Row<'a> {
    fn of(entry: &'a Entry<'a>, way: Move, line: &'a Line, taxed: &LineTaxes, opening: Stock) -> Self {
        let value = entry.taka(taxed.net) + entry.tax(taxed, "cd") + entry.tax(taxed, "rd");
        let (sd, vat) = (entry.tax(taxed, "sd"), entry.tax(taxed, "vat"));
        let total = if way == Move::In { opening.plus(line.quantity, value) } else { opening };
        let closing = match way {
            Move::In => total,
            Move::Out => total.plus(-line.quantity, -total.average(line.quantity)),
        };
        Self { entry, way, both: false, line, opening, total, closing, value, sd, vat }
    }

    fn cell(&self, key: &str, serial: usize, places: u32) -> Cell {
        let amount = |amount: Decimal| Cell::Amount(round_half_up(amount, places));
        let entry = self.entry;
        let sale = entry.is_sale() && entry.kind() == "invoice";
        let bought = self.way == Move::In && !sale;
        let used = self.way == Move::Out;
        match key {
            "serial" => Cell::Amount(Decimal::from(serial)),
            "date" => Cell::Day(entry.document().tax_date),
            "opening_quantity" => Cell::Amount(self.opening.quantity.normalize()),
            "opening_value" => amount(self.opening.value),
            "total_quantity" => Cell::Amount(self.total.quantity.normalize()),
            "total_value" => amount(self.total.value),
            "closing_quantity" => Cell::Amount(self.closing.quantity.normalize()),
            "closing_value" => amount(self.closing.value),
            "description" => text(Some(&self.line.description)),
            "produced_quantity" | "purchase_quantity" if bought => Cell::Amount(self.line.quantity),
            "produced_value" | "purchase_value" if bought => amount(self.value),
            "used_quantity" if used => Cell::Amount(self.line.quantity),
            "used_value" if used => amount(self.total.average(self.line.quantity)),
            "remarks" => text(entry.get("remarks")),
            // The rest is of the trade with the other party: none with a movement within the house.
            _ if [STOCK_ISSUE, PRODUCTION].contains(&entry.kind()) => Cell::Empty,
            "quantity" | "value" | "sd" | "vat" if self.both && !sale => Cell::Empty,
            "quantity" => Cell::Amount(self.line.quantity),
            "value" => amount(self.value),
            "sd" => amount(self.sd),
            "vat" => amount(self.vat),
            "seller_name" if !sale => party_cell(entry.party(), "name"),
            "seller_address" if !sale => party_cell(entry.party(), "address"),
            "seller_id" if !sale => party_id(entry.party()),
            "buyer_name" if sale => party_cell(entry.party(), "name"),
            "buyer_address" if sale => party_cell(entry.party(), "address"),
            "buyer_id" if sale => party_id(entry.party()),
            "sale_challan_no" if sale => text(Some(entry.number())),
            "sale_challan_date" if sale => Cell::Day(entry.document().tax_date),
            "challan_no" | "challan_date" if self.both && sale => Cell::Empty,
            "challan_no" => text(Some(entry.number())),
            "challan_date" => Cell::Day(entry.document().tax_date),
            _ => Cell::Empty,
        }
    }
}
