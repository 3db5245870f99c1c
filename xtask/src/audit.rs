//! Licences, bans, sources and advisories of what this is built from.

use std::process::Command;

use anyhow::Result;

use crate::steps::Steps;
use crate::workspace::{cargo, root};
use niyam_build::process::{self, find};

/// Checks `deny.toml`.
pub(crate) fn run() -> Result<()> {
    let mut steps = Steps::new(3);
    steps.take("cargo-deny", || {
        if find("cargo-deny").is_some() {
            return Ok(());
        }
        eprintln!("      installing it; that takes minutes");
        process::run(Command::new(cargo()).args(["install", "cargo-deny", "--locked"]))
    })?;
    steps.take("Licences, bans, sources", || process::run(deny().args(["licenses", "bans", "sources"])))?;
    steps.begin("Advisories");
    if process::run(deny().arg("advisories")).is_err() {
        // Where the database of advisories cannot be fetched, that says nothing of the crates.
        eprintln!(
            "      not checked, or with findings: see above. The database of advisories needs a network."
        );
    }
    Ok(())
}

fn deny() -> Command {
    let mut command = Command::new(cargo());
    command.args(["deny", "--log-level", "warn", "check", "--hide-inclusion-graph"]).current_dir(root());
    command
}
