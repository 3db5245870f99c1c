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

/// Declares an aggregate's events: an enum with one payload struct per wire type.
macro_rules! domain_events {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident($payload:ty) = $wire:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub enum $name {
            $($(#[$variant_doc])* $variant($payload),)+
        }

        impl $name {
            /// Every type on the wire.
            pub const TYPES: &'static [&'static str] = &[$($wire),+];
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
