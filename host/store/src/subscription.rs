//! Events as they come: first those that are there, then those that are appended.
//!
//! Positions are gapless and follow commit order, so reading on from the last position seen misses nothing. Appends
//! of this process wake a subscription at once, those of other hosts as soon as they are heard of, or else by looking
//! now and then.

use std::collections::VecDeque;

use futures::Stream;
use futures::stream;
use niyam_domain::{Position, TenantId};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::error::StoreError;
use crate::event::Recorded;
use crate::store::EventStore;

/// Events that are read at once.
const PAGE_EVENTS: u32 = 256;

impl EventStore {
    /// The events of a tenant after position `after`, and then each as it is appended, by any host.
    ///
    /// A failure is an item, after which the stream tries again from where it was. It ends only when the store is
    /// closed.
    pub fn subscribe(
        &self,
        tenant: TenantId,
        after: Position,
    ) -> impl Stream<Item = Result<Recorded, StoreError>> + Send + use<> {
        let subscription = Subscription {
            appended: self.appended(),
            store: self.clone(),
            tenant,
            after,
            page: VecDeque::new(),
            state: State::Behind,
        };
        stream::unfold(subscription, |mut subscription| async move {
            let item = subscription.next().await?;
            Some((item, subscription))
        })
    }
}

struct Subscription {
    store: EventStore,
    appended: watch::Receiver<u64>,
    tenant: TenantId,
    /// The last position handed out or waiting in `page`.
    after: Position,
    page: VecDeque<Recorded>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// There may be more to read.
    Behind,
    /// The last look found nothing more.
    Waiting,
    /// The last look failed.
    Failed,
    Closed,
}

impl Subscription {
    async fn next(&mut self) -> Option<Result<Recorded, StoreError>> {
        loop {
            if let Some(event) = self.page.pop_front() {
                return Some(Ok(event));
            }
            match self.state {
                State::Behind => {}
                State::Waiting => self.wait().await,
                State::Failed => tokio::time::sleep(self.store.config().poll_every).await,
                State::Closed => return None,
            }
            // Seen before the read: what is appended after it wakes the next wait.
            self.appended.mark_unchanged();
            match self.store.read(&self.tenant, self.after, PAGE_EVENTS).await {
                Ok(page) => {
                    let full = page.len() >= PAGE_EVENTS as usize;
                    self.state = if full { State::Behind } else { State::Waiting };
                    if let Some(last) = page.last() {
                        self.after = last.position;
                    }
                    self.page = page.into();
                }
                Err(error) => {
                    self.state =
                        if matches!(error, StoreError::Closed) { State::Closed } else { State::Failed };
                    return Some(Err(error));
                }
            }
        }
    }

    /// Until this process appended for the tenant, or another may have.
    async fn wait(&mut self) {
        let deadline = Instant::now() + self.store.config().poll_every;
        loop {
            let more = self.store.tail().position(&self.tenant).is_some_and(|position| position > self.after);
            if more || !matches!(timeout_at(deadline, self.appended.changed()).await, Ok(Ok(()))) {
                return;
            }
        }
    }
}
