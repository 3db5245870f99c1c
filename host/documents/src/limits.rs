//! How large a form may be to be drawn: a bound on time and memory, not on what the law asks for.

use niyam_values::{Block, Cell, Form, Label};

/// Most blocks of a form.
pub const BLOCKS_MAX: usize = 500;
/// Most columns of a grid.
pub const COLUMNS_MAX: usize = 40;
/// Most cells of all grids together: a register of 10,000 rows of 15 columns.
pub const CELLS_MAX: usize = 150_000;
/// Most bytes of all texts together.
pub const TEXT_BYTES_MAX: usize = 4 << 20;

/// A form that is too large to be drawn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the form has {found} {what}, and at most {most} are drawn")]
pub struct TooLarge {
    /// What there is too much of.
    pub what: &'static str,
    /// How much.
    pub found: usize,
    /// The limit.
    pub most: usize,
}

/// Refuses a form that is too large.
pub(crate) fn check(form: &Form) -> Result<(), TooLarge> {
    let within = |what, found, most| if found > most { Err(TooLarge { what, found, most }) } else { Ok(()) };
    within("blocks", form.blocks.len(), BLOCKS_MAX)?;
    let (mut cells, mut bytes) = (0, label_bytes(&form.titles));
    for block in &form.blocks {
        match block {
            Block::Fields(fields) => {
                cells += fields.len() * 2;
                bytes += fields
                    .iter()
                    .map(|field| label_bytes(&field.labels) + cell_bytes(&field.value))
                    .sum::<usize>();
            }
            Block::Grid(grid) => {
                within("columns", grid.columns.len(), COLUMNS_MAX)?;
                cells += (grid.rows.len() + 2) * grid.columns.len();
                bytes += grid.columns.iter().map(|column| label_bytes(&column.labels)).sum::<usize>();
                bytes += grid.rows.iter().flatten().chain(&grid.totals).map(cell_bytes).sum::<usize>();
            }
            Block::Paragraph(labels) => bytes += label_bytes(labels),
        }
    }
    within("cells", cells, CELLS_MAX)?;
    within("bytes of text", bytes, TEXT_BYTES_MAX)
}

fn label_bytes(labels: &[Label]) -> usize {
    labels.iter().map(|label| label.text.len() + label.lang.len()).sum()
}

fn cell_bytes(cell: &Cell) -> usize {
    match cell {
        Cell::Text(text) => text.len(),
        _ => 0,
    }
}
