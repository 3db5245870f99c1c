//! How wide columns are, at what size, and whether the paper stands or lies.

use crate::clean;
use crate::fonts::{self, Weight};
use crate::pdf::DrawError;

/// A4, in points.
const A4: (f64, f64) = (595.28, 841.89);
/// White around the page's content, in points: left and right, above, below (where the footer is).
pub(crate) const MARGIN: (f64, f64, f64) = (28.0, 28.0, 40.0);
/// White within a cell on each side, in points: beside and above or below the text.
pub(crate) const INSET: (f64, f64) = (2.5, 2.0);
/// Shaping and rounding may make a text a little wider than the sum of its letters.
pub(crate) const TIGHT: f64 = 0.97;
/// Sizes of a grid's text, the first that fits, in points.
const SIZES: [f64; 8] = [8.5, 8.0, 7.5, 7.0, 6.5, 6.0, 5.5, 5.0];
/// Size of all other text, in points.
const TEXT_SIZE: f64 = 9.0;
/// The part of a field's width that its label may have.
const LABEL_PART: f64 = 0.42;

/// Widest that a number is kept in one line, in ems: more than any amount needs.
const NUMBER_MAX: f64 = 30.0;
/// Widest that a word is kept in one line, in ems.
const WORD_MAX: f64 = 9.0;
/// Widest that a head's word is kept in one line, in ems.
const HEAD_WORD_MAX: f64 = 5.0;
/// Widest that a column is for its text alone, in ems.
const TEXT_MAX: f64 = 24.0;
/// Widest that a column is for its head alone, in ems.
const HEAD_MAX: f64 = 8.0;

/// The page of a paper.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Layout {
    pub(crate) landscape: bool,
    /// Size of the text in grids, in points.
    pub(crate) grid_size: f64,
}

impl Layout {
    /// Width and height of the page, in points.
    pub(crate) fn page(self) -> (f64, f64) {
        if self.landscape { (A4.1, A4.0) } else { A4 }
    }

    /// Width of the content, in points.
    pub(crate) fn width(self) -> f64 {
        self.page().0 - 2.0 * MARGIN.0
    }

    /// Height of the content, in points.
    pub(crate) fn height(self) -> f64 {
        self.page().1 - MARGIN.1 - MARGIN.2
    }

    /// Size of the text outside of grids, in points.
    pub(crate) const fn text_size() -> f64 {
        TEXT_SIZE
    }

    /// Fields beside each other.
    pub(crate) fn fields_of_row(self) -> usize {
        if self.landscape { 2 } else { 1 }
    }

    /// Widths of a field's label and value, in points, insets included.
    pub(crate) fn field_widths(self) -> (f64, f64) {
        let whole = self.width() / if self.landscape { 2.0 } else { 1.0 };
        (whole * LABEL_PART, whole * (1.0 - LABEL_PART))
    }
}

/// What a column needs, in ems.
#[derive(Debug, Clone)]
pub(crate) struct Need {
    pub(crate) numeric: bool,
    head_word: f64,
    head: f64,
    word: f64,
    text: f64,
}

impl Need {
    /// Of a column with that head.
    pub(crate) fn of(head: &str, numeric: bool) -> Self {
        let head_word = widest_word(head, Weight::Bold);
        Self { numeric, head_word, head: fonts::width(head, Weight::Bold), word: 1.0, text: 1.0 }
    }

    /// Makes room for a text.
    pub(crate) fn take(&mut self, text: &str, weight: Weight) {
        self.word = self.word.max(widest_word(text, weight));
        self.text = self.text.max(fonts::width(text, weight));
    }

    /// The least inner width.
    fn least(&self) -> f64 {
        let word = self.word.min(if self.numeric { NUMBER_MAX } else { WORD_MAX });
        word.max(self.head_word.min(HEAD_WORD_MAX)) / TIGHT
    }

    /// The inner width with which it looks best.
    fn natural(&self) -> f64 {
        let text = if self.numeric { 0.0 } else { self.text.min(TEXT_MAX) };
        self.least().max(text.max(self.head.min(HEAD_MAX)) / TIGHT)
    }
}

fn widest_word(text: &str, weight: Weight) -> f64 {
    text.split(' ').map(|word| fonts::width(word, weight)).fold(0.0, f64::max)
}

/// The page on which each of the grids has room.
pub(crate) fn layout(grids: &[Vec<Need>]) -> Result<Layout, DrawError> {
    let whole = |needs: &[Need], size: f64, need: fn(&Need) -> f64| -> f64 {
        needs.iter().map(|column| need(column).mul_add(size, 2.0 * INSET.0)).sum()
    };
    let upright = Layout { landscape: false, grid_size: SIZES[0] };
    if grids.iter().all(|needs| whole(needs, SIZES[0], Need::natural) <= upright.width()) {
        return Ok(upright);
    }
    SIZES
        .iter()
        .map(|size| Layout { landscape: true, grid_size: *size })
        .find(|layout| {
            grids.iter().all(|needs| whole(needs, layout.grid_size, Need::least) <= layout.width())
        })
        .ok_or_else(|| DrawError::TooWide { columns: grids.iter().map(Vec::len).max().unwrap_or(0) })
}

/// Widths of the columns of a grid, insets included, in points.
#[derive(Debug, Clone)]
pub(crate) struct Columns(pub(crate) Vec<f64>);

impl Columns {
    /// As wide as the page: what is left beyond the least goes first to those that would like more, then to texts.
    pub(crate) fn fit(needs: &[Need], layout: Layout) -> Self {
        let outer = |ems: f64| ems.mul_add(layout.grid_size, 2.0 * INSET.0);
        let mut widths: Vec<f64> = needs.iter().map(|need| outer(need.least())).collect();
        let wishes: Vec<f64> =
            needs.iter().zip(&widths).map(|(need, width)| outer(need.natural()) - width).collect();
        let mut left = layout.width() - widths.iter().sum::<f64>();
        let sum: f64 = wishes.iter().sum();
        let granted = if sum > 0.0 { (left / sum).clamp(0.0, 1.0) } else { 0.0 };
        for (width, wish) in widths.iter_mut().zip(&wishes) {
            *width += wish * granted;
            left -= wish * granted;
        }
        let texts = needs.iter().any(|need| !need.numeric);
        let grows = |need: &Need| !texts || !need.numeric;
        let growing: f64 =
            needs.iter().zip(&widths).filter(|(need, _)| grows(need)).map(|(_, width)| width).sum();
        if left > 0.0 && growing > 0.0 {
            for (width, _) in widths.iter_mut().zip(needs).filter(|(_, need)| grows(need)) {
                *width += left * *width / growing;
            }
        }
        Self(widths)
    }

    /// Width for the text of a column, in points.
    pub(crate) fn inner(&self, index: usize) -> f64 {
        self.0.get(index).map_or(0.0, |width| width - 2.0 * INSET.0)
    }
}

/// A word, cut where it is wider than `width` ems, before no mark and within no Bangla conjunct.
pub(crate) fn fragments(word: &str, width: f64, weight: Weight) -> Vec<&str> {
    let mut fragments = Vec::new();
    let (mut from, mut used, mut joins) = (0, 0.0, false);
    for (at, character) in word.char_indices() {
        let needed = fonts::advance(character, weight);
        let apart = !joins && !clean::mark(character) && !matches!(character, '\u{200c}' | '\u{200d}');
        if used + needed > width && at > from && apart {
            fragments.push(&word[from..at]);
            (from, used) = (at, 0.0);
        }
        used += needed;
        joins = matches!(character, '\u{9cd}' | '\u{200d}');
    }
    fragments.push(&word[from..]);
    fragments
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(count: usize, text: &str, numeric: bool) -> Vec<Need> {
        let mut need = Need::of("Amount", numeric);
        need.take(text, Weight::Regular);
        vec![need; count]
    }

    #[test]
    fn a_page_lies_only_where_a_grid_needs_it() {
        assert!(!layout(&[]).unwrap().landscape);
        assert!(!layout(&[needs(4, "1,234.00", true)]).unwrap().landscape);
        let wide = layout(&[needs(4, "1,234.00", true), needs(12, "1,23,456.00", true)]).unwrap();
        assert!(wide.landscape);
        assert!(layout(&[needs(20, "1,23,456.00", true)]).unwrap().grid_size < SIZES[0]);
        assert!(matches!(layout(&[needs(40, "1,23,456.00", true)]), Err(DrawError::TooWide { columns: 40 })));
    }

    #[test]
    fn columns_fill_the_page_and_keep_numbers_whole() {
        let mut columns = needs(3, "99,99,99,99,999.99", true);
        columns.extend(needs(1, &"some words of text ".repeat(20), false));
        let layout = layout(&[columns.clone()]).unwrap();
        let fitted = Columns::fit(&columns, layout);
        assert!((fitted.0.iter().sum::<f64>() - layout.width()).abs() < 1e-6);
        let number = fonts::width("99,99,99,99,999.99", Weight::Regular) * layout.grid_size;
        assert!((0..3).all(|index| fitted.inner(index) >= number));
        assert!(fitted.inner(3) > fitted.inner(0));
    }

    #[test]
    fn a_long_word_is_not_cut_within_a_conjunct() {
        for fragment in fragments(&"ক্ষি".repeat(50), 3.0, Weight::Regular) {
            assert!(fragment.starts_with('ক'), "{fragment}");
        }
        assert_eq!(fragments("abc", 9.0, Weight::Regular), ["abc"]);
    }
}
