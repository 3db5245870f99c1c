//! Taxes of issued documents by code, rate and effect.

use std::collections::BTreeMap;

use niyam_values::{Cell, Decimal};

use super::read::{Found, Reading, ReportError};
use super::table::{Column, Row, Table, money, number, said, text};
use crate::projections::ledger::taxes::{TaxKey, TaxSums};

const COLUMNS: &[Column] = &[
    text("direction", "Direction"),
    text("code", "Tax"),
    number("rate", "Rate, %"),
    text("effect", "Effect"),
    text("recoverable", "Recoverable"),
    number("documents", "Documents"),
    number("base", "Base"),
    number("amount", "Amount"),
];

pub(super) async fn read(reading: &mut Reading<'_, '_>) -> Result<Found, ReportError> {
    let period = reading.period();
    let sums = reading.ledger.taxes(&period).await?;
    let mut tables: BTreeMap<Currency, CurrencyTaxes> = BTreeMap::new();
    for (key, sums) in sums {
        let taxes = tables.entry(key.currency.clone()).or_default();
        taxes.rows.push(row(&key, &sums));
        let total = taxes.totals.entry((key.direction, key.effect)).or_default();
        *total = total.saturating_add(sums.amount);
    }
    Ok(Found::new(COLUMNS, tables.into_iter().filter_map(table).collect()))
}

type Currency = String;

/// The taxes of one currency, and their sums by direction and effect.
#[derive(Default)]
struct CurrencyTaxes {
    rows: Vec<Row>,
    totals: BTreeMap<(String, String), Decimal>,
}

fn table((currency, taxes): (Currency, CurrencyTaxes)) -> Option<Table> {
    let currency = currency.parse::<niyam_domain::Currency>().ok()?.code();
    let total = |((direction, effect), amount): ((String, String), Decimal)| {
        let mut cells = vec![said(direction), Cell::Empty, Cell::Empty, said(effect)];
        cells.resize(COLUMNS.len() - 1, Cell::Empty);
        cells.push(money(amount, currency));
        Row { kind: "total", cells }
    };
    let rows = taxes.rows.into_iter().chain(taxes.totals.into_iter().map(total)).collect();
    Some(Table { currency: Some(currency), rows })
}

fn row(key: &TaxKey, sums: &TaxSums) -> Row {
    Row {
        kind: "tax",
        cells: vec![
            said(key.direction.as_str()),
            said(key.code.as_str()),
            said(key.rate.as_str()),
            said(key.effect.as_str()),
            said(key.recoverable.to_string()),
            said(sums.documents.to_string()),
            money(sums.base, &key.currency),
            money(sums.amount, &key.currency),
        ],
    }
}
