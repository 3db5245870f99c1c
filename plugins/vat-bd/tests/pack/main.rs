//! The pack from outside: worked cases, every row of its table, refusals, papers, properties; natively, and in
//! `component` as it is shipped.

mod amounts;
mod build;
mod cases;
mod component;
mod credit;
mod deductions;
mod determination;
mod imports;
mod issuing;
mod months;
mod papers;
mod properties;
mod returns;
mod statements;
mod table;
mod words;

use niyam_sdk::{ComplianceModule, Context, Determination, Document, Finding};
use vat_bd::VatBd;

/// The default configuration.
pub(crate) const DEFAULT: &str = r#"{"rounding":{"places":2}}"#;

/// The pack called natively.
pub(crate) fn native(config: &str, document: &Document) -> Result<Determination, Vec<Finding>> {
    VatBd::determine(&Context::native(config), document)
}

/// The codes of a refusal, in order.
pub(crate) fn refusals(document: &Document) -> Vec<(String, String)> {
    let findings = native(DEFAULT, document).expect_err("the document is refused");
    let code_and_place = |finding: Finding| (finding.code, finding.pointer.unwrap_or_default());
    findings.into_iter().map(code_and_place).collect()
}
