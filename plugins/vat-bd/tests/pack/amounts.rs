//! Every row of the thresholds, the levies and the deductions of income tax: on its first day, its last, and the day
//! before, as the data file has it.

use std::collections::BTreeMap;

use niyam_sdk::Date;
use vat_bd::tables::{self, Person};

use crate::build::dec;

type Row = BTreeMap<String, String>;

fn rows(text: &str) -> Vec<Row> {
    csv::Reader::from_reader(text.as_bytes()).deserialize().map(|row| row.expect("a row")).collect()
}

/// Tries each row of `text` with what `found` says is in force.
fn hold(
    text: &str,
    name: impl Fn(&Row) -> String,
    column: &str,
    found: impl Fn(&Row, Date) -> Option<String>,
) {
    let rows = rows(text);
    assert!(rows.len() > 8);
    for row in &rows {
        let day = |column: &str| row[column].parse::<Date>().ok();
        let first = day("first_day").expect("a first day");
        let value = |row: &Row| Some(dec(&row[column]).to_string());
        for on in [Some(first), day("last_day")].into_iter().flatten() {
            assert_eq!(found(row, on), value(row), "{} on {on}", name(row));
        }
        let eve = first.yesterday().expect("a day before");
        let before =
            rows.iter().find(|other| name(other) == name(row) && other["last_day"] == eve.to_string());
        assert_eq!(found(row, eve), before.and_then(value), "{} on {eve}", name(row));
        if let Some(next) = day("last_day").map(|last| last.tomorrow().expect("a day after")) {
            let after =
                rows.iter().find(|other| name(other) == name(row) && other["first_day"] == next.to_string());
            assert_eq!(found(row, next), after.and_then(value), "{} on {next}", name(row));
        }
    }
}

#[test]
fn every_threshold_holds_between_its_days() {
    hold(
        include_str!("../../data/thresholds.csv"),
        |row| row["key"].clone(),
        "taka",
        |row, day| tables::threshold(&row["key"], day).map(|found| found.taka.to_string()),
    );
}

#[test]
fn every_levy_holds_between_its_days() {
    hold(
        include_str!("../../data/levies.csv"),
        |row| row["key"].clone(),
        "value",
        |row, day| tables::levy(&row["key"], day).map(|found| found.value.to_string()),
    );
}

#[test]
fn every_rate_of_deduction_holds_between_its_days() {
    let name = |row: &Row| format!("{} {}", row["key"], row["person"]);
    hold(include_str!("../../data/tds.csv"), name, "percent", |row, day| {
        let person = match row["person"].as_str() {
            "natural" => Person::Natural,
            "other" => Person::Other,
            _ => Person::Any,
        };
        tables::tds(&row["key"], person, day).map(|found| found.percent.to_string())
    });
}

#[test]
fn a_person_who_is_not_known_bears_the_highest_rate() {
    let day = Date::constant(2026, 7, 1);
    let found = tables::tds("professional", Person::Any, day).expect("a rate");
    assert_eq!((found.percent, found.person), (dec("15"), Person::Natural));
    assert!(tables::tds("unknown", Person::Any, day).is_none());
}

#[test]
fn the_notes_of_the_return_are_1_to_68() {
    let numbers: Vec<u8> = tables::NOTES.iter().map(|note| note.number).collect();
    assert_eq!(numbers, (1..=68).collect::<Vec<u8>>());
    for note in &tables::NOTES {
        assert!(tables::PARTS.iter().any(|part| part.number == note.part), "{}", note.number);
        assert!(!note.bn.is_empty() && !note.en.is_empty());
    }
    for row in tables::STATEMENTS {
        assert_eq!(tables::statement(row.code).expect(row.code).note, row.note);
        assert!(tables::NOTES[usize::from(row.note) - 1].formula.is_empty(), "{}", row.code);
    }
}

#[test]
fn papers_have_the_columns_that_are_known_of_them() {
    for (code, columns) in [
        ("mushak-6.1", 21),
        ("mushak-6.10", 8),
        ("mushak-6.2", 21),
        ("mushak-6.2.1", 26),
        ("mushak-6.6", 8),
        ("mushak-6.7", 9),
    ] {
        assert_eq!(tables::paper(code).expect(code).columns.len(), columns, "{code}");
    }
    for paper in tables::PAPERS {
        assert_eq!(tables::paper(paper.code).expect(paper.code).code, paper.code);
    }
    assert!(tables::paper("mushak-6.11").is_none());
}
