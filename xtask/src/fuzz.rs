//! Modules that nobody wrote, more of them than a test run has patience for.

use std::hash::{BuildHasher, RandomState};
use std::process::Command;

use anyhow::Result;
use clap::Args;

use crate::plugins;
use crate::process::{self, find};
use crate::steps::Steps;
use crate::workspace::{cargo, root};

/// What `cargo xtask fuzz-modules` may be told.
#[derive(Args)]
pub(crate) struct Options {
    /// How many mutants.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    count: u64,
    /// What they are drawn from; another one each time when absent. The case of seed s that failed is that of `--seed s
    /// --count 1`.
    #[arg(long)]
    seed: Option<u64>,
}

/// The test of `host/modules/tests/host/mutants.rs`.
const TEST: &str = "mutants::mutants_are_refused_or_contained";

/// Builds what the test needs and runs it; it prints what became of them.
pub(crate) fn run(options: &Options) -> Result<()> {
    let seed = options.seed.unwrap_or_else(|| RandomState::new().hash_one(()) >> 32);
    let mut steps = Steps::new(2);
    steps.take("Modules", plugins::run)?;
    steps.begin(&format!("{} mutants, seed {seed}", options.count));
    let mut tests = Command::new(cargo());
    // Of the whole workspace, so that what `cargo xtask test` built serves: fewer targets would mean other features.
    if find("cargo-nextest").is_some() {
        tests.args(["nextest", "run", "--workspace", "--no-capture", "--cargo-quiet"]);
        tests.args(["--filterset", &format!("package(niyam-modules) & test(={TEST})")]);
    } else {
        tests.args(["test", "--quiet", "--workspace", "--lib", "--bins", "--tests", "--"]);
        tests.args(["--exact", "--nocapture", TEST]);
    }
    process::run(
        tests
            .current_dir(root())
            .env("NIYAM_FUZZ_COUNT", options.count.to_string())
            .env("NIYAM_FUZZ_SEED", seed.to_string()),
    )
}
