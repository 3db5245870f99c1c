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
