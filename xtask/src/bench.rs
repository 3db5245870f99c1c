//! Measurements, of what is built for release.

use std::process::Command;

use anyhow::Result;
use clap::Args;

use crate::steps::Steps;
use crate::workspace::{cargo, root, target_dir};
use crate::{plugins, postgres, process};

/// What `cargo xtask bench` may be told.
#[derive(Args)]
pub(crate) struct Options {
    /// What to measure; everything when none is named.
    groups: Vec<String>,
    /// Lists the groups.
    #[arg(long)]
    list: bool,
    /// Measures next to nothing: whether it works, not how fast.
    #[arg(long)]
    quick: bool,
}

/// Builds, then measures: one JSON object for each measurement on standard output.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut steps = Steps::new(4);
    steps.take("Building the modules", plugins::run)?;
    steps.take("Building niyam and niyam-bench", || {
        process::run(
            Command::new(cargo())
                .args(["build", "--release", "--package", "niyam", "--package", "niyam-bench"])
                .current_dir(root()),
        )
    })?;
    steps.take("PostgreSQL", postgres::install)?;
    let mut bench = Command::new(target_dir().join("release/niyam-bench"));
    bench.args(&options.groups).current_dir(root());
    for (wanted, option) in [(options.list, "--list"), (options.quick, "--quick")] {
        if wanted {
            bench.arg(option);
        }
    }
    steps.take("Measuring", || process::run(&mut bench))
}
