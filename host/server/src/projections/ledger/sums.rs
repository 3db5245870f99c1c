//! Sums of lines by account, exact for every day and every moment of knowledge.
//!
//! Sums by day and day of recording are kept, so that few rows are added up. Of the day of recording in which `known_at`
//! falls, the lines themselves are added.

use jiff::civil::{Date, time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use niyam_domain::reports::{Balances, Cut, Turnover};
use niyam_domain::{AccountCode, Currency};
use niyam_values::Attributes;

use super::amounts::turnover;
use super::entries::recorded_on;
use super::snapshot::{Snapshot, rows};

/// A day before all others, and one after.
const FIRST: &str = "0000-01-01";
const LAST: &str = "9999-12-31";

/// A dimension that reports are cut by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dimension {
    pub(crate) name: String,
    pub(crate) value: String,
}

/// Account, currency, high and low of the debits, and of the credits.
type Row = (String, String, i64, i64, i64, i64);

const DAYS: &str = "select account, currency, cast(sum(debit_high) as bigint), cast(sum(debit_low) as bigint), \
     cast(sum(credit_high) as bigint), cast(sum(credit_low) as bigint) from ledger_days \
     where tenant = $1 and build = $2 and date >= $3 and date <= $4 and closing <= $5 and recorded_on < $6 \
     group by account, currency";
const DAYS_OF_ACCOUNT: &str = "select account, currency, cast(sum(debit_high) as bigint), \
     cast(sum(debit_low) as bigint), cast(sum(credit_high) as bigint), cast(sum(credit_low) as bigint) \
     from ledger_days where tenant = $1 and build = $2 and account = $7 and date >= $3 and date <= $4 \
     and closing <= $5 and recorded_on < $6 group by account, currency";
const LINES: &str = "select account, currency, cast(sum(debit / 1000000000) as bigint), \
     cast(sum(debit % 1000000000) as bigint), cast(sum(credit / 1000000000) as bigint), \
     cast(sum(credit % 1000000000) as bigint) from ledger_lines \
     where tenant = $1 and build = $2 and date >= $3 and date <= $4 and closing <= $5 \
     and recorded_at >= $6 and recorded_at <= $7 group by account, currency";
const LINES_OF_ACCOUNT: &str = "select account, currency, cast(sum(debit / 1000000000) as bigint), \
     cast(sum(debit % 1000000000) as bigint), cast(sum(credit / 1000000000) as bigint), \
     cast(sum(credit % 1000000000) as bigint) from ledger_lines \
     where tenant = $1 and build = $2 and account = $8 and date >= $3 and date <= $4 and closing <= $5 \
     and recorded_at >= $6 and recorded_at <= $7 group by account, currency";
const CUT: &str = "select account, currency, cast(sum(debit / 1000000000) as bigint), \
     cast(sum(debit % 1000000000) as bigint), cast(sum(credit / 1000000000) as bigint), \
     cast(sum(credit % 1000000000) as bigint) from ledger_dimensions \
     where tenant = $1 and build = $2 and name = $7 and value = $8 and date >= $3 and date <= $4 and closing <= $5 \
     and recorded_at <= $6 and ($9 = '' or account = $9) group by account, currency";

const BEARING: &str = "select dimensions, currency, cast(sum(debit / 1000000000) as bigint), \
     cast(sum(debit % 1000000000) as bigint), cast(sum(credit / 1000000000) as bigint), \
     cast(sum(credit % 1000000000) as bigint) from ledger_lines \
     where tenant = $1 and build = $2 and account = $6 and date >= $3 and date <= $4 and closing <= $5 \
     and dimensions is not null group by dimensions, currency";

/// Lines of one currency that bear the same dimensions.
pub(crate) type Bearing = (Currency, Vec<(String, String)>, Turnover);

impl Snapshot<'_> {
    /// The sums of the lines of `account` that `cut` holds and that bear dimensions, for each set of them as it is
    /// written. Whatever `cut` says of knowledge, all is known.
    pub(crate) async fn bearing(
        &mut self,
        cut: &Cut,
        account: &AccountCode,
    ) -> Result<Vec<Bearing>, sqlx::Error> {
        let (tenant, build) = (self.tenant.as_str(), self.build);
        let from = cut.from.map_or_else(|| FIRST.to_owned(), |from| from.to_string());
        let until = cut.until.map_or_else(|| LAST.to_owned(), |until| until.to_string());
        let (from, until, closing) = (from.as_str(), until.as_str(), i64::from(!cut.without_closing));
        let found: Vec<Row> = rows!(self, BEARING, tenant, build, from, until, closing, account.as_str());
        let bearing = |(dimensions, currency, debit_high, debit_low, credit_high, credit_low): Row| {
            let currency: Currency = currency.parse().map_err(damaged)?;
            let dimensions: Attributes = serde_json::from_str(&dimensions).map_err(damaged)?;
            let turnover = turnover((debit_high, debit_low, credit_high, credit_low), currency);
            Ok((currency, dimensions.into_pairs(), turnover))
        };
        found.into_iter().map(bearing).collect()
    }

    /// The sums of the lines that `cut` holds; of one account, or of those that bear a dimension, when that is asked.
    pub(crate) async fn balances(
        &mut self,
        cut: &Cut,
        account: Option<&AccountCode>,
        dimension: Option<&Dimension>,
    ) -> Result<Balances, sqlx::Error> {
        let (tenant, build) = (self.tenant.as_str(), self.build);
        let from = cut.from.map_or_else(|| FIRST.to_owned(), |from| from.to_string());
        let until = cut.until.map_or_else(|| LAST.to_owned(), |until| until.to_string());
        let (from, until, closing) = (from.as_str(), until.as_str(), i64::from(!cut.without_closing));
        let mut balances = Balances::default();
        if let Some(Dimension { name, value }) = dimension {
            let known = cut.known_at.map_or(i64::MAX, Timestamp::as_microsecond);
            let account = account.map_or("", AccountCode::as_str);
            let found: Vec<Row> = rows!(
                self,
                CUT,
                tenant,
                build,
                from,
                until,
                closing,
                known,
                name.as_str(),
                value.as_str(),
                account
            );
            add(&mut balances, found)?;
            return Ok(balances);
        }
        let day = cut.known_at.map_or_else(|| "9999-99-99".to_owned(), recorded_on);
        let day = day.as_str();
        let found: Vec<Row> = match account {
            None => rows!(self, DAYS, tenant, build, from, until, closing, day),
            Some(account) => {
                rows!(self, DAYS_OF_ACCOUNT, tenant, build, from, until, closing, day, account.as_str())
            }
        };
        add(&mut balances, found)?;
        if let Some(known_at) = cut.known_at {
            let (begin, known) = (begin_of_day(known_at).as_microsecond(), known_at.as_microsecond());
            let found: Vec<Row> = match account {
                None => rows!(self, LINES, tenant, build, from, until, closing, begin, known),
                Some(account) => {
                    let account = account.as_str();
                    rows!(self, LINES_OF_ACCOUNT, tenant, build, from, until, closing, begin, known, account)
                }
            };
            add(&mut balances, found)?;
        }
        Ok(balances)
    }
}

fn add(balances: &mut Balances, rows: Vec<Row>) -> Result<(), sqlx::Error> {
    for (account, currency, debit_high, debit_low, credit_high, credit_low) in rows {
        let account: AccountCode = account.parse().map_err(damaged)?;
        let currency: Currency = currency.parse().map_err(damaged)?;
        balances.add(
            currency,
            &account,
            turnover((debit_high, debit_low, credit_high, credit_low), currency),
        );
    }
    Ok(())
}

/// A row that this program did not write.
pub(super) fn damaged(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}

/// The first moment of the day, in UTC.
fn begin_of_day(moment: Timestamp) -> Timestamp {
    let day = TimeZone::UTC.to_datetime(moment).date().to_datetime(time(0, 0, 0, 0));
    TimeZone::UTC.to_timestamp(day).unwrap_or(Timestamp::MIN)
}

/// The day before, or none when that is before all time.
pub(crate) fn day_before(day: Date) -> Date {
    day.checked_sub(1.day()).unwrap_or(Date::MIN)
}
