//! `niyam verify`: runs every decision again on the component that made it.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use indicatif::ProgressBar;
use niyam_domain::{Position, TenantId};
use niyam_modules::{CALLS_MAX, ModuleHost};
use niyam_store::Books;
use niyam_store::audit::open_to_read;
use serde::Serialize;
use tokio::sync::Semaphore;

use super::audit::COULD_NOT_TRY;
use super::{Where, asynchronously, progress};
use crate::app::default_database;
use crate::jobs::cores;
use crate::personal::Opener;
use crate::rerun::components::Components;
use crate::rerun::replay::{DecisionName, fixture};
use crate::rerun::sweep::SweepProgress;
use crate::rerun::verify::{Conclusion, Difference, Verified, verification};

/// How often the bar moves.
const MOVE: Duration = Duration::from_millis(200);
/// Differences of a tenant that are told.
const TOLD_DEFAULT: usize = 20;
const TOLD_MAX: usize = 10_000;

/// Runs every decision again on the component that made it, and compares input, answer, configuration and fuel.
#[derive(Debug, Args)]
pub(super) struct Verify {
    #[command(flatten)]
    tenants: Tenants,
    #[command(flatten)]
    at: Where,
    /// Only decisions after this position of the tenant's history.
    #[arg(long, env = "NIYAM_SINCE", default_value_t = 0)]
    since: u64,
    /// Takes the same answer for other fuel for proven: after an upgrade that counts fuel otherwise.
    #[arg(long, env = "NIYAM_IGNORE_FUEL")]
    ignore_fuel: bool,
    /// Tells up to 10,000 differences of each tenant, not only the first 20.
    #[arg(long, env = "NIYAM_ALL")]
    all: bool,
    /// Prints JSON.
    #[arg(long, env = "NIYAM_JSON")]
    json: bool,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
struct Tenants {
    /// Whose decisions; may repeat.
    #[arg(long, env = "NIYAM_TENANT", value_delimiter = ',')]
    tenant: Vec<TenantId>,
    /// Everybody's, whatever --tenant says.
    #[arg(long, env = "NIYAM_ALL_TENANTS")]
    all_tenants: bool,
}

#[derive(Debug, Args)]
pub(super) struct Replay {
    /// `<position>:<function>` or `<invoice id>:<function>`; the function is `determine` or `prepare-issue`.
    #[arg(env = "NIYAM_DECISION")]
    decision: DecisionName,
    /// Whose decision.
    #[arg(long, env = "NIYAM_TENANT")]
    tenant: TenantId,
    /// The folder to make, with `input.json` and `expected.json` in it.
    #[arg(long, env = "NIYAM_OUT")]
    out: std::path::PathBuf,
    #[command(flatten)]
    at: Where,
}

pub(super) fn run(args: Verify) -> ExitCode {
    match asynchronously(verify(args)) {
        Ok(Conclusion::Proven) => ExitCode::SUCCESS,
        Ok(Conclusion::Differs) => ExitCode::FAILURE,
        Ok(Conclusion::Unproven) => ExitCode::from(COULD_NOT_TRY),
        Err(error) => {
            eprintln!("niyam: {error}");
            ExitCode::from(COULD_NOT_TRY)
        }
    }
}

#[derive(Serialize)]
struct Outcome<'a> {
    conclusion: Conclusion,
    tenants: &'a [Report],
}

/// What is said of a tenant.
#[derive(Serialize)]
struct Report {
    tenant: String,
    conclusion: Conclusion,
    /// Up to where.
    position: u64,
    #[serde(flatten)]
    verified: Verified,
    differences_found: u64,
    differences: Vec<Difference>,
}

async fn verify(args: Verify) -> Result<Conclusion, String> {
    let url = args.at.database_url.clone().unwrap_or_else(|| default_database(&args.at.data));
    let workers = cores().min(CALLS_MAX as usize / 2);
    let connections = u32::try_from(workers).unwrap_or(1).max(2);
    let text = |error: niyam_store::StoreError| error.to_string();
    let books = Books::new(open_to_read(&url, connections).await.map_err(text)?);
    let opener = opener(&args.at, books.clone()).await?;
    let heads = books.heads().await.map_err(text)?;
    let mut tenants = args.tenants.tenant.clone();
    if args.tenants.all_tenants {
        tenants = heads.iter().map(|head| head.tenant.clone()).collect();
    }
    tenants.sort();
    tenants.dedup();
    if tenants.is_empty() {
        return Err("no tenant has a history".to_owned());
    }
    if let Some(nobody) = tenants.iter().find(|tenant| heads.iter().all(|head| head.tenant != **tenant)) {
        return Err(format!("tenant {nobody} has no events"));
    }
    let modules = ModuleHost::new(args.at.data.join("compiled"))
        .map_err(|error| format!("failed to start the module host: {error}"))?;
    let components = Arc::new(Components::new(books.clone(), Arc::new(modules)));
    let bar = progress::bar(0);
    let mut reports = Vec::with_capacity(tenants.len());
    for tenant in &tenants {
        reports.push(one(&args, &opener, &components, tenant, workers, &bar).await?);
    }
    bar.finish_and_clear();
    // A tenant that decided nothing proves nothing, and is no reason to doubt the others.
    let decided = reports.iter().any(|report| report.verified.decisions > 0);
    let counts = |report: &&Report| report.verified.decisions > 0 || !decided;
    let conclusions = || reports.iter().filter(counts).map(|report| report.conclusion);
    let conclusion = if conclusions().any(|one| one == Conclusion::Differs) {
        Conclusion::Differs
    } else if conclusions().any(|one| one == Conclusion::Unproven) {
        Conclusion::Unproven
    } else {
        Conclusion::Proven
    };
    if args.json {
        let text = serde_json::to_string_pretty(&Outcome { conclusion, tenants: &reports })
            .map_err(|error| error.to_string())?;
        println!("{text}");
    } else {
        for report in &reports {
            report.print(args.ignore_fuel);
        }
    }
    Ok(conclusion)
}

async fn one(
    args: &Verify,
    opener: &Opener,
    components: &Arc<Components>,
    tenant: &TenantId,
    workers: usize,
    bar: &ProgressBar,
) -> Result<Report, String> {
    let (sweep, verifiers) = verification(opener, components, tenant, Position(args.since), workers)
        .await
        .map_err(|error| error.to_string())?;
    let position = sweep.up_to.0;
    bar.reset();
    bar.set_message(tenant.to_string());
    bar.set_length(sweep.length());
    let progress = Arc::new(SweepProgress::default());
    let mut telling = sweep.start(verifiers, &Arc::new(Semaphore::new(workers)), &progress);
    let (mut found, mut differences) = (0_u64, Vec::new());
    let told = if args.all { TOLD_MAX } else { TOLD_DEFAULT };
    let mut moving = tokio::time::interval(MOVE);
    loop {
        tokio::select! {
            batch = telling.found.recv() => {
                let Some(batch) = batch else { break };
                found += batch.len() as u64;
                differences.extend(batch);
                // Workers are at different places: those that come first are kept.
                differences.sort_by_key(|difference: &Difference| difference.position);
                differences.truncate(told);
            }
            _ = moving.tick() => bar.set_position(progress.done()),
        }
    }
    let mut verified = Verified::default();
    let workers = telling.workers().await.map_err(|error| error.to_string())?;
    for worker in workers {
        verified.add(worker.verified);
    }
    let conclusion = verified.conclusion(args.ignore_fuel);
    let tenant = tenant.to_string();
    Ok(Report { tenant, conclusion, position, verified, differences_found: found, differences })
}

impl Report {
    fn print(&self, ignore_fuel: bool) {
        let Self { tenant, position, verified, .. } = self;
        let Verified { decisions, proven, other_fuel, untried, erased, differing, keys_lost, components } =
            verified;
        match self.conclusion {
            Conclusion::Proven => {
                println!("{tenant}: proven: {} decisions to position {position}", decisions - erased);
            }
            Conclusion::Differs => println!(
                "{tenant}: DIFFERS: of {decisions} decisions {differing} differ, {other_fuel} cost other fuel, \
                 {untried} could not be run again, {proven} are proven"
            ),
            Conclusion::Unproven => println!(
                "{tenant}: not proven: {untried} of {decisions} decisions could not be run again; none differs"
            ),
        }
        if *keys_lost > 0 {
            println!(
                "  {keys_lost} keys of data subjects are gone, and no erasure is recorded: somebody altered the database"
            );
        }
        if *erased > 0 {
            println!(
                "  of {decisions} decisions {erased} cannot be run again: personal data of their input were erased"
            );
        }
        for Difference { position, invoice, function, module, kind, expected, found } in &self.differences {
            print!("  position {position}");
            if let Some(invoice) = invoice {
                print!(", invoice {invoice}");
            }
            if !function.is_empty() {
                print!(", {function} of {module:.12}");
            }
            print!(": {kind}");
            match (expected, found) {
                (Some(expected), Some(found)) => println!(": {expected} became {found}"),
                (None, Some(one)) | (Some(one), None) => println!(": {one}"),
                (None, None) => println!(),
            }
        }
        let hidden = self.differences_found.saturating_sub(self.differences.len() as u64);
        if hidden > 0 {
            println!("  {hidden} more differences; --all shows them (up to {TOLD_MAX})");
        }
        for (digest, count) in components.iter().filter(|(_, count)| count.other_fuel > 0) {
            println!(
                "  note: {} of {} answers of {} {} ({digest:.12}) are the same and cost other fuel: another engine \
                 counted{}",
                count.other_fuel,
                count.decisions,
                count.id,
                count.version,
                if ignore_fuel { "" } else { "; --ignore-fuel takes them for proven" }
            );
        }
    }
}

/// Opens what is sealed, with the master key of the data folder.
async fn opener(at: &Where, books: Books) -> Result<Opener, String> {
    Opener::find(&at.data, books).await.map_err(|error| error.to_string())
}

/// Writes the fixture of a decision.
pub(super) async fn replay(args: Replay) -> Result<(), String> {
    let url = args.at.database_url.clone().unwrap_or_else(|| default_database(&args.at.data));
    let books = Books::new(open_to_read(&url, 1).await.map_err(|error| error.to_string())?);
    let opener = opener(&args.at, books).await?;
    let fixture = fixture(&opener, &args.tenant, &args.decision).await.map_err(|error| error.to_string())?;
    fixture.write(&args.out).map_err(|error| format!("failed to write {}: {error}", args.out.display()))?;
    println!("{} of module {:.12} written to {}", fixture.function, fixture.module, args.out.display());
    Ok(())
}
