//! Profit and loss, and the balance sheet.

use niyam_domain::AccountKind;
use niyam_domain::reports::{self, Cut, Section, StatementRow};
use niyam_values::{Cell, Decimal};

use super::read::{Found, Reading, ReportError};
use super::table::{Column, Row, Table, money, number, said, text};

const COLUMNS: &[Column] = &[
    text("section", "Section"),
    text("account", "Account"),
    text("name", "Name"),
    number("level", "Level"),
    number("amount", "Amount"),
];

pub(super) async fn profit_and_loss(reading: &mut Reading<'_, '_>) -> Result<Found, ReportError> {
    // What moves the result of a year into equity is no part of it.
    let cut = Cut { without_closing: true, ..reading.period() };
    let moved = reading.ledger.balances(&cut, None, reading.asked.dimension.as_ref()).await?;
    let mut tables = Vec::new();
    for found in reports::profit_and_loss(&reading.chart, &moved)? {
        let mut rows = Vec::new();
        section(reading, &mut rows, "income", &found.income, found.currency);
        section(reading, &mut rows, "expenses", &found.expenses, found.currency);
        rows.push(total("profit", "Profit", found.profit, found.currency));
        tables.push(Table { currency: Some(found.currency), rows });
    }
    Ok(Found::new(COLUMNS, tables))
}

pub(super) async fn balance_sheet(reading: &mut Reading<'_, '_>) -> Result<Found, ReportError> {
    let until = reading.until();
    let dimension = reading.asked.dimension.as_ref();
    let held = reading.ledger.balances(&until, None, dimension).await?;
    let mut tables = Vec::new();
    for found in reports::balance_sheet(&reading.chart, &held)? {
        let mut rows = Vec::new();
        let currency = found.currency;
        section(reading, &mut rows, "assets", &found.assets, currency);
        section(reading, &mut rows, "liabilities", &found.liabilities, currency);
        section(reading, &mut rows, "equity", &found.equity, currency);
        rows.push(total("unclosed-profit", "Profit not yet in equity", found.unclosed_profit, currency));
        rows.push(total("liabilities-and-equity", "Liabilities and equity", found.financed, currency));
        if dimension.is_some() {
            // An entry balances, and what of it bears the dimension need not.
            let elsewhere = found.assets.total.saturating_sub(found.financed);
            rows.push(total("elsewhere", "Against lines that do not bear it", elsewhere, currency));
        }
        tables.push(Table { currency: Some(currency), rows });
    }
    Ok(Found::new(COLUMNS, tables))
}

fn section(
    reading: &Reading<'_, '_>,
    rows: &mut Vec<Row>,
    name: &'static str,
    section: &Section,
    currency: &str,
) {
    let row = |row: &StatementRow| Row {
        kind: if row.kind == AccountKind::Header { "header" } else { "account" },
        cells: vec![
            said(name),
            said(row.account.as_str()),
            said(reading.name_of(&row.account)),
            said(row.level.to_string()),
            money(row.amount, currency),
        ],
    };
    rows.extend(section.rows.iter().map(row));
    let label = match name {
        "income" => "Income",
        "expenses" => "Expenses",
        "assets" => "Assets",
        "liabilities" => "Liabilities",
        _ => "Equity",
    };
    rows.push(total(name, label, section.total, currency));
}

fn total(section: &'static str, label: &'static str, amount: Decimal, currency: &str) -> Row {
    let cells = vec![said(section), Cell::Empty, said(label), Cell::Empty, money(amount, currency)];
    Row { kind: "total", cells }
}
