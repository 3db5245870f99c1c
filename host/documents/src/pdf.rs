//! From a form to the bytes of its PDF.

use typst::foundations::{Array, Dict, IntoValue as _, Str, Value, dict};

use crate::columns::{INSET, Layout, MARGIN};
use crate::content::{BlockText, Content, GridText};
use crate::limits::TooLarge;
use crate::options::Paper;
use crate::pages::{self, BlockHeights, GAP, GridHeights, Heights, Part};
use crate::seal::Seal;
use crate::typesetting::{self, Laid, Mark};
use crate::{options, view, words};

/// Rows above which a grid is not even tried on one page.
const ROWS_TRIED: usize = 60;
/// Side of a QR code, in points: 26 mm.
const CODE_SIDE: f64 = 74.0;
/// Size of titles, in points.
const TITLE_SIZE: f64 = 12.0;
/// How much of the digest the footer shows.
const DIGEST_SHOWN: usize = 16;

/// Why a form is not drawn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DrawError {
    /// It is too large.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// Its columns have no room beside each other.
    #[error("{columns} columns have no room on a page, at the smallest size")]
    TooWide {
        /// How many.
        columns: usize,
    },
    /// Its titles, or the head of a grid, leave no room for anything else.
    #[error("titles or the head of a table leave no room on the page")]
    TooTall,
    /// It has a copy's number that no paper has.
    #[error("a copy is numbered from 1 to {}", options::COPY_MAX)]
    NoCopy,
    /// The form cannot be written as JSON, or the typesetter failed on it: a fault of this crate.
    #[error("the typesetter failed: {0}")]
    Typesetting(String),
}

/// A paper as PDF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pdf {
    /// The file.
    pub bytes: Vec<u8>,
    /// Its pages.
    pub pages: usize,
}

/// Draws a paper as PDF/A-2b: the same bytes for the same paper, always.
///
/// # Errors
/// [`DrawError`].
pub fn pdf(paper: &Paper<'_>) -> Result<Pdf, DrawError> {
    let drawn = draw(paper);
    typesetting::forget();
    drawn
}

fn draw(paper: &Paper<'_>) -> Result<Pdf, DrawError> {
    let json = view::json(paper.form).map_err(|error| DrawError::Typesetting(error.to_string()))?;
    let digest = view::digest(&json);
    let laid = laid(paper, &digest)?;
    Ok(Pdf { bytes: laid.export(paper, digest)?, pages: laid.pages() })
}

/// The pages of a paper whose JSON has that digest.
pub(crate) fn laid(paper: &Paper<'_>, digest: &str) -> Result<Laid, DrawError> {
    if paper.options.copy.is_some_and(|copy| !(1..=options::COPY_MAX).contains(&copy)) {
        return Err(DrawError::NoCopy);
    }
    let content = Content::of(paper)?;
    let setter = Setter { paper, content: &content, digest };
    let small =
        |block: &BlockText<'_>| !matches!(block, BlockText::Grid(grid) if grid.rows.len() > ROWS_TRIED);
    if content.blocks.iter().all(small) {
        // Most papers are one page.
        let sheets = [pages::whole(&content, false)];
        let laid = setter.lay_out(&sheets, false)?;
        if laid.pages() == 1 {
            return Ok(laid);
        }
    }
    let heights = setter.measure()?;
    let sheets = pages::fill(&content, &heights, content.layout.height())?;
    let laid = setter.lay_out(&sheets, false)?;
    Setter::check(&laid, &sheets)?;
    Ok(laid)
}

struct Setter<'a> {
    paper: &'a Paper<'a>,
    content: &'a Content<'a>,
    digest: &'a str,
}

impl Setter<'_> {
    /// Lays sheets out, each on its page; `endless`, on a page as high as it needs.
    fn lay_out(&self, sheets: &[Vec<Part>], endless: bool) -> Result<Laid, DrawError> {
        let layout = self.content.layout;
        let mut marks = Marks::default();
        let pages: Array = sheets
            .iter()
            .enumerate()
            .map(|(index, sheet)| {
                let parts: Array =
                    sheet.iter().map(|part| Value::Dict(self.part(part, &mut marks))).collect();
                let foot = self.foot(index + 1, sheets.len());
                Value::Dict(dict! { "parts" => parts, "foot" => foot, "end" => marks.next() })
            })
            .collect();
        let (width, height) = layout.page();
        let title = self.content.titles.join(" / ");
        let lang = self.content.languages.first().filter(|lang| typst_language(lang)).unwrap_or(&"en");
        typesetting::lay_out(dict! {
            "title" => text(if title.is_empty() { &self.paper.form.code } else { &title }),
            "lang" => text(lang),
            "text-size" => Layout::text_size(),
            "grid-size" => layout.grid_size,
            "title-size" => TITLE_SIZE,
            "inset" => numbers(&[INSET.0, INSET.1]),
            "margin" => numbers(&[MARGIN.0, MARGIN.1, MARGIN.2]),
            "gap" => GAP,
            "width" => width,
            "height" => height,
            "endless" => endless,
            "pages" => pages,
        })
    }

    fn part(&self, part: &Part, marks: &mut Marks) -> Dict {
        match part {
            Part::Head => self.head(marks),
            Part::Fields { block, rows } => match self.content.blocks.get(*block) {
                Some(BlockText::Fields(all)) => {
                    let cells: Array = all[rows.clone()]
                        .iter()
                        .flat_map(|row| {
                            let mark = marks.next();
                            row.cells.iter().enumerate().map(move |(index, cell)| {
                                let mut field = dict! { "text" => text(cell), "bold" => index % 2 == 0 };
                                if index == 0 {
                                    field.insert("mark".into(), mark.into_value());
                                }
                                Value::Dict(field)
                            })
                        })
                        .collect();
                    let (label, value) = self.content.layout.field_widths();
                    let widths = [label, value].repeat(self.content.layout.fields_of_row());
                    dict! { "kind" => "fields", "widths" => numbers(&widths), "cells" => cells }
                }
                _ => Dict::new(),
            },
            Part::Grid { block, brought, rows, forward, totals } => match self.content.blocks.get(*block) {
                Some(BlockText::Grid(grid)) => {
                    self.grid(grid, *brought, rows.clone(), (*forward, *totals), marks)
                }
                _ => Dict::new(),
            },
            Part::Paragraph { block } => match self.content.blocks.get(*block) {
                Some(BlockText::Paragraph(said)) => {
                    dict! { "kind" => "paragraph", "mark" => marks.next(), "text" => text(said) }
                }
                _ => Dict::new(),
            },
        }
    }

    fn head(&self, marks: &mut Marks) -> Dict {
        let titles: Array = self.content.titles.iter().map(|title| text(title)).collect();
        let code = self.paper.seal.and_then(Seal::modules);
        let code = code.map_or(Value::None, |modules| Value::Content(typesetting::code(&modules, CODE_SIDE)));
        dict! {
            "kind" => "head",
            "mark" => marks.next(),
            "titles" => titles,
            "copy" => text(self.content.copy.as_deref().unwrap_or_default()),
            "code" => code,
            "side" => CODE_SIDE,
        }
    }

    fn grid(
        &self,
        grid: &GridText<'_>,
        brought: Option<usize>,
        rows: std::ops::Range<usize>,
        (forward, totals): (bool, bool),
        marks: &mut Marks,
    ) -> Dict {
        let head: Array = grid
            .head
            .iter()
            .enumerate()
            .map(|(index, label)| {
                let mut cell = dict! { "text" => text(label), "bold" => true };
                if index == 0 {
                    cell.insert("mark".into(), marks.next().into_value());
                }
                Value::Dict(cell)
            })
            .collect();
        let mut cells = Array::with_capacity((rows.len() + 3) * grid.head.len());
        if let Some(last) = brought {
            self.carried(grid, last, true, marks, &mut cells);
        }
        for row in &grid.rows[rows.clone()] {
            for (index, cell) in row.cells.iter().enumerate() {
                cells.push(match index {
                    0 => Value::Dict(dict! { "text" => text(cell), "mark" => marks.next() }),
                    _ => text(cell),
                });
            }
        }
        if let (true, Some(last)) = (forward, rows.end.checked_sub(1)) {
            self.carried(grid, last, false, marks, &mut cells);
        }
        if totals {
            bold_row(&grid.totals, marks, &mut cells);
        }
        let numeric: Array = grid.grid.columns.iter().map(|column| column.numeric.into_value()).collect();
        dict! {
            "kind" => "rows",
            "widths" => numbers(&grid.columns.0),
            "numeric" => numeric,
            "head" => head,
            "cells" => cells,
        }
    }

    /// A row of the sums up to piece `last`.
    fn carried(&self, grid: &GridText<'_>, last: usize, brought: bool, marks: &mut Marks, cells: &mut Array) {
        let Some(carried) = &grid.carried else { return };
        let mut row = vec![String::new(); grid.head.len()];
        row[carried.label_at.0].clone_from(if brought { &carried.brought } else { &carried.forward });
        for (index, sum) in carried.columns.iter().zip(grid.sums(last)) {
            row[*index] = crate::amount(sum, self.paper.options.numerals);
        }
        bold_row(&row, marks, cells);
    }

    fn foot(&self, number: usize, of: usize) -> Array {
        let code = crate::clean::printable(&self.paper.form.code, crate::fonts::covers);
        let about = format!("{code} · {}", self.digest.get(..DIGEST_SHOWN).unwrap_or_default());
        let page = words::page(self.paper.options, &self.content.languages, number, of);
        [text(&about), text(&page)].into_iter().collect()
    }

    /// Heights of all that the paper consists of.
    fn measure(&self) -> Result<Heights, DrawError> {
        let parts = pages::whole(self.content, true);
        let laid = self.lay_out(std::slice::from_ref(&parts), true)?;
        let marks: Vec<Mark> = laid.marks().into_iter().collect::<Option<_>>().ok_or_else(lost)?;
        let mut measure = Measure { marks: &marks, at: 0 };
        let mut heights = Heights { head: 0.0, blocks: Vec::with_capacity(parts.len()) };
        for (index, part) in parts.iter().enumerate() {
            let gap = if index + 1 < parts.len() { GAP } else { 0.0 };
            match part {
                Part::Head => heights.head = measure.rows(1, 0.0, gap)?.iter().sum(),
                Part::Paragraph { .. } => {
                    heights.blocks.push(BlockHeights::Paragraph(measure.rows(1, 0.0, gap)?.iter().sum()));
                }
                Part::Fields { rows, .. } => {
                    heights.blocks.push(BlockHeights::Fields(measure.rows(rows.len(), INSET.1, gap)?));
                }
                Part::Grid { brought, rows, forward, totals, .. } => {
                    let extra = [brought.is_some(), *forward, *totals].map(usize::from);
                    let all = measure.rows(1 + rows.len() + extra.iter().sum::<usize>(), INSET.1, gap)?;
                    let first = 1 + extra[0];
                    let end = first + rows.len();
                    let one = |there: usize, at: usize| if there == 1 { all[at] } else { 0.0 };
                    heights.blocks.push(BlockHeights::Grid(GridHeights {
                        head: all[0],
                        brought: one(extra[0], 1),
                        rows: all[first..end].to_vec(),
                        forward: one(extra[1], end),
                        totals: one(extra[2], end + extra[1]),
                    }));
                }
            }
        }
        Ok(heights)
    }

    /// Whether each row stands on the page that says what was carried up to it.
    fn check(laid: &Laid, sheets: &[Vec<Part>]) -> Result<(), DrawError> {
        let mut planned = Vec::new();
        for (page, sheet) in sheets.iter().enumerate() {
            let marks: usize = sheet.iter().map(marks_of).sum();
            planned.resize(planned.len() + marks + 1, page);
        }
        let found = laid.marks();
        let stands = laid.pages() == sheets.len()
            && found.len() == planned.len()
            && found.iter().zip(&planned).all(|(mark, page)| mark.is_some_and(|mark| mark.page == *page));
        if stands { Ok(()) } else { Err(lost()) }
    }
}

/// Numbers for rows, in the order in which they are set.
#[derive(Default)]
struct Marks(i64);

impl Marks {
    fn next(&mut self) -> i64 {
        self.0 += 1;
        self.0 - 1
    }
}

fn marks_of(part: &Part) -> usize {
    match part {
        Part::Head | Part::Paragraph { .. } => 1,
        Part::Fields { rows, .. } => rows.len(),
        Part::Grid { brought, rows, forward, totals, .. } => {
            1 + rows.len() + usize::from(brought.is_some()) + usize::from(*forward) + usize::from(*totals)
        }
    }
}

/// Reads heights off marks.
struct Measure<'m> {
    marks: &'m [Mark],
    at: usize,
}

impl Measure<'_> {
    /// Heights of the next rows, whose marks are `inset` below their tops; another part begins `gap` after the last.
    fn rows(&mut self, count: usize, inset: f64, gap: f64) -> Result<Vec<f64>, DrawError> {
        let marks = self.marks.get(self.at..=self.at + count).ok_or_else(lost)?;
        self.at += count;
        let mut heights: Vec<f64> = marks.windows(2).map(|pair| pair[1].y - pair[0].y).collect();
        if let Some(last) = heights.last_mut() {
            *last += inset - gap;
        }
        Ok(heights)
    }
}

fn lost() -> DrawError {
    DrawError::Typesetting("rows stand elsewhere than they were measured".to_owned())
}

/// A row of sums: words before empty cells stand across them.
fn bold_row(row: &[String], marks: &mut Marks, cells: &mut Array) {
    let mut index = 0;
    let mark = marks.next();
    while index < row.len() {
        let words = !row[index].is_empty() && !row[index].chars().any(char::is_numeric);
        let empty = row[index + 1..].iter().take_while(|cell| cell.is_empty()).count();
        let span = if words { 1 + empty } else { 1 };
        let mut cell = dict! { "text" => text(&row[index]), "bold" => true };
        if words {
            cell.insert("span".into(), Value::Int(i64::try_from(span).unwrap_or(1)));
        }
        if index == 0 {
            cell.insert("mark".into(), mark.into_value());
        }
        cells.push(Value::Dict(cell));
        index += span;
    }
}

fn text(said: &str) -> Value {
    Value::Str(Str::from(said))
}

fn numbers(numbers: &[f64]) -> Array {
    numbers.iter().map(|number| Value::Float(*number)).collect()
}

/// Whether Typst takes it for a language: two or three letters.
fn typst_language(language: &str) -> bool {
    (2..=3).contains(&language.len()) && language.bytes().all(|byte| byte.is_ascii_lowercase())
}
