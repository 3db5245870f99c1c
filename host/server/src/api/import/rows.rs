//! What a body holds, row by row: a document, or why it is none.

use axum::body::Bytes;

use super::columns::Columns;
use crate::api::body::{BODY_BYTES_MAX, Body};
use crate::api::code::Code;
use crate::api::document::DocumentRequest;
use crate::api::problem::ApiError;

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Csv,
    JsonLines,
}

/// A row.
pub(super) struct Row {
    /// What tells it from another row under the same number.
    pub(super) content: Vec<u8>,
    pub(super) document: Result<DocumentRequest, ApiError>,
    /// Where its places are.
    pub(super) columns: Columns,
}

/// The rows of a body.
///
/// # Errors
/// When no row can be told from the others: the header of CSV is not there, or names a column twice or one that is not
/// known.
pub(super) fn rows(format: Format, body: &Bytes) -> Result<Vec<Row>, ApiError> {
    match format {
        Format::JsonLines => Ok(body.split(|byte| *byte == b'\n').filter(is_filled).map(json).collect()),
        Format::Csv => csv_rows(body),
    }
}

fn is_filled(line: &&[u8]) -> bool {
    !line.trim_ascii().is_empty()
}

fn json(line: &[u8]) -> Row {
    let document = if line.len() > BODY_BYTES_MAX {
        Err(ApiError::new(Code::BodyTooLarge, "a document has at most 1 MiB"))
    } else {
        Body(Bytes::copy_from_slice(line)).parse()
    };
    Row { content: line.to_vec(), document, columns: Columns::none() }
}

fn csv_rows(body: &Bytes) -> Result<Vec<Row>, ApiError> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    if !ends_each_quote(body) {
        return Err(ApiError::new(Code::CsvMalformed, "a quoted cell does not end"));
    }
    // Rows of another length are told as such, each by itself.
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(body);
    let header = reader.headers().map_err(|_| ApiError::new(Code::CsvMalformed, "the header is no UTF-8"))?;
    let columns = Columns::of(header)?;
    let mut rows = Vec::new();
    for record in reader.byte_records() {
        let Ok(record) = record else {
            return Err(ApiError::new(Code::CsvMalformed, "a quoted cell does not end"));
        };
        rows.push(record_row(&columns, record));
    }
    Ok(rows)
}

/// Whether each cell that begins with a quote ends with one; the reader itself takes the rest of the body as its cell.
fn ends_each_quote(body: &[u8]) -> bool {
    enum At {
        Start,
        Plain,
        Quoted,
        Quote,
    }
    let mut at = At::Start;
    for byte in body {
        at = match (at, *byte) {
            (At::Quoted, b'"') => At::Quote,
            (At::Quoted, _) | (At::Start | At::Quote, b'"') => At::Quoted,
            (_, b',' | b'\r' | b'\n') => At::Start,
            (At::Quote, _) => return false,
            _ => At::Plain,
        };
    }
    !matches!(at, At::Quoted)
}

fn record_row(columns: &Columns, record: csv::ByteRecord) -> Row {
    let mut content = Vec::new();
    for (index, cell) in record.iter().enumerate() {
        content.extend_from_slice(columns.name(index).as_bytes());
        content.push(0x1f);
        content.extend_from_slice(cell);
        content.push(0x1e);
    }
    let document = match csv::StringRecord::from_byte_record(record) {
        Err(_) => Err(ApiError::new(Code::CsvMalformed, "the row is no UTF-8")),
        Ok(record) => columns.document(&record).and_then(|json| {
            let bytes = serde_json::to_vec(&json).unwrap_or_default();
            Body(Bytes::from(bytes)).parse()
        }),
    };
    Row { content, document, columns: columns.clone() }
}
