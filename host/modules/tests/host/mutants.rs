//! Components that nobody wrote: the host takes them in or refuses them, calls them, and is none the worse.
//!
//! As many as `NIYAM_FUZZ_COUNT` says, drawn from `NIYAM_FUZZ_SEED`; `cargo xtask fuzz-modules` sets both. Case number
//! n of seed s is case 0 of seed s + n.

use std::collections::BTreeMap;
use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arbitrary::Unstructured;
use niyam_modules::{DEADLINE_TICKS, EPOCH_TICK, Module, ModuleFailure, ModuleHost};
use niyam_values::Date;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use wasm_mutate::WasmMutate;

use crate::components::{component, document};
use crate::wicked::{self, Wicked, request};

const COUNT: u64 = 10_000;
const SEED: u64 = 20_260_815;
/// Cases that share a host, its pool and its folder.
const CASES_OF_HOST: u64 = 50;

#[test]
fn mutants_are_refused_or_contained() {
    let number = |name, otherwise| env::var(name).map_or(otherwise, |number| number.parse().unwrap());
    let (count, seed) = (number("NIYAM_FUZZ_COUNT", COUNT), number("NIYAM_FUZZ_SEED", SEED));
    let began = Instant::now();
    let next = AtomicU64::new(0);
    let bases = Bases::new();
    let threads = std::thread::available_parallelism().map_or(1, Into::into);
    let tallies: Vec<Tally> = std::thread::scope(|scope| {
        let work = || {
            let mut tally = Tally::default();
            loop {
                let first = next.fetch_add(CASES_OF_HOST, Ordering::Relaxed);
                if first >= count {
                    return tally;
                }
                let last = count.min(first + CASES_OF_HOST);
                on_one_host(&bases, (first..last).map(|case| seed + case), &mut tally);
            }
        };
        let working: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        working.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let tally = tallies.into_iter().fold(Tally::default(), Tally::and);
    println!("{count} mutants from seed {seed} in {:.1} s: {tally:?}", began.elapsed().as_secs_f64());
    assert!(tally.slowest < EPOCH_TICK * 2 * u32::try_from(DEADLINE_TICKS).unwrap(), "{:?}", tally.slowest);
    let taken: u64 = tally.taken.values().sum();
    let refused: u64 = tally.refused.values().sum();
    assert_eq!(taken + refused, count);
    if count >= 1000 {
        // That they get through to every stage is what makes them worth while: not read, not compiled, failed when asked
        // what they are, failed when asked for more, answered.
        let met =
            |codes: &BTreeMap<_, _>, wanted: &[&str]| wanted.iter().all(|code| codes.contains_key(code));
        let refusals =
            ["component-malformed", "component-not-compilable", "manifest-invalid", "world-missing"];
        let failures = ["module-fuel-exhausted", "module-stack-exhausted", "module-trapped"];
        assert!(met(&tally.refused, &refusals) && met(&tally.refused, &failures), "{tally:?}");
        assert!(met(&tally.failed, &["module-trapped", "module-output-invalid"]), "{tally:?}");
        assert!(met(&tally.taken, &["bytes", "mutated"]) && tally.answered > count / 20, "{tally:?}");
    }
}

/// What became of them.
#[derive(Debug, Default)]
struct Tally {
    /// By kind.
    taken: BTreeMap<&'static str, u64>,
    /// By code.
    refused: BTreeMap<&'static str, u64>,
    /// Calls.
    answered: u64,
    /// By code.
    failed: BTreeMap<&'static str, u64>,
    /// The longest call.
    slowest: Duration,
}

impl Tally {
    fn and(mut self, other: Self) -> Self {
        for (all, more) in [
            (&mut self.taken, other.taken),
            (&mut self.refused, other.refused),
            (&mut self.failed, other.failed),
        ] {
            for (name, count) in more {
                *all.entry(name).or_default() += count;
            }
        }
        self.answered += other.answered;
        self.slowest = self.slowest.max(other.slowest);
        self
    }
}

fn on_one_host(bases: &Bases, seeds: impl Iterator<Item = u64>, tally: &mut Tally) {
    // Compiled code is made durable, which a folder in memory does not mind.
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
    let host = ModuleHost::new(folder.path().to_owned()).unwrap();
    for seed in seeds {
        let (kind, mutant) = bases.mutant(seed);
        let tried = catch_unwind(AssertUnwindSafe(|| attempt(&host, kind, &mutant, tally)));
        assert!(tried.is_ok(), "the host panicked over seed {seed} ({kind})");
    }
    let sound = host.load(&bases.plain).expect("the host is as it was");
    sound.evaluate("{}", &request()).expect("the host is as it was");
}

fn attempt(host: &ModuleHost, kind: &'static str, mutant: &[u8], tally: &mut Tally) {
    let module = match host.load(mutant) {
        Ok(module) => module,
        Err(error) => {
            *tally.refused.entry(error.code()).or_default() += 1;
            return;
        }
    };
    *tally.taken.entry(kind).or_default() += 1;
    for call in [evaluate, determine, period] {
        let began = Instant::now();
        match call(&module) {
            Ok(()) => tally.answered += 1,
            Err(ModuleFailure::NotOffered { .. }) => {}
            Err(failure) => {
                assert_eq!(failure.module(), module.reference());
                *tally.failed.entry(failure.code()).or_default() += 1;
            }
        }
        tally.slowest = tally.slowest.max(began.elapsed());
    }
}

fn evaluate(module: &Module) -> Result<(), ModuleFailure> {
    module.evaluate("{}", &request()).map(drop)
}

fn determine(module: &Module) -> Result<(), ModuleFailure> {
    module.determine("{}", &document("plain")).map(drop)
}

fn period(module: &Module) -> Result<(), ModuleFailure> {
    module.fiscal_period_of("{}", Date::constant(2026, 8, 15)).map(drop)
}

/// What mutants are made of.
struct Bases {
    plain: Vec<u8>,
    /// Policies by hand, as core modules and as components.
    cores: Vec<Vec<u8>>,
    components: Vec<Vec<u8>>,
    /// From the SDK, with an allocator and decimals.
    real: Vec<u8>,
    /// The exports and imports that a module by chance must have.
    exports: Vec<u8>,
    imports: Vec<u8>,
}

impl Bases {
    fn new() -> Self {
        let policies = [Wicked::evaluating(wicked::ALLOWED), busy()];
        Self {
            plain: policies[0].component(),
            cores: policies.iter().map(|policy| wat::parse_str(policy.core()).unwrap()).collect(),
            components: policies.iter().map(Wicked::component).collect(),
            real: component("guests/flat-tax.wasm"),
            exports: wat::parse_str(EXPORTS).unwrap(),
            imports: wat::parse_str(IMPORTS).unwrap(),
        }
    }

    /// Its kind, and its bytes.
    fn mutant(&self, seed: u64) -> (&'static str, Vec<u8>) {
        let mut random = StdRng::seed_from_u64(seed);
        let base = random.random_range(0..self.cores.len());
        match random.random_range(0..200) {
            0..60 => ("mutated", mutated(&self.cores[base], &mut random)),
            60..100 => ("by chance", self.by_chance(&mut random)),
            100..120 => ("component by chance", self.component_by_chance(&mut random)),
            120..199 => ("bytes", damaged(&self.components[base], &mut random)),
            _ => ("bytes", damaged(&self.real, &mut random)),
        }
    }

    /// A module with the contract's exports, whose code is chance.
    fn by_chance(&self, random: &mut StdRng) -> Vec<u8> {
        let config = wasm_smith::Config {
            exports: Some(self.exports.clone()),
            available_imports: Some(self.imports.clone()),
            ..smith()
        };
        let seed = noise(random);
        let module = wasm_smith::Module::new(config, &mut Unstructured::new(&seed)).unwrap();
        wicked::encode(module.to_bytes(), "policy-module").unwrap_or_default()
    }

    /// A policy with a component by chance in it: by itself, it would export no world, and never be compiled.
    fn component_by_chance(&self, random: &mut StdRng) -> Vec<u8> {
        let seed = noise(random);
        let component = wasm_smith::Component::new(smith(), &mut Unstructured::new(&seed)).unwrap();
        let component = component.to_bytes();
        if random.random_range(0..10) == 0 {
            return component;
        }
        let mut bytes = self.plain.clone();
        // A section that holds a component.
        bytes.push(4);
        let mut left = component.len();
        loop {
            let low = u8::try_from(left & 0x7f).unwrap();
            left >>= 7;
            bytes.push(if left == 0 { low } else { low | 0x80 });
            if left == 0 {
                break;
            }
        }
        bytes.extend(component);
        bytes
    }
}

/// Most of what guests may use, and now and then something that they may not.
fn smith() -> wasm_smith::Config {
    wasm_smith::Config {
        allow_start_export: false,
        exceptions_enabled: false,
        gc_enabled: false,
        compact_imports_enabled: false,
        memory64_enabled: false,
        reference_types_enabled: false,
        relaxed_simd_enabled: false,
        threads_enabled: false,
        wide_arithmetic_enabled: false,
        max_funcs: 12,
        max_memory32_bytes: 8 << 20,
        max_table_elements: 1000,
        ..wasm_smith::Config::default()
    }
}

fn noise(random: &mut StdRng) -> Vec<u8> {
    let mut seed = vec![0; random.random_range(64..4096)];
    random.fill(seed.as_mut_slice());
    seed
}

/// A core module changed a few times over, each time into one that is valid, as a component where it still is one.
fn mutated(core: &[u8], random: &mut StdRng) -> Vec<u8> {
    let mut core = core.to_vec();
    for _ in 0..random.random_range(1..6) {
        let mut mutate = WasmMutate::default();
        mutate.seed(random.random()).fuel(200);
        let changed = mutate.run(&core).ok().and_then(|mut mutants| mutants.next()?.ok());
        if let Some(changed) = changed {
            core = changed;
        }
    }
    wicked::encode(core, "policy-module").unwrap_or_default()
}

/// Bytes flipped, set, left out, doubled.
fn damaged(whole: &[u8], random: &mut StdRng) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    for _ in 0..random.random_range(1..4) {
        let at = random.random_range(0..bytes.len());
        match random.random_range(0..8) {
            0..4 => bytes[at] ^= 1 << random.random_range(0..8),
            4..6 => bytes[at] = random.random(),
            6 => drop(bytes.remove(at)),
            _ => bytes.insert(at, bytes[at]),
        }
    }
    bytes
}

/// A policy that uses what a module can use: a table, grown memory, the log, the configuration, numbers of each kind.
fn busy() -> Wicked {
    let fields = "(table $t 4 40 funcref) (elem (i32.const 0) $double $half) (type $number (func (param i32) (result i32)))
        (global $sum (mut i64) (i64.const 0))
        (data $late \"late\")
        (func $double (param i32) (result i32) (i32.shl (local.get 0) (i32.const 1)))
        (func $half (param i32) (result i32)
          (i32.trunc_sat_f64_u (f64.div (f64.convert_i32_u (local.get 0)) (f64.const 2))))";
    let body = "(call $config (i32.const 600))
        (call $log (i32.const 1) (local.get $command) (local.get $command_length))
        (memory.init $late (i32.const 40000) (i32.const 0) (i32.const 4))
        (drop (memory.grow (i32.const 2)))
        (loop $again
          (local.set $j (i32.add (local.get $j)
            (call_indirect (type $number) (local.get $i) (i32.and (local.get $i) (i32.const 1)))))
          (i32.store (i32.add (i32.const 65536) (i32.shl (local.get $i) (i32.const 2))) (local.get $j))
          (global.set $sum (i64.add (global.get $sum) (i64.extend_i32_u (local.get $j))))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br_if $again (i32.lt_u (local.get $i) (i32.const 50))))
        (if (result i32) (i64.eqz (global.get $sum))
          (then (i32.const 512))
          (else (call $tell (i32.add (i32.const 1) (i32.rem_u (local.get $j) (i32.const 900))))))";
    Wicked::evaluating(body).with_fields(fields)
}

const EXPORTS: &str = r#"(module
    (memory (export "memory") 1 20)
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
    (func (export "niyam:rules/module@0.1.0#describe") (result i32) unreachable)
    (func (export "niyam:rules/policy@0.1.0#evaluate")
      (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32) unreachable))"#;

const IMPORTS: &str = r#"(module
    (import "niyam:rules/context@0.1.0" "config" (func (param i32)))
    (import "niyam:rules/context@0.1.0" "log" (func (param i32 i32 i32))))"#;
