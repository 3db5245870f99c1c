//! How an aggregate's events are named and written.

/// A stored event that this version of the program cannot read.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableEvent {
    /// No event of this aggregate has that type.
    #[error("event type {0} is unknown")]
    UnknownType(String),
    /// The payload does not have the type's shape.
    #[error("payload of {event_type} does not have its shape")]
    Payload {
        /// The type as stored.
        event_type: String,
        /// What did not fit.
        source: serde_json::Error,
    },
    /// An event that cannot follow those before it.
    #[error("{event_type} cannot follow what its stream holds")]
    OutOfOrder {
        /// The type as stored.
        event_type: &'static str,
    },
}

/// An event of one aggregate.
pub trait DomainEvent: Sized {
    /// Its type on the wire, for example `invoice.issued.v1`: never reused, never renamed.
    fn event_type(&self) -> &'static str;

    /// Its payload, JSON.
    ///
    /// # Errors
    /// When a value has no JSON form.
    fn payload(&self) -> Result<Vec<u8>, serde_json::Error>;

    /// Reads a stored event.
    ///
    /// # Errors
    /// When the type is unknown, or the payload does not fit it.
    fn read(event_type: &str, payload: &[u8]) -> Result<Self, UnreadableEvent>;
}

/// A type of event, for a reader of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventKind {
    /// Its type on the wire; the last part is the version of its shape.
    pub event_type: &'static str,
    /// What happened.
    pub meaning: &'static str,
    /// A payload as it was written when the shape was new; it stays readable for ever.
    pub example: &'static str,
}

/// Declares an aggregate's events: an enum with one payload struct per wire type. `events/` holds each type's example.
macro_rules! domain_events {
    ($(#[$doc:meta])* $name:ident { $($(#[doc = $meaning:literal])+ $variant:ident($payload:ty) = $wire:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub enum $name {
            $($(#[doc = $meaning])+ $variant($payload),)+
        }

        impl $name {
            /// Every type on the wire.
            pub const KINDS: &'static [$crate::event::EventKind] = &[$($crate::event::EventKind {
                event_type: $wire,
                meaning: concat!($($meaning),+),
                example: include_str!(concat!("../events/", $wire, ".json")),
            }),+];
        }

        impl $crate::event::DomainEvent for $name {
            fn event_type(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $wire,)+
                }
            }

            fn payload(&self) -> Result<Vec<u8>, serde_json::Error> {
                match self {
                    $(Self::$variant(payload) => serde_json::to_vec(payload),)+
                }
            }

            fn read(event_type: &str, payload: &[u8]) -> Result<Self, $crate::event::UnreadableEvent> {
                match event_type {
                    $($wire => serde_json::from_slice(payload).map(Self::$variant),)+
                    other => return Err($crate::event::UnreadableEvent::UnknownType(other.to_owned())),
                }
                .map_err(|source| $crate::event::UnreadableEvent::Payload {
                    event_type: event_type.to_owned(),
                    source,
                })
            }
        }
    };
}
pub(crate) use domain_events;

#[cfg(test)]
mod tests {
    use super::{DomainEvent, EventKind};
    use crate::invoice::InvoiceEvent;
    use crate::number_series::NumberSeriesEvent;
    use crate::tenant::TenantEvent;

    fn reads_and_writes<E: DomainEvent>(kinds: &[EventKind]) {
        for kind in kinds {
            let event = E::read(kind.event_type, kind.example.as_bytes()).expect(kind.event_type);
            assert_eq!(event.event_type(), kind.event_type);
            let written: serde_json::Value = serde_json::from_slice(&event.payload().unwrap()).unwrap();
            let example: serde_json::Value = serde_json::from_str(kind.example).unwrap();
            assert_eq!(written, example, "{}", kind.event_type);
        }
    }

    #[test]
    fn what_was_once_written_is_read_and_written_the_same() {
        reads_and_writes::<InvoiceEvent>(InvoiceEvent::KINDS);
        reads_and_writes::<TenantEvent>(TenantEvent::KINDS);
        reads_and_writes::<NumberSeriesEvent>(NumberSeriesEvent::KINDS);
    }

    #[test]
    fn a_type_of_event_ends_with_its_version() {
        for kind in InvoiceEvent::KINDS.iter().chain(TenantEvent::KINDS).chain(NumberSeriesEvent::KINDS) {
            let version = kind.event_type.rsplit_once(".v").and_then(|(_, version)| version.parse().ok());
            assert!(version.is_some_and(|version: u32| version > 0), "{}", kind.event_type);
        }
    }
}
