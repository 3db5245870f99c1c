//! Everything that must hold, in one command.

use std::process::Command;

use anyhow::Result;
use clap::Args;

use crate::plugins;
use crate::postgres::TestServer;
use crate::steps::Steps;
use crate::workspace::{cargo, root};
use niyam_build::process::{self, find, install_debian};

/// What `cargo xtask test` may be told.
#[derive(Args)]
pub(crate) struct Options {
    /// Passed to the test runner.
    #[arg(last = true)]
    runner: Vec<String>,
}

/// Format, lints, documentation's examples, then the tests, so that the runner's summary comes last.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut steps = Steps::new(7);
    steps.take("Format", || process::run(in_root().args(["fmt", "--all", "--check"])))?;
    steps.take("Modules", plugins::run)?;
    steps.take("Lints", || {
        process::run(in_root().args(["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]))?;
        plugins::lint()
    })?;
    let postgres = steps.take("PostgreSQL", TestServer::start)?;
    steps.take("What reads PDF", || match find("pdftotext") {
        Some(_) => Ok(()),
        None => install_debian(&["poppler-utils"]),
    })?;
    steps.take("Examples in the documentation", || {
        process::run(in_root().args(["test", "--quiet", "--workspace", "--doc"]))
    })?;
    steps.begin("Tests");
    let mut tests = in_root();
    if find("cargo-nextest").is_some() {
        tests.args(["nextest", "run", "--workspace"]).args(&options.runner);
    } else {
        tests.args(["test", "--workspace", "--lib", "--bins", "--tests"]);
        if !options.runner.is_empty() {
            tests.arg("--").args(&options.runner);
        }
    }
    process::run(tests.envs(postgres.variable()))
}

fn in_root() -> Command {
    let mut command = Command::new(cargo());
    command.current_dir(root());
    command
}
