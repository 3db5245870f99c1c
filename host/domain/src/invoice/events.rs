//! What happens to an invoice.

use std::fmt;

use jiff::Timestamp;
use niyam_values::{Date, Decimal, Determination, Direction, Document, IssueFacts, IssuePlan, RegisterEntry};
use serde::{Deserialize, Serialize};

use crate::decision::{Assessment, Decision};
use crate::event::domain_events;
use crate::ids::{InvoiceId, PaymentId};
use crate::invoice::lines::LineShare;
use crate::invoice::state::Invoice;
use crate::personal::{Personal, Place, nothing_personal, personal_of_document};

/// Where an invoice stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InvoiceStatus {
    /// May be revised.
    Draft,
    /// Somebody answers for it; a revision makes it a draft again.
    Approved,
    /// Bears a number, its own or its supplier's; never changes.
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

/// A purchase was entered into the books under its supplier's number: the pack wants no number of the tenant's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InvoiceRecorded {
    /// The document and its taxes on the day.
    pub assessment: Assessment,
    /// The supplier's number; day and time in the tenant's time zone.
    pub facts: IssueFacts,
    /// The moment.
    pub recorded_at: Timestamp,
}

/// Which way a note goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoteKind {
    /// Less is owed than the invoice says.
    CreditNote,
    /// More is owed than the invoice says.
    DebitNote,
}

impl NoteKind {
    /// As a document's kind, and as written in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CreditNote => "credit-note",
            Self::DebitNote => "debit-note",
        }
    }

    /// The kind that a document's code names.
    #[must_use]
    pub fn of(kind: &str) -> Option<Self> {
        [Self::CreditNote, Self::DebitNote].into_iter().find(|known| known.as_str() == kind)
    }
}

/// What a note is against.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoteOf {
    /// The invoice.
    pub invoice: InvoiceId,
    /// Its number, or its supplier's.
    pub number: String,
}

/// How the pack has something issued.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Planned {
    /// Its paper and its series.
    pub plan: IssuePlan,
    /// Who said so.
    pub decision: Decision,
    /// Its place in the series.
    pub serial: u64,
}

/// A note was issued against an invoice. Its taxes are a part of the invoice's own, so no module is asked for them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NoteIssued {
    /// Its id.
    pub note_id: InvoiceId,
    /// Which way it goes.
    pub kind: NoteKind,
    /// What it is against.
    pub of: NoteOf,
    /// The document.
    pub document: Document,
    /// What it changes; amounts above zero, also those of a credit note.
    pub taxes: Determination,
    /// How the pack has it issued; none for a note that the supplier numbered.
    pub planned: Option<Planned>,
    /// Number, day and time, as the paper shows them.
    pub facts: IssueFacts,
    /// What of a credit note the invoice did not take, since less was open of it: owed to the other party.
    pub unapplied: Decimal,
    /// The moment.
    pub issued_at: Timestamp,
}

/// A credit note lowers what is owed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceCredited {
    /// The note.
    pub note: InvoiceId,
    /// Its number.
    pub number: String,
    /// Its day.
    pub date: Date,
    /// What it is over.
    pub amount: Decimal,
    /// How much of that was still open here; the rest is owed to the other party.
    pub applied: Decimal,
    /// What it takes of each line.
    pub lines: Vec<LineShare>,
}

/// A debit note raises what is owed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceDebited {
    /// The note.
    pub note: InvoiceId,
    /// Its number.
    pub number: String,
    /// Its day.
    pub date: Date,
    /// What it is over.
    pub amount: Decimal,
    /// What it adds to each line.
    pub lines: Vec<LineShare>,
}

/// What is open, or a part of it, will never be paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceWrittenOff {
    /// How much.
    pub amount: Decimal,
    /// The day for which it counts.
    pub date: Date,
    /// Why.
    pub reason: String,
}

/// A payment settled what is open, or a part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceSettled {
    /// The payment.
    pub payment: PaymentId,
    /// How much, in the document's currency.
    pub amount: Decimal,
    /// The day for which it counts.
    pub date: Date,
}

/// What a payment had settled is open again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettlementReversed {
    /// The payment.
    pub payment: PaymentId,
    /// How much, in the document's currency.
    pub amount: Decimal,
    /// The day for which it counts.
    pub date: Date,
}

/// It was given up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InvoiceCancelled {
    /// Why, when said.
    pub reason: Option<String>,
}

domain_events! {
    /// What happens to an invoice.
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
        /// A purchase was entered into the books under its supplier's number, and never changes again.
        Recorded(InvoiceRecorded) = "invoice.recorded.v1",
        /// A credit or debit note was issued against an invoice; the first event of its stream, and it never changes.
        NoteIssued(NoteIssued) = "invoice.note-issued.v1",
        /// A credit note lowers what is owed; in the transaction that issued the note.
        Credited(InvoiceCredited) = "invoice.credited.v1",
        /// A debit note raises what is owed; in the transaction that issued the note.
        Debited(InvoiceDebited) = "invoice.debited.v1",
        /// What is open, or a part of it, will never be paid.
        WrittenOff(InvoiceWrittenOff) = "invoice.written-off.v1",
        /// A payment settled what is open, or a part of it.
        Settled(InvoiceSettled) = "invoice.settled.v1",
        /// What a payment had settled is open again.
        SettlementReversed(SettlementReversed) = "invoice.settlement-reversed.v1",
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
assessed!(InvoiceDrafted, InvoiceRevised, InvoiceIssued, InvoiceRecorded);
nothing_personal!(
    InvoiceApproved,
    InvoiceCancelled,
    InvoiceCredited,
    InvoiceDebited,
    InvoiceWrittenOff,
    InvoiceSettled,
    SettlementReversed,
);

/// Those that carry a document without a decision on its taxes.
macro_rules! documented {
    ($($type:ty),+) => {$(
        impl Personal for $type {
            fn personal(&self) -> Vec<Place> {
                personal_of_document(&self.document, "/document")
            }
        }
    )+};
}
documented!(NoteIssued, Invoice);

/// An event that put a document into the registers: an issue, a purchase recorded, a note.
#[derive(Debug, Clone, Copy)]
pub struct Issue<'a> {
    /// The document.
    pub document: &'a Document,
    /// Its taxes; of a note, what it changes.
    pub taxes: &'a Determination,
    /// Number, day and time.
    pub facts: &'a IssueFacts,
    /// Which way it goes, if it is a note.
    pub note: Option<NoteKind>,
}

impl InvoiceEvent {
    /// The names of the events that [`Self::issue`] knows, without their versions.
    pub const ISSUES: [&'static str; 3] = ["invoice.issued", "invoice.recorded", "invoice.note-issued"];

    /// Whether events of this type, in any version, put a document into the registers.
    #[must_use]
    pub fn is_issue(event_type: &str) -> bool {
        event_type.rsplit_once(".v").is_some_and(|(name, _)| Self::ISSUES.contains(&name))
    }

    /// The document that it puts into the registers, if it does.
    #[must_use]
    pub fn issue(&self) -> Option<Issue<'_>> {
        let (document, taxes, facts, note) = match self {
            Self::Issued(issued) => {
                (&issued.assessment.document, &issued.assessment.taxes, &issued.facts, None)
            }
            Self::Recorded(recorded) => {
                (&recorded.assessment.document, &recorded.assessment.taxes, &recorded.facts, None)
            }
            Self::NoteIssued(note) => (&note.document, &note.taxes, &note.facts, Some(note.kind)),
            _ => return None,
        };
        Some(Issue { document, taxes, facts, note })
    }

    /// What registers and returns are told of it, if it puts a document into them.
    #[must_use]
    pub fn into_register_entry(self) -> Option<RegisterEntry> {
        match self {
            Self::Issued(issued) => Some(issued.into()),
            Self::Recorded(InvoiceRecorded { assessment, facts, .. }) => {
                let Assessment { document, taxes, .. } = assessment;
                Some(RegisterEntry { document, taxes, facts })
            }
            Self::NoteIssued(NoteIssued { document, taxes, facts, .. }) => {
                Some(RegisterEntry { document, taxes, facts })
            }
            _ => None,
        }
    }
}

/// What the tenant owes, or is owed, by a document with these taxes: a customer shows its certificate of what it
/// withheld when it pays; what the tenant withholds it owes to the treasury, not to the supplier.
pub(super) fn owed(direction: Direction, taxes: &Determination) -> Decimal {
    match direction {
        Direction::Sale => taxes.gross,
        Direction::Purchase => taxes.payable,
    }
}
