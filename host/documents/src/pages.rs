//! What stands on which page.
//!
//! Pages are filled by the measured heights of what a paper consists of. So each page says what it carries before it is set, and
//! nothing has to be set again because of what it says.

use std::ops::Range;

use crate::content::{BlockText, Content, GridText};
use crate::pdf::DrawError;

/// White between parts, in points.
pub(crate) const GAP: f64 = 7.0;
/// Heights come from a computation with rounding.
const SLACK: f64 = 0.01;

/// A part of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// Titles, copy and QR code.
    Head,
    /// Rows of the fields of a block.
    Fields { block: usize, rows: Range<usize> },
    /// Rows of the grid of a block, under its head: sums up to the row `brought`, rows, sums up to the last of them, totals.
    Grid { block: usize, brought: Option<usize>, rows: Range<usize>, forward: bool, totals: bool },
    /// The text of a block.
    Paragraph { block: usize },
}

/// Heights, in points.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Heights {
    pub(crate) head: f64,
    pub(crate) blocks: Vec<BlockHeights>,
}

/// Heights of a part, in points.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum BlockHeights {
    Fields(Vec<f64>),
    Grid(GridHeights),
    Paragraph(f64),
}

/// Heights of the rows of a grid, in points; none for a row that it has not.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct GridHeights {
    pub(crate) head: f64,
    pub(crate) brought: f64,
    pub(crate) rows: Vec<f64>,
    pub(crate) forward: f64,
    pub(crate) totals: f64,
}

/// All of a paper on one page. With `samples`, each row that may be carried is there as well.
pub(crate) fn whole(content: &Content<'_>, samples: bool) -> Vec<Part> {
    let part = |(block, text): (usize, &BlockText<'_>)| match text {
        BlockText::Fields(rows) => Part::Fields { block, rows: 0..rows.len() },
        BlockText::Grid(grid) => {
            let carries = samples && grid.carried.is_some() && !grid.rows.is_empty();
            Part::Grid {
                block,
                brought: carries.then(|| grid.rows.len() - 1),
                rows: 0..grid.rows.len(),
                forward: carries,
                totals: !grid.totals.is_empty(),
            }
        }
        BlockText::Paragraph(_) => Part::Paragraph { block },
    };
    std::iter::once(Part::Head).chain(content.blocks.iter().enumerate().map(part)).collect()
}

/// Fills pages of `room` points.
pub(crate) fn fill(content: &Content<'_>, heights: &Heights, room: f64) -> Result<Vec<Vec<Part>>, DrawError> {
    let mut pages = Pages { room, used: 0.0, full: Vec::new(), page: Vec::new() };
    pages.put(Part::Head, heights.head)?;
    for (block, (text, heights)) in content.blocks.iter().zip(&heights.blocks).enumerate() {
        match (text, heights) {
            (BlockText::Grid(grid), BlockHeights::Grid(heights)) => pages.grid(block, grid, heights)?,
            (_, BlockHeights::Fields(rows)) => pages.fields(block, rows)?,
            (_, BlockHeights::Paragraph(height)) => pages.put(Part::Paragraph { block }, *height)?,
            (_, BlockHeights::Grid(_)) => {}
        }
    }
    pages.turn();
    Ok(pages.full)
}

struct Pages {
    room: f64,
    used: f64,
    full: Vec<Vec<Part>>,
    page: Vec<Part>,
}

impl Pages {
    /// What is left on the page for another part.
    fn left(&self) -> f64 {
        let gap = if self.page.is_empty() { 0.0 } else { GAP };
        self.room - self.used - gap + SLACK
    }

    fn push(&mut self, part: Part, height: f64) {
        self.used += height + if self.page.is_empty() { 0.0 } else { GAP };
        self.page.push(part);
    }

    fn turn(&mut self) {
        if !self.page.is_empty() {
            self.full.push(std::mem::take(&mut self.page));
            self.used = 0.0;
        }
    }

    /// A new page, unless this one is new already: then nothing will ever have room.
    fn turn_for_more(&mut self) -> Result<(), DrawError> {
        if self.page.is_empty() {
            return Err(DrawError::TooTall);
        }
        self.turn();
        Ok(())
    }

    fn put(&mut self, part: Part, height: f64) -> Result<(), DrawError> {
        if height > self.left() {
            self.turn_for_more()?;
            if height > self.left() {
                return Err(DrawError::TooTall);
            }
        }
        self.push(part, height);
        Ok(())
    }

    fn fields(&mut self, block: usize, rows: &[f64]) -> Result<(), DrawError> {
        let mut from = 0;
        while from < rows.len() {
            let (count, height) = most(&rows[from..], self.left());
            if count == 0 {
                self.turn_for_more()?;
                continue;
            }
            self.push(Part::Fields { block, rows: from..from + count }, height);
            from += count;
        }
        Ok(())
    }

    fn grid(&mut self, block: usize, grid: &GridText<'_>, heights: &GridHeights) -> Result<(), DrawError> {
        let carries = grid.carried.is_some();
        let totals = !grid.totals.is_empty();
        let mut left: f64 = heights.rows.iter().sum();
        let mut from = 0;
        loop {
            let brought = (carries && from > 0).then(|| from - 1);
            let above = heights.head + brought.map_or(0.0, |_| heights.brought);
            let rest = above + left + heights.totals;
            if rest <= self.left() {
                self.push(
                    Part::Grid { block, brought, rows: from..grid.rows.len(), forward: false, totals },
                    rest,
                );
                return Ok(());
            }
            let below = if carries { heights.forward } else { 0.0 };
            let (mut count, mut height) = most(&heights.rows[from..], self.left() - above - below);
            // The totals never stand alone.
            if count > 0 && from + count == grid.rows.len() {
                count -= 1;
                height -= heights.rows[from + count];
            }
            if count == 0 {
                self.turn_for_more()?;
                continue;
            }
            let rows = from..from + count;
            self.push(
                Part::Grid { block, brought, rows, forward: carries, totals: false },
                above + height + below,
            );
            self.turn();
            left -= height;
            from += count;
        }
    }
}

/// How many of `rows`, from the first, have room in `room`, and their height.
fn most(rows: &[f64], room: f64) -> (usize, f64) {
    let mut height = 0.0;
    for (count, row) in rows.iter().enumerate() {
        if height + row > room {
            return (count, height);
        }
        height += row;
    }
    (rows.len(), height)
}
