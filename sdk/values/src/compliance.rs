//! What a country demands beyond the tax itself: calendar, papers, returns.

use crate::{Attributes, Date, Decimal, Determination, Document, Finding};

/// One tax period.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FiscalPeriod {
    /// For example `FY2026-2027-P01`.
    pub code: String,
    /// For example `2026-2027`.
    pub fiscal_year: String,
    /// First day.
    pub starts: Date,
    /// Last day.
    pub ends: Date,
}

/// A day by which something must be filed or paid.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Obligation {
    /// Kebab-case.
    pub code: String,
    /// For a person.
    pub title: String,
    /// Code of the period that it is for.
    pub period: String,
    /// Last day.
    pub due: Date,
}

/// How a document is to be issued, or why it may not be.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct IssuePlan {
    /// Code of the paper that the document is issued as, for example `mushak-6.3`.
    pub form: String,
    /// The series that its number is drawn from, without a gap, for example `mushak-6.3/2026-2027`.
    pub series: String,
    /// The number's text; `{serial}` stands for the drawn serial, for example `{serial}/2026-2027`.
    pub number_pattern: String,
    /// Warnings and infos.
    pub findings: Vec<Finding>,
}

/// A text in one language (`bn`, `en`).
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Label {
    /// ISO 639-1.
    pub lang: String,
    /// The text.
    pub text: String,
}

/// One value on a form.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case", tag = "type", content = "value")
)]
pub enum Cell {
    /// Words.
    Text(String),
    /// A number.
    Amount(Decimal),
    /// A date.
    Day(Date),
    /// Nothing.
    Empty,
}

/// A labelled value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Field {
    /// Stable, `snake_case`.
    pub key: String,
    /// The printed label, by language.
    pub labels: Vec<Label>,
    /// The value.
    pub value: Cell,
}

/// A column of a grid.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Column {
    /// Stable, `snake_case`.
    pub key: String,
    /// The printed label, by language.
    pub labels: Vec<Label>,
    /// Whether it holds numbers.
    pub numeric: bool,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Grid {
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows, each as long as `columns`.
    pub rows: Vec<Vec<Cell>>,
    /// The last row; empty, or as long as `columns`.
    pub totals: Vec<Cell>,
}

/// A part of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Block {
    /// Labelled values.
    Fields(Vec<Field>),
    /// A table.
    Grid(Grid),
    /// A text, by language.
    Paragraph(Vec<Label>),
}

/// A paper, free of layout: the host draws it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Form {
    /// For example `mushak-6.3`.
    pub code: String,
    /// Its title, by language.
    pub titles: Vec<Label>,
    /// From top to bottom.
    pub blocks: Vec<Block>,
}

/// The facts of an issued document that its paper shows beyond the document itself.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct IssueFacts {
    /// The number given.
    pub number: String,
    /// The day of issue, in the tenant's time zone.
    pub issued_on: Date,
    /// The time of issue in the tenant's time zone, `HH:MM:SS`.
    pub issued_at: String,
    /// For example `responsible_person`, `designation`.
    pub attributes: Attributes,
}

/// One line of the tax register that the host keeps from its events.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct RegisterEntry {
    /// The document.
    pub document: Document,
    /// Its taxes.
    pub taxes: Determination,
    /// Its issue.
    pub facts: IssueFacts,
}

/// A balance carried into a period.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct OpeningBalance {
    /// The pack's code of the balance.
    pub code: String,
    /// In the country's own currency.
    pub amount: Decimal,
}

/// An account that a new chart starts with.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AccountTemplate {
    /// The account's code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// `asset`, `liability`, `equity`, `income` or `expense`.
    pub class: String,
    /// Code of the account above it.
    pub parent: Option<String>,
    /// What postings know it by.
    pub role: Option<String>,
}
