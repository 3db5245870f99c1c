//! What a view is.

use futures::future::BoxFuture;
use niyam_domain::UnreadableEvent;
use niyam_store::{Recorded, Writer};

use crate::projections::invoice_list::InvoiceList;
use crate::projections::ledger::Ledger;
use crate::projections::payment_list::PaymentList;
use crate::projections::schedules::Schedules;
use crate::projections::tax_documents::TaxDocuments;

/// Every view that is kept.
pub(crate) static VIEWS: &[&dyn View] = &[&InvoiceList, &Ledger, &PaymentList, &TaxDocuments, &Schedules];

/// Which of the builds of a view: a rebuild fills another beside the one that is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Build(pub(crate) i64);

/// Why an event was not applied.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApplyError {
    /// The event cannot be taken: it stops the view.
    #[error("{0}")]
    Unreadable(String),
    /// The database failed: try again.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl From<UnreadableEvent> for ApplyError {
    fn from(error: UnreadableEvent) -> Self {
        Self::Unreadable(error.to_string())
    }
}

/// A read model. Every table of it has `tenant` and `build` in front of its key.
pub(crate) trait View: Send + Sync {
    /// Its name: in the database, in the log, on the command line.
    fn name(&self) -> &'static str;

    /// Deletes some thousand rows of a build that is no longer shown: tenant `$1`, build `$2`. One for each table.
    fn forget(&self) -> &'static [&'static str];

    /// Applies one event to a build. Events that are not the view's business change nothing.
    fn apply<'a>(
        &'a self,
        writer: &'a mut Writer,
        build: Build,
        event: &'a Recorded,
    ) -> BoxFuture<'a, Result<(), ApplyError>>;
}
