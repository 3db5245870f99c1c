//! The taxes of one line: supplementary duty, VAT, VAT deducted at source, in this order.

use niyam_sdk::{Decimal, Effect, Finding, Line, LineTaxes, PriceMode, TaxItem, round_half_up};

use crate::amounts::{self, in_range, part, percentage, rounded};
use crate::determine::Case;
use crate::tables::{self, Charge, INPUT_CREDIT, LAW_FROM, Rate, SUPPLEMENTARY_DUTY, UNITS, WITHHOLDING};
use crate::{rates, withholding};

/// The code of a service from abroad.
const IMPORTED_SERVICES: &str = "imported-services";

/// The code of the tax for which the recipient accounts.
pub(crate) const REVERSED: &str = "vat-reverse-charge";

/// The rate at which input tax may be set off (s.46), and below which it may not.
pub(crate) const STANDARD: Decimal = Decimal::from_parts(15, 0, 0, false, 0);

/// The taxes of the line at `index`; nothing when it is refused, and the findings say why.
pub(crate) fn taxes<'a>(case: &mut Case<'a>, index: usize, line: &'a Line) -> Option<LineTaxes> {
    let value = value(case, index, line);
    let supply = supply(case, index, line);
    let duty = supply.as_ref().map_or(Ok(None), |supply| duty(case, index, line, supply.rate));
    let deduction = if case.income_tax { withholding::income_tax(case, index, line) } else { Ok(None) };
    let (Some(value), Some(supply), Ok(duty), Ok(mut deduction)) = (value, supply, duty, deduction) else {
        return None;
    };
    let rate = supply.rate;
    let value = match &mut deduction {
        Some(deduction) => deduction.grossed_up(case, index, value, rate.charge, duty.is_some())?,
        None => value,
    };
    match Amounts::of(case, line, value, &supply, duty.as_ref().map(|duty| duty.rate)) {
        Some(amounts) if amounts.net.is_sign_negative() && !amounts.net.is_zero() => {
            let message = "the price holds less than the tax that is inside it";
            case.findings.push(
                Finding::error("price-below-tax", message)
                    .at(place(index, "unit_price"))
                    .citing(tables::citation(rate.citation)),
            );
            None
        }
        Some(amounts) => {
            let mut taxed = items(case, index, line, &supply, duty, &amounts);
            if let Some(deduction) = deduction {
                deduction.add(case, index, line, &mut taxed)?;
            }
            Some(taxed)
        }
        None => {
            case.findings.push(out_of_range("the line's tax").at(place(index, "unit_price")));
            None
        }
    }
}

/// A finding that `what` has more than 20 digits before the point.
pub(crate) fn out_of_range(what: &str) -> Finding {
    Finding::error("amount-out-of-range", format!("{what} has more than 20 digits before the point"))
}

/// s.32: the value of a supply is its consideration; a discount given at the counter lowers it.
pub(crate) fn value(case: &mut Case, index: usize, line: &Line) -> Option<Decimal> {
    let before = case.findings.len();
    let mut refuse = |code, message: &str, field| {
        case.findings.push(Finding::error(code, message).at(place(index, field)));
    };
    if line.quantity <= Decimal::ZERO {
        refuse("quantity-not-positive", "a quantity is above zero", "quantity");
    }
    if line.unit_price < Decimal::ZERO {
        refuse("negative-amount", "a price is not negative", "unit_price");
    }
    if line.discount < Decimal::ZERO {
        refuse("negative-amount", "a discount is not negative", "discount");
    }
    if case.findings.len() > before {
        return None;
    }
    let product = line.quantity.checked_mul(line.unit_price).filter(|product| in_range(*product));
    let Some(value) = product.and_then(|product| product.checked_sub(line.discount)) else {
        case.findings.push(out_of_range("quantity times price").at(place(index, "unit_price")));
        return None;
    };
    if value < Decimal::ZERO {
        let message = "the discount is more than quantity times price";
        case.findings.push(Finding::error("discount-exceeds-amount", message).at(place(index, "discount")));
        return None;
    }
    Some(value)
}

/// The row that a line's supply is taxed by.
struct Supply<'a> {
    rate: &'a Rate,
    /// What the tenant's own rate rests on, where it stands in for the row's.
    basis: Option<&'a str>,
    /// s.20: the recipient accounts for the VAT, which is no part of what it pays to the supplier.
    reversed: bool,
}

fn supply<'a>(case: &mut Case<'a>, index: usize, line: &'a Line) -> Option<Supply<'a>> {
    let (day, config) = (case.document.tax_date, case.config);
    let named = line.attributes.get("variant");
    let (code, variant) = match config.is_mapped().then(|| config.supply(&line.supply_code)).flatten() {
        Some(own) => (own.code.as_str(), named.or(own.variant.as_deref())),
        None => (line.supply_code.as_str(), named),
    };
    let found = rates::find(code, variant, day);
    let row = match found {
        Ok(rate) => rate,
        // Said once for the whole document already.
        Err(rates::Unknown::Day(_)) if day < LAW_FROM => return None,
        Err(unknown) => {
            case.findings.push(unknown.finding(code, day, &format!("/lines/{index}")));
            return None;
        }
    };
    let own = config.is_mapped().then(|| config.overridden(row.code, row.variant, day)).flatten();
    let (rate, basis) = own.map_or((row, None), |own| (&own.rate, Some(own.basis.as_str())));
    check(case, index, line, rate)?;
    Some(Supply { rate, basis, reversed: case.purchase && rate.code == IMPORTED_SERVICES })
}

/// Warns of what is assumed of the row, and refuses a unit that is not its own.
fn check(case: &mut Case, index: usize, line: &Line, rate: &Rate) -> Option<()> {
    let day = case.document.tax_date;
    if let Some(verified) = rate.verified_from.filter(|verified| day < *verified) {
        let code = rate.code;
        let message =
            format!("the rate of {code} is read for {verified} and later; that it held on {day} is assumed");
        case.findings.push(
            Finding::warning("rate-start-unverified", message)
                .at(place(index, "supply_code"))
                .citing(tables::citation(rate.citation)),
        );
    }
    match rate.charge {
        Charge::Exempt => {
            let message = "an exempt supply bears no VAT, and the input tax spent on it is lost";
            case.findings.push(
                Finding::info("input-credit-lost", message)
                    .at(place(index, "supply_code"))
                    .citing(tables::citation(INPUT_CREDIT)),
            );
        }
        Charge::Specific { unit, .. } if !UNITS[usize::from(unit)].is(&line.unit) => {
            let message = format!("{} is taxed by the {}", rate.code, UNITS[usize::from(unit)].name);
            case.findings.push(
                Finding::error("unit-mismatch", message)
                    .at(place(index, "unit"))
                    .citing(tables::citation(rate.citation)),
            );
            return None;
        }
        _ => {}
    }
    Some(())
}

struct Duty<'a> {
    rate: Decimal,
    basis: &'a str,
}

/// s.57: supplementary duty, by the rate and the basis that the line names; never on a zero-rated supply.
fn duty<'a>(case: &mut Case, index: usize, line: &'a Line, rate: &Rate) -> Result<Option<Duty<'a>>, ()> {
    let Some(text) = line.attributes.get("sd_rate").map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let about = |finding: Finding, attribute: &str| {
        let pointer = format!("/lines/{index}/attributes/{attribute}");
        finding.at(pointer).citing(tables::citation(SUPPLEMENTARY_DUTY))
    };
    let percent = amounts::percent(text);
    let Some(percent) = percent else {
        let message =
            "the rate of supplementary duty is a percentage from 0 to 10000, with at most 6 decimals";
        case.findings.push(about(Finding::error("sd-rate-invalid", message), "sd_rate"));
        return Err(());
    };
    if percent.is_zero() {
        return Ok(None);
    }
    if rate.charge == Charge::Zero {
        let message = "supplementary duty is not charged on an export";
        case.findings.push(about(Finding::info("sd-not-charged", message), "sd_rate"));
        return Ok(None);
    }
    let Some(basis) = line.attributes.get("sd_basis").map(str::trim).filter(|basis| !basis.is_empty()) else {
        let message = "supplementary duty needs the entry of the schedule that it rests on";
        case.findings.push(about(Finding::error("sd-basis-missing", message), "sd_basis"));
        return Err(());
    };
    Ok(Some(Duty { rate: percent, basis }))
}

struct Amounts {
    net: Decimal,
    duty: Decimal,
    vat: Decimal,
    gross: Decimal,
}

impl Amounts {
    /// Nothing when an amount is out of range.
    ///
    /// s.57 and s.32: duty on the value, VAT on value and duty. Inside a price P, VAT is the tax fraction
    /// P·r/(100+r), and duty (P−VAT)·s/(100+s).
    fn of(case: &Case, line: &Line, value: Decimal, supply: &Supply, duty: Option<Decimal>) -> Option<Self> {
        let (places, charge) = (case.places, supply.rate.charge);
        let percent = |base: Decimal, rate: Decimal| percentage(base, rate, places);
        let fraction = |price: Decimal, rate: Decimal| {
            part(price, rate, Decimal::ONE_HUNDRED.checked_add(rate)?, places)
        };
        let value = rounded(value, places);
        let specific = match charge {
            Charge::Specific { taka, .. } => {
                let amount = line.quantity.checked_mul(taka)?.checked_div(case.taka_rate)?;
                Some(round_half_up(amount, places)).filter(|amount| in_range(*amount))
            }
            _ => Some(round_half_up(Decimal::ZERO, places)),
        }?;
        let amounts = match case.document.price_mode {
            // What is reversed is in no price.
            _ if supply.reversed => {
                let vat = match charge {
                    Charge::Percent(rate) => percent(value, rate)?,
                    _ => specific,
                };
                Self { net: value, duty: Decimal::ZERO, vat, gross: value }
            }
            PriceMode::Exclusive => {
                let duty = duty.map_or(Some(Decimal::ZERO), |rate| percent(value, rate))?;
                let vat = match charge {
                    Charge::Percent(rate) => percent(value.checked_add(duty)?, rate)?,
                    _ => specific,
                };
                let gross = value.checked_add(duty)?.checked_add(vat)?;
                Self { net: value, duty, vat, gross }
            }
            PriceMode::Inclusive => {
                let vat = match charge {
                    Charge::Percent(rate) => fraction(value, rate)?,
                    _ => specific,
                };
                let untaxed = value.checked_sub(vat)?;
                // Below zero the line is refused anyway, by its net.
                let duty = duty.filter(|_| !untaxed.is_sign_negative());
                let duty = duty.map_or(Some(Decimal::ZERO), |rate| fraction(untaxed, rate))?;
                Self { net: untaxed.checked_sub(duty)?, duty, vat, gross: value }
            }
        };
        in_range(amounts.gross).then_some(amounts)
    }
}

fn items(
    case: &mut Case,
    index: usize,
    line: &Line,
    supply: &Supply,
    duty: Option<Duty>,
    amounts: &Amounts,
) -> LineTaxes {
    let rate = supply.rate;
    let mut taxes = Vec::with_capacity(3);
    if let Some(duty) = duty.filter(|_| !supply.reversed) {
        taxes.push(TaxItem {
            code: "sd".to_owned(),
            rate: Some(duty.rate),
            base: amounts.net,
            amount: amounts.duty,
            effect: Effect::Added,
            // s.46: never.
            recoverable: false,
            citation: case.cited.article(SUPPLEMENTARY_DUTY, duty.basis),
        });
    }
    let dutied = amounts.net + amounts.duty;
    let percent = match rate.charge {
        Charge::Percent(percent) => Some(percent),
        Charge::Zero => Some(Decimal::ZERO),
        Charge::Exempt | Charge::Specific { .. } => None,
    };
    if rate.charge != Charge::Exempt {
        taxes.push(TaxItem {
            code: if supply.reversed { REVERSED } else { "vat" }.to_owned(),
            rate: percent,
            base: if percent.is_some() { dutied } else { line.quantity },
            amount: amounts.vat,
            effect: if supply.reversed { Effect::Informative } else { Effect::Added },
            // s.46: not below the standard rate, not for an amount per unit; exports keep it.
            recoverable: rate.charge == Charge::Zero || percent == Some(STANDARD),
            citation: match supply.basis {
                Some(basis) => case.cited.article(rate.citation, basis),
                None => case.cited.index(rate.citation),
            },
        });
    }
    let deducted = case.withholding && rate.withholding && rate.charge != Charge::Exempt;
    if deducted && !withholding::excluded(case, index, line, rate) {
        taxes.push(TaxItem {
            code: "vds".to_owned(),
            rate: percent,
            base: dutied,
            amount: amounts.vat,
            effect: Effect::Withheld,
            // The supplier sets it off in its return.
            recoverable: true,
            citation: case.cited.index(WITHHOLDING),
        });
    }
    LineTaxes { line_id: line.id.clone(), net: amounts.net, taxes, gross: amounts.gross }
}

pub(crate) fn place(index: usize, field: &str) -> String {
    format!("/lines/{index}/{field}")
}
