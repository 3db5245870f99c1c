//! Appends on PostgreSQL beside `pgbench` and a plain loop, in turn.

use std::time::Duration;

use anyhow::{Result, ensure};
use niyam_domain::{Position, TenantId};
use niyam_store::{DatabaseUrl, EventStore};
use serde::Serialize;
use tokio::task::spawn_blocking;

use super::pgbench::Pgbench;
use super::plain::Plain;
use super::subject::{Appender, EVENT_BYTES, open, tenants};
use super::{GROUP, met};
use crate::bench::Bench;
use crate::commits::Commits;
use crate::disk;
use crate::figures::{Spread, Times, median, per_second, ratio};

/// How many append at once, on how many tenants.
const CASES: [(usize, usize); 4] = [(8, 1), (32, 1), (8, TENANTS), (32, TENANTS)];
const TENANTS: usize = 64;
const APPENDERS_MAX: usize = 32;

/// How many times `pgbench` the store must be, and should be.
const LEAST: f64 = 1.0;
const GOAL: f64 = 2.0;

/// One case.
#[derive(Serialize)]
struct Appending {
    database: &'static str,
    /// The file system that holds the database.
    disk: String,
    appenders: usize,
    tenants: usize,
    rounds: usize,
    seconds_per_round: u64,
    appends_per_s: f64,
    append_ms: Spread,
    /// As many clients, one row per transaction, plain table.
    pgbench_per_s: f64,
    /// As many connections, one append per transaction, the store's tables.
    plain_per_s: f64,
    to_pgbench: f64,
    to_plain: f64,
    to_pgbench_least: f64,
    to_pgbench_goal: f64,
    met: &'static str,
}

struct Subjects {
    pgbench: Pgbench,
    plain: Plain,
    appender: Appender,
}

/// Measures.
pub async fn measure(bench: &Bench) -> Result<()> {
    let mut urls = Vec::new();
    for _ in 0..3 {
        urls.push(spawn_blocking(niyam_testdb::database_url).await?);
    }
    let folder = Commits::postgres(&urls[0]).await?.data_folder().await?;
    let disk = folder.map_or(Ok("unknown".to_owned()), |folder| disk::durable(&folder))?;
    let all = tenants(TENANTS)?;
    let store = open(DatabaseUrl::Postgres(urls[0].clone())).await?;
    // Makes the tables.
    open(DatabaseUrl::Postgres(urls[1].clone())).await?.close().await;
    let subjects = Subjects {
        plain: Plain::new(&urls[1], TENANTS, APPENDERS_MAX).await?,
        pgbench: Pgbench::new(urls[2].clone()).await?,
        appender: Appender::new(store.clone(), all.clone()),
    };
    for (appenders, tenants) in CASES {
        bench.progress(&format!("postgres: {appenders} appenders on {tenants} tenants"));
        let appending = case(bench, &subjects, &disk, appenders, &all[..tenants]).await?;
        bench.measured(GROUP.name, "append", &appending)?;
    }
    bench.progress("postgres: whether all did the same, and the chain is whole");
    let Subjects { pgbench, appender, .. } = subjects;
    let (rows, bytes) = pgbench.rows().await?;
    ensure!(rows > 0 && usize::try_from(bytes)? == EVENT_BYTES, "pgbench wrote {rows} rows of {bytes} bytes");
    verify(&store, &appender, &all).await?;
    store.close().await;
    Ok(())
}

/// Every append is in a history, once, in a chain that is whole.
pub async fn verify(store: &EventStore, appender: &Appender, tenants: &[TenantId]) -> Result<()> {
    let mut events = 0;
    for tenant in tenants {
        let Position(position) = store.verify_chain(tenant).await?;
        events += position;
        let last = store.read(tenant, Position(position.saturating_sub(1)), 1).await?;
        ensure!(
            last.iter().all(|event| event.payload.len() + event.metadata.len() == EVENT_BYTES),
            "an event has not the bytes that it was given"
        );
    }
    ensure!(events == appender.count(), "{} appends made {events} events", appender.count());
    appender.repeat(0).await
}

async fn case(
    bench: &Bench,
    subjects: &Subjects,
    disk: &str,
    appenders: usize,
    tenants: &[TenantId],
) -> Result<Appending> {
    let (rounds, seconds) = (bench.count(3, 1), if bench.quick { 1 } else { 3 });
    let time = if bench.quick { Duration::from_millis(200) } else { Duration::from_secs(seconds) };
    let appender = subjects.appender.on(tenants);
    let (mut store, mut pgbench, mut plain, mut times) = (vec![], vec![], vec![], Times::default());
    appender.run(appenders, time / 6).await?;
    for round in 0..rounds {
        // Each of them comes first, second and third equally often.
        for turn in 0..3 {
            match (turn + round) % 3 {
                0 => pgbench.push(subjects.pgbench.run(appenders, tenants.len(), seconds).await?),
                1 => {
                    let done = appender.run(appenders, time).await?;
                    store.push(per_second(done.times.count(), done.time));
                    times = times.and(done.times);
                }
                _ => plain.push(subjects.plain.run(appenders, tenants.len(), time).await?),
            }
        }
    }
    let (appends_per_s, pgbench_per_s, plain_per_s) = (median(&store), median(&pgbench), median(&plain));
    let to_pgbench = ratio(appends_per_s, pgbench_per_s);
    Ok(Appending {
        database: "postgres",
        disk: disk.to_owned(),
        appenders,
        tenants: tenants.len(),
        rounds,
        seconds_per_round: seconds,
        appends_per_s,
        append_ms: times.milliseconds(),
        pgbench_per_s,
        plain_per_s,
        to_pgbench,
        to_plain: ratio(appends_per_s, plain_per_s),
        to_pgbench_least: LEAST,
        to_pgbench_goal: GOAL,
        met: met(to_pgbench, LEAST, GOAL),
    })
}
