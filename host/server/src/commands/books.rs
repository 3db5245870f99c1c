//! What commands of the books share: the chart and the periods that they are made against, and how they are recorded.

use jiff::civil::Date;
use niyam_domain::{Aggregate, Authority, Chart, Periods, Rejection, StreamId, TenantId, Version};
use niyam_store::{NewEvent, StreamWrite};

use crate::app::App;
use crate::commands::metadata::new_event;
use crate::commands::{Actor, CommandError, Expected};
use crate::roles::APPROVERS;

/// How often a command is decided again when the chart, the periods or the tenant changed meanwhile.
pub(crate) const TRIES: u32 = 50;

/// An aggregate at a version of its stream; one that has no events is at version 0.
#[derive(Debug, Clone)]
pub(crate) struct At<A> {
    pub(crate) state: A,
    pub(crate) version: Version,
}

impl<A> At<A> {
    /// Refuses another version than the one that the client saw.
    pub(crate) fn expect(&self, expected: Expected, stream: &StreamId) -> Result<(), CommandError> {
        match expected {
            Expected::Exactly(version) if version != self.version => {
                Err(CommandError::Stale { stream: stream.clone() })
            }
            _ => Ok(()),
        }
    }
}

/// What a command makes of one aggregate.
pub(crate) struct Told<A> {
    pub(crate) state: A,
    pub(crate) version: Version,
    /// None when nothing changed.
    pub(crate) write: Option<StreamWrite>,
}

impl App {
    /// The tenant's chart of accounts, if it has one.
    pub(crate) async fn chart(&self, tenant: &TenantId) -> Result<Option<At<Chart>>, CommandError> {
        self.at(tenant, &StreamId::chart()).await
    }

    /// The tenant's chart of accounts.
    pub(crate) async fn chart_needed(&self, tenant: &TenantId) -> Result<At<Chart>, CommandError> {
        Ok(self.chart(tenant).await?.ok_or(Rejection::ChartMissing)?)
    }

    /// The tenant's fiscal periods, as many as were opened.
    pub(crate) async fn periods(&self, tenant: &TenantId) -> Result<At<Periods>, CommandError> {
        let found = self.at(tenant, &StreamId::periods()).await?;
        Ok(found.unwrap_or(At { state: Periods::default(), version: Version(0) }))
    }

    /// The aggregate of a stream, if it has events.
    pub(crate) async fn at<A: Aggregate>(
        &self,
        tenant: &TenantId,
        stream: &StreamId,
    ) -> Result<Option<At<A>>, CommandError> {
        let loaded = self.aggregates.load(tenant, stream).await?;
        Ok(loaded.map(|loaded| At { state: loaded.state, version: loaded.version }))
    }

    /// Tells `events` to what stands, and makes them ready to be recorded for `day`.
    pub(crate) fn tell<A: Aggregate>(
        &self,
        actor: &Actor,
        stream: StreamId,
        before: Option<At<A>>,
        events: Vec<A::Event>,
        day: Date,
    ) -> Result<Told<A>, CommandError> {
        let (mut state, expected) = match before {
            Some(At { state, version }) => (Some(state), version),
            None => (None, Version(0)),
        };
        let mut recorded: Vec<NewEvent> = Vec::with_capacity(events.len());
        let mut version = expected;
        for event in events {
            recorded.push(new_event(self.ids.next_id(), &event, actor, day)?);
            state = Some(A::evolve(state, event)?);
            version = Version(version.0 + 1);
        }
        let state = state.ok_or_else(|| CommandError::Defect("a command without a state".to_owned()))?;
        let write = (!recorded.is_empty()).then_some(StreamWrite { stream, expected, events: recorded });
        Ok(Told { state, version, write })
    }
}

/// What the user may do to soft-closed periods.
pub(crate) fn authority(actor: &Actor) -> Authority {
    if actor.roles.iter().any(|role| APPROVERS.contains(role)) {
        Authority::Approver
    } else {
        Authority::Ordinary
    }
}

/// Whether a command that met a conflict is to be decided again: what moved on is none of its own streams.
pub(crate) fn is_beside<T>(done: &Result<T, CommandError>, own: &StreamId) -> bool {
    matches!(done, Err(CommandError::Stale { stream }) if stream != own)
}
