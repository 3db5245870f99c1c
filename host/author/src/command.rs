//! The command line of `niyam module`. Every option is also an environment variable, `NIYAM_…`.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};
use niyam_build::{Language, Project};
use niyam_values::Date;

use crate::{bench, inspect, new, push, sign, test};

/// What a module's author does.
#[derive(Debug, Subcommand)]
pub enum ModuleCommand {
    /// Makes a module's folder: a rule that works, its fixtures, and what it is built with.
    New(New),
    /// Makes the component of a module's folder: build/NAME.wasm.
    Build(At),
    /// Builds, then runs the fixtures against the component, under the server's limits.
    Test(Test),
    /// Runs one input, and shows the answer, fuel, memory and log.
    Run(Run),
    /// Measures how long the fixtures take.
    Bench(Bench),
    /// Shows what a component is: manifest, world, imports, size, digest.
    Inspect(At),
    /// Signs a component; the first time, makes the key.
    Sign(Sign),
    /// Publishes a component, with its signatures, and lets it decide from a date on where that is asked.
    Push(Push),
}

/// Where the module is.
#[derive(Debug, Args)]
pub struct At {
    /// A module's folder, or a component.
    #[arg(default_value = ".", env = "NIYAM_MODULE")]
    pub(crate) module: PathBuf,
}

/// `niyam module new`.
#[derive(Debug, Args)]
pub struct New {
    /// Its name: a-z, 0-9 and hyphens. Also the folder's.
    pub(crate) name: String,
    /// What it decides.
    #[arg(long, value_enum, env = "NIYAM_WORLD")]
    pub(crate) world: World,
    /// What it is written in.
    #[arg(long, value_enum, env = "NIYAM_LANG", default_value = "rust")]
    pub(crate) lang: Lang,
}

/// A world of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum World {
    /// What tax a document bears.
    #[value(name = "tax-module")]
    Tax,
    /// A country: taxes, identifiers, calendar, papers.
    #[value(name = "compliance-module")]
    Compliance,
    /// Whether a command may commit.
    #[value(name = "policy-module")]
    Policy,
    /// What follows from an approval.
    #[value(name = "workflow-module")]
    Workflow,
}

impl World {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Tax => "tax-module",
            Self::Compliance => "compliance-module",
            Self::Policy => "policy-module",
            Self::Workflow => "workflow-module",
        }
    }
}

/// What a module is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Lang {
    /// Rust: quickest to run.
    Rust,
    /// JavaScript.
    Js,
    /// Python.
    Python,
}

impl From<Lang> for Language {
    fn from(lang: Lang) -> Self {
        match lang {
            Lang::Rust => Self::Rust,
            Lang::Js => Self::Javascript,
            Lang::Python => Self::Python,
        }
    }
}

/// `niyam module test`.
#[derive(Debug, Args)]
pub struct Test {
    #[command(flatten)]
    pub(crate) at: At,
    /// Folder of fixtures, where it is not the module's own.
    #[arg(long, env = "NIYAM_FIXTURES")]
    pub(crate) fixtures: Option<PathBuf>,
    /// Writes what the module answers as what is expected.
    #[arg(long, env = "NIYAM_UPDATE")]
    pub(crate) update: bool,
}

/// `niyam module run`.
#[derive(Debug, Args)]
pub struct Run {
    #[command(flatten)]
    pub(crate) at: At,
    /// The input, as in a fixture's input.json; `-` is standard input.
    #[arg(long, env = "NIYAM_INPUT")]
    pub(crate) input: PathBuf,
    /// A configuration, JSON, instead of the input's or the module's default.
    #[arg(long, env = "NIYAM_CONFIG")]
    pub(crate) config: Option<String>,
}

/// `niyam module bench`.
#[derive(Debug, Args)]
pub struct Bench {
    #[command(flatten)]
    pub(crate) at: At,
    /// Folder of fixtures, where it is not the module's own.
    #[arg(long, env = "NIYAM_FIXTURES")]
    pub(crate) fixtures: Option<PathBuf>,
    /// Milliseconds to measure each fixture for.
    #[arg(long, env = "NIYAM_MILLISECONDS", default_value_t = 1000)]
    pub(crate) milliseconds: u64,
}

/// `niyam module sign`.
#[derive(Debug, Args)]
pub struct Sign {
    #[command(flatten)]
    pub(crate) at: At,
    /// The publisher's key; made where there is none. Keep it secret, and a copy of it.
    #[arg(long, env = "NIYAM_KEY", default_value = "publisher.key")]
    pub(crate) key: PathBuf,
}

/// `niyam module push`.
#[derive(Debug, Args)]
pub struct Push {
    #[command(flatten)]
    pub(crate) at: At,
    /// The server.
    #[arg(long, env = "NIYAM_URL", default_value = "http://127.0.0.1:8080")]
    pub(crate) url: String,
    /// A token that may publish.
    #[arg(long, env = "NIYAM_TOKEN", hide_env_values = true)]
    pub(crate) token: String,
    /// First tax date that the module then decides for; without it, it is only published.
    #[arg(long, env = "NIYAM_ACTIVATE_FROM")]
    pub(crate) activate_from: Option<Date>,
    /// A file with the configuration, JSON; without it, the module's default.
    #[arg(long, env = "NIYAM_CONFIG_FILE", requires = "activate_from")]
    pub(crate) config_file: Option<PathBuf>,
}

/// Does what the command line says.
///
/// # Errors
/// With a text for a person: what failed, and what to do.
pub fn run(command: &ModuleCommand) -> Result<(), String> {
    let done = match command {
        ModuleCommand::New(args) => new::run(args),
        ModuleCommand::Build(at) => build(at),
        ModuleCommand::Test(args) => test::run(args),
        ModuleCommand::Run(args) => crate::run::run(args),
        ModuleCommand::Bench(args) => bench::run(args),
        ModuleCommand::Inspect(at) => inspect::run(at),
        ModuleCommand::Sign(args) => sign::run(args),
        ModuleCommand::Push(args) => push::run(args),
    };
    done.map_err(|error| format!("{error:#}"))
}

fn build(At { module }: &At) -> Result<()> {
    let project = Project::open(module)?;
    let path = project.component_path();
    let built = project.build(&path)?;
    println!(
        "{} {} ({} KiB, imports {})",
        if built.changed { "wrote" } else { "kept" },
        path.display(),
        built.component.bytes.len().div_ceil(1024),
        built.component.imports.join(", ")
    );
    Ok(())
}
