//! Reports as JSON.

use std::collections::BTreeMap;

use jiff::Timestamp;
use niyam_domain::Position;
use niyam_values::{Cell, Date};
use serde::Serialize;
use utoipa::ToSchema;

use crate::reports::{Column, Report, Row, Table};

/// A report, in tables whose rows have a value for each column.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReportView {
    #[schema(example = "trial-balance")]
    report: &'static str,
    title: &'static str,
    /// An account, a customer, a document.
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<String>,
    /// The first day that counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    from: Option<Date>,
    /// The last day that counts.
    #[schema(value_type = String, format = Date)]
    as_of: Date,
    /// What was recorded later is not in it.
    #[schema(value_type = String, format = DateTime)]
    known_at: Timestamp,
    /// The last event that it knows.
    #[schema(value_type = u64)]
    position: Position,
    columns: Vec<ColumnView>,
    tables: Vec<TableView>,
    /// Cursor of the next page, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// A column.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ColumnView {
    key: &'static str,
    label: &'static str,
    numeric: bool,
}

/// The rows of one currency; or of all, with a column that tells it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TableView {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "BDT")]
    currency: Option<&'static str>,
    /// Each has the keys of the columns, and `row`, which says what it is: `account`, `header`, `line`, `document`,
    /// `opening`, `closing`, `total` …
    rows: Vec<BTreeMap<&'static str, Option<String>>>,
}

impl From<&Report> for ReportView {
    fn from(report: &Report) -> Self {
        let column =
            |column: &Column| ColumnView { key: column.key, label: column.label, numeric: column.numeric };
        let table = |table: &Table| TableView {
            currency: table.currency,
            rows: table.rows.iter().map(|row| keyed(report.columns, row)).collect(),
        };
        Self {
            report: report.name,
            title: report.title,
            about: report.about.clone(),
            from: report.from,
            as_of: report.as_of,
            known_at: report.known_at,
            position: report.position,
            columns: report.columns.iter().map(column).collect(),
            tables: report.tables.iter().map(table).collect(),
            next: report.next.clone(),
        }
    }
}

fn keyed(columns: &[Column], row: &Row) -> BTreeMap<&'static str, Option<String>> {
    let cells = columns.iter().zip(&row.cells).map(|(column, cell)| (column.key, shown(cell)));
    cells.chain([("row", Some(row.kind.to_owned()))]).collect()
}

/// A cell as text.
pub(super) fn shown(cell: &Cell) -> Option<String> {
    match cell {
        Cell::Text(text) => Some(text.clone()),
        Cell::Amount(amount) => Some(amount.to_string()),
        Cell::Day(day) => Some(day.to_string()),
        Cell::Empty => None,
    }
}
