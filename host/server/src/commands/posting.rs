//! The journal entry of a document, written in the transaction that issues the document.

use std::sync::Arc;

use niyam_domain::{
    Assessment, Books, Chart, EntryEvent, EntryId, EntryPosted, EntrySource, Invoice, InvoiceId, Rejection,
    SourceKind, StreamId, Version, post_sale,
};
use niyam_store::StreamWrite;
use uuid::Uuid;

use crate::app::App;
use crate::commands::books::authority;
use crate::commands::metadata::new_event;
use crate::commands::{Actor, CommandError};

/// What an issue is posted by; nothing where the tenant has no chart of accounts.
pub(crate) struct SalePosting {
    chart: Option<Arc<Chart>>,
    chart_version: Version,
    periods_version: Version,
    event_id: Uuid,
}

impl App {
    /// Whether `assessment` may be issued and posted as `invoice`, and by what.
    pub(crate) async fn sale_posting(
        &self,
        actor: &Actor,
        invoice: &Invoice,
        assessment: &Assessment,
    ) -> Result<SalePosting, CommandError> {
        const DAY: &str = "/tax_date";
        let chart = self.chart(&actor.tenant).await?;
        let periods = self.periods(&actor.tenant).await?;
        let authority = authority(actor);
        if let Some(chart) = &chart
            && let Some(entry) =
                post_sale(&chart.state, invoice.id, (&assessment.document, &assessment.taxes), "")?
        {
            let books = Books { chart: &chart.state, periods: &periods.state, authority };
            books.admit(&entry, DAY)?;
        } else if let Some(finding) = periods.state.check_day(assessment.document.tax_date, authority, DAY) {
            return Err(Rejection::Findings(vec![finding]).into());
        }
        Ok(SalePosting {
            chart_version: chart.as_ref().map_or(Version(0), |chart| chart.version),
            chart: chart.map(|chart| Arc::new(chart.state)),
            periods_version: periods.version,
            event_id: self.ids.next_id(),
        })
    }
}

impl SalePosting {
    /// The streams that must not have moved on when it is written.
    pub(crate) fn made_against(&self) -> [(StreamId, Version); 2] {
        [(StreamId::chart(), self.chart_version), (StreamId::periods(), self.periods_version)]
    }

    /// The entry of the issued `invoice`.
    pub(crate) fn write(
        &self,
        actor: &Actor,
        invoice: &Invoice,
    ) -> Result<Option<StreamWrite>, CommandError> {
        let (Some(chart), Some(issued)) = (&self.chart, &invoice.issued) else { return Ok(None) };
        let number = &issued.facts.number;
        let Some(entry) = post_sale(chart, invoice.id, (&invoice.document, &invoice.taxes), number)? else {
            return Ok(None);
        };
        let entry_id = entry_of(invoice.id);
        let day = entry.date;
        let source = Some(EntrySource { kind: SourceKind::Invoice, id: invoice.id.0 });
        let posted = EntryEvent::Posted(EntryPosted { entry_id, entry, source, reverses: None });
        let event = new_event(self.event_id, &posted, actor, day)?;
        Ok(Some(StreamWrite { stream: entry_id.stream(), expected: Version(0), events: vec![event] }))
    }
}

/// The entry of an invoice bears its id: there is at most one.
fn entry_of(invoice: InvoiceId) -> EntryId {
    EntryId(invoice.0)
}
