//! How an aggregate's events are named, written and read.
//!
//! An event never changes. A new shape is a new version, `name.vN`, and an upcaster that makes it of the version
//! before, so that all else knows the newest shape alone. See `upcast` for what an upcaster works on.

use serde::de::DeserializeOwned;

use crate::personal::{self, Place};
use crate::upcast::{Fields, Upcaster};

/// A stored event that this version of the program cannot read.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableEvent {
    /// No event of this aggregate has that type.
    #[error("event type {0} is unknown")]
    UnknownType(String),
    /// A later version of the program wrote it.
    #[error("event type {event_type} is newer than this program, which knows {newest}")]
    NewerType {
        /// The type as stored.
        event_type: String,
        /// The newest version that can be read.
        newest: &'static str,
    },
    /// The payload does not have the type's shape.
    #[error("payload of {event_type} does not have its shape")]
    Payload {
        /// The type as stored.
        event_type: String,
        /// What did not fit.
        source: serde_json::Error,
    },
    /// Parts of the payload are encrypted, and were not opened before it was read.
    #[error("payload of {event_type} is sealed, and was not opened")]
    Sealed {
        /// The type as stored.
        event_type: String,
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

    /// Where its payload is about a data subject.
    fn personal(&self) -> Vec<Place>;

    /// Reads a stored event of any version, into the newest shape. What is sealed in it has to be opened before.
    ///
    /// # Errors
    /// When the type is unknown, or the payload does not fit it.
    fn read(event_type: &str, payload: &[u8]) -> Result<Self, UnreadableEvent>;

    /// Reads a stored event as who holds no key: with a placeholder wherever it is sealed.
    ///
    /// # Errors
    /// When the type is unknown, or the payload does not fit it.
    fn read_without_personal(event_type: &str, payload: &[u8]) -> Result<Self, UnreadableEvent> {
        match std::str::from_utf8(payload).ok().and_then(|json| personal::without(json).ok()) {
            Some(json) => Self::read(event_type, json.as_bytes()),
            None => Self::read(event_type, payload),
        }
    }
}

/// A type of event, for a reader of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventKind {
    /// Its type on the wire; the last part is the version of its shape.
    pub event_type: &'static str,
    /// What happened.
    pub meaning: &'static str,
}

/// Declares an aggregate's events: an enum with one payload struct per wire type. Each struct says, by `Personal`, where
/// it is about a data subject.
///
/// A type that had other shapes before names all of them, each with what makes the next one of it:
///
/// ```text
/// Drafted(InvoiceDrafted) = "invoice.drafted.v3" {
///     "invoice.drafted.v1" => drafted_v1_to_v2,
///     "invoice.drafted.v2" => drafted_v2_to_v3,
/// },
/// ```
macro_rules! domain_events {
    ($(#[$doc:meta])* $name:ident {
        $($(#[doc = $meaning:literal])+ $variant:ident($payload:ty) = $wire:literal
            $({ $($older:literal => $upcaster:path,)+ })?,)+
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub enum $name {
            $($(#[doc = $meaning])+ $variant($payload),)+
        }

        impl $name {
            /// Every type that is written.
            pub const TYPES: &'static [&'static str] = &[$($wire),+];
            /// Every type that was written once, and is still read.
            pub const OLDER_TYPES: &'static [&'static str] = &[$($($($older,)+)?)+];
            /// Every type that is written, and what it means.
            pub const KINDS: &'static [$crate::event::EventKind] = &[$($crate::event::EventKind {
                event_type: $wire,
                meaning: concat!($($meaning),+),
            }),+];
        }

        $(const _: () = assert!(
            $crate::event::is_lineage(&[$($($older),+)?], $wire),
            "the versions of an event are v1, v2, v3 … of one name"
        );)+

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

            fn personal(&self) -> Vec<$crate::personal::Place> {
                match self {
                    $(Self::$variant(payload) => $crate::personal::Personal::personal(payload),)+
                }
            }

            fn read(event_type: &str, payload: &[u8]) -> Result<Self, $crate::event::UnreadableEvent> {
                match event_type {
                    $($wire $($(| $older)+)? => $crate::event::read_payload(
                        event_type,
                        payload,
                        &[$($(($older, $upcaster)),+)?],
                    )
                    .map(Self::$variant),)+
                    other => Err($crate::event::unreadable(other, Self::TYPES)),
                }
            }
        }
    };
}
pub(crate) use domain_events;

/// Reads a payload of a type whose older versions are `older`, in order, each with what makes the next one of it.
pub fn read_payload<T: DeserializeOwned>(
    event_type: &str,
    payload: &[u8],
    older: &[(&str, Upcaster)],
) -> Result<T, UnreadableEvent> {
    let steps = older.iter().skip_while(|(version, _)| *version != event_type);
    let read = || {
        let mut steps = steps.peekable();
        if steps.peek().is_none() {
            return serde_json::from_slice(payload);
        }
        let old: Fields = serde_json::from_slice(payload)?;
        let newest = steps.try_fold(old, |fields, (_, upcast)| upcast(fields))?;
        serde_json::from_slice(&serde_json::to_vec(&newest)?)
    };
    read().map_err(|source| {
        let event_type = event_type.to_owned();
        if personal::is_sealed(payload) {
            UnreadableEvent::Sealed { event_type }
        } else {
            UnreadableEvent::Payload { event_type, source }
        }
    })
}

/// Why `event_type`, which is none of an aggregate's, cannot be read. `types` are those that it writes.
pub fn unreadable(event_type: &str, types: &[&'static str]) -> UnreadableEvent {
    let newer_than = |newest: &&&'static str| match (split(event_type), split(newest)) {
        (Some((name, version)), Some((known, newest))) => name == known && version > newest,
        _ => false,
    };
    match types.iter().find(newer_than) {
        Some(newest) => UnreadableEvent::NewerType { event_type: event_type.to_owned(), newest },
        None => UnreadableEvent::UnknownType(event_type.to_owned()),
    }
}

/// The name and the version of `name.vN`.
fn split(event_type: &str) -> Option<(&str, u32)> {
    let (name, version) = event_type.rsplit_once(".v")?;
    let plain = version.bytes().all(|byte| byte.is_ascii_digit()) && !version.starts_with('0');
    Some((name, version.parse().ok().filter(|_| plain)?))
}

/// Whether `older` and then `newest` are v1, v2, v3 … of one name.
pub const fn is_lineage(older: &[&str], newest: &str) -> bool {
    let Some(name) = name_of_version(newest, older.len() + 1) else { return false };
    let mut index = 0;
    while index < older.len() {
        match name_of_version(older[index], index + 1) {
            Some(other) if same(name, other) => index += 1,
            _ => return false,
        }
    }
    true
}

/// The name of an event type, if it ends with `.v` and this version.
const fn name_of_version(event_type: &str, version: usize) -> Option<&[u8]> {
    let mut rest = event_type.as_bytes();
    let mut digits = version;
    while digits > 0 {
        match rest {
            [before @ .., digit] if *digit as usize == b'0' as usize + digits % 10 => rest = before,
            _ => return None,
        }
        digits /= 10;
    }
    match rest {
        [name @ .., b'.', b'v'] if !name.is_empty() => Some(name),
        _ => None,
    }
}

const fn same(left: &[u8], right: &[u8]) -> bool {
    if left.len() != right.len() {
        return false;
    }
    let mut index = 0;
    while index < left.len() {
        if left[index] != right[index] {
            return false;
        }
        index += 1;
    }
    true
}

#[cfg(test)]
#[path = "event_tests.rs"]
mod tests;
