//! Payments: money that came in or went out, what it settles of documents, and what is kept of it as an advance.
//!
//! 1. [`method`]: how money moves, and by which role of an account.
//! 2. [`terms`]: what a payment says, and that it can be said.
//! 3. `event`: what happens to it. `state`: the aggregate, one for each payment. `steps`: what may be asked of it.
//! 4. `posting`: its entries in the books, by roles.
//! 5. [`certificate`]: certificates of withheld tax, each of which settles one payment.
//!
//! A payment knows what it says of documents, and a document knows what is left of it: a command asks both, and writes
//! both in one transaction.

mod certificate;
mod event;
mod method;
mod posting;
mod state;
mod steps;
mod terms;

pub use certificate::{
    Certificate, CertificateEvent, CertificateReleased, CertificateUsed, certificate_stream,
};
pub use event::{
    AdvanceAllocated, AdvanceRefunded, ChequeBounced, ChequeCleared, ChequeDeposited, PaymentCompleted,
    PaymentCreated, PaymentEvent, PaymentFailed, PaymentRefunded, PaymentReversed,
};
pub use method::{PaymentDirection, PaymentMethod};
pub use state::{ChequeStatus, Payment, PaymentStatus};
pub use steps::{AllocateAdvance, RefundAdvance, Step, TakeBack, TakingBack, Undone};
pub use terms::{
    ALLOCATIONS_MAX, Allocation, Due, NewAllocation, NewPayment, NewWithholding, OpenSide, PaymentTerms,
    TaxCertificate, Withholding,
};

#[cfg(test)]
mod properties;
#[cfg(test)]
pub(crate) mod tests;
