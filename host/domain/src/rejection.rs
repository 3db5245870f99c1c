//! Why a command was refused: something that the user can act on.

use niyam_values::Finding;

use crate::invoice::InvoiceStatus;

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
            Self::DataSubjectMissing => "data-subject-not-found",
            Self::TenantExists => "tenant-exists",
            Self::NoActivePack => "no-active-pack",
            Self::ActivationMissing => "activation-not-found",
            Self::ActivationWithdrawn => "activation-withdrawn",
            Self::LastPack => "activation-needed",
        }
    }
}
