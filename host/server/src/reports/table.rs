//! A report as tables, free of layout.

use jiff::Timestamp;
use jiff::civil::Date;
use niyam_domain::{Currency, Position};
use niyam_values::{Cell, Decimal, with_places};

/// A column of a report's tables.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    /// As JSON and CSV name it.
    pub(crate) key: &'static str,
    /// As a page names it.
    pub(crate) label: &'static str,
    /// Whether it is an amount or a count.
    pub(crate) numeric: bool,
}

/// A column of texts.
pub(crate) const fn text(key: &'static str, label: &'static str) -> Column {
    Column { key, label, numeric: false }
}

/// A column of amounts or counts.
pub(crate) const fn number(key: &'static str, label: &'static str) -> Column {
    Column { key, label, numeric: true }
}

/// A row, with a cell for each column.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// What it is: `account`, `header`, `line`, `document`, `opening`, `closing`, `total` …
    pub(crate) kind: &'static str,
    pub(crate) cells: Vec<Cell>,
}

/// Rows that belong together: one currency's, or all.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    /// None where rows of several currencies stand together.
    pub(crate) currency: Option<&'static str>,
    pub(crate) rows: Vec<Row>,
}

/// A report.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    /// As the path names it.
    pub(crate) name: &'static str,
    /// As a page names it.
    pub(crate) title: &'static str,
    /// What it is about, besides its days: an account, a customer.
    pub(crate) about: Option<String>,
    pub(crate) from: Option<Date>,
    pub(crate) as_of: Date,
    pub(crate) known_at: Timestamp,
    /// The last event that it knows.
    pub(crate) position: Position,
    pub(crate) columns: &'static [Column],
    pub(crate) tables: Vec<Table>,
    /// Cursor of the next page, where the report has pages and more follows.
    pub(crate) next: Option<String>,
}

/// A text, or nothing when it is empty.
pub(crate) fn said(text: impl Into<String>) -> Cell {
    let text = text.into();
    if text.is_empty() { Cell::Empty } else { Cell::Text(text) }
}

/// An amount with at least the places of its currency.
pub(crate) fn money(amount: Decimal, currency: &str) -> Cell {
    let places = currency.parse().map_or(2, Currency::minor_units);
    Cell::Amount(with_places(amount, amount.normalize().scale().max(places.into())))
}

/// An amount where there is one.
pub(crate) fn money_unless_zero(amount: Decimal, currency: &str) -> Cell {
    if amount.is_zero() { Cell::Empty } else { money(amount, currency) }
}
