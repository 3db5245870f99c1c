//! What a customer was billed and paid.

use std::collections::BTreeSet;

use niyam_domain::reports::Cut;
use niyam_domain::{Rejection, Side};
use niyam_values::{Cell, Decimal};

use super::parties;
use super::read::{Found, Reading, ReportError};
use super::table::{Column, Row, Table, money, money_unless_zero, number, said, text};
use crate::projections::ledger::items::OpenMove;

const COLUMNS: &[Column] = &[
    text("date", "Date"),
    text("document_kind", "Kind"),
    text("document", "Document id"),
    text("number", "Number"),
    text("of", "Of document"),
    number("debit", "Billed"),
    number("credit", "Settled"),
    number("balance", "Owed"),
];

pub(super) async fn read(reading: &mut Reading<'_, '_>) -> Result<Found, ReportError> {
    let customer = reading.asked.customer.clone().ok_or(ReportError::Missing("customer"))?;
    let keys = keys_of(reading, &customer).await?;
    // Of all time: what came before is the balance that is brought forward.
    let until = reading.until();
    let mut moves: Vec<OpenMove> = Vec::new();
    let mut known = Vec::new();
    for key in &keys {
        known.extend(reading.ledger.party(Side::Debit, key).await?);
        moves.extend(reading.ledger.moves_of(Side::Debit, key, &until).await?);
    }
    if known.is_empty() {
        return Err(Rejection::DataSubjectMissing.into());
    }
    moves.sort_by(|one, other| {
        (one.date, one.position, &one.item).cmp(&(other.date, other.position, &other.item))
    });
    let shown = parties::open(reading, &known).await?;
    let name = shown.into_values().next().map(|party| party.name).unwrap_or_default();
    let currencies: BTreeSet<&'static str> = moves.iter().map(|moved| moved.currency.code()).collect();
    let tables = currencies.into_iter().map(|currency| {
        let own: Vec<&OpenMove> = moves.iter().filter(|moved| moved.currency.code() == currency).collect();
        table(currency, &own, &reading.period())
    });
    let tables = tables.collect();
    Ok(Found { about: Some(name), columns: COLUMNS, tables, next: None })
}

/// What tells the customer's documents from others: the keys that its data are under, and, of what was recorded before
/// there were keys, its id. A key that was destroyed leads nowhere.
async fn keys_of(reading: &Reading<'_, '_>, customer: &str) -> Result<Vec<String>, ReportError> {
    let subject = reading.app.vault.subject(reading.tenant, customer);
    let keys = reading.app.store.keys_of_subject(reading.tenant, &subject).await?;
    let live = keys.iter().filter(|key| key.erased_at.is_none()).map(|key| key.id.to_string());
    Ok(live.chain([customer.to_owned()]).collect())
}

fn table(currency: &'static str, moves: &[&OpenMove], period: &Cut) -> Table {
    let is_before = |moved: &OpenMove| period.from.is_some_and(|from| moved.date < from);
    let before = moves.iter().filter(|moved| is_before(moved));
    let mut owed = before.fold(Decimal::ZERO, |owed, moved| owed.saturating_add(moved.amount));
    let mut rows = Vec::new();
    rows.push(balance("opening", owed, currency));
    for moved in moves.iter().filter(|moved| !is_before(moved)) {
        owed = owed.saturating_add(moved.amount);
        let of = if moved.source == moved.item { Cell::Empty } else { said(moved.item.as_str()) };
        let (debit, credit) = if moved.amount < Decimal::ZERO {
            (Decimal::ZERO, -moved.amount)
        } else {
            (moved.amount, Decimal::ZERO)
        };
        rows.push(Row {
            kind: "line",
            cells: vec![
                Cell::Day(moved.date),
                said(moved.kind.as_str()),
                said(moved.source.as_str()),
                said(moved.number.as_str()),
                of,
                money_unless_zero(debit, currency),
                money_unless_zero(credit, currency),
                money(owed, currency),
            ],
        });
    }
    rows.push(balance("closing", owed, currency));
    Table { currency: Some(currency), rows }
}

fn balance(kind: &'static str, owed: Decimal, currency: &str) -> Row {
    let mut cells = vec![Cell::Empty; COLUMNS.len() - 1];
    cells.push(money(owed, currency));
    Row { kind, cells }
}
