//! Modules: what a decision costs beside native code and another engine, what many of them take, and what a tenant
//! feels of another tenant's.

mod determine;
mod many;
mod noisy;
mod zen;

/// The smallest module of use, called natively.
#[path = "../../../../sdk/examples/flat_tax.rs"]
mod flat_tax;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::bench::Bench;
use crate::groups::Group;

/// The group.
pub const GROUP: Group = Group {
    name: "modules",
    about: "decisions beside native code and zen-engine, many modules, a neighbour that burns its budget",
    run,
};

fn run(bench: &Bench) -> Result<()> {
    determine::run(bench)?;
    many::run(bench)?;
    noisy::run(bench)
}

/// Loads modules that another process compiled, and tells what they take.
pub fn load(bench: &Bench, name: &str, folder: &Path) -> Result<()> {
    many::load(bench, name, folder)
}

fn component(name: &str) -> Result<Vec<u8>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/modules").join(name);
    fs::read(&path).with_context(|| format!("{}: `cargo xtask plugins` makes it", path.display()))
}
