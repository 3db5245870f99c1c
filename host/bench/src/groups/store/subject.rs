//! What is appended, and appenders that do it at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use jiff::civil::{Date, date};
use niyam::SystemClock;
use niyam_domain::{TenantId, Version};
use niyam_store::{Append, Batch, DatabaseUrl, EventStore, Idempotency, NewEvent, StoreConfig, StreamWrite};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::figures::Times;

/// The type of every event.
pub const EVENT_TYPE: &str = "invoice.drafted.v1";
/// Of an event's JSON, metadata included.
pub const EVENT_BYTES: usize = 400;
/// JSON about every event.
pub const METADATA: &str = r#"{"actor":"bench","trace":"0123456789abcdef0123456789abcdef","n":12345}"#;
/// The day of every event.
pub const DAY: Date = date(2026, 7, 1);
/// What every append is answered with.
const ANSWER: &[u8] = br#"{"status":201}"#;

/// JSON of every event, as much as its metadata leave of [`EVENT_BYTES`].
pub fn payload() -> String {
    format!(r#"{{"note":"{}"}}"#, "x".repeat(EVENT_BYTES - METADATA.len() - r#"{"note":""}"#.len()))
}

/// Opens a store with the settings that the server has.
pub async fn open(database: DatabaseUrl) -> Result<EventStore> {
    Ok(EventStore::open(StoreConfig::new(database, Arc::new(SystemClock))).await?)
}

/// Tenants by number.
pub fn tenants(count: usize) -> Result<Vec<TenantId>> {
    (0..count).map(|number| Ok(format!("tenant-{number}").parse()?)).collect()
}

/// Appends one event to a new stream, again and again, as different requests.
#[derive(Clone)]
pub struct Appender {
    store: EventStore,
    tenants: Arc<[TenantId]>,
    payload: Arc<[u8]>,
    next: Arc<AtomicU64>,
}

/// What appenders did.
pub struct Appended {
    /// Each append, from call to durable answer.
    pub times: Times,
    /// All of them, side by side.
    pub time: Duration,
}

impl Appender {
    pub fn new(store: EventStore, tenants: Vec<TenantId>) -> Self {
        Self { store, tenants: tenants.into(), payload: payload().into_bytes().into(), next: Arc::default() }
    }

    /// The same for other tenants, with ids that go on.
    pub fn on(&self, tenants: &[TenantId]) -> Self {
        Self { tenants: tenants.into(), ..self.clone() }
    }

    /// How many appends there were.
    pub fn count(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    /// So many at once, for so long.
    pub async fn run(&self, appenders: usize, time: Duration) -> Result<Appended> {
        let began = Instant::now();
        let mut running = JoinSet::new();
        for _ in 0..appenders {
            let appender = self.clone();
            running.spawn(async move {
                let mut times = Times::default();
                while began.elapsed() < time {
                    let called = Instant::now();
                    appender.append(appender.next.fetch_add(1, Ordering::Relaxed)).await?;
                    times.push(called.elapsed());
                }
                anyhow::Ok(times)
            });
        }
        let mut all = Times::default();
        while let Some(times) = running.join_next().await {
            all = all.and(times??);
        }
        Ok(Appended { times: all, time: began.elapsed() })
    }

    /// Asks for append `number` again, which must be answered from memory.
    pub async fn repeat(&self, number: u64) -> Result<()> {
        let (tenant, append) = self.request(number);
        let tenant = tenant.clone();
        ensure!(self.store.append(&tenant, append).await?.replayed, "a repeated request was not recognised");
        Ok(())
    }

    async fn append(&self, number: u64) -> Result<()> {
        let (tenant, append) = self.request(number);
        let appended = self.store.append(tenant, append).await?;
        ensure!(!appended.replayed, "a new request was taken for a repeated one");
        Ok(())
    }

    fn request(&self, number: u64) -> (&TenantId, Append) {
        let count = u64::try_from(self.tenants.len()).unwrap_or(u64::MAX);
        let tenant = &self.tenants[usize::try_from(number % count).unwrap_or_default()];
        let id = id(number);
        let event = NewEvent {
            id,
            event_type: EVENT_TYPE.to_owned(),
            payload: self.payload.to_vec(),
            metadata: METADATA.as_bytes().to_vec(),
            effective_date: DAY,
        };
        let stream = format!("invoice/{id}").parse().expect("letters, a slash, digits and hyphens");
        let write = StreamWrite { stream, expected: Version(0), events: vec![event] };
        let append = Append::of(Batch { writes: vec![write], answer: ANSWER.to_vec() });
        let mut fingerprint = [0; 32];
        fingerprint[..16].copy_from_slice(id.as_bytes());
        (tenant, append.idempotent(Idempotency { key: id.to_string(), fingerprint }))
    }
}

/// In order of time, as the server's are.
pub fn id(number: u64) -> Uuid {
    Uuid::from_u64_pair(0x0198_0000_0000_7000 | (number >> 48), 0x8000_0000_0000_0000 | number)
}
