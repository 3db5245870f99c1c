//! A paper as a page of HTML that needs nothing beside it and runs nothing.

use maud::{DOCTYPE, Markup, PreEscaped, html as markup};
use niyam_values::{Block, Cell, Grid, Label};

use crate::clean::clean;
use crate::options::{Options, Paper};
use crate::seal::{Modules, Seal};
use crate::words;

const STYLE: &str = "body{font-family:'Noto Sans','Noto Sans Bengali',sans-serif;font-size:11px;margin:12mm}\
    header{display:grid;grid-template-columns:26mm auto 26mm}h1{font-size:15px;text-align:center;margin:0}\
    table{border-collapse:collapse;width:100%}thead{display:table-header-group}\
    .grid td,.grid th{border:1px solid #000;padding:3px;vertical-align:top}.n{text-align:right}\
    dl{display:grid;grid-template-columns:max-content auto;gap:2px 10px}dt{font-weight:600}dd{margin:0}\
    @page{size:A4 landscape;margin:10mm}@media print{body{margin:0}}";

/// Draws a paper as HTML.
#[must_use]
pub fn html(paper: &Paper<'_>) -> String {
    let (form, options) = (paper.form, paper.options);
    let languages = options.languages(form);
    let page = markup! {
        (DOCTYPE)
        html lang=(languages.first().unwrap_or(&"en")) {
            head { meta charset="utf-8"; title { (clean(&form.code)) } style { (PreEscaped(STYLE)) } }
            body {
                header {
                    div { @if let Some(copy) = options.copy { strong { (words::copy(options, &languages, copy)) } } }
                    div { @for title in options.chosen(&form.titles) { h1 lang=(title.lang) { (clean(&title.text)) } } }
                    div { @if let Some(modules) = paper.seal.and_then(Seal::modules) { (code(&modules)) } }
                }
                @for block in &form.blocks { (self::block(block, options)) }
            }
        }
    };
    page.into_string()
}

fn block(block: &Block, options: &Options) -> Markup {
    match block {
        Block::Fields(fields) => markup! {
            dl { @for field in fields {
                dt { (labels(options.chosen(&field.labels))) }
                dd data-key=(field.key) { (clean(&options.text(&field.value))) }
            } }
        },
        Block::Grid(grid) => markup! {
            table class="grid" {
                thead { tr { @for column in &grid.columns {
                    th data-key=(column.key) { (labels(options.chosen(&column.labels))) }
                } } }
                tbody { @for row in &grid.rows { (self::row(grid, row, options)) } }
                @if !grid.totals.is_empty() { tfoot { (self::row(grid, &grid.totals, options)) } }
            }
        },
        Block::Paragraph(labels) => {
            markup! { @for label in options.chosen(labels) { p lang=(label.lang) { (clean(&label.text)) } } }
        }
    }
}

fn row(grid: &Grid, cells: &[Cell], options: &Options) -> Markup {
    markup! {
        tr { @for (column, cell) in grid.columns.iter().zip(cells) {
            td class=[column.numeric.then_some("n")] { (clean(&options.text(cell))) }
        } }
    }
}

fn labels(labels: &[Label]) -> Markup {
    markup! { @for (index, label) in labels.iter().enumerate() {
        @if index > 0 { " / " }
        span lang=(label.lang) { (clean(&label.text)) }
    } }
}

fn code(modules: &Modules) -> Markup {
    let runs = modules.runs();
    let runs: Vec<String> =
        runs.iter().map(|(row, first, length)| format!("M{first} {row}h{length}v1h-{length}z")).collect();
    let path = runs.concat();
    let side = modules.side();
    markup! {
        svg viewBox=(format!("0 0 {side} {side}")) width="26mm" height="26mm" shape-rendering="crispEdges" {
            path d=(path) {}
        }
    }
}
