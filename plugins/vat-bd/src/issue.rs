//! How an invoice is issued: its paper, its series, and what the law wants on it beforehand.

use niyam_sdk::{Date, Decimal, Determination, Direction, Document, Finding, IssuePlan, Party};

use crate::config::TAKA;
use crate::tables::{self, SUPPLIER_DETAILS, THRESHOLDS, Threshold};
use crate::{calendar, determine};

/// The paper of a sale.
pub(crate) const MUSHAK_63: &str = "mushak-6.3";

/// Numbers run by fiscal year, as printed invoices show (`1001/2024-2025`).
pub(crate) fn prepare(
    document: &Document,
    taxes: &Determination,
    issued_on: Date,
) -> Result<IssuePlan, Vec<Finding>> {
    check_offered(document)?;
    let mut findings = missing_details(&document.supplier, "/supplier", true, &|message| {
        Finding::error("supplier-incomplete", message).citing(tables::citation(SUPPLIER_DETAILS))
    });
    match buyer_threshold(document, taxes) {
        Ok(Some(threshold)) => findings.extend(missing_buyer(document, threshold)),
        Ok(None) => {}
        Err(refused) => findings.extend(refused),
    }
    if !findings.is_empty() {
        return Err(findings);
    }
    let year = calendar::year_of(issued_on);
    Ok(IssuePlan {
        form: MUSHAK_63.to_owned(),
        series: format!("{MUSHAK_63}/{year}"),
        number_pattern: format!("{{serial}}/{year}"),
        findings,
    })
}

/// Refuses what is no sale invoice.
pub(crate) fn check_offered(document: &Document) -> Result<(), Vec<Finding>> {
    if document.kind != "invoice" {
        let kind: String = document.kind.chars().take(32).collect();
        let message = format!("the pack has no paper for a {kind}; it has one for an invoice");
        return Err(vec![Finding::error("kind-not-offered", message).at("/kind")]);
    }
    if document.direction != Direction::Sale {
        let message = "the pack has a paper for a sale, not for a purchase";
        return Err(vec![Finding::error("kind-not-offered", message).at("/direction")]);
    }
    Ok(())
}

/// The threshold above which the document's value asks for the buyer's details, if it does.
pub(crate) fn buyer_threshold(
    document: &Document,
    taxes: &Determination,
) -> Result<Option<&'static Threshold>, Vec<Finding>> {
    let in_force = |row: &&Threshold| {
        row.key == "buyer-details"
            && row.first_day <= document.tax_date
            && row.last_day.is_none_or(|last| document.tax_date <= last)
    };
    let Some(threshold) = THRESHOLDS.iter().find(in_force) else {
        return Ok(None);
    };
    // A value that no longer fits is above any threshold.
    let value = taxes.net.checked_mul(determine::taka_rate(document)?).unwrap_or(Decimal::MAX);
    Ok((value > threshold.taka).then_some(threshold))
}

/// A buyer abroad has no BIN, so none is asked of it.
fn missing_buyer(document: &Document, threshold: &Threshold) -> Vec<Finding> {
    let registered = document.customer.country.eq_ignore_ascii_case("BD");
    missing_details(&document.customer, "/customer", registered, &|message| {
        let message = format!("{message}: the value without VAT is above {TAKA} {}", threshold.taka);
        Finding::error("buyer-incomplete", message).citing(tables::citation(threshold.citation))
    })
}

fn missing_details(
    party: &Party,
    pointer: &str,
    registered: bool,
    finding: &dyn Fn(String) -> Finding,
) -> Vec<Finding> {
    let who = pointer.trim_start_matches('/');
    let mut findings = Vec::new();
    if party.name.trim().is_empty() {
        findings.push(finding(format!("the {who}'s name is missing")).at(format!("{pointer}/name")));
    }
    if address(party).is_none() {
        findings.push(finding(format!("the {who}'s address is missing")).at(format!("{pointer}/address")));
    }
    if registered && party.identifier("bin").is_none() {
        findings.push(finding(format!("the {who}'s BIN is missing")).at(format!("{pointer}/identifiers")));
    }
    findings
}

/// The party's address, when it is not blank.
pub(crate) fn address(party: &Party) -> Option<&str> {
    party.address.as_deref().map(str::trim).filter(|address| !address.is_empty())
}
