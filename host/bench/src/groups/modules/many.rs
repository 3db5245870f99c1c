//! What it takes to know many modules and to have a few of them at hand: memory of each, and the first answer of one
//! whose compiled code lies on the disk alone.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use niyam_modules::ModuleHost;
use serde::{Deserialize, Serialize};

use super::{GROUP, component};
use crate::bench::Bench;
use crate::document;
use crate::figures::{Spread, Times};
use crate::memory;

/// Modules that are loaded before memory is looked at.
const LOADED_BEFORE: usize = 3;
/// Lines of the document of a first answer.
const LINES: usize = 10;
const FIRST_ANSWER_MS_AT_MOST: f64 = 5.0;

/// How many distinct modules are known, and how many of them at hand.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    component: &'static str,
    known: usize,
    active: usize,
}

const KINDS: [Kind; 2] = [
    Kind { name: "flat-tax", component: "guests/flat-tax.wasm", known: 1000, active: 50 },
    Kind { name: "vat-bd", component: "vat-bd.wasm", known: 60, active: 20 },
];

/// What was measured.
#[derive(Serialize)]
struct Many {
    what: &'static str,
    module: &'static str,
    known: usize,
    active: usize,
    component_bytes: usize,
    compiled_bytes: u64,
    /// Check, compile, keep, ask what it is.
    first_compile_ms: Spread,
    resident_bytes_per_module: i64,
    anonymous_bytes_per_module: i64,
    /// Load and decide, when only the disk has the compiled code.
    first_answer_ms: Spread,
    first_answer_ms_at_most: f64,
    met: bool,
}

/// What a process of its own says, in which nothing was compiled: a compiler leaves memory behind.
#[derive(Serialize, Deserialize)]
struct Loaded {
    resident_bytes_per_module: i64,
    anonymous_bytes_per_module: i64,
    first_answer_ms: Spread,
}

/// Compiles each kind as often as it is to be known, and lets another process load it.
pub(super) fn run(bench: &Bench) -> Result<()> {
    KINDS.iter().try_for_each(|kind| measure(bench, *kind))
}

fn measure(bench: &Bench, kind: Kind) -> Result<()> {
    let Kind { known, active, .. } = of_run(bench, kind);
    bench.progress(&format!("{}: {known} distinct modules, compiled and loaded", kind.name));
    let component = component(kind.component)?;
    let folder = tempfile::tempdir()?;
    let compiled = compile(&component, folder.path(), known)?;
    let mut compiled_bytes = 0;
    for file in fs::read_dir(folder.path())? {
        compiled_bytes += file?.metadata()?.len();
    }
    let mut child = Command::new(std::env::current_exe()?);
    child.args(["--load", kind.name, "--load-from"]).arg(folder.path());
    if bench.quick {
        child.arg("--quick");
    }
    let said = child.stderr(Stdio::inherit()).output()?;
    ensure!(said.status.success(), "the process that loads modules failed ({})", said.status);
    let loaded: Loaded = serde_json::from_slice(&said.stdout)?;
    bench.measured(GROUP.name, "many-modules", &Many {
        what: "one component again and again, each with another custom section; memory of a process that compiled none",
        module: kind.name,
        known,
        active,
        component_bytes: component.len(),
        compiled_bytes: compiled_bytes / u64::try_from(known)?,
        first_compile_ms: compiled.milliseconds(),
        resident_bytes_per_module: loaded.resident_bytes_per_module,
        anonymous_bytes_per_module: loaded.anonymous_bytes_per_module,
        first_answer_ms: loaded.first_answer_ms,
        first_answer_ms_at_most: FIRST_ANSWER_MS_AT_MOST,
        met: loaded.first_answer_ms.p99 < FIRST_ANSWER_MS_AT_MOST,
    })
}

/// Compiles on every core. No host holds many of them, as none would at work.
fn compile(component: &[u8], folder: &Path, known: usize) -> Result<Times> {
    let next = AtomicUsize::new(0);
    let host = ModuleHost::new(folder.to_owned())?;
    let threads = std::thread::available_parallelism().map_or(1, Into::into);
    std::thread::scope(|scope| {
        let work = || {
            let mut times = Times::default();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= known {
                    return Ok(times);
                }
                let distinct = distinct(component, number);
                let began = Instant::now();
                host.load(&distinct)?;
                times.push(began.elapsed());
            }
        };
        let working: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        working.into_iter().try_fold(Times::default(), |all, thread| {
            let times: Result<Times> = thread.join().expect("the compiler does not panic");
            Ok(all.and(times?))
        })
    })
}

/// Loads the modules that an earlier process compiled into `folder`, and prints what they take.
pub(super) fn load(bench: &Bench, name: &str, folder: &Path) -> Result<()> {
    let kind = *KINDS.iter().find(|kind| kind.name == name).context("no such kind of module")?;
    let Kind { known, active, .. } = of_run(bench, kind);
    let component = component(kind.component)?;
    let document = document::of_lines(LINES)?;
    let host = ModuleHost::new(folder.to_owned())?;
    let answer = |number: usize| {
        let distinct = distinct(&component, number);
        let began = Instant::now();
        let module = host.load(&distinct)?;
        module.determine(&module.manifest().config_default, &document)?;
        anyhow::Ok(began.elapsed())
    };
    for number in 0..LOADED_BEFORE {
        answer(number)?;
    }
    let before = memory::resident()?;
    for number in LOADED_BEFORE..LOADED_BEFORE + active {
        answer(number)?;
    }
    let after = memory::resident()?;
    let first: Times = (LOADED_BEFORE + active..known).map(answer).collect::<Result<_>>()?;
    let each = |grown: i64| i64::try_from(active).map(|modules| grown / modules);
    let loaded = Loaded {
        resident_bytes_per_module: each(after.all - before.all)?,
        anonymous_bytes_per_module: each(after.anonymous - before.anonymous)?,
        first_answer_ms: first.milliseconds(),
    };
    println!("{}", serde_json::to_string(&loaded)?);
    Ok(())
}

fn of_run(bench: &Bench, kind: Kind) -> Kind {
    let (known, active) = (bench.count(kind.known, LOADED_BEFORE + 3), bench.count(kind.active, 2));
    Kind { known, active, ..kind }
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
