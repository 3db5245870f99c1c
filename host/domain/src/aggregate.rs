//! An aggregate: a state that its events tell.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::event::{DomainEvent, UnreadableEvent};
use crate::personal::Personal;

/// A state that its events tell. Its JSON is what a snapshot holds.
pub trait Aggregate: Clone + Serialize + DeserializeOwned + Personal {
    /// What happens to it.
    type Event: DomainEvent;

    /// The state after `event`.
    ///
    /// # Errors
    /// When the event cannot follow those before it.
    fn evolve(state: Option<Self>, event: Self::Event) -> Result<Self, UnreadableEvent>;
}

/// sha-256 of this crate's sources and of the values that its states hold.
///
/// A snapshot that was made under another one is of no use. The shape of a state is not enough to tell: the same
/// shape may be told otherwise by the same events. It changes more often than it must, and that costs a reading of
/// the events.
pub const STATE_SCHEMA: [u8; 32] = *include_bytes!(concat!(env!("OUT_DIR"), "/state-schema"));
