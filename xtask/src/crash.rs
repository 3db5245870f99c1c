//! Disasters under load, more of them than a test run has patience for.

use std::hash::{BuildHasher, RandomState};
use std::process::Command;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};

use crate::plugins;
use crate::postgres::TestServer;
use crate::steps::Steps;
use crate::workspace::{cargo, root};
use niyam_build::process::{self, find};

/// What `cargo xtask crash` may be told.
#[derive(Args)]
pub(crate) struct Options {
    /// How often each disaster strikes.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    cycles: u32,
    /// Which database.
    #[arg(long, value_enum, default_value_t = Database::Both)]
    database: Database,
    /// Which disaster.
    #[arg(long, value_enum, default_value_t = Kind::All)]
    kind: Kind,
    /// What the pauses before each disaster are drawn from; another one each time when absent.
    #[arg(long)]
    seed: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Database {
    Sqlite,
    Postgres,
    Both,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// The server is killed.
    Kill,
    /// PostgreSQL stops as in a crash.
    DatabaseStop,
    /// The disk runs full.
    DiskFull,
    All,
}

/// The tests of `host/server/tests/crash`.
const TESTS: [(Kind, Database, &str); 6] = [
    (Kind::Kill, Database::Sqlite, "sqlite::a_killed_server_loses_and_doubles_nothing"),
    (Kind::Kill, Database::Postgres, "postgres::a_killed_server_loses_and_doubles_nothing"),
    (Kind::DatabaseStop, Database::Postgres, "postgres::a_stopped_database_loses_and_doubles_nothing"),
    (Kind::DiskFull, Database::Sqlite, "sqlite::a_full_disk_tears_nothing_and_writing_resumes"),
    (Kind::DiskFull, Database::Sqlite, "sqlite::a_limit_on_files_tears_nothing_and_writing_resumes"),
    (Kind::DiskFull, Database::Postgres, "postgres::a_full_disk_tears_nothing_and_writing_resumes"),
];

/// Builds what the tests need and runs those that were asked for; each prints its figures as a line of JSON.
pub(crate) fn run(options: &Options) -> Result<()> {
    let wanted: Vec<&str> = TESTS
        .into_iter()
        .filter(|(kind, _, _)| options.kind == Kind::All || options.kind == *kind)
        .filter(|(_, database, _)| options.database == Database::Both || options.database == *database)
        .map(|(_, _, test)| test)
        .collect();
    if wanted.is_empty() {
        bail!("SQLite has no server that could stop");
    }
    let seed = options.seed.unwrap_or_else(|| RandomState::new().hash_one(()) >> 32);
    let on_postgres = wanted.iter().any(|test| test.starts_with("postgres"));
    let mut steps = Steps::new(2 + usize::from(on_postgres));
    steps.take("Modules", plugins::guests)?;
    let postgres = on_postgres.then(|| steps.take("PostgreSQL", TestServer::start)).transpose()?;
    steps.begin(&format!("Disasters, {} of each, seed {seed}", options.cycles));
    let mut tests = Command::new(cargo());
    // Of the whole workspace, so that what `cargo xtask test` built serves: fewer targets would mean other features.
    if find("cargo-nextest").is_some() {
        let exactly: Vec<String> = wanted.iter().map(|test| format!("test(={test})")).collect();
        tests.args(["nextest", "run", "--workspace", "--no-capture", "--no-fail-fast"]);
        tests.args(["--cargo-quiet", "--filterset", &format!("binary(crash) & ({})", exactly.join(" | "))]);
    } else {
        tests.args(["test", "--quiet", "--workspace", "--lib", "--bins", "--tests", "--no-fail-fast", "--"]);
        tests.args(["--exact", "--nocapture", "--test-threads=1"]).args(wanted);
    }
    tests
        .current_dir(root())
        .env("NIYAM_CRASH_CYCLES", options.cycles.to_string())
        .env("NIYAM_CRASH_SEED", seed.to_string());
    if let Some(postgres) = &postgres {
        tests.envs(postgres.variable());
    }
    process::run(&mut tests)
}
