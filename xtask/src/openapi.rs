//! The description of the API, generated from the code and committed.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use crate::process;
use crate::workspace::{cargo, root};

const DESCRIPTION: &str = "host/server/openapi.json";

/// Writes the description that the server gives of itself.
pub(crate) fn run() -> Result<()> {
    let description = process::output(
        Command::new(cargo())
            .args(["run", "--quiet", "--package", "niyam", "--", "openapi"])
            .current_dir(root()),
    )?;
    fs::write(root().join(DESCRIPTION), description)
        .with_context(|| format!("failed to write {DESCRIPTION}"))?;
    eprintln!("wrote {DESCRIPTION}");
    Ok(())
}
