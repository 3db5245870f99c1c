//! How numbers are written: grouped or not, in Latin or Bangla digits.

use niyam_values::Decimal;

/// Which digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Digits {
    /// 0123456789
    #[default]
    Latin,
    /// ০১২৩৪৫৬৭৮৯
    Bangla,
}

/// How the digits before the decimal point are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Grouping {
    /// 1234567.89
    #[default]
    None,
    /// 1,234,567.89
    Thousands,
    /// 12,34,567.89: thousand, lakh, crore and on by hundreds.
    Lakh,
}

/// How a paper writes its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Numerals {
    /// Which digits.
    pub digits: Digits,
    /// How they are grouped.
    pub grouping: Grouping,
}

/// A number with the decimal places that it has.
#[must_use]
pub fn amount(value: Decimal, numerals: Numerals) -> String {
    let text = value.abs().to_string();
    let (whole, fraction) = text.split_once('.').map_or((&*text, None), |(whole, rest)| (whole, Some(rest)));
    let mut written = String::with_capacity(text.len() + 8);
    if value.is_sign_negative() && !value.is_zero() {
        written.push('-');
    }
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && ends_group(whole.len() - index, numerals.grouping) {
            written.push(',');
        }
        written.push(digit);
    }
    if let Some(fraction) = fraction {
        written.push('.');
        written.push_str(fraction);
    }
    digits(&written, numerals.digits)
}

/// `text` with each Latin digit as `digits` has it.
#[must_use]
pub fn digits(text: &str, digits: Digits) -> String {
    match digits {
        Digits::Latin => text.to_owned(),
        Digits::Bangla => text.chars().map(bangla).collect(),
    }
}

/// Whether a group ends before the last `left` digits.
fn ends_group(left: usize, grouping: Grouping) -> bool {
    match grouping {
        Grouping::None => false,
        Grouping::Thousands => left.is_multiple_of(3),
        Grouping::Lakh => left == 3 || (left > 3 && !left.is_multiple_of(2)),
    }
}

fn bangla(digit: char) -> char {
    match digit.to_digit(10) {
        Some(value) => char::from_u32(u32::from('০') + value).unwrap_or(digit),
        None => digit,
    }
}

#[cfg(test)]
mod tests {
    use super::{Digits, Grouping, Numerals, amount};

    fn written(value: &str, grouping: Grouping) -> String {
        amount(value.parse().unwrap(), Numerals { digits: Digits::Latin, grouping })
    }

    #[test]
    fn lakh_and_crore_are_grouped_at_every_boundary() {
        for (value, lakh, thousands) in [
            ("0", "0", "0"),
            ("0.00", "0.00", "0.00"),
            ("-0.00", "0.00", "0.00"),
            ("1", "1", "1"),
            ("99", "99", "99"),
            ("999.99", "999.99", "999.99"),
            ("1000", "1,000", "1,000"),
            ("9999", "9,999", "9,999"),
            ("10000", "10,000", "10,000"),
            ("99999.9", "99,999.9", "99,999.9"),
            ("100000", "1,00,000", "100,000"),
            ("123456.78", "1,23,456.78", "123,456.78"),
            ("999999", "9,99,999", "999,999"),
            ("1000000", "10,00,000", "1,000,000"),
            ("9999999", "99,99,999", "9,999,999"),
            ("10000000", "1,00,00,000", "10,000,000"),
            ("12345678.90", "1,23,45,678.90", "12,345,678.90"),
            ("99999999", "9,99,99,999", "99,999,999"),
            ("100000000", "10,00,00,000", "100,000,000"),
            ("1000000000", "1,00,00,00,000", "1,000,000,000"),
            ("99999999999.99", "99,99,99,99,999.99", "99,999,999,999.99"),
            ("-1", "-1", "-1"),
            ("-999", "-999", "-999"),
            ("-1000.50", "-1,000.50", "-1,000.50"),
            ("-100000", "-1,00,000", "-100,000"),
            ("0.123456", "0.123456", "0.123456"),
        ] {
            assert_eq!(written(value, Grouping::Lakh), lakh, "{value}");
            assert_eq!(written(value, Grouping::Thousands), thousands, "{value}");
            assert_eq!(written(value, Grouping::None), value.replace("-0.00", "0.00"), "{value}");
        }
    }

    #[test]
    fn grouping_never_changes_the_digits() {
        for power in 0..28 {
            for near in [-1_i128, 0, 1] {
                let value = 10_i128.pow(power) + near;
                let text = value.to_string();
                for grouping in [Grouping::Lakh, Grouping::Thousands] {
                    let grouped = written(&text, grouping);
                    assert_eq!(grouped.replace(',', ""), text);
                    // No group is empty, and the last has three digits.
                    let groups: Vec<_> = grouped.split(',').collect();
                    assert!(groups.iter().all(|group| !group.is_empty()), "{grouped}");
                    assert!(
                        groups.len() == 1 || groups.last().is_some_and(|group| group.len() == 3),
                        "{grouped}"
                    );
                }
            }
        }
    }

    #[test]
    fn bangla_digits_stand_where_latin_ones_stood() {
        let bangla = |value: &str| {
            amount(value.parse().unwrap(), Numerals { digits: Digits::Bangla, grouping: Grouping::Lakh })
        };
        assert_eq!(bangla("12345678.90"), "১,২৩,৪৫,৬৭৮.৯০");
        assert_eq!(bangla("-1000"), "-১,০০০");
        assert_eq!(super::digits("2026-08-15", Digits::Bangla), "২০২৬-০৮-১৫");
        assert_eq!(super::digits("০ a", Digits::Bangla), "০ a");
    }
}
