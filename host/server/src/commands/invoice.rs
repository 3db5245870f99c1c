//! Invoices: draft, revise, approve, issue, cancel. An issue posts its journal entry in its own transaction, once the
//! tenant has a chart of accounts; what was issued before has none.

use niyam_domain::{
    Aggregate as _, ApproveInvoice, CancelInvoice, DraftInvoice, Invoice, InvoiceCommand, InvoiceEvent,
    InvoiceId, IssueInvoice, NumberSeriesEvent, PreparedIssue, Rejection, ReviseInvoice, Version,
    series_stream,
};
use niyam_store::{Append, Batch, Idempotency, Serials, StreamWrite};
use niyam_values::{Attributes, Direction, Document, Finding};
use uuid::Uuid;

use crate::app::App;
use crate::commands::books::{TRIES, is_beside};
use crate::commands::metadata::new_event;
use crate::commands::once::{Answer, Committed, once};
use crate::commands::posting::SalePosting;
use crate::commands::tax::pack_on;
use crate::commands::views::InvoiceView;
use crate::commands::{Actor, CommandError, Expected};
use crate::tenants::TenantAt;

/// An invoice at a version of its stream.
#[derive(Debug, Clone)]
pub(crate) struct InvoiceAt {
    pub(crate) invoice: Invoice,
    pub(crate) version: Version,
}

impl App {
    /// The invoice, if it is the tenant's.
    pub(crate) async fn invoice(&self, actor: &Actor, id: InvoiceId) -> Result<InvoiceAt, CommandError> {
        let loaded = self.aggregates.load(&actor.tenant, &id.stream()).await?;
        let loaded = loaded.ok_or(Rejection::InvoiceMissing)?;
        Ok(InvoiceAt { invoice: loaded.state, version: loaded.version })
    }

    pub(crate) async fn draft_invoice(
        &self,
        actor: &Actor,
        key: Option<Idempotency>,
        document: Document,
    ) -> Result<Committed, CommandError> {
        once(&self.store, &actor.tenant, key.as_ref(), async {
            let at = self.tenant(&actor.tenant).await?;
            require_sale(&document)?;
            let assessment = self.assess(&at, document).await?;
            let invoice_id = InvoiceId(self.ids.next_id());
            let events =
                Invoice::decide(None, InvoiceCommand::Draft(DraftInvoice { invoice_id, assessment }))?;
            let location = Some(format!("/v1/invoices/{invoice_id}"));
            self.record(actor, key.clone(), None, invoice_id, events, (201, location)).await
        })
        .await
    }

    pub(crate) async fn revise_invoice(
        &self,
        actor: &Actor,
        id: InvoiceId,
        expected: Expected,
        document: Document,
    ) -> Result<Committed, CommandError> {
        let found = self.expect(actor, id, expected).await?;
        let at = self.tenant(&actor.tenant).await?;
        require_sale(&document)?;
        let assessment = self.assess(&at, document).await?;
        let command = InvoiceCommand::Revise(ReviseInvoice { assessment });
        let events = Invoice::decide(Some(&found.invoice), command)?;
        self.record(actor, None, Some(found), id, events, (200, None)).await
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
        once(&self.store, &actor.tenant, key.as_ref(), async {
            let found = self.expect(actor, id, expected).await?;
            let events = Invoice::decide(Some(&found.invoice), command)?;
            self.record(actor, key.clone(), Some(found), id, events, (200, None)).await
        })
        .await
    }

    pub(crate) async fn issue_invoice(
        &self,
        actor: &Actor,
        key: Option<Idempotency>,
        id: InvoiceId,
        expected: Expected,
    ) -> Result<Committed, CommandError> {
        once(&self.store, &actor.tenant, key.as_ref(), async {
            let found = self.expect(actor, id, expected).await?;
            let mut tries = 0;
            loop {
                let at = self.tenant(&actor.tenant).await?;
                let prepared = Box::pin(self.prepare(actor, &at, &found.invoice)).await?;
                let posting =
                    Box::pin(self.sale_posting(actor, &found.invoice, prepared.assessment())).await?;
                let append = self.issuing(actor, key.clone(), &at, found.clone(), prepared, posting)?;
                let done = self.store.append(&actor.tenant, append).await.map_err(CommandError::from);
                // The profile, the packs, the chart or the periods changed meanwhile: what was prepared is of yesterday.
                if is_beside(&done, &id.stream()) && tries < TRIES {
                    tries += 1;
                } else {
                    return done?.try_into();
                }
            }
        })
        .await
    }

    /// Everything about the issue but its serial.
    async fn prepare(
        &self,
        actor: &Actor,
        at: &TenantAt,
        invoice: &Invoice,
    ) -> Result<PreparedIssue, CommandError> {
        // Refused before any module is asked when the state does not allow it.
        if invoice.status != niyam_domain::InvoiceStatus::Approved {
            return Err(Rejection::WrongStatus { found: invoice.status, needed: "approved" }.into());
        }
        let assessment = self.assess(at, invoice.assessment.document.clone()).await?;
        let now = self.now_at(at);
        let issued_on = now.date();
        let activation = pack_on(at, assessment.document.tax_date)?.clone();
        let (assessment, decided) = self
            .packs
            .call(&actor.tenant, &activation, move |module, config| {
                let decided =
                    module.prepare_issue(config, &assessment.document, &assessment.taxes, issued_on)?;
                Ok((assessment, decided))
            })
            .await?;
        let command = IssueInvoice {
            assessment,
            plan: decided.answer.map_err(Rejection::Findings)?,
            plan_decision: decided.decision,
            issued_on,
            issued_time: now.strftime("%H:%M:%S").to_string(),
            issued_at: now.timestamp(),
            attributes: signatory(actor, &at.tenant.profile.attributes),
        };
        Ok(invoice.prepare_issue(command)?)
    }

    /// The writes of an issue: the invoice, its number, its entry; and nothing if what it was made against changed.
    fn issuing(
        &self,
        actor: &Actor,
        key: Option<Idempotency>,
        at: &TenantAt,
        found: InvoiceAt,
        prepared: PreparedIssue,
        posting: SalePosting,
    ) -> Result<Append, CommandError> {
        let made_against = posting.made_against();
        let series =
            series_stream(prepared.series()).map_err(|error| CommandError::Defect(error.to_string()))?;
        let issuing = Issuing {
            actor: actor.clone(),
            found,
            prepared,
            posting,
            event_id: self.ids.next_id(),
            number_id: self.ids.next_id(),
        };
        // What has a JSON form once has it with any serial.
        issuing.batch(1, &series)?;
        let asked = series.clone();
        let mut append = Append::with_serials(vec![series], move |serials: &Serials| {
            let serial = serials.get(&asked).map_or(0, |serial| serial.0);
            issuing.batch(serial, &asked).unwrap_or_default()
        })
        .unchanged([(niyam_domain::StreamId::tenant(), at.version)])
        .unchanged(made_against);
        append.idempotency = key;
        Ok(append)
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

    async fn record(
        &self,
        actor: &Actor,
        key: Option<Idempotency>,
        before: Option<InvoiceAt>,
        id: InvoiceId,
        events: Vec<InvoiceEvent>,
        (status, location): (u16, Option<String>),
    ) -> Result<Committed, CommandError> {
        let expected = before.as_ref().map_or(Version(0), |before| before.version);
        let mut state = before.map(|before| before.invoice);
        let mut recorded = Vec::with_capacity(events.len());
        let mut version = expected;
        for event in events {
            let next = Invoice::evolve(state.take(), event.clone())?;
            let day = next.assessment.document.tax_date;
            recorded.push(new_event(self.ids.next_id(), &event, actor, day)?);
            version = Version(version.0 + 1);
            state = Some(next);
        }
        let state = state.ok_or_else(|| CommandError::Defect("a command without an invoice".to_owned()))?;
        let answer = Answer::new(status, location, version, &InvoiceView::new(&state, version))?;
        let write = StreamWrite { stream: id.stream(), expected, events: recorded };
        let mut append = Append::of(Batch { writes: vec![write], answer: answer.to_bytes()? });
        append.idempotency = key;
        self.store.append(&actor.tenant, append).await?.try_into()
    }
}

struct Issuing {
    actor: Actor,
    found: InvoiceAt,
    prepared: PreparedIssue,
    posting: SalePosting,
    event_id: Uuid,
    number_id: Uuid,
}

impl Issuing {
    fn batch(&self, serial: u64, series: &niyam_domain::StreamId) -> Result<Batch, CommandError> {
        let (event, drawn) = self.prepared.with_serial(serial);
        let id = self.found.invoice.id;
        let day = self.found.invoice.assessment.document.tax_date;
        let issued = new_event(self.event_id, &event, &self.actor, day)?;
        let number = new_event(self.number_id, &NumberSeriesEvent::Drawn(drawn), &self.actor, day)?;
        let invoice = Invoice::evolve(Some(self.found.invoice.clone()), event)?;
        let version = Version(self.found.version.0 + 1);
        let answer = Answer::new(200, None, version, &InvoiceView::new(&invoice, version))?;
        let mut writes = vec![
            StreamWrite { stream: id.stream(), expected: self.found.version, events: vec![issued] },
            StreamWrite {
                stream: series.clone(),
                expected: Version(serial.saturating_sub(1)),
                events: vec![number],
            },
        ];
        writes.extend(self.posting.write(&self.actor, &invoice)?);
        Ok(Batch { writes, answer: answer.to_bytes()? })
    }
}

/// Who answers for the paper: as the profile says, else the user who issues it, in the role held.
fn signatory(actor: &Actor, profile: &Attributes) -> Attributes {
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
