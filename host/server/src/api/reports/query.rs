//! What a report is asked for; each parameter that does not fit is told with its place.

use jiff::Timestamp;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::code::Code;
use crate::api::problem::ApiError;
use crate::api::text::date;
use crate::projections::ledger::sums::Dimension;
use crate::reports::{Asked, Report, ReportName};

const LIMIT_DEFAULT: u32 = 100;
const LIMIT_MAX: u32 = 1_000;
/// Most characters of a customer's id or of a dimension's value.
const TEXT_LENGTH_MAX: usize = 200;

/// What a report is of.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReportQuery {
    /// The last day that counts; today, in the tenant's time zone, when absent.
    #[param(value_type = Option<String>, format = Date)]
    as_of: Option<String>,
    /// The first day that counts. `profit-and-loss`, `cash-flow` and `tax-summary` begin with the fiscal year of `as_of`
    /// when absent, other reports with the first entry.
    #[param(value_type = Option<String>, format = Date)]
    from: Option<String>,
    /// Only what had been recorded by then; all when absent.
    #[param(value_type = Option<String>, format = DateTime)]
    known_at: Option<String>,
    /// The account, for `general-ledger`.
    account: Option<String>,
    /// Only lines that bear it, as `branch:motijheel`, for `trial-balance`, `general-ledger`, `profit-and-loss` and
    /// `balance-sheet`.
    dimension: Option<String>,
    /// The customer's id, for `customer-statement`.
    customer: Option<String>,
    /// The document's id, for `audit-trail`.
    document: Option<String>,
    /// At most so many lines of `general-ledger`, 1 to 1000; 100 when absent.
    limit: Option<String>,
    /// The cursor of the page before, for `general-ledger`.
    after: Option<String>,
}

/// The reports that there are.
pub(super) fn names() -> String {
    ReportName::ALL.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ")
}

impl ReportQuery {
    /// What is asked of the report `name`.
    pub(super) fn read(&self, name: ReportName) -> Result<Asked, ApiError> {
        for (parameter, value) in self.own() {
            if value.is_some() && !name.takes(parameter) {
                let message = format!("{name} does not take {parameter}");
                return Err(ApiError::at(Code::ParameterUnknown, &format!("/{parameter}"), message));
            }
        }
        Ok(Asked {
            name,
            as_of: day(self.as_of.as_deref(), "/as_of")?,
            from: day(self.from.as_deref(), "/from")?,
            known_at: self.known_at.as_deref().map(moment).transpose()?,
            account: self.account.as_deref().map(account).transpose()?,
            dimension: self.dimension.as_deref().map(dimension).transpose()?,
            customer: self.customer.as_deref().map(customer).transpose()?,
            document: self.document.as_deref().map(document).transpose()?,
            limit: self.limit.as_deref().map_or(Ok(LIMIT_DEFAULT), limit)?,
            after: self.after.as_deref().map(cursor).transpose()?,
        })
    }

    /// Those that not every report takes.
    fn own(&self) -> [(&'static str, &Option<String>); 7] {
        [
            ("from", &self.from),
            ("account", &self.account),
            ("dimension", &self.dimension),
            ("customer", &self.customer),
            ("document", &self.document),
            ("limit", &self.limit),
            ("after", &self.after),
        ]
    }

    /// Path and query of the page that follows `report`: the same days and the same knowledge, however late it is asked.
    pub(super) fn next(&self, report: &Report) -> Option<String> {
        let next = report.next.as_deref()?;
        let (as_of, known_at) = (report.as_of.to_string(), report.known_at.to_string());
        let mut pairs = vec![("as_of", as_of.as_str()), ("known_at", known_at.as_str()), ("after", next)];
        for (name, value) in self.own() {
            if let (Some(value), false) = (value, name == "after") {
                pairs.push((name, value));
            }
        }
        let pairs: Vec<String> =
            pairs.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
        Some(format!("/v1/reports/{}?{}", report.name, pairs.join("&")))
    }
}

/// Percent-encoded, but for what stands in a query as it is (RFC 3986, 2.3).
pub(crate) fn escaped(text: &str) -> String {
    let byte = |byte: u8| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.bytes().map(byte).collect()
}

fn day(text: Option<&str>, pointer: &str) -> Result<Option<jiff::civil::Date>, ApiError> {
    let read = |text: &str| {
        date(text).ok_or_else(|| ApiError::at(Code::DateInvalid, pointer, "a date is YYYY-MM-DD and exists"))
    };
    text.map(read).transpose()
}

fn moment(text: &str) -> Result<Timestamp, ApiError> {
    // A plus sign of an offset that was not escaped arrives as a space.
    text.replace(' ', "+").parse().map_err(|_| {
        ApiError::at(Code::TimestampInvalid, "/known_at", "a moment is written as 2026-08-15T06:00:00Z")
    })
}

fn account(text: &str) -> Result<niyam_domain::AccountCode, ApiError> {
    text.parse().map_err(|_| {
        let message = "the chart of accounts has no such account";
        let finding = niyam_values::Finding::error("account-unknown", message).at("/account");
        niyam_domain::Rejection::Findings(vec![finding]).into()
    })
}

fn dimension(text: &str) -> Result<Dimension, ApiError> {
    let fits = |text: &str, most: usize| (1..=most).contains(&text.chars().count());
    let pair = text.split_once(':').filter(|(name, value)| fits(name, 64) && fits(value, TEXT_LENGTH_MAX));
    let (name, value) = pair.filter(|_| !text.contains('\0')).ok_or_else(|| {
        ApiError::at(Code::ValueInvalid, "/dimension", "a dimension is name:value, for example branch:dhaka")
    })?;
    Ok(Dimension { name: name.to_owned(), value: value.to_owned() })
}

fn customer(text: &str) -> Result<String, ApiError> {
    let fits = (1..=TEXT_LENGTH_MAX).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    let wrong = || ApiError::at(Code::ValueInvalid, "/customer", "a customer's id has 1 to 200 characters");
    if fits { Ok(text.to_owned()) } else { Err(wrong()) }
}

fn document(text: &str) -> Result<uuid::Uuid, ApiError> {
    text.parse()
        .map_err(|_| ApiError::at(Code::DocumentNotFound, "/document", "the tenant has no such document"))
}

fn limit(text: &str) -> Result<u32, ApiError> {
    let number = text.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
    let message = format!("limit lies between 1 and {LIMIT_MAX}");
    number.ok_or_else(|| ApiError::at(Code::QueryInvalid, "/limit", message))
}

fn cursor(text: &str) -> Result<crate::projections::ledger::page::LineCursor, ApiError> {
    let wrong = || ApiError::at(Code::QueryInvalid, "/after", "after is no cursor of this report");
    text.parse().map_err(|()| wrong())
}
