//! A sale of one who is not registered for VAT: no VAT is charged; who is enlisted owes turnover tax instead.

use niyam_sdk::{Effect, Line, LineTaxes, TaxItem};

use crate::amounts::{percentage, rounded};
use crate::config::Registration;
use crate::determine::Case;
use crate::line::{self, place};
use crate::tables;

/// The code of the tax.
pub(crate) const TURNOVER_TAX: &str = "turnover-tax";

/// s.63: turnover tax of the line at `index`, told and not charged.
pub(crate) fn taxes<'a>(case: &mut Case<'a>, index: usize, line: &'a Line) -> Option<LineTaxes> {
    let value = rounded(line::value(case, index, line)?, case.places);
    let enlisted = case.config.registration == Registration::Enlisted;
    let levy = tables::levy(TURNOVER_TAX, case.document.tax_date).filter(|_| enlisted);
    let mut taxes = Vec::new();
    if let Some(levy) = levy {
        let Some(amount) = percentage(value, levy.value, case.places) else {
            case.findings.push(line::out_of_range("the turnover tax").at(place(index, "unit_price")));
            return None;
        };
        taxes.push(TaxItem {
            code: TURNOVER_TAX.to_owned(),
            rate: Some(levy.value),
            base: value,
            amount,
            effect: Effect::Informative,
            recoverable: false,
            citation: case.cited.index(levy.citation),
        });
    }
    Some(LineTaxes { line_id: line.id.clone(), net: value, taxes, gross: value })
}
