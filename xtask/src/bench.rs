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
    let with_zen =
        !options.list && (options.groups.is_empty() || options.groups.iter().any(|group| group == "modules"));
    let mut steps = Steps::new(if with_zen { 5 } else { 4 });
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
    if with_zen {
        let target = target_dir().join("zen");
        steps.take("Building zen-engine, in a workspace of its own", || {
            process::run(
                Command::new(cargo())
                    .args(["build", "--release", "--locked", "--target-dir"])
                    .arg(&target)
                    .current_dir(root().join("bench/zen")),
            )
        })?;
        bench.arg("--zen").arg(target.join("release/niyam-bench-zen"));
    }
    for (wanted, option) in [(options.list, "--list"), (options.quick, "--quick")] {
        if wanted {
            bench.arg(option);
        }
    }
    steps.take("Measuring", || process::run(&mut bench))
}
