//! A paper as JSON, and the digest that names what it says.

use std::collections::BTreeMap;

use niyam_values::{Block, Cell, Form, Grid, Label};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

/// A paper, free of layout.
#[derive(Debug, Serialize, ToSchema)]
pub struct FormView {
    #[schema(example = "mushak-6.3")]
    code: String,
    /// By language.
    titles: BTreeMap<String, String>,
    blocks: Vec<BlockView>,
}

/// A part of a paper.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum BlockView {
    /// Labelled values.
    Fields {
        /// From top to bottom.
        fields: Vec<FieldView>,
    },
    /// A table: rows and totals by column key.
    Grid {
        /// From left to right.
        columns: Vec<ColumnView>,
        /// From top to bottom.
        rows: Vec<BTreeMap<String, Option<String>>>,
        /// The last row.
        totals: BTreeMap<String, Option<String>>,
    },
    /// A text, by language.
    Paragraph {
        /// By language.
        texts: BTreeMap<String, String>,
    },
}

/// A labelled value.
#[derive(Debug, Serialize, ToSchema)]
pub struct FieldView {
    key: String,
    labels: BTreeMap<String, String>,
    value: Option<String>,
}

/// A column.
#[derive(Debug, Serialize, ToSchema)]
pub struct ColumnView {
    key: String,
    labels: BTreeMap<String, String>,
    numeric: bool,
}

/// The paper's JSON: [`FormView`].
///
/// # Errors
/// None that its types allow.
pub fn json(form: &Form) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&FormView::from(form))
}

/// SHA-256 of the paper's JSON, in lower-case hex: it names what the paper says, however it is drawn.
#[must_use]
pub fn digest(json: &[u8]) -> String {
    hex::encode(Sha256::digest(json))
}

impl From<&Form> for FormView {
    fn from(form: &Form) -> Self {
        let blocks = form.blocks.iter().map(BlockView::from).collect();
        Self { code: form.code.clone(), titles: texts(&form.titles), blocks }
    }
}

impl From<&Block> for BlockView {
    fn from(block: &Block) -> Self {
        match block {
            Block::Fields(fields) => Self::Fields {
                fields: fields
                    .iter()
                    .map(|field| FieldView {
                        key: field.key.clone(),
                        labels: texts(&field.labels),
                        value: text(&field.value),
                    })
                    .collect(),
            },
            Block::Grid(grid) => Self::Grid {
                columns: grid
                    .columns
                    .iter()
                    .map(|column| ColumnView {
                        key: column.key.clone(),
                        labels: texts(&column.labels),
                        numeric: column.numeric,
                    })
                    .collect(),
                rows: grid.rows.iter().map(|row| keyed(grid, row)).collect(),
                totals: keyed(grid, &grid.totals),
            },
            Block::Paragraph(labels) => Self::Paragraph { texts: texts(labels) },
        }
    }
}

fn keyed(grid: &Grid, cells: &[Cell]) -> BTreeMap<String, Option<String>> {
    grid.columns.iter().zip(cells).map(|(column, cell)| (column.key.clone(), text(cell))).collect()
}

fn texts(labels: &[Label]) -> BTreeMap<String, String> {
    labels.iter().map(|label| (label.lang.clone(), label.text.clone())).collect()
}

fn text(cell: &Cell) -> Option<String> {
    match cell {
        Cell::Text(text) => Some(text.clone()),
        Cell::Amount(amount) => Some(amount.to_string()),
        Cell::Day(day) => Some(day.to_string()),
        Cell::Empty => None,
    }
}
