//! What a paper is drawn from besides its form.

use niyam_values::{Cell, Date, Form, Label};

use crate::numerals::{self, Numerals};
use crate::seal::Seal;

/// The last copy that a paper may say it is.
pub const COPY_MAX: u8 = 9;

/// How a paper is drawn.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options {
    /// The one language (ISO 639-1) of titles and labels; all that they have if there is none.
    pub language: Option<String>,
    /// How its numbers are written.
    pub numerals: Numerals,
    /// Which copy it says it is, from 1 to [`COPY_MAX`].
    pub copy: Option<u8>,
}

/// A paper to be drawn.
#[derive(Debug, Clone, Copy)]
pub struct Paper<'a> {
    /// What it says.
    pub form: &'a Form,
    /// How.
    pub options: &'a Options,
    /// Its day, which the file bears as its date.
    pub date: Date,
    /// What its QR code says; none, no code.
    pub seal: Option<&'a Seal>,
}

impl Options {
    /// Those of `labels` that are printed: the one in the language, else the first, or all of them.
    pub(crate) fn chosen<'l>(&self, labels: &'l [Label]) -> &'l [Label] {
        let Some(language) = &self.language else { return labels };
        let found = labels.iter().position(|label| label.lang == *language).unwrap_or(0);
        labels.get(found..=found).unwrap_or(&[])
    }

    /// The languages that a form is printed in.
    pub(crate) fn languages<'f>(&self, form: &'f Form) -> Vec<&'f str> {
        self.chosen(&form.titles).iter().map(|label| label.lang.as_str()).collect()
    }

    /// What stands in a cell.
    pub(crate) fn text(&self, cell: &Cell) -> String {
        match cell {
            Cell::Text(text) => text.clone(),
            Cell::Amount(value) => numerals::amount(*value, self.numerals),
            Cell::Day(day) => numerals::digits(&day.to_string(), self.numerals.digits),
            Cell::Empty => String::new(),
        }
    }
}
