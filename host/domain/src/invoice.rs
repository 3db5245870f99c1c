//! An invoice: draft, revise, approve, issue, cancel.
//!
//! The taxes come in with the command, as a module found them; nothing here knows a rate. An issued invoice never
//! changes: a credit note corrects it.

use std::fmt;

use jiff::Timestamp;
use niyam_values::{Date, IssueFacts, IssuePlan, RegisterEntry};
use serde::{Deserialize, Serialize};

use crate::aggregate::Aggregate;
use crate::decision::{Assessment, Decision};
use crate::event::{DomainEvent, UnreadableEvent, domain_events};
use crate::ids::InvoiceId;
use crate::number_series::NumberDrawn;
use crate::personal::{Personal, Place, is_document_erased, nothing_personal, personal_of_document};
use crate::rejection::Rejection;

/// Where an invoice stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InvoiceStatus {
    /// May be revised.
    Draft,
    /// Somebody answers for it; a revision makes it a draft again.
    Approved,
    /// Bears a number; never changes.
    Issued,
    /// Given up before it was issued.
    Cancelled,
}

impl InvoiceStatus {
    /// As written in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Approved => "approved",
            Self::Issued => "issued",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for InvoiceStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// An invoice was drafted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InvoiceDrafted {
    /// Its id.
    pub invoice_id: InvoiceId,
    /// The document and its taxes.
    pub assessment: Assessment,
}

/// Its document is another one from now on; an approval given before is void.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InvoiceRevised {
    /// The document and its taxes, whole.
    pub assessment: Assessment,
}

/// Somebody answers for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InvoiceApproved {}

/// It became a paper with a number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InvoiceIssued {
    /// The document and its taxes on the day of issue.
    pub assessment: Assessment,
    /// How the pack had it issued.
    pub plan: IssuePlan,
    /// Who said so.
    pub plan_decision: Decision,
    /// Its place in the series.
    pub serial: u64,
    /// Number, day and time, as the paper shows them.
    pub facts: IssueFacts,
    /// The moment.
    pub issued_at: Timestamp,
}

impl From<InvoiceIssued> for RegisterEntry {
    /// What registers and returns are told of it.
    fn from(issued: InvoiceIssued) -> Self {
        let Assessment { document, taxes, .. } = issued.assessment;
        Self { document, taxes, facts: issued.facts }
    }
}

/// It was given up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InvoiceCancelled {
    /// Why, when said.
    pub reason: Option<String>,
}

domain_events! {
    /// What happens to an invoice.
    #[expect(clippy::large_enum_variant, reason = "held one at a time, on its way to or from the store")]
    InvoiceEvent {
        /// An invoice was drafted.
        Drafted(InvoiceDrafted) = "invoice.drafted.v1",
        /// Its document is another one from now on; an approval given before is void.
        Revised(InvoiceRevised) = "invoice.revised.v1",
        /// Somebody answers for it.
        Approved(InvoiceApproved) = "invoice.approved.v1",
        /// It became a paper with a number, and never changes again.
        Issued(InvoiceIssued) = "invoice.issued.v1",
        /// It was given up before it was issued.
        Cancelled(InvoiceCancelled) = "invoice.cancelled.v1",
    }
}

/// Each that carries an assessment is about the party of its document.
macro_rules! assessed {
    ($($type:ty),+) => {$(
        impl Personal for $type {
            fn personal(&self) -> Vec<Place> {
                personal_of_document(&self.assessment.document, "/assessment/document")
            }
        }
    )+};
}
assessed!(InvoiceDrafted, InvoiceRevised, InvoiceIssued, Invoice);
nothing_personal!(InvoiceApproved, InvoiceCancelled);

/// Draft an invoice.
#[derive(Debug, Clone)]
pub struct DraftInvoice {
    /// Its id.
    pub invoice_id: InvoiceId,
    /// The document and its taxes.
    pub assessment: Assessment,
}

/// Put another document in its place.
#[derive(Debug, Clone)]
pub struct ReviseInvoice {
    /// The document and its taxes, whole.
    pub assessment: Assessment,
}

/// Answer for it.
#[derive(Debug, Clone)]
pub struct ApproveInvoice {}

/// Give it up.
#[derive(Debug, Clone)]
pub struct CancelInvoice {
    /// Why.
    pub reason: Option<String>,
}

/// Make it a paper. Apart from [`InvoiceCommand`], since its number is only known in the transaction that writes it.
#[derive(Debug, Clone)]
pub struct IssueInvoice {
    /// The taxes as they are today; they must still be those that were approved.
    pub assessment: Assessment,
    /// How the pack has it issued.
    pub plan: IssuePlan,
    /// Who said so.
    pub plan_decision: Decision,
    /// The day, in the tenant's time zone.
    pub issued_on: Date,
    /// The time of day there, `HH:MM:SS`.
    pub issued_time: String,
    /// The moment.
    pub issued_at: Timestamp,
    /// Further facts that the paper shows.
    pub attributes: niyam_values::Attributes,
}

/// What may be asked of an invoice, besides [`IssueInvoice`].
#[derive(Debug, Clone)]
pub enum InvoiceCommand {
    /// See [`DraftInvoice`].
    Draft(DraftInvoice),
    /// See [`ReviseInvoice`].
    Revise(ReviseInvoice),
    /// See [`ApproveInvoice`].
    Approve(ApproveInvoice),
    /// See [`CancelInvoice`].
    Cancel(CancelInvoice),
}

/// An invoice as its events tell it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Invoice {
    /// Its id.
    pub id: InvoiceId,
    /// Where it stands.
    pub status: InvoiceStatus,
    /// The document and its taxes.
    pub assessment: Assessment,
    /// Its issue, once issued.
    pub issued: Option<Numbered>,
}

/// The issue of an invoice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Numbered {
    /// How the pack had it issued.
    pub plan: IssuePlan,
    /// Who said so.
    pub plan_decision: Decision,
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
                state.require_customer()?;
                InvoiceEvent::Approved(InvoiceApproved {})
            }
            (Some(state), InvoiceCommand::Cancel(CancelInvoice { reason })) => {
                state.require(&[Draft], "a draft")?;
                InvoiceEvent::Cancelled(InvoiceCancelled { reason })
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
        if command.assessment.taxes.lines != self.assessment.taxes.lines {
            return Err(Rejection::TaxesChanged);
        }
        Ok(PreparedIssue { invoice_id: self.id, command })
    }

    fn require(&self, allowed: &[InvoiceStatus], needed: &'static str) -> Result<(), Rejection> {
        if allowed.contains(&self.status) { Ok(()) } else { self.refuse(needed) }
    }

    /// Whether its state lets it be issued, whatever a module says.
    ///
    /// # Errors
    /// When it is not approved, or its customer's data were erased.
    pub fn require_issuable(&self) -> Result<(), Rejection> {
        self.require(&[InvoiceStatus::Approved], "approved")?;
        self.require_customer()
    }

    fn require_customer(&self) -> Result<(), Rejection> {
        if is_document_erased(&self.assessment.document) { Err(Rejection::DataSubjectErased) } else { Ok(()) }
    }

    fn refuse<T>(&self, needed: &'static str) -> Result<T, Rejection> {
        Err(Rejection::WrongStatus { found: self.status, needed })
    }
}

impl Aggregate for Invoice {
    type Event = InvoiceEvent;

    fn evolve(state: Option<Self>, event: InvoiceEvent) -> Result<Self, UnreadableEvent> {
        match (state, event) {
            (None, InvoiceEvent::Drafted(InvoiceDrafted { invoice_id, assessment })) => {
                Ok(Self { id: invoice_id, status: InvoiceStatus::Draft, assessment, issued: None })
            }
            (Some(state), InvoiceEvent::Revised(InvoiceRevised { assessment })) => {
                Ok(Self { status: InvoiceStatus::Draft, assessment, ..state })
            }
            (Some(state), InvoiceEvent::Approved(InvoiceApproved {})) => {
                Ok(Self { status: InvoiceStatus::Approved, ..state })
            }
            (Some(state), InvoiceEvent::Issued(issued)) => Ok(Self {
                status: InvoiceStatus::Issued,
                assessment: issued.assessment,
                issued: Some(Numbered {
                    plan: issued.plan,
                    plan_decision: issued.plan_decision,
                    facts: issued.facts,
                    issued_at: issued.issued_at,
                }),
                ..state
            }),
            (Some(state), InvoiceEvent::Cancelled(_)) => {
                Ok(Self { status: InvoiceStatus::Cancelled, ..state })
            }
            (_, event) => Err(UnreadableEvent::OutOfOrder { event_type: event.event_type() }),
        }
    }
}

/// An issue that lacks only its serial.
#[derive(Debug, Clone)]
pub struct PreparedIssue {
    invoice_id: InvoiceId,
    command: IssueInvoice,
}

impl PreparedIssue {
    /// The series that the serial is to be drawn from.
    #[must_use]
    pub fn series(&self) -> &str {
        &self.command.plan.series
    }

    /// What will be issued.
    #[must_use]
    pub fn assessment(&self) -> &Assessment {
        &self.command.assessment
    }

    /// What happens, with `serial` drawn: to the invoice, and to the series.
    #[must_use]
    pub fn with_serial(&self, serial: u64) -> (InvoiceEvent, NumberDrawn) {
        let IssueInvoice { assessment, plan, plan_decision, issued_on, issued_time, issued_at, attributes } =
            self.command.clone();
        let number = plan.number_pattern.replace("{serial}", &serial.to_string());
        let drawn = NumberDrawn {
            series: plan.series.clone(),
            serial,
            number: number.clone(),
            invoice_id: self.invoice_id,
        };
        let facts = IssueFacts { number, issued_on, issued_at: issued_time, attributes };
        let issued = InvoiceIssued { assessment, plan, plan_decision, serial, facts, issued_at };
        (InvoiceEvent::Issued(issued), drawn)
    }
}

#[cfg(test)]
#[path = "invoice_tests.rs"]
pub(crate) mod tests;

#[cfg(test)]
#[path = "invoice_properties.rs"]
mod properties;
