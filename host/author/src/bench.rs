//! `niyam module bench`: how long each fixture takes, in a fresh instance each time, as in the server.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::command;
use crate::component::build_and_open;
use crate::fixture::Case;
use crate::test::fixtures;

pub(crate) fn run(args: &command::Bench) -> Result<()> {
    let cases = Case::all(&fixtures(&args.at.module, args.fixtures.as_deref())?)?;
    let loaded = build_and_open(&args.at.module)?;
    if cfg!(debug_assertions) {
        eprintln!("this niyam was built without optimisation: a release build is several times as fast");
    }
    let limit = Duration::from_millis(args.milliseconds);
    println!("{:<32} {:>10} {:>12} {:>12} {:>12}", "fixture", "calls", "median µs", "p99 µs", "fuel");
    for case in &cases {
        let config = case.fixture.config(&loaded.module).with_context(|| format!("fixture {}", case.name))?;
        // The first calls meet cold caches, and are nobody's usual call.
        let fuel = case.fixture.call.call(&loaded.module, &config).fuel;
        let mut times = Vec::new();
        let started = Instant::now();
        while times.len() < 10 || started.elapsed() < limit {
            let call = Instant::now();
            case.fixture.call.call(&loaded.module, &config);
            times.push(call.elapsed().as_nanos());
        }
        times.sort_unstable();
        println!(
            "{:<32} {:>10} {:>12} {:>12} {:>12}",
            case.name,
            times.len(),
            micros(times[times.len() / 2]),
            micros(times[times.len() * 99 / 100]),
            fuel.map_or_else(|| "failed".to_owned(), |fuel| fuel.to_string()),
        );
    }
    Ok(())
}

fn micros(nanos: u128) -> String {
    format!("{}.{}", nanos / 1000, nanos % 1000 / 100)
}
