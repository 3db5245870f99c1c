//! Invoices: draft, revise, approve, issue, cancel. An issue posts its journal entry in its own transaction, once the
//! tenant has a chart of accounts; what was issued before has none.

use std::sync::Arc;

use niyam_domain::personal::{Place, PlaceKind, personal_of_document};
use niyam_domain::{
    Aggregate as _, ApproveInvoice, CancelInvoice, DomainEvent as _, DraftInvoice, Invoice, InvoiceCommand,
    InvoiceId, IssueInvoice, NumberSeriesEvent, Personal as _, PreparedIssue, Rejection, ReviseInvoice,
    StreamId, SubjectKeyId, Version, World, series_stream,
};
use niyam_store::{Append, Batch, Idempotency, Serials, StreamWrite};
use niyam_values::{Attributes, Direction, Document, Finding};
use uuid::Uuid;

use crate::app::App;
use crate::commands::books::{TRIES, is_beside};
use crate::commands::fallback::{Answered, Fallback, in_turn};
use crate::commands::metadata::{Metadata, event_with, new_event};
use crate::commands::once::{Answer, Committed, once};
use crate::commands::policy::Subject;
use crate::commands::posting::SalePosting;
use crate::commands::views::InvoiceView;
use crate::commands::{Actor, CommandError, Expected};
use crate::personal::Sealing;
use crate::tenants::TenantAt;

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
                require_sale(&document)?;
                let id = InvoiceId(self.ids.next_id());
                let mut tries = 0;
                loop {
                    let at = self.tenant(&actor.tenant).await?;
                    let assessed = Box::pin(self.assess(&at, document.clone())).await?;
                    let Answered { answer: assessment, fallbacks } = assessed;
                    let command = InvoiceCommand::Draft(DraftInvoice { invoice_id: id, assessment });
                    let change = Change { id, key: key.clone(), before: None, command, fallbacks };
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
        require_sale(&document)?;
        let mut tries = 0;
        loop {
            let found = self.expect(actor, id, expected).await?;
            let at = self.tenant(&actor.tenant).await?;
            let assessed = Box::pin(self.assess(&at, document.clone())).await?;
            let Answered { answer: assessment, fallbacks } = assessed;
            let command = InvoiceCommand::Revise(ReviseInvoice { assessment });
            let change = Change { id, key: None, before: Some(found), command, fallbacks };
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
                    let (key, command, fallbacks) = (key.clone(), command.clone(), Vec::new());
                    let change = Change { id, key, before: Some(found), command, fallbacks };
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

    pub(crate) async fn issue_invoice(
        &self,
        actor: &Actor,
        key: Option<Idempotency>,
        id: InvoiceId,
        expected: Expected,
    ) -> Result<Committed, CommandError> {
        let issue = Box::pin(async {
            let mut tries = 0;
            loop {
                let found = self.expect(actor, id, expected).await?;
                let at = self.tenant(&actor.tenant).await?;
                let Answered { answer: prepared, fallbacks } =
                    Box::pin(self.prepare(actor, &at, &found.invoice)).await?;
                let posting = self.sale_posting(actor, &found.invoice, prepared.assessment());
                let posting = Box::pin(posting).await?;
                let (event, _) = prepared.with_serial(1);
                let subject = Subject::Invoice { before: Some(&found.invoice), event: &event };
                let ruled = Box::pin(self.ask_policies(actor, &at, subject)).await?;
                let issuing = Issuing {
                    actor: actor.clone(),
                    metadata: Metadata::new(actor, ruled, &fallbacks),
                    found,
                    prepared,
                    posting,
                    event_id: self.ids.next_id(),
                    number_id: self.ids.next_id(),
                    key: key.clone(),
                };
                let done = Box::pin(self.issue(&at, Arc::new(issuing))).await;
                if done.is_ok() {
                    self.shadows.recorded(&actor.tenant, &at.tenant.activations);
                }
                // The profile, the packs, the chart or the periods changed meanwhile, or the customer was erased: what
                // was prepared is of yesterday.
                if is_beside(&done, &id.stream()) && tries < TRIES {
                    tries += 1;
                } else {
                    return done;
                }
            }
        });
        once(&self.vault, &actor.tenant, key.as_ref(), issue).await
    }

    /// Everything about the issue but its serial.
    async fn prepare(
        &self,
        actor: &Actor,
        at: &TenantAt,
        invoice: &Invoice,
    ) -> Result<Answered<PreparedIssue>, CommandError> {
        // Refused before any module is asked when the state does not allow it.
        invoice.require_issuable()?;
        let Answered { answer: assessment, mut fallbacks } =
            self.assess(at, invoice.document.clone()).await?;
        let now = self.now_at(at);
        let issued_on = now.date();
        let packs = in_turn(&at.tenant.activations, World::ComplianceModule, assessment.document.tax_date);
        let assessment = Arc::new(assessment);
        let asked = Arc::clone(&assessment);
        let planned = self
            .ask(&actor.tenant, packs, move |module, config| {
                module.prepare_issue(config, &asked.document, &asked.taxes, issued_on)
            })
            .await?;
        fallbacks.extend(planned.fallbacks);
        let decided = planned.answer;
        let command = IssueInvoice {
            assessment: Arc::unwrap_or_clone(assessment),
            plan: decided.answer.map_err(Rejection::Findings)?,
            plan_decision: decided.decision,
            issued_on,
            issued_time: now.strftime("%H:%M:%S").to_string(),
            issued_at: now.timestamp(),
            attributes: signatory(actor, &at.tenant.profile.attributes),
        };
        Ok(Answered { answer: invoice.prepare_issue(command)?, fallbacks })
    }

    /// Appends an issue: the invoice, its number, its entry; and nothing if what it was made against changed.
    async fn issue(&self, at: &TenantAt, issuing: Arc<Issuing>) -> Result<Committed, CommandError> {
        let series = series_stream(issuing.prepared.series())
            .map_err(|error| CommandError::Defect(error.to_string()))?;
        let tenant = &issuing.actor.tenant;
        let stream = issuing.found.invoice.id.stream();
        let places = issuing.found.invoice.personal();
        let guards: Vec<_> = issuing.found.guards().collect();
        let made_against = issuing.posting.made_against();
        self.vault
            .append(tenant, &stream, &places, |sealing| {
                // What has a JSON form once, and is sealed once, is so with any serial.
                issuing.batch(1, &series, &sealing)?;
                let (issuing, asked) = (Arc::clone(&issuing), series.clone());
                let sealing = Arc::new(sealing);
                let (sealed, key) = (Arc::clone(&sealing), issuing.key.clone());
                let mut append = Append::with_serials(vec![series.clone()], move |serials: &Serials| {
                    let serial = serials.get(&asked).map_or(0, |serial| serial.0);
                    issuing.batch(serial, &asked, &sealed).unwrap_or_default()
                })
                .unchanged([(StreamId::tenant(), at.version)])
                .unchanged(made_against.clone())
                .unchanged(guards.iter().cloned());
                append.idempotency = key;
                Ok((sealing, append))
            })
            .await
    }

    async fn expect(
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
    async fn record(&self, actor: &Actor, at: &TenantAt, change: Change) -> Result<Committed, CommandError> {
        let Change { id, key, before, command, fallbacks } = change;
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
            let day = next.document.tax_date;
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
                let mut append = Append::of(Batch { writes: vec![write], answer })
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
struct Change {
    id: InvoiceId,
    key: Option<Idempotency>,
    /// As it stands; `None` when it is to be drafted.
    before: Option<InvoiceAt>,
    command: InvoiceCommand,
    /// Modules that failed when they were asked for it.
    fallbacks: Vec<Fallback>,
}

/// An answer as it is kept for a repetition of the request; where none is kept, nothing of it is sealed.
fn kept(
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

/// An issue that lacks its serial alone.
struct Issuing {
    actor: Actor,
    metadata: Metadata,
    found: InvoiceAt,
    prepared: PreparedIssue,
    posting: SalePosting,
    event_id: Uuid,
    number_id: Uuid,
    key: Option<Idempotency>,
}

impl Issuing {
    fn batch(&self, serial: u64, series: &StreamId, sealing: &Sealing) -> Result<Batch, CommandError> {
        let (event, drawn) = self.prepared.with_serial(serial);
        let id = self.found.invoice.id;
        let day = self.found.invoice.document.tax_date;
        let issued = sealing.event(&event, event_with(self.event_id, &event, &self.metadata, day)?)?;
        let number = new_event(self.number_id, &NumberSeriesEvent::Drawn(drawn), &self.actor, day)?;
        let invoice = Invoice::evolve(Some(self.found.invoice.clone()), event)?;
        let version = Version(self.found.version.0 + 1);
        let view = InvoiceView::new(&invoice, version).with_policies(&self.metadata.policies);
        let answer = Answer::new(200, None, version, &view)?;
        let mut writes = vec![
            StreamWrite { stream: id.stream(), expected: self.found.version, events: vec![issued] },
            StreamWrite {
                stream: series.clone(),
                expected: Version(serial.saturating_sub(1)),
                events: vec![number],
            },
        ];
        writes.extend(self.posting.write(&self.actor, &invoice)?);
        Ok(Batch { writes, answer: kept(&answer, &invoice, self.key.as_ref(), sealing)? })
    }
}

/// Who answers for the paper: as the profile says, else the user who issues it, in the role held.
pub(crate) fn signatory(actor: &Actor, profile: &Attributes) -> Attributes {
    let role = actor.roles.first().map_or("user", |role| role.as_str());
    let person = profile.get("responsible_person").unwrap_or(&actor.user);
    let designation = profile.get("designation").unwrap_or(role);
    Attributes::new().with("responsible_person", person).with("designation", designation)
}

fn require_sale(document: &Document) -> Result<(), Rejection> {
    if document.direction == Direction::Sale {
        return Ok(());
    }
    let finding = Finding::error("direction-not-supported", "only sales are invoiced").at("/direction");
    Err(Rejection::Findings(vec![finding]))
}
