//! Turns `data/*.csv` into static tables, so that a call of the pack parses nothing.
//!
//! Every row is checked on the way: dates, decimals, rows of one code that overlap, a unit or a kind that does not
//! exist. A wrong row stops the build and names itself.

#[path = "build/amounts.rs"]
mod amounts;
#[path = "build/papers.rs"]
mod papers;
#[path = "build/rows.rs"]
mod rows;

use std::collections::BTreeMap;
use std::path::Path;

use rows::{Citations, Row, date, decimal, emit, optional_date, read};

fn main() {
    println!("cargo::rerun-if-changed=data");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    let mut out = String::new();
    let mut citations = Citations::default();
    write_law(&mut out, &mut citations);
    amounts::write(&mut out, &mut citations);
    let units = write_units(&mut out);
    write_rates(&mut out, &mut citations, &units);
    papers::write(&mut out);
    write_accounts(&mut out);
    citations.write(&mut out);
    let folder = std::env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    std::fs::write(Path::new(&folder).join("tables.rs"), out).expect("OUT_DIR is writable");
}

fn write_law(out: &mut String, citations: &mut Citations) {
    for row in read("law") {
        let name = row.needed("key").replace('-', "_").to_uppercase();
        let from = row.date("first_day");
        let (says, mark, index) = (row.needed("says"), row.mark(), citations.index(&row, from));
        emit(out, &format!("/// {says} (trust: {mark}).\npub const {name}: u16 = {index};"));
        if let (Some(from), "COMMENCEMENT") = (from, name.as_str()) {
            let day = date(from);
            emit(
                out,
                &format!("/// The first day whose law the pack holds.\npub const LAW_FROM: Date = {day};"),
            );
        }
    }
}

fn write_units(out: &mut String) -> Vec<String> {
    emit(out, "/// Units that a specific amount is charged by.\npub static UNITS: &[Unit] = &[");
    let rows = read("units");
    for row in &rows {
        emit(
            out,
            &format!("    Unit {{ name: {:?}, synonyms: &{:?} }},", row.needed("unit"), row.list("synonyms")),
        );
    }
    emit(out, "];");
    rows.iter().map(|row| row.needed("unit").to_owned()).collect()
}

/// Rows by code, in byte order of the code for a binary search; a variant's rows stay together, oldest first.
fn write_rates(out: &mut String, citations: &mut Citations, units: &[String]) {
    let mut codes: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for row in read("rates") {
        codes.entry(row.needed("code").to_owned()).or_default().push(row);
    }
    let mut index = String::new();
    let mut start = 0;
    emit(out, "/// Every rate, with its days and its source.\npub static RATES: &[Rate] = &[");
    for (code, rows) in &codes {
        check_code(rows);
        for row in rows {
            emit(out, &rate(row, citations, units));
        }
        let end = start + rows.len();
        emit(&mut index, &format!("    ({code:?}, {start}, {end}),"));
        start = end;
    }
    emit(out, "];\n/// Each code with its range of [`RATES`], in byte order.");
    emit(out, &format!("pub static CODES: &[(&str, u16, u16)] = &[\n{index}];"));
}

fn check_code(rows: &[Row]) {
    for (at, row) in rows.iter().enumerate() {
        let (first, _) = row.days();
        let variant = row.text("variant");
        for earlier in &rows[..at] {
            if earlier.text("variant").eq_ignore_ascii_case(variant) {
                let (_, ended) = earlier.days();
                let apart = ended.is_some_and(|ended| ended < first);
                assert!(apart, "{}: it overlaps, or precedes, {}", row.place, earlier.place);
                assert_eq!(earlier.yes("fallback"), row.yes("fallback"), "{}: fallback changes", row.place);
                assert_eq!(rows[at - 1].text("variant"), variant, "{}: its variant is scattered", row.place);
            } else {
                let both = earlier.yes("fallback") && row.yes("fallback");
                assert!(!both, "{}: {} is the fallback already", row.place, earlier.place);
            }
        }
        let plain = rows.iter().all(|other| other.text("variant").is_empty());
        let unnamed = variant.is_empty() && !plain;
        assert!(!unnamed || row.yes("fallback"), "{}: beside variants it must be the fallback", row.place);
    }
}

fn rate(row: &Row, citations: &mut Citations, units: &[String]) -> String {
    let charge = match row.needed("kind") {
        "percent" => format!("Charge::Percent({})", decimal(row.decimal("amount"))),
        "zero" => "Charge::Zero".to_owned(),
        "exempt" => "Charge::Exempt".to_owned(),
        "specific" => {
            let unit = units
                .iter()
                .position(|unit| unit == row.needed("unit"))
                .unwrap_or_else(|| panic!("{}: its unit is not in units.csv", row.place));
            format!("Charge::Specific {{ taka: {}, unit: {unit} }}", decimal(row.decimal("amount")))
        }
        other => panic!("{}: {other} is no kind of rate", row.place),
    };
    let (first, last) = row.days();
    let verified = row.date("verified_from");
    assert!(verified.is_none_or(|day| day > first), "{}: verified before it begins", row.place);
    // A start that nobody read is not claimed as the text's first day.
    let cited_from = if verified.is_none() { Some(first) } else { None };
    format!(
        "    Rate {{ code: {:?}, variant: {:?}, also: &{:?}, fallback: {}, charge: {charge}, first_day: {}, \
         last_day: {}, verified_from: {}, withholding: {}, citation: {}, mark: {:?}, title: {:?} }},",
        row.needed("code"),
        row.text("variant"),
        row.list("also"),
        row.yes("fallback"),
        date(first),
        optional_date(last),
        optional_date(verified),
        row.yes("withholding"),
        citations.index(row, cited_from),
        row.mark(),
        row.needed("title"),
    )
}

fn write_accounts(out: &mut String) {
    emit(out, "/// Each after the account above it.");
    emit(out, "pub static ACCOUNTS: &[AccountRow] = &[");
    let mut codes = Vec::new();
    for row in read("accounts") {
        let (code, parent) = (row.needed("code").to_owned(), row.text("parent"));
        let above = parent.is_empty() || codes.iter().any(|known| known == parent);
        assert!(above, "{}: {parent} is no account before it", row.place);
        assert!(!codes.contains(&code), "{}: {code} is there twice", row.place);
        let (name, class, role) = (row.needed("name"), row.needed("class"), row.text("role"));
        let fields = format!(
            "AccountRow {{ code: {code:?}, name: {name:?}, class: {class:?}, parent: {parent:?}, role: {role:?} }},"
        );
        emit(out, &fields);
        codes.push(code);
    }
    emit(out, "];");
}
