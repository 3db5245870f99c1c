//! What is open of documents.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use niyam_domain::reports::Cut;
use niyam_domain::{Currency, Side};
use niyam_values::Decimal;

use super::amounts::amount;
use super::snapshot::{Snapshot, rows};
use super::sums::damaged;

/// A document, and what is open of it.
#[derive(Debug, Clone)]
pub(crate) struct OpenItem {
    pub(crate) item: String,
    pub(crate) kind: String,
    pub(crate) number: String,
    pub(crate) date: Date,
    pub(crate) due: Date,
    pub(crate) currency: Currency,
    pub(crate) party: Party,
    pub(crate) open: Decimal,
}

/// Whom a document is with. What lies sealed is opened by who shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Party {
    /// What tells it from others; says nothing of it.
    pub(crate) key: String,
    /// Its name, where it was never sealed.
    pub(crate) name: String,
    pub(crate) sealed: Option<String>,
    /// The stream whose event has it.
    pub(crate) stream: String,
}

/// What a document did to what is owed.
#[derive(Debug, Clone)]
pub(crate) struct OpenMove {
    pub(crate) item: String,
    pub(crate) number: String,
    pub(crate) date: Date,
    pub(crate) kind: String,
    pub(crate) source: String,
    pub(crate) position: i64,
    pub(crate) currency: Currency,
    pub(crate) amount: Decimal,
}

#[derive(sqlx::FromRow)]
struct Row {
    item: String,
    kind: String,
    number: String,
    date: String,
    due: String,
    currency: String,
    party: String,
    party_name: String,
    party_sealed: Option<String>,
    stream: String,
    open: i64,
}

#[derive(sqlx::FromRow)]
struct MoveRow {
    item: String,
    number: String,
    date: String,
    kind: String,
    source: String,
    position: i64,
    currency: String,
    amount: i64,
}

const OPEN: &str = "select i.item, i.kind, i.number, i.date, i.due, i.currency, i.party, i.party_name, \
     i.party_sealed, i.stream, m.open from open_items as i join \
     (select item, cast(sum(amount) as bigint) as open from open_item_moves where tenant = $1 and build = $2 \
     and date <= $3 and recorded_at <= $4 group by item) as m on m.item = i.item \
     where i.tenant = $1 and i.build = $2 and i.side = $5 and m.open <> 0 order by i.due, i.item";
/// A note that moves an invoice is named by its own number.
const MOVES: &str = "select i.item, coalesce(s.number, i.number) as number, m.date, m.kind, m.source, m.position, \
     i.currency, m.amount \
     from open_items as i join open_item_moves as m on m.tenant = i.tenant and m.build = i.build and m.item = i.item \
     left join open_items as s on s.tenant = m.tenant and s.build = m.build and s.item = m.source \
     where i.tenant = $1 and i.build = $2 and i.side = $5 and i.party = $6 and m.date <= $3 and m.recorded_at <= $4 \
     order by m.date, m.position, i.item";

const PARTY: &str = "select party, party_name, party_sealed, stream from open_items \
     where tenant = $1 and build = $2 and side = $3 and party = $4 order by date desc, item limit 1";

/// Receivable or payable, as columns have it.
fn side_text(side: Side) -> &'static str {
    match side {
        Side::Debit => "receivable",
        Side::Credit => "payable",
    }
}

impl Snapshot<'_> {
    /// The documents of which something is open, the oldest first: receivables on the left, payables on the right.
    pub(crate) async fn open_items(&mut self, side: Side, cut: &Cut) -> Result<Vec<OpenItem>, sqlx::Error> {
        let (until, known) = bounds(cut);
        let (tenant, build) = (self.tenant.as_str(), self.build);
        let found: Vec<Row> = rows!(self, OPEN, tenant, build, &*until, known, side_text(side));
        found.into_iter().map(OpenItem::try_from).collect()
    }

    /// The party of that key, as its newest document has it.
    pub(crate) async fn party(&mut self, side: Side, key: &str) -> Result<Option<Party>, sqlx::Error> {
        let (tenant, build) = (self.tenant.as_str(), self.build);
        let found: Vec<(String, String, Option<String>, String)> =
            rows!(self, PARTY, tenant, build, side_text(side), key);
        let party = |(key, name, sealed, stream)| Party { key, name, sealed, stream };
        Ok(found.into_iter().next().map(party))
    }

    /// What moved the documents with a party, in order of its days.
    pub(crate) async fn moves_of(
        &mut self,
        side: Side,
        party: &str,
        cut: &Cut,
    ) -> Result<Vec<OpenMove>, sqlx::Error> {
        let (until, known) = bounds(cut);
        let (tenant, build) = (self.tenant.as_str(), self.build);
        let found: Vec<MoveRow> = rows!(self, MOVES, tenant, build, &*until, known, side_text(side), party);
        found.into_iter().map(OpenMove::try_from).collect()
    }
}

fn bounds(cut: &Cut) -> (String, i64) {
    let until = cut.until.map_or_else(|| "9999-12-31".to_owned(), |until| until.to_string());
    (until, cut.known_at.map_or(i64::MAX, Timestamp::as_microsecond))
}

/// What is open in each currency.
pub(crate) fn totals(items: &[OpenItem]) -> BTreeMap<&'static str, Decimal> {
    let mut sums: BTreeMap<&'static str, Decimal> = BTreeMap::new();
    for item in items {
        let sum = sums.entry(item.currency.code()).or_default();
        *sum = sum.saturating_add(item.open);
    }
    sums
}

impl TryFrom<Row> for OpenItem {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        let currency: Currency = row.currency.parse().map_err(damaged)?;
        Ok(Self {
            item: row.item,
            kind: row.kind,
            number: row.number,
            date: row.date.parse().map_err(damaged)?,
            due: row.due.parse().map_err(damaged)?,
            currency,
            open: amount(row.open.into(), currency),
            party: Party {
                key: row.party,
                name: row.party_name,
                sealed: row.party_sealed,
                stream: row.stream,
            },
        })
    }
}

impl TryFrom<MoveRow> for OpenMove {
    type Error = sqlx::Error;

    fn try_from(row: MoveRow) -> Result<Self, sqlx::Error> {
        let currency: Currency = row.currency.parse().map_err(damaged)?;
        Ok(Self {
            item: row.item,
            number: row.number,
            date: row.date.parse().map_err(damaged)?,
            kind: row.kind,
            source: row.source,
            position: row.position,
            currency,
            amount: amount(row.amount.into(), currency),
        })
    }
}
