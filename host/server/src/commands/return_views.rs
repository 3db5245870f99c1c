//! What commands on tax returns answer.

use jiff::civil::Date;
use niyam_domain::{FiledReturn, Position, TaxReturn, Version};
use niyam_values::{Decimal, RegisterEntry};
use serde::Serialize;
use utoipa::ToSchema;

/// The returns of one paper and one period.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReturnView {
    #[schema(example = "mushak-9.1")]
    code: String,
    #[schema(example = "FY2026-2027-P01")]
    period: String,
    #[schema(value_type = String, format = Date)]
    starts: Date,
    #[schema(value_type = String, format = Date)]
    ends: Date,
    #[schema(value_type = u64)]
    version: Version,
    /// `prepared`, `reviewed` or `filed`.
    status: &'static str,
    /// 1, and from 2 on a correction of the one before.
    sequence: u32,
    /// How many documents count for it.
    documents: u64,
    /// The history that it was drawn from ends at this position.
    #[schema(value_type = u64)]
    known_at: Position,
    opening: Vec<OpeningView>,
    /// The day on which it is filed, as it says itself.
    #[schema(value_type = String, format = Date)]
    filed_on: Date,
    /// SHA-256 of what it says, hex.
    hash: String,
    /// Id of the module that drew it.
    module: String,
    /// SHA-256 of the component, hex.
    module_digest: String,
    /// Those that were filed, in order.
    filed: Vec<FiledView>,
}

/// A balance brought into the period.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OpeningView {
    code: String,
    amount: String,
}

/// A return that was filed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FiledView {
    #[schema(example = "mushak-9.1/FY2026-2027-P01/1")]
    number: String,
    /// SHA-256 of what was filed, hex.
    hash: String,
    #[schema(value_type = String, format = Date)]
    filed_on: Date,
    sequence: u32,
    documents: u64,
}

impl ReturnView {
    pub(crate) fn new(state: &TaxReturn, version: Version) -> Self {
        let prepared = &state.prepared;
        Self {
            code: prepared.code.clone(),
            period: prepared.period.code.clone(),
            starts: prepared.period.starts,
            ends: prepared.period.ends,
            version,
            status: state.status.as_str(),
            sequence: prepared.sequence,
            documents: prepared.documents,
            known_at: prepared.known_at,
            opening: prepared
                .opening
                .iter()
                .map(|balance| OpeningView { code: balance.code.clone(), amount: balance.amount.to_string() })
                .collect(),
            filed_on: prepared.filing.facts.issued_on,
            hash: state.hash().to_owned(),
            module: prepared.decision.module.id.clone(),
            module_digest: prepared.decision.module.digest.clone(),
            filed: state.filed.iter().map(FiledView::from).collect(),
        }
    }
}

impl From<&FiledReturn> for FiledView {
    fn from(FiledReturn { prepared, filed }: &FiledReturn) -> Self {
        Self {
            number: filed.number.clone(),
            hash: filed.hash.clone(),
            filed_on: filed.filed_on,
            sequence: prepared.sequence,
            documents: prepared.documents,
        }
    }
}

/// What a document adds to a figure.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ContributionView {
    /// Of the invoice.
    id: String,
    number: String,
    #[schema(value_type = String, format = Date)]
    tax_date: Date,
    /// In the return's currency.
    amount: String,
}

impl ContributionView {
    pub(crate) fn new(id: &str, entry: &RegisterEntry, amount: Decimal) -> Self {
        Self {
            id: id.to_owned(),
            number: entry.facts.number.clone(),
            tax_date: entry.document.tax_date,
            amount: amount.to_string(),
        }
    }
}
