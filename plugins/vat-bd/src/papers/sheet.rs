//! A paper being drawn: its fields and their labels, and what is missing on it.

use niyam_sdk::{Block, Cell, Column, Decimal, Field, Finding, Form, Label};

use crate::config::Config;
use crate::tables::{self, Needed, Paper, Printed};
use crate::{papers, words};

/// A paper, and the findings about its mandatory fields.
pub(crate) struct Sheet {
    paper: &'static Paper,
    law: u16,
    pub(crate) findings: Vec<Finding>,
}

impl Sheet {
    /// A blank paper, whose mandatory fields rest on the citation `law`.
    pub(crate) fn new(paper: &'static Paper, law: u16) -> Self {
        Self { paper, law, findings: Vec::new() }
    }

    /// The fields of `places`; `value` gives each with the place that it comes from.
    pub(crate) fn fields(
        &mut self,
        places: &'static [Printed],
        above: bool,
        value: impl Fn(&str) -> (Cell, String),
    ) -> Vec<Field> {
        let mut fields = Vec::with_capacity(places.len());
        for place in places {
            let (value, pointer) = value(place.key);
            let needed = match place.needed {
                Needed::Always => true,
                Needed::AboveThreshold => above,
                Needed::No => false,
            };
            if needed && value == Cell::Empty {
                let message = format!("{} needs its {} ({})", self.paper.code, place.key, place.en);
                let finding = Finding::error("field-missing", message).at(pointer);
                self.findings.push(finding.citing(tables::citation(self.law)));
            }
            fields.push(Field { key: place.key.to_owned(), labels: labels(place), value });
        }
        fields
    }

    /// The paper, or what is missing on it.
    pub(crate) fn form(self, blocks: Vec<Block>) -> Result<Form, Vec<Finding>> {
        if self.findings.is_empty() {
            Ok(Form { code: self.paper.code.to_owned(), titles: labels(&self.paper.title), blocks })
        } else {
            Err(self.findings)
        }
    }
}

/// The columns of a paper.
pub(crate) fn columns(places: &[Printed]) -> Vec<Column> {
    places.iter().map(column).collect()
}

/// A column of a paper.
pub(crate) fn column(place: &Printed) -> Column {
    Column { key: place.key.to_owned(), labels: labels(place), numeric: place.numeric }
}

/// The label of a place, in Bangla and English.
pub(crate) fn labels(place: &Printed) -> Vec<Label> {
    both(place.bn, place.en)
}

/// A text in both languages.
pub(crate) fn both(bangla: &str, english: &str) -> Vec<Label> {
    let label = |lang: &str, text: &str| Label { lang: lang.to_owned(), text: text.to_owned() };
    vec![label("bn", bangla), label("en", english)]
}

/// What `amount` is in words; nothing where there are none.
pub(crate) fn in_words(config: &Config, amount: Decimal) -> Option<Block> {
    let (bangla, english) = (words::bangla(amount, config.words.lakh)?, words::english(amount)?);
    Some(Block::Paragraph(both(&format!("কথায়: {bangla} মাত্র"), &format!("In words: {english}"))))
}

/// A text, unless it is blank.
pub(crate) fn text(value: Option<&str>) -> Cell {
    let shown = value.map(str::trim).filter(|value| !value.is_empty());
    shown.map_or(Cell::Empty, |value| Cell::Text(value.to_owned()))
}

/// A BIN in its normal form.
pub(crate) fn bin(value: Option<&str>) -> Cell {
    value.map_or(Cell::Empty, |value| text(Some(&papers::normal_bin(value))))
}
