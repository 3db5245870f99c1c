//! Credit and debit notes against issued invoices: the note, its number, what it changes of the invoice, and the mirror
//! of its part of the invoice's entry, in one transaction.

use std::sync::Arc;

use niyam_domain::{
    Aggregate as _, DomainEvent as _, Invoice, InvoiceId, IssueNote, NotePlan, NumberSeriesEvent,
    PreparedNote, Rejection, SourceKind, StreamId, Version, WantedNote, post_note,
};
use niyam_modules::Decided;
use niyam_store::{Append, Batch, Idempotency, Serials, StreamWrite};
use niyam_values::{Attributes, Date};
use uuid::Uuid;

use crate::app::App;
use crate::commands::books::{TRIES, is_beside};
use crate::commands::fallback::Answered;
use crate::commands::invoice::{InvoiceAt, kept};
use crate::commands::issue::{is_without_paper, signatory, stream_of};
use crate::commands::metadata::{Metadata, event_with, new_event};
use crate::commands::once::{Answer, Committed, once};
use crate::commands::policy::Subject;
use crate::commands::posting::{Posting, entry_of};
use crate::commands::supplier_number::{require_number, supplier_number};
use crate::commands::views::InvoiceView;
use crate::commands::{Actor, CommandError, Expected};
use crate::personal::Sealing;
use crate::tenants::TenantAt;

/// A note as it is asked for.
#[derive(Debug, Clone)]
pub(crate) struct NoteRequested {
    pub(crate) kind: niyam_domain::NoteKind,
    pub(crate) lines: Option<Vec<niyam_domain::WantedLine>>,
    /// Today, in the tenant's time zone, when absent.
    pub(crate) date: Option<Date>,
    pub(crate) reason: String,
    pub(crate) attributes: Attributes,
}

impl App {
    pub(crate) async fn issue_note(
        &self,
        actor: &Actor,
        key: Option<Idempotency>,
        id: InvoiceId,
        expected: Expected,
        requested: NoteRequested,
    ) -> Result<Committed, CommandError> {
        let issue = Box::pin(async {
            let note_id = InvoiceId(self.ids.next_id());
            let mut tries = 0;
            loop {
                let found = self.expect(actor, id, expected).await?;
                let at = self.tenant(&actor.tenant).await?;
                let Answered { answer: prepared, fallbacks } =
                    Box::pin(self.prepare_note(actor, &at, &found.invoice, note_id, &requested)).await?;
                let draft = prepared.draft();
                let is_posted = self.is_posted(actor, &found.invoice).await?;
                let day = (draft.document.tax_date, "/date");
                let posting = self.posting(actor, day, |chart| {
                    if is_posted { post_note(chart, &found.invoice, note_id, draft, "") } else { Ok(None) }
                });
                let posting = Box::pin(posting).await?;
                let (event, ..) = prepared.with_serial(1);
                let subject = Subject::Invoice { before: None, event: &event };
                let ruled = Box::pin(self.ask_policies(actor, &at, subject)).await?;
                let issuing = IssuingNote {
                    actor: actor.clone(),
                    metadata: Metadata::new(actor, ruled, &fallbacks),
                    taken: self.take_number(actor, note_id, &draft.document)?,
                    found,
                    note_id,
                    prepared,
                    posting,
                    is_posted,
                    ids: [self.ids.next_id(), self.ids.next_id(), self.ids.next_id()],
                    key: key.clone(),
                };
                let done = Box::pin(self.append_note(&at, Arc::new(issuing))).await;
                if done.is_ok() {
                    self.shadows.recorded(&actor.tenant, &at.tenant.activations);
                }
                if is_beside(&done, &id.stream()) && tries < TRIES {
                    tries += 1;
                } else {
                    return done;
                }
            }
        });
        once(&self.vault, &actor.tenant, key.as_ref(), issue).await
    }

    /// Everything about the note but its serial.
    async fn prepare_note(
        &self,
        actor: &Actor,
        at: &TenantAt,
        invoice: &Invoice,
        note_id: InvoiceId,
        requested: &NoteRequested,
    ) -> Result<Answered<PreparedNote>, CommandError> {
        let now = self.now_at(at);
        let issued_on = now.date();
        let NoteRequested { kind, lines, date, reason, attributes } = requested.clone();
        let date = date.unwrap_or(issued_on);
        let draft = invoice.draft_note(&WantedNote { kind, lines, date, reason, attributes })?;
        let asked = (Arc::new(draft.document.clone()), Arc::new(draft.taxes.clone()));
        let planned = self.plan_issue(at, asked, issued_on).await?;
        let Decided { answer: plan, decision } = planned.answer;
        let plan = match plan {
            Ok(plan) => NotePlan::Own(Box::new(plan), Box::new(decision)),
            Err(findings) if is_without_paper(&draft.document, &findings) => {
                require_number(&draft.document)?;
                NotePlan::Supplier(supplier_number(&draft.document).unwrap_or_default().to_owned())
            }
            Err(findings) => return Err(Rejection::Findings(findings).into()),
        };
        self.require_free_number(actor, &draft.document).await?;
        let command = IssueNote {
            note_id,
            draft,
            plan,
            issued_on,
            issued_time: now.strftime("%H:%M:%S").to_string(),
            issued_at: now.timestamp(),
            attributes: signatory(actor, &at.tenant.profile.attributes),
        };
        Ok(Answered { answer: invoice.prepare_note(command)?, fallbacks: planned.fallbacks })
    }

    async fn append_note(&self, at: &TenantAt, issuing: Arc<IssuingNote>) -> Result<Committed, CommandError> {
        let series = issuing.prepared.series().map(stream_of).transpose()?;
        let tenant = &issuing.actor.tenant;
        let places = issuing.prepared.with_serial(1).0.personal();
        let guards: Vec<_> = issuing.found.guards().collect();
        let made_against = issuing.posting.made_against();
        self.vault
            .append(tenant, &issuing.note_id.stream(), &places, |sealing| {
                let first = issuing.batch(1, series.as_ref(), &sealing)?;
                let sealing = Arc::new(sealing);
                let append = match &series {
                    None => Append::of(first),
                    Some(series) => {
                        let (issuing, asked) = (Arc::clone(&issuing), series.clone());
                        let sealed = Arc::clone(&sealing);
                        Append::with_serials(vec![series.clone()], move |serials: &Serials| {
                            let serial = serials.get(&asked).map_or(0, |serial| serial.0);
                            issuing.batch(serial, Some(&asked), &sealed).unwrap_or_default()
                        })
                    }
                };
                let mut append = append
                    .unchanged([(StreamId::tenant(), at.version)])
                    .unchanged(made_against.clone())
                    .unchanged(guards.iter().cloned());
                append.idempotency.clone_from(&issuing.key);
                Ok((sealing, append))
            })
            .await
    }
}

/// A note on its way to the store.
struct IssuingNote {
    actor: Actor,
    metadata: Metadata,
    /// The invoice.
    found: InvoiceAt,
    note_id: InvoiceId,
    prepared: PreparedNote,
    posting: Posting,
    /// Whether the invoice stands in the books.
    is_posted: bool,
    /// What takes the supplier's number.
    taken: Vec<StreamWrite>,
    /// Of the events.
    ids: [Uuid; 3],
    key: Option<Idempotency>,
}

impl IssuingNote {
    fn batch(
        &self,
        serial: u64,
        series: Option<&StreamId>,
        sealing: &Sealing,
    ) -> Result<Batch, CommandError> {
        let (issued, changed, drawn) = self.prepared.with_serial(serial);
        let draft = self.prepared.draft();
        let (invoice, day) = (&self.found.invoice, draft.document.tax_date);
        let [note_event, change_event, number_event] = self.ids;
        let recorded = sealing.event(&issued, event_with(note_event, &issued, &self.metadata, day)?)?;
        let change = new_event(change_event, &changed, &self.actor, day)?;
        // What cannot follow is not written.
        Invoice::evolve(Some(invoice.clone()), changed)?;
        let note = Invoice::evolve(None, issued)?;
        let view = InvoiceView::new(&note, Version(1)).with_policies(&self.metadata.policies);
        let location = Some(format!("/v1/invoices/{}", self.note_id));
        let answer = Answer::new(201, location, Version(1), &view)?;
        let mut writes = vec![
            StreamWrite { stream: self.note_id.stream(), expected: Version(0), events: vec![recorded] },
            StreamWrite { stream: invoice.id.stream(), expected: self.found.version, events: vec![change] },
        ];
        if let (Some(series), Some(drawn)) = (series, drawn) {
            let number = new_event(number_event, &NumberSeriesEvent::Drawn(drawn), &self.actor, day)?;
            let expected = Version(serial.saturating_sub(1));
            writes.push(StreamWrite { stream: series.clone(), expected, events: vec![number] });
        }
        writes.extend(self.taken.iter().cloned());
        if self.is_posted {
            let number = note.issued.as_ref().map(|issued| issued.facts.number.as_str()).unwrap_or_default();
            let names = (entry_of(self.note_id), SourceKind::Invoice, self.note_id);
            writes.extend(
                self.posting.write(&self.actor, names, |chart| {
                    post_note(chart, invoice, self.note_id, draft, number)
                })?,
            );
        }
        Ok(Batch { writes, answer: kept(&answer, &note, self.key.as_ref(), sealing)? })
    }
}
