//! `niyam-module new …`: the commands of `niyam module` without the server.

use std::process::ExitCode;

use clap::Parser;
use niyam_author::ModuleCommand;

#[derive(Parser)]
#[command(name = "niyam-module", version, about = "Makes modules")]
struct Cli {
    #[command(subcommand)]
    command: ModuleCommand,
}

fn main() -> ExitCode {
    match niyam_author::run(&Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("niyam: {error}");
            ExitCode::FAILURE
        }
    }
}
