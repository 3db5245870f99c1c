//! What is open of documents, by how long it has been due.

use std::collections::{BTreeMap, BTreeSet};

use niyam_domain::Side;
use niyam_domain::reports::{AgeBand, Aged, age};
use niyam_values::{Cell, Decimal};

use super::parties::{self, Shown};
use super::read::{Found, Reading, ReportError};
use super::table::{Column, Row, Table, money, money_unless_zero, number, said, text};
use crate::projections::ledger::items::{OpenItem, totals};

const COLUMNS: &[Column] = &[
    text("party_id", "Party id"),
    text("party", "Party"),
    text("document_kind", "Document"),
    text("document", "Document id"),
    text("number", "Number"),
    text("date", "Date"),
    text("due", "Due"),
    number("not_due", "Not due"),
    number("days_1_to_30", "1 to 30 days"),
    number("days_31_to_60", "31 to 60 days"),
    number("days_61_to_90", "61 to 90 days"),
    number("days_over_90", "Over 90 days"),
    number("open", "Open"),
];
/// Columns before the amounts.
const TEXTS: usize = 7;

pub(super) async fn read(reading: &mut Reading<'_, '_>, side: Side) -> Result<Found, ReportError> {
    let until = reading.until();
    let items = reading.ledger.open_items(side, &until).await?;
    let ledger = ledger(reading, side).await?;
    let open = totals(&items);
    let shown = parties::open(reading, items.iter().map(|item| &item.party)).await?;
    let currencies: BTreeSet<&'static str> = open.keys().chain(ledger.keys()).copied().collect();
    let tables = currencies.into_iter().map(|currency| {
        let own = items.iter().filter(|item| item.currency.code() == currency);
        let mut by_party: BTreeMap<(&str, &str), Vec<&OpenItem>> = BTreeMap::new();
        for item in own {
            let name = shown.get(&item.party.key).map_or("", |party| party.name.as_str());
            by_party.entry((name, &item.party.key)).or_default().push(item);
        }
        let mut all = Aged::default();
        let mut rows = Vec::new();
        for ((_, key), items) in by_party {
            let party = shown.get(key).cloned().unwrap_or_default();
            let mut sum = Aged::default();
            for item in items {
                let band = age(item.due, reading.as_of);
                let mut aged = Aged::default();
                for aged in [&mut aged, &mut sum, &mut all] {
                    aged.add(band, item.open);
                }
                rows.push(document(&party, item, &aged));
            }
            rows.push(total(
                "party",
                vec![said(party.id.as_str()), said(party.name.as_str())],
                &sum,
                currency,
            ));
        }
        rows.push(total("total", Vec::new(), &all, currency));
        // What else was posted to the accounts, so that the difference is always explained.
        let held = ledger.get(currency).copied().unwrap_or_default();
        for (kind, amount) in [("ledger", held), ("difference", held.saturating_sub(all.total()))] {
            let mut cells = vec![Cell::Empty; COLUMNS.len() - 1];
            cells.push(money(amount, currency));
            rows.push(Row { kind, cells });
        }
        Table { currency: Some(currency), rows }
    });
    Ok(Found::new(COLUMNS, tables.collect()))
}

/// What the account of receivables or payables holds, by the role that postings know it by.
async fn ledger(
    reading: &mut Reading<'_, '_>,
    side: Side,
) -> Result<BTreeMap<&'static str, Decimal>, ReportError> {
    let role = if side == Side::Debit { "receivable" } else { "payable" };
    let Ok(account) = reading.chart.account_of(role).cloned() else { return Ok(BTreeMap::new()) };
    let until = reading.until();
    let held = reading.ledger.balances(&until, Some(&account), None).await?;
    let of = |currency| {
        let balance = held.account(currency, &account).balance();
        (currency, if side == Side::Debit { balance } else { -balance })
    };
    Ok(held.currencies().map(of).collect())
}

fn document(party: &Shown, item: &OpenItem, aged: &Aged) -> Row {
    let mut cells = vec![
        said(party.id.as_str()),
        said(party.name.as_str()),
        said(item.kind.as_str()),
        said(item.item.as_str()),
        said(item.number.as_str()),
        Cell::Day(item.date),
        Cell::Day(item.due),
    ];
    cells.extend(bands(aged, item.currency.code()));
    Row { kind: "document", cells }
}

fn total(kind: &'static str, mut cells: Vec<Cell>, aged: &Aged, currency: &str) -> Row {
    cells.resize(TEXTS, Cell::Empty);
    cells.extend(bands(aged, currency));
    Row { kind, cells }
}

fn bands(aged: &Aged, currency: &str) -> impl Iterator<Item = Cell> {
    let bands = AgeBand::ALL.map(|band| money_unless_zero(aged.of(band), currency));
    bands.into_iter().chain([money(aged.total(), currency)])
}
