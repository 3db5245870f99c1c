//! Clients that draft, approve and issue, and write down what they ask for and what they are told.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use niyam::Role;
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::setup::Setup;

const CLIENTS: usize = 16;
/// What a client is told when it may ask again with the same key.
const REFUSALS: [(u16, &str); 5] = [
    (503, "database-unavailable"),
    (503, "outcome-unknown"),
    (503, "overloaded"),
    (503, "modules-busy"),
    (507, "storage-full"),
];
const PAUSE: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_mins(1);

/// A step of an invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Draft,
    Approve,
    Issue,
}

impl Step {
    /// The event that it leaves.
    pub fn event_type(self) -> &'static str {
        match self {
            Self::Draft => "invoice.drafted.v1",
            Self::Approve => "invoice.approved.v1",
            Self::Issue => "invoice.issued.v1",
        }
    }

    /// What the invoice is after it.
    pub fn status(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Approve => "approved",
            Self::Issue => "issued",
        }
    }
}

/// A request, written down before it is sent.
#[derive(Debug, Clone)]
pub struct Asked {
    step: Step,
    key: String,
    path: String,
    etag: Option<String>,
    body: Value,
}

impl Asked {
    /// The request, to be sent to the server at `url`.
    pub fn request(&self, http: &reqwest::Client, url: &str, token: &str) -> RequestBuilder {
        let request = http.post(format!("{url}{}", self.path)).bearer_auth(token);
        let request = request.header("idempotency-key", &self.key).body(self.body.to_string());
        match &self.etag {
            Some(etag) => request.header("if-match", etag),
            None => request,
        }
    }
}

/// A request that was acknowledged, written down when it was.
#[derive(Debug)]
pub struct Acknowledged {
    pub step: Step,
    pub asked: Asked,
    pub invoice: String,
    /// Of its last event.
    pub position: u64,
    /// In the series, once issued.
    pub serial: Option<u64>,
    /// The body, byte for byte.
    pub body: String,
}

/// How a client fares, for those who watch.
#[derive(Debug, Default)]
pub struct Fare {
    pub acknowledged: AtomicU64,
    /// Refusals for want of room.
    pub full: AtomicU64,
}

/// One client, with one request open at a time.
pub struct Client {
    pub tenant: String,
    pub token: String,
    pub acknowledged: Vec<Acknowledged>,
    /// Requests that were sent more than once until they were acknowledged.
    pub retried: u64,
    /// Those of them whose first try had its effect.
    pub settled: u64,
    /// Refusals by code.
    pub refused: BTreeMap<String, u64>,
    pub fare: Arc<Fare>,
    pub http: reqwest::Client,
    name: usize,
    keys: u64,
    open: Option<(Asked, u64)>,
    /// The invoice that is under way: its id, its version, and what to do next.
    invoice: Option<(String, String, Step)>,
}

enum Told {
    Acknowledged,
    Refused,
    /// The connection broke.
    Nothing,
}

impl Client {
    fn new(name: usize, setup: &Setup) -> Self {
        let tenant = &setup.tenants[name % setup.tenants.len()];
        Self {
            tenant: tenant.name.clone(),
            token: tenant.token.clone(),
            acknowledged: Vec::new(),
            retried: 0,
            settled: 0,
            refused: BTreeMap::new(),
            fare: Arc::default(),
            http: setup.http.clone(),
            name,
            keys: 0,
            open: None,
            invoice: None,
        }
    }

    fn next(&mut self) -> Asked {
        self.keys += 1;
        let key = format!("client-{}-{}", self.name, self.keys);
        match &self.invoice {
            None => {
                let body = sale(self.keys);
                Asked { step: Step::Draft, key, path: "/v1/invoices".to_owned(), etag: None, body }
            }
            Some((id, etag, step)) => {
                let command = if *step == Step::Approve { "approve" } else { "issue" };
                let path = format!("/v1/invoices/{id}/{command}");
                Asked { step: *step, key, path, etag: Some(etag.clone()), body: json!({}) }
            }
        }
    }

    /// Sends what is open, or else what comes next.
    async fn ask(&mut self, url: &str) -> anyhow::Result<Told> {
        if self.open.is_none() {
            self.open = Some((self.next(), 0));
        }
        let (asked, sent) = self.open.as_mut().context("a request is open")?;
        *sent += 1;
        let asked = asked.clone();
        let Ok(response) = asked.request(&self.http, url, &self.token).send().await else {
            return Ok(Told::Nothing);
        };
        let status = response.status();
        let header = |name: &str| {
            response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
        };
        let (etag, position) = (header("etag"), header("niyam-position"));
        let replayed = header("idempotency-replayed") == "true";
        let Ok(body) = response.text().await else { return Ok(Told::Nothing) };
        if !status.is_success() {
            return self.refused(status, &body, &asked);
        }
        let (_, sent) = self.open.take().context("a request is open")?;
        ensure!(sent > 1 || !replayed, "{asked:?} was sent once and answered as a repetition");
        self.retried += u64::from(sent > 1);
        self.settled += u64::from(replayed);
        let answer: Value = serde_json::from_str(&body)?;
        let invoice = answer["id"].as_str().context("an invoice has an id")?.to_owned();
        let number = answer["number"].as_str().and_then(|number| number.split_once('/'));
        let serial = number.map(|(serial, _)| serial.parse()).transpose()?;
        self.invoice = match asked.step {
            Step::Draft => Some((invoice.clone(), etag, Step::Approve)),
            Step::Approve => Some((invoice.clone(), etag, Step::Issue)),
            Step::Issue => None,
        };
        let position = position.parse()?;
        self.acknowledged.push(Acknowledged { step: asked.step, asked, invoice, position, serial, body });
        self.fare.acknowledged.fetch_add(1, Ordering::Relaxed);
        Ok(Told::Acknowledged)
    }

    fn refused(&mut self, status: StatusCode, body: &str, asked: &Asked) -> anyhow::Result<Told> {
        let problem: Value = serde_json::from_str(body).unwrap_or_default();
        let code = problem["code"].as_str().unwrap_or_default();
        if !REFUSALS.contains(&(status.as_u16(), code)) {
            bail!("{asked:?} got {status}: {body}");
        }
        *self.refused.entry(code.to_owned()).or_default() += 1;
        if code == "storage-full" {
            self.fare.full.fetch_add(1, Ordering::Relaxed);
        }
        Ok(Told::Refused)
    }

    async fn run(&mut self, url: &str, stop: &AtomicBool, server_dies: bool) -> anyhow::Result<()> {
        while !stop.load(Ordering::Relaxed) {
            match self.ask(url).await? {
                Told::Acknowledged => {}
                Told::Nothing if !server_dies => bail!("the server broke a connection"),
                Told::Refused | Told::Nothing => tokio::time::sleep(PAUSE).await,
            }
        }
        Ok(())
    }

    /// Repeats what is open until it is acknowledged.
    async fn settle(&mut self, url: &str) -> anyhow::Result<()> {
        while self.open.is_some() {
            match self.ask(url).await? {
                Told::Acknowledged => {}
                Told::Refused => tokio::time::sleep(PAUSE).await,
                Told::Nothing => bail!("the server broke a connection"),
            }
        }
        Ok(())
    }
}

/// All clients.
pub struct Fleet(pub Vec<Client>);

impl Fleet {
    pub fn new(setup: &Setup) -> Self {
        Self((0..CLIENTS).map(|name| Client::new(name, setup)).collect())
    }

    /// Lets all clients work on the server at `url`. `server_dies`: whether a broken connection is no surprise.
    pub fn load(self, url: &str, server_dies: bool) -> Running {
        let stop = Arc::new(AtomicBool::new(false));
        let fares = self.0.iter().map(|client| Arc::clone(&client.fare)).collect();
        let tasks = self
            .0
            .into_iter()
            .map(|mut client| {
                let (url, stop) = (url.to_owned(), Arc::clone(&stop));
                tokio::spawn(async move {
                    client.run(&url, &stop, server_dies).await?;
                    Ok(client)
                })
            })
            .collect();
        Running { stop, fares, tasks }
    }

    /// Repeats what each client has not been told the outcome of.
    pub async fn settle(&mut self, url: &str) -> anyhow::Result<()> {
        let settling = futures::future::try_join_all(self.0.iter_mut().map(|client| client.settle(url)));
        if let Ok(settled) = tokio::time::timeout(PATIENCE, settling).await {
            return settled.map(drop);
        }
        let refused: Vec<_> = self.0.iter().map(|client| &client.refused).collect();
        bail!("an outcome is never told; the refusals so far are {refused:?}")
    }
}

/// Clients at work.
pub struct Running {
    stop: Arc<AtomicBool>,
    fares: Vec<Arc<Fare>>,
    tasks: Vec<JoinHandle<anyhow::Result<Client>>>,
}

impl Running {
    /// Until each client was told `more` of what `count` counts.
    pub async fn until_each(&mut self, more: u64, count: impl Fn(&Fare) -> &AtomicU64) -> anyhow::Result<()> {
        let goals: Vec<u64> =
            self.fares.iter().map(|fare| count(fare).load(Ordering::Relaxed) + more).collect();
        let reached = |fares: &[Arc<Fare>]| {
            fares.iter().zip(&goals).all(|(fare, goal)| count(fare).load(Ordering::Relaxed) >= *goal)
        };
        let waiting = async {
            while !reached(&self.fares) {
                if let Some(ended) = self.tasks.iter().position(JoinHandle::is_finished) {
                    self.tasks.swap_remove(ended).await??;
                    bail!("a client stopped by itself");
                }
                tokio::time::sleep(PAUSE).await;
            }
            Ok(())
        };
        tokio::time::timeout(PATIENCE, waiting).await.context("the clients do not get on")?
    }

    /// Lets each client hear of the request that it has under way, and no more.
    pub async fn stop(self) -> anyhow::Result<Fleet> {
        self.stop.store(true, Ordering::Relaxed);
        let mut clients = Vec::with_capacity(self.tasks.len());
        for task in self.tasks {
            clients.push(tokio::time::timeout(PATIENCE, task).await.context("a client hangs")???);
        }
        Ok(Fleet(clients))
    }
}

/// Roles that do all of it.
pub const ROLES: [Role; 2] = [Role::Accountant, Role::Approver];

/// A sale of `quantity` at 10.00.
pub fn sale(quantity: u64) -> Value {
    json!({
        "direction": "sale", "tax_date": "2026-08-15", "currency": "BDT", "price_mode": "exclusive",
        "customer": { "name": "Padma Textile Mills Ltd", "address": "Tongi, Gazipur", "country": "BD" },
        "lines": [{
            "description": "Work", "supply_code": "standard", "quantity": quantity.to_string(), "unit": "job",
            "unit_price": "10.00"
        }]
    })
}
