//! Every row of the table: on its first day, on its last, and on the day before.

use niyam_sdk::{Date, Document, Effect, Finding, Line};
use vat_bd::tables::{CITATIONS, Charge, RATES, Rate, UNITS};

use crate::build::{dec, invoice, line, with, withheld};
use crate::{DEFAULT, native, refusals};

fn supply(row: &Rate, day: Date) -> Document {
    let unit = match row.charge {
        Charge::Specific { unit, .. } => UNITS[usize::from(unit)].name,
        _ => "pcs",
    };
    let plain = Line { quantity: dec("2"), unit: unit.to_owned(), ..line(row.code, "1000000") };
    let varied = if row.variant.is_empty() { plain } else { with(plain, "variant", row.variant) };
    Document { tax_date: day, ..invoice(vec![varied]) }
}

/// What the row charges on two units of a million: text of the VAT, or nothing.
fn charged(row: &Rate) -> Option<String> {
    let vat = match row.charge {
        Charge::Percent(rate) => rate * dec("20000"),
        Charge::Specific { taka, .. } => taka * dec("2"),
        Charge::Zero => dec("0"),
        Charge::Exempt => return None,
    };
    Some(format!("{vat:.2}"))
}

#[test]
fn every_row_holds_on_its_first_and_last_day() {
    for row in RATES {
        for day in [Some(row.first_day), row.last_day].into_iter().flatten() {
            let name = format!("{} {} on {day}", row.code, row.variant);
            let taxes =
                native(DEFAULT, &supply(row, day)).unwrap_or_else(|findings| panic!("{name}: {findings:?}"));
            let vat = taxes.lines[0].taxes.iter().find(|item| item.code == "vat");
            assert_eq!(vat.map(|item| item.amount.to_string()), charged(row), "{name}");
            if let Some(item) = vat {
                let said = &taxes.citations[item.citation as usize];
                let row_cites = &CITATIONS[usize::from(row.citation)];
                assert_eq!(
                    (said.source.as_str(), said.article.as_str()),
                    (row_cites.source, row_cites.article)
                );
            }
            let warned = taxes.findings.iter().any(|finding| finding.code == "rate-start-unverified");
            assert_eq!(warned, row.verified_from.is_some_and(|verified| day < verified), "{name}");
        }
    }
}

#[test]
fn the_day_before_a_row_belongs_to_the_row_before_or_is_not_known() {
    for row in RATES {
        let eve = row.first_day.yesterday().expect("a day before");
        let before = RATES.iter().find(|other| {
            other.code == row.code && other.variant == row.variant && other.last_day == Some(eve)
        });
        let name = format!("{} {} on {eve}", row.code, row.variant);
        let document = supply(row, eve);
        match (before, native(DEFAULT, &document)) {
            (Some(before), Ok(taxes)) => {
                assert_eq!(Some(taxes.tax_added.to_string()), charged(before), "{name}");
            }
            (None, Err(_)) if eve < Date::constant(2019, 7, 1) => {
                assert_eq!(refusals(&document), [("law-not-covered".into(), "/tax_date".into())], "{name}");
            }
            (None, Err(_)) => {
                let expected = [("rate-not-known".into(), "/lines/0/supply_code".into())];
                assert_eq!(refusals(&document), expected, "{name}");
            }
            (_, answer) => panic!("{name}: {answer:?}"),
        }
    }
}

#[test]
fn exactly_the_rows_of_the_table_of_services_are_deducted_at_source() {
    for row in RATES {
        let day = row.last_day.unwrap_or(Date::constant(2026, 8, 1));
        let document = withheld(supply(row, day));
        let taxes = native(DEFAULT, &document).expect(row.code);
        let deducted = taxes.lines[0].taxes.iter().any(|item| item.effect == Effect::Withheld);
        assert_eq!(deducted, row.withholding, "{} {}", row.code, row.variant);
        let warned = |finding: &Finding| finding.code == "withholding-unverified";
        let early = deducted && day < Date::constant(2025, 7, 1);
        assert_eq!(taxes.findings.iter().any(warned), early, "{}", row.code);
    }
}

#[test]
fn the_readme_names_every_code() {
    let readme = include_str!("../../README.md");
    for row in RATES {
        assert!(readme.contains(&format!("`{}`", row.code)), "{}", row.code);
    }
}
