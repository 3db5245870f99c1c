//! The groups of measurements.

pub mod books;
pub mod documents;
pub mod issue_invoice;
pub mod modules;
pub mod rerun;
pub mod store;

use anyhow::Result;

use crate::bench::Bench;

/// Measurements that are made together.
pub struct Group {
    /// As the command line names it.
    pub name: &'static str,
    /// What it measures.
    pub about: &'static str,
    /// Measures.
    pub run: fn(&Bench) -> Result<()>,
}

/// Every group, in the order in which they run.
pub const GROUPS: [Group; 7] = [
    modules::GROUP,
    issue_invoice::GROUP,
    store::GROUP,
    rerun::VERIFY,
    rerun::SIMULATION,
    documents::GROUP,
    books::GROUP,
];
