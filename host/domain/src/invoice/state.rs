//! The aggregate: an invoice as its events tell it, and what it lets happen.

use std::collections::BTreeMap;

use jiff::Timestamp;
use niyam_values::{Decimal, Determination, Document, IssueFacts, IssuePlan};
use serde::{Deserialize, Serialize};

use crate::aggregate::Aggregate;
use crate::decision::{Assessment, Decision};
use crate::event::{DomainEvent, UnreadableEvent};
use crate::ids::{InvoiceId, PaymentId};
use crate::invoice::commands::{
    ApproveInvoice, CancelInvoice, DraftInvoice, InvoiceCommand, IssueInvoice, RecordInvoice, ReviseInvoice,
};
use crate::invoice::events::{
    InvoiceApproved, InvoiceCancelled, InvoiceDrafted, InvoiceEvent, InvoiceRecorded, InvoiceRevised,
    InvoiceStatus, NoteOf,
};
use crate::invoice::issue::PreparedIssue;
use crate::invoice::lines::LineShare;
use crate::invoice::money;
use crate::personal::is_document_erased;
use crate::rejection::Rejection;

/// An invoice as its events tell it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Invoice {
    /// Its id.
    pub id: InvoiceId,
    /// Where it stands.
    pub status: InvoiceStatus,
    /// The document.
    pub document: Document,
    /// What it bears; of a note, what it changes.
    pub taxes: Determination,
    /// Its issue, once issued.
    pub issued: Option<Numbered>,
    /// What it is against, if it is a note.
    pub note: Option<NoteOf>,
    /// What is left to be paid, in the document's currency; of a credit note what is left to be paid back. Never below
    /// zero.
    pub outstanding: Decimal,
    /// What may still be credited of each line, once issued.
    pub left: Vec<LineShare>,
    /// What each payment settled.
    pub settled: BTreeMap<PaymentId, Decimal>,
    /// What will never be paid.
    pub written_off: Decimal,
}

/// The issue of an invoice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Numbered {
    /// How the pack had it issued, and who said so; none for what bears its supplier's number.
    pub planned: Option<(IssuePlan, Decision)>,
    /// Number, day and time, as the paper shows them.
    pub facts: IssueFacts,
    /// The moment.
    pub issued_at: Timestamp,
}

impl Invoice {
    /// What `command` makes happen.
    ///
    /// # Errors
    /// When the invoice's state does not allow it.
    pub fn decide(state: Option<&Self>, command: InvoiceCommand) -> Result<Vec<InvoiceEvent>, Rejection> {
        use InvoiceStatus::{Approved, Draft};
        let event = match (state, command) {
            (None, InvoiceCommand::Draft(DraftInvoice { invoice_id, assessment })) => {
                InvoiceEvent::Drafted(InvoiceDrafted { invoice_id, assessment })
            }
            (Some(state), InvoiceCommand::Revise(ReviseInvoice { assessment })) => {
                state.require(&[Draft, Approved], "a draft")?;
                InvoiceEvent::Revised(InvoiceRevised { assessment })
            }
            (Some(state), InvoiceCommand::Approve(ApproveInvoice {})) => {
                state.require(&[Draft], "a draft")?;
                state.require_other_party()?;
                InvoiceEvent::Approved(InvoiceApproved {})
            }
            (Some(state), InvoiceCommand::Cancel(CancelInvoice { reason })) => {
                state.require(&[Draft], "a draft")?;
                InvoiceEvent::Cancelled(InvoiceCancelled { reason })
            }
            (Some(state), InvoiceCommand::WriteOff(command)) => state.write_off(command)?,
            (Some(state), InvoiceCommand::Settle(command)) => state.settle(&command)?,
            (Some(state), InvoiceCommand::ReverseSettlement(command)) => {
                state.reverse_settlement(&command)?
            }
            (Some(state), InvoiceCommand::Draft(_)) => return state.refuse("new"),
            (None, _) => return Err(Rejection::InvoiceMissing),
        };
        Ok(vec![event])
    }

    /// Whether `command` may issue the invoice; what it makes happen once the serial is drawn.
    ///
    /// # Errors
    /// When it is not approved, or its taxes are no longer those that were approved.
    pub fn prepare_issue(&self, command: IssueInvoice) -> Result<PreparedIssue, Rejection> {
        self.require_issuable()?;
        self.require_taxes(&command.assessment)?;
        Ok(PreparedIssue::new(self.id, command))
    }

    /// What entering the purchase into the books makes happen.
    ///
    /// # Errors
    /// When it is not approved, or its taxes are no longer those that were approved.
    pub fn record(&self, command: RecordInvoice) -> Result<InvoiceEvent, Rejection> {
        self.require_issuable()?;
        self.require_taxes(&command.assessment)?;
        let RecordInvoice { assessment, facts, recorded_at } = command;
        Ok(InvoiceEvent::Recorded(InvoiceRecorded { assessment, facts, recorded_at }))
    }

    fn require_taxes(&self, found: &Assessment) -> Result<(), Rejection> {
        if found.taxes.lines == self.taxes.lines { Ok(()) } else { Err(Rejection::TaxesChanged) }
    }

    fn require(&self, allowed: &[InvoiceStatus], needed: &'static str) -> Result<(), Rejection> {
        if allowed.contains(&self.status) { Ok(()) } else { self.refuse(needed) }
    }

    /// Whether its state lets it be issued, whatever a module says.
    ///
    /// # Errors
    /// When it is not approved, or the data of its other party were erased.
    pub fn require_issuable(&self) -> Result<(), Rejection> {
        self.require(&[InvoiceStatus::Approved], "approved")?;
        self.require_other_party()
    }

    pub(super) fn require_other_party(&self) -> Result<(), Rejection> {
        if is_document_erased(&self.document) { Err(Rejection::DataSubjectErased) } else { Ok(()) }
    }

    fn refuse<T>(&self, needed: &'static str) -> Result<T, Rejection> {
        Err(Rejection::WrongStatus { found: self.status, needed })
    }
}

impl Aggregate for Invoice {
    type Event = InvoiceEvent;

    fn evolve(state: Option<Self>, event: InvoiceEvent) -> Result<Self, UnreadableEvent> {
        let event_type = event.event_type();
        let next = match (state, event) {
            (None, InvoiceEvent::Drafted(InvoiceDrafted { invoice_id, assessment })) => {
                Some(Self::draft(invoice_id, assessment))
            }
            (None, InvoiceEvent::NoteIssued(note)) => {
                let planned = note.planned.map(|planned| (planned.plan, planned.decision));
                let issued = Numbered { planned, facts: note.facts, issued_at: note.issued_at };
                Some(Self {
                    status: InvoiceStatus::Issued,
                    issued: Some(issued),
                    note: Some(note.of),
                    outstanding: note.unapplied,
                    ..Self::new(note.note_id, note.document, note.taxes)
                })
            }
            (Some(state), InvoiceEvent::Revised(InvoiceRevised { assessment })) => {
                Some(Self::draft(state.id, assessment))
            }
            (Some(state), InvoiceEvent::Approved(InvoiceApproved {})) => {
                Some(Self { status: InvoiceStatus::Approved, ..state })
            }
            (Some(state), InvoiceEvent::Issued(issued)) => {
                let planned = Some((issued.plan, issued.plan_decision));
                let numbered = Numbered { planned, facts: issued.facts, issued_at: issued.issued_at };
                Some(Self::issued(state.id, issued.assessment, numbered))
            }
            (Some(state), InvoiceEvent::Recorded(recorded)) => {
                let InvoiceRecorded { assessment, facts, recorded_at } = recorded;
                let numbered = Numbered { planned: None, facts, issued_at: recorded_at };
                Some(Self::issued(state.id, assessment, numbered))
            }
            (Some(state), InvoiceEvent::Cancelled(_)) => {
                Some(Self { status: InvoiceStatus::Cancelled, ..state })
            }
            (Some(state), event) => state.moved(&event),
            (None, _) => None,
        };
        next.ok_or(UnreadableEvent::OutOfOrder { event_type })
    }
}

impl Invoice {
    fn new(id: InvoiceId, document: Document, taxes: Determination) -> Self {
        Self {
            id,
            status: InvoiceStatus::Draft,
            document,
            taxes,
            issued: None,
            note: None,
            outstanding: Decimal::ZERO,
            left: Vec::new(),
            settled: BTreeMap::new(),
            written_off: Decimal::ZERO,
        }
    }

    fn draft(id: InvoiceId, assessment: Assessment) -> Self {
        Self::new(id, assessment.document, assessment.taxes)
    }

    fn issued(id: InvoiceId, assessment: Assessment, issued: Numbered) -> Self {
        let Assessment { document, taxes, .. } = assessment;
        let (outstanding, left) =
            (money::initial_outstanding(&document, &taxes), LineShare::whole(&document, &taxes));
        Self {
            status: InvoiceStatus::Issued,
            issued: Some(issued),
            outstanding,
            left,
            ..Self::new(id, document, taxes)
        }
    }
}
