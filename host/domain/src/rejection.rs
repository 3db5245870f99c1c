//! Why a command was refused: something that the user can act on.

use niyam_values::{Decimal, Finding};

use crate::invoice::InvoiceStatus;
use crate::journal::EntryStatus;
use crate::payment::PaymentStatus;
use crate::periods::{PeriodStatus, YearStatus};
use crate::tax_return::ReturnStatus;

/// A refused command. Nothing was recorded.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Rejection {
    /// The document breaks rules of the host or of a module; each finding says where and why.
    #[error("the document has errors")]
    Findings(Vec<Finding>),
    /// The command needs the invoice in another state.
    #[error("the invoice is {found}, not {needed}")]
    WrongStatus {
        /// What the invoice is.
        found: InvoiceStatus,
        /// What it would have to be.
        needed: &'static str,
    },
    /// There is no such invoice.
    #[error("there is no such invoice")]
    InvoiceMissing,
    /// The taxes differ from those that were approved.
    #[error("the taxes are no longer those that were approved; revise and approve the invoice again")]
    TaxesChanged,
    /// The data of the document's other party were erased.
    #[error("the customer's data were erased; revise the invoice first")]
    DataSubjectErased,
    /// The document is a note, which stands as it is.
    #[error(
        "the document is a note against an invoice; notes, and what is written off, are against the invoice"
    )]
    NoteOfNote,
    /// A part of the invoice was written off.
    #[error("a part of the invoice was written off, so it cannot be credited")]
    InvoiceWrittenOff,
    /// All of the invoice was credited.
    #[error("nothing of the invoice is left to be credited")]
    NothingToCredit,
    /// Nothing is open.
    #[error("nothing of the invoice is open")]
    NothingOutstanding,
    /// More would be settled than is open.
    #[error("{outstanding} are open, and no more can be settled")]
    SettlementExceedsOutstanding {
        /// What is open.
        outstanding: Decimal,
    },
    /// The payment settled nothing of the invoice.
    #[error("the payment settled nothing of the invoice")]
    SettlementMissing,
    /// More would be open again than the payment settled.
    #[error("the payment settled {settled}, and no more can be taken back")]
    ReversalExceedsSettled {
        /// What it settled.
        settled: Decimal,
    },
    /// The tenant has no documents of such a data subject.
    #[error("there is no such data subject")]
    DataSubjectMissing,
    /// The tenant exists already.
    #[error("the tenant exists already")]
    TenantExists,
    /// No module is active for the tenant on the day asked.
    #[error("no compliance pack is active on that date")]
    NoActivePack,
    /// The tenant has no activation of that number.
    #[error("there is no such activation")]
    ActivationMissing,
    /// The activation was withdrawn before.
    #[error("the activation was withdrawn already")]
    ActivationWithdrawn,
    /// Without this pack, none would be active.
    #[error("it is the tenant's only compliance pack; activate another one first")]
    LastPack,
    /// The tenant has a chart of accounts already.
    #[error("the tenant has a chart of accounts already")]
    ChartExists,
    /// The tenant has no chart of accounts.
    #[error("the tenant has no chart of accounts yet")]
    ChartMissing,
    /// The pack proposes no accounts.
    #[error("the compliance pack proposes no chart of accounts")]
    ChartNotOffered,
    /// There is no such account.
    #[error("there is no such account")]
    AccountMissing,
    /// An account has that code.
    #[error("there is an account of that code already")]
    AccountExists,
    /// Something needs the account.
    #[error("the account is in use: {0}")]
    AccountInUse(String),
    /// No fiscal period of that code was opened.
    #[error("no fiscal period of that code was opened")]
    PeriodMissing,
    /// The fiscal year, or a part of it, was opened already.
    #[error("the fiscal year was opened already")]
    FiscalYearExists,
    /// The pack's periods have gaps, overlap, or are no year's.
    #[error("the compliance pack's calendar gives no whole fiscal year")]
    CalendarBroken,
    /// The command needs the period in another state.
    #[error("the period is {found}, not {needed}")]
    WrongPeriodStatus {
        /// What the period is.
        found: PeriodStatus,
        /// What it would have to be.
        needed: &'static str,
    },
    /// No fiscal year of that name was opened.
    #[error("no fiscal year of that name was opened")]
    FiscalYearMissing,
    /// Periods of the year still take anybody's postings.
    #[error("these periods of the fiscal year are open, close or soft-close them first: {0}")]
    FiscalYearPeriodsOpen(String),
    /// Years are closed in order, and reopened in the other order.
    #[error("the fiscal year {0} comes first")]
    FiscalYearOrder(String),
    /// The command needs the fiscal year in another state.
    #[error("the fiscal year is {found}, not {needed}")]
    WrongYearStatus {
        /// What the year is.
        found: YearStatus,
        /// What it would have to be.
        needed: &'static str,
    },
    /// There is no such journal entry.
    #[error("there is no such journal entry")]
    EntryMissing,
    /// The command needs the journal entry in another state.
    #[error("the journal entry is {found}, not {needed}")]
    WrongEntryStatus {
        /// What the entry is.
        found: EntryStatus,
        /// What it would have to be.
        needed: &'static str,
    },
    /// The entry takes back another one.
    #[error("the journal entry takes back another one and cannot be taken back itself; post a new entry")]
    ReversalOfReversal,
    /// The entry goes with its document.
    #[error("the journal entry belongs to a document, which alone can take it back")]
    EntryOfDocument,
    /// There is no such bank statement.
    #[error("there is no such bank statement")]
    StatementMissing,
    /// The statement was imported before.
    #[error("the statement was imported already")]
    StatementExists,
    /// The statement's line is matched.
    #[error("line {0} of the statement is matched; undo that first")]
    StatementLineMatched(u32),
    /// The statement's line is not matched.
    #[error("line {0} of the statement is not matched")]
    StatementLineUnmatched(u32),
    /// A line of the books is matched with another line.
    #[error("{0} is matched with another line of a statement")]
    LedgerLineMatched(String),
    /// There is no such schedule.
    #[error("there is no such schedule")]
    ScheduleMissing,
    /// The schedule has ended, and changes no more.
    #[error("the schedule has ended")]
    ScheduleEnded,
    /// There is no such payment.
    #[error("there is no such payment")]
    PaymentMissing,
    /// The command needs the payment in another state.
    #[error("the payment is {found}, not {needed}")]
    WrongPaymentStatus {
        /// What the payment is.
        found: PaymentStatus,
        /// What it would have to be.
        needed: &'static str,
    },
    /// The command needs the payment's cheque in another state.
    #[error("the payment's cheque is {found}, not {needed}")]
    WrongChequeStatus {
        /// What the cheque is.
        found: &'static str,
        /// What it would have to be.
        needed: &'static str,
    },
    /// No such return was prepared for the period.
    #[error("no such return was prepared for the period")]
    ReturnMissing,
    /// The command needs the return in another state.
    #[error("the return is {found}, not {needed}")]
    WrongReturnStatus {
        /// What the return is.
        found: ReturnStatus,
        /// What it would have to be.
        needed: &'static str,
    },
    /// A correction would say what was filed.
    #[error("the return says what was filed already")]
    ReturnUnchanged,
    /// Documents of the period were issued since the return was prepared, or it was prepared for another day.
    #[error(
        "documents were issued since the return was prepared, or it is to be filed on another day; prepare it again"
    )]
    ReturnOutdated,
}

impl Rejection {
    /// Stable and kebab-case: clients match on it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Findings(_) => "document-invalid",
            Self::WrongStatus { .. } => "invoice-status-conflict",
            Self::InvoiceMissing => "invoice-not-found",
            Self::TaxesChanged => "taxes-changed",
            Self::DataSubjectErased => "data-subject-erased",
            Self::NoteOfNote => "note-of-note",
            Self::InvoiceWrittenOff => "invoice-written-off",
            Self::NothingToCredit => "nothing-to-credit",
            Self::NothingOutstanding => "nothing-outstanding",
            Self::SettlementExceedsOutstanding { .. } => "settlement-exceeds-outstanding",
            Self::SettlementMissing => "settlement-not-found",
            Self::ReversalExceedsSettled { .. } => "reversal-exceeds-settled",
            Self::DataSubjectMissing => "data-subject-not-found",
            Self::TenantExists => "tenant-exists",
            Self::NoActivePack => "no-active-pack",
            Self::ActivationMissing => "activation-not-found",
            Self::ActivationWithdrawn => "activation-withdrawn",
            Self::LastPack => "activation-needed",
            Self::ChartExists => "chart-exists",
            Self::ChartMissing => "chart-missing",
            Self::ChartNotOffered => "chart-not-offered",
            Self::AccountMissing => "account-not-found",
            Self::AccountExists => "account-exists",
            Self::AccountInUse(_) => "account-in-use",
            Self::PeriodMissing => "fiscal-period-not-found",
            Self::FiscalYearExists => "fiscal-year-exists",
            Self::CalendarBroken => "calendar-broken",
            Self::WrongPeriodStatus { .. } => "fiscal-period-status-conflict",
            Self::FiscalYearMissing => "fiscal-year-not-found",
            Self::FiscalYearPeriodsOpen(_) => "fiscal-year-periods-open",
            Self::FiscalYearOrder(_) => "fiscal-year-order",
            Self::WrongYearStatus { .. } => "fiscal-year-status-conflict",
            Self::EntryMissing => "journal-entry-not-found",
            Self::WrongEntryStatus { .. } => "journal-entry-status-conflict",
            Self::ReversalOfReversal => "reversal-of-reversal",
            Self::EntryOfDocument => "journal-entry-of-document",
            Self::StatementMissing => "bank-statement-not-found",
            Self::StatementExists => "bank-statement-exists",
            Self::StatementLineMatched(_) => "statement-line-matched",
            Self::StatementLineUnmatched(_) => "statement-line-unmatched",
            Self::LedgerLineMatched(_) => "ledger-line-matched",
            Self::ScheduleMissing => "schedule-not-found",
            Self::ScheduleEnded => "schedule-ended",
            Self::PaymentMissing => "payment-not-found",
            Self::WrongPaymentStatus { .. } => "payment-status-conflict",
            Self::WrongChequeStatus { .. } => "cheque-status-conflict",
            Self::ReturnMissing => "tax-return-not-found",
            Self::WrongReturnStatus { .. } => "tax-return-status-conflict",
            Self::ReturnUnchanged => "tax-return-unchanged",
            Self::ReturnOutdated => "tax-return-outdated",
        }
    }
}
