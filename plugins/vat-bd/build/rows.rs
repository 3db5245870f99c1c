//! Rows of the data files, checked as they are read, and how values are written as Rust.

use std::collections::BTreeMap;
use std::fmt::Write;

use jiff::civil::Date;
use rust_decimal::Decimal;

/// One row of a data file; it knows where it stands, for messages.
pub(crate) struct Row {
    pub(crate) place: String,
    values: BTreeMap<String, String>,
}

impl Row {
    pub(crate) fn text(&self, column: &str) -> &str {
        self.values
            .get(column)
            .unwrap_or_else(|| panic!("{}: there is no column {column}", self.place))
            .trim()
    }

    pub(crate) fn needed(&self, column: &str) -> &str {
        let text = self.text(column);
        assert!(!text.is_empty(), "{}: {column} is empty", self.place);
        text
    }

    pub(crate) fn date(&self, column: &str) -> Option<Date> {
        let text = self.text(column);
        (!text.is_empty()).then(|| {
            text.parse().unwrap_or_else(|error| panic!("{}: {column} is no date: {error}", self.place))
        })
    }

    pub(crate) fn decimal(&self, column: &str) -> Decimal {
        let amount: Decimal = self
            .needed(column)
            .parse()
            .unwrap_or_else(|error| panic!("{}: {column} is no decimal: {error}", self.place));
        assert!(!amount.is_sign_negative(), "{}: {column} is negative", self.place);
        amount
    }

    pub(crate) fn yes(&self, column: &str) -> bool {
        match self.needed(column) {
            "yes" => true,
            "no" => false,
            other => panic!("{}: {column} is {other}, not yes or no", self.place),
        }
    }

    pub(crate) fn list(&self, column: &str) -> Vec<&str> {
        self.text(column).split('|').filter(|part| !part.is_empty()).collect()
    }

    pub(crate) fn mark(&self) -> char {
        match self.needed("mark") {
            "A" => 'A',
            "B" => 'B',
            "C" => 'C',
            "U" => 'U',
            other => panic!("{}: {other} is no mark of trust", self.place),
        }
    }

    /// First and last day, in order.
    pub(crate) fn days(&self) -> (Date, Option<Date>) {
        let first = self.date("first_day").unwrap_or_else(|| panic!("{}: first_day is empty", self.place));
        let last = self.date("last_day");
        assert!(last.is_none_or(|last| first <= last), "{}: it ends before it begins", self.place);
        (first, last)
    }
}

pub(crate) fn read(name: &str) -> Vec<Row> {
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
pub(crate) struct Citations(Vec<(String, String, Option<Date>)>);

impl Citations {
    pub(crate) fn index(&mut self, row: &Row, from: Option<Date>) -> usize {
        let cited = (row.needed("source").to_owned(), row.needed("article").to_owned(), from);
        self.0.iter().position(|known| *known == cited).unwrap_or_else(|| {
            self.0.push(cited);
            self.0.len() - 1
        })
    }

    pub(crate) fn write(&self, out: &mut String) {
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

pub(crate) fn emit(out: &mut String, line: &str) {
    writeln!(out, "{line}").expect("writing to a String cannot fail");
}

pub(crate) fn date(day: Date) -> String {
    format!("Date::constant({}, {}, {})", day.year(), day.month(), day.day())
}

pub(crate) fn optional_date(day: Option<Date>) -> String {
    day.map_or_else(|| "None".to_owned(), |day| format!("Some({})", date(day)))
}

pub(crate) fn decimal(amount: Decimal) -> String {
    let parts = amount.unpack();
    format!("Decimal::from_parts({}, {}, {}, false, {})", parts.lo, parts.mid, parts.hi, parts.scale)
}
