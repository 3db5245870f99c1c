//! The journal entry of a document, written in the transaction that makes the document count.

use std::sync::Arc;

use niyam_domain::{
    Books, Chart, Entry, EntryEvent, EntryId, EntryPosted, EntrySource, Invoice, InvoiceId, JournalEntry,
    Rejection, SourceKind, StreamId, Version,
};
use niyam_store::StreamWrite;
use niyam_values::Date;
use uuid::Uuid;

use crate::app::App;
use crate::commands::books::authority;
use crate::commands::metadata::new_event;
use crate::commands::{Actor, CommandError};

/// What a document is posted by; nothing where the tenant has no chart of accounts.
pub(crate) struct Posting {
    chart: Option<Arc<Chart>>,
    chart_version: Version,
    periods_version: Version,
    event_id: Uuid,
}

impl App {
    /// Whether something may count for `day`, which lies at a place of the request, with the entry that it makes of the
    /// tenant's chart, if it has one; and by what it is posted.
    pub(crate) async fn posting(
        &self,
        actor: &Actor,
        (day, place): (Date, &str),
        entry: impl FnOnce(&Chart) -> Result<Option<Entry>, Rejection>,
    ) -> Result<Posting, CommandError> {
        let chart = self.chart(&actor.tenant).await?;
        let periods = self.periods(&actor.tenant).await?;
        let authority = authority(actor);
        let entry = match &chart {
            Some(chart) => entry(&chart.state)?,
            None => None,
        };
        if let (Some(chart), Some(entry)) = (&chart, entry) {
            let books = Books { chart: &chart.state, periods: &periods.state, authority };
            books.admit(&entry, place)?;
        } else if let Some(finding) = periods.state.check_day(day, authority, place) {
            return Err(Rejection::Findings(vec![finding]).into());
        }
        Ok(Posting {
            chart_version: chart.as_ref().map_or(Version(0), |chart| chart.version),
            chart: chart.map(|chart| Arc::new(chart.state)),
            periods_version: periods.version,
            event_id: self.ids.next_id(),
        })
    }

    /// Whether the invoice stands in the books: one that was issued before there was a chart of accounts does not, and
    /// what changes it moves nothing there.
    pub(crate) async fn is_posted(&self, actor: &Actor, invoice: &Invoice) -> Result<bool, CommandError> {
        let stream = entry_of(invoice.id).stream();
        Ok(self.at::<JournalEntry>(&actor.tenant, &stream).await?.is_some())
    }
}

impl Posting {
    /// The streams that must not have moved on when it is written.
    pub(crate) fn made_against(&self) -> [(StreamId, Version); 2] {
        [(StreamId::chart(), self.chart_version), (StreamId::periods(), self.periods_version)]
    }

    /// What `entry` makes of the chart, posted as the entry of a document.
    pub(crate) fn write(
        &self,
        actor: &Actor,
        (entry_id, kind, document): (EntryId, SourceKind, InvoiceId),
        entry: impl FnOnce(&Chart) -> Result<Option<Entry>, Rejection>,
    ) -> Result<Option<StreamWrite>, CommandError> {
        let Some(chart) = &self.chart else { return Ok(None) };
        let Some(entry) = entry(chart)? else { return Ok(None) };
        let day = entry.date;
        let source = Some(EntrySource { kind, id: document.0 });
        let posted = EntryEvent::Posted(EntryPosted { entry_id, entry, source, reverses: None });
        let event = new_event(self.event_id, &posted, actor, day)?;
        Ok(Some(StreamWrite { stream: entry_id.stream(), expected: Version(0), events: vec![event] }))
    }
}

/// The entry of an invoice or a note bears its id: there is at most one.
pub(crate) fn entry_of(invoice: InvoiceId) -> EntryId {
    EntryId(invoice.0)
}
