//! The same without jobs and without telling what differs: how much is done, for measurements.

use std::sync::Arc;

use niyam_domain::{Position, TenantId};
use niyam_modules::ModuleHost;
use tokio::sync::Semaphore;

use crate::App;
use crate::rerun::components::Components;
use crate::rerun::simulate::{Filter, Simulator, simulation};
use crate::rerun::sweep::{Sweep, Work};
use crate::rerun::verify::{Verified, verification};

/// What was gone through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// Decisions or documents.
    pub all: u64,
    /// Those with the same answer as before.
    pub same: u64,
}

/// Runs every decision of a tenant again, on `workers` threads.
///
/// # Errors
/// When the store fails.
pub async fn verify_decisions(
    app: &App,
    modules: Arc<ModuleHost>,
    tenant: &TenantId,
    workers: usize,
) -> Result<Counted, String> {
    let opener = app.vault.opener();
    let components = Arc::new(Components::new(opener.books().clone(), modules));
    let (sweep, verifiers) = verification(opener, &components, tenant, Position(0), workers)
        .await
        .map_err(|error| error.to_string())?;
    let mut verified = Verified::default();
    let done = run(sweep, verifiers, workers).await?;
    for worker in done {
        verified.add(worker.verified);
    }
    Ok(Counted { all: verified.decisions, same: verified.proven })
}

/// Asks the component `digest` about every issued document of a tenant, on `workers` threads.
///
/// # Errors
/// When the store fails, or has no such component.
pub async fn simulate_documents(
    app: &App,
    modules: Arc<ModuleHost>,
    tenant: &TenantId,
    (digest, config): (&str, &str),
    workers: usize,
) -> Result<Counted, String> {
    let module = modules.get(digest).ok_or("the component is not loaded")?;
    let (sweep, simulators) =
        simulation(app.vault.opener(), tenant, (&module, config), Filter::default(), workers)
            .await
            .map_err(|error| error.to_string())?;
    let (_, simulated) = Simulator::conclude(run(sweep, simulators, workers).await?);
    Ok(Counted { all: simulated.documents, same: simulated.same })
}

async fn run<W: Work>(sweep: Sweep, work: Vec<W>, workers: usize) -> Result<Vec<W>, String> {
    let mut telling = sweep.start(work, &Arc::new(Semaphore::new(workers)), &Arc::default());
    while telling.found.recv().await.is_some() {}
    telling.workers().await.map_err(|error| error.to_string())
}
