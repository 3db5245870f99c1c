//! The event store: appends beside what the database can do at least, replay and rebuild of a long history, and what
//! loading an aggregate costs. Durable on both databases, with hash chain and idempotency.

mod aggregates;
mod history;
mod pgbench;
mod plain;
mod postgres;
mod sqlite;
mod subject;

use std::path::Path;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::bench::Bench;
use crate::groups::Group;

/// The group.
pub const GROUP: Group = Group {
    name: "store",
    about: "appends beside pgbench and raw batches, replay and rebuild, loading aggregates",
    run,
};

fn run(bench: &Bench) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        postgres::measure(bench).await?;
        sqlite::measure(bench).await?;
        history::measure(bench).await?;
        aggregates::measure(bench).await
    })
}

/// A folder beside the server's binary, which lies on a disk more often than the folder for temporary files does.
fn folder(bench: &Bench) -> Result<TempDir> {
    let beside: &Path = bench.niyam.parent().context("the server's binary lies in no folder")?;
    Ok(tempfile::Builder::new().prefix("niyam-bench-").tempdir_in(beside)?)
}

/// Whether a ratio reaches what it must, or what it should.
fn met(ratio: f64, least: f64, goal: f64) -> &'static str {
    match ratio {
        ratio if ratio >= goal => "goal",
        ratio if ratio >= least => "least",
        _ => "none",
    }
}

#[cfg(test)]
mod tests {
    use super::met;

    #[test]
    fn a_ratio_meets_what_it_reaches() {
        assert_eq!([met(0.99, 1.0, 2.0), met(1.0, 1.0, 2.0), met(2.0, 1.0, 2.0)], ["none", "least", "goal"]);
    }
}
