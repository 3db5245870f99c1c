//! JSON shapes of payments.

use niyam_domain::{
    Allocation, EntryId, InvoiceId, Payment, PaymentDirection, PaymentId, PaymentMethod, Version, Withholding,
};
use niyam_values::{Attributes, Date, Decimal};
use serde::Serialize;
use utoipa::ToSchema;

use crate::commands::policy::PolicyDecision;
use crate::commands::policy_views::{PolicyFindingView, policy_findings};
use crate::commands::views::PartyView;

/// So much of a payment settles an invoice.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AllocationView {
    #[schema(value_type = String)]
    invoice: InvoiceId,
    #[schema(value_type = String, example = "1150.00")]
    amount: Decimal,
}

impl From<&Allocation> for AllocationView {
    fn from(allocation: &Allocation) -> Self {
        Self { invoice: allocation.invoice_id, amount: allocation.amount }
    }
}

/// Tax that the payer kept back for the treasury.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WithholdingView {
    #[schema(example = "vds")]
    tax: String,
    #[schema(value_type = String)]
    amount: Decimal,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    certificate_date: Option<Date>,
}

impl From<&Withholding> for WithholdingView {
    fn from(held: &Withholding) -> Self {
        let certificate = held.certificate.as_ref();
        Self {
            tax: held.tax.clone(),
            amount: held.amount,
            certificate_number: certificate.map(|certificate| certificate.number.clone()),
            certificate_date: certificate.map(|certificate| certificate.date),
        }
    }
}

/// A payment.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PaymentView {
    #[schema(value_type = String)]
    id: PaymentId,
    #[schema(value_type = u64)]
    version: Version,
    /// `pending`, `completed`, `failed`, `reversed`, `bounced` or `refunded`.
    status: &'static str,
    /// `receipt` or `disbursement`.
    #[schema(value_type = String)]
    direction: PaymentDirection,
    /// `cash`, `bank-transfer`, `cheque`, `withholding`, or `wallet:` and its name.
    #[schema(value_type = String, example = "wallet:bkash")]
    method: PaymentMethod,
    /// The role of the account that the money goes through.
    #[serde(skip_serializing_if = "Option::is_none")]
    account_role: Option<String>,
    #[schema(value_type = String, format = Date)]
    date: Date,
    /// The day for which it counts, once completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    completed_on: Option<Date>,
    #[schema(example = "BDT")]
    currency: &'static str,
    /// What the payer gave.
    #[schema(value_type = String)]
    amount: Decimal,
    /// What the bank or the wallet kept of it, or took besides.
    #[schema(value_type = String)]
    charges: Decimal,
    party: PartyView,
    /// How the money moved.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    details: Attributes,
    /// What it says that it settles.
    allocations: Vec<AllocationView>,
    withheld: Vec<WithholdingView>,
    /// What it pays before there is an invoice.
    #[schema(value_type = String)]
    advance: Decimal,
    /// What it settles now, advances that were allocated later included.
    settles: Vec<AllocationView>,
    /// What is left of the advance now.
    #[schema(value_type = String)]
    advance_left: Decimal,
    /// What of the advance was given back.
    #[schema(value_type = String)]
    given_back: Decimal,
    /// `received`, `issued`, `deposited`, `cleared` or `bounced`.
    #[serde(skip_serializing_if = "Option::is_none")]
    cheque: Option<&'static str>,
    /// Its journal entries.
    #[schema(value_type = Vec<String>)]
    entries: Vec<EntryId>,
    /// Why it failed or was taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// What the tenant's policies found; in the answer of the command that they let pass.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    policy_findings: Vec<PolicyFindingView>,
}

impl PaymentView {
    /// With what the policies found.
    pub(crate) fn with_policies(self, policies: &[PolicyDecision]) -> Self {
        Self { policy_findings: policy_findings(policies), ..self }
    }

    pub(crate) fn new(payment: &Payment, version: Version) -> Self {
        let terms = &payment.terms;
        Self {
            id: payment.id,
            version,
            status: payment.status.as_str(),
            direction: terms.direction,
            method: terms.method.clone(),
            account_role: terms.held_in.as_ref().map(ToString::to_string),
            date: terms.date,
            completed_on: payment.completed_on,
            currency: terms.currency.code(),
            amount: terms.amount,
            charges: terms.charges,
            party: (&terms.party).into(),
            details: terms.details.clone(),
            allocations: terms.allocations.iter().map(AllocationView::from).collect(),
            withheld: terms.withheld.iter().map(WithholdingView::from).collect(),
            advance: terms.advance,
            settles: payment.settled.iter().map(AllocationView::from).collect(),
            advance_left: payment.advance,
            given_back: payment.given_back,
            cheque: payment.cheque.map(niyam_domain::ChequeStatus::as_str),
            entries: payment.entries.clone(),
            reason: payment.reason.clone(),
            policy_findings: Vec::new(),
        }
    }
}
