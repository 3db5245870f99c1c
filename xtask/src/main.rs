//! Builds, runs, tests and measures Niyam: `cargo xtask --help` says how.
//!
//! It must stay quick to compile: neither the engine nor a database driver belongs here.

mod component;
mod plugins;
mod toolchain;

mod run;
mod sample;
mod server;
mod table;

mod bench;
mod check;
mod crash;
mod fuzz;
mod postgres;

mod audit;
mod generate;

mod process;
mod steps;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "Builds, runs, tests and measures Niyam")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Builds everything, serves a demo tenant and issues the sample invoice.
    Run(run::Options),
    /// Checks everything that must hold: format, lints, tests on SQLite and PostgreSQL.
    Test(check::Options),
    /// Kills servers, crashes databases and fills disks under load, and shows that nothing was lost or doubled.
    Crash(crash::Options),
    /// Lets modules that nobody wrote loose on the host, and shows that it is none the worse.
    FuzzModules(fuzz::Options),
    /// Measures: one JSON object for each measurement.
    Bench(bench::Options),
    /// Checks licences, bans, sources and advisories of the dependencies.
    Audit,
    /// Builds the modules to WebAssembly components, under target/modules.
    Plugins,
    /// Writes the descriptions of the API, the command line, the events and the problems, from the code.
    Generate,
}

fn main() -> ExitCode {
    let done = match Cli::parse().task {
        Task::Run(options) => run::run(&options),
        Task::Test(options) => check::run(&options),
        Task::Crash(options) => crash::run(&options),
        Task::FuzzModules(options) => fuzz::run(&options),
        Task::Bench(options) => bench::run(&options),
        Task::Audit => audit::run(),
        Task::Plugins => plugins::run(),
        Task::Generate => generate::run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
