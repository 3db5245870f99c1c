//! What a posted entry writes: itself, its lines, and their sums.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use niyam_domain::{EntryPosted, JournalLine, Side};
use niyam_store::{Recorded, Writer};
use niyam_values::Attributes;
use sqlx::{Postgres, QueryBuilder, Sqlite};

use super::amounts::{split, units};
use super::signed;
use crate::projections::view::{ApplyError, Build};
use crate::projections::writer::{find, run};

/// Most rows of one statement: so few, that both databases take the values of all of them.
const ROWS_AT_ONCE: usize = 100;

/// Inserts rows, some in each statement; `$push` binds the values of one.
macro_rules! insert {
    ($writer:expr, $head:expr, $rows:expr, $tail:expr, |$values:ident, $row:ident| $push:expr) => {
        for rows in $rows.chunks(ROWS_AT_ONCE) {
            match $writer {
                Writer::Sqlite(transaction) => {
                    let mut query = QueryBuilder::<Sqlite>::new($head);
                    query.push_values(rows, |mut $values, $row| {
                        $push;
                    });
                    query.push($tail).build().execute(&mut **transaction).await?;
                }
                Writer::Postgres(transaction) => {
                    let mut query = QueryBuilder::<Postgres>::new($head);
                    query.push_values(rows, |mut $values, $row| {
                        $push;
                    });
                    query.push($tail).build().execute(&mut **transaction).await?;
                }
            }
        }
    };
}

/// A line on its way to its rows.
struct Row<'a> {
    line: &'a JournalLine,
    number: i64,
    debit: i64,
    credit: i64,
    dimensions: Option<String>,
}

/// Writes what `posted` says.
pub(super) async fn post(
    writer: &mut Writer,
    build: Build,
    event: &Recorded,
    posted: &EntryPosted,
) -> Result<(), ApplyError> {
    let closing = i64::from(posted.closes_year() || takes_back_closing(writer, build, event, posted).await?);
    entry(writer, build, event, posted, closing).await?;
    let mut rows = Vec::with_capacity(posted.entry.lines.as_slice().len());
    for (number, line) in posted.entry.lines.as_slice().iter().enumerate() {
        let amount = units(line.amount)?;
        let (debit, credit) = if line.side == Side::Debit { (amount, 0) } else { (0, amount) };
        let dimensions = json(&line.dimensions)?;
        rows.push(Row { line, number: signed(number as u64), debit, credit, dimensions });
    }
    let (tenant, date) = (event.tenant.as_str(), posted.entry.date.to_string());
    let (position, recorded_at) = (signed(event.position.0), event.recorded_at.as_microsecond());
    let entry = posted.entry_id.to_string();
    insert!(
        writer,
        "insert into ledger_lines (tenant, build, account, date, position, line, recorded_at, entry, currency, debit, \
         credit, closing, memo, dimensions) ",
        rows,
        "",
        |values, row| values
            .push_bind(tenant)
            .push_bind(build.0)
            .push_bind(row.line.account.as_str())
            .push_bind(&*date)
            .push_bind(position)
            .push_bind(row.number)
            .push_bind(recorded_at)
            .push_bind(&*entry)
            .push_bind(row.line.currency.code())
            .push_bind(row.debit)
            .push_bind(row.credit)
            .push_bind(closing)
            .push_bind(row.line.memo.as_deref())
            .push_bind(row.dimensions.as_deref())
    );
    days(writer, build, event, (&date, closing), &rows).await?;
    dimensions(writer, build, event, (&date, closing), &rows).await
}

/// A mirror is what it takes back. What it takes back was posted before.
async fn takes_back_closing(
    writer: &mut Writer,
    build: Build,
    event: &Recorded,
    posted: &EntryPosted,
) -> Result<bool, ApplyError> {
    let Some(reverses) = posted.reverses else { return Ok(false) };
    let found = find!(
        writer,
        (i64,),
        "select closing from ledger_entries where tenant = $1 and build = $2 and entry = $3",
        event.tenant.as_str(),
        build.0,
        reverses.to_string()
    )?;
    Ok(found == Some((1,)))
}

async fn entry(
    writer: &mut Writer,
    build: Build,
    event: &Recorded,
    posted: &EntryPosted,
    closing: i64,
) -> Result<(), ApplyError> {
    run!(
        writer,
        "insert into ledger_entries (tenant, build, entry, position, recorded_at, date, description, reference, \
         source_kind, source_id, reverses, closing) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        event.tenant.as_str(),
        build.0,
        posted.entry_id.to_string(),
        signed(event.position.0),
        event.recorded_at.as_microsecond(),
        posted.entry.date.to_string(),
        &posted.entry.description,
        posted.entry.reference.as_deref(),
        posted.source.map(|source| source.kind.as_str()),
        posted.source.map(|source| source.id.to_string()),
        posted.reverses.map(|entry| entry.to_string()),
        closing
    )?;
    Ok(())
}

/// Adds the lines to the sums of the day.
async fn days(
    writer: &mut Writer,
    build: Build,
    event: &Recorded,
    (date, closing): (&str, i64),
    rows: &[Row<'_>],
) -> Result<(), ApplyError> {
    // Each part of a sum apart: lines are many, and each may be as large as an amount can be.
    let mut sums: BTreeMap<(&str, &str), [i64; 4]> = BTreeMap::new();
    for Row { line, debit, credit, .. } in rows {
        let sum = sums.entry((line.account.as_str(), line.currency.code())).or_default();
        let ((debit_high, debit_low), (credit_high, credit_low)) = (split(*debit), split(*credit));
        for (sum, part) in sum.iter_mut().zip([debit_high, debit_low, credit_high, credit_low]) {
            *sum += part;
        }
    }
    let recorded_on = recorded_on(event.recorded_at);
    let rows: Vec<_> = sums.into_iter().collect();
    insert!(
        writer,
        "insert into ledger_days (tenant, build, account, currency, date, recorded_on, closing, debit_high, debit_low, \
         credit_high, credit_low) ",
        rows,
        " on conflict (tenant, build, account, currency, date, recorded_on, closing) do update set \
         debit_high = ledger_days.debit_high + excluded.debit_high, \
         debit_low = ledger_days.debit_low + excluded.debit_low, \
         credit_high = ledger_days.credit_high + excluded.credit_high, \
         credit_low = ledger_days.credit_low + excluded.credit_low",
        |values, row| {
            let ((account, currency), sums) = row;
            values
                .push_bind(event.tenant.as_str())
                .push_bind(build.0)
                .push_bind(*account)
                .push_bind(*currency)
                .push_bind(date)
                .push_bind(&*recorded_on)
                .push_bind(closing);
            for sum in sums {
                values.push_bind(*sum);
            }
        }
    );
    Ok(())
}

async fn dimensions(
    writer: &mut Writer,
    build: Build,
    event: &Recorded,
    (date, closing): (&str, i64),
    rows: &[Row<'_>],
) -> Result<(), ApplyError> {
    let rows: Vec<(&Row<'_>, &str, &str)> = rows
        .iter()
        .flat_map(|row| row.line.dimensions.iter().map(move |(name, value)| (row, name, value)))
        .collect();
    let (position, recorded_at) = (signed(event.position.0), event.recorded_at.as_microsecond());
    insert!(
        writer,
        "insert into ledger_dimensions (tenant, build, name, value, account, date, position, line, recorded_at, \
         currency, debit, credit, closing) ",
        rows,
        "",
        |values, row| {
            let (row, name, value) = row;
            values
                .push_bind(event.tenant.as_str())
                .push_bind(build.0)
                .push_bind(*name)
                .push_bind(*value)
                .push_bind(row.line.account.as_str())
                .push_bind(date)
                .push_bind(position)
                .push_bind(row.number)
                .push_bind(recorded_at)
                .push_bind(row.line.currency.code())
                .push_bind(row.debit)
                .push_bind(row.credit)
                .push_bind(closing)
        }
    );
    Ok(())
}

/// The day on which it was recorded, in UTC.
pub(super) fn recorded_on(recorded_at: jiff::Timestamp) -> String {
    TimeZone::UTC.to_datetime(recorded_at).date().to_string()
}

fn json(dimensions: &Attributes) -> Result<Option<String>, ApplyError> {
    if dimensions.is_empty() {
        return Ok(None);
    }
    serde_json::to_string(dimensions).map(Some).map_err(|error| ApplyError::Unreadable(error.to_string()))
}
