//! Reports: what is asked, read from the ledger at one moment, as tables that any format can show.
//!
//! Nothing here knows HTTP or SQL, and nothing is decided. Next step of the flow: `api/reports.rs` shows a [`Report`].

mod aged;
mod audit_trail;
mod cash_flow;
mod general_ledger;
mod parties;
mod read;
mod statement;
mod statements;
mod table;
mod tax_summary;
mod trial_balance;

pub(crate) use read::{Asked, ReportError, ReportName};
pub(crate) use table::{Column, Report, Row, Table};
