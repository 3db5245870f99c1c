//! Amounts as whole numbers, so that the databases add them exactly.

use niyam_domain::Currency;
use niyam_domain::reports::Turnover;
use niyam_values::{Decimal, with_places};

use crate::projections::view::ApplyError;

/// Decimal places of a column's unit: no currency of ISO 4217 has more.
const PLACES: u32 = 4;
/// Where sums are split in two.
const SPLIT: i64 = 1_000_000_000;

/// `amount` in ten-thousandths.
pub(crate) fn units(amount: Decimal) -> Result<i64, ApplyError> {
    let out_of_range = || ApplyError::Unreadable(format!("an amount of {amount}, which no line can have"));
    let normal = amount.normalize();
    let power = PLACES.checked_sub(normal.scale()).ok_or_else(out_of_range)?;
    let units = normal.mantissa().checked_mul(10_i128.pow(power)).ok_or_else(out_of_range)?;
    i64::try_from(units).map_err(|_| out_of_range())
}

/// What so many ten-thousandths are, with at least the places of the currency.
pub(crate) fn amount(units: i128, currency: Currency) -> Decimal {
    let exact = Decimal::try_from_i128_with_scale(units, PLACES).unwrap_or(Decimal::MAX).normalize();
    with_places(exact, exact.scale().max(currency.minor_units().into()))
}

/// A sum's two parts.
pub(super) fn split(units: i64) -> (i64, i64) {
    (units / SPLIT, units % SPLIT)
}

/// The sums of debits and credits as the databases have them: high and low of each.
pub(super) fn turnover(sums: (i64, i64, i64, i64), currency: Currency) -> Turnover {
    let joined = |high: i64, low: i64| i128::from(high) * i128::from(SPLIT) + i128::from(low);
    Turnover {
        debit: amount(joined(sums.0, sums.1), currency),
        credit: amount(joined(sums.2, sums.3), currency),
    }
}

#[cfg(test)]
mod tests {
    use super::{Currency, Decimal, amount, split, turnover, units};

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn an_amount_is_kept_to_the_last_digit_or_refused() {
        let taka: Currency = "BDT".parse().unwrap();
        for (text, in_units) in [
            ("0.01", 100),
            ("999999999999.99", 9_999_999_999_999_900),
            ("-5", -50_000),
            ("1.50000000", 15_000),
        ] {
            assert_eq!(units(decimal(text)).unwrap(), in_units);
            assert_eq!(amount(in_units.into(), taka), decimal(text));
        }
        assert_eq!(amount(50_000, taka).to_string(), "5.00");
        assert_eq!(amount(50_001, taka).to_string(), "5.0001");
        assert!(units(decimal("0.00001")).is_err());
        assert!(units(Decimal::MAX).is_err());
    }

    #[test]
    fn sums_beyond_64_bits_are_exact() {
        let taka: Currency = "BDT".parse().unwrap();
        let (high, low) = split(units(decimal("999999999999.99")).unwrap());
        let lines = 2_000_000;
        let sum = turnover((high * lines, low * lines, 0, 0), taka);
        assert_eq!(sum.debit, decimal("1999999999999980000.00"));
    }
}
