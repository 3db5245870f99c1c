//! Reports as CSV: one line for each row, after the currency and what the row is.

use axum::http::header;
use axum::response::Response;
use niyam_values::Cell;

use crate::api::csv::plain;
use crate::api::problem::ApiError;
use crate::api::respond;
use crate::commands::CommandError;
use crate::reports::Report;

use super::json::shown;

/// The report as a file.
pub(super) fn response(report: &Report) -> Result<Response, ApiError> {
    let text = text(report).map_err(|error| CommandError::Defect(error.to_string()))?;
    let mut response = Response::new(text.into());
    respond::set(&mut response, header::CONTENT_TYPE, "text/csv; charset=utf-8");
    let name = format!("attachment; filename=\"{}-{}.csv\"", report.name, report.as_of);
    respond::set(&mut response, header::CONTENT_DISPOSITION, &name);
    Ok(response)
}

fn text(report: &Report) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let by_currency = report.tables.iter().any(|table| table.currency.is_some());
    let head = by_currency.then_some("currency").into_iter().chain(["row"]);
    writer.write_record(head.chain(report.columns.iter().map(|column| column.key)))?;
    for table in &report.tables {
        for row in &table.rows {
            let mut record: Vec<String> = Vec::with_capacity(report.columns.len() + 2);
            if by_currency {
                record.push(table.currency.unwrap_or_default().to_owned());
            }
            record.push(row.kind.to_owned());
            record.extend(row.cells.iter().map(|cell| match cell {
                Cell::Text(text) => plain(text),
                cell => shown(cell).unwrap_or_default(),
            }));
            writer.write_record(&record)?;
        }
    }
    Ok(writer.into_inner()?)
}
