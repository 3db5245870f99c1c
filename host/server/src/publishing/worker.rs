//! Compiles what waits, one at a time: compiling takes seconds to minutes, and is never a request's business.
//!
//! A claim runs out unless its host keeps it, so that what a killed host had begun is begun again by another one. What
//! another host compiled is compiled here too, before a command needs it.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use niyam_modules::LoadError;
use niyam_store::{EventStore, ModuleState, StoreError};
use tokio::sync::{Notify, watch};
use uuid::Uuid;

use crate::packs::{PackError, Packs};
use crate::publishing::report::{Described, Refusal, Report};

/// How often a host looks for work that it was not told of.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How long a claim lasts if its host is not heard of.
const CLAIM: SignedDuration = SignedDuration::from_secs(20);
/// How often a host keeps its claim.
const KEEP_EVERY: Duration = Duration::from_secs(5);
/// How often compiling a module is begun: one that kills its host does not kill the next one for ever.
const ATTEMPTS_MAX: u64 = 3;

/// Compiles modules in the background.
pub(crate) struct Worker {
    store: EventStore,
    packs: Arc<Packs>,
    clock: Arc<dyn niyam_store::Clock>,
    host: Uuid,
    wake: Arc<Notify>,
    /// Looks after which a module that nobody called leaves memory.
    idle_looks: u64,
    /// What this host has compiled.
    compiled: HashSet<[u8; 32]>,
}

impl Worker {
    pub(crate) fn new(
        store: EventStore,
        packs: Arc<Packs>,
        clock: Arc<dyn niyam_store::Clock>,
        host: Uuid,
        wake: Arc<Notify>,
        idle_after: Duration,
    ) -> Self {
        let idle_looks = idle_after.as_secs() / LOOK_EVERY.as_secs();
        Self { store, packs, clock, host, wake, idle_looks, compiled: HashSet::new() }
    }

    /// Works until `stop`.
    pub(crate) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        loop {
            let worked = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                worked = self.work() => worked,
            };
            match worked {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "modules that wait could not be looked at"),
            }
            self.packs.forget_idle(self.idle_looks);
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                () = self.wake.notified() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// One module; says whether there was one.
    async fn work(&mut self) -> Result<bool, StoreError> {
        let until = self.until();
        if let Some((digest, attempt)) = self.store.claim_module(self.host, until).await? {
            self.settle(digest, attempt).await?;
            return Ok(true);
        }
        let ready = self.store.ready_modules().await?;
        let Some(digest) = ready.into_iter().find(|digest| !self.compiled.contains(digest)) else {
            return Ok(false);
        };
        // Another host found it sound; if this one cannot, whoever calls it will hear why.
        if let Err(error) = self.packs.compile(&digest).await {
            tracing::warn!(module.digest = hex::encode(digest), %error, "module not compiled");
        }
        self.compiled.insert(digest);
        Ok(true)
    }

    async fn settle(&mut self, digest: [u8; 32], attempt: u64) -> Result<(), StoreError> {
        let name = hex::encode(digest);
        let tried = if attempt > ATTEMPTS_MAX {
            let message = format!("compiling it broke off {ATTEMPTS_MAX} times");
            Some(Report::Refused(Refusal { code: "component-not-compilable".to_owned(), message }))
        } else {
            self.compile(&digest).await?
        };
        let Some(tried) = tried else {
            tracing::warn!(module.digest = name, attempt, "module left for a later attempt");
            return Ok(());
        };
        let state = match &tried {
            Report::Ready(_) => ModuleState::Ready,
            Report::Refused(refusal) => {
                tracing::info!(module.digest = name, code = refusal.code, "module refused");
                ModuleState::Refused
            }
        };
        let report = serde_json::to_string(&tried).unwrap_or_default();
        self.store.settle_module(self.host, &digest, state, &report).await?;
        self.compiled.insert(digest);
        Ok(())
    }

    /// Tries the module, keeping the claim meanwhile; `None` if the claim was lost, or the host itself failed: the claim
    /// then runs out, and another attempt is made.
    async fn compile(&self, digest: &[u8; 32]) -> Result<Option<Report>, StoreError> {
        let mut compiling = std::pin::pin!(self.packs.compile(digest));
        loop {
            tokio::select! {
                tried = &mut compiling => return report(tried),
                () = tokio::time::sleep(KEEP_EVERY) => {
                    if !self.store.keep_claim(self.host, digest, self.until()).await? {
                        return Ok(None);
                    }
                }
            }
        }
    }

    fn until(&self) -> Timestamp {
        self.clock.now().checked_add(CLAIM).unwrap_or(Timestamp::MAX)
    }
}

/// A refusal is the module's; what is the host's own trouble is not held against it.
fn report(tried: Result<Arc<niyam_modules::Module>, PackError>) -> Result<Option<Report>, StoreError> {
    match tried {
        Ok(module) => Ok(Some(Report::Ready(Box::new(Described::from(&*module))))),
        Err(PackError::Unavailable { source: Some(error), .. }) if !matches!(error, LoadError::Host(_)) => {
            Ok(Some(Report::Refused(Refusal::from(&error))))
        }
        Err(PackError::Store(error)) => Err(error),
        Err(error) => {
            tracing::error!(%error, "a module could not be tried");
            Ok(None)
        }
    }
}
