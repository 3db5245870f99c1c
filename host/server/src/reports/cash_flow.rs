//! Cash flow, by the indirect method.

use niyam_domain::reports::{self, CashFlow, Cut, Flow};
use niyam_values::{Cell, Decimal};

use super::read::{Found, Reading, ReportError};
use super::table::{Column, Row, Table, money, number, said, text};

const COLUMNS: &[Column] = &[
    text("section", "Section"),
    text("account", "Account"),
    text("name", "Name"),
    number("amount", "Amount"),
];

pub(super) async fn read(reading: &mut Reading<'_, '_>) -> Result<Found, ReportError> {
    let (before, period) = (reading.before(), Cut { without_closing: true, ..reading.period() });
    let opening = reading.ledger.balances(&before, None, None).await?;
    let moved = reading.ledger.balances(&period, None, None).await?;
    let flows = reports::cash_flow(&reading.chart, &opening, &moved)?;
    Ok(Found::new(COLUMNS, flows.iter().map(|flow| table(reading, flow)).collect()))
}

fn table(reading: &Reading<'_, '_>, flow: &CashFlow) -> Table {
    let currency = flow.currency;
    let row = |kind, section: &'static str, account: Cell, name: String, amount: Decimal| Row {
        kind,
        cells: vec![said(section), account, said(name), money(amount, currency)],
    };
    let total = |section: &'static str, label: &str, amount| {
        row("total", section, Cell::Empty, label.to_owned(), amount)
    };
    let flows = |section: &'static str, flows: &[Flow]| -> Vec<Row> {
        let of = |flow: &Flow| {
            let name = reading.name_of(&flow.account);
            row("account", section, said(flow.account.as_str()), name, flow.amount)
        };
        flows.iter().map(of).collect()
    };
    let mut rows = vec![row("profit", "operating", Cell::Empty, "Profit".to_owned(), flow.profit)];
    rows.extend(flows("operating", &flow.operating));
    rows.push(total("operating", "From operating activities", flow.from_operating()));
    rows.extend(flows("investing", &flow.investing));
    rows.push(total("investing", "From investing activities", flow.from_investing()));
    rows.extend(flows("financing", &flow.financing));
    rows.push(total("financing", "From financing activities", flow.from_financing()));
    rows.push(total("change", "Change of cash", flow.change));
    rows.push(row("opening", "cash", Cell::Empty, "Cash before".to_owned(), flow.opening));
    rows.push(row("closing", "cash", Cell::Empty, "Cash afterwards".to_owned(), flow.closing));
    Table { currency: Some(currency), rows }
}
