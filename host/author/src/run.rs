//! `niyam module run`: one input, and everything that came of it.

use std::io::Read as _;
use std::path::Path;
use std::{fs, io};

use anyhow::{Context as _, Result, bail};

use crate::command;
use crate::component::build_and_open;
use crate::fixture::{Fixture, checked};

pub(crate) fn run(args: &command::Run) -> Result<()> {
    let fixture = Fixture::parse(&input(&args.input)?)
        .with_context(|| format!("failed to read the input {}", args.input.display()))?;
    let loaded = build_and_open(&args.at.module)?;
    let config = match &args.config {
        Some(config) => checked(&loaded.module, config)?,
        None => fixture.config(&loaded.module)?,
    };
    let called = fixture.call.call(&loaded.module, &config);
    let usage = loaded.usage();
    println!("{}", serde_json::to_string_pretty(&called.outcome)?);
    if let Some(fuel) = called.fuel {
        eprintln!("fuel    {fuel} of {} and {} a line", loaded.module.class().fuel(0), {
            let class = loaded.module.class();
            class.fuel(1) - class.fuel(0)
        });
    }
    eprintln!("memory  {} KiB of {}", usage.memory_bytes >> 10, niyam_modules::MEMORY_BYTES_MAX >> 10);
    for (level, message) in &usage.log {
        eprintln!("log     {level}: {message}");
    }
    if usage.log_dropped > 0 {
        eprintln!(
            "log     {} lines dropped: a call may log {} bytes",
            usage.log_dropped,
            niyam_modules::LOG_BYTES_MAX
        );
    }
    match called.reason {
        Some(reason) => bail!("{reason}"),
        None => Ok(()),
    }
}

fn input(path: &Path) -> Result<Vec<u8>> {
    if path == Path::new("-") {
        let mut text = Vec::new();
        io::stdin().read_to_end(&mut text)?;
        return Ok(text);
    }
    fs::read(path).with_context(|| format!("failed to read {}", path.display()))
}
