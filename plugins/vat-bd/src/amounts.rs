//! Amounts and percentages as text, and their rounding in whole numbers.

use niyam_sdk::{Decimal, round_half_up};

/// 10^20: amounts have at most 20 digits before the point.
const AMOUNT_BELOW: Decimal = Decimal::from_parts(0x6310_0000, 0x6bc7_5e2d, 5, false, 0);

/// No duty comes near it; the bound keeps what is computed from it in range.
const PERCENT_MAX: Decimal = Decimal::from_parts(10_000, 0, 0, false, 0);
const PERCENT_SCALE_MAX: u32 = 6;

/// Whether `amount` has at most 20 digits before the point.
pub(crate) fn in_range(amount: Decimal) -> bool {
    amount.abs() < AMOUNT_BELOW
}

/// A number in plain digits.
fn number(text: &str) -> Option<Decimal> {
    let text = text.trim();
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if plain { text.parse().ok() } else { None }
}

/// An amount that is not negative.
pub(crate) fn taka(text: &str) -> Option<Decimal> {
    number(text).filter(|amount| !amount.is_sign_negative() && in_range(*amount))
}

/// A percentage from 0 to 10000 with at most 6 decimals.
pub(crate) fn percent(text: &str) -> Option<Decimal> {
    let fits = |rate: &Decimal| {
        !rate.is_sign_negative() && *rate <= PERCENT_MAX && rate.scale() <= PERCENT_SCALE_MAX
    };
    number(text).filter(fits)
}

/// `amount · numerator / denominator` at `places`, half up as [`round_half_up`] does, in whole numbers: exact until the
/// one rounding, and no long division of decimals on the way. Nothing on negative input or when it does not fit.
pub(crate) fn part(
    amount: Decimal,
    numerator: Decimal,
    denominator: Decimal,
    places: u32,
) -> Option<Decimal> {
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

/// `rate` percent of `base` at `places`.
pub(crate) fn percentage(base: Decimal, rate: Decimal, places: u32) -> Option<Decimal> {
    part(base, rate, Decimal::ONE_HUNDRED, places)
}

/// The digits of a decimal that is not negative.
fn whole(amount: Decimal) -> Option<u128> {
    u128::try_from(amount.mantissa()).ok()
}

/// [`round_half_up`], which has nothing to do for what stands at `places` already.
pub(crate) fn rounded(amount: Decimal, places: u32) -> Decimal {
    if amount.scale() == places { amount } else { round_half_up(amount, places) }
}

#[cfg(test)]
mod tests {
    use super::{part, percent, round_half_up, taka};
    use niyam_sdk::Decimal;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_amount_or_percentage_is_none() {
        for text in ["-1", "", "1e3", "x", "100000000000000000000"] {
            assert_eq!(taka(text), None, "{text}");
        }
        for text in ["-1", "", "10000.1", "0.1234567"] {
            assert_eq!(percent(text), None, "{text}");
        }
        assert_eq!(percent(" 10000 "), Some(Decimal::from(10_000)));
    }

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
