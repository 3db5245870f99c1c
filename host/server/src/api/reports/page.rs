//! Reports as pages to print.

use axum::http::header;
use axum::response::Response;
use maud::{DOCTYPE, Markup, html};
use niyam_values::Cell;

use super::json::shown;
use crate::api::respond;
use crate::reports::{Report, Row, Table};

const STYLE: &str = "body{font-family:'Noto Sans','Noto Sans Bengali',sans-serif;font-size:11px;margin:12mm}\
    h1{font-size:15px;margin:0}h2{font-size:13px;margin:12px 0 4px}p{margin:2px 0}\
    table{border-collapse:collapse;width:100%}td,th{padding:2px 6px;vertical-align:top;text-align:left}\
    th{border-bottom:1px solid #000}tr{break-inside:avoid}thead{display:table-header-group}\
    .n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}\
    .header td{font-weight:600}.total td,.closing td,.party td,.ledger td{border-top:1px solid #000;font-weight:600}\
    @page{size:A4 landscape;margin:10mm}@media print{body{margin:0}}";

/// The report as a page that loads nothing.
pub(super) fn response(report: &Report) -> Response {
    let mut response = Response::new(page(report).into_string().into());
    respond::set(&mut response, header::CONTENT_TYPE, "text/html; charset=utf-8");
    respond::set(
        &mut response,
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'unsafe-inline'",
    );
    response
}

fn page(report: &Report) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head { meta charset="utf-8"; title { (report.title) } style { (maud::PreEscaped(STYLE)) } }
            body {
                h1 { (report.title) }
                @if let Some(about) = &report.about { p { (about) } }
                p { @if let Some(from) = report.from { (from) " to " } @else { "Until " } (report.as_of) }
                p { "As recorded by " (report.known_at) ", position " (report.position) }
                @for table in &report.tables { (self::table(report, table)) }
            }
        }
    }
}

fn table(report: &Report, table: &Table) -> Markup {
    html! {
        @if let Some(currency) = table.currency { h2 { (currency) } }
        table {
            thead { tr { @for column in report.columns {
                th data-key=(column.key) class=[column.numeric.then_some("n")] { (column.label) }
            } } }
            tbody { @for row in &table.rows { (self::row(report, row)) } }
        }
    }
}

fn row(report: &Report, row: &Row) -> Markup {
    html! {
        tr class=(row.kind) { @for (column, cell) in report.columns.iter().zip(&row.cells) {
            td class=[(column.numeric || matches!(cell, Cell::Amount(_))).then_some("n")] {
                (shown(cell).unwrap_or_default())
            }
        } }
    }
}
