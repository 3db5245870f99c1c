//! How far each tenant's history is known to go, for those who wait for more.
//!
//! Nothing that is acknowledged depends on it: who waits also looks now and then.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use niyam_domain::{Position, TenantId};
use tokio::sync::watch;

use crate::group::Outcome;

/// How far each tenant's history is known to go, for those who wait for more.
pub struct Tail {
    appends: watch::Sender<u64>,
    known: Mutex<TailKnown>,
}

#[derive(Default)]
struct TailKnown {
    positions: HashMap<TenantId, Position>,
    /// What other hosts were not told yet.
    unsent: BTreeSet<TenantId>,
}

impl Tail {
    /// Knows nothing yet.
    pub fn new() -> Self {
        Self { appends: watch::Sender::new(0), known: Mutex::default() }
    }

    /// Wakes whenever a process is known to have appended.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.appends.subscribe()
    }

    /// Where the tenant's history is known to go.
    pub fn position(&self, tenant: &TenantId) -> Option<Position> {
        self.known().positions.get(tenant).copied()
    }

    /// Where every history is known to go.
    pub fn positions(&self) -> Vec<(TenantId, Position)> {
        self.known().positions.iter().map(|(tenant, position)| (tenant.clone(), *position)).collect()
    }

    /// What this process appended since this was last asked.
    pub fn take_unsent(&self) -> Vec<(TenantId, Position)> {
        let mut known = self.known();
        let unsent = std::mem::take(&mut known.unsent);
        unsent
            .into_iter()
            .filter_map(|tenant| {
                known.positions.get_key_value(&tenant).map(|(tenant, position)| (tenant.clone(), *position))
            })
            .collect()
    }

    /// Another host, or this one, says how far it appended.
    pub fn heard(&self, tips: impl Iterator<Item = (TenantId, Position)>) {
        let mut news = false;
        let mut known = self.known();
        for (tenant, position) in tips {
            let at = known.positions.entry(tenant).or_default();
            news |= *at < position;
            *at = position.max(*at);
        }
        drop(known);
        if news {
            self.appends.send_modify(|appends| *appends += 1);
        }
    }

    /// This process appended.
    pub fn moved(&self, outcome: &Outcome) {
        if outcome.events.is_empty() {
            return;
        }
        let mut known = self.known();
        for (tenant, tip) in &outcome.tips {
            let at = known.positions.entry(tenant.clone()).or_default();
            *at = tip.position.max(*at);
            known.unsent.insert(tenant.clone());
        }
        drop(known);
        self.appends.send_modify(|appends| *appends += 1);
    }

    fn known(&self) -> MutexGuard<'_, TailKnown> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
