//! The numbers of suppliers' papers, each recorded once.
//!
//! A supplier's number is a stream, named by a digest of the supplier and the number, whose one event says which
//! document bears it: the store lets one writer have the first version of a stream, so nobody records a paper twice.

use serde::{Deserialize, Serialize};

use crate::event::domain_events;
use crate::ids::{InvoiceId, StreamId};
use crate::personal::nothing_personal;

/// A document bears the number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupplierNumberTaken {
    /// The document.
    pub invoice_id: InvoiceId,
}

domain_events! {
    /// What happens to a supplier's number.
    SupplierNumberEvent {
        /// A document bears the number, in the transaction that records the document.
        Taken(SupplierNumberTaken) = "supplier-number.taken.v1",
    }
}

nothing_personal!(SupplierNumberTaken);

/// The stream of a number, by the digest of its supplier and itself.
#[must_use]
pub fn supplier_number_stream(digest: &[u8; 32]) -> StreamId {
    use std::fmt::Write as _;

    let mut name = String::from("supplier-number/");
    for byte in digest {
        // Writing to a text does not fail.
        let _ = write!(name, "{byte:02x}");
    }
    StreamId::of(name)
}
