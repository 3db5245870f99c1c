//! Reads bank statements from the files that banks give: CSV with a column map, MT940, camt.053.
//!
//! Nothing here trusts a file: each reader is bounded in bytes, rows and depth, and says what it could not read. Whether a
//! statement adds up is the domain's business (`niyam_domain::NewStatement`).

mod camt;
mod csv;
mod mt940;

pub(crate) use camt::read as read_camt;
pub(crate) use csv::{Balances, ColumnMap, DateOrder, read as read_csv};
pub(crate) use mt940::read as read_mt940;

/// Most statements of one file.
pub(crate) const STATEMENTS_MAX: usize = 100;

/// Why a file is no statement: a rule of `BANK_RULES`, and what is wrong, for its reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unreadable {
    pub(crate) rule: &'static str,
    pub(crate) message: String,
}

/// A file that is not of its format.
fn unreadable(message: impl Into<String>) -> Unreadable {
    Unreadable { rule: "statement-unreadable", message: message.into() }
}

#[cfg(test)]
mod tests;
