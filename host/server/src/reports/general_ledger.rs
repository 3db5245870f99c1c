//! The ledger of one account: each line with the balance that it leaves.

use niyam_domain::reports::{Cut, Running};
use niyam_values::Cell;

use super::read::{Found, Reading, ReportError, refused};
use super::table::{Column, Row, Table, money, money_unless_zero, number, said, text};
use crate::projections::ledger::page::LedgerLine;
use crate::projections::ledger::sums::day_before;

const COLUMNS: &[Column] = &[
    text("date", "Date"),
    text("entry", "Entry"),
    text("description", "Description"),
    text("reference", "Reference"),
    text("document_kind", "Document"),
    text("document", "Document id"),
    text("reverses", "Takes back"),
    text("memo", "Memo"),
    text("dimensions", "Dimensions"),
    text("recorded_at", "Recorded"),
    text("currency", "Currency"),
    number("debit", "Debit"),
    number("credit", "Credit"),
    number("balance", "Balance"),
];
/// Columns before the currency.
const TEXTS: usize = 10;

pub(super) async fn read(reading: &mut Reading<'_, '_>) -> Result<Found, ReportError> {
    let asked = reading.asked;
    let account = asked.account.clone().ok_or(ReportError::Missing("account"))?;
    let known = reading.chart.accounts.get(&account);
    let Some(known) = known else {
        return Err(refused("account-unknown", "/account", "the chart of accounts has no such account"));
    };
    let about = Some(format!("{account} {}", known.name));
    let (period, dimension) = (reading.period(), asked.dimension.as_ref());
    let (limit, after) = (asked.limit, asked.after);
    // One more, to know whether more follow.
    let mut lines = reading.ledger.lines(&account, &period, dimension, after, limit + 1).await?;
    let more = lines.len() > limit as usize;
    lines.truncate(limit as usize);
    let next = lines.last().filter(|_| more).map(|line| line.at.to_string());
    // What the account held when the page begins: the days before, and of its first day what stands on an earlier page.
    let held = match after {
        None => reading.ledger.balances(&reading.before(), Some(&account), dimension).await?,
        Some(at) => {
            let days = Cut { until: Some(day_before(at.date)), ..reading.until() };
            let mut held = reading.ledger.balances(&days, Some(&account), dimension).await?;
            for (currency, turnover) in reading.ledger.lines_before(&account, &period, dimension, at).await? {
                held.add(currency, &account, turnover);
            }
            held
        }
    };
    let mut running = Running::from(&held, &account);
    let mut rows = balances("opening", &running);
    rows.extend(lines.iter().map(|line| row(line, &mut running)));
    if !more {
        rows.extend(balances("closing", &running));
    }
    Ok(Found { about, columns: COLUMNS, tables: vec![Table { currency: None, rows }], next })
}

/// What the account holds, in each currency.
fn balances(kind: &'static str, running: &Running) -> Vec<Row> {
    let row = |(currency, held)| {
        let mut cells = vec![Cell::Empty; TEXTS];
        cells.extend([said(currency), Cell::Empty, Cell::Empty, money(held, currency)]);
        Row { kind, cells }
    };
    running.held().map(row).collect()
}

fn row(line: &LedgerLine, running: &mut Running) -> Row {
    let currency = line.currency.code();
    let balance = running.step(currency, line.turnover);
    let optional = |text: &Option<String>| text.clone().map_or(Cell::Empty, Cell::Text);
    let (kind, document) = line
        .source
        .clone()
        .map_or((Cell::Empty, Cell::Empty), |(kind, document)| (Cell::Text(kind), Cell::Text(document)));
    let cells = vec![
        Cell::Day(line.at.date),
        said(line.entry.as_str()),
        said(line.description.as_str()),
        optional(&line.reference),
        kind,
        document,
        optional(&line.reverses),
        optional(&line.memo),
        optional(&line.dimensions),
        said(line.recorded_at.to_string()),
        said(currency),
        money_unless_zero(line.turnover.debit, currency),
        money_unless_zero(line.turnover.credit, currency),
        money(balance, currency),
    ];
    Row { kind: "line", cells }
}
