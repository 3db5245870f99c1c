//! Reads a history page by page and lets the scan follow: the next page is on its way while the present one is hashed,
//! so memory stays flat and neither the database nor the processor waits long for the other.
//!
//! Events never change, so pages that are read one after another beside a running server fit together; only the head
//! moves on.

use std::collections::BTreeMap;
use std::panic;

use niyam_domain::{Position, TenantId};

use super::fault::{ChainError, ChainFault};
use super::pair::pair_between;
use super::row::StoredEvent;
use super::scan::{Scan, signed, unsigned};
use super::verdict::{Anchor, Progress, Verdict};
use crate::database::Database;
use crate::error::StoreError;
use crate::sql::audit as sql;
use crate::store::EventStore;

/// Positions of the first page, and of any.
const PAGE_POSITIONS_FIRST: i64 = 128;
const PAGE_POSITIONS_MAX: i64 = 2048;
/// How large a page should be, about.
const PAGE_BYTES: usize = 2 * 1024 * 1024;
/// Streams and ids that are named one by one.
const NAMED_MAX: i64 = 100;

/// A verification of histories in one database.
pub struct Audit<'a> {
    database: &'a Database,
    anchors: BTreeMap<Vec<u8>, Vec<Anchor>>,
}

impl<'a> Audit<'a> {
    /// Of the histories in `database`, as long as nothing more is known of them.
    #[must_use]
    pub const fn new(database: &'a Database) -> Self {
        Self { database, anchors: BTreeMap::new() }
    }

    /// The same, against what is known of a tenant's history.
    #[must_use]
    pub fn anchored(mut self, tenant: &TenantId, anchors: impl IntoIterator<Item = Anchor>) -> Self {
        self.anchors.entry(tenant.as_str().into()).or_default().extend(anchors);
        self
    }

    /// The tenants of which there is an event or a head, in order, without what is no tenant's name.
    ///
    /// # Errors
    ///
    /// If the database fails.
    pub async fn tenants(&self) -> Result<Vec<TenantId>, StoreError> {
        let names = sql::names(self.database).await?;
        Ok(names.into_iter().filter_map(|name| String::from_utf8(name).ok()?.parse().ok()).collect())
    }

    /// Computes every hash of one tenant's history again.
    ///
    /// # Errors
    ///
    /// If the database fails. A broken history is none: the verdict says so.
    pub async fn tenant(
        &self,
        tenant: &TenantId,
        mut progress: impl FnMut(Progress<'_>) + Send,
    ) -> Result<Verdict, StoreError> {
        Ok(self.whole(tenant.as_str().into(), &mut progress).await?.verdict())
    }

    /// The same for every tenant of which there is an event, a head or an anchor; in order of name. Only this finds
    /// where an event went that was moved to another tenant.
    ///
    /// # Errors
    ///
    /// If the database fails.
    pub async fn everything(
        &self,
        mut progress: impl FnMut(Progress<'_>) + Send,
    ) -> Result<Vec<Verdict>, StoreError> {
        let mut names = sql::names(self.database).await?;
        names.extend(self.anchors.keys().cloned());
        names.sort();
        names.dedup();
        let mut scans = Vec::with_capacity(names.len());
        for name in names {
            scans.push(self.whole(name, &mut progress).await?);
        }
        pair_between(&mut scans);
        Ok(scans.into_iter().map(Scan::verdict).collect())
    }

    /// Computes the hashes of a tenant's history again from the event after `start` on, which is taken as sound.
    ///
    /// # Errors
    ///
    /// If the database fails.
    pub async fn since(&self, tenant: &TenantId, start: Anchor) -> Result<Verdict, StoreError> {
        let scan = Scan::new(tenant.as_str().into(), Some(start), Vec::new());
        let mut scan = self.walk(scan, Some(signed(start.position)), &mut |_| {}).await?;
        scan.finish();
        Ok(scan.verdict())
    }

    async fn whole(
        &self,
        tenant: Vec<u8>,
        progress: &mut (impl FnMut(Progress<'_>) + Send),
    ) -> Result<Scan, StoreError> {
        let anchors = self.anchors.get(&tenant).cloned().unwrap_or_default();
        let mut scan = self.walk(Scan::new(tenant, None, anchors), None, progress).await?;
        scan.finish();
        for (stream, position) in sql::uneven_streams(self.database, &scan.tenant, NAMED_MAX).await? {
            let stream = String::from_utf8_lossy(&stream).into_owned();
            scan.note(position, position, ChainFault::Versions { stream });
        }
        for position in sql::repeated_ids(self.database, &scan.tenant, NAMED_MAX).await? {
            scan.note(position, position, ChainFault::RepeatedId);
        }
        Ok(scan)
    }

    /// Feeds the scan all events after a position.
    async fn walk(
        &self,
        mut scan: Scan,
        start: Option<i64>,
        progress: &mut (impl FnMut(Progress<'_>) + Send),
    ) -> Result<Scan, StoreError> {
        let mut after = start;
        loop {
            let head = sql::head(self.database, &scan.tenant).await?;
            scan.set_head(head);
            let end = head.map_or(0, |head| head.position).max(after.unwrap_or_default());
            scan = self.pages(scan, after, end, progress).await?;
            after = Some(end);
            // What stands after the head was appended since it was read, and moved it, or has no business there.
            if sql::next_position(self.database, &scan.tenant, end).await?.is_none() {
                return Ok(scan);
            }
            let moved = sql::head(self.database, &scan.tenant).await?;
            if moved.is_none_or(|moved| moved.position <= end) {
                return self.pages(scan, after, i64::MAX, progress).await;
            }
        }
    }

    /// Feeds the scan the events after one position and up to another.
    async fn pages(
        &self,
        mut scan: Scan,
        after: Option<i64>,
        end: i64,
        progress: &mut (impl FnMut(Progress<'_>) + Send),
    ) -> Result<Scan, StoreError> {
        let mut positions = PAGE_POSITIONS_FIRST;
        let mut top = after.unwrap_or_default().saturating_add(positions).min(end);
        let mut page = sql::range(self.database, &scan.tenant, after, top).await?;
        loop {
            if page.is_empty() {
                // A gap, which may be wide.
                if top >= end {
                    return Ok(scan);
                }
                let Some(next) = sql::next_position(self.database, &scan.tenant, top).await? else {
                    return Ok(scan);
                };
                let low = next - 1;
                top = low.saturating_add(positions).min(end);
                page = sql::range(self.database, &scan.tenant, Some(low.min(end)), top).await?;
                if page.is_empty() {
                    return Ok(scan);
                }
                continue;
            }
            positions = page_positions(positions, &page);
            let low = top;
            top = low.saturating_add(positions).min(end);
            let tenant = scan.tenant.clone();
            let hashing = tokio::task::spawn_blocking(move || {
                scan.feed(page);
                scan
            });
            let reading = async {
                if low < end {
                    sql::range(self.database, &tenant, Some(low), top).await
                } else {
                    Ok(Vec::new())
                }
            };
            let (hashed, read) = tokio::join!(hashing, reading);
            scan = hashed.unwrap_or_else(|error| panic::resume_unwind(error.into_panic()));
            page = read?;
            let name = String::from_utf8_lossy(&tenant);
            progress(Progress { tenant: &name, position: unsigned(low), last: unsigned(end.max(low)) });
        }
    }
}

/// How many positions the next page spans, to be of about the right size.
fn page_positions(positions: i64, page: &[StoredEvent]) -> i64 {
    let bytes: usize = page.iter().map(StoredEvent::bytes).sum();
    let wanted = if bytes > PAGE_BYTES { positions / 2 } else { positions * 2 };
    wanted.clamp(1, PAGE_POSITIONS_MAX)
}

impl EventStore {
    /// Computes every hash of the tenant's history again, up to its present end, and says where that is.
    ///
    /// An end that was cut off together with the head can only be seen against a hash kept elsewhere: see [`Audit`].
    ///
    /// # Errors
    ///
    /// [`ChainError::Broken`] with the first position that does not fit.
    pub async fn verify_chain(&self, tenant: &TenantId) -> Result<Position, ChainError> {
        let verdict = Audit::new(self.database()).tenant(tenant, |_| {}).await?;
        match verdict.breaks.into_iter().next() {
            Some(broken) => Err(broken.into()),
            None => Ok(verdict.end.position),
        }
    }
}
