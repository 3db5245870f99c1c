//! What a group is told, and how it tells what it measured.

use std::path::PathBuf;

use anyhow::Result;
use serde::Serialize;

/// What holds for every group of a run.
pub struct Bench {
    /// Whether next to nothing is measured.
    pub quick: bool,
    /// The server's binary.
    pub niyam: PathBuf,
    /// The program of `bench/zen`, where it was built.
    pub zen: Option<PathBuf>,
}

/// One measurement.
#[derive(Serialize)]
struct Measured<'a, T> {
    group: &'a str,
    measure: &'a str,
    /// `release`, or `debug`: figures that say nothing.
    build: &'static str,
    #[serde(flatten)]
    figures: &'a T,
}

impl Bench {
    /// One of two counts: the proper one, or the one that only shows that it works.
    pub fn count(&self, proper: usize, quick: usize) -> usize {
        if self.quick { quick } else { proper }
    }

    /// Says what is going on.
    #[expect(clippy::unused_self, reason = "told in a run")]
    pub fn progress(&self, what: &str) {
        eprintln!("      {what}");
    }

    /// Prints one measurement.
    #[expect(clippy::unused_self, reason = "told in a run")]
    pub fn measured(&self, group: &str, measure: &str, figures: &impl Serialize) -> Result<()> {
        let build = if cfg!(debug_assertions) { "debug" } else { "release" };
        println!("{}", serde_json::to_string(&Measured { group, measure, build, figures })?);
        Ok(())
    }
}
