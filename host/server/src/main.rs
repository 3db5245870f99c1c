//! The `niyam` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    niyam::cli::run()
}
