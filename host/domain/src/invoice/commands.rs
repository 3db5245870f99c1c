//! What may be asked of an invoice.

use jiff::Timestamp;
use niyam_values::{Attributes, Date, Decimal, IssueFacts, IssuePlan};

use crate::decision::{Assessment, Decision};
use crate::ids::{InvoiceId, PaymentId};
use crate::invoice::note::NoteDraft;

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
    pub attributes: Attributes,
}

/// Enter a purchase into the books under its supplier's number.
#[derive(Debug, Clone)]
pub struct RecordInvoice {
    /// The taxes as they are today; they must still be those that were approved.
    pub assessment: Assessment,
    /// The supplier's number; day and time in the tenant's time zone.
    pub facts: IssueFacts,
    /// The moment.
    pub recorded_at: Timestamp,
}

/// Issue a note that was drafted against an invoice.
#[derive(Debug, Clone)]
pub struct IssueNote {
    /// Its id.
    pub note_id: InvoiceId,
    /// What it changes.
    pub draft: NoteDraft,
    /// Who numbers it.
    pub plan: NotePlan,
    /// The day, in the tenant's time zone.
    pub issued_on: Date,
    /// The time of day there, `HH:MM:SS`.
    pub issued_time: String,
    /// The moment.
    pub issued_at: Timestamp,
    /// Further facts that the paper shows.
    pub attributes: Attributes,
}

/// Who numbers a note.
#[derive(Debug, Clone)]
pub enum NotePlan {
    /// The tenant, as the pack has it.
    Own(Box<IssuePlan>, Box<Decision>),
    /// The supplier, with this number.
    Supplier(String),
}

/// Give up what is open, or a part of it.
#[derive(Debug, Clone)]
pub struct WriteOffInvoice {
    /// How much; all that is open when absent.
    pub amount: Option<Decimal>,
    /// The day for which it counts.
    pub date: Date,
    /// Why.
    pub reason: String,
}

/// Settle what is open, or a part of it, by a payment.
#[derive(Debug, Clone)]
pub struct SettleInvoice {
    /// The payment.
    pub payment: PaymentId,
    /// How much, in the document's currency.
    pub amount: Decimal,
    /// The day for which it counts.
    pub date: Date,
}

/// Open again what a payment had settled, or a part of it.
#[derive(Debug, Clone)]
pub struct ReverseSettlement {
    /// The payment.
    pub payment: PaymentId,
    /// How much, in the document's currency.
    pub amount: Decimal,
    /// The day for which it counts.
    pub date: Date,
}

/// What may be asked of an invoice, besides [`IssueInvoice`], [`RecordInvoice`] and [`IssueNote`].
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
    /// See [`WriteOffInvoice`].
    WriteOff(WriteOffInvoice),
    /// See [`SettleInvoice`].
    Settle(SettleInvoice),
    /// See [`ReverseSettlement`].
    ReverseSettlement(ReverseSettlement),
}
