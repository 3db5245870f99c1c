//! Appends that are decided as all others, and not written: what a command would record, and what it would answer.
//!
//! Whatever runs within [`rehearse`] appends nothing, however many calls lie between: that is decided here, where appends
//! begin, so that no command can forget it.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use niyam_domain::TenantId;

use crate::append::{Append, AppendError, Appended, InvalidAppend};
use crate::config::StoreConfig;
use crate::database::Database;
use crate::error::StoreError;
use crate::event::Recorded;
use crate::group::{Command, Known, Settled, Unknown, settle, streams};
use crate::sql::unit::Unit;

/// How often streams are looked up that depend on serials.
const PASSES_MAX: u32 = 4;

tokio::task_local! {
    static REHEARSED: Arc<Mutex<Vec<Recorded>>>;
}

/// Runs `future`, whose appends are decided against what stands and then given up; its output, and the events that it
/// would have recorded. What it starts as a task of its own is not rehearsed.
pub async fn rehearse<F: Future>(future: F) -> (F::Output, Vec<Recorded>) {
    let events = Arc::new(Mutex::new(Vec::new()));
    let output = REHEARSED.scope(Arc::clone(&events), future).await;
    let events = std::mem::take(&mut *events.lock().unwrap_or_else(PoisonError::into_inner));
    (output, events)
}

/// Whether appends are given up here, so that nothing may be kept of them.
#[must_use]
pub fn is_rehearsal() -> bool {
    REHEARSED.try_with(|_| ()).is_ok()
}

/// Decides an append, in a transaction that is given up.
pub(crate) async fn append(
    database: &Database,
    config: &StoreConfig,
    tenant: &TenantId,
    append: Append,
) -> Result<Appended, AppendError> {
    let command = Command { tenant: tenant.clone(), append };
    let (commands, tenants) = ([&command], BTreeSet::from([tenant]));
    let streams = streams(&commands);
    let mut unit = Unit::begin(database, &tenants).await.map_err(StoreError::from)?;
    let found = unit.look(&tenants, &[], &streams).await?;
    let mut known = Known { tips: found.heads.into_iter().collect(), ..Known::default() };
    known.learn(streams, found.versions);
    let mut settled = None;
    for _ in 0..PASSES_MAX {
        match settle(&commands, &known, Unknown::Missing, config.clock.now()) {
            Settled::Missing(streams) => {
                let found = unit.versions(&streams).await?;
                known.learn(streams, found);
            }
            Settled::Done(outcome) => {
                settled = Some(outcome);
                break;
            }
        }
    }
    unit.rollback().await.map_err(StoreError::from)?;
    let Some(mut outcome) = settled else { return Err(InvalidAppend::BuildUnstable.into()) };
    let appended = outcome.results.pop().unwrap_or(Err(StoreError::Closed.into()))?;
    // Only within the scope: whoever calls this has asked.
    let _ = REHEARSED.try_with(|events| {
        events.lock().unwrap_or_else(PoisonError::into_inner).append(&mut outcome.events);
    });
    Ok(appended)
}
