//! The tax year: July to June, a period a month.

use niyam_sdk::{Date, FiscalPeriod};

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

#[cfg(test)]
mod tests {
    use super::period_of;
    use niyam_sdk::Date;

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
