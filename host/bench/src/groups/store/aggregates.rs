//! What it takes to load an aggregate, by the number of its events, with and without a snapshot.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use niyam::{App, AppConfig};
use niyam_domain::{STATE_SCHEMA, StreamId, TenantId, Version};
use niyam_store::{Append, Batch, Durability, NewEvent, Scope, StreamWrite, Writer};
use serde::Serialize;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::subject::{DAY, METADATA, id};
use super::{GROUP, folder};
use crate::bench::Bench;
use crate::figures::{Spread, Times, ratio};

const LENGTHS: [u64; 4] = [10, 100, 1_000, 10_000];
/// Shorter streams have none.
const SNAPSHOT_FROM: u64 = 101;
/// Loading the longest with a snapshot, beside the hundred events that a load may read without one.
const TO_HUNDRED_MAX: f64 = 1.5;
const DRAFTED: &str = include_str!("../../../../domain/tests/fixtures/events/invoice.drafted.v1.sparse.json");
const REVISED: &str = include_str!("../../../../domain/tests/fixtures/events/invoice.revised.v1.sparse.json");
/// How long a snapshot may take to be kept.
const SAVE_LIMIT: Duration = Duration::from_secs(20);

#[derive(Serialize)]
struct Loaded {
    database: &'static str,
    events: u64,
    snapshot: bool,
    loads: usize,
    load_us: Spread,
    /// `load_us.p50` beside that of 100 events without a snapshot.
    #[serde(skip_serializing_if = "Option::is_none")]
    to_hundred: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to_hundred_max: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    met: Option<bool>,
}

/// Measures.
pub async fn measure(bench: &Bench) -> Result<()> {
    for database in ["sqlite", "postgres"] {
        let folder = folder(bench)?;
        let url = match database {
            "sqlite" => None,
            _ => Some(spawn_blocking(niyam_testdb::database_url).await?.parse()?),
        };
        let app = App::open(AppConfig::new(folder.path().to_owned(), url)).await?;
        let subject = Subject { app, tenant: "loading".parse()? };
        let mut hundred = None;
        for events in LENGTHS.into_iter().filter(|events| !bench.quick || *events <= 1_000) {
            bench.progress(&format!("{database}: loading an aggregate of {events} events"));
            let stream = subject.make(events).await?;
            for snapshot in [false, true] {
                if snapshot && events < SNAPSHOT_FROM {
                    continue;
                }
                let loads = bench.count(if snapshot || events < 1_000 { 300 } else { 20 }, 3);
                let times = subject.load(&stream, events, snapshot, loads).await?;
                let load_us = times.microseconds();
                let to_hundred = hundred.map(|hundred: Spread| ratio(load_us.p50, hundred.p50));
                if events == 100 {
                    hundred = Some(load_us);
                }
                let target = (snapshot && events == 10_000).then_some(TO_HUNDRED_MAX);
                bench.measured(
                    GROUP.name,
                    "load",
                    &Loaded {
                        database,
                        events,
                        snapshot,
                        loads,
                        load_us,
                        to_hundred,
                        to_hundred_max: target,
                        met: target.zip(to_hundred).map(|(target, ratio)| ratio <= target),
                    },
                )?;
            }
        }
        subject.app.close().await;
    }
    Ok(())
}

struct Subject {
    app: App,
    tenant: TenantId,
}

impl Subject {
    /// An invoice that was revised until it had so many events.
    async fn make(&self, events: u64) -> Result<StreamId> {
        // Ids that no other length uses.
        let number = events * 1_000_000;
        let stream: StreamId = format!("invoice/{}", id(number)).parse()?;
        let mut version = 0;
        while version < events {
            let until = events.min(version + 1_000);
            let batch = (version..until).map(|version| NewEvent {
                id: id(number + version),
                event_type: if version == 0 { "invoice.drafted.v1" } else { "invoice.revised.v1" }.to_owned(),
                payload: if version == 0 { DRAFTED } else { REVISED }.trim_end().as_bytes().to_vec(),
                metadata: METADATA.as_bytes().to_vec(),
                effective_date: DAY,
            });
            let write =
                StreamWrite { stream: stream.clone(), expected: Version(version), events: batch.collect() };
            let batch = Batch { writes: vec![write], answer: Vec::new() };
            self.app.store().append(&self.tenant, Append::of(batch)).await?;
            version = until;
        }
        Ok(stream)
    }

    /// How long loading takes; checks that as many events were read as had to be.
    async fn load(&self, stream: &StreamId, events: u64, snapshot: bool, loads: usize) -> Result<Times> {
        let mut times = Times::default();
        for number in 0..=loads {
            if events >= SNAPSHOT_FROM {
                if number == 0 {
                    self.app.load_invoice(&self.tenant, stream).await?;
                }
                self.wait_for_snapshot(stream).await?;
                if !snapshot {
                    self.drop_snapshot(stream).await?;
                }
            }
            let began = Instant::now();
            let loaded = self.app.load_invoice(&self.tenant, stream).await?;
            let time = began.elapsed();
            let (version, read) = loaded.context("the invoice is not there")?;
            ensure!(version == Version(events), "the invoice was loaded at version {version}");
            let expected = if snapshot { 0 } else { events };
            ensure!(read == expected, "{read} events were read instead of {expected}");
            // The first one warms up.
            if number > 0 {
                times.push(time);
            }
        }
        Ok(times)
    }

    async fn wait_for_snapshot(&self, stream: &StreamId) -> Result<()> {
        let began = Instant::now();
        while self.app.store().load_snapshot(&self.tenant, stream, &STATE_SCHEMA).await?.is_none() {
            ensure!(began.elapsed() < SAVE_LIMIT, "no snapshot was left behind");
            sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    }

    async fn drop_snapshot(&self, stream: &StreamId) -> Result<()> {
        const SQL: &str = "delete from snapshots where tenant = $1 and stream = $2";
        let database = self.app.store().database();
        let mut writer = database.write(&Scope::Tenant(&self.tenant), Durability::Relaxed).await?;
        macro_rules! delete {
            ($connection:expr) => {
                sqlx::query(SQL)
                    .bind(self.tenant.as_str())
                    .bind(stream.as_str())
                    .execute($connection)
                    .await
                    .map(|_| ())?
            };
        }
        match &mut writer {
            Writer::Sqlite(transaction) => delete!(&mut **transaction),
            Writer::Postgres(transaction) => delete!(&mut **transaction),
        }
        Ok(writer.commit().await?)
    }
}
