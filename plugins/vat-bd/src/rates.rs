//! Which rate a supply bears on a day: code, variant and date against the table.
//!
//! A lookup never guesses. Where the table has no answer, the finding says what is known.

use niyam_sdk::{Date, Finding};

use crate::tables::{self, CODES, RATES, Rate};

/// The rate of `code`, in its `variant`, on `day`. A code without its last part means `.00` (`S078` is `S078.00`).
///
/// # Errors
/// Why there is none.
pub fn find(code: &str, variant: Option<&str>, day: Date) -> Result<&'static Rate, Unknown> {
    let rows = rows_of(code).ok_or(Unknown::Code)?;
    let chosen = choose(rows, variant.map(str::trim).filter(|variant| !variant.is_empty()))?;
    let mut in_force = rows.iter().filter(|row| row.variant == chosen.variant);
    in_force
        .find(|row| row.first_day <= day && row.last_day.is_none_or(|last| day <= last))
        .ok_or(Unknown::Day(chosen))
}

/// Every row of `code`, in the table's order.
#[must_use]
pub fn rows_of(code: &str) -> Option<&'static [Rate]> {
    let at = |code: &str| {
        let index = CODES.binary_search_by(|entry| entry.0.cmp(code)).ok()?;
        let (_, start, end) = CODES[index];
        Some(&RATES[usize::from(start)..usize::from(end)])
    };
    at(code).or_else(|| if is_heading(code) { at(&format!("{code}.00")) } else { None })
}

/// Why a lookup found no rate.
#[derive(Debug)]
pub enum Unknown {
    /// No such code.
    Code,
    /// The code has several rates, and the line does not say which.
    VariantMissing(&'static [Rate]),
    /// The code has no such variant.
    VariantUnknown(&'static [Rate]),
    /// The oldest row of the code and variant: none holds on that day.
    Day(&'static Rate),
}

impl Unknown {
    /// It as a finding about the line that stands at `pointer` in the document.
    #[must_use]
    pub fn finding(&self, code: &str, day: Date, pointer: &str) -> Finding {
        match self {
            Self::Code => {
                Finding::error("supply-code-unknown", unknown_code(code)).at(format!("{pointer}/supply_code"))
            }
            Self::VariantMissing(rows) => {
                let choices = choices(rows);
                let message =
                    format!("{code} has more than one rate; the attribute variant is one of: {choices}");
                Finding::error("variant-missing", message)
                    .at(format!("{pointer}/attributes/variant"))
                    .citing(tables::citation(rows[0].citation))
            }
            Self::VariantUnknown(rows) => {
                let message = format!("{code} has no such variant; it is one of: {}", choices(rows));
                Finding::error("variant-unknown", message)
                    .at(format!("{pointer}/attributes/variant"))
                    .citing(tables::citation(rows[0].citation))
            }
            Self::Day(oldest) => {
                let known = oldest.first_day;
                let message = format!("the rate of {code} on {day} is not known; it is known from {known}");
                Finding::error("rate-not-known", message)
                    .at(format!("{pointer}/supply_code"))
                    .citing(tables::citation(oldest.citation))
            }
        }
    }
}

/// The oldest row of the variant that a line means.
fn choose(rows: &'static [Rate], variant: Option<&str>) -> Result<&'static Rate, Unknown> {
    let plain = rows[0].variant.is_empty() && rows[rows.len() - 1].variant.is_empty();
    match variant {
        // A code with one rate and no note has no variant to get wrong: the word is the tenant's own.
        _ if plain && rows[0].also.is_empty() => Ok(&rows[0]),
        None if plain => Ok(&rows[0]),
        None => rows.iter().find(|row| row.fallback).ok_or(Unknown::VariantMissing(rows)),
        Some(named) => {
            let named_so = |row: &&Rate| {
                row.variant.eq_ignore_ascii_case(named)
                    || row.also.iter().any(|other| other.eq_ignore_ascii_case(named))
            };
            rows.iter().find(named_so).ok_or(Unknown::VariantUnknown(rows))
        }
    }
}

fn choices(rows: &[Rate]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for row in rows {
        if row.variant.is_empty() {
            names.extend(row.also);
        } else if !names.contains(&row.variant) {
            names.push(row.variant);
        }
    }
    names.join(", ")
}

fn is_heading(code: &str) -> bool {
    code.len() == 4 && code.starts_with('S') && code.bytes().skip(1).all(|byte| byte.is_ascii_digit())
}

/// Names codes that begin alike, a few of them.
fn unknown_code(code: &str) -> String {
    const NEAR_MAX: usize = 5;
    let shown: String = code.chars().take(32).collect();
    let alike = |known: &str| {
        let same = known.bytes().zip(code.bytes());
        same.take_while(|(left, right)| left.eq_ignore_ascii_case(right)).count()
    };
    let longest = CODES.iter().map(|entry| alike(entry.0)).max().unwrap_or(0);
    let near: Vec<&str> =
        CODES.iter().map(|entry| entry.0).filter(|known| longest >= 3 && alike(known) == longest).collect();
    if near.is_empty() || near.len() > NEAR_MAX {
        format!("the pack knows no supply code {shown}")
    } else {
        format!("the pack knows no supply code {shown}; near are {}", near.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::{Unknown, find, unknown_code};
    use crate::tables::Charge;
    use niyam_sdk::Date;

    const TODAY: Date = Date::constant(2026, 8, 15);

    fn percent(code: &str, variant: Option<&str>, day: Date) -> String {
        match find(code, variant, day).expect(code).charge {
            Charge::Percent(rate) => rate.to_string(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn construction_rose_in_july_2025() {
        assert_eq!(percent("S004.00", None, Date::constant(2025, 6, 30)), "7.5");
        assert_eq!(percent("S004.00", None, Date::constant(2025, 7, 1)), "10");
    }

    #[test]
    fn a_heading_without_its_last_part_is_the_heading_itself() {
        assert_eq!(percent("S078", Some("OWN-BRAND"), TODAY), "10");
        assert_eq!(percent("S078", Some("other"), TODAY), "7.5");
        assert!(matches!(find("S001", None, TODAY), Err(Unknown::Code)));
    }

    #[test]
    fn a_code_with_a_default_needs_no_variant() {
        assert_eq!(percent("S001.20", None, TODAY), "5");
        assert_eq!(percent("S001.20", Some("3-star/bar"), TODAY), "15");
        assert_eq!(percent("S024.00", None, TODAY), "7.5");
        assert_eq!(percent("S024.00", Some("No-production-challan"), TODAY), "15");
    }

    #[test]
    fn the_note_of_a_row_is_tolerated_as_its_variant() {
        assert_eq!(percent("S037.00", Some("not trader with 15% 6.3"), TODAY), "10");
        assert_eq!(percent("S083.00", Some("from 2026-07-01"), TODAY), "15");
        assert!(matches!(find("S036.20", Some("non-AC"), TODAY), Err(Unknown::VariantUnknown(_))));
        assert_eq!(percent("standard", Some("size L"), TODAY), "15");
    }

    #[test]
    fn two_rates_without_a_variant_list_the_choices() {
        let missing = find("S010.20", None, TODAY).expect_err("two rates");
        let finding = missing.finding("S010.20", TODAY, "/lines/3");
        assert_eq!(finding.code, "variant-missing");
        assert_eq!(finding.pointer.as_deref(), Some("/lines/3/attributes/variant"));
        assert!(finding.message.ends_with("1-1600sft, 1601sft+, re-registration"), "{}", finding.message);
    }

    #[test]
    fn nothing_is_known_before_a_stated_first_day() {
        let day = Date::constant(2025, 1, 21);
        let finding = find("S003.10", None, day).expect_err("too early").finding("S003.10", day, "/lines/0");
        assert_eq!(finding.code, "rate-not-known");
        for part in ["S003.10", "2025-01-21", "2025-01-22"] {
            assert!(finding.message.contains(part), "{}", finding.message);
        }
    }

    #[test]
    fn an_unknown_code_names_its_neighbours() {
        assert!(unknown_code("S001.30").ends_with("near are S001.10, S001.20"));
        assert!(unknown_code("Standart").ends_with("near are standard"));
        assert!(!unknown_code("xyz").contains("near"));
        assert!(!unknown_code("").contains("near"));
    }
}
