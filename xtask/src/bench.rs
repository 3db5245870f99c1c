//! Measurements: JSON lines on standard output, everything else on standard error.

use std::process::{Command, Stdio};

use anyhow::Result;
use clap::Args;

use crate::postgres::TestServer;
use crate::steps::Steps;
use crate::workspace::{cargo, root};
use crate::{plugins, process};

/// What `cargo xtask bench` may be told.
#[derive(Args)]
pub(crate) struct Options {
    /// Which measurements to take, and their options; all when none is named.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Takes the measurements.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut steps = Steps::new(4);
    steps.take("Building the modules", plugins::run)?;
    steps.take("Building in release", || {
        process::run(
            Command::new(cargo())
                .args(["build", "--release", "--package", "niyam", "--package", "niyam-bench"])
                .stdout(Stdio::null())
                .current_dir(root()),
        )
    })?;
    let postgres = steps.take("PostgreSQL", TestServer::start)?;
    steps.begin("Measuring");
    process::run(
        Command::new(cargo())
            .args(["run", "--quiet", "--release", "--package", "niyam-bench", "--"])
            .args(&options.arguments)
            .envs(postgres.variable())
            .current_dir(root()),
    )
}
