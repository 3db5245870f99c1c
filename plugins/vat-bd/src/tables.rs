//! The pack's data as static tables: rates, units, thresholds, the law cited, the paper's labels.
//!
//! `build.rs` makes them from `data/*.csv`. Nothing here decides anything; [`rates`](crate::rates) looks up.

#![expect(clippy::unreadable_literal, reason = "the tables are generated")]

use niyam_sdk::{Citation, Date, Decimal};

/// What one code is charged, between two days.
#[derive(Debug)]
pub struct Rate {
    /// Supply code.
    pub code: &'static str,
    /// Variant of the code; empty where it has none.
    pub variant: &'static str,
    /// Other spellings of the variant.
    pub also: &'static [&'static str],
    /// Whether it holds for a line that names no variant.
    pub fallback: bool,
    /// What is charged.
    pub charge: Charge,
    /// First day.
    pub first_day: Date,
    /// Last day; absent while it is in force.
    pub last_day: Option<Date>,
    /// Where the first day is an assumption: the first day that a text read confirms.
    pub verified_from: Option<Date>,
    /// Whether the recipient deducts the tax at source.
    pub withholding: bool,
    /// Index into [`CITATIONS`].
    pub citation: u16,
    /// How far its source can be trusted: A, B, C or U, as the README explains.
    pub mark: char,
    /// What is supplied.
    pub title: &'static str,
}

/// How tax is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charge {
    /// Percent of the value.
    Percent(Decimal),
    /// Zero-rated: no tax, and the supplier's input credit stays.
    Zero,
    /// No tax, and no input credit.
    Exempt,
    /// An amount for each unit.
    Specific {
        /// Taka for one unit.
        taka: Decimal,
        /// Index into [`UNITS`].
        unit: u8,
    },
}

/// An account of the chart to begin with.
#[derive(Debug)]
pub struct AccountRow {
    /// Its code.
    pub code: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Its class, as the contract names it.
    pub class: &'static str,
    /// Code of the account above it; empty at the top.
    pub parent: &'static str,
    /// What postings know it by; empty where none do.
    pub role: &'static str,
}

/// A unit that a specific amount is charged by.
#[derive(Debug)]
pub struct Unit {
    /// Its name.
    pub name: &'static str,
    /// Other spellings.
    pub synonyms: &'static [&'static str],
}

impl Unit {
    /// Whether `spelled` means this unit; case does not count.
    #[must_use]
    pub fn is(&self, spelled: &str) -> bool {
        let spelled = spelled.trim();
        self.name.eq_ignore_ascii_case(spelled)
            || self.synonyms.iter().any(|synonym| synonym.eq_ignore_ascii_case(spelled))
    }
}

/// A place in the law.
#[derive(Debug)]
pub struct Article {
    /// The act or order.
    pub source: &'static str,
    /// The place in it.
    pub article: &'static str,
    /// The first day of the text, where it is known.
    pub first_day: Option<Date>,
}

impl Article {
    /// It as a determination carries it.
    #[must_use]
    pub fn citation(&self) -> Citation {
        Citation {
            source: self.source.to_owned(),
            article: self.article.to_owned(),
            effective_from: self.first_day,
        }
    }
}

/// An amount from which the law asks for more, between two days.
#[derive(Debug)]
pub struct Threshold {
    /// Its name.
    pub key: &'static str,
    /// In taka; the law asks for more above it.
    pub taka: Decimal,
    /// First day.
    pub first_day: Date,
    /// Last day; absent while it is in force.
    pub last_day: Option<Date>,
    /// Index into [`CITATIONS`].
    pub citation: u16,
}

/// A percentage or a count that the law sets, between two days.
#[derive(Debug)]
pub struct Levy {
    /// Its name.
    pub key: &'static str,
    /// Percent, days, months or periods, as the name says.
    pub value: Decimal,
    /// First day.
    pub first_day: Date,
    /// Last day; absent while it is in force.
    pub last_day: Option<Date>,
    /// Where the first day is an assumption: the first day that a text read confirms.
    pub verified_from: Option<Date>,
    /// Index into [`CITATIONS`].
    pub citation: u16,
}

/// At what rate income tax is deducted from one kind of payment, between two days.
#[derive(Debug)]
pub struct TdsRow {
    /// The nature of the payment.
    pub key: &'static str,
    /// Whose income it is.
    pub person: Person,
    /// The rate.
    pub percent: Decimal,
    /// First day.
    pub first_day: Date,
    /// Last day; absent while it is in force.
    pub last_day: Option<Date>,
    /// Index into [`CITATIONS`].
    pub citation: u16,
    /// What is paid for.
    pub title: &'static str,
}

/// Whose income tax is deducted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Person {
    /// Anybody's.
    Any,
    /// A natural person's.
    Natural,
    /// That of a company, a firm, anyone else.
    Other,
}

/// A paper or a register, free of layout.
#[derive(Debug)]
pub struct Paper {
    /// For example `mushak-6.7`.
    pub code: &'static str,
    /// Its title.
    pub title: Printed,
    /// Fields above the table.
    pub header: &'static [Printed],
    /// Columns of the table.
    pub columns: &'static [Printed],
    /// Fields below the table.
    pub footer: &'static [Printed],
}

/// A note of the return.
#[derive(Debug)]
pub struct Note {
    /// 1 to 68.
    pub number: u8,
    /// The part that it stands in.
    pub part: u8,
    /// Its columns.
    pub shape: Shape,
    /// What it is the sum of; empty where documents give it.
    pub formula: &'static [Term],
    /// Label in Bangla.
    pub bn: &'static str,
    /// Label in English.
    pub en: &'static str,
}

/// The columns of a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// a: value, b: supplementary duty, c: VAT.
    Supply,
    /// a: value, b: VAT.
    Purchase,
    /// a: the amount.
    Amount,
}

/// A term of a note's formula.
#[derive(Debug)]
pub struct Term {
    /// Whether it is subtracted.
    pub subtracted: bool,
    /// The note that it takes.
    pub note: u8,
    /// The column of it, where one is meant; otherwise each column goes to its own.
    pub column: Option<u8>,
}

/// A part of the return that holds notes.
#[derive(Debug)]
pub struct Part {
    /// 3 to 11.
    pub number: u8,
    /// Heading in Bangla.
    pub bn: &'static str,
    /// Heading in English.
    pub en: &'static str,
}

/// What a document may state for the return.
#[derive(Debug)]
pub struct Statement {
    /// The supply code of its line.
    pub code: &'static str,
    /// The kind of its document.
    pub kind: &'static str,
    /// The note that it goes to.
    pub note: u8,
    /// What it is.
    pub title: &'static str,
}

/// One place of a paper.
#[derive(Debug)]
pub struct Printed {
    /// Stable name.
    pub key: &'static str,
    /// Label in Bangla.
    pub bn: &'static str,
    /// Label in English.
    pub en: &'static str,
    /// Whether it holds numbers.
    pub numeric: bool,
    /// When it must be filled.
    pub needed: Needed,
}

/// When a place of a paper must be filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needed {
    /// On every paper.
    Always,
    /// When the value is above the threshold of the buyer's details.
    AboveThreshold,
    /// It may stay empty.
    No,
}

include!(concat!(env!("OUT_DIR"), "/tables.rs"));

/// The citation at `index` of [`CITATIONS`].
#[must_use]
pub fn citation(index: u16) -> Citation {
    CITATIONS[usize::from(index)].citation()
}

/// The threshold `key` on `day`.
#[must_use]
pub fn threshold(key: &str, day: Date) -> Option<&'static Threshold> {
    let holds = |row: &&Threshold| row.key == key && in_force(day, row.first_day, row.last_day);
    THRESHOLDS.iter().find(holds)
}

/// The percentage or count `key` on `day`.
#[must_use]
pub fn levy(key: &str, day: Date) -> Option<&'static Levy> {
    let start = LEVIES.partition_point(|row| row.key < key);
    let rows = LEVIES[start..].iter().take_while(|row| row.key == key);
    rows.into_iter().find(|row| in_force(day, row.first_day, row.last_day))
}

/// The rate of deduction from payments of nature `key` to `person` on `day`.
///
/// Where the nature tells persons apart and `person` is [`Person::Any`], the highest rate.
#[must_use]
pub fn tds(key: &str, person: Person, day: Date) -> Option<&'static TdsRow> {
    let start = TDS.partition_point(|row| row.key < key);
    let rows = TDS[start..].iter().take_while(|row| row.key == key);
    let fits = |row: &&TdsRow| {
        in_force(day, row.first_day, row.last_day)
            && (row.person == person || row.person == Person::Any || person == Person::Any)
    };
    rows.filter(fits).max_by_key(|row| row.percent)
}

/// The paper `code`.
#[must_use]
pub fn paper(code: &str) -> Option<&'static Paper> {
    PAPERS.binary_search_by(|paper| paper.code.cmp(code)).ok().map(|at| &PAPERS[at])
}

/// What `code` states for the return.
#[must_use]
pub fn statement(code: &str) -> Option<&'static Statement> {
    STATEMENTS.binary_search_by(|row| row.code.cmp(code)).ok().map(|at| &STATEMENTS[at])
}

fn in_force(day: Date, first: Date, last: Option<Date>) -> bool {
    first <= day && last.is_none_or(|last| day <= last)
}
