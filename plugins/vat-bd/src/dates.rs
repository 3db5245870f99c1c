//! Days as text, and counted.

use niyam_sdk::Date;

/// `2026-07-01`.
pub(crate) fn parse(text: &str) -> Option<Date> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let number = |range: std::ops::Range<usize>| {
        let digits = text.get(range)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<i16>().ok())?
    };
    let (month, day) = (i8::try_from(number(5..7)?).ok()?, i8::try_from(number(8..10)?).ok()?);
    Date::new(number(0..4)?, month, day).ok()
}

/// The day after so many days; the last of all days at the end of time.
pub(crate) fn after(day: Date, days: u32) -> Date {
    let mut day = day;
    for _ in 0..days {
        day = day.tomorrow().unwrap_or(Date::MAX);
    }
    day
}

/// Months since the beginning of time, so that months can be counted.
pub(crate) fn month(day: Date) -> i32 {
    i32::from(day.year()) * 12 + i32::from(day.month())
}

#[cfg(test)]
mod tests {
    use super::{after, month, parse};
    use niyam_sdk::Date;

    #[test]
    fn only_a_day_of_the_calendar_is_one() {
        assert_eq!(parse("2028-02-29"), Some(Date::constant(2028, 2, 29)));
        for text in
            ["2026-02-29", "2026-13-01", "26-01-01", "2026/01/01", "2026-1-001", "২০২৬-০১", "+026-01-01", ""]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn days_and_months_are_counted() {
        assert_eq!(after(Date::constant(2026, 12, 30), 3), Date::constant(2027, 1, 2));
        assert_eq!(after(Date::MAX, 3), Date::MAX);
        assert_eq!(month(Date::constant(2027, 1, 1)) - month(Date::constant(2026, 11, 30)), 2);
    }
}
