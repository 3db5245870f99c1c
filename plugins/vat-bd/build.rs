//! Turns `data/*.csv` into static tables, so that a call of the pack parses nothing.
//!
//! Every row is checked on the way: dates, decimals, rows of one code that overlap, a unit or a kind that does not
//! exist. A wrong row stops the build and names itself.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use jiff::civil::Date;
use rust_decimal::Decimal;

fn main() {
    println!("cargo::rerun-if-changed=data");
    println!("cargo::rerun-if-changed=build.rs");
    let mut out = String::new();
    let mut citations = Citations::default();
    write_law(&mut out, &mut citations);
    write_thresholds(&mut out, &mut citations);
    let units = write_units(&mut out);
    write_rates(&mut out, &mut citations, &units);
    write_paper(&mut out);
    write_accounts(&mut out);
    citations.write(&mut out);
    let folder = std::env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    std::fs::write(Path::new(&folder).join("tables.rs"), out).expect("OUT_DIR is writable");
}

/// One row of a data file; it knows where it stands, for messages.
struct Row {
    place: String,
    values: BTreeMap<String, String>,
}

impl Row {
    fn text(&self, column: &str) -> &str {
        self.values
            .get(column)
            .unwrap_or_else(|| panic!("{}: there is no column {column}", self.place))
            .trim()
    }

    fn needed(&self, column: &str) -> &str {
        let text = self.text(column);
        assert!(!text.is_empty(), "{}: {column} is empty", self.place);
        text
    }

    fn date(&self, column: &str) -> Option<Date> {
        let text = self.text(column);
        (!text.is_empty()).then(|| {
            text.parse().unwrap_or_else(|error| panic!("{}: {column} is no date: {error}", self.place))
        })
    }

    fn decimal(&self, column: &str) -> Decimal {
        let amount: Decimal = self
            .needed(column)
            .parse()
            .unwrap_or_else(|error| panic!("{}: {column} is no decimal: {error}", self.place));
        assert!(!amount.is_sign_negative(), "{}: {column} is negative", self.place);
        amount
    }

    fn yes(&self, column: &str) -> bool {
        match self.needed(column) {
            "yes" => true,
            "no" => false,
            other => panic!("{}: {column} is {other}, not yes or no", self.place),
        }
    }

    fn list(&self, column: &str) -> Vec<&str> {
        self.text(column).split('|').filter(|part| !part.is_empty()).collect()
    }

    fn mark(&self) -> char {
        match self.needed("mark") {
            "A" => 'A',
            "B" => 'B',
            "C" => 'C',
            "U" => 'U',
            other => panic!("{}: {other} is no mark of trust", self.place),
        }
    }

    /// First and last day, in order.
    fn days(&self) -> (Date, Option<Date>) {
        let first = self.date("first_day").unwrap_or_else(|| panic!("{}: first_day is empty", self.place));
        let last = self.date("last_day");
        assert!(last.is_none_or(|last| first <= last), "{}: it ends before it begins", self.place);
        (first, last)
    }
}

fn read(name: &str) -> Vec<Row> {
    let path = format!("data/{name}.csv");
    let mut reader = csv::Reader::from_path(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let header = reader.headers().unwrap_or_else(|error| panic!("{path}: {error}")).clone();
    let rows = reader.records().enumerate().map(|(index, record)| {
        let place = format!("{path}, row {}", index + 2);
        let record = record.unwrap_or_else(|error| panic!("{place}: {error}"));
        let values =
            header.iter().zip(&record).map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        Row { place, values }
    });
    rows.collect()
}

/// Every article that the tables cite, once.
#[derive(Default)]
struct Citations(Vec<(String, String, Option<Date>)>);

impl Citations {
    fn index(&mut self, row: &Row, from: Option<Date>) -> usize {
        let cited = (row.needed("source").to_owned(), row.needed("article").to_owned(), from);
        self.0.iter().position(|known| *known == cited).unwrap_or_else(|| {
            self.0.push(cited);
            self.0.len() - 1
        })
    }

    fn write(&self, out: &mut String) {
        let count = self.0.len();
        emit(
            out,
            &format!(
                "/// What the tables cite, each article once.\npub static CITATIONS: [Article; {count}] = ["
            ),
        );
        for (source, article, from) in &self.0 {
            let from = optional_date(*from);
            emit(
                out,
                &format!("    Article {{ source: {source:?}, article: {article:?}, first_day: {from} }},"),
            );
        }
        emit(out, "];");
    }
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

fn write_thresholds(out: &mut String, citations: &mut Citations) {
    let rows = read("thresholds");
    for (at, row) in rows.iter().enumerate() {
        let (first, last) = row.days();
        for earlier in &rows[..at] {
            let (begun, ended) = earlier.days();
            let apart = ended.is_some_and(|ended| ended < first) || last.is_some_and(|last| last < begun);
            let same = earlier.needed("key") == row.needed("key");
            assert!(!same || apart, "{}: it overlaps an earlier row", row.place);
        }
    }
    emit(out, "/// Amounts from which the law asks for more.\npub static THRESHOLDS: &[Threshold] = &[");
    for row in &rows {
        let (first, last) = row.days();
        row.mark();
        emit(
            out,
            &format!(
                "    Threshold {{ key: {:?}, taka: {}, first_day: {}, last_day: {}, citation: {} }},",
                row.needed("key"),
                decimal(row.decimal("taka")),
                date(first),
                optional_date(last),
                citations.index(row, Some(first)),
            ),
        );
    }
    emit(out, "];");
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

fn write_paper(out: &mut String) {
    let rows = read("mushak-6.3");
    for (part, name) in [
        ("title", "TITLE"),
        ("header", "HEADER"),
        ("column", "COLUMNS"),
        ("total", "TOTAL"),
        ("footer", "FOOTER"),
        ("note", "NOTE"),
    ] {
        let shown: Vec<&Row> = rows.iter().filter(|row| row.needed("part") == part).collect();
        emit(out, &format!("/// Mushak-6.3: {part}.\npub static {name}: [Printed; {}] = [", shown.len()));
        for row in shown {
            row.mark();
            let needed = match row.needed("required") {
                "always" => "Needed::Always",
                "above-threshold" => "Needed::AboveThreshold",
                "goods" | "where-charged" | "by-hand" | "printed" => "Needed::No",
                other => panic!("{}: required is {other}", row.place),
            };
            emit(
                out,
                &format!(
                    "    Printed {{ key: {:?}, bn: {:?}, en: {:?}, numeric: {}, needed: {needed} }},",
                    row.needed("key"),
                    row.needed("bn"),
                    row.needed("en"),
                    row.yes("numeric"),
                ),
            );
        }
        emit(out, "];");
    }
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

fn emit(out: &mut String, line: &str) {
    writeln!(out, "{line}").expect("writing to a String cannot fail");
}

fn date(day: Date) -> String {
    format!("Date::constant({}, {}, {})", day.year(), day.month(), day.day())
}

fn optional_date(day: Option<Date>) -> String {
    day.map_or_else(|| "None".to_owned(), |day| format!("Some({})", date(day)))
}

fn decimal(amount: Decimal) -> String {
    let parts = amount.unpack();
    format!("Decimal::from_parts({}, {}, {}, false, {})", parts.lo, parts.mid, parts.hi, parts.scale)
}
