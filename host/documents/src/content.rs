//! What a paper says, as texts: chosen by language, cleaned, and cut into pieces that fit a page.

use niyam_values::{Block, Decimal, Field, Grid, Label};

use crate::carry::Carried;
use crate::clean;
use crate::columns::{self, Columns, INSET, Layout, Need, TIGHT, fragments};
use crate::fonts::{self, Weight};
use crate::limits;
use crate::options::{Options, Paper};
use crate::pdf::DrawError;
use crate::words;

/// Most lines of a piece of text; what is longer goes on in another piece, so that any page can take it.
const LINES_MAX: usize = 16;

/// A paper's texts.
pub(crate) struct Content<'a> {
    pub(crate) titles: Vec<String>,
    pub(crate) copy: Option<String>,
    pub(crate) blocks: Vec<BlockText<'a>>,
    /// The languages of its own words.
    pub(crate) languages: Vec<&'a str>,
    pub(crate) layout: Layout,
}

/// A part of a paper.
pub(crate) enum BlockText<'a> {
    Fields(Vec<FieldsRow>),
    Grid(GridText<'a>),
    Paragraph(String),
}

/// Labels and values in turn, or more of those before.
pub(crate) struct FieldsRow {
    pub(crate) cells: Vec<String>,
}

/// A table.
pub(crate) struct GridText<'a> {
    pub(crate) columns: Columns,
    pub(crate) head: Vec<String>,
    pub(crate) rows: Vec<RowText>,
    pub(crate) totals: Vec<String>,
    /// The columns whose sums are carried from page to page, and where the words for it stand.
    pub(crate) carried: Option<Carried>,
    pub(crate) grid: &'a Grid,
}

/// A row, or more of the texts of the row before.
pub(crate) struct RowText {
    pub(crate) cells: Vec<String>,
    /// Which of the grid's rows it is the beginning or a part of.
    pub(crate) of: usize,
}

impl GridText<'_> {
    /// The sums of the carried columns over the rows up to and with piece `last`.
    pub(crate) fn sums(&self, last: usize) -> Vec<Decimal> {
        let Some(carried) = &self.carried else { return Vec::new() };
        self.rows.get(last).map_or_else(Vec::new, |row| carried.sums(&self.grid.rows[..=row.of]))
    }
}

impl<'a> Content<'a> {
    /// Takes the texts of the paper.
    pub(crate) fn of(paper: &Paper<'a>) -> Result<Self, DrawError> {
        limits::check(paper.form)?;
        let (form, options) = (paper.form, paper.options);
        let languages = options.languages(form);
        let grids: Vec<Raw> = form
            .blocks
            .iter()
            .filter_map(|block| match block {
                Block::Grid(grid) if !grid.columns.is_empty() => Some(Raw::of(grid, options, &languages)),
                _ => None,
            })
            .collect();
        let needs: Vec<_> = grids.iter().map(Raw::needs).collect();
        let layout = columns::layout(&needs)?;
        let mut fitted = grids.into_iter().zip(&needs);
        let mut blocks = Vec::with_capacity(form.blocks.len());
        for block in &form.blocks {
            match block {
                Block::Fields(fields) if fields.is_empty() => {}
                Block::Grid(grid) if grid.columns.is_empty() => {}
                Block::Fields(fields) => blocks.push(BlockText::Fields(fields_rows(fields, options, layout))),
                Block::Grid(_) => {
                    if let Some((raw, needs)) = fitted.next() {
                        blocks.push(BlockText::Grid(raw.fit(needs, layout)));
                    }
                }
                Block::Paragraph(labels) => {
                    for label in options.chosen(labels) {
                        let width = layout.width() / Layout::text_size();
                        let pieces = pieces(&printed(&label.text), width, Weight::Regular);
                        blocks.extend(pieces.into_iter().map(BlockText::Paragraph));
                    }
                }
            }
        }
        let titles = options.chosen(&form.titles).iter().map(|title| printed(&title.text)).collect();
        let copy = options.copy.map(|copy| words::copy(options, &languages, copy));
        Ok(Self { titles, copy, blocks, languages, layout })
    }
}

/// A grid's texts before the widths of its columns are known.
struct Raw<'a> {
    grid: &'a Grid,
    head: Vec<String>,
    rows: Vec<Vec<String>>,
    totals: Vec<String>,
    carried: Option<Carried>,
    /// The widest sum that may be carried.
    sums: Vec<String>,
}

impl<'a> Raw<'a> {
    fn of(grid: &'a Grid, options: &Options, languages: &[&str]) -> Self {
        let row = |cells: &Vec<_>| cells.iter().map(|cell| printed(&options.text(cell))).collect::<Vec<_>>();
        let carried = Carried::of(grid, languages);
        let sums = carried.as_ref().map_or_else(Vec::new, |carried| carried.widest(&grid.rows, options));
        Self {
            grid,
            head: grid.columns.iter().map(|column| joined(options.chosen(&column.labels))).collect(),
            rows: grid.rows.iter().map(row).collect(),
            totals: row(&grid.totals),
            carried,
            sums,
        }
    }

    fn needs(&self) -> Vec<Need> {
        let mut needs: Vec<_> = self
            .grid
            .columns
            .iter()
            .zip(&self.head)
            .map(|(column, head)| Need::of(head, column.numeric))
            .collect();
        for row in &self.rows {
            for (need, text) in needs.iter_mut().zip(row) {
                need.take(text, Weight::Regular);
            }
        }
        for ((index, need), text) in needs.iter_mut().enumerate().zip(&self.totals) {
            // A word before empty cells may stand across them.
            let across = self.totals.get(index + 1).is_some_and(String::is_empty);
            if !across || need.numeric && text.bytes().any(|byte| byte.is_ascii_digit()) {
                need.take(text, Weight::Bold);
            }
        }
        if let Some(carried) = &self.carried {
            for (index, sum) in carried.columns.iter().zip(&self.sums) {
                if let Some(need) = needs.get_mut(*index) {
                    need.take(sum, Weight::Bold);
                }
            }
        }
        needs
    }

    fn fit(self, needs: &[Need], layout: Layout) -> GridText<'a> {
        let columns = Columns::fit(needs, layout);
        let ems = |index: usize| columns.inner(index) / layout.grid_size;
        let whole = |text: &str, index: usize, weight| pieces(text, ems(index), weight).join(" ");
        let head =
            self.head.iter().enumerate().map(|(index, text)| whole(text, index, Weight::Bold)).collect();
        let mut rows = Vec::with_capacity(self.rows.len());
        for (of, cells) in self.rows.into_iter().enumerate() {
            split(cells, of, &ems, &mut rows);
        }
        GridText { columns, head, rows, totals: self.totals, carried: self.carried, grid: self.grid }
    }
}

/// Cuts a row into as many as its longest text needs.
fn split(cells: Vec<String>, of: usize, ems: &impl Fn(usize) -> f64, rows: &mut Vec<RowText>) {
    let fits = |(index, text): (usize, &String)| fonts::width(text, Weight::Regular) <= ems(index) * TIGHT;
    if cells.iter().enumerate().all(fits) {
        rows.push(RowText { cells, of });
        return;
    }
    let cut: Vec<Vec<String>> =
        cells.iter().enumerate().map(|(index, text)| pieces(text, ems(index), Weight::Regular)).collect();
    rows.extend(in_rows(&cut).map(|cells| RowText { cells, of }));
}

fn fields_rows(fields: &[Field], options: &Options, layout: Layout) -> Vec<FieldsRow> {
    let (label_width, value_width) = layout.field_widths();
    let ems = |width: f64| (width - 2.0 * INSET.0) / Layout::text_size();
    let mut rows = Vec::with_capacity(fields.len());
    for beside in fields.chunks(layout.fields_of_row()) {
        let cut = |field: &Field| {
            let label = joined(options.chosen(&field.labels));
            let value = printed(&options.text(&field.value));
            [
                pieces(&label, ems(label_width), Weight::Bold),
                pieces(&value, ems(value_width), Weight::Regular),
            ]
        };
        let cut: Vec<_> = beside.iter().flat_map(cut).collect();
        rows.extend(in_rows(&cut).map(|cells| FieldsRow { cells }));
    }
    rows
}

/// The first pieces of all beside each other, below them the second, and so on.
fn in_rows(cut: &[Vec<String>]) -> impl Iterator<Item = Vec<String>> {
    let rows = cut.iter().map(Vec::len).max().unwrap_or(0);
    (0..rows).map(|row| cut.iter().map(|pieces| pieces.get(row).cloned().unwrap_or_default()).collect())
}

/// A label in each of its languages.
fn joined(labels: &[Label]) -> String {
    let texts: Vec<String> = labels.iter().map(|label| printed(&label.text)).collect();
    texts.join(" / ")
}

fn printed(text: &str) -> String {
    clean::printable(text, fonts::covers)
}

/// Cuts a text into pieces of at most [`LINES_MAX`] lines `width` ems wide, and lets words that are wider break anywhere.
fn pieces(text: &str, width: f64, weight: Weight) -> Vec<String> {
    let width = width * TIGHT;
    if fonts::width(text, weight) <= width {
        return vec![text.to_owned()];
    }
    let blank = fonts::advance(' ', weight);
    let (mut pieces, mut piece, mut lines, mut used) = (Vec::new(), String::new(), 1, 0.0);
    for word in text.split(' ') {
        for (index, fragment) in fragments(word, width, weight).into_iter().enumerate() {
            let needed = fonts::width(fragment, weight);
            let glue = if index == 0 { blank } else { 0.0 };
            if !piece.is_empty() && used + glue + needed > width {
                lines += 1;
                used = 0.0;
                if lines > LINES_MAX {
                    pieces.push(std::mem::take(&mut piece));
                    lines = 1;
                }
            }
            if !piece.is_empty() {
                // Where the line may break: between words, and within a word that no line can take.
                piece.push(if index == 0 { ' ' } else { '\u{200b}' });
                used += glue;
            }
            piece.push_str(fragment);
            used += needed;
        }
    }
    pieces.push(piece);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_lose_no_letter_and_no_piece_is_too_long() {
        let text = "ক্ষুদ্র শিল্প প্রতিষ্ঠান Limited, ".repeat(80);
        let text = text.trim();
        let pieces = pieces(text, 12.0, Weight::Regular);
        assert!(pieces.len() > 5);
        assert_eq!(pieces.join(" "), text);
        for piece in &pieces {
            assert!(fonts::width(piece, Weight::Regular) <= 12.0 * 16.0);
        }
    }

    #[test]
    fn a_word_wider_than_the_line_may_break_between_letters() {
        let word = "W".repeat(500);
        let pieces = pieces(&word, 10.0, Weight::Bold);
        assert_eq!(pieces.join("").replace('\u{200b}', ""), word);
        for line in pieces.iter().flat_map(|piece| piece.split('\u{200b}')) {
            assert!(fonts::width(line, Weight::Bold) <= 10.0);
        }
    }

    #[test]
    fn what_fits_is_not_touched() {
        assert_eq!(pieces("Acme Ltd", 10.0, Weight::Regular), ["Acme Ltd"]);
        assert_eq!(pieces("", 10.0, Weight::Regular), [""]);
    }
}
