//! Events on their way to the store: who caused them, besides what happened.

use jiff::civil::Date;
use niyam_domain::DomainEvent;
use niyam_store::NewEvent;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::commands::{Actor, CommandError};
use crate::roles::Role;

/// Kept with each event.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Metadata {
    /// The user.
    pub(crate) user: String,
    /// What the user was allowed to do.
    pub(crate) roles: Vec<Role>,
    /// The request.
    pub(crate) trace_id: String,
}

impl From<&Actor> for Metadata {
    fn from(actor: &Actor) -> Self {
        Self { user: actor.user.clone(), roles: actor.roles.clone(), trace_id: actor.trace_id.clone() }
    }
}

/// `event`, ready to be recorded.
pub(crate) fn new_event(
    id: Uuid,
    event: &impl DomainEvent,
    actor: &Actor,
    effective_date: Date,
) -> Result<NewEvent, CommandError> {
    Ok(NewEvent {
        id,
        event_type: event.event_type().to_owned(),
        payload: event.payload()?,
        metadata: serde_json::to_vec(&Metadata::from(actor))?,
        effective_date,
    })
}
