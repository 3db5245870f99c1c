//! Issuing an invoice: a sale gets its number, a purchase is entered under its supplier's. Both post their journal entry
//! in the same transaction, once the tenant has a chart of accounts; what was issued before has none.

use std::sync::Arc;

use niyam_domain::{
    Aggregate as _, Invoice, InvoiceEvent, InvoiceId, IssueInvoice, NumberSeriesEvent, Personal as _,
    PreparedIssue, RecordInvoice, Rejection, SourceKind, StreamId, Version, World, post_document,
    series_stream,
};
use niyam_modules::{Decided, Findings};
use niyam_store::{Append, Batch, Idempotency, Serials, StreamWrite};
use niyam_values::{Attributes, Date, Determination, Direction, Document, IssueFacts, IssuePlan};
use uuid::Uuid;

use crate::app::App;
use crate::commands::books::{TRIES, is_beside};
use crate::commands::fallback::{Answered, in_turn};
use crate::commands::invoice::{InvoiceAt, kept};
use crate::commands::metadata::{Metadata, event_with, new_event};
use crate::commands::once::{Answer, Committed, once};
use crate::commands::policy::Subject;
use crate::commands::posting::{Posting, entry_of};
use crate::commands::supplier_number::supplier_number;
use crate::commands::views::InvoiceView;
use crate::commands::{Actor, CommandError, Expected};
use crate::personal::Sealing;
use crate::tenants::TenantAt;

/// What a pack's refusal says when it has no paper, and so no number, for such a document.
const NO_PAPER: &str = "kind-not-offered";

impl App {
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
                let (event, number) = prepared.sample()?;
                let (document, taxes) = (&number.0, &number.1);
                self.require_free_number(actor, document).await?;
                let day = (document.tax_date, "/tax_date");
                let posting =
                    self.posting(actor, day, |chart| post_document(chart, id, (document, taxes), ""));
                let posting = Box::pin(posting).await?;
                let subject = Subject::Invoice { before: Some(&found.invoice), event: &event };
                let ruled = Box::pin(self.ask_policies(actor, &at, subject)).await?;
                let issuing = Issuing {
                    actor: actor.clone(),
                    metadata: Metadata::new(actor, ruled, &fallbacks),
                    taken: self.take_number(actor, id, document)?,
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
                // The profile, the packs, the chart or the periods changed meanwhile, the other party was erased, or its
                // number was taken: what was prepared is of yesterday.
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
    ) -> Result<Answered<Prepared>, CommandError> {
        // Refused before any module is asked when the state does not allow it.
        invoice.require_issuable()?;
        let Answered { answer: assessment, mut fallbacks } =
            self.assess(at, as_asked(&invoice.document)).await?;
        let now = self.now_at(at);
        let (issued_on, issued_time) = (now.date(), now.strftime("%H:%M:%S").to_string());
        let asked = (Arc::new(assessment.document.clone()), Arc::new(assessment.taxes.clone()));
        let planned = self.plan_issue(at, asked, issued_on).await?;
        fallbacks.extend(planned.fallbacks);
        let Decided { answer: plan, decision: plan_decision } = planned.answer;
        let attributes = signatory(actor, &at.tenant.profile.attributes);
        let answer = match (plan, supplier_number(&assessment.document)) {
            (Err(findings), Some(number)) if is_without_paper(&assessment.document, &findings) => {
                let number = number.to_owned();
                let facts = IssueFacts { number, issued_on, issued_at: issued_time, attributes };
                let command = RecordInvoice { assessment, facts, recorded_at: now.timestamp() };
                Prepared::Recorded(Box::new(invoice.record(command)?))
            }
            (plan, _) => {
                let command = IssueInvoice {
                    assessment,
                    plan: plan.map_err(Rejection::Findings)?,
                    plan_decision,
                    issued_on,
                    issued_time,
                    issued_at: now.timestamp(),
                    attributes,
                };
                Prepared::Numbered(Box::new(invoice.prepare_issue(command)?))
            }
        };
        Ok(Answered { answer, fallbacks })
    }

    /// How the pack has a document issued on `issued_on`.
    pub(super) async fn plan_issue(
        &self,
        at: &TenantAt,
        (document, taxes): (Arc<Document>, Arc<Determination>),
        issued_on: Date,
    ) -> Result<Answered<Decided<Result<IssuePlan, Findings>>>, CommandError> {
        let packs = in_turn(&at.tenant.activations, World::ComplianceModule, document.tax_date);
        self.ask(&at.tenant.id, packs, move |module, config| {
            module.prepare_issue(config, &document, &taxes, issued_on)
        })
        .await
    }

    /// Appends an issue: the invoice, its number, its entry; and nothing if what it was made against changed.
    async fn issue(&self, at: &TenantAt, issuing: Arc<Issuing>) -> Result<Committed, CommandError> {
        let series = match &issuing.prepared {
            Prepared::Numbered(prepared) => Some(stream_of(prepared.series())?),
            Prepared::Recorded(_) => None,
        };
        let tenant = &issuing.actor.tenant;
        let stream = issuing.found.invoice.id.stream();
        let places = issuing.found.invoice.personal();
        let guards: Vec<_> = issuing.found.guards().collect();
        let made_against = issuing.posting.made_against();
        self.vault
            .append(tenant, &stream, &places, |sealing| {
                // What has a JSON form once, and is sealed once, is so with any serial.
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

/// The document as a request has it: with the other party as its customer.
fn as_asked(document: &Document) -> Document {
    let other = match document.direction {
        Direction::Sale => &document.customer,
        Direction::Purchase => &document.supplier,
    };
    Document { customer: other.clone(), ..document.clone() }
}

/// Whether a pack's refusal only says that it has no paper for a purchase, which then bears its supplier's number.
pub(super) fn is_without_paper(document: &Document, findings: &Findings) -> bool {
    document.direction == Direction::Purchase && findings.iter().all(|finding| finding.code == NO_PAPER)
}

pub(super) fn stream_of(series: &str) -> Result<StreamId, CommandError> {
    series_stream(series).map_err(|error| CommandError::Defect(error.to_string()))
}

/// An issue that lacks its serial at most.
enum Prepared {
    /// It gets a number of the tenant's own.
    Numbered(Box<PreparedIssue>),
    /// It bears its supplier's.
    Recorded(Box<InvoiceEvent>),
}

impl Prepared {
    /// What happens, with some serial, and the document and taxes of it.
    fn sample(&self) -> Result<(InvoiceEvent, (Document, Determination)), CommandError> {
        let event = match self {
            Self::Numbered(prepared) => prepared.with_serial(1).0,
            Self::Recorded(event) => (**event).clone(),
        };
        let issue = event.issue().map(|issue| (issue.document.clone(), issue.taxes.clone()));
        let issue = issue.ok_or_else(|| CommandError::Defect("an issue without a document".to_owned()))?;
        Ok((event, issue))
    }
}

/// An issue on its way to the store.
struct Issuing {
    actor: Actor,
    metadata: Metadata,
    found: InvoiceAt,
    prepared: Prepared,
    posting: Posting,
    /// What takes the supplier's number.
    taken: Vec<StreamWrite>,
    event_id: Uuid,
    number_id: Uuid,
    key: Option<Idempotency>,
}

impl Issuing {
    fn batch(
        &self,
        serial: u64,
        series: Option<&StreamId>,
        sealing: &Sealing,
    ) -> Result<Batch, CommandError> {
        let (event, drawn) = match &self.prepared {
            Prepared::Numbered(prepared) => {
                let (event, drawn) = prepared.with_serial(serial);
                (event, Some(drawn))
            }
            Prepared::Recorded(event) => ((**event).clone(), None),
        };
        let id = self.found.invoice.id;
        let day = self.found.invoice.document.tax_date;
        let issued = sealing.event(&event, event_with(self.event_id, &event, &self.metadata, day)?)?;
        let invoice = Invoice::evolve(Some(self.found.invoice.clone()), event)?;
        let version = Version(self.found.version.0 + 1);
        let view = InvoiceView::new(&invoice, version).with_policies(&self.metadata.policies);
        let answer = Answer::new(200, None, version, &view)?;
        let mut writes =
            vec![StreamWrite { stream: id.stream(), expected: self.found.version, events: vec![issued] }];
        if let (Some(series), Some(drawn)) = (series, drawn) {
            let number = new_event(self.number_id, &NumberSeriesEvent::Drawn(drawn), &self.actor, day)?;
            let expected = Version(serial.saturating_sub(1));
            writes.push(StreamWrite { stream: series.clone(), expected, events: vec![number] });
        }
        writes.extend(self.taken.iter().cloned());
        let number = invoice.issued.as_ref().map(|issued| issued.facts.number.as_str()).unwrap_or_default();
        let entry = self.posting.write(&self.actor, (entry_of(id), SourceKind::Invoice, id), |chart| {
            post_document(chart, id, (&invoice.document, &invoice.taxes), number)
        })?;
        writes.extend(entry);
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
