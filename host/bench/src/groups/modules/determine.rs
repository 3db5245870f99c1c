//! What the sandbox costs: the pack of Bangladesh as a component, a fresh instance for each call, beside the same Rust
//! code called natively; and what a loaded module takes of memory and time.

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use niyam_modules::{FUEL_BASE, FUEL_PER_LINE, Module, ModuleHost};
use niyam_sdk::{ComplianceModule as _, Context as Native, Determination, Document};
use serde::{Deserialize, Serialize};
use serde_json::json;
use vat_bd::VatBd;

use crate::bench::Bench;
use crate::document;
use crate::figures::{Spread, Times, median, per_second, ratio, rounded};
use crate::groups::Group;
use crate::memory;

/// The group.
pub const GROUP: Group =
    Group { name: "decision", about: "a module's decision beside the same Rust code called natively", run };

/// Lines of the documents, and how many times native a decision may take at most.
const CASES: [(usize, Option<f64>); 3] = [(1, None), (10, Some(8.0)), (100, Some(3.5))];

/// A sample lasts at least so long, so that reading the clock does not count.
const SAMPLE_LEAST: Duration = Duration::from_micros(5);
/// Calls of each kind before anything is timed.
const WARM_UP: u32 = 200;
/// Modules that are loaded before memory is looked at.
const LOADED_BEFORE: usize = 3;

fn run(bench: &Bench) -> Result<()> {
    let component = component()?;
    let folder = tempfile::tempdir()?;
    let host = ModuleHost::new(folder.path().to_owned())?;
    let module = host.load(&component)?;
    for (lines, ratio_target) in CASES {
        bench.progress(&format!("{lines} lines"));
        determine(bench, &module, lines, ratio_target)?;
    }
    loading(bench, &component)
}

fn component() -> Result<Vec<u8>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/modules/vat-bd.wasm");
    fs::read(&path).with_context(|| format!("{}: `cargo xtask plugins` makes it", path.display()))
}

/// One document, decided natively and by the component.
#[derive(Serialize)]
struct Determined {
    lines: usize,
    /// The Rust code.
    native_us: Percentiles,
    /// The component: instance, call, checks of the answer.
    component_us: Percentiles,
    /// The component, and the proof: digests of input and output.
    proved_us: Percentiles,
    /// `component_us / native_us`.
    ratio: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio_target: Option<f64>,
    /// `proved_us / native_us`.
    ratio_proved: f64,
    calls_per_s_per_core: f64,
    proved_calls_per_s_per_core: f64,
    fuel: u64,
    rounds: usize,
    calls_per_round: usize,
}

#[derive(Serialize)]
struct Percentiles {
    p50: f64,
    p95: f64,
}

fn determine(bench: &Bench, module: &Arc<Module>, lines: usize, ratio_target: Option<f64>) -> Result<()> {
    let document = document::of_lines(lines)?;
    let config = module.manifest().config_default.as_str();
    let natively = || VatBd::determine(&Native::native(config), &document);
    let fuel_given = FUEL_BASE + FUEL_PER_LINE * u64::try_from(lines)?;
    let fuel = same_answer(module, config, &document, natively().ok())?;

    let (rounds, calls) = (bench.count(200, 3), bench.count(50, 5));
    let mut subjects = [
        Subject::new(|| drop(black_box(natively()))),
        Subject::new(|| drop(black_box(module.determine_unproved(config, &document, fuel_given)))),
        Subject::new(|| drop(black_box(module.determine(config, &document)))),
    ];
    for round in 0..rounds {
        // Each of them comes first, second and third equally often.
        for turn in 0..subjects.len() {
            let turn = (turn + round) % subjects.len();
            subjects[turn].round(calls);
        }
    }
    let [native, component, proved] = &subjects;
    bench.measured(
        GROUP.name,
        "determine",
        &Determined {
            lines,
            native_us: native.percentiles(),
            component_us: component.percentiles(),
            proved_us: proved.percentiles(),
            ratio: component.times(native),
            ratio_target,
            ratio_proved: proved.times(native),
            calls_per_s_per_core: component.per_second(),
            proved_calls_per_s_per_core: proved.per_second(),
            fuel,
            rounds,
            calls_per_round: calls,
        },
    )
}

/// Refuses to compare what does not do the same work; the fuel that the component takes.
fn same_answer(
    module: &Module,
    config: &str,
    document: &Document,
    native: Option<Determination>,
) -> Result<u64> {
    let decided = module.determine(config, document)?;
    let (Ok(found), Some(native)) = (decided.answer, native) else {
        bail!("the document is refused, so nothing can be measured with it");
    };
    // Equal decimals may show other places; their texts do not.
    ensure!(json!(found) == json!(native), "component and native code give different answers");
    Ok(decided.decision.fuel)
}

/// What is called, and how long it took, round by round.
struct Subject<'a> {
    call: Box<dyn Fn() + 'a>,
    /// Calls that are timed as one.
    repeats: u32,
    p50: Vec<f64>,
    p95: Vec<f64>,
    calls: usize,
    time: Duration,
}

impl<'a> Subject<'a> {
    /// Warms up, and finds out how often a sample must repeat the call.
    fn new(call: impl Fn() + 'a) -> Self {
        let began = Instant::now();
        for _ in 0..WARM_UP {
            call();
        }
        let one = (began.elapsed() / WARM_UP).max(Duration::from_nanos(1));
        let repeats = u32::try_from(SAMPLE_LEAST.as_nanos().div_ceil(one.as_nanos())).unwrap_or(u32::MAX);
        Self {
            call: Box::new(call),
            repeats,
            p50: Vec::new(),
            p95: Vec::new(),
            calls: 0,
            time: Duration::ZERO,
        }
    }

    fn round(&mut self, samples: usize) {
        let times: Times = (0..samples)
            .map(|_| {
                let began = Instant::now();
                for _ in 0..self.repeats {
                    (self.call)();
                }
                began.elapsed() / self.repeats
            })
            .collect();
        let Spread { p50, p95, .. } = times.microseconds();
        self.p50.push(p50);
        self.p95.push(p95);
        self.calls += times.count();
        self.time += times.total();
    }

    /// Medians of the rounds'.
    fn percentiles(&self) -> Percentiles {
        Percentiles { p50: rounded(median(&self.p50)), p95: rounded(median(&self.p95)) }
    }

    /// How many times as long as `baseline`, which took its turns in the same rounds.
    fn times(&self, baseline: &Self) -> f64 {
        ratio(median(&self.p50), median(&baseline.p50))
    }

    fn per_second(&self) -> f64 {
        per_second(self.calls, self.time)
    }
}

/// What it takes to have a module.
#[derive(Serialize)]
struct Loading {
    what: &'static str,
    modules: usize,
    component_bytes: usize,
    compiled_bytes: u64,
    /// Check, compile, keep, ask what it is.
    first_compile_ms: Spread,
    /// The same when it was compiled before.
    cached_load_us: Spread,
    resident_bytes_per_module: i64,
    anonymous_bytes_per_module: i64,
}

/// What a process of its own says, in which nothing was compiled: a compiler leaves memory behind.
#[derive(Serialize, Deserialize)]
struct Loaded {
    load_us: Spread,
    resident_bytes_per_module: i64,
    anonymous_bytes_per_module: i64,
}

fn loading(bench: &Bench, component: &[u8]) -> Result<()> {
    let modules = modules(bench);
    bench.progress(&format!("{modules} modules, compiled and loaded"));
    let folder = tempfile::tempdir()?;
    let host = ModuleHost::new(folder.path().to_owned())?;
    let mut compiled = Times::default();
    for number in 0..modules {
        let component = distinct(component, number);
        let began = Instant::now();
        host.load(&component)?;
        compiled.push(began.elapsed());
    }
    drop(host);
    let mut compiled_bytes = 0;
    for file in fs::read_dir(folder.path())? {
        compiled_bytes += file?.metadata()?.len();
    }
    let mut child = Command::new(std::env::current_exe()?);
    child.arg("--load").arg(folder.path());
    if bench.quick {
        child.arg("--quick");
    }
    let said = child.stderr(std::process::Stdio::inherit()).output()?;
    ensure!(said.status.success(), "the process that loads modules failed ({})", said.status);
    let loaded: Loaded = serde_json::from_slice(&said.stdout)?;
    bench.measured(GROUP.name, "loaded-module", &Loading {
        what: "resident memory of a process that loads vat-bd again and again, each with another custom section",
        modules,
        component_bytes: component.len(),
        compiled_bytes: compiled_bytes / u64::try_from(modules)?,
        first_compile_ms: compiled.milliseconds(),
        cached_load_us: loaded.load_us,
        resident_bytes_per_module: loaded.resident_bytes_per_module,
        anonymous_bytes_per_module: loaded.anonymous_bytes_per_module,
    })
}

/// Loads the modules that an earlier process compiled into `folder`, and prints what they take.
pub fn load(bench: &Bench, folder: &Path) -> Result<()> {
    let component = component()?;
    let components: Vec<Vec<u8>> = (0..modules(bench)).map(|number| distinct(&component, number)).collect();
    let host = ModuleHost::new(folder.to_owned())?;
    let (first, rest) = components.split_at(LOADED_BEFORE);
    for component in first {
        host.load(component)?;
    }
    let before = memory::resident()?;
    let mut times = Times::default();
    for component in rest {
        let began = Instant::now();
        host.load(component)?;
        times.push(began.elapsed());
    }
    let after = memory::resident()?;
    let each = |grown: i64| i64::try_from(rest.len()).map(|modules| grown / modules);
    let loaded = Loaded {
        load_us: times.microseconds(),
        resident_bytes_per_module: each(after.all - before.all)?,
        anonymous_bytes_per_module: each(after.anonymous - before.anonymous)?,
    };
    println!("{}", serde_json::to_string(&loaded)?);
    Ok(())
}

fn modules(bench: &Bench) -> usize {
    bench.count(50, LOADED_BEFORE + 1)
}

/// The same component under another digest: a custom section more, which nobody reads.
fn distinct(component: &[u8], number: usize) -> Vec<u8> {
    const CUSTOM: u8 = 0;
    const NAME: &[u8] = b"bench";
    let number = number.to_le_bytes();
    let length = |bytes: &[u8]| u8::try_from(bytes.len()).expect("a few bytes");
    let mut distinct = component.to_vec();
    distinct.extend([CUSTOM, 1 + length(NAME) + length(&number), length(NAME)]);
    distinct.extend(NAME.iter().chain(&number));
    distinct
}
