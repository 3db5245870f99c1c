//! What a payment's command writes beside the payment: entries, invoices, certificates.

use niyam_domain::{
    Allocation, Certificate, Due, EntryEvent, EntryPosted, Invoice, InvoiceCommand, InvoiceId, JournalEntry,
    Payment, PaymentId, Rejection, Reversal, ReverseSettlement, SettleInvoice, StreamId, Version,
    certificate_stream,
};
use niyam_store::StreamWrite;
use niyam_values::Date;

use crate::app::App;
use crate::commands::books::At;
use crate::commands::invoice::InvoiceAt;
use crate::commands::{Actor, CommandError};

/// The invoices that a payment names, in its order; none where there is no such invoice.
pub(crate) struct Invoices(Vec<Option<InvoiceAt>>);

impl Invoices {
    /// What is left of each.
    pub(crate) fn due(&self) -> Vec<Option<Due>> {
        self.0.iter().map(|found| found.as_ref().map(|found| Due::of(&found.invoice))).collect()
    }

    /// What must still be empty when something of these is recorded elsewhere.
    pub(crate) fn guards(&self) -> impl Iterator<Item = (StreamId, Version)> + use<'_> {
        self.0.iter().flatten().flat_map(InvoiceAt::guards)
    }

    fn find(&self, id: InvoiceId) -> Result<&InvoiceAt, Rejection> {
        self.0.iter().flatten().find(|found| found.invoice.id == id).ok_or(Rejection::InvoiceMissing)
    }
}

/// Writes to other streams than the payment's own.
pub(crate) struct Parts<'a> {
    actor: &'a Actor,
    day: Date,
    pub(crate) writes: Vec<StreamWrite>,
}

impl<'a> Parts<'a> {
    /// None yet; all of them count for `day`.
    pub(crate) const fn new(actor: &'a Actor, day: Date) -> Self {
        Self { actor, day, writes: Vec::new() }
    }

    /// A new entry, if there is one.
    pub(crate) fn post(&mut self, app: &App, entry: Option<EntryPosted>) -> Result<(), CommandError> {
        let Some(posted) = entry else { return Ok(()) };
        let stream = posted.entry_id.stream();
        let told = app.tell::<JournalEntry>(self.actor, stream, None, vec![posted.into()], self.day)?;
        self.writes.extend(told.write);
        Ok(())
    }

    /// Entries and what takes each of them back.
    pub(crate) fn mirror(
        &mut self,
        app: &App,
        entries: Vec<At<JournalEntry>>,
        reversals: Vec<Reversal>,
    ) -> Result<(), CommandError> {
        for (entry, Reversal { reversed, mirror }) in entries.into_iter().zip(reversals) {
            let EntryEvent::Posted(posted) = mirror else {
                return Err(CommandError::Defect("a mirror that is not posted".to_owned()));
            };
            let stream = entry.state.id.stream();
            let told = app.tell(self.actor, stream, Some(entry), vec![reversed], self.day)?;
            self.writes.extend(told.write);
            self.post(app, Some(posted))?;
        }
        Ok(())
    }

    /// Settles invoices.
    pub(crate) fn settle(
        &mut self,
        app: &App,
        payment: PaymentId,
        invoices: &Invoices,
        allocations: &[Allocation],
    ) -> Result<(), CommandError> {
        for part in allocations {
            let settle = SettleInvoice { payment, amount: part.amount, date: self.day };
            self.invoice(app, invoices.find(part.invoice_id)?, InvoiceCommand::Settle(settle))?;
        }
        Ok(())
    }

    /// Opens invoices again.
    pub(crate) fn reopen(
        &mut self,
        app: &App,
        payment: PaymentId,
        invoices: &Invoices,
        allocations: &[Allocation],
    ) -> Result<(), CommandError> {
        for part in allocations {
            let reverse = ReverseSettlement { payment, amount: part.amount, date: self.day };
            let command = InvoiceCommand::ReverseSettlement(reverse);
            self.invoice(app, invoices.find(part.invoice_id)?, command)?;
        }
        Ok(())
    }

    fn invoice(&mut self, app: &App, found: &InvoiceAt, command: InvoiceCommand) -> Result<(), CommandError> {
        let events = Invoice::decide(Some(&found.invoice), command)?;
        let before = At { state: found.invoice.clone(), version: found.version };
        let stream = found.invoice.id.stream();
        let told = app.tell(self.actor, stream, Some(before), events, self.day)?;
        self.writes.extend(told.write);
        Ok(())
    }

    /// Takes certificates for the payment.
    pub(crate) async fn certificates(
        &mut self,
        app: &App,
        payment_id: PaymentId,
        certificates: &[(usize, String)],
    ) -> Result<(), CommandError> {
        for (index, digest) in certificates {
            let stream = certificate_stream(digest);
            let before: Option<At<Certificate>> = app.at(&self.actor.tenant, &stream).await?;
            let at = format!("/withheld/{index}/certificate_number");
            let state = before.as_ref().map(|before| &before.state);
            let event = Certificate::settle(state, payment_id, &at)?;
            let told = app.tell(self.actor, stream, before, vec![event], self.day)?;
            self.writes.extend(told.write);
        }
        Ok(())
    }

    /// Lets the payment's certificates go.
    pub(crate) async fn release(
        &mut self,
        app: &App,
        payment_id: PaymentId,
        certificates: &[(usize, String)],
    ) -> Result<(), CommandError> {
        for (_, digest) in certificates {
            let stream = certificate_stream(digest);
            let before: Option<At<Certificate>> = app.at(&self.actor.tenant, &stream).await?;
            let state = before.as_ref().map(|before| &before.state);
            let Some(event) = Certificate::release(state, payment_id) else { continue };
            let told = app.tell(self.actor, stream, before, vec![event], self.day)?;
            self.writes.extend(told.write);
        }
        Ok(())
    }
}

impl App {
    /// The invoices of `ids`, in their order.
    pub(crate) async fn invoices_of(
        &self,
        actor: &Actor,
        ids: impl Iterator<Item = InvoiceId>,
    ) -> Result<Invoices, CommandError> {
        let mut found = Vec::new();
        // More are refused by the domain, which need not see them.
        for id in ids.take(niyam_domain::ALLOCATIONS_MAX) {
            found.push(match self.invoice(actor, id).await {
                Ok(invoice) => Some(invoice),
                Err(CommandError::Rejected(Rejection::InvoiceMissing)) => None,
                Err(error) => return Err(error),
            });
        }
        Ok(Invoices(found))
    }

    /// The entries of `payment`, in its order.
    pub(crate) async fn entries_of(
        &self,
        actor: &Actor,
        payment: &Payment,
    ) -> Result<Vec<At<JournalEntry>>, CommandError> {
        let mut entries = Vec::with_capacity(payment.entries.len());
        for id in &payment.entries {
            entries.push(self.journal_entry(actor, *id).await?);
        }
        Ok(entries)
    }
}
