//! Bank statements beside the ledger, at the same moment of it: their lines, and which lines of the books they are.

use jiff::civil::Date;
use niyam_domain::{
    AccountCode, Currency, DomainEvent as _, EntryId, LedgerLineRef, LineMatched, Position, StatementEvent,
    StatementId, StatementImported,
};
use niyam_store::{Recorded, Writer};
use niyam_values::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

use super::amounts::{amount, units};
use super::signed;
use super::snapshot::{Snapshot, rows};
use super::sums::damaged;
use crate::projections::view::{ApplyError, Build};
use crate::projections::writer::run;

/// Writes what happened to a statement.
pub(super) async fn apply(writer: &mut Writer, build: Build, event: &Recorded) -> Result<(), ApplyError> {
    let Some(id) = event.stream.as_str().strip_prefix("bank-statement/") else { return Ok(()) };
    let (tenant, version) = (event.tenant.as_str(), signed(event.version.0));
    match StatementEvent::read_without_personal(&event.event_type, &event.payload)? {
        StatementEvent::Imported(imported) => return import(writer, build, event, (id, &imported)).await,
        StatementEvent::Matched(LineMatched { line, ledger_lines }) => {
            for ledger_line in ledger_lines {
                run!(
                    &mut *writer,
                    "insert into bank_matches (tenant, build, entry, entry_line, statement, line) \
                     values ($1, $2, $3, $4, $5, $6)",
                    tenant,
                    build.0,
                    ledger_line.entry_id.to_string(),
                    i64::from(ledger_line.line),
                    id,
                    i64::from(line)
                )?;
            }
            matched(writer, build, (tenant, id, line), 1).await?;
        }
        StatementEvent::Undone(undone) => {
            run!(
                &mut *writer,
                "delete from bank_matches where tenant = $1 and build = $2 and statement = $3 and line = $4",
                tenant,
                build.0,
                id,
                i64::from(undone.line)
            )?;
            matched(writer, build, (tenant, id, undone.line), 0).await?;
        }
    }
    run!(
        writer,
        "update bank_statements set version = $4 where tenant = $1 and build = $2 and statement = $3",
        tenant,
        build.0,
        id,
        version
    )?;
    Ok(())
}

async fn matched(
    writer: &mut Writer,
    build: Build,
    (tenant, id, line): (&str, &str, u32),
    is_matched: i64,
) -> Result<(), ApplyError> {
    run!(
        &mut *writer,
        "update bank_lines set matched = $5 where tenant = $1 and build = $2 and statement = $3 and line = $4",
        tenant,
        build.0,
        id,
        i64::from(line),
        is_matched
    )?;
    run!(
        writer,
        "update bank_statements set matched = matched + $4 where tenant = $1 and build = $2 and statement = $3",
        tenant,
        build.0,
        id,
        if is_matched == 1 { 1 } else { -1_i64 }
    )?;
    Ok(())
}

async fn import(
    writer: &mut Writer,
    build: Build,
    event: &Recorded,
    (id, imported): (&str, &StatementImported),
) -> Result<(), ApplyError> {
    let tenant = event.tenant.as_str();
    run!(
        &mut *writer,
        "insert into bank_statements (tenant, build, statement, version, account, currency, format, number, starts, ends, \
         opening, closing, lines, matched, created_position) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, $14)",
        tenant,
        build.0,
        id,
        signed(event.version.0),
        imported.account.as_str(),
        imported.currency.code(),
        imported.format.as_str(),
        imported.number.as_deref(),
        imported.starts.to_string(),
        imported.ends.to_string(),
        units(imported.opening)?,
        units(imported.closing)?,
        signed(imported.lines.len() as u64),
        signed(event.position.0)
    )?;
    for (number, line) in imported.lines.iter().enumerate() {
        run!(
            &mut *writer,
            "insert into bank_lines (tenant, build, statement, line, date, amount, matched) \
             values ($1, $2, $3, $4, $5, $6, 0)",
            tenant,
            build.0,
            id,
            signed(number as u64),
            line.date.to_string(),
            units(line.amount)?
        )?;
    }
    Ok(())
}

/// A statement in the list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StatementListItem {
    id: String,
    version: i64,
    account: String,
    currency: String,
    /// `csv`, `mt940` or `camt.053`.
    format: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<String>,
    starts: String,
    ends: String,
    #[schema(value_type = String)]
    opening: Decimal,
    #[schema(value_type = String)]
    closing: Decimal,
    lines: i64,
    /// How many of its lines are matched.
    matched: i64,
    #[serde(skip)]
    pub(crate) created_position: i64,
}

#[derive(sqlx::FromRow)]
struct StatementRow {
    statement: String,
    version: i64,
    account: String,
    currency: String,
    format: String,
    number: Option<String>,
    starts: String,
    ends: String,
    opening: i64,
    closing: i64,
    lines: i64,
    matched: i64,
    created_position: i64,
}

impl TryFrom<StatementRow> for StatementListItem {
    type Error = sqlx::Error;

    fn try_from(row: StatementRow) -> Result<Self, sqlx::Error> {
        let currency: Currency = row.currency.parse().map_err(damaged)?;
        Ok(Self {
            id: row.statement,
            version: row.version,
            account: row.account,
            currency: row.currency,
            format: row.format,
            number: row.number,
            starts: row.starts,
            ends: row.ends,
            opening: amount(row.opening.into(), currency),
            closing: amount(row.closing.into(), currency),
            lines: row.lines,
            matched: row.matched,
            created_position: row.created_position,
        })
    }
}

/// A line that is on one side alone, of a statement or of the books.
#[derive(Debug, Clone)]
pub(crate) struct OneSided {
    /// The statement, or the entry.
    pub(crate) of: String,
    pub(crate) line: u32,
    pub(crate) date: Date,
    pub(crate) amount: Decimal,
}

/// A line of the books on a bank's account that is not matched.
#[derive(Debug, Clone)]
pub(crate) struct FreeLine {
    pub(crate) at: LedgerLineRef,
    pub(crate) date: Date,
    pub(crate) amount: Decimal,
    pub(crate) description: String,
    pub(crate) reference: Option<String>,
    pub(crate) memo: Option<String>,
}

/// The end of a statement: which account, until when, and which statements have come by then.
#[derive(Debug, Clone)]
pub(crate) struct BankCut {
    pub(crate) account: AccountCode,
    pub(crate) currency: Currency,
    pub(crate) ends: Date,
    /// The statement's own, as the list has it: of two that end on one day, the first that was imported comes first.
    pub(crate) position: i64,
}

const LIST: &str = "select statement, version, account, currency, format, number, starts, ends, opening, closing, lines, \
     matched, created_position from bank_statements where tenant = $1 and build = $2 and created_position < $3 \
     and ($4 = '' or account = $4) order by created_position desc limit $5";
const CHAIN: &str = "select opening, closing from bank_statements where tenant = $1 and build = $2 and account = $3 \
     and currency = $4 and (ends < $5 or (ends = $5 and created_position <= $6)) order by ends, created_position";
/// Statements that have come by the end.
macro_rules! come {
    () => {
        "select c.statement from bank_statements as c where c.tenant = $1 and c.build = $2 and c.account = $3 \
         and c.currency = $4 and (c.ends < $5 or (c.ends = $5 and c.created_position <= $6))"
    };
}
/// Lines of statements that the books have later, or not at all.
const ONLY_IN_BANK: &str = concat!(
    "select l.statement, l.line, l.date, l.amount from bank_lines as l where l.tenant = $1 and l.build = $2 \
     and l.statement in (",
    come!(),
    ") and (l.matched = 0 or exists (select 1 from bank_matches as m join ledger_lines as b on b.tenant = m.tenant \
     and b.build = m.build and b.account = $3 and b.entry = m.entry and b.line = m.entry_line \
     where m.tenant = l.tenant and m.build = l.build and m.statement = l.statement and m.line = l.line and b.date > $5)) \
     order by l.date, l.statement, l.line"
);
/// Lines of the books that have come by the end, and that statements have later, or not at all.
const ONLY_IN_BOOKS: &str = concat!(
    "select b.entry, b.line, b.date, b.debit - b.credit from ledger_lines as b left join bank_matches as m \
     on m.tenant = b.tenant and m.build = b.build and m.entry = b.entry and m.entry_line = b.line \
     where b.tenant = $1 and b.build = $2 and b.account = $3 and b.currency = $4 and b.date <= $5 \
     and (m.statement is null or m.statement not in (",
    come!(),
    ") or exists (select 1 from bank_matches as n join ledger_lines as d on d.tenant = n.tenant and d.build = n.build \
     and d.account = $3 and d.entry = n.entry and d.line = n.entry_line where n.tenant = m.tenant and n.build = m.build \
     and n.statement = m.statement and n.line = m.line and d.date > $5)) order by b.date, b.position, b.line"
);
const FREE: &str = "select b.entry, b.line, b.date, b.debit, b.credit, b.memo, e.description, e.reference \
     from ledger_lines as b join ledger_entries as e on e.tenant = b.tenant and e.build = b.build and e.entry = b.entry \
     where b.tenant = $1 and b.build = $2 and b.account = $3 and b.currency = $4 and b.date >= $5 and b.date <= $6 \
     and not exists (select 1 from bank_matches as m where m.tenant = b.tenant and m.build = b.build \
     and m.entry = b.entry and m.entry_line = b.line) order by b.date, b.position, b.line limit $7";
const POSITION: &str =
    "select created_position from bank_statements where tenant = $1 and build = $2 and statement = $3";

impl Snapshot<'_> {
    /// A page of statements, the newest first.
    pub(crate) async fn statements(
        &mut self,
        account: Option<&AccountCode>,
        before: Option<Position>,
        limit: u32,
    ) -> Result<Vec<StatementListItem>, sqlx::Error> {
        let before = before.map_or(i64::MAX, |position| signed(position.0));
        let account = account.map_or("", AccountCode::as_str);
        let (tenant, build) = (self.tenant.as_str(), self.build);
        let found: Vec<StatementRow> = rows!(self, LIST, tenant, build, before, account, i64::from(limit));
        found.into_iter().map(StatementListItem::try_from).collect()
    }

    /// Where a statement stands among those that end on its day.
    pub(crate) async fn statement_position(&mut self, id: StatementId) -> Result<Option<i64>, sqlx::Error> {
        let (tenant, build) = (self.tenant.as_str(), self.build);
        let found: Vec<(i64,)> = rows!(self, POSITION, tenant, build, id.to_string());
        Ok(found.first().map(|(position,)| *position))
    }

    /// Opening and closing balances of the statements that have come by the end, in order.
    pub(crate) async fn statement_chain(
        &mut self,
        cut: &BankCut,
    ) -> Result<Vec<(Decimal, Decimal)>, sqlx::Error> {
        let (tenant, build, ends) = (self.tenant.as_str(), self.build, cut.ends.to_string());
        let (account, currency) = (cut.account.as_str(), cut.currency);
        let found: Vec<(i64, i64)> =
            rows!(self, CHAIN, tenant, build, account, currency.code(), &*ends, cut.position);
        let of = |(opening, closing): (i64, i64)| {
            (amount(opening.into(), currency), amount(closing.into(), currency))
        };
        Ok(found.into_iter().map(of).collect())
    }

    /// The lines of statements that only the bank has by the end.
    pub(crate) async fn only_in_bank(&mut self, cut: &BankCut) -> Result<Vec<OneSided>, sqlx::Error> {
        self.one_sided(ONLY_IN_BANK, cut).await
    }

    /// The lines of the books that only they have by the end.
    pub(crate) async fn only_in_books(&mut self, cut: &BankCut) -> Result<Vec<OneSided>, sqlx::Error> {
        self.one_sided(ONLY_IN_BOOKS, cut).await
    }

    async fn one_sided(&mut self, sql: &'static str, cut: &BankCut) -> Result<Vec<OneSided>, sqlx::Error> {
        let (tenant, build, ends) = (self.tenant.as_str(), self.build, cut.ends.to_string());
        let (account, currency) = (cut.account.as_str(), cut.currency);
        let found: Vec<(String, i64, String, i64)> =
            rows!(self, sql, tenant, build, account, currency.code(), &*ends, cut.position);
        let of = |(of, line, date, units): (String, i64, String, i64)| {
            let line = u32::try_from(line).map_err(damaged)?;
            Ok(OneSided {
                of,
                line,
                date: date.parse().map_err(damaged)?,
                amount: amount(units.into(), currency),
            })
        };
        found.into_iter().map(of).collect()
    }

    /// The lines of the books on the account, between two days, that no statement has, at most `limit`.
    pub(crate) async fn free_lines(
        &mut self,
        account: &AccountCode,
        currency: Currency,
        (from, until): (Date, Date),
        limit: u32,
    ) -> Result<Vec<FreeLine>, sqlx::Error> {
        type Row = (String, i64, String, i64, i64, Option<String>, String, Option<String>);
        let (tenant, build) = (self.tenant.as_str(), self.build);
        let (from, until) = (from.to_string(), until.to_string());
        let found: Vec<Row> = rows!(
            self,
            FREE,
            tenant,
            build,
            account.as_str(),
            currency.code(),
            &*from,
            &*until,
            i64::from(limit)
        );
        let free = |(entry, line, date, debit, credit, memo, description, reference): Row| {
            let entry_id: EntryId = entry.parse().map_err(damaged)?;
            let at = LedgerLineRef { entry_id, line: u32::try_from(line).map_err(damaged)? };
            let units = i128::from(debit) - i128::from(credit);
            let date = date.parse().map_err(damaged)?;
            Ok(FreeLine { at, date, amount: amount(units, currency), description, reference, memo })
        };
        found.into_iter().map(free).collect()
    }
}
