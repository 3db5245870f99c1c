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
mod postgres;

mod audit;
mod openapi;

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
    /// Measures: one JSON object for each measurement.
    Bench(bench::Options),
    /// Checks licences, bans, sources and advisories of the dependencies.
    Audit,
    /// Builds the modules to WebAssembly components, under target/modules.
    Plugins,
    /// Writes the API's description, host/server/openapi.json, from the code.
    Openapi,
}

fn main() -> ExitCode {
    let done = match Cli::parse().task {
        Task::Run(options) => run::run(&options),
        Task::Test(options) => check::run(&options),
        Task::Bench(options) => bench::run(&options),
        Task::Audit => audit::run(),
        Task::Plugins => plugins::run(),
        Task::Openapi => openapi::run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
