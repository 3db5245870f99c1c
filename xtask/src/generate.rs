//! The descriptions of the program, generated from the code and committed.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use crate::workspace::{cargo, root, target_dir};
use niyam_build::process;

/// What `niyam describe` is asked, and where the answer goes.
const DESCRIPTIONS: [(&str, &str); 4] = [
    ("openapi", "host/server/openapi.json"),
    ("cli", "host/server/cli.md"),
    ("events", "host/server/events.md"),
    ("problems", "host/server/problems.md"),
];

/// Writes the descriptions that the server gives of itself.
pub(crate) fn run() -> Result<()> {
    // With the whole workspace's features, as the tests are built: a package alone would build its dependencies anew.
    process::run(
        Command::new(cargo()).args(["build", "--quiet", "--workspace", "--bin", "niyam"]).current_dir(root()),
    )?;
    let niyam = target_dir().join("debug/niyam");
    for (what, path) in DESCRIPTIONS {
        let description = process::output(Command::new(&niyam).args(["describe", what]))?;
        fs::write(root().join(path), description).with_context(|| format!("failed to write {path}"))?;
        eprintln!("wrote {path}");
    }
    Ok(())
}
