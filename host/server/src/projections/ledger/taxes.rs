//! Taxes of issued documents, by code, rate and effect.

use std::collections::BTreeMap;

use jiff::Timestamp;
use niyam_domain::Currency;
use niyam_domain::reports::Cut;
use niyam_values::Decimal;

use super::snapshot::{Snapshot, rows};
use super::sums::damaged;

/// What taxes are told apart by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TaxKey {
    pub(crate) currency: String,
    /// `sale` or `purchase`.
    pub(crate) direction: String,
    pub(crate) code: String,
    /// Percent; none for an amount per unit.
    pub(crate) rate: String,
    /// `added`, `withheld` or `informative`.
    pub(crate) effect: String,
    pub(crate) recoverable: bool,
}

/// Sums of taxes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct TaxSums {
    pub(crate) documents: u64,
    pub(crate) base: Decimal,
    pub(crate) amount: Decimal,
}

/// Rows that are read at a time.
const ROWS_AT_ONCE: i64 = 5_000;

#[derive(sqlx::FromRow)]
struct Row {
    date: String,
    document: String,
    code: String,
    rate: String,
    effect: String,
    recoverable: i64,
    direction: String,
    currency: String,
    base: String,
    amount: String,
}

/// Added up here and not by the databases, which have no exact decimals in common.
const PAGE: &str = "select date, document, code, rate, effect, recoverable, direction, currency, base, amount \
     from tax_items where tenant = $1 and build = $2 and date >= $3 and date <= $4 and recorded_at <= $5 \
     and (date, document, code, rate, effect, recoverable) > ($6, $7, $8, $9, $10, $11) \
     order by date, document, code, rate, effect, recoverable limit $12";

impl Snapshot<'_> {
    /// The sums of the taxes of documents that `cut` holds.
    pub(crate) async fn taxes(&mut self, cut: &Cut) -> Result<BTreeMap<TaxKey, TaxSums>, sqlx::Error> {
        let from = cut.from.map_or_else(|| "0000-01-01".to_owned(), |from| from.to_string());
        let until = cut.until.map_or_else(|| "9999-12-31".to_owned(), |until| until.to_string());
        let known = cut.known_at.map_or(i64::MAX, Timestamp::as_microsecond);
        let (tenant, build) = (self.tenant.as_str(), self.build);
        let mut sums: BTreeMap<TaxKey, TaxSums> = BTreeMap::new();
        let mut last = (from.clone(), String::new(), String::new(), String::new(), String::new(), -1_i64);
        loop {
            let (date, document, code, rate, effect, recoverable) = &last;
            let found: Vec<Row> = rows!(
                self,
                PAGE,
                tenant,
                build,
                &*from,
                &*until,
                known,
                date.as_str(),
                document.as_str(),
                code.as_str(),
                rate.as_str(),
                effect.as_str(),
                *recoverable,
                ROWS_AT_ONCE
            );
            let more = i64::try_from(found.len()).is_ok_and(|count| count == ROWS_AT_ONCE);
            for row in found {
                last = (
                    row.date,
                    row.document,
                    row.code.clone(),
                    row.rate.clone(),
                    row.effect.clone(),
                    row.recoverable,
                );
                let currency: Currency = row.currency.parse().map_err(damaged)?;
                let key = TaxKey {
                    currency: currency.code().to_owned(),
                    direction: row.direction,
                    code: row.code,
                    rate: row.rate,
                    effect: row.effect,
                    recoverable: row.recoverable == 1,
                };
                let sum = sums.entry(key).or_default();
                sum.documents += 1;
                sum.base = plus(sum.base, &row.base)?;
                sum.amount = plus(sum.amount, &row.amount)?;
            }
            if !more {
                return Ok(sums);
            }
        }
    }
}

fn plus(sum: Decimal, text: &str) -> Result<Decimal, sqlx::Error> {
    let amount = Decimal::from_str_exact(text).map_err(damaged)?;
    let inexact = || sqlx::Error::Protocol("taxes that have no exact sum".to_owned());
    sum.checked_add(amount).ok_or_else(inexact)
}
