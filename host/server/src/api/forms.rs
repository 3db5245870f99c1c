//! Papers of issued invoices: drawn by the pack that issued them, shown as JSON or as a printable page.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::Response;
use maud::{DOCTYPE, Markup, html};
use niyam_values::{Block, Cell, Form, Grid, Label};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::caller::Caller;
use crate::api::invoices::invoice_id;
use crate::api::problem::{ApiError, Problem};
use crate::api::respond;
use crate::api::router::Api;
use crate::roles::READERS;

/// A paper, free of layout.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FormView {
    #[schema(example = "mushak-6.3")]
    code: String,
    /// By language.
    titles: BTreeMap<String, String>,
    blocks: Vec<BlockView>,
}

/// A part of a paper.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum BlockView {
    /// Labelled values.
    Fields { fields: Vec<FieldView> },
    /// A table: rows and totals by column key.
    Grid {
        columns: Vec<ColumnView>,
        rows: Vec<BTreeMap<String, Option<String>>>,
        totals: BTreeMap<String, Option<String>>,
    },
    /// A text, by language.
    Paragraph { texts: BTreeMap<String, String> },
}

/// A labelled value.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FieldView {
    key: String,
    labels: BTreeMap<String, String>,
    value: Option<String>,
}

/// A column.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ColumnView {
    key: String,
    labels: BTreeMap<String, String>,
    numeric: bool,
}

/// A paper of an issued invoice.
#[utoipa::path(get, path = "/v1/invoices/{id}/forms/{code}", tag = "invoices",
    params(("id" = String, Path), ("code" = String, Path, example = "mushak-6.3")),
    responses(
        (status = 200, content((FormView = "application/json"), (String = "text/html"))),
        (status = 404, body = Problem), (status = 406, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn draw(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path((id, code)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    caller.require(READERS)?;
    let page = caller.wants_page()?;
    let form = api.app.draw_form(&caller.actor, invoice_id(&id)?, code).await?;
    if page {
        return Ok(html(&form));
    }
    respond::json(&FormView::from(&form))
}

/// A paper as a printable page.
pub(crate) fn html(form: &Form) -> Response {
    let mut response = Response::new(page(form).into_string().into());
    respond::set(&mut response, header::CONTENT_TYPE, "text/html; charset=utf-8");
    respond::set(
        &mut response,
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'unsafe-inline'",
    );
    response
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

const STYLE: &str = "body{font-family:'Noto Sans Bengali','Noto Sans',sans-serif;font-size:11px;margin:12mm}\
    h1{font-size:15px;text-align:center}table{border-collapse:collapse;width:100%}\
    .grid td,.grid th{border:1px solid #000;padding:3px;vertical-align:top}.n{text-align:right}\
    dl{display:grid;grid-template-columns:max-content auto;gap:2px 10px}dt{font-weight:600}dd{margin:0}\
    @page{size:A4 landscape;margin:10mm}@media print{body{margin:0}}";

fn page(form: &Form) -> Markup {
    html! {
        (DOCTYPE)
        html lang="bn" {
            head { meta charset="utf-8"; title { (form.code) } style { (maud::PreEscaped(STYLE)) } }
            body {
                @for title in &form.titles { h1 lang=(title.lang) { (title.text) } }
                @for block in &form.blocks { (self::block(block)) }
            }
        }
    }
}

fn block(block: &Block) -> Markup {
    match block {
        Block::Fields(fields) => html! {
            dl { @for field in fields {
                dt { (labels(&field.labels)) }
                dd data-key=(field.key) { (text(&field.value).unwrap_or_default()) }
            } }
        },
        Block::Grid(grid) => html! {
            table class="grid" {
                thead { tr { @for column in &grid.columns { th data-key=(column.key) { (labels(&column.labels)) } } } }
                tbody { @for row in &grid.rows { (self::row(grid, row)) } }
                @if !grid.totals.is_empty() { tfoot { (self::row(grid, &grid.totals)) } }
            }
        },
        Block::Paragraph(labels) => html! { @for label in labels { p lang=(label.lang) { (label.text) } } },
    }
}

fn row(grid: &Grid, cells: &[Cell]) -> Markup {
    html! {
        tr { @for (column, cell) in grid.columns.iter().zip(cells) {
            td class=[column.numeric.then_some("n")] { (text(cell).unwrap_or_default()) }
        } }
    }
}

fn labels(labels: &[Label]) -> Markup {
    html! { @for (index, label) in labels.iter().enumerate() {
        @if index > 0 { " / " }
        span lang=(label.lang) { (label.text) }
    } }
}
