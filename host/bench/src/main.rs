//! Measures Niyam: one JSON object for each measurement on standard output, what goes on on standard error.
//!
//! `cargo xtask bench` builds it optimised and runs it. A group of measurements is one file under `groups`, with one
//! entry in [`groups::GROUPS`]; the other modules are what groups measure with.

mod bench;
mod groups;

mod document;
mod figures;
mod memory;

mod commits;
mod connection;
mod disk;
mod load;
mod service;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Parser;

use crate::bench::Bench;
use crate::groups::{GROUPS, Group};

/// Measures Niyam, and prints one JSON object for each measurement.
#[derive(Parser)]
#[command(name = "niyam-bench", version)]
struct Cli {
    /// What to measure; everything when none is named.
    groups: Vec<String>,
    /// Lists the groups.
    #[arg(long)]
    list: bool,
    /// Measures next to nothing: whether it works, not how fast.
    #[arg(long)]
    quick: bool,
    /// The server's binary; by default the one beside this program.
    #[arg(long)]
    niyam: Option<PathBuf>,
    /// The program that `bench/zen` builds; without it, nothing is measured beside zen-engine.
    #[arg(long)]
    zen: Option<PathBuf>,
    /// Loads the compiled modules of this kind and tells what they take, for `modules`.
    #[arg(long, hide = true, requires = "load_from")]
    load: Option<String>,
    /// The folder that they were compiled into.
    #[arg(long, hide = true)]
    load_from: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<()> {
    let beside = std::env::current_exe().context("failed to find this program")?.with_file_name("niyam");
    let bench = Bench { quick: cli.quick, niyam: cli.niyam.unwrap_or(beside), zen: cli.zen };
    if let (Some(name), Some(folder)) = (cli.load, cli.load_from) {
        return groups::modules::load(&bench, &name, &folder);
    }
    if cli.list {
        for group in &GROUPS {
            println!("{:<16} {}", group.name, group.about);
        }
        return Ok(());
    }
    for group in selected(&cli.groups)? {
        eprintln!("{}: {}", group.name, group.about);
        (group.run)(&bench).with_context(|| format!("failed to measure {}", group.name))?;
    }
    Ok(())
}

/// The groups of these names, all when there are none; in the order of the list, each once.
fn selected(names: &[String]) -> Result<Vec<&'static Group>> {
    if let Some(unknown) = names.iter().find(|name| GROUPS.iter().all(|group| group.name != name.as_str())) {
        let known: Vec<&str> = GROUPS.iter().map(|group| group.name).collect();
        bail!("there is no group {unknown}; there are {}", known.join(", "));
    }
    let wanted = |group: &&Group| names.is_empty() || names.iter().any(|name| name == group.name);
    Ok(GROUPS.iter().filter(wanted).collect())
}

#[cfg(test)]
mod tests {
    use super::{GROUPS, selected};

    fn names(wanted: &[&str]) -> Result<Vec<&'static str>, String> {
        let wanted: Vec<String> = wanted.iter().map(|name| (*name).to_owned()).collect();
        match selected(&wanted) {
            Ok(groups) => Ok(groups.into_iter().map(|group| group.name).collect()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn no_name_means_every_group_and_a_name_means_its_group_once() {
        assert_eq!(names(&[]).unwrap().len(), GROUPS.len());
        assert_eq!(names(&["modules", "modules"]).unwrap(), ["modules"]);
    }

    #[test]
    fn an_unknown_group_is_refused_with_those_that_there_are() {
        let refused = names(&["modules", "speed"]).unwrap_err();
        assert!(refused.contains("speed") && refused.contains("issue-invoice"), "{refused}");
    }
}
