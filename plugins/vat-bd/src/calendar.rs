//! The tax year: July to June, a period a month; and what must be filed for a period, by which day.

use niyam_sdk::{Date, FiscalPeriod, Obligation};

use crate::config::{Config, Frequency, Registration};
use crate::{dates, tables};

/// From this day on returns may be quarterly, and a day on which the offices are closed gives way to the next that they
/// are not.
const FINANCE_ACT_2026: Date = Date::constant(2026, 7, 1);

/// The tax period that holds `day`. A tax period is a calendar month; the code's shape is the pack's own.
pub(crate) fn period_of(day: Date) -> FiscalPeriod {
    let fiscal_year = year_of(day);
    let number = if day.month() >= 7 { day.month() - 6 } else { day.month() + 6 };
    FiscalPeriod {
        code: format!("FY{fiscal_year}-P{number:02}"),
        fiscal_year,
        starts: day.first_of_month(),
        ends: day.last_of_month(),
    }
}

/// The fiscal year of `day`, as invoices print it: `2026-2027`.
pub(crate) fn year_of(day: Date) -> String {
    let begins = if day.month() >= 7 { day.year() } else { day.year() - 1 };
    format!("{begins:04}-{:04}", begins + 1)
}

/// What is to be filed for `period`, in the order of the days.
pub(crate) fn obligations(config: &Config, period: &FiscalPeriod) -> Vec<Obligation> {
    let mut found = Vec::new();
    let mut add = |code: &str, title: &str, due: Date| {
        let (code, title, period) = (code.to_owned(), title.to_owned(), period.code.clone());
        found.push(Obligation { code, title, period, due });
    };
    let filed = match config.registration {
        Registration::Registered => Some(("mushak-9.1", "VAT return (Mushak-9.1) and deposit of its tax")),
        Registration::Enlisted => {
            Some(("mushak-9.2", "Turnover tax return (Mushak-9.2), its tax paid before"))
        }
        Registration::Unregistered => None,
    };
    if let Some(((code, title), due)) = filed.zip(return_due(config, period.ends)) {
        add(code, title, due);
        if config.withholding.vat {
            let days =
                tables::levy("certificate-days", period.ends).and_then(|levy| u32::try_from(levy.value).ok());
            let due = working_days_after(config, due, days.unwrap_or(0));
            add(
                "mushak-6.6",
                "Certificates of deducted VAT (Mushak-6.6), counted from the last day of the return",
                due,
            );
        }
    }
    if config.withholding.income_tax && period.ends >= FINANCE_ACT_2026 && ends_quarter(period.ends) {
        let due = dates::after(period.ends, 25);
        add("tds-return", "Return of deducted income tax for the quarter", due);
    }
    found.sort_by_key(|obligation| obligation.due);
    found
}

/// The last day of the return of a period that ends on `ends`; none where it is part of a quarter that goes on.
pub(crate) fn return_due(config: &Config, ends: Date) -> Option<Date> {
    let quarterly = ends >= FINANCE_ACT_2026 && config.filing.frequency == Frequency::Quarterly;
    if quarterly && !ends_quarter(ends) {
        return None;
    }
    let key = if quarterly && config.filing.extended { "extended-return-days" } else { "return-days" };
    let due = dates::after(ends, u32::try_from(tables::levy(key, ends)?.value).ok()?);
    Some(if ends < FINANCE_ACT_2026 { due } else { working_days_after(config, due, 0) })
}

/// Quarters end with September, December, March and June.
fn ends_quarter(day: Date) -> bool {
    day.month() % 3 == 0
}

/// The first working day from `day` on, and so many working days more.
fn working_days_after(config: &Config, day: Date, more: u32) -> Date {
    /// No row of holidays is longer.
    const DAYS_MAX: u32 = 400;
    let (mut day, mut left) = (day, more);
    for _ in 0..DAYS_MAX {
        if config.works_on(day) {
            if left == 0 {
                break;
            }
            left -= 1;
        }
        day = dates::after(day, 1);
    }
    day
}

#[cfg(test)]
mod tests {
    use super::{obligations, period_of};
    use crate::config::Config;
    use niyam_sdk::{Context, Date};

    fn due(config: &str, day: Date) -> Vec<String> {
        let config = Config::of(&Context::native(config)).expect("it is read");
        let found = obligations(&config, &period_of(day));
        found.iter().map(|obligation| format!("{} {}", obligation.code, obligation.due)).collect()
    }

    #[test]
    fn a_return_is_due_on_the_15th_or_the_next_working_day() {
        for (config, day, expected) in [
            // The 15th of July 2026 is a Wednesday, that of August a Saturday.
            ("{}", (2026, 6, 1), vec!["mushak-9.1 2026-07-15"]),
            ("{}", (2026, 7, 1), vec!["mushak-9.1 2026-08-16"]),
            (
                r#"{"calendar":{"holidays":["2026-08-16","2026-08-17"]}}"#,
                (2026, 7, 1),
                vec!["mushak-9.1 2026-08-18"],
            ),
            (r#"{"calendar":{"weekend":[]}}"#, (2026, 7, 1), vec!["mushak-9.1 2026-08-15"]),
            // Before July 2026 nothing says that a holiday moves it: the 15th of May 2026 is a Friday.
            ("{}", (2026, 4, 1), vec!["mushak-9.1 2026-05-15"]),
            (r#"{"registration":"enlisted"}"#, (2026, 7, 1), vec!["mushak-9.2 2026-08-16"]),
            (r#"{"registration":"unregistered"}"#, (2026, 7, 1), vec![]),
        ] {
            assert_eq!(due(config, Date::constant(day.0, day.1, day.2)), expected, "{config} {day:?}");
        }
    }

    #[test]
    fn quarters_are_a_configuration_from_july_2026_on() {
        let quarterly = r#"{"filing":{"frequency":"quarterly"}}"#;
        let extended = r#"{"filing":{"frequency":"quarterly","extended":true}}"#;
        assert_eq!(due(quarterly, Date::constant(2026, 6, 1)), ["mushak-9.1 2026-07-15"]);
        assert_eq!(due(quarterly, Date::constant(2026, 7, 1)), [""; 0]);
        assert_eq!(due(quarterly, Date::constant(2026, 9, 30)), ["mushak-9.1 2026-10-15"]);
        assert_eq!(due(extended, Date::constant(2026, 9, 30)), ["mushak-9.1 2026-10-20"]);
    }

    #[test]
    fn who_deducts_gives_certificates_and_files_a_return_of_deductions() {
        let config = r#"{"withholding":{"vat":true,"income_tax":true}}"#;
        // Sunday the 16th, and three working days more.
        assert_eq!(
            due(config, Date::constant(2026, 7, 1)),
            ["mushak-9.1 2026-08-16", "mushak-6.6 2026-08-19"]
        );
        let september = ["mushak-9.1 2026-10-15", "mushak-6.6 2026-10-20", "tds-return 2026-10-25"];
        assert_eq!(due(config, Date::constant(2026, 9, 1)), september);
        assert_eq!(due(config, Date::constant(2026, 6, 1)).len(), 2);
        assert_eq!(
            due(config, Date::constant(2026, 12, 1)).last().map(String::as_str),
            Some("tds-return 2027-01-25")
        );
    }

    #[test]
    fn the_year_begins_in_july() {
        for (day, code, starts, ends) in [
            ("2026-07-01", "FY2026-2027-P01", "2026-07-01", "2026-07-31"),
            ("2026-06-30", "FY2025-2026-P12", "2026-06-01", "2026-06-30"),
            ("2026-12-31", "FY2026-2027-P06", "2026-12-01", "2026-12-31"),
            ("2028-02-29", "FY2027-2028-P08", "2028-02-01", "2028-02-29"),
            ("2025-02-10", "FY2024-2025-P08", "2025-02-01", "2025-02-28"),
        ] {
            let period = period_of(day.parse().unwrap());
            assert_eq!(period.code, code);
            assert_eq!(period.code[2..11], period.fiscal_year);
            assert_eq!((period.starts.to_string(), period.ends.to_string()), (starts.into(), ends.into()));
        }
    }

    #[test]
    fn the_ends_of_time_do_not_panic() {
        period_of(Date::MIN);
        period_of(Date::MAX);
    }
}
