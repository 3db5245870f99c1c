//! Decisions run again, from the books: beside the bare calls of the module that they consist of.
//!
//! What a core does is told by the processor's time of the whole process, since reading goes on in threads of its own.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use niyam::{App, AppConfig, NewTenant, create_tenant, simulate_documents, verify_decisions};
use niyam_domain::{
    Assessment, DomainEvent as _, InvoiceDrafted, InvoiceEvent, InvoiceId, InvoiceIssued, TenantId, Version,
};
use niyam_modules::{Module, ModuleHost};
use niyam_sdk::{Attributes, Date, Document, Identifier};
use niyam_store::{Append, Batch, NewEvent, StreamWrite};
use niyam_values::IssueFacts;
use serde::Serialize;
use uuid::Uuid;

use crate::bench::Bench;
use crate::document;
use crate::figures::{median, ratio, rounded};
use crate::groups::Group;
use crate::groups::modules::component;

/// The group.
pub const VERIFY: Group = Group {
    name: "verify",
    about: "every decision of a history run again, beside the bare calls",
    run: verify,
};
/// The group.
pub const SIMULATION: Group = Group {
    name: "simulation",
    about: "a candidate on every document of a history, beside the bare calls",
    run: simulate,
};

/// Lines of each document.
const LINES: usize = 10;
/// Decisions in a second of one core that are aimed at.
const VERIFY_TARGET: f64 = 20_000.0;
/// Documents in a second of one core that are aimed at.
const SIMULATION_TARGET: f64 = 10_000.0;
/// Invoices that are appended at once.
const AT_ONCE: usize = 50;
/// The day of each.
const DAY: Date = Date::constant(2026, 8, 15);

/// A history of invoices, drafted and issued, in SQLite.
struct Books {
    app: App,
    modules: Arc<ModuleHost>,
    module: Arc<Module>,
    config: String,
    tenant: TenantId,
    document: Document,
    invoices: usize,
    _folder: tempfile::TempDir,
}

impl Books {
    async fn new(bench: &Bench) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let app = App::open(AppConfig::new(folder.path().to_owned(), None)).await?;
        let modules = Arc::new(ModuleHost::new(folder.path().join("compiled"))?);
        let module = modules.load(&component("vat-bd.wasm")?)?;
        let config = module
            .check_config(&module.manifest().config_default)
            .map_err(|findings| anyhow!("its own configuration does not fit: {findings:?}"))?;
        let tenant: TenantId = "demo".parse()?;
        let document = document::of_lines(LINES)?;
        let new = NewTenant {
            tenant: tenant.clone(),
            pack: "vat-bd".to_owned(),
            config: Some(config.clone()),
            legal_name: Some(document.supplier.name.clone()),
            address: document.supplier.address.clone(),
            time_zone: "Asia/Dhaka".to_owned(),
            identifiers: vec![Identifier { kind: "bin".to_owned(), value: "000828395-0207".to_owned() }],
        };
        create_tenant(&app, new).await.map_err(|error| anyhow!(error))?;
        let invoices = bench.count(20_000, 60);
        let books = Self { app, modules, module, config, tenant, document, invoices, _folder: folder };
        books.fill().await?;
        Ok(books)
    }

    /// Drafts and issues, each with the decisions that the module makes of it.
    async fn fill(&self) -> Result<()> {
        let decided = self.module.determine(&self.config, &self.document)?;
        let taxes = decided.answer.map_err(|findings| anyhow!("refused: {findings:?}"))?;
        let planned = self.module.prepare_issue(&self.config, &self.document, &taxes, DAY)?;
        let plan = planned.answer.map_err(|findings| anyhow!("refused: {findings:?}"))?;
        let assessment = Assessment { document: self.document.clone(), taxes, decision: decided.decision };
        let mut serial = 0;
        for number in 0..self.invoices.div_ceil(AT_ONCE) {
            let count = AT_ONCE.min(self.invoices - number * AT_ONCE);
            let mut writes = Vec::with_capacity(count);
            for _ in 0..count {
                serial += 1;
                let invoice_id = InvoiceId(Uuid::from_u128(u128::from(serial)));
                let drafted = InvoiceDrafted { invoice_id, assessment: assessment.clone() };
                let issued = InvoiceIssued {
                    assessment: assessment.clone(),
                    plan: plan.clone(),
                    plan_decision: planned.decision.clone(),
                    serial,
                    facts: IssueFacts {
                        number: plan.number_pattern.replace("{serial}", &serial.to_string()),
                        issued_on: DAY,
                        issued_at: "12:00:00".to_owned(),
                        attributes: Attributes::new(),
                    },
                    issued_at: jiff::Timestamp::UNIX_EPOCH,
                };
                let events = [InvoiceEvent::Drafted(drafted), InvoiceEvent::Issued(issued)];
                let events = events.into_iter().enumerate().map(|(index, event)| {
                    Ok(NewEvent {
                        id: Uuid::from_u128((u128::from(serial) << 1 | index as u128) << 64),
                        event_type: event.event_type().to_owned(),
                        payload: event.payload()?,
                        metadata: b"{}".to_vec(),
                        effective_date: DAY,
                    })
                });
                let events = events.collect::<Result<Vec<_>>>()?;
                writes.push(StreamWrite { stream: invoice_id.stream(), expected: Version(0), events });
            }
            let batch = Batch { writes, answer: Vec::new() };
            self.app.store().append(&self.tenant, Append::of(batch)).await?;
        }
        Ok(())
    }

    /// So many bare calls of `determine`.
    fn bare(&self, calls: usize) -> Result<()> {
        let fuel = self.module.fuel_for(&self.document);
        for _ in 0..calls {
            std::hint::black_box(
                self.module.determine_unproved(&self.config, &self.document, fuel)?.0.is_ok(),
            );
        }
        Ok(())
    }
}

#[derive(Serialize)]
struct Rerun {
    lines: usize,
    workers: usize,
    /// Decisions or documents of a round.
    count: u64,
    rounds: usize,
    /// Processor time for each, all threads together.
    cpu_us: f64,
    /// The same of one bare call.
    bare_cpu_us: f64,
    /// `cpu_us / bare_cpu_us`.
    ratio: f64,
    per_s_per_core: f64,
    per_s_per_core_target: f64,
    /// By the clock on the wall, with these workers.
    per_s: f64,
}

fn verify(bench: &Bench) -> Result<()> {
    measure(bench, VERIFY.name, VERIFY_TARGET, async |books: &Books, workers: usize| {
        let counted = verify_decisions(&books.app, Arc::clone(&books.modules), &books.tenant, workers).await;
        let counted = counted.map_err(|error| anyhow!(error))?;
        ensure!(counted.all == 3 * books.invoices as u64, "not every decision was run again: {counted:?}");
        ensure!(counted.all == counted.same, "a decision is not proven: {counted:?}");
        Ok(counted.all)
    })
}

fn simulate(bench: &Bench) -> Result<()> {
    measure(bench, SIMULATION.name, SIMULATION_TARGET, async |books: &Books, workers: usize| {
        let candidate = (books.module.reference().digest.as_str(), books.config.as_str());
        let modules = Arc::clone(&books.modules);
        let counted = simulate_documents(&books.app, modules, &books.tenant, candidate, workers).await;
        let counted = counted.map_err(|error| anyhow!(error))?;
        ensure!(counted.all == books.invoices as u64, "not every document was asked about: {counted:?}");
        ensure!(counted.all == counted.same, "the same module answers otherwise: {counted:?}");
        Ok(counted.all)
    })
}

#[expect(clippy::needless_pass_by_value, reason = "a closure, written where it is given")]
fn measure(
    bench: &Bench,
    name: &'static str,
    target: f64,
    run: impl AsyncFn(&Books, usize) -> Result<u64>,
) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        bench.progress("filling the books");
        let books = Books::new(bench).await?;
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
        let rounds = bench.count(5, 1);
        let mut all_workers = vec![1, cores];
        all_workers.dedup();
        for workers in all_workers {
            bench.progress(&format!("{workers} workers"));
            let (mut each, mut bare, mut wall, mut count) = (Vec::new(), Vec::new(), Vec::new(), 0);
            for _ in 0..rounds {
                let (before, began) = (processor_time()?, Instant::now());
                count = run(&books, workers).await?;
                wall.push(per(began.elapsed(), count));
                each.push(per(processor_time()?.saturating_sub(before), count));
                let before = processor_time()?;
                let calls = bench.count(50_000, 50);
                books.bare(calls)?;
                bare.push(per(processor_time()?.saturating_sub(before), calls as u64));
            }
            let (cpu_us, bare_cpu_us, wall_us) = (median(&each), median(&bare), median(&wall));
            let rate = |microseconds: f64| if microseconds > 0.0 { rounded(1e6 / microseconds) } else { 0.0 };
            bench.measured(
                name,
                "from-the-books",
                &Rerun {
                    lines: LINES,
                    workers,
                    count,
                    rounds,
                    cpu_us: rounded(cpu_us),
                    bare_cpu_us: rounded(bare_cpu_us),
                    ratio: ratio(cpu_us, bare_cpu_us),
                    per_s_per_core: rate(cpu_us),
                    per_s_per_core_target: target,
                    per_s: rate(wall_us),
                },
            )?;
        }
        Ok(())
    })
}

/// Microseconds for each of `count`.
#[expect(clippy::cast_precision_loss, reason = "counts far below what a float holds")]
fn per(time: Duration, count: u64) -> f64 {
    time.as_secs_f64() * 1e6 / count.max(1) as f64
}

/// The processor's time that this process took so far, all threads together; to 10 ms.
fn processor_time() -> Result<Duration> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    // The name may hold anything; what follows its bracket is numbers. User and system time are the 14th and 15th.
    let after = stat.rsplit_once(')').context("/proc/self/stat is not as expected")?.1;
    let ticks: u64 =
        after.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Ok(Duration::from_millis(ticks * 10))
}
