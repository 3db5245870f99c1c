//! Invoices: draft, revise, approve, cancel. `issue` issues them, `note` issues notes against them, `write_off` gives up
//! what is open.

use std::sync::Arc;

use niyam_domain::personal::{Place, PlaceKind, personal_of_document};
use niyam_domain::{
    Aggregate as _, ApproveInvoice, CancelInvoice, DomainEvent as _, DraftInvoice, Invoice, InvoiceCommand,
    InvoiceId, NoteKind, Personal as _, Rejection, ReviseInvoice, StreamId, SubjectKeyId, Version,
};
use niyam_store::{Append, Batch, Idempotency, StreamWrite};
use niyam_values::{Date, Direction, Document, Finding};

use crate::app::App;
use crate::commands::books::{TRIES, is_beside};
use crate::commands::fallback::{Answered, Fallback};
use crate::commands::metadata::{Metadata, event_with};
use crate::commands::once::{Answer, Committed, once};
use crate::commands::policy::Subject;
use crate::commands::supplier_number::require_number;
use crate::commands::views::InvoiceView;
use crate::commands::{Actor, CommandError, Expected};
use crate::personal::Sealing;

/// An invoice at a version of its stream.
#[derive(Debug, Clone)]
pub(crate) struct InvoiceAt {
    pub(crate) invoice: Invoice,
    pub(crate) version: Version,
    /// The keys of data subjects that opened it.
    keys: Vec<SubjectKeyId>,
}

impl InvoiceAt {
    /// What must still be empty when something of this state is recorded again: the streams of its keys, which tell of
    /// erasures.
    pub(crate) fn guards(&self) -> impl Iterator<Item = (StreamId, Version)> + use<'_> {
        self.keys.iter().map(|key| (key.stream(), Version(0)))
    }
}

impl App {
    /// The invoice, if it is the tenant's.
    pub(crate) async fn invoice(&self, actor: &Actor, id: InvoiceId) -> Result<InvoiceAt, CommandError> {
        let loaded = self.aggregates.load(&actor.tenant, &id.stream()).await?;
        let loaded = loaded.ok_or(Rejection::InvoiceMissing)?;
        Ok(InvoiceAt { invoice: loaded.state, version: loaded.version, keys: loaded.keys })
    }

    pub(crate) async fn draft_invoice(
        &self,
        actor: &Actor,
        key: Option<Idempotency>,
        document: Document,
    ) -> Result<Committed, CommandError> {
        once(
            &self.vault,
            &actor.tenant,
            key.as_ref(),
            Box::pin(async {
                require_invoice(&document)?;
                let id = InvoiceId(self.ids.next_id());
                let mut tries = 0;
                loop {
                    let at = self.tenant(&actor.tenant).await?;
                    let assessed = Box::pin(self.assess(&at, document.clone())).await?;
                    let Answered { answer: assessment, fallbacks } = assessed;
                    self.require_free_number(actor, &assessment.document).await?;
                    let command = InvoiceCommand::Draft(DraftInvoice { invoice_id: id, assessment });
                    let change = Change { key: key.clone(), fallbacks, ..Change::of(id, None, command) };
                    let done = Box::pin(self.record(actor, &at, change)).await;
                    if !(is_beside(&done, &id.stream()) && tries < TRIES) {
                        return done;
                    }
                    tries += 1;
                }
            }),
        )
        .await
    }

    pub(crate) async fn revise_invoice(
        &self,
        actor: &Actor,
        id: InvoiceId,
        expected: Expected,
        document: Document,
    ) -> Result<Committed, CommandError> {
        require_invoice(&document)?;
        let mut tries = 0;
        loop {
            let found = self.expect(actor, id, expected).await?;
            let at = self.tenant(&actor.tenant).await?;
            let assessed = Box::pin(self.assess(&at, document.clone())).await?;
            let Answered { answer: assessment, fallbacks } = assessed;
            self.require_free_number(actor, &assessment.document).await?;
            let command = InvoiceCommand::Revise(ReviseInvoice { assessment });
            let change = Change { fallbacks, ..Change::of(id, Some(found), command) };
            let done = Box::pin(self.record(actor, &at, change)).await;
            if !(is_beside(&done, &id.stream()) && tries < TRIES) {
                return done;
            }
            tries += 1;
        }
    }

    pub(crate) async fn approve_invoice(
        &self,
        actor: &Actor,
        key: Option<Idempotency>,
        id: InvoiceId,
        expected: Expected,
    ) -> Result<Committed, CommandError> {
        let command = InvoiceCommand::Approve(ApproveInvoice {});
        self.change_invoice(actor, key, id, expected, command).await
    }

    pub(crate) async fn cancel_invoice(
        &self,
        actor: &Actor,
        key: Option<Idempotency>,
        id: InvoiceId,
        expected: Expected,
        reason: Option<String>,
    ) -> Result<Committed, CommandError> {
        let command = InvoiceCommand::Cancel(CancelInvoice { reason });
        self.change_invoice(actor, key, id, expected, command).await
    }

    async fn change_invoice(
        &self,
        actor: &Actor,
        key: Option<Idempotency>,
        id: InvoiceId,
        expected: Expected,
        command: InvoiceCommand,
    ) -> Result<Committed, CommandError> {
        once(
            &self.vault,
            &actor.tenant,
            key.as_ref(),
            Box::pin(async {
                let mut tries = 0;
                loop {
                    let found = self.expect(actor, id, expected).await?;
                    let at = self.tenant(&actor.tenant).await?;
                    let change = Change { key: key.clone(), ..Change::of(id, Some(found), command.clone()) };
                    let done = Box::pin(self.record(actor, &at, change)).await;
                    // The tenant changed, or its customer was erased, meanwhile.
                    if !(is_beside(&done, &id.stream()) && tries < TRIES) {
                        return done;
                    }
                    tries += 1;
                }
            }),
        )
        .await
    }

    pub(super) async fn expect(
        &self,
        actor: &Actor,
        id: InvoiceId,
        expected: Expected,
    ) -> Result<InvoiceAt, CommandError> {
        let found = self.invoice(actor, id).await?;
        match expected {
            Expected::Exactly(version) if version != found.version => {
                Err(CommandError::Stale { stream: id.stream() })
            }
            _ => Ok(found),
        }
    }

    /// Lets the domain decide, asks the policies about what it allows, and appends.
    pub(super) async fn record(
        &self,
        actor: &Actor,
        at: &crate::tenants::TenantAt,
        change: Change,
    ) -> Result<Committed, CommandError> {
        let Change { id, key, before, command, fallbacks, day, made_against, writes } = change;
        let is_new = before.is_none();
        let expected = before.as_ref().map_or(Version(0), |before| before.version);
        let state = before.as_ref().map(|before| &before.invoice);
        let events = Invoice::decide(state, command)?;
        // A new document is about whom it says; what is left as it was must not come back after an erasure.
        let is_kept = events.iter().all(|event| event.personal().is_empty());
        let guards: Vec<_> = before.iter().filter(|_| is_kept).flat_map(InvoiceAt::guards).collect();
        let mut state = before.map(|before| before.invoice);
        let mut happened = Vec::with_capacity(events.len());
        let mut policies = Vec::new();
        let mut version = expected;
        for event in events {
            let subject = Subject::Invoice { before: state.as_ref(), event: &event };
            let ruled = self.ask_policies(actor, at, subject).await?;
            let metadata = Metadata::new(actor, ruled, &fallbacks);
            let next = Invoice::evolve(state.take(), event.clone())?;
            let day = day.unwrap_or(next.document.tax_date);
            let recorded = event_with(self.ids.next_id(), &event, &metadata, day)?;
            happened.push((event, recorded));
            policies.extend(metadata.policies);
            version = Version(version.0 + 1);
            state = Some(next);
        }
        let state = state.ok_or_else(|| CommandError::Defect("a command without an invoice".to_owned()))?;
        let (status, location) = if is_new { (201, Some(format!("/v1/invoices/{id}"))) } else { (200, None) };
        let view = InvoiceView::new(&state, version).with_policies(&policies);
        let answer = Answer::new(status, location, version, &view)?;
        let is_personal = key.is_some() || happened.iter().any(|(event, _)| !event.personal().is_empty());
        let places = if is_personal { state.personal() } else { Vec::new() };
        let committed = self
            .vault
            .append(&actor.tenant, &id.stream(), &places, |sealing| {
                let sealed = happened.iter().map(|(event, recorded)| sealing.event(event, recorded.clone()));
                let events = sealed.collect::<Result<_, _>>()?;
                let write = StreamWrite { stream: id.stream(), expected, events };
                let answer = kept(&answer, &state, key.as_ref(), &sealing)?;
                let writes = std::iter::once(write).chain(writes.iter().cloned()).collect();
                let mut append = Append::of(Batch { writes, answer })
                    .unchanged(made_against.iter().cloned())
                    // What the modules and policies said is of this state of the tenant.
                    .unchanged([(StreamId::tenant(), at.version)])
                    .unchanged(guards.iter().cloned());
                append.idempotency.clone_from(&key);
                Ok((Arc::new(sealing), append))
            })
            .await?;
        self.shadows.recorded(&actor.tenant, &at.tenant.activations);
        Ok(committed)
    }
}

/// A command on an invoice, with all that it needs.
pub(super) struct Change {
    pub(super) id: InvoiceId,
    pub(super) key: Option<Idempotency>,
    /// As it stands; `None` when it is to be drafted.
    pub(super) before: Option<InvoiceAt>,
    pub(super) command: InvoiceCommand,
    /// Modules that failed when they were asked for it.
    pub(super) fallbacks: Vec<Fallback>,
    /// The day for which it counts; the document's when absent.
    pub(super) day: Option<Date>,
    /// Further streams that must not have moved on.
    pub(super) made_against: Vec<(StreamId, Version)>,
    /// What else is written in the transaction.
    pub(super) writes: Vec<StreamWrite>,
}

impl Change {
    pub(super) fn of(id: InvoiceId, before: Option<InvoiceAt>, command: InvoiceCommand) -> Self {
        Self {
            id,
            key: None,
            before,
            command,
            fallbacks: Vec::new(),
            day: None,
            made_against: Vec::new(),
            writes: Vec::new(),
        }
    }
}

/// An answer as it is kept for a repetition of the request; where none is kept, nothing of it is sealed.
pub(super) fn kept(
    answer: &Answer,
    state: &Invoice,
    key: Option<&Idempotency>,
    sealing: &Sealing,
) -> Result<Vec<u8>, CommandError> {
    let bytes = answer.to_bytes()?;
    let Some(key) = key else { return Ok(bytes) };
    Ok(sealing.answer(&key.key, &places_of_view(state), bytes)?)
}

/// The personal places of an [`Answer`] that shows the invoice.
fn places_of_view(invoice: &Invoice) -> Vec<Place> {
    let document = &invoice.document;
    let mut places = personal_of_document(document, "/body");
    // The exchange rate's source is no attribute there.
    for place in &mut places {
        if place.kind == PlaceKind::Party {
            place.kind = PlaceKind::PartyView;
        }
    }
    places
}

/// Refuses what is drafted in another way, or not at all.
fn require_invoice(document: &Document) -> Result<(), Rejection> {
    require_number(document)?;
    let message = match (NoteKind::of(&document.kind), document.direction) {
        (Some(_), _) => "a note is issued against its invoice, at /v1/invoices/{id}",
        (None, Direction::Purchase) if document.kind != "invoice" => "of purchases, invoices are recorded",
        _ => return Ok(()),
    };
    let finding = Finding::error("kind-not-supported", message).at("/kind");
    Err(Rejection::Findings(vec![finding]))
}
