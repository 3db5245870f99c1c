//! The taxes of one line: supplementary duty, VAT, VAT deducted at source, in this order.

use niyam_sdk::{Decimal, Effect, Finding, Line, LineTaxes, PriceMode, TaxItem, round_half_up};

use crate::determine::Case;
use crate::rates;
use crate::tables::{self, Charge, INPUT_CREDIT, LAW_FROM, Rate, SUPPLEMENTARY_DUTY, UNITS, WITHHOLDING};

/// 10^20: amounts have at most 20 digits before the point.
const AMOUNT_BELOW: Decimal = Decimal::from_parts(0x6310_0000, 0x6bc7_5e2d, 5, false, 0);

/// The rate at which input tax may be set off (s.46), and below which it may not.
const STANDARD: Decimal = Decimal::from_parts(15, 0, 0, false, 0);

/// No duty comes near it; the bound keeps what is computed from it in range.
const PERCENT_MAX: Decimal = Decimal::from_parts(10_000, 0, 0, false, 0);
const PERCENT_SCALE_MAX: u32 = 6;

/// The taxes of the line at `index`; nothing when it is refused, and the findings say why.
pub(crate) fn taxes(case: &mut Case, index: usize, line: &Line) -> Option<LineTaxes> {
    let value = value(case, index, line);
    let rate = rate(case, index, line);
    let duty = rate.as_ref().map_or(Ok(None), |rate| duty(case, index, line, rate));
    let (Some(value), Some(rate), Ok(duty)) = (value, rate, duty) else {
        return None;
    };
    match Amounts::of(case, line, value, rate.charge, duty.as_ref().map(|duty| duty.rate)) {
        Some(amounts) if amounts.net.is_sign_negative() && !amounts.net.is_zero() => {
            let message = "the price holds less than the tax that is inside it";
            case.findings.push(
                Finding::error("price-below-tax", message)
                    .at(place(index, "unit_price"))
                    .citing(tables::citation(rate.citation)),
            );
            None
        }
        Some(amounts) => Some(items(case, line, rate, duty, &amounts)),
        None => {
            case.findings.push(out_of_range("the line's tax").at(place(index, "unit_price")));
            None
        }
    }
}

/// Whether `amount` has at most 20 digits before the point.
pub(crate) fn in_range(amount: Decimal) -> bool {
    amount.abs() < AMOUNT_BELOW
}

/// A finding that `what` has more than 20 digits before the point.
pub(crate) fn out_of_range(what: &str) -> Finding {
    Finding::error("amount-out-of-range", format!("{what} has more than 20 digits before the point"))
}

/// s.32: the value of a supply is its consideration; a discount given at the counter lowers it.
fn value(case: &mut Case, index: usize, line: &Line) -> Option<Decimal> {
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

fn rate(case: &mut Case, index: usize, line: &Line) -> Option<&'static Rate> {
    let day = case.document.tax_date;
    let found = rates::find(&line.supply_code, line.attributes.get("variant"), day);
    let rate = match found {
        Ok(rate) => rate,
        // Said once for the whole document already.
        Err(rates::Unknown::Day(_)) if day < LAW_FROM => return None,
        Err(unknown) => {
            case.findings.push(unknown.finding(&line.supply_code, day, &format!("/lines/{index}")));
            return None;
        }
    };
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
    Some(rate)
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
    let percent = text.parse::<Decimal>().ok().filter(is_percentage);
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

fn is_percentage(rate: &Decimal) -> bool {
    !rate.is_sign_negative() && *rate <= PERCENT_MAX && rate.scale() <= PERCENT_SCALE_MAX
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
    fn of(case: &Case, line: &Line, value: Decimal, charge: Charge, duty: Option<Decimal>) -> Option<Self> {
        let places = case.places;
        let percent = |base: Decimal, rate: Decimal| part(base, rate, Decimal::ONE_HUNDRED, places);
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

/// `amount · numerator / denominator` at `places`, half up as [`round_half_up`] does, in whole numbers: exact until the
/// one rounding, and no long division of decimals on the way. Nothing on negative input or when it does not fit.
fn part(amount: Decimal, numerator: Decimal, denominator: Decimal, places: u32) -> Option<Decimal> {
    let mut dividend = whole(amount)?.checked_mul(whole(numerator)?)?;
    let mut divisor = whole(denominator)?;
    let raise = |number: u128, by: u32| number.checked_mul(10_u128.checked_pow(by)?);
    let (up, down) = (places + denominator.scale(), amount.scale() + numerator.scale());
    if up >= down {
        dividend = raise(dividend, up - down)?;
    } else {
        divisor = raise(divisor, down - up)?;
    }
    let half = divisor / 2;
    let rounded = dividend.checked_add(half)?.checked_div(divisor)?;
    // An odd divisor has no exact half, so its halves rounded down change nothing.
    Decimal::try_from_i128_with_scale(i128::try_from(rounded).ok()?, places)
        .ok()
        .filter(|part| in_range(*part))
}

/// The digits of a decimal that is not negative.
fn whole(amount: Decimal) -> Option<u128> {
    u128::try_from(amount.mantissa()).ok()
}

/// [`round_half_up`], which has nothing to do for what stands at `places` already.
fn rounded(amount: Decimal, places: u32) -> Decimal {
    if amount.scale() == places { amount } else { round_half_up(amount, places) }
}

fn items(case: &mut Case, line: &Line, rate: &Rate, duty: Option<Duty>, amounts: &Amounts) -> LineTaxes {
    let mut taxes = Vec::with_capacity(3);
    if let Some(duty) = duty {
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
            code: "vat".to_owned(),
            rate: percent,
            base: if percent.is_some() { dutied } else { line.quantity },
            amount: amounts.vat,
            effect: Effect::Added,
            // s.46: not below the standard rate, not for an amount per unit; exports keep it.
            recoverable: rate.charge == Charge::Zero || percent == Some(STANDARD),
            citation: case.cited.index(rate.citation),
        });
    }
    if case.withholding && rate.withholding {
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

fn place(index: usize, field: &str) -> String {
    format!("/lines/{index}/{field}")
}

#[cfg(test)]
mod tests {
    use super::{part, round_half_up};
    use niyam_sdk::Decimal;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_whole_numbers_agree_with_decimals(
            amount in 0_i64..10_000_000_000_000,
            scale in 0_u32..3,
            rate in 0_i64..100_000,
            rate_scale in 0_u32..4,
            places in 0_u32..3,
        ) {
            let (amount, rate) = (Decimal::new(amount, scale), Decimal::new(rate, rate_scale));
            for denominator in [Decimal::ONE_HUNDRED, Decimal::ONE_HUNDRED + rate] {
                let expected = round_half_up(amount * rate / denominator, places);
                let found = part(amount, rate, denominator, places).expect("it fits");
                prop_assert_eq!(found.to_string(), expected.to_string());
            }
        }
    }
}
