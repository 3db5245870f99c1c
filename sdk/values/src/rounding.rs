//! Rounding, by name.

use rust_decimal::{Decimal, RoundingStrategy};

/// Rounds half away from zero to `places` decimals and shows all of them: 21.735 becomes 21.74, 5 becomes 5.00.
///
/// No statute of Bangladesh prescribes a rounding; two places, half up, is the practice that its invoices show.
#[must_use]
pub fn round_half_up(amount: Decimal, places: u32) -> Decimal {
    with_places(amount.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero), places)
}

/// Shows at least `places` decimals, without losing any: 5 becomes 5.00, 5.125 stays.
#[must_use]
pub fn with_places(amount: Decimal, places: u32) -> Decimal {
    let mut shown = amount.normalize();
    if shown.scale() < places {
        shown.rescale(places);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::{round_half_up, with_places};
    use rust_decimal::Decimal;

    #[test]
    fn half_goes_away_from_zero_and_places_are_shown() {
        let cases = [
            ("130.434", 2, "130.43"),
            ("0.125", 2, "0.13"),
            ("-0.125", 2, "-0.13"),
            ("5", 2, "5.00"),
            ("2.5", 0, "3"),
        ];
        for (amount, places, expected) in cases {
            let amount: Decimal = amount.parse().expect("a decimal");
            assert_eq!(round_half_up(amount, places).to_string(), expected);
        }
    }

    #[test]
    fn showing_places_never_loses_one() {
        assert_eq!(with_places(Decimal::new(5125, 3), 2).to_string(), "5.125");
        assert_eq!(with_places(Decimal::new(51000, 4), 2).to_string(), "5.10");
    }
}
