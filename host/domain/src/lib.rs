//! The pure heart of Niyam: ids, money, aggregates with `decide` and `evolve`.
//!
//! No I/O, no clock, no randomness, no async: what a decision needs is an argument. Next step of the flow: the events
//! that a decision returns are appended by `niyam-store`.

mod activation;
mod aggregate;
mod data_subject;
mod decision;
mod document;
mod event;
mod examples;
mod ids;
mod invoice;
mod money;
mod number_series;
pub mod personal;
mod rejection;
mod tenant;
mod upcast;

pub use activation::{
    ActivateModule, Activated, Activation, ActivationState, ActivationWithdrawn, Activations,
    ChangeModulePolicy, ModuleActivated, ModulePolicy, ModulePolicyChanged, OnFailure, WithdrawActivation,
    Withdrawal, World,
};
pub use aggregate::{Aggregate, STATE_SCHEMA};
pub use data_subject::{DataSubjectErased, DataSubjectEvent, SubjectKeyId};
pub use decision::{Assessment, Decision, ModuleRef};
pub use document::{DOCUMENT_RULES, LINES_MAX, check_document};
pub use event::{DomainEvent, EventKind, UnreadableEvent};
pub use examples::EXAMPLES;
pub use ids::{InvalidId, InvoiceId, Position, StreamId, TenantId, Version};
pub use invoice::{
    ApproveInvoice, CancelInvoice, DraftInvoice, Invoice, InvoiceApproved, InvoiceCancelled, InvoiceCommand,
    InvoiceDrafted, InvoiceEvent, InvoiceIssued, InvoiceRevised, InvoiceStatus, IssueInvoice, Numbered,
    PreparedIssue, ReviseInvoice,
};
pub use money::{Currency, Money, MoneyError};
pub use number_series::{NumberDrawn, NumberSeriesEvent, series_stream};
pub use personal::Personal;
pub use rejection::Rejection;
pub use tenant::{
    ChangeProfile, CreateTenant, Profile, ProfileChanged, Tenant, TenantCommand, TenantCreated, TenantEvent,
};
