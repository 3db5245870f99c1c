//! Giving up what is open of an invoice.

use niyam_domain::{
    EntryId, Invoice, InvoiceCommand, InvoiceEvent, InvoiceId, Rejection, SourceKind, WriteOffInvoice,
    post_write_off,
};
use niyam_store::{Idempotency, StreamWrite};
use niyam_values::{Date, Decimal};

use crate::app::App;
use crate::commands::books::{TRIES, is_beside};
use crate::commands::invoice::Change;
use crate::commands::once::{Committed, once};
use crate::commands::{Actor, CommandError, Expected};

/// What is to be given up, and why.
#[derive(Debug, Clone)]
pub(crate) struct WriteOffRequested {
    /// All that is open when absent.
    pub(crate) amount: Option<Decimal>,
    /// Today, in the tenant's time zone, when absent.
    pub(crate) date: Option<Date>,
    pub(crate) reason: String,
}

impl App {
    pub(crate) async fn write_off_invoice(
        &self,
        actor: &Actor,
        key: Option<Idempotency>,
        id: InvoiceId,
        expected: Expected,
        requested: WriteOffRequested,
    ) -> Result<Committed, CommandError> {
        let write_off = Box::pin(async {
            let mut tries = 0;
            loop {
                let found = self.expect(actor, id, expected).await?;
                let at = self.tenant(&actor.tenant).await?;
                let WriteOffRequested { amount, date, reason } = requested.clone();
                let date = date.unwrap_or_else(|| self.now_at(&at).date());
                let command = InvoiceCommand::WriteOff(WriteOffInvoice { amount, date, reason });
                let entry = Box::pin(self.write_off_entry(actor, &found.invoice, command.clone(), date));
                let (made_against, writes) = entry.await?;
                let change = Change {
                    key: key.clone(),
                    day: Some(date),
                    made_against,
                    writes,
                    ..Change::of(id, Some(found), command)
                };
                let done = Box::pin(self.record(actor, &at, change)).await;
                if !(is_beside(&done, &id.stream()) && tries < TRIES) {
                    return done;
                }
                tries += 1;
            }
        });
        once(&self.vault, &actor.tenant, key.as_ref(), write_off).await
    }

    /// The entry of what is written off, and what it is made against.
    async fn write_off_entry(
        &self,
        actor: &Actor,
        invoice: &Invoice,
        command: InvoiceCommand,
        date: Date,
    ) -> Result<(Vec<(niyam_domain::StreamId, niyam_domain::Version)>, Vec<StreamWrite>), CommandError> {
        let events = Invoice::decide(Some(invoice), command)?;
        let Some(InvoiceEvent::WrittenOff(written_off)) = events.first() else {
            return Err(Rejection::NothingOutstanding.into());
        };
        let is_posted = self.is_posted(actor, invoice).await?;
        let posting = self.posting(actor, (date, "/date"), |chart| {
            if is_posted { post_write_off(chart, invoice, written_off) } else { Ok(None) }
        });
        let posting = posting.await?;
        let mut writes = Vec::new();
        if is_posted {
            let names = (EntryId(self.ids.next_id()), SourceKind::WriteOff, invoice.id);
            writes.extend(posting.write(actor, names, |chart| post_write_off(chart, invoice, written_off))?);
        }
        Ok((posting.made_against().to_vec(), writes))
    }
}
