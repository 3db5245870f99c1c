//! `niyam module test`: every fixture against the component.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use niyam_build::Project;

use crate::command;
use crate::component::{Loaded, build_and_open};
use crate::difference;
use crate::fixture::Case;

pub(crate) fn run(args: &command::Test) -> Result<()> {
    let folder = fixtures(&args.at.module, args.fixtures.as_deref())?;
    let cases = Case::all(&folder)?;
    let loaded = build_and_open(&args.at.module)?;
    let mut failed = 0;
    for case in &cases {
        if !passes(&loaded, case, args.update)? {
            failed += 1;
        }
    }
    if failed > 0 {
        bail!(
            "{failed} of {} fixtures failed; `--update` takes what the module answers as what is expected",
            cases.len()
        );
    }
    println!("{} fixtures passed", cases.len());
    Ok(())
}

/// Where the fixtures of `module` are.
pub(crate) fn fixtures(module: &Path, given: Option<&Path>) -> Result<PathBuf> {
    match given {
        Some(folder) => Ok(folder.to_owned()),
        None if module.is_dir() => Ok(Project::open(module)?.fixtures()),
        None => bail!("a component has no fixtures of its own: name their folder with --fixtures"),
    }
}

/// Runs one case twice, since a module must answer the same for ever, and tells how it went.
fn passes(loaded: &Loaded, case: &Case, update: bool) -> Result<bool> {
    let name = &case.name;
    let config = case.fixture.config(&loaded.module).with_context(|| format!("fixture {name}"))?;
    let called = case.fixture.call.call(&loaded.module, &config);
    let usage = loaded.usage();
    let again = case.fixture.call.call(&loaded.module, &config);
    if (&called.outcome, called.fuel) != (&again.outcome, again.fuel) {
        println!("FAILED {name}: two runs of the same input differ");
        return Ok(false);
    }
    let cost = match called.fuel {
        Some(fuel) => format!("fuel {fuel}, memory {} KiB", usage.memory_bytes >> 10),
        None => called.reason.clone().unwrap_or_default(),
    };
    if update {
        let changed = case.expect(&called.outcome)?;
        println!("{} {name} ({cost})", if changed { "wrote" } else { "kept" });
        return Ok(true);
    }
    let found = serde_json::to_value(&called.outcome)?;
    let differences = match case.expected()? {
        Some(expected) => difference::between(&expected, &found),
        None => vec![format!("there is no expected.json; found {found}")],
    };
    if differences.is_empty() {
        println!("passed {name} ({cost})");
        return Ok(true);
    }
    println!("FAILED {name} ({cost})");
    for line in &differences {
        println!("       {line}");
    }
    for (level, message) in &usage.log {
        println!("       log {level}: {message}");
    }
    Ok(false)
}
