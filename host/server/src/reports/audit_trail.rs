//! All that happened to one document: who, when, and which decisions of modules shaped it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use niyam_domain::{Decision, DomainEvent as _, InvoiceEvent, StreamId, Version};
use niyam_store::Recorded;
use niyam_values::Cell;
use serde_json::Value;
use uuid::Uuid;

use super::read::{Found, Reading, ReportError};
use super::table::{Column, Row, Table, number, said, text};
use crate::commands::CommandError;
use crate::commands::metadata::Metadata;

/// The kinds of streams that bear a document's id: the document itself, and its entry. An invoice's trail has the
/// payments that settled it.
const STREAMS: [&str; 3] = ["invoice", "payment", "journal-entry"];

const COLUMNS: &[Column] = &[
    number("position", "Position"),
    text("recorded_at", "Recorded"),
    text("effective_date", "Counts for"),
    text("event", "What happened"),
    text("stream", "To"),
    number("version", "Version"),
    text("user", "User"),
    text("roles", "Roles"),
    text("trace_id", "Request"),
    text("decisions", "Decisions"),
    text("hash", "Hash"),
];

pub(super) async fn read(reading: &mut Reading<'_, '_>) -> Result<Found, ReportError> {
    let document = reading.asked.document.ok_or(ReportError::Missing("document"))?;
    let known_at = reading.asked.known_at.unwrap_or(Timestamp::MAX);
    let mut events = about(reading, document).await?;
    let payments: BTreeSet<Uuid> = events.iter().filter_map(payment_of).collect();
    for payment in payments {
        events.extend(about(reading, payment).await?);
    }
    events.retain(|event| event.recorded_at <= known_at && event.effective_date <= reading.as_of);
    if events.is_empty() {
        return Err(ReportError::DocumentMissing);
    }
    events.sort_by_key(|event| event.position);
    events.dedup_by_key(|event| event.position);
    let rows = events.iter().map(row).collect::<Result<Vec<_>, _>>()?;
    let about = Some(document.to_string());
    Ok(Found { about, columns: COLUMNS, tables: vec![Table { currency: None, rows }], next: None })
}

/// What happened to a document and to its entries.
async fn about(reading: &mut Reading<'_, '_>, document: Uuid) -> Result<Vec<Recorded>, ReportError> {
    let mut events = Vec::new();
    for id in reading.ledger.entries_about(document).await?.into_iter().chain([document]) {
        for kind in STREAMS {
            events.extend(stream(reading, kind, id).await?);
        }
    }
    Ok(events)
}

/// The payment that settled an invoice by the event.
fn payment_of(event: &Recorded) -> Option<Uuid> {
    if !event.event_type.starts_with("invoice.settled.") {
        return None;
    }
    match InvoiceEvent::read(&event.event_type, &event.payload).ok()? {
        InvoiceEvent::Settled(settled) => Some(settled.payment.0),
        _ => None,
    }
}

async fn stream(reading: &Reading<'_, '_>, kind: &str, id: Uuid) -> Result<Vec<Recorded>, ReportError> {
    let defect = |error: niyam_domain::InvalidId| CommandError::Defect(error.to_string());
    let stream: StreamId = format!("{kind}/{id}").parse().map_err(defect)?;
    Ok(reading.app.store.load(reading.tenant, &stream, Version(0)).await?)
}

fn row(event: &Recorded) -> Result<Row, ReportError> {
    let metadata: Metadata = serde_json::from_slice(&event.metadata).map_err(CommandError::from)?;
    let payload: Value = serde_json::from_slice(&event.payload).map_err(CommandError::from)?;
    let mut decisions = Vec::new();
    collect(&payload, &mut decisions);
    decisions.extend(metadata.policies.into_iter().map(|policy| policy.decision));
    let decisions: Vec<String> = decisions.iter().map(told).collect();
    let roles: Vec<&str> = metadata.roles.iter().map(|role| role.as_str()).collect();
    let cells = vec![
        said(event.position.to_string()),
        said(event.recorded_at.to_string()),
        Cell::Day(event.effective_date),
        said(event.event_type.as_str()),
        said(event.stream.as_str()),
        said(event.version.to_string()),
        said(metadata.user),
        said(roles.join(" ")),
        said(metadata.trace_id),
        said(decisions.join("; ")),
        said(hex::encode(event.hash)),
    ];
    Ok(Row { kind: "event", cells })
}

/// `function of module version (digest)`.
fn told(decision: &Decision) -> String {
    let module = &decision.module;
    format!("{} by {} {} ({})", decision.function, module.id, module.version, module.digest)
}

/// The decisions that an event holds, wherever they lie in it.
fn collect(value: &Value, decisions: &mut Vec<Decision>) {
    match value {
        Value::Object(fields) => {
            let is_decision = fields.contains_key("output_digest") && fields.contains_key("module");
            if is_decision && let Ok(decision) = serde_json::from_value(value.clone()) {
                decisions.push(decision);
            } else {
                fields.values().for_each(|value| collect(value, decisions));
            }
        }
        Value::Array(items) => items.iter().for_each(|value| collect(value, decisions)),
        _ => {}
    }
}
