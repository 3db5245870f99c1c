//! A long history of one tenant: how fast it is appended in large pieces, replayed and projected, with how much memory,
//! beside reading the same rows raw.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use futures::TryStreamExt as _;
use niyam_domain::{Position, StreamId, TenantId, Version};
use niyam_store::{Append, Batch, DatabaseUrl, EventStore, NewEvent, StreamWrite};
use serde::Serialize;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, SqliteConnection};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::subject::{DAY, METADATA, id, open};
use super::{GROUP, folder};
use crate::bench::Bench;
use crate::figures::{median, per_second, ratio, rounded};
use crate::memory::{self, Peak};
use crate::service;

/// What of memory no reading may exceed, bytes.
const PEAK_BYTES_MAX: u64 = 200_000_000;
/// Invoices of one append, each with four events.
const INVOICES: u64 = 250;
const EVENTS: [(&str, &str); 3] = [
    (
        "invoice.drafted.v1",
        include_str!("../../../../domain/tests/fixtures/events/invoice.drafted.v1.sparse.json"),
    ),
    (
        "invoice.approved.v1",
        include_str!("../../../../domain/tests/fixtures/events/invoice.approved.v1.json"),
    ),
    (
        "invoice.issued.v1",
        include_str!("../../../../domain/tests/fixtures/events/invoice.issued.v1.sparse.json"),
    ),
];
const DRAWN: (&str, &str) =
    ("number.drawn.v1", include_str!("../../../../domain/tests/fixtures/events/number.drawn.v1.json"));

const RAW: &str = "select position, stream, version, event_id, event_type, recorded_at, effective_date, payload, \
     metadata, hash from events where tenant = $1 order by position";
type RawRow = (i64, String, i64, Vec<u8>, String, i64, String, Vec<u8>, Vec<u8>, Vec<u8>);

/// A history, made and read.
#[derive(Serialize)]
struct Replayed {
    database: &'static str,
    events: u64,
    /// Of JSON, on average.
    bytes_per_event: f64,
    /// In appends of 1,000 events, one after another.
    appended_per_s: f64,
    /// From position 0, streaming.
    events_per_s: f64,
    /// The same rows, one statement, nothing checked.
    raw_per_s: f64,
    to_raw: f64,
    #[serde(flatten)]
    peak: PeakTarget,
}

/// A projection, computed again by `niyam projections rebuild`.
#[derive(Serialize)]
struct Rebuilt {
    database: &'static str,
    events: u64,
    /// Start of the program included.
    rebuild_s: f64,
    /// Start of the program alone.
    start_s: f64,
    events_per_s: f64,
    /// `events_per_s` beside reading the same rows raw.
    to_raw: f64,
    #[serde(flatten)]
    peak: PeakTarget,
}

#[derive(Serialize)]
struct PeakTarget {
    /// Most memory that was resident.
    peak_bytes: u64,
    peak_bytes_max: u64,
    met: bool,
}

impl PeakTarget {
    fn of(Peak(peak_bytes): Peak) -> Self {
        Self { peak_bytes, peak_bytes_max: PEAK_BYTES_MAX, met: peak_bytes < PEAK_BYTES_MAX }
    }
}

/// Measures.
pub async fn measure(bench: &Bench) -> Result<()> {
    for name in ["sqlite", "postgres"] {
        let folder = folder(bench)?;
        let url = match name {
            "sqlite" => DatabaseUrl::Sqlite(folder.path().join("niyam.db")),
            _ => DatabaseUrl::Postgres(spawn_blocking(niyam_testdb::database_url).await?),
        };
        let tenant = "history".parse()?;
        let history = History { name, url, tenant, events: if bench.quick { 2_000 } else { 1_000_000 } };
        let raw_per_s = history.replay(bench).await?;
        history.rebuild(bench, folder.path(), raw_per_s).await?;
    }
    Ok(())
}

struct History {
    name: &'static str,
    url: DatabaseUrl,
    tenant: TenantId,
    events: u64,
}

impl History {
    /// Makes the history and reads it; how fast the rows are read raw.
    pub async fn replay(&self, bench: &Bench) -> Result<f64> {
        bench.progress(&format!("{}: a history of {} events", self.name, self.events));
        let store = open(self.url.clone()).await?;
        let began = Instant::now();
        let bytes = self.fill(&store).await?;
        let appended_per_s = per_second(usize::try_from(self.events)?, began.elapsed());
        bench.progress(&format!("{}: replay", self.name));
        let (mut replayed, mut raw, mut peak) = (vec![], vec![], Peak(0));
        for _ in 0..bench.count(2, 1) {
            raw.push(self.raw(bytes).await?);
            memory::forget_peak()?;
            replayed.push(self.stream(&store, bytes).await?);
            peak = peak.max(memory::peak(std::process::id())?);
        }
        store.close().await;
        let (events_per_s, raw_per_s) = (median(&replayed), median(&raw));
        bench.measured(
            GROUP.name,
            "replay",
            &Replayed {
                database: self.name,
                events: self.events,
                bytes_per_event: per_second(bytes, Duration::from_secs(self.events)),
                appended_per_s,
                events_per_s,
                raw_per_s,
                to_raw: ratio(events_per_s, raw_per_s),
                peak: PeakTarget::of(peak),
            },
        )?;
        Ok(raw_per_s)
    }

    /// Drafts, approvals and issues, as the domain writes them; their bytes.
    async fn fill(&self, store: &EventStore) -> Result<usize> {
        let mut bytes = 0;
        let series: StreamId = "number-series/mushak-6.3/2026-2027".parse()?;
        for batch in 0..self.events / (INVOICES * 4) {
            let mut writes = Vec::new();
            let mut drawn = Vec::new();
            for invoice in batch * INVOICES..(batch + 1) * INVOICES {
                let event = |kind: (&str, &str), number| NewEvent {
                    id: id(invoice * 4 + number),
                    event_type: kind.0.to_owned(),
                    payload: kind.1.trim_end().as_bytes().to_vec(),
                    metadata: METADATA.as_bytes().to_vec(),
                    effective_date: DAY,
                };
                let events = EVENTS.iter().zip(0..).map(|(kind, number)| event(*kind, number)).collect();
                let stream = format!("invoice/{}", id(invoice)).parse()?;
                writes.push(StreamWrite { stream, expected: Version(0), events });
                drawn.push(event(DRAWN, 3));
            }
            let expected = Version(batch * INVOICES);
            writes.push(StreamWrite { stream: series.clone(), expected, events: drawn });
            bytes += writes
                .iter()
                .flat_map(|write| &write.events)
                .map(|event| event.payload.len() + event.metadata.len())
                .sum::<usize>();
            store.append(&self.tenant, Append::of(Batch { writes, answer: Vec::new() })).await?;
        }
        Ok(bytes)
    }

    async fn stream(&self, store: &EventStore, expected: usize) -> Result<f64> {
        let began = Instant::now();
        let (mut count, mut bytes) = (0, 0);
        let mut events =
            std::pin::pin!(store.history(self.tenant.clone(), Position(0), Position(self.events)));
        while let Some(event) = events.try_next().await? {
            count += 1;
            bytes += event.payload.len() + event.metadata.len();
        }
        ensure!(bytes == expected, "{bytes} bytes were replayed instead of {expected}");
        Ok(per_second(count, began.elapsed()))
    }

    async fn raw(&self, expected: usize) -> Result<f64> {
        macro_rules! read {
            ($connection:expr) => {{
                let mut connection = $connection;
                let began = Instant::now();
                let (mut count, mut bytes) = (0, 0);
                let query = sqlx::query_as::<_, RawRow>(RAW).bind(self.tenant.as_str());
                let mut rows = query.fetch(&mut connection);
                while let Some(row) = rows.try_next().await? {
                    count += 1;
                    bytes += row.7.len() + row.8.len();
                }
                drop(rows);
                let rate = per_second(count, began.elapsed());
                connection.close().await?;
                (rate, bytes)
            }};
        }
        let (rate, bytes) = match &self.url {
            DatabaseUrl::Sqlite(file) => read!(sqlite(file).await?),
            DatabaseUrl::Postgres(url) => read!(PgConnection::connect(url).await?),
        };
        ensure!(bytes == expected, "{bytes} bytes were read instead of {expected}");
        Ok(rate)
    }

    async fn rebuild(&self, bench: &Bench, data: &Path, raw_per_s: f64) -> Result<()> {
        bench.progress(&format!("{}: rebuild of the list of invoices", self.name));
        // The first start compiles the modules.
        self.niyam(bench, data, &["projections", "list"]).await?;
        let (start, _) = self.niyam(bench, data, &["projections", "list"]).await?;
        let (time, peak) = self.niyam(bench, data, &["projections", "rebuild", "invoice_list"]).await?;
        let rows = self.invoices().await?;
        ensure!(rows == self.events / 4, "the list has {rows} invoices of {}", self.events / 4);
        let events_per_s = per_second(usize::try_from(self.events)?, time.saturating_sub(start));
        bench.measured(
            GROUP.name,
            "rebuild",
            &Rebuilt {
                database: self.name,
                events: self.events,
                rebuild_s: rounded(time.as_secs_f64()),
                start_s: rounded(start.as_secs_f64()),
                events_per_s,
                to_raw: ratio(events_per_s, raw_per_s),
                peak: PeakTarget::of(peak),
            },
        )
    }

    /// Runs the server's binary to its end: how long it took, and the most memory that it had.
    async fn niyam(&self, bench: &Bench, data: &Path, arguments: &[&str]) -> Result<(Duration, Peak)> {
        let mut command: Command = service::command(&bench.niyam);
        command.args(arguments).arg("--data").arg(data);
        if let DatabaseUrl::Postgres(url) = &self.url {
            command.args(["--database-url", url]);
        }
        let began = Instant::now();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .with_context(|| format!("failed to start {}", bench.niyam.display()))?;
        let mut peak = Peak(0);
        loop {
            // It may have ended by now, and the kernel have forgotten it.
            peak = peak.max(memory::peak(child.id()).unwrap_or(Peak(0)));
            match child.try_wait()? {
                Some(status) if status.success() => return Ok((began.elapsed(), peak)),
                Some(status) => bail!("niyam {} failed ({status})", arguments.join(" ")),
                None => sleep(Duration::from_millis(10)).await,
            }
        }
    }

    /// How many the list shows.
    async fn invoices(&self) -> Result<u64> {
        const SQL: &str = "select count(*) from invoice_list where tenant = $1 and status = 'issued' and build = \
             (select build from projection_checkpoints where tenant = $1 and projection = 'invoice_list' and live)";
        macro_rules! count {
            ($connection:expr) => {{
                let mut connection = $connection;
                let (count,): (i64,) =
                    sqlx::query_as(SQL).bind(self.tenant.as_str()).fetch_one(&mut connection).await?;
                connection.close().await?;
                count
            }};
        }
        let count = match &self.url {
            DatabaseUrl::Sqlite(file) => count!(sqlite(file).await?),
            DatabaseUrl::Postgres(url) => count!(PgConnection::connect(url).await?),
        };
        Ok(count.try_into()?)
    }
}

async fn sqlite(file: &Path) -> Result<SqliteConnection> {
    Ok(SqliteConnectOptions::new().filename(file).read_only(true).connect().await?)
}
