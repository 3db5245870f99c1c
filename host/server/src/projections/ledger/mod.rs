//! The ledger: what reports are read from. Lines of posted entries with their sums by day, what is open of documents,
//! and the taxes that issued documents bear.
//!
//! 1. [`amounts`]: amounts as columns hold them.
//! 2. `entries`, `documents`: what events write. [`bank`]: statements of banks, beside it.
//! 3. [`snapshot`]: one moment of the view, for all that a report reads. [`sums`], [`page`], [`items`] and [`taxes`]
//!    are what it is asked.

pub(crate) mod amounts;
pub(crate) mod bank;
mod documents;
mod entries;
pub(crate) mod items;
pub(crate) mod page;
pub(crate) mod snapshot;
pub(crate) mod sums;
pub(crate) mod taxes;
#[cfg(test)]
mod tests;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use niyam_domain::{DomainEvent as _, EntryEvent, InvoiceEvent};
use niyam_store::{Recorded, Writer};

use crate::projections::view::{ApplyError, Build, View};

/// The view.
pub(crate) struct Ledger;

/// Its name.
pub(crate) const NAME: &str = "ledger";

impl View for Ledger {
    fn name(&self) -> &'static str {
        NAME
    }

    fn forget(&self) -> &'static [&'static str] {
        &[
            "delete from ledger_entries where tenant = $1 and build = $2 and entry in \
               (select entry from ledger_entries where tenant = $1 and build = $2 limit 2000)",
            "delete from ledger_lines where tenant = $1 and build = $2 and (account, date, position, line) in \
               (select account, date, position, line from ledger_lines where tenant = $1 and build = $2 limit 2000)",
            "delete from ledger_days where tenant = $1 and build = $2 \
               and (account, currency, date, recorded_on, closing) in (select account, currency, date, recorded_on, \
               closing from ledger_days where tenant = $1 and build = $2 limit 2000)",
            "delete from ledger_dimensions where tenant = $1 and build = $2 \
               and (name, value, account, date, position, line) in (select name, value, account, date, position, line \
               from ledger_dimensions where tenant = $1 and build = $2 limit 2000)",
            "delete from open_items where tenant = $1 and build = $2 and item in \
               (select item from open_items where tenant = $1 and build = $2 limit 2000)",
            "delete from open_item_moves where tenant = $1 and build = $2 and (item, position) in \
               (select item, position from open_item_moves where tenant = $1 and build = $2 limit 2000)",
            "delete from tax_items where tenant = $1 and build = $2 \
               and (date, document, code, rate, effect, recoverable) in (select date, document, code, rate, effect, \
               recoverable from tax_items where tenant = $1 and build = $2 limit 2000)",
            "delete from bank_statements where tenant = $1 and build = $2 and statement in \
               (select statement from bank_statements where tenant = $1 and build = $2 limit 2000)",
            "delete from bank_lines where tenant = $1 and build = $2 and (statement, line) in \
               (select statement, line from bank_lines where tenant = $1 and build = $2 limit 2000)",
            "delete from bank_matches where tenant = $1 and build = $2 and (entry, entry_line) in \
               (select entry, entry_line from bank_matches where tenant = $1 and build = $2 limit 2000)",
        ]
    }

    fn apply<'a>(
        &'a self,
        writer: &'a mut Writer,
        build: Build,
        event: &'a Recorded,
    ) -> BoxFuture<'a, Result<(), ApplyError>> {
        apply(writer, build, event).boxed()
    }
}

/// What is drafted counts for no report.
async fn apply(writer: &mut Writer, build: Build, event: &Recorded) -> Result<(), ApplyError> {
    if event.event_type.starts_with("journal-entry.posted.") {
        let EntryEvent::Posted(posted) = EntryEvent::read(&event.event_type, &event.payload)? else {
            return Ok(());
        };
        entries::post(writer, build, event, &posted).await?;
        documents::post(writer, build, event, &posted).await?;
    } else if event.event_type.starts_with("bank-statement.") {
        bank::apply(writer, build, event).await?;
    } else if event.event_type.starts_with("invoice.") {
        let read = InvoiceEvent::read_without_personal(&event.event_type, &event.payload)?;
        documents::apply(writer, build, event, &read).await?;
    }
    Ok(())
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
