//! Serial numbers that the law wants without a gap.
//!
//! A series is a stream whose version *is* the last serial drawn, so the store's own rules (versions without a hole,
//! one winner per version) are the law's rules. The event is written in the transaction that issues the document.

use serde::{Deserialize, Serialize};

use crate::event::domain_events;
use crate::ids::{InvalidId, InvoiceId, StreamId};
use crate::personal::nothing_personal;

/// A serial was given to a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberDrawn {
    /// The series, for example `mushak-6.3/2026-2027`.
    pub series: String,
    /// 1, 2, 3 …
    pub serial: u64,
    /// The number's text.
    pub number: String,
    /// The document that bears it.
    pub invoice_id: InvoiceId,
}

domain_events! {
    /// What happens to a number series.
    NumberSeriesEvent {
        /// A serial was given to a document, in the transaction that issued it.
        Drawn(NumberDrawn) = "number.drawn.v1",
    }
}

nothing_personal!(NumberDrawn);

/// The stream of `series`.
///
/// # Errors
/// When the name does not fit a stream's.
pub fn series_stream(series: &str) -> Result<StreamId, InvalidId> {
    if series.is_empty() {
        return Err(InvalidId::Stream);
    }
    format!("number-series/{series}").parse()
}
