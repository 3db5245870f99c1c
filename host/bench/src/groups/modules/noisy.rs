//! What a tenant waits for while another tenant's module burns its whole budget in every call.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use hyper::body::Bytes;
use hyper::{Method, StatusCode};
use serde::Serialize;
use serde_json::Value;
use tokio::task::JoinHandle;

use super::{GROUP, component};
use crate::bench::Bench;
use crate::connection::{Asked, Connection};
use crate::document::INVOICE;
use crate::figures::{Spread, Times, median, per_second, ratio};
use crate::load::{Clients, Work};
use crate::service::Service;

const PATH: &str = "/v1/tax/determinations";
/// Clients of the tenant that is measured, and of the one that burns.
const CLIENTS: usize = 2;
const BURNING: usize = 8;
const RATIO_AT_MOST: f64 = 1.5;

#[derive(Serialize)]
struct Noisy {
    clients: usize,
    burning_clients: usize,
    requests: usize,
    /// Medians of the rounds.
    alone_ms: Spread,
    beside_ms: Spread,
    /// `beside_ms.p99 / alone_ms.p99`.
    p99_ratio: f64,
    p99_ratio_at_most: f64,
    met: bool,
    /// Calls that burnt their fuel, each a 503.
    burnt: usize,
    burnt_per_s: f64,
}

/// Rounds alone and beside, in turn.
pub(super) fn run(bench: &Bench) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        bench.progress("one tenant beside another whose module burns its budget");
        let modules = vec![component("guests/unruly.wasm")?];
        let service = Service::start_with(&bench.niyam, None, &["vat-bd", "unruly"], modules).await?;
        let authorizations = service.authorizations();
        let asking = Asking { authorization: authorizations[0].as_str().into() };
        let mut clients = Clients::connect(service.address(), CLIENTS).await?;
        let requests = bench.count(2000, 10);
        clients.perform(&asking, requests).await?;
        let (mut alone, mut beside) = (Rounds::default(), Rounds::default());
        let (mut burnt, mut burning_time) = (0, Duration::ZERO);
        for _ in 0..bench.count(7, 1) {
            alone.add(clients.perform(&asking, requests).await?.0);
            let burners = Burners::start(&service, &authorizations[1]).await?;
            let began = Instant::now();
            beside.add(clients.perform(&asking, requests).await?.0);
            burning_time += began.elapsed();
            burnt += burners.stop().await?;
        }
        drop(clients);
        service.stop()?;
        ensure!(burnt > 0, "nothing burnt");
        let (alone_ms, beside_ms) = (alone.medians(), beside.medians());
        let p99_ratio = ratio(beside_ms.p99, alone_ms.p99);
        bench.measured(
            GROUP.name,
            "beside-a-burning-module",
            &Noisy {
                clients: CLIENTS,
                burning_clients: BURNING,
                requests,
                alone_ms,
                beside_ms,
                p99_ratio,
                p99_ratio_at_most: RATIO_AT_MOST,
                met: p99_ratio <= RATIO_AT_MOST,
                burnt,
                burnt_per_s: per_second(burnt, burning_time),
            },
        )
    })
}

#[derive(Default)]
struct Rounds(Vec<Spread>);

impl Rounds {
    fn add(&mut self, times: Vec<Duration>) {
        self.0.push(times.into_iter().collect::<Times>().milliseconds());
    }

    fn medians(&self) -> Spread {
        let of = |part: fn(&Spread) -> f64| median(&self.0.iter().map(part).collect::<Vec<_>>());
        Spread { p50: of(|round| round.p50), p95: of(|round| round.p95), p99: of(|round| round.p99) }
    }
}

/// Asks for the taxes of the example.
#[derive(Clone)]
struct Asking {
    authorization: Arc<str>,
}

impl Work for Asking {
    type Done = Duration;

    async fn perform(&self, connection: &mut Connection, _: usize) -> Result<Duration> {
        let headers = [("authorization", &*self.authorization), ("content-type", "application/json")];
        let body = Bytes::from_static(INVOICE.as_bytes());
        let began = Instant::now();
        connection.ask(Asked { method: Method::POST, path: PATH, headers: &headers, body }).await?;
        Ok(began.elapsed())
    }
}

/// Clients who ask for what never ends, again and again.
struct Burners {
    stop: Arc<AtomicBool>,
    burnt: Arc<AtomicUsize>,
    clients: Vec<JoinHandle<Result<()>>>,
}

impl Burners {
    /// Once each of them burns.
    async fn start(service: &Service, authorization: &str) -> Result<Self> {
        let mut document: Value = serde_json::from_str(INVOICE)?;
        for line in document["lines"].as_array_mut().into_iter().flatten() {
            line["supply_code"] = "loop".into();
        }
        let body = Bytes::from(document.to_string());
        let (stop, burnt) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let mut clients = Vec::new();
        for _ in 0..BURNING {
            let mut connection = Connection::open(service.address()).await?;
            let (stop, burnt, body) = (Arc::clone(&stop), Arc::clone(&burnt), body.clone());
            let authorization = authorization.to_owned();
            clients.push(tokio::spawn(async move {
                let headers =
                    [("authorization", authorization.as_str()), ("content-type", "application/json")];
                while !stop.load(Ordering::Relaxed) {
                    let asked =
                        Asked { method: Method::POST, path: PATH, headers: &headers, body: body.clone() };
                    let (status, answer) = connection.send(asked).await?;
                    let text = String::from_utf8_lossy(&answer.body);
                    ensure!(
                        status == StatusCode::SERVICE_UNAVAILABLE,
                        "a module that never ends answered: {text}"
                    );
                    if text.contains("module-fuel-exhausted") {
                        burnt.fetch_add(1, Ordering::Relaxed);
                    }
                }
                Ok(())
            }));
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        Ok(Self { stop, burnt, clients })
    }

    /// How many calls burnt their fuel.
    async fn stop(self) -> Result<usize> {
        self.stop.store(true, Ordering::Relaxed);
        for client in self.clients {
            client.await??;
        }
        Ok(self.burnt.load(Ordering::Relaxed))
    }
}
