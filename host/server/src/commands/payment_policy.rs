//! What policies are asked about payments.
//!
//! The body is JSON without white space, in this order: `today`; `payment`, all that it says; `status` before the
//! command, `null` when it is recorded; and what the command names, `null` where it names none: `date`, `amount`,
//! `allocations`, `reason`.

use niyam_domain::{Allocation, Payment, PaymentEvent, PaymentStatus, PaymentTerms, Rejection};
use niyam_values::{Date, Decimal};
use serde::Serialize;

use crate::commands::CommandError;

#[derive(Clone, Copy, Serialize)]
struct PaymentBody<'a> {
    today: Date,
    payment: &'a PaymentTerms,
    status: Option<PaymentStatus>,
    date: Option<Date>,
    amount: Option<Decimal>,
    allocations: Option<&'a [Allocation]>,
    reason: Option<&'a str>,
}

/// The command, the payment's id and the body.
///
/// # Errors
/// When the event needs a payment and there is none.
pub(super) fn asked(
    before: Option<&Payment>,
    event: &PaymentEvent,
    today: Date,
) -> Result<(&'static str, String, String), CommandError> {
    let (payment, id) = match (event, before) {
        (PaymentEvent::Created(created), _) => (&created.terms, created.payment_id),
        (_, Some(payment)) => (&payment.terms, payment.id),
        (_, None) => return Err(Rejection::PaymentMissing.into()),
    };
    let body = PaymentBody {
        today,
        payment,
        status: before.map(|payment| payment.status),
        date: None,
        amount: None,
        allocations: None,
        reason: None,
    };
    let dated = |date: Date| PaymentBody { date: Some(date), ..body };
    let (command, body) = match event {
        PaymentEvent::Created(_) => ("create-payment", body),
        PaymentEvent::Completed(done) => ("complete-payment", dated(done.date)),
        PaymentEvent::Failed(done) => ("fail-payment", PaymentBody { reason: Some(&done.reason), ..body }),
        PaymentEvent::Reversed(done) => {
            ("reverse-payment", PaymentBody { reason: Some(&done.reason), ..dated(done.date) })
        }
        PaymentEvent::Refunded(done) => {
            ("refund-payment", PaymentBody { reason: Some(&done.reason), ..dated(done.date) })
        }
        PaymentEvent::Deposited(done) => ("deposit-cheque", dated(done.date)),
        PaymentEvent::Cleared(done) => ("clear-cheque", dated(done.date)),
        PaymentEvent::Bounced(done) => {
            ("bounce-cheque", PaymentBody { reason: Some(&done.reason), ..dated(done.date) })
        }
        PaymentEvent::Allocated(done) => {
            ("allocate-advance", PaymentBody { allocations: Some(&done.allocations), ..dated(done.date) })
        }
        PaymentEvent::AdvanceRefunded(done) => {
            let reason = Some(done.reason.as_str());
            ("refund-advance", PaymentBody { amount: Some(done.amount), reason, ..dated(done.date) })
        }
    };
    Ok((command, id.to_string(), serde_json::to_string(&body)?))
}
