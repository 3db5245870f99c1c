//! Events on their way to the store: who caused them, besides what happened.

use jiff::civil::Date;
use niyam_domain::DomainEvent;
use niyam_store::NewEvent;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::commands::fallback::Fallback;
use crate::commands::policy::{PolicyDecision, Ruled};
use crate::commands::{Actor, CommandError};
use crate::roles::Role;

/// Kept with each event.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Metadata {
    /// The user.
    pub(crate) user: String,
    /// What the user was allowed to do.
    pub(crate) roles: Vec<Role>,
    /// The request.
    pub(crate) trace_id: String,
    /// What the tenant's policies said, in the order asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) policies: Vec<PolicyDecision>,
    /// Modules that failed, and that another one answered for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) fallbacks: Vec<Fallback>,
}

impl From<&Actor> for Metadata {
    fn from(actor: &Actor) -> Self {
        Self {
            user: actor.user.clone(),
            roles: actor.roles.clone(),
            trace_id: actor.trace_id.clone(),
            policies: Vec::new(),
            fallbacks: Vec::new(),
        }
    }
}

impl Metadata {
    /// With what the policies said, and who failed on the way.
    pub(crate) fn new(actor: &Actor, ruled: Ruled, fallbacks: &[Fallback]) -> Self {
        let fallbacks = fallbacks.iter().cloned().chain(ruled.fallbacks).collect();
        Self { policies: ruled.policies, fallbacks, ..actor.into() }
    }
}

/// `event`, ready to be recorded.
pub(crate) fn new_event(
    id: Uuid,
    event: &impl DomainEvent,
    actor: &Actor,
    effective_date: Date,
) -> Result<NewEvent, CommandError> {
    event_with(id, event, &actor.into(), effective_date)
}

/// [`new_event`] with what else is kept with it.
pub(crate) fn event_with(
    id: Uuid,
    event: &impl DomainEvent,
    metadata: &Metadata,
    effective_date: Date,
) -> Result<NewEvent, CommandError> {
    Ok(NewEvent {
        id,
        event_type: event.event_type().to_owned(),
        payload: event.payload()?,
        metadata: serde_json::to_vec(metadata)?,
        effective_date,
    })
}
