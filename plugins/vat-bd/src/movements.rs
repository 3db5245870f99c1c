//! Goods that move without being supplied: between units of one registration, to a contract manufacturer, into and out of
//! production. They bear no tax, and have papers or stand in registers.

use niyam_sdk::{Finding, Line, LineTaxes};

use crate::amounts::rounded;
use crate::determine::Case;
use crate::line;
use crate::tables::{self, CENTRAL_REGISTRATION};

/// Between two units of one central registration (Mushak-6.5).
pub(crate) const TRANSFER: &str = "transfer";
/// To or from one who makes goods under contract (Mushak-6.4).
pub(crate) const CONTRACT: &str = "contract-manufacture";
/// Bought goods that are used.
pub(crate) const STOCK_ISSUE: &str = "stock-issue";
/// Goods that are made.
pub(crate) const PRODUCTION: &str = "production";

pub(crate) fn is_kind(kind: &str) -> bool {
    [TRANSFER, CONTRACT, STOCK_ISSUE, PRODUCTION].contains(&kind)
}

/// The line's value, and no tax.
pub(crate) fn taxes<'a>(case: &mut Case<'a>, index: usize, line: &'a Line) -> Option<LineTaxes> {
    if index == 0 && case.document.kind == TRANSFER {
        check_units(case);
    }
    let value = rounded(line::value(case, index, line)?, case.places);
    Some(LineTaxes { line_id: line.id.clone(), net: value, taxes: Vec::new(), gross: value })
}

/// Only between two different units of the configuration is it no supply.
fn check_units(case: &mut Case) {
    let named = ["from_unit", "to_unit"].map(|name| case.document.attributes.get(name).unwrap_or_default());
    for (name, code) in ["from_unit", "to_unit"].iter().zip(named) {
        if !case.config.units.iter().any(|unit| unit.code == code) {
            let message = format!("{name} is no unit of the central registration");
            let finding = Finding::error("unit-not-registered", message).at(format!("/attributes/{name}"));
            case.findings.push(finding.citing(tables::citation(CENTRAL_REGISTRATION)));
        }
    }
    if named[0] == named[1] {
        let finding = Finding::error("unit-not-registered", "a transfer is between two units")
            .at("/attributes/to_unit");
        case.findings.push(finding.citing(tables::citation(CENTRAL_REGISTRATION)));
    }
}
