//! Documents that tax nothing and state something for the return: a certificate of deduction, a deposit, an adjustment,
//! a tax paid late with its interest.

use niyam_sdk::{Date, Decimal, Effect, Finding, Line, LineTaxes, TaxItem};

use crate::amounts::{percentage, rounded};
use crate::config::PartMonth;
use crate::dates;
use crate::determine::Case;
use crate::line::{self, place};
use crate::tables::{self, RETURN_PAPER, Statement};

/// The kind of a document about tax paid late.
const LATE: &str = "late-payment";
/// The code of its interest.
pub(crate) const INTEREST: &str = "interest";
/// The supply code of a certificate that a customer gave.
pub(crate) const CERTIFICATE: &str = "vds-certificate";

pub(crate) fn is_kind(kind: &str) -> bool {
    matches!(kind, "withholding-certificate" | "treasury-deposit" | "adjustment" | LATE)
}

/// The line's amount as an informative tax of its code; for a late payment, the interest on top of it.
pub(crate) fn taxes<'a>(case: &mut Case<'a>, index: usize, line: &'a Line) -> Option<LineTaxes> {
    let amount = line::value(case, index, line);
    let row = statement(case, index, line);
    let (amount, row) = (rounded(amount?, case.places), row?);
    if row.kind == LATE {
        return interest(case, index, line, amount);
    }
    let item = TaxItem {
        code: row.code.to_owned(),
        rate: None,
        base: line.quantity,
        amount,
        effect: Effect::Informative,
        recoverable: row.code == CERTIFICATE,
        citation: case.cited.index(RETURN_PAPER),
    };
    Some(LineTaxes { line_id: line.id.clone(), net: amount, taxes: vec![item], gross: amount })
}

fn statement(case: &mut Case, index: usize, line: &Line) -> Option<&'static Statement> {
    let kind = &case.document.kind;
    let found = tables::statement(&line.supply_code).filter(|row| row.kind == kind);
    if found.is_none() {
        let known = tables::STATEMENTS.iter().filter(|row| row.kind == kind).map(|row| row.code);
        let message =
            format!("a document of this kind states one of: {}", known.collect::<Vec<_>>().join(", "));
        let finding = Finding::error("supply-code-unknown", message).at(place(index, "supply_code"));
        case.findings.push(finding.citing(tables::citation(RETURN_PAPER)));
    }
    found
}

/// Simple interest on the overdue amount, for the months between the line's attributes `due` and `paid`.
fn interest(case: &mut Case, index: usize, line: &Line, overdue: Decimal) -> Option<LineTaxes> {
    let mut day = |name: &str| {
        let found = line.attributes.get(name).and_then(dates::parse);
        if found.is_none() {
            let at = format!("/lines/{index}/attributes/{name}");
            let message = format!("interest needs the day {name}, as 2026-07-15");
            case.findings.push(Finding::error("date-invalid", message).at(at));
        }
        found
    };
    let (due, paid) = (day("due"), day("paid"));
    let (due, paid) = (due?, paid?);
    let (Some(rate), Some(most)) = (tables::levy(INTEREST, paid), tables::levy("interest-months", paid))
    else {
        let message = format!("the interest on {paid} is not known");
        case.findings.push(Finding::error("rate-not-known", message).at(place(index, "attributes/paid")));
        return None;
    };
    let most = u32::try_from(most.value).unwrap_or(0);
    let months = months(due, paid, case.config.interest.part_month).min(most);
    let percent = rate.value * Decimal::from(months);
    let Some(amount) = percentage(overdue, percent, case.places) else {
        case.findings.push(line::out_of_range("the interest").at(place(index, "unit_price")));
        return None;
    };
    let item = TaxItem {
        code: INTEREST.to_owned(),
        rate: Some(percent),
        base: overdue,
        amount,
        effect: Effect::Added,
        recoverable: false,
        citation: case.cited.index(rate.citation),
    };
    Some(LineTaxes { line_id: line.id.clone(), net: overdue, taxes: vec![item], gross: overdue + amount })
}

/// Months from `due` to `paid`; none when it was not late.
fn months(due: Date, paid: Date, part: PartMonth) -> u32 {
    if paid <= due {
        return 0;
    }
    let whole = dates::month(paid) - dates::month(due);
    // Due at the end of a month, a shorter month's end completes it.
    let complete = paid.day() >= due.day() || paid == paid.last_of_month();
    let exact = paid.day() == due.day() || complete && paid.day() < due.day();
    let months = match part {
        PartMonth::Whole if complete && !exact => whole + 1,
        PartMonth::Whole => whole,
        PartMonth::None if complete => whole,
        PartMonth::None => whole - 1,
    };
    u32::try_from(months).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::months;
    use crate::config::PartMonth;
    use niyam_sdk::Date;

    #[test]
    fn begun_months_count_unless_configured_otherwise() {
        let due = Date::constant(2026, 7, 15);
        for (paid, whole, none) in [
            ((2026, 7, 14), 0, 0),
            ((2026, 7, 15), 0, 0),
            ((2026, 7, 16), 1, 0),
            ((2026, 8, 14), 1, 0),
            ((2026, 8, 15), 1, 1),
            ((2026, 8, 16), 2, 1),
            ((2026, 10, 15), 3, 3),
            ((2027, 7, 16), 13, 12),
        ] {
            let paid = Date::constant(paid.0, paid.1, paid.2);
            assert_eq!(months(due, paid, PartMonth::Whole), whole, "{paid}");
            assert_eq!(months(due, paid, PartMonth::None), none, "{paid}");
        }
        let end = Date::constant(2027, 1, 31);
        assert_eq!(months(end, Date::constant(2027, 2, 28), PartMonth::Whole), 1);
        assert_eq!(months(end, Date::constant(2027, 2, 28), PartMonth::None), 1);
        assert_eq!(months(end, Date::constant(2027, 3, 1), PartMonth::None), 1);
        assert_eq!(months(end, Date::constant(2027, 3, 1), PartMonth::Whole), 2);
    }
}
