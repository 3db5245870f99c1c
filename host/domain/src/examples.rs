//! An example of every type of event: the fixtures that must stay readable for ever.

macro_rules! examples {
    ($($event_type:literal)+) => {
        &[$(($event_type, include_str!(concat!("../tests/fixtures/events/", $event_type, ".json")))),+]
    };
}

/// A payload of each type that was ever written, as it was written.
pub const EXAMPLES: &[(&str, &str)] = examples! {
    "account.added.v1"
    "account.deactivated.v1"
    "account.moved.v1"
    "account.reactivated.v1"
    "account.renamed.v1"
    "account.role-assigned.v1"
    "chart.created.v1"
    "data-subject.erased.v1"
    "fiscal-period.closed.v1"
    "fiscal-period.reopened.v1"
    "fiscal-period.soft-closed.v1"
    "fiscal-year.opened.v1"
    "invoice.approved.v1"
    "invoice.cancelled.v1"
    "invoice.credited.v1"
    "invoice.debited.v1"
    "invoice.drafted.v1"
    "invoice.issued.v1"
    "invoice.note-issued.v1"
    "invoice.recorded.v1"
    "invoice.revised.v1"
    "invoice.settled.v1"
    "invoice.settlement-reversed.v1"
    "invoice.written-off.v1"
    "journal-entry.drafted.v1"
    "journal-entry.posted.v1"
    "journal-entry.reversed.v1"
    "journal-entry.revised.v1"
    "module.activated.v1"
    "module.activated.v2"
    "module.activation-withdrawn.v1"
    "number.drawn.v1"
    "supplier-number.taken.v1"
    "tax-return.filed.v1"
    "tax-return.prepared.v1"
    "tax-return.reviewed.v1"
    "tenant.created.v1"
    "tenant.module-policy-changed.v1"
    "tenant.profile-changed.v1"
};
