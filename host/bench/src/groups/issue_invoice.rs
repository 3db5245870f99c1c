//! From a draft to an issued invoice over HTTP: the server as a process of its own, on either database, with one client
//! and with many, on one tenant and on many. Beside it, measured in turn: what HTTP alone costs, and a bare commit.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use hyper::Method;
use hyper::body::Bytes;
use serde::{Deserialize, Serialize};

use crate::bench::Bench;
use crate::commits::Commits;
use crate::connection::{Asked, Connection};
use crate::disk;
use crate::document::INVOICE;
use crate::figures::{Spread, Times, per_second, ratio, rounded};
use crate::groups::Group;
use crate::load::{Clients, Work};
use crate::service::Service;

/// The group.
pub const GROUP: Group = Group {
    name: "issue-invoice",
    about: "draft, approve and issue over HTTP, on SQLite and on PostgreSQL",
    run,
};

/// How many clients at once, on how many tenants.
const CASES: [(usize, usize); 4] = [(1, 1), (1, TENANTS), (100, 1), (100, TENANTS)];
const TENANTS: usize = 100;

/// What 95 of 100 issues must not exceed with 100 clients, and what they should not.
const P95_LEAST_MS: f64 = 300.0;
const P95_GOAL_MS: f64 = 50.0;

/// Commits of one issued invoice: draft, approval, issue.
const COMMITS: f64 = 3.0;
/// Most invoices of one page of the list.
const PAGE: usize = 200;
/// How long the list may take to hold everything.
const VIEW_LIMIT: Duration = Duration::from_mins(1);

fn run(bench: &Bench) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        on(bench, "sqlite", None).await?;
        on(bench, "postgres", Some(&niyam_testdb::database_url())).await
    })
}

async fn on(bench: &Bench, database: &'static str, url: Option<&str>) -> Result<()> {
    bench.progress(&format!("{database}: {TENANTS} tenants, then the server"));
    let service = Service::start(&bench.niyam, url, TENANTS).await?;
    let mut commits = match url {
        None => Commits::sqlite(service.data()).await?,
        Some(url) => Commits::postgres(url).await?,
    };
    let folder = commits.data_folder().await?.unwrap_or_else(|| service.data().to_owned());
    let disk = disk::durable(&folder)?;
    let invoicing = Invoicing { authorizations: service.authorizations().into(), tenants: TENANTS };
    let mut issued = vec![0; TENANTS];
    for (clients, tenants) in CASES {
        bench.progress(&format!("{database}: {clients} clients on {tenants} tenants"));
        let invoicing = Invoicing { tenants, ..invoicing.clone() };
        let case = Case { database, disk: disk.clone(), clients, tenants };
        let more = case.measure(bench, &service, &mut commits, &invoicing).await?;
        for (tenant, more) in issued.iter_mut().zip(more) {
            *tenant += more;
        }
    }
    bench.progress(&format!("{database}: whether the numbers are whole"));
    let mut connection = Connection::open(service.address()).await?;
    for (authorization, issued) in invoicing.authorizations.iter().zip(issued) {
        let serials = serials(&mut connection, authorization).await?;
        ensure!(gapless(serials, issued), "a tenant's numbers are not 1 to {issued}");
    }
    drop(connection);
    service.stop()
}

/// One load.
#[derive(Serialize)]
struct Case {
    database: &'static str,
    /// The file system that holds the database.
    disk: String,
    clients: usize,
    tenants: usize,
}

/// What a load measured.
#[derive(Serialize)]
struct Invoiced<'a> {
    #[serde(flatten)]
    case: &'a Case,
    invoices: usize,
    issue_ms: Spread,
    draft_ms: Spread,
    approve_ms: Spread,
    /// All three.
    chain_ms: Spread,
    issued_per_s: f64,
    /// Processor time of the server for each invoice, its list included.
    server_cpu_ms_per_invoice: f64,
    /// How long after the last issue the list held it.
    list_behind_ms: f64,
    /// `GET /health/live` with as many clients: HTTP alone.
    http_ms: Spread,
    http_per_s: f64,
    /// One row in a transaction of its own, one client: a durable commit alone.
    commit_ms: Spread,
    commits_per_s: f64,
    /// `issue_ms.p50 / commit_ms.p50`.
    issue_to_commit: f64,
    /// Commits that the server answered for (three for an invoice) for each bare one in the same time.
    commits_answered_to_bare: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<Target>,
}

#[derive(Serialize)]
struct Target {
    issue_p95_ms_least: f64,
    issue_p95_ms_goal: f64,
    met: &'static str,
}

impl Target {
    fn of(clients: usize, issue: Spread) -> Option<Self> {
        let met = match issue.p95 {
            p95 if p95 < P95_GOAL_MS => "goal",
            p95 if p95 < P95_LEAST_MS => "least",
            _ => "none",
        };
        let target = Self { issue_p95_ms_least: P95_LEAST_MS, issue_p95_ms_goal: P95_GOAL_MS, met };
        (clients >= 100).then_some(target)
    }
}

impl Case {
    /// How many invoices each tenant issued.
    async fn measure(
        &self,
        bench: &Bench,
        service: &Service,
        commits: &mut Commits,
        invoicing: &Invoicing,
    ) -> Result<Vec<usize>> {
        let many = self.clients > 1;
        let invoices = bench.count(if many { 2000 } else { 300 }, self.clients * 2);
        let warm_up = bench.count(if many { 300 } else { 50 }, self.clients);
        let mut clients = Clients::connect(service.address(), self.clients).await?;

        let bare = commits.run(bench.count(300, 5)).await?;
        clients.perform(&Live, warm_up).await?;
        let (live, live_time) = clients.perform(&Live, bench.count(invoices * 3, invoices)).await?;
        let live: Times = live.into_iter().collect();

        let (warm, _) = clients.perform(invoicing, warm_up).await?;
        let processor_before = service.processor_time()?;
        let (done, time) = clients.perform(invoicing, invoices).await?;
        let list_behind = invoicing.wait_for_list(service, &done).await?;
        let processor = service.processor_time()?.saturating_sub(processor_before);
        // The same commits on both sides of the load, since a disk has its moods.
        let bare = bare.and(commits.run(bench.count(300, 5)).await?);

        let of = |part: fn(&Chain) -> Duration| done.iter().map(part).collect::<Times>().milliseconds();
        let issue_ms = of(|chain| chain.issue);
        let issued_per_s = per_second(done.len(), time);
        let commits_per_s = per_second(bare.count(), bare.total());
        let processor_ms = processor.as_secs_f64() * 1e3;
        bench.measured(
            GROUP.name,
            "draft-approve-issue",
            &Invoiced {
                case: self,
                invoices: done.len(),
                issue_ms,
                draft_ms: of(|chain| chain.draft),
                approve_ms: of(|chain| chain.approve),
                chain_ms: of(Chain::time),
                issued_per_s,
                server_cpu_ms_per_invoice: ratio(processor_ms, f64::from(u32::try_from(done.len())?)),
                list_behind_ms: rounded(list_behind.as_secs_f64() * 1e3),
                http_ms: live.milliseconds(),
                http_per_s: per_second(live.count(), live_time),
                commit_ms: bare.milliseconds(),
                commits_per_s,
                issue_to_commit: ratio(issue_ms.p50, bare.milliseconds().p50),
                commits_answered_to_bare: ratio(COMMITS * issued_per_s, commits_per_s),
                target: Target::of(self.clients, issue_ms),
            },
        )?;
        let mut issued = vec![0; self.tenants];
        for chain in warm.iter().chain(&done) {
            issued[chain.tenant] += 1;
        }
        Ok(issued)
    }
}

/// Asks whether the server lives.
#[derive(Clone)]
struct Live;

impl Work for Live {
    type Done = Duration;

    async fn perform(&self, connection: &mut Connection, _: usize) -> Result<Duration> {
        let asked = Asked { method: Method::GET, path: "/health/live", headers: &[], body: Bytes::new() };
        let began = Instant::now();
        connection.ask(asked).await?;
        Ok(began.elapsed())
    }
}

/// Drafts, approves and issues the example, for one tenant after the other.
#[derive(Clone)]
struct Invoicing {
    authorizations: Arc<[String]>,
    tenants: usize,
}

/// One invoice, issued.
struct Chain {
    tenant: usize,
    draft: Duration,
    approve: Duration,
    issue: Duration,
    /// Up to where the list must be for it to show.
    position: u64,
}

impl Chain {
    fn time(&self) -> Duration {
        self.draft + self.approve + self.issue
    }
}

impl Work for Invoicing {
    type Done = Chain;

    async fn perform(&self, connection: &mut Connection, number: usize) -> Result<Chain> {
        let tenant = number % self.tenants;
        let authorization = ("authorization", self.authorizations[tenant].as_str());
        let mut post = async |path: &str, matched: Option<&str>, body: &'static str| {
            let matched = matched.map(|version| ("if-match", version));
            let headers: Vec<(&str, &str)> =
                [authorization, ("content-type", "application/json")].into_iter().chain(matched).collect();
            let body = Bytes::from_static(body.as_bytes());
            let began = Instant::now();
            let answer =
                connection.ask(Asked { method: Method::POST, path, headers: &headers, body }).await?;
            anyhow::Ok((answer, began.elapsed()))
        };
        let (drafted, draft) = post("/v1/invoices", None, INVOICE).await?;
        let place = drafted.header("location")?;
        let (approved, approve) =
            post(&format!("{place}/approve"), Some(drafted.header("etag")?), "").await?;
        let (issued, issue) = post(&format!("{place}/issue"), Some(approved.header("etag")?), "").await?;
        let position = issued.header("niyam-position")?.parse()?;
        Ok(Chain { tenant, draft, approve, issue, position })
    }
}

impl Invoicing {
    /// Waits until the list holds all that was issued; how long that took.
    async fn wait_for_list(&self, service: &Service, done: &[Chain]) -> Result<Duration> {
        let began = Instant::now();
        let mut connection = Connection::open(service.address()).await?;
        for (tenant, authorization) in self.authorizations.iter().take(self.tenants).enumerate() {
            let of_tenant = done.iter().filter(|chain| chain.tenant == tenant);
            let Some(position) = of_tenant.map(|chain| chain.position).max() else { continue };
            let position = position.to_string();
            let headers = [("authorization", authorization.as_str()), ("niyam-position", position.as_str())];
            let path = "/v1/invoices?limit=1";
            // The server waits for a while and then says 503.
            while let Err(error) = connection
                .ask(Asked { method: Method::GET, path, headers: &headers, body: Bytes::new() })
                .await
            {
                if began.elapsed() > VIEW_LIMIT {
                    return Err(error.context("the list does not come up with what was issued"));
                }
            }
        }
        Ok(began.elapsed())
    }
}

#[derive(Deserialize)]
struct Page {
    items: Vec<Item>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Item {
    number: Option<String>,
}

/// The serials of all that a tenant has issued, as its list shows them.
async fn serials(connection: &mut Connection, authorization: &str) -> Result<Vec<usize>> {
    let mut serials = Vec::new();
    let mut after = String::new();
    loop {
        let path = format!("/v1/invoices?status=issued&limit={PAGE}{after}");
        let headers = [("authorization", authorization)];
        let asked = Asked { method: Method::GET, path: &path, headers: &headers, body: Bytes::new() };
        let page: Page = serde_json::from_slice(&connection.ask(asked).await?.body)?;
        for item in page.items {
            let number = item.number.context("an issued invoice without a number")?;
            let Some((serial, _)) = number.split_once('/') else {
                bail!("{number} is no number of this series")
            };
            serials.push(serial.parse()?);
        }
        match page.next {
            Some(next) => after = format!("&after={next}"),
            None => return Ok(serials),
        }
    }
}

/// Whether `serials` are 1 to `count`, each once.
fn gapless(mut serials: Vec<usize>, count: usize) -> bool {
    serials.sort_unstable();
    serials.into_iter().eq(1..=count)
}

#[cfg(test)]
mod tests {
    use super::{Target, gapless};
    use crate::figures::Spread;

    #[test]
    fn a_gap_a_double_and_a_missing_end_are_seen() {
        assert!(gapless(vec![3, 1, 2], 3) && gapless(Vec::new(), 0));
        for serials in [vec![1, 3], vec![1, 2, 2], vec![1, 2], vec![0, 1, 2]] {
            assert!(!gapless(serials.clone(), 3), "{serials:?}");
        }
    }

    #[test]
    fn a_target_is_for_many_clients_and_met_below_its_bound() {
        let met =
            |clients, p95| Target::of(clients, Spread { p50: 1.0, p95, p99: 400.0 }).map(|target| target.met);
        assert_eq!(
            [met(1, 1.0), met(100, 49.9), met(100, 50.0), met(100, 300.0)],
            [None, Some("goal"), Some("least"), Some("none")]
        );
    }
}
