//! Certificates of withheld tax: each settles one payment. A certificate is a stream, so that of two payments which show
//! the same one, one wins.

use niyam_values::Finding;
use serde::{Deserialize, Serialize};

use crate::aggregate::Aggregate;
use crate::event::{DomainEvent, UnreadableEvent, domain_events};
use crate::ids::{PaymentId, StreamId};
use crate::personal::nothing_personal;
use crate::rejection::Rejection;

/// A certificate settled a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateUsed {
    /// Which payment.
    pub payment_id: PaymentId,
}

/// The payment was taken back, and the certificate may settle another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateReleased {
    /// Which payment.
    pub payment_id: PaymentId,
}

domain_events! {
    /// What happens to a certificate of withheld tax.
    CertificateEvent {
        /// A certificate settled a payment, in the transaction that completed the payment.
        Used(CertificateUsed) = "tax-certificate.used.v1",
        /// The payment was taken back, and the certificate may settle another one.
        Released(CertificateReleased) = "tax-certificate.released.v1",
    }
}

nothing_personal!(CertificateUsed, CertificateReleased, Certificate);

/// A certificate as its events tell it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// The payment that it settles.
    pub used_by: Option<PaymentId>,
}

/// The stream of the certificate with that digest, hex. It is a keyed digest of whose certificate it is, of which tax, and
/// of its number, so that the stream's name tells none of them.
#[must_use]
pub fn certificate_stream(digest: &str) -> StreamId {
    StreamId::of(format!("tax-certificate/{digest}"))
}

impl Certificate {
    /// Lets it settle a payment; `pointer` says where the payment shows it.
    ///
    /// # Errors
    /// When it settles another one.
    pub fn settle(
        state: Option<&Self>,
        payment_id: PaymentId,
        pointer: &str,
    ) -> Result<CertificateEvent, Rejection> {
        if state.is_some_and(|state| state.used_by.is_some()) {
            let message = "another payment was settled by the certificate";
            let finding = Finding::error("certificate-used", message).at(pointer);
            return Err(Rejection::Findings(vec![finding]));
        }
        Ok(CertificateEvent::Used(CertificateUsed { payment_id }))
    }

    /// Lets it go, when the payment that it settles is taken back.
    #[must_use]
    pub fn release(state: Option<&Self>, payment_id: PaymentId) -> Option<CertificateEvent> {
        let own = state.is_some_and(|state| state.used_by == Some(payment_id));
        own.then_some(CertificateEvent::Released(CertificateReleased { payment_id }))
    }
}

impl Aggregate for Certificate {
    type Event = CertificateEvent;

    fn evolve(state: Option<Self>, event: CertificateEvent) -> Result<Self, UnreadableEvent> {
        let used_by = state.unwrap_or_default().used_by;
        match event {
            CertificateEvent::Used(CertificateUsed { payment_id }) if used_by.is_none() => {
                Ok(Self { used_by: Some(payment_id) })
            }
            CertificateEvent::Released(CertificateReleased { payment_id }) if used_by == Some(payment_id) => {
                Ok(Self { used_by: None })
            }
            event => Err(UnreadableEvent::OutOfOrder { event_type: event.event_type() }),
        }
    }
}
