//! Compares what the clients were told with what the server, its list and its store hold.

use std::collections::{BTreeMap, HashMap, HashSet};

use anyhow::{Context as _, ensure};
use niyam_domain::{Position, TenantId};
use niyam_store::{ChainError, EventStore, Recorded};
use serde::Serialize;
use serde_json::Value;

use crate::On;
use crate::clients::{Acknowledged, Fleet, Step};
use crate::server::Server;
use crate::setup::Setup;

/// What a run amounts to. The second half must be nought.
#[derive(Debug, Default, Serialize)]
pub struct Figures {
    kind: &'static str,
    database: &'static str,
    disaster: &'static str,
    seed: u64,
    cycles: u32,
    /// Requests that were acknowledged.
    acknowledged: usize,
    /// Those of them that had to be sent again.
    retried: u64,
    /// Those of them whose effect was there when they were sent again.
    settled: u64,
    /// Refusals by code.
    refused: BTreeMap<String, u64>,
    /// Numbers given to invoices.
    issued: usize,
    #[serde(flatten)]
    wrong: Wrong,
}

#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct Wrong {
    /// Acknowledged events that are not there.
    lost: usize,
    /// Events that nobody asked for, or once more than asked.
    doubled: usize,
    /// Tenants whose hash chain breaks.
    breaks: usize,
    /// Numbers of a series that no invoice has.
    skipped: usize,
    /// Numbers of a series that two invoices have.
    repeated: usize,
    /// Requests whose repetition got another answer than they did.
    unequal: usize,
    /// Invoices that the list shows otherwise than their events.
    misread: usize,
}

impl Figures {
    /// What a run whose outcomes are settled looks like to those who ask the server.
    pub async fn of(setup: &Setup, fleet: &Fleet, server: &Server) -> anyhow::Result<Self> {
        let clients = &fleet.0;
        let mut figures = Self {
            seed: setup.seed,
            cycles: setup.cycles,
            acknowledged: clients.iter().map(|client| client.acknowledged.len()).sum(),
            retried: clients.iter().map(|client| client.retried).sum(),
            settled: clients.iter().map(|client| client.settled).sum(),
            ..Self::default()
        };
        for (code, count) in clients.iter().flat_map(|client| &client.refused) {
            *figures.refused.entry(code.clone()).or_default() += count;
        }
        figures.wrong.unequal = unequal(fleet, server).await?;
        for tenant in &setup.tenants {
            figures.wrong.misread +=
                misread(&told(fleet, &tenant.name), setup, &tenant.token, server).await?;
        }
        Ok(figures)
    }

    /// The same, with what the store holds. The server must be down.
    pub async fn with_store(mut self, setup: &Setup, fleet: &Fleet) -> anyhow::Result<Self> {
        let store = setup.open_store().await?;
        for tenant in &setup.tenants {
            self.check(&store, &tenant.name.parse()?, &told(fleet, &tenant.name)).await?;
        }
        store.close().await;
        Ok(self)
    }

    /// Prints the figures, and fails unless nothing is wrong and there was something to go wrong.
    pub fn stand(self, kind: &'static str, on: On, disaster: &'static str) -> anyhow::Result<()> {
        let told = Self { kind, database: on.name(), disaster, ..self };
        println!("{}", serde_json::to_string(&told)?);
        ensure!(told.wrong == Wrong::default(), "{:?}", told.wrong);
        ensure!(told.acknowledged > 0 && told.issued > 0, "nothing was at stake");
        Ok(())
    }

    /// Refusals with that code.
    pub fn refused(&self, code: &str) -> u64 {
        self.refused.get(code).copied().unwrap_or_default()
    }

    async fn check(
        &mut self,
        store: &EventStore,
        tenant: &TenantId,
        told: &[&Acknowledged],
    ) -> anyhow::Result<()> {
        match store.verify_chain(tenant).await {
            Err(ChainError::Broken(broken)) => {
                eprintln!("{broken}");
                self.wrong.breaks += 1;
            }
            verified => drop(verified?),
        }
        let events = history(store, tenant).await?;
        let by_position: HashMap<u64, &Recorded> =
            events.iter().map(|event| (event.position.0, event)).collect();
        let mut explained = HashSet::new();
        for acknowledged in told {
            // An issue writes its number behind its own event.
            let position = acknowledged.position - u64::from(acknowledged.step == Step::Issue);
            let event = by_position.get(&position).filter(|event| {
                event.stream.as_str() == format!("invoice/{}", acknowledged.invoice)
                    && event.event_type == acknowledged.step.event_type()
            });
            if event.is_none() || !explained.insert(position) {
                eprintln!("lost: {acknowledged:?}");
                self.wrong.lost += 1;
            }
        }
        let invoices = events.iter().filter(|event| event.stream.as_str().starts_with("invoice/"));
        for event in invoices.filter(|event| !explained.contains(&event.position.0)) {
            eprintln!("doubled: {} {} at {}", event.stream, event.event_type, event.position);
            self.wrong.doubled += 1;
        }
        let drawn = events.iter().filter(|event| event.stream.as_str().starts_with("number-series/")).count();
        let serials: Vec<u64> = told.iter().filter_map(|acknowledged| acknowledged.serial).collect();
        let issues = told.iter().filter(|acknowledged| acknowledged.step == Step::Issue).count();
        ensure!(serials.len() == issues, "an issued invoice has no number");
        let distinct: HashSet<u64> = serials.iter().copied().collect();
        let last = usize::try_from(serials.iter().copied().max().unwrap_or_default())?.max(drawn);
        self.wrong.lost += last - drawn;
        self.wrong.skipped += last - distinct.len();
        self.wrong.repeated += serials.len() - distinct.len();
        self.issued += serials.len();
        Ok(())
    }
}

/// What the clients of a tenant were told.
fn told<'a>(fleet: &'a Fleet, tenant: &str) -> Vec<&'a Acknowledged> {
    let clients = fleet.0.iter().filter(|client| client.tenant == tenant);
    clients.flat_map(|client| &client.acknowledged).collect()
}

async fn history(store: &EventStore, tenant: &TenantId) -> anyhow::Result<Vec<Recorded>> {
    let mut events: Vec<Recorded> = Vec::new();
    loop {
        let after = events.last().map_or(Position(0), |event| event.position);
        let page = store.read(tenant, after, 1000).await?;
        if page.is_empty() {
            return Ok(events);
        }
        events.extend(page);
    }
}

/// Repeats every request that was ever acknowledged, and counts those that are not answered as they were.
async fn unequal(fleet: &Fleet, server: &Server) -> anyhow::Result<usize> {
    let repeating = fleet.0.iter().map(|client| async {
        let mut unequal = 0;
        for acknowledged in &client.acknowledged {
            let asked = acknowledged.asked.request(&client.http, server.url(), &client.token);
            let answer = asked.send().await?;
            let replayed = answer.headers().contains_key("idempotency-replayed");
            let body = answer.text().await?;
            if !replayed || body != acknowledged.body {
                eprintln!("unequal: {acknowledged:?} is now {body}");
                unequal += 1;
            }
        }
        anyhow::Ok(unequal)
    });
    Ok(futures::future::try_join_all(repeating).await?.into_iter().sum())
}

/// Reads the list to its end, and counts the invoices that it lacks, has besides, or shows otherwise than told.
async fn misread(
    told: &[&Acknowledged],
    setup: &Setup,
    token: &str,
    server: &Server,
) -> anyhow::Result<usize> {
    let mut expected: HashMap<&str, (u64, &str, Option<u64>)> = HashMap::new();
    for acknowledged in told {
        let invoice = expected.entry(&acknowledged.invoice).or_insert((0, "", None));
        *invoice = (invoice.0 + 1, acknowledged.step.status(), acknowledged.serial);
    }
    let last = told.iter().map(|acknowledged| acknowledged.position).max().unwrap_or_default();
    let mut wrong = 0;
    let mut next = Some(String::new());
    while let Some(cursor) = next {
        let url = format!("{}/v1/invoices?limit=200{cursor}", server.url());
        let asked = setup.http.get(url).bearer_auth(token).header("niyam-position", last);
        let page: Value = asked.send().await?.error_for_status()?.json().await?;
        for item in page["items"].as_array().context("a page has items")? {
            let serial = item["number"].as_str().and_then(|number| number.split_once('/'));
            let serial = serial.and_then(|(serial, _)| serial.parse().ok());
            let shown = (item["version"].as_u64(), item["status"].as_str(), serial);
            let known = item["id"].as_str().and_then(|id| expected.remove(id));
            let fits =
                known.is_some_and(|(version, status, serial)| shown == (Some(version), Some(status), serial));
            if !fits {
                eprintln!("misread: {item}, told was {known:?}");
                wrong += 1;
            }
        }
        next = page["next"].as_str().map(|cursor| format!("&after={cursor}"));
    }
    Ok(wrong + expected.len())
}
