//! An example of every type of event: the fixtures that must stay readable for ever.

macro_rules! examples {
    ($($event_type:literal)+) => {
        &[$(($event_type, include_str!(concat!("../tests/fixtures/events/", $event_type, ".json")))),+]
    };
}

/// A payload of each type that was ever written, as it was written.
pub const EXAMPLES: &[(&str, &str)] = examples! {
    "data-subject.erased.v1"
    "invoice.approved.v1"
    "invoice.cancelled.v1"
    "invoice.drafted.v1"
    "invoice.issued.v1"
    "invoice.revised.v1"
    "module.activated.v1"
    "module.activated.v2"
    "module.activation-withdrawn.v1"
    "number.drawn.v1"
    "tenant.created.v1"
    "tenant.module-policy-changed.v1"
    "tenant.profile-changed.v1"
};
