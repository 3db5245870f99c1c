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
    let mut tables: BTreeMap<&'static str, (Vec<Row>, BTreeMap<(String, String), Decimal>)> = BTreeMap::new();
    for (key, sums) in &sums {
        let Ok(currency) = key.currency.parse::<niyam_domain::Currency>() else { continue };
        let (rows, totals) = tables.entry(currency.code()).or_default();
        rows.push(row(key, sums));
        let total = totals.entry((key.direction.clone(), key.effect.clone())).or_default();
        *total = total.saturating_add(sums.amount);
    }
    let tables = tables.into_iter().map(|(currency, (mut rows, totals))| {
        rows.extend(totals.into_iter().map(|((direction, effect), amount)| Row {
            kind: "total",
            cells: vec![
                said(direction),
                Cell::Empty,
                Cell::Empty,
                said(effect),
                Cell::Empty,
                Cell::Empty,
                Cell::Empty,
                money(amount, currency),
            ],
        }));
        Table { currency: Some(currency), rows }
    });
    Ok(Found::new(COLUMNS, tables.collect()))
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
