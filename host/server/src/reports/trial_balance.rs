//! The trial balance.

use niyam_domain::reports::{self, TrialBalance, TrialRow};
use niyam_values::Cell;

use super::read::{Found, Reading, ReportError};
use super::table::{Column, Row, Table, money, money_unless_zero, number, said, text};

const COLUMNS: &[Column] = &[
    text("account", "Account"),
    text("name", "Name"),
    text("class", "Class"),
    number("opening", "Opening balance"),
    number("debits", "Debits"),
    number("credits", "Credits"),
    number("debit", "Balance debit"),
    number("credit", "Balance credit"),
];

pub(super) async fn read(reading: &mut Reading<'_, '_>) -> Result<Found, ReportError> {
    let (before, period, dimension) = (reading.before(), reading.period(), reading.asked.dimension.as_ref());
    let opening = reading.ledger.balances(&before, None, dimension).await?;
    let moved = reading.ledger.balances(&period, None, dimension).await?;
    let tables = reports::trial_balance(&opening, &moved);
    Ok(Found::new(COLUMNS, tables.iter().map(|found| table(reading, found)).collect()))
}

fn table(reading: &Reading<'_, '_>, found: &TrialBalance) -> Table {
    let currency = found.currency;
    let row = |row: &TrialRow| {
        let class = reading.chart.accounts.get(&row.account).map_or("", |account| account.class.as_str());
        Row {
            kind: "account",
            cells: vec![
                said(row.account.as_str()),
                said(reading.name_of(&row.account)),
                said(class),
                money(row.opening, currency),
                money(row.turnover.debit, currency),
                money(row.turnover.credit, currency),
                money_unless_zero(row.closing.debit, currency),
                money_unless_zero(row.closing.credit, currency),
            ],
        }
    };
    let total = Row {
        kind: "total",
        cells: vec![
            Cell::Empty,
            Cell::Empty,
            Cell::Empty,
            Cell::Empty,
            money(found.turnover.debit, currency),
            money(found.turnover.credit, currency),
            money(found.closing.debit, currency),
            money(found.closing.credit, currency),
        ],
    };
    Table { currency: Some(currency), rows: found.rows.iter().map(row).chain([total]).collect() }
}
