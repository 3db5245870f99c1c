//! Appends on SQLite beside raw batches of the same bytes, for as many tenants, through the same library, in turn.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use niyam_store::DatabaseUrl;
use serde::Serialize;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, QueryBuilder, Sqlite, SqliteConnection};

use super::postgres::verify;
use super::subject::{Appender, DAY, EVENT_TYPE, METADATA, id, open, payload, tenants};
use super::{GROUP, folder, met};
use crate::bench::Bench;
use crate::disk;
use crate::figures::{Spread, Times, median, per_second, ratio};

const APPENDERS: usize = 32;
/// Rows of a raw transaction.
const BATCH: usize = 50;
/// How many times the raw batches the store must be, and should be.
const LEAST: f64 = 0.3;
const GOAL: f64 = 0.5;

#[derive(Serialize)]
struct Appending {
    database: &'static str,
    disk: String,
    appenders: usize,
    tenants: usize,
    rounds: usize,
    appends_per_s: f64,
    append_ms: Spread,
    /// Rows per transaction of the raw batches.
    raw_batch: usize,
    /// Each row by a statement of its own.
    raw_rows_per_s: f64,
    /// All rows of a batch by one statement.
    raw_rows_at_once_per_s: f64,
    /// Beside the statement for each row.
    to_raw: f64,
    to_raw_at_once: f64,
    to_raw_least: f64,
    to_raw_goal: f64,
    met: &'static str,
}

/// Measures.
pub async fn measure(bench: &Bench) -> Result<()> {
    let folder = folder(bench)?;
    let disk = disk::durable(folder.path())?;
    let store = open(DatabaseUrl::Sqlite(folder.path().join("niyam.db"))).await?;
    let mut raw = Raw::new(&folder.path().join("raw.db")).await?;
    let all = tenants(64)?;
    let appenders = Appender::new(store.clone(), all.clone());
    for count in [1, 64] {
        bench.progress(&format!("sqlite: {APPENDERS} appenders on {count} tenants"));
        let (rounds, time) = (bench.count(3, 1), Duration::from_millis(if bench.quick { 100 } else { 2000 }));
        let appender = appenders.on(&all[..count]);
        let (mut appends, mut rows, mut rows_at_once) = (vec![], vec![], vec![]);
        let mut times = Times::default();
        appender.run(APPENDERS, time / 4).await?;
        for round in 0..rounds {
            for turn in 0..3 {
                match (turn + round) % 3 {
                    0 => rows.push(raw.run(time, count, false).await?),
                    1 => {
                        let done = appender.run(APPENDERS, time).await?;
                        appends.push(per_second(done.times.count(), done.time));
                        times = times.and(done.times);
                    }
                    _ => rows_at_once.push(raw.run(time, count, true).await?),
                }
            }
        }
        let (appends_per_s, rows, at_once) = (median(&appends), median(&rows), median(&rows_at_once));
        let to_raw = ratio(appends_per_s, rows);
        bench.measured(
            GROUP.name,
            "append",
            &Appending {
                database: "sqlite",
                disk: disk.clone(),
                appenders: APPENDERS,
                tenants: count,
                rounds,
                appends_per_s,
                append_ms: times.milliseconds(),
                raw_batch: BATCH,
                raw_rows_per_s: rows,
                raw_rows_at_once_per_s: at_once,
                to_raw,
                to_raw_at_once: ratio(appends_per_s, at_once),
                to_raw_least: LEAST,
                to_raw_goal: GOAL,
                met: met(to_raw, LEAST, GOAL),
            },
        )?;
    }
    bench.progress("sqlite: whether all was appended, and the chain is whole");
    verify(&store, &appenders, &all).await?;
    raw.connection.close().await?;
    store.close().await;
    Ok(())
}

/// A plain table in a file of its own, with the settings of the store.
struct Raw {
    connection: SqliteConnection,
    payload: String,
    rows: u64,
}

impl Raw {
    async fn new(file: &Path) -> Result<Self> {
        const TABLE: &str = "create table plain_events ( \
             tenant text not null, position integer not null, stream text not null, version integer not null, \
             event_id blob not null, event_type text not null, recorded_at integer not null, \
             effective_date text not null, payload blob not null, metadata blob not null, hash blob not null, \
             primary key (tenant, position)) strict";
        let mut connection = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .connect()
            .await?;
        sqlx::query(TABLE).execute(&mut connection).await?;
        Ok(Self { connection, payload: payload(), rows: 0 })
    }

    /// Rows per second of one writer, for so many tenants in turn: as many places of the key to write to.
    async fn run(&mut self, time: Duration, tenants: usize, at_once: bool) -> Result<f64> {
        let (began, mut done) = (Instant::now(), 0);
        let tenants = u64::try_from(tenants)?;
        let statement = if at_once { BATCH } else { 1 };
        while began.elapsed() < time {
            let mut transaction = self.connection.begin_with("begin immediate").await?;
            for _ in 0..BATCH / statement {
                let mut query = QueryBuilder::<Sqlite>::new("insert into plain_events ");
                query.push_values(0..statement, |mut row, _| {
                    self.rows += 1;
                    let id = id(self.rows);
                    row.push_bind(format!("tenant-{}", self.rows % tenants))
                        .push_bind(self.rows.cast_signed())
                        .push_bind(format!("invoice/{id}"))
                        .push_bind(1)
                        .push_bind(id.as_bytes().to_vec())
                        .push_bind(EVENT_TYPE)
                        .push_bind(1_780_000_000_000_000_i64)
                        .push_bind(DAY.to_string())
                        .push_bind(self.payload.as_bytes())
                        .push_bind(METADATA.as_bytes())
                        .push_bind([7_u8; 32].as_slice());
                });
                query.build().execute(&mut *transaction).await?;
            }
            transaction.commit().await?;
            done += BATCH;
        }
        Ok(per_second(done, began.elapsed()))
    }
}
