//! Events that are there, of any number: a page at a time is read, and no more than one is held.

use std::collections::{BTreeSet, VecDeque};

use futures::Stream;
use futures::stream;
use niyam_domain::{Position, StreamId, TenantId, Version};

use crate::error::StoreError;
use crate::event::Recorded;
use crate::snapshot::Snapshot;
use crate::sql::rows::EventRow;
use crate::sql::{read, snapshots, types};
use crate::store::EventStore;

/// Events that are read at once.
const PAGE_EVENTS: u32 = 256;

impl EventStore {
    /// The events of a stream after version `after`, in order, to its present end.
    ///
    /// A failure is the last item: [`StoreError::Damaged`] if an event is missing or not as written.
    pub fn stream(
        &self,
        tenant: TenantId,
        stream: StreamId,
        after: Version,
    ) -> impl Stream<Item = Result<Recorded, StoreError>> + Send + use<> {
        self.reading(tenant, Source::Stream(stream), after.0).into_stream()
    }

    /// The stream's snapshot, if one that was made under `schema` is of use, and the events after it, to the stream's
    /// present end. As long as these are few, one statement reads it all.
    ///
    /// A failure is the last item, as of [`EventStore::stream`].
    ///
    /// # Errors
    ///
    /// If the database fails, or one of the first events is missing or not as written.
    pub async fn resume(
        &self,
        tenant: &TenantId,
        stream: &StreamId,
        schema: &[u8; 32],
    ) -> Result<
        (Option<Snapshot>, impl Stream<Item = Result<Recorded, StoreError>> + Send + Unpin + use<>),
        StoreError,
    > {
        let reading = snapshots::resume(self.database(), tenant, stream, schema, PAGE_EVENTS);
        let mut rows = Box::pin(reading).await?;
        let mut reading = self.reading(tenant.clone(), Source::Stream(stream.clone()), 0);
        let mut snapshot = None;
        if rows.first().is_some_and(EventRow::is_snapshot) {
            let row = rows.remove(0).snapshot(schema);
            snapshot = Snapshot::checked(row, tenant, stream, schema);
            match &snapshot {
                Some(snapshot) => reading.after = snapshot.version.0,
                // What comes after it is not enough.
                None => return Ok((None, Box::pin(reading.into_stream()))),
            }
        }
        let (page, full) = reading.check(rows)?;
        reading.page = page.into();
        reading.ended = !full;
        Ok((snapshot, Box::pin(reading.into_stream())))
    }

    /// The events of a tenant after position `after`, in order, up to position `up_to`, which must be there.
    ///
    /// A failure is the last item: [`StoreError::Damaged`] if an event is missing or not as written.
    pub fn history(
        &self,
        tenant: TenantId,
        after: Position,
        up_to: Position,
    ) -> impl Stream<Item = Result<Recorded, StoreError>> + Send + use<> {
        self.reading(tenant, Source::History { up_to }, after.0).into_stream()
    }

    /// The events of a tenant that are of one of `event_types`, after position `after`, in order, up to position
    /// `up_to`. Types are as stored: name each version that is wanted.
    ///
    /// A failure is the last item. That one is missing is not seen here.
    pub fn of_types(
        &self,
        tenant: TenantId,
        event_types: BTreeSet<String>,
        after: Position,
        up_to: Position,
    ) -> impl Stream<Item = Result<Recorded, StoreError>> + Send + use<> {
        let event_types = event_types.into_iter().collect();
        self.reading(tenant, Source::Types { event_types, up_to }, after.0).into_stream()
    }

    fn reading(&self, tenant: TenantId, source: Source, after: u64) -> Reading {
        Reading { store: self.clone(), tenant, source, after, page: VecDeque::new(), ended: false }
    }
}

/// Which events are read, and what numbers them.
enum Source {
    /// By version.
    Stream(StreamId),
    /// By position.
    History { up_to: Position },
    /// By position, with gaps.
    Types { event_types: Vec<String>, up_to: Position },
}

struct Reading {
    store: EventStore,
    tenant: TenantId,
    source: Source,
    /// The number of the last event handed out or waiting in `page`.
    after: u64,
    page: VecDeque<Recorded>,
    /// Whether nothing is left but `page`.
    ended: bool,
}

impl Reading {
    fn into_stream(self) -> impl Stream<Item = Result<Recorded, StoreError>> + Send + use<> {
        stream::unfold(self, |mut reading| async move {
            let item = reading.next().await?;
            Some((item, reading))
        })
    }

    async fn next(&mut self) -> Option<Result<Recorded, StoreError>> {
        if self.page.is_empty() && !self.ended {
            match Box::pin(self.read()).await {
                Ok((page, full)) => {
                    self.ended = !full;
                    self.page = page.into();
                }
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
            }
        }
        self.page.pop_front().map(Ok)
    }

    /// The next page, and whether there may be another.
    async fn read(&mut self) -> Result<(Vec<Recorded>, bool), StoreError> {
        let database = self.store.database();
        let after = Position(self.after);
        let rows = match &self.source {
            Source::Stream(stream) => {
                read::stream(database, &self.tenant, stream, Version(self.after), PAGE_EVENTS).await?
            }
            Source::History { up_to } => {
                let left = up_to.0.saturating_sub(self.after);
                let limit = u32::try_from(left).unwrap_or(PAGE_EVENTS).min(PAGE_EVENTS);
                read::page(database, &self.tenant, after, limit).await?
            }
            Source::Types { event_types, up_to } => {
                types::page(database, &self.tenant, event_types, (after, *up_to), PAGE_EVENTS).await?
            }
        };
        self.check(rows)
    }

    /// What was read from the database, as callers get it, and whether there may be more.
    fn check(&mut self, rows: Vec<EventRow>) -> Result<(Vec<Recorded>, bool), StoreError> {
        let full = rows.len() >= PAGE_EVENTS as usize;
        let mut events = Vec::with_capacity(rows.len());
        for row in rows {
            let event = row.recorded(&self.tenant)?;
            let next = self.after + 1;
            let missing = match &self.source {
                Source::Stream(_) => (event.version.0 != next).then_some(event.position),
                Source::History { .. } => (event.position.0 != next).then_some(Position(next)),
                Source::Types { .. } => None,
            };
            if let Some(position) = missing {
                return Err(StoreError::Damaged { tenant: self.tenant.clone(), position });
            }
            self.after = if let Source::Stream(_) = self.source { event.version.0 } else { event.position.0 };
            events.push(event);
        }
        match self.source {
            Source::History { up_to } if !full && self.after < up_to.0 => {
                let position = Position(self.after + 1);
                Err(StoreError::Damaged { tenant: self.tenant.clone(), position })
            }
            _ => Ok((events, full)),
        }
    }
}
