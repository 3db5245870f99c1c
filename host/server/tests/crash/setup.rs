//! Tenants to work for, made before the server starts, and what a run is told by its environment.

use std::time::Duration;

use anyhow::Context as _;
use niyam::{App, AppConfig, NewTenant, create_tenant};
use niyam_store::{Clock as _, EventStore, StoreConfig};
use niyam_values::Identifier;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use crate::clients::ROLES;
use crate::server::Place;

/// How often each disaster strikes, and what the pauses before it are drawn from; `cargo xtask crash` sets them.
const CYCLES_VARIABLE: &str = "NIYAM_CRASH_CYCLES";
const SEED_VARIABLE: &str = "NIYAM_CRASH_SEED";
const CYCLES: u32 = 5;
const SEED: u64 = 1;
/// How long the load lasts before a disaster, milliseconds.
const LOAD_MS: std::ops::RangeInclusive<u64> = 50..=800;

pub struct Tenant {
    pub name: String,
    pub token: String,
}

/// Where a server keeps its tenants, and a way to reach it.
pub struct Setup {
    pub place: Place,
    pub tenants: Vec<Tenant>,
    pub http: reqwest::Client,
    pub cycles: u32,
    pub seed: u64,
    random: StdRng,
}

impl Setup {
    pub async fn new(place: Place) -> anyhow::Result<Self> {
        let database = place.database.as_deref().map(str::parse).transpose()?;
        let app = App::open(AppConfig::new(place.data.clone(), database)).await?;
        let mut tenants = Vec::new();
        for name in ["acme", "bravo"] {
            let new = NewTenant {
                tenant: name.parse()?,
                pack: "vat-bd".to_owned(),
                config: None,
                legal_name: Some("Niyam Demo Ltd".to_owned()),
                address: Some("12 Motijheel, Dhaka".to_owned()),
                time_zone: "Asia/Dhaka".to_owned(),
                identifiers: vec![Identifier { kind: "bin".to_owned(), value: "000828395-0207".to_owned() }],
            };
            create_tenant(&app, new).await.map_err(anyhow::Error::msg)?;
            let now = niyam::SystemClock.now();
            let later = now.checked_add(Duration::from_hours(12))?;
            let token = app.signing_key().sign(&name.parse()?, "rahima", &ROLES, now, later)?;
            tenants.push(Tenant { name: name.to_owned(), token });
        }
        app.close().await;
        let cycles = cycles()?;
        let seed = told(SEED_VARIABLE)?.unwrap_or(SEED);
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_mins(1)).build()?;
        Ok(Self { place, tenants, http, cycles, seed, random: StdRng::seed_from_u64(seed) })
    }

    /// The store behind the server, which must be down.
    pub async fn open_store(&self) -> anyhow::Result<EventStore> {
        let database = match &self.place.database {
            Some(url) => url.parse()?,
            None => niyam_store::DatabaseUrl::Sqlite(self.place.data.join("niyam.db")),
        };
        Ok(EventStore::open(StoreConfig::new(database, std::sync::Arc::new(niyam::SystemClock))).await?)
    }

    /// Lets the load go on for a while.
    pub async fn pause(&mut self) {
        let pause = self.random.random_range(LOAD_MS);
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }

    /// How long a test may take at most.
    pub fn limit(&self) -> Duration {
        Duration::from_mins(2) + Duration::from_mins(1) * self.cycles
    }
}

/// How often a disaster is to strike.
pub fn cycles() -> anyhow::Result<u32> {
    Ok(told(CYCLES_VARIABLE)?.unwrap_or(CYCLES))
}

fn told<T: std::str::FromStr>(variable: &str) -> anyhow::Result<Option<T>> {
    match std::env::var(variable) {
        Ok(text) => Ok(Some(text.parse().ok().with_context(|| format!("{variable} is no number"))?)),
        Err(_) => Ok(None),
    }
}
