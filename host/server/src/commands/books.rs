//! What commands of the books share: the chart and the periods that they are made against, and how they are recorded.

use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use niyam_domain::{Aggregate, Authority, Chart, Periods, Rejection, StreamId, TenantId, Version};
use niyam_store::{Clock, EventStore, NewEvent, StreamWrite};

use crate::aggregates::Aggregates;
use crate::app::App;
use crate::commands::metadata::new_event;
use crate::commands::{Actor, CommandError, Expected};
use crate::ids::IdSource;
use crate::roles::APPROVERS;
use crate::tenants::{TenantAt, Tenants};

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

/// What keeping the books takes, for requests and for what runs beside them.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) store: EventStore,
    pub(crate) aggregates: Aggregates,
    pub(crate) tenants: Arc<Tenants>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdSource>,
}

impl Desk {
    /// The tenant.
    pub(crate) async fn tenant(&self, tenant: &TenantId) -> Result<TenantAt, CommandError> {
        self.tenants.get(tenant).await?.ok_or(CommandError::TenantUnknown)
    }

    /// Today, where the tenant is.
    pub(crate) fn today(&self, at: &TenantAt) -> Date {
        let zone = TimeZone::get(&at.tenant.profile.time_zone).unwrap_or(TimeZone::UTC);
        self.clock.now().to_zoned_datetime(zone).date()
    }

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

impl App {
    /// See [`Desk::chart`].
    pub(crate) async fn chart(&self, tenant: &TenantId) -> Result<Option<At<Chart>>, CommandError> {
        self.desk.chart(tenant).await
    }

    /// See [`Desk::chart_needed`].
    pub(crate) async fn chart_needed(&self, tenant: &TenantId) -> Result<At<Chart>, CommandError> {
        self.desk.chart_needed(tenant).await
    }

    /// See [`Desk::periods`].
    pub(crate) async fn periods(&self, tenant: &TenantId) -> Result<At<Periods>, CommandError> {
        self.desk.periods(tenant).await
    }

    /// See [`Desk::at`].
    pub(crate) async fn at<A: Aggregate>(
        &self,
        tenant: &TenantId,
        stream: &StreamId,
    ) -> Result<Option<At<A>>, CommandError> {
        self.desk.at(tenant, stream).await
    }

    /// See [`Desk::tell`].
    pub(crate) fn tell<A: Aggregate>(
        &self,
        actor: &Actor,
        stream: StreamId,
        before: Option<At<A>>,
        events: Vec<A::Event>,
        day: Date,
    ) -> Result<Told<A>, CommandError> {
        self.desk.tell(actor, stream, before, events, day)
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
