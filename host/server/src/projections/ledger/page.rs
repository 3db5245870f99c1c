//! Lines of one account, in the order of their days.

use jiff::Timestamp;
use jiff::civil::Date;
use niyam_domain::reports::{Cut, Turnover};
use niyam_domain::{AccountCode, Currency};
use uuid::Uuid;

use super::amounts::amount;
use super::snapshot::{Snapshot, rows};
use super::sums::{Dimension, damaged};

/// Where a line stands among those of its account. As text: `2026-08-15.42.0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LineCursor {
    pub(crate) date: Date,
    pub(crate) position: i64,
    pub(crate) line: i64,
}

/// A line of an account, with what its entry says.
#[derive(Debug)]
pub(crate) struct LedgerLine {
    pub(crate) at: LineCursor,
    pub(crate) recorded_at: Timestamp,
    pub(crate) entry: String,
    pub(crate) currency: Currency,
    pub(crate) turnover: Turnover,
    pub(crate) memo: Option<String>,
    pub(crate) dimensions: Option<String>,
    pub(crate) description: String,
    pub(crate) reference: Option<String>,
    /// Kind and id of the document.
    pub(crate) source: Option<(String, String)>,
    pub(crate) reverses: Option<String>,
}

#[derive(sqlx::FromRow)]
struct Row {
    date: String,
    position: i64,
    line: i64,
    recorded_at: i64,
    entry: String,
    currency: String,
    debit: i64,
    credit: i64,
    memo: Option<String>,
    dimensions: Option<String>,
    description: String,
    reference: Option<String>,
    source_kind: Option<String>,
    source_id: Option<String>,
    reverses: Option<String>,
}

const PAGE: &str = "select l.date, l.position, l.line, l.recorded_at, l.entry, l.currency, l.debit, l.credit, l.memo, \
     l.dimensions, e.description, e.reference, e.source_kind, e.source_id, e.reverses from ledger_lines as l \
     join ledger_entries as e on e.tenant = l.tenant and e.build = l.build and e.entry = l.entry \
     where l.tenant = $1 and l.build = $2 and l.account = $3 and l.date >= $4 and l.date <= $5 \
     and l.recorded_at <= $6 and (l.date, l.position, l.line) > ($7, $8, $9) \
     order by l.date, l.position, l.line limit $10";
const CUT: &str = "select l.date, l.position, l.line, l.recorded_at, l.entry, l.currency, l.debit, l.credit, l.memo, \
     l.dimensions, e.description, e.reference, e.source_kind, e.source_id, e.reverses from ledger_dimensions as d \
     join ledger_lines as l on l.tenant = d.tenant and l.build = d.build and l.account = d.account \
     and l.date = d.date and l.position = d.position and l.line = d.line \
     join ledger_entries as e on e.tenant = l.tenant and e.build = l.build and e.entry = l.entry \
     where d.tenant = $1 and d.build = $2 and d.name = $11 and d.value = $12 and d.account = $3 \
     and d.date >= $4 and d.date <= $5 and d.recorded_at <= $6 and (d.date, d.position, d.line) > ($7, $8, $9) \
     order by d.date, d.position, d.line limit $10";
/// The lines of a page's first day that come before the page.
const BEFORE: &str = "select currency, debit, credit from ledger_lines \
     where tenant = $1 and build = $2 and account = $3 and date = $4 and (position, line) <= ($5, $6) \
     and recorded_at <= $7";
const CUT_BEFORE: &str = "select currency, debit, credit from ledger_dimensions \
     where tenant = $1 and build = $2 and name = $8 and value = $9 and account = $3 and date = $4 \
     and (position, line) <= ($5, $6) and recorded_at <= $7";

impl Snapshot<'_> {
    /// The lines of `account` that `cut` holds after `after`, at most `limit`.
    pub(crate) async fn lines(
        &mut self,
        account: &AccountCode,
        cut: &Cut,
        dimension: Option<&Dimension>,
        after: Option<LineCursor>,
        limit: u32,
    ) -> Result<Vec<LedgerLine>, sqlx::Error> {
        let first = cut.from.unwrap_or(Date::MIN);
        let after = after.unwrap_or(LineCursor { date: Date::MIN, position: 0, line: 0 });
        let (from, until) = (text(first.max(after.date)), text(cut.until.unwrap_or(Date::MAX)));
        let known = cut.known_at.map_or(i64::MAX, Timestamp::as_microsecond);
        let (tenant, build, limit) = (self.tenant.as_str(), self.build, i64::from(limit));
        let (date, position, line) = (text(after.date), after.position, after.line);
        let account = account.as_str();
        let found: Vec<Row> = match dimension {
            None => {
                rows!(
                    self, PAGE, tenant, build, account, &*from, &*until, known, &*date, position, line, limit
                )
            }
            Some(Dimension { name, value }) => rows!(
                self,
                CUT,
                tenant,
                build,
                account,
                &*from,
                &*until,
                known,
                &*date,
                position,
                line,
                limit,
                name.as_str(),
                value.as_str()
            ),
        };
        found.into_iter().map(LedgerLine::try_from).collect()
    }

    /// The lines of the cursor's day up to it.
    pub(crate) async fn lines_before(
        &mut self,
        account: &AccountCode,
        cut: &Cut,
        dimension: Option<&Dimension>,
        at: LineCursor,
    ) -> Result<Vec<(Currency, Turnover)>, sqlx::Error> {
        let known = cut.known_at.map_or(i64::MAX, Timestamp::as_microsecond);
        let (tenant, build, account, date) =
            (self.tenant.as_str(), self.build, account.as_str(), text(at.date));
        let found: Vec<(String, i64, i64)> = match dimension {
            None => rows!(self, BEFORE, tenant, build, account, &*date, at.position, at.line, known),
            Some(Dimension { name, value }) => rows!(
                self,
                CUT_BEFORE,
                tenant,
                build,
                account,
                &*date,
                at.position,
                at.line,
                known,
                name.as_str(),
                value.as_str()
            ),
        };
        found.into_iter().map(|(currency, debit, credit)| sided(&currency, debit, credit)).collect()
    }
}

const ABOUT: &str = "select entry from ledger_entries where tenant = $1 and build = $2 \
     and (entry = $3 or source_id = $3 or reverses = $3 or reverses in \
     (select entry from ledger_entries where tenant = $1 and build = $2 and source_id = $3))";

impl Snapshot<'_> {
    /// The entries of a document, those that take them back, and an entry's own mirror.
    pub(crate) async fn entries_about(&mut self, document: Uuid) -> Result<Vec<Uuid>, sqlx::Error> {
        let (tenant, build) = (self.tenant.as_str(), self.build);
        let found: Vec<(String,)> = rows!(self, ABOUT, tenant, build, document.to_string());
        found.into_iter().map(|(entry,)| entry.parse().map_err(damaged)).collect()
    }
}

fn sided(currency: &str, debit: i64, credit: i64) -> Result<(Currency, Turnover), sqlx::Error> {
    let currency: Currency = currency.parse().map_err(damaged)?;
    let turnover =
        Turnover { debit: amount(debit.into(), currency), credit: amount(credit.into(), currency) };
    Ok((currency, turnover))
}

/// Four digits for the year, also of the first: texts are ordered as days are.
fn text(date: Date) -> String {
    if date.year() < 0 { "0000-01-01".to_owned() } else { date.to_string() }
}

impl TryFrom<Row> for LedgerLine {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        let (currency, turnover) = sided(&row.currency, row.debit, row.credit)?;
        let date = row.date.parse().map_err(damaged)?;
        Ok(Self {
            at: LineCursor { date, position: row.position, line: row.line },
            recorded_at: Timestamp::from_microsecond(row.recorded_at).map_err(damaged)?,
            entry: row.entry,
            currency,
            turnover,
            memo: row.memo,
            dimensions: row.dimensions,
            description: row.description,
            reference: row.reference,
            source: row.source_kind.zip(row.source_id),
            reverses: row.reverses,
        })
    }
}

impl std::fmt::Display for LineCursor {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}.{}.{}", self.date, self.position, self.line)
    }
}

impl std::str::FromStr for LineCursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split('.');
        let mut next = || parts.next().ok_or(());
        let date: Date = next()?.parse().map_err(|_| ())?;
        let number = |text: &str| text.parse().ok().filter(|number: &i64| *number >= 0).ok_or(());
        let (position, line) = (number(next()?)?, number(next()?)?);
        if parts.next().is_some() || date.year() < 0 { Err(()) } else { Ok(Self { date, position, line }) }
    }
}

#[cfg(test)]
mod cursors {
    use super::LineCursor;

    #[test]
    fn a_cursor_reads_as_it_is_written() {
        let cursor: LineCursor = "2026-08-15.42.3".parse().unwrap();
        assert_eq!(cursor.to_string(), "2026-08-15.42.3");
        for text in [
            "",
            "2026-08-15",
            "2026-08-15.1",
            "2026-08-15.1.-1",
            "2026-02-30.1.1",
            "2026-08-15.1.1.1",
            "1.1.1",
        ] {
            assert_eq!(text.parse::<LineCursor>(), Err(()), "{text}");
        }
    }
}
