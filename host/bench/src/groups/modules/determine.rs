//! What the sandbox costs: a component in a fresh instance for each call, beside the same Rust code called natively; and,
//! for rules that both can say, beside zen-engine.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use niyam_modules::{FUEL_BASE, FUEL_PER_LINE, Module, ModuleHost};
use niyam_sdk::{ComplianceModule as _, Context as Native, Determination, Document, Finding, TaxModule as _};
use serde::Serialize;
use serde_json::json;
use vat_bd::VatBd;

use super::zen::Zen;
use super::{GROUP, component, flat_tax::FlatTax};
use crate::bench::Bench;
use crate::document;
use crate::figures::{Spread, Times, median, per_second, ratio, rounded};

/// Lines of the documents; how many times native a decision may take at most, and how many times a decision zen-engine
/// must take at least.
const CASES: [(usize, Option<Targets>); 3] = [
    (1, None),
    (10, Some(Targets { native_at_most: 8.0, zen_at_least: 5.0 })),
    (100, Some(Targets { native_at_most: 3.5, zen_at_least: 8.0 })),
];

#[derive(Clone, Copy)]
struct Targets {
    native_at_most: f64,
    zen_at_least: f64,
}

/// A sample lasts at least so long, so that reading the clock does not count.
const SAMPLE_LEAST: Duration = Duration::from_micros(5);
/// Calls of each kind before anything is timed.
const WARM_UP: u32 = 200;

type Natively = fn(&Native, &Document) -> Result<Determination, Vec<Finding>>;

/// The same rules, as a component and as Rust code.
struct Rules {
    name: &'static str,
    component: &'static str,
    natively: Natively,
    /// Whether zen-engine has them too.
    in_zen: bool,
}

/// The least that a module does, with the law said once; and a country's pack, which looks each rate up and cites it.
const RULES: [Rules; 2] = [
    Rules { name: "flat-tax", component: "guests/flat-tax.wasm", natively: FlatTax::determine, in_zen: true },
    Rules { name: "vat-bd", component: "vat-bd.wasm", natively: VatBd::determine, in_zen: false },
];

/// Measures each of them on each document.
pub(super) fn run(bench: &Bench) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let host = ModuleHost::new(folder.path().to_owned())?;
    let mut zen = bench.zen.as_deref().map(Zen::start).transpose()?;
    if zen.is_none() {
        bench.progress("without zen-engine: --zen names its program");
    }
    for rules in RULES {
        let module = host.load(&component(rules.component)?)?;
        for (lines, targets) in CASES {
            bench.progress(&format!("{}, {lines} lines", rules.name));
            let zen = if rules.in_zen { zen.as_mut() } else { None };
            determine(bench, &rules, &module, zen, lines, targets)?;
        }
    }
    Ok(())
}

/// One document, decided natively and by the component.
#[derive(Serialize)]
struct Determined {
    module: &'static str,
    lines: usize,
    /// The Rust code.
    native_us: Percentiles,
    /// The component: instance, call, checks of the answer.
    component_us: Percentiles,
    /// The component, and the proof: digests of input and output.
    proved_us: Percentiles,
    /// `component_us / native_us`.
    ratio: f64,
    /// `proved_us / native_us`.
    ratio_proved: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio_at_most: Option<Target>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zen_us: Option<Percentiles>,
    /// `zen_us / component_us`.
    #[serde(skip_serializing_if = "Option::is_none")]
    zen_ratio: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zen_ratio_at_least: Option<Target>,
    calls_per_s_per_core: f64,
    proved_calls_per_s_per_core: f64,
    fuel: u64,
    rounds: usize,
    calls_per_round: usize,
}

#[derive(Serialize)]
struct Target {
    target: f64,
    met: bool,
}

#[derive(Serialize)]
struct Percentiles {
    p50: f64,
    p95: f64,
}

fn determine(
    bench: &Bench,
    rules: &Rules,
    module: &Arc<Module>,
    zen: Option<&mut Zen>,
    lines: usize,
    targets: Option<Targets>,
) -> Result<()> {
    let document = document::of_lines(lines)?;
    let config = module.manifest().config_default.as_str();
    let natively = || (rules.natively)(&Native::native(config), &document);
    let fuel_given = FUEL_BASE + FUEL_PER_LINE * u64::try_from(lines)?;
    let expected = natively().ok();
    let fuel = same_answer(module, config, &document, expected.as_ref())?;

    let (rounds, calls) = (bench.count(200, 3), bench.count(50, 5));
    let mut subjects = vec![
        Subject::local(|| drop(black_box(natively()))),
        Subject::local(|| drop(black_box(module.determine_unproved(config, &document, fuel_given)))),
        Subject::local(|| drop(black_box(module.determine(config, &document)))),
    ];
    if let (Some(zen), Some(expected)) = (zen, expected.as_ref()) {
        zen.same_totals(&document, expected)?;
        let document = &document;
        subjects.push(Subject::new(move |samples| zen.samples(document, samples)));
    }
    for round in 0..rounds {
        // Each of them comes first, second and so on equally often.
        for turn in 0..subjects.len() {
            let turn = (turn + round) % subjects.len();
            subjects[turn].round(calls)?;
        }
    }
    let [native, component, proved, others @ ..] = subjects.as_slice() else {
        bail!("three subjects at least");
    };
    let zen = others.first();
    let native_ratio = component.times(native);
    let zen_ratio = zen.map(|zen| zen.times(component));
    bench.measured(
        GROUP.name,
        "determine",
        &Determined {
            module: rules.name,
            lines,
            native_us: native.percentiles(),
            component_us: component.percentiles(),
            proved_us: proved.percentiles(),
            ratio: native_ratio,
            ratio_proved: proved.times(native),
            ratio_at_most: targets.map(|targets| Target {
                target: targets.native_at_most,
                met: native_ratio <= targets.native_at_most,
            }),
            zen_us: zen.map(Subject::percentiles),
            zen_ratio,
            zen_ratio_at_least: targets.zip(zen_ratio).map(|(targets, zen_ratio)| Target {
                target: targets.zen_at_least,
                met: zen_ratio >= targets.zen_at_least,
            }),
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
    native: Option<&Determination>,
) -> Result<u64> {
    let decided = module.determine(config, document)?;
    let (Ok(found), Some(native)) = (decided.answer, native) else {
        bail!("the document is refused, so nothing can be measured with it");
    };
    // Equal decimals may show other places; their texts do not.
    ensure!(json!(found) == json!(native), "component and native code give different answers");
    Ok(decided.decision.fuel)
}

/// Takes so many samples.
type Samples<'a> = Box<dyn FnMut(usize) -> Result<Times> + 'a>;

/// What is called, and how long it took, round by round.
struct Subject<'a> {
    samples: Samples<'a>,
    p50: Vec<f64>,
    p95: Vec<f64>,
    calls: usize,
    time: Duration,
}

impl<'a> Subject<'a> {
    fn new(samples: impl FnMut(usize) -> Result<Times> + 'a) -> Self {
        Self { samples: Box::new(samples), p50: Vec::new(), p95: Vec::new(), calls: 0, time: Duration::ZERO }
    }

    /// Warms up, and finds out how often a sample must repeat the call.
    fn local(call: impl Fn() + 'a) -> Self {
        let began = Instant::now();
        for _ in 0..WARM_UP {
            call();
        }
        let one = (began.elapsed() / WARM_UP).max(Duration::from_nanos(1));
        let repeats = u32::try_from(SAMPLE_LEAST.as_nanos().div_ceil(one.as_nanos())).unwrap_or(u32::MAX);
        Self::new(move |samples| {
            let sample = |_| {
                let began = Instant::now();
                for _ in 0..repeats {
                    call();
                }
                began.elapsed() / repeats
            };
            Ok((0..samples).map(sample).collect())
        })
    }

    fn round(&mut self, samples: usize) -> Result<()> {
        let times = (self.samples)(samples)?;
        let Spread { p50, p95, .. } = times.microseconds();
        self.p50.push(p50);
        self.p95.push(p95);
        self.calls += times.count();
        self.time += times.total();
        Ok(())
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
