//! The pure heart of Niyam: ids, money, aggregates with `decide` and `evolve`.
//!
//! No I/O, no clock, no randomness, no async: what a decision needs is an argument. Next step of the flow: the events
//! that a decision returns are appended by `niyam-store`.

mod accounts;
mod activation;
mod aggregate;
mod bank;
mod closing;
mod data_subject;
mod decision;
mod document;
mod event;
mod examples;
mod ids;
mod invoice;
mod journal;
mod money;
mod number_series;
mod payment;
mod periods;
pub mod personal;
mod posting;
mod rejection;
pub mod reports;
mod rules;
mod schedule;
mod supplier_number;
mod tax_return;
mod tenant;
mod upcast;

pub use accounts::{
    ACCOUNTS_MAX, Account, AccountAdded, AccountClass, AccountCode, AccountDeactivated, AccountKind,
    AccountMoved, AccountReactivated, AccountRenamed, AccountRole, AddAccount, AssignRole, Chart,
    ChartCommand, ChartCreated, ChartEvent, CreateChart, DeactivateAccount, InvalidAccount, MoveAccount,
    NewAccount, ReactivateAccount, RenameAccount, RoleAssigned, accounts_of_template,
};
pub use activation::{
    ActivateModule, Activated, Activation, ActivationState, ActivationWithdrawn, Activations,
    ChangeModulePolicy, ModuleActivated, ModulePolicy, ModulePolicyChanged, OnFailure, WithdrawActivation,
    Withdrawal, World,
};
pub use aggregate::{Aggregate, STATE_SCHEMA};
pub use bank::{
    BANK_RULES, BankStatement, Candidate, ClaimEvent, ClaimReleased, ClaimTaken, Difference, LedgerClaim,
    LedgerLineRef, LineMatched, MatchUndone, NewStatement, NewStatementLine, Proposal, Reason,
    STATEMENT_LINES_MAX, StatementEvent, StatementFormat, StatementImported, StatementLine, Wanted, propose,
};
pub use closing::{ClosingSums, retained_earnings};
pub use data_subject::{DataSubjectErased, DataSubjectEvent, SubjectKeyId};
pub use decision::{Assessment, Decision, ModuleRef};
pub use document::{DOCUMENT_RULES, DUE_DATE, LINES_MAX, check_attributes, check_document, due_date};
pub use event::{DomainEvent, EventKind, UnreadableEvent};
pub use examples::EXAMPLES;
pub use ids::{
    EntryId, InvalidId, InvoiceId, PaymentId, Position, ScheduleId, StatementId, StreamId, TenantId, Version,
};
pub use invoice::{
    ApproveInvoice, CancelInvoice, DraftInvoice, Invoice, InvoiceApproved, InvoiceCancelled, InvoiceCommand,
    InvoiceCredited, InvoiceDebited, InvoiceDrafted, InvoiceEvent, InvoiceIssued, InvoiceRecorded,
    InvoiceRevised, InvoiceSettled, InvoiceStatus, InvoiceWrittenOff, Issue, IssueInvoice, IssueNote,
    LineShare, NoteDraft, NoteIssued, NoteKind, NoteOf, NotePlan, Numbered, Planned, PreparedIssue,
    PreparedNote, RecordInvoice, ReverseSettlement, ReviseInvoice, SettleInvoice, SettlementReversed, Share,
    TaxShare, WantedLine, WantedNote, WriteOffInvoice, initial_outstanding,
};
pub use journal::{
    Books, DraftEntry, Entry, EntryDrafted, EntryEvent, EntryPosted, EntryReversed, EntryRevised,
    EntrySource, EntryStatus, JournalCommand, JournalEntry, JournalLine, LINES_OF_ENTRY_MAX, Lines, NewEntry,
    NewLine, PostEntry, Reversal, ReverseEntry, ReviseEntry, Side, SourceKind, Unbalanced,
};
pub use money::{Currency, Money, MoneyError};
pub use number_series::{NumberDrawn, NumberSeriesEvent, series_stream};
pub use payment::{
    ALLOCATIONS_MAX, AdvanceAllocated, AdvanceRefunded, AllocateAdvance, Allocation, Certificate,
    CertificateEvent, CertificateReleased, CertificateUsed, ChequeBounced, ChequeCleared, ChequeDeposited,
    ChequeStatus, Due, NewAllocation, NewPayment, NewWithholding, OpenSide, Payment, PaymentCompleted,
    PaymentCreated, PaymentDirection, PaymentEvent, PaymentFailed, PaymentMethod, PaymentRefunded,
    PaymentReversed, PaymentStatus, PaymentTerms, RefundAdvance, Step, TakeBack, TakingBack, TaxCertificate,
    Undone, Withholding, certificate_stream,
};
pub use periods::{
    Authority, FiscalYear, FiscalYearOpened, PERIODS_OF_YEAR_MAX, Period, PeriodClosed, PeriodCommand,
    PeriodEvent, PeriodReopened, PeriodSoftClosed, PeriodStatus, Periods, YearCloseBegun, YearClosed,
    YearReopenBegun, YearReopened, YearStatus,
};
pub use personal::Personal;
pub use posting::{LINE_ACCOUNT, post_document, post_note, post_write_off};
pub use rejection::Rejection;
pub use rules::BOOKS_RULES;
pub use schedule::{
    Depreciation, Every, Method, Occurrence, OccurrencePosted, OccurrenceReversed, Plan, PostedOccurrence,
    Recurring, SCHEDULE_RULES, Schedule, ScheduleCommand, ScheduleCreated, ScheduleEnded, ScheduleEvent,
    ScheduleRevised, ScheduleTerms, What,
};
pub use supplier_number::{SupplierNumberEvent, SupplierNumberTaken, supplier_number_stream};
pub use tax_return::{
    FiledReturn, OPENING_BALANCES_MAX, PrepareReturn, ReturnCommand, ReturnEvent, ReturnFiled,
    ReturnPrepared, ReturnReviewed, ReturnStatus, TaxReturn, return_stream,
};
pub use tenant::{
    ChangeProfile, CreateTenant, Profile, ProfileChanged, Tenant, TenantCommand, TenantCreated, TenantEvent,
};
