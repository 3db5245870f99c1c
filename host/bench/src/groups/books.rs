//! Reports of a tenant with very many journal lines, over HTTP, beside summing the same lines raw; and the close of the
//! year that the lines are of.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use hyper::Method;
use hyper::body::Bytes;
use jiff::ToSpan as _;
use jiff::civil::{Date, date};
use niyam::{App, AppConfig, NewTenant, Role, Server, SystemClock, create_tenant};
use niyam_domain::{
    DomainEvent as _, Entry, EntryEvent, EntryId, EntryPosted, NewEntry, NewLine, TenantId, Version,
};
use niyam_store::{Append, Batch, Clock as _, DatabaseUrl, NewEvent, StreamWrite};
use niyam_values::{Attributes, Decimal, Identifier};
use serde::Serialize;
use serde_json::Value;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use uuid::Uuid;

use crate::bench::Bench;
use crate::connection::{Asked, Connection};
use crate::figures::{Spread, Times, median, per_second, ratio, rounded};
use crate::groups::Group;

/// The group.
pub const GROUP: Group = Group {
    name: "books",
    about: "reports over 1,500,000 journal lines of one tenant, beside summing the raw lines; the close of their year",
    run,
};

/// Lines of each entry.
const LINES: usize = 10;
/// Entries of one append.
const AT_ONCE: usize = 200;
/// What a report may take, milliseconds.
const TARGET_MS: f64 = 1_000.0;
/// The first day of the year that the entries are of.
const FIRST: Date = date(2025, 7, 1);
const DAYS: usize = 365;
/// Accounts that lines go to, in turn.
const ACCOUNTS: [&str; 24] = [
    "1110", "1120", "1130", "1141", "1142", "1143", "1210", "1220", "1310", "1320", "1400", "1510", "2110",
    "2120", "2210", "2230", "2300", "3100", "4100", "4200", "5100", "5200", "5300", "5400",
];
/// The account whose ledger is read.
const ACCOUNT: &str = "1120";
const METADATA: &[u8] = br#"{"user":"bench","roles":["accountant"],"trace_id":"bench"}"#;
/// A report of next to nothing, which tells how far the view is.
const SEEN: &str = "/v1/reports/trial-balance?as_of=2020-01-01";
/// What the close of a year may take, seconds.
const CLOSE_TARGET_S: f64 = 60.0;
const YEAR: &str = "2025-2026";
/// How long the view may take for what was appended.
const CATCH_UP: Duration = Duration::from_mins(30);

/// What was written, and how fast.
#[derive(Serialize)]
struct Written {
    database: &'static str,
    lines: usize,
    /// Appended, one append after another, while the view follows.
    lines_per_s: f64,
    /// From the first append until the view holds the last line.
    projected_lines_per_s: f64,
}

/// A report beside what it is compared with.
#[derive(Serialize)]
struct Reported {
    database: &'static str,
    report: &'static str,
    lines: usize,
    asked: usize,
    report_ms: Spread,
    /// The lines themselves, summed by the database.
    raw_ms: f64,
    /// `raw_ms` beside the report's median.
    to_raw: f64,
    target_ms: f64,
    met: bool,
}

/// The close of a year.
#[derive(Serialize)]
struct Closed {
    database: &'static str,
    lines: usize,
    /// Entries that it posted.
    entries: u64,
    /// From the request until the job is done.
    close_s: f64,
    /// The same for taking it back.
    reopen_s: f64,
    target_s: f64,
    met: bool,
}

fn run(bench: &Bench) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        for database in ["sqlite", "postgres"] {
            measure(bench, database).await?;
        }
        Ok(())
    })
}

async fn measure(bench: &Bench, database: &'static str) -> Result<()> {
    let beside: &Path = bench.niyam.parent().context("the server's binary lies in no folder")?;
    let folder = tempfile::Builder::new().prefix("niyam-bench-").tempdir_in(beside)?;
    let url = match database {
        "sqlite" => DatabaseUrl::Sqlite(folder.path().join("niyam.db")),
        _ => DatabaseUrl::Postgres(spawn_blocking(niyam_testdb::database_url).await?),
    };
    let lines = bench.count(1_500_000, 2_000);
    let books = Books::open(database, folder.path(), url, lines).await?;
    books.fill(bench).await?;
    let mut done = books.reports(bench).await;
    if done.is_ok() {
        done = books.close_year(bench).await;
    }
    books.server.stop().await.map_err(|error| anyhow!(error))?;
    done
}

struct Books {
    database: &'static str,
    url: DatabaseUrl,
    tenant: TenantId,
    bearer: String,
    server: Server,
    lines: usize,
}

impl Books {
    /// A server with a tenant that has a chart of accounts.
    async fn open(database: &'static str, data: &Path, url: DatabaseUrl, lines: usize) -> Result<Self> {
        let own = matches!(url, DatabaseUrl::Postgres(_)).then(|| url.clone());
        let app = App::open(AppConfig::new(data.to_owned(), own)).await?;
        let tenant: TenantId = "books".parse()?;
        let new = NewTenant {
            tenant: tenant.clone(),
            pack: "vat-bd".to_owned(),
            config: None,
            legal_name: Some("Meghna Office Supplies Ltd".to_owned()),
            address: Some("Dhanmondi, Dhaka".to_owned()),
            time_zone: "Asia/Dhaka".to_owned(),
            identifiers: vec![Identifier { kind: "bin".to_owned(), value: "000828395-0207".to_owned() }],
        };
        create_tenant(&app, new).await.map_err(|error| anyhow!(error))?;
        let now = SystemClock.now();
        let roles = [Role::Accountant, Role::Approver];
        let token = app.signing_key().sign(&tenant, "bench", &roles, now, now + Duration::from_hours(24))?;
        let server = Server::start(app, "127.0.0.1:0".parse()?).await?;
        let books = Self { database, url, tenant, bearer: format!("Bearer {token}"), server, lines };
        let mut connection = Connection::open(books.server.address()).await?;
        books.ask(&mut connection, Method::POST, "/v1/accounts/from-template").await?;
        Ok(books)
    }

    async fn ask(&self, connection: &mut Connection, method: Method, path: &str) -> Result<Value> {
        let body = if method == Method::GET { "" } else { "{}" };
        self.ask_with(connection, method, (path, body)).await
    }

    async fn ask_with(
        &self,
        connection: &mut Connection,
        method: Method,
        (path, body): (&str, &'static str),
    ) -> Result<Value> {
        let headers = [
            ("authorization", self.bearer.as_str()),
            ("content-type", "application/json"),
            ("if-match", "*"),
        ];
        let body = Bytes::from_static(body.as_bytes());
        let answer = connection.ask(Asked { method, path, headers: &headers, body }).await?;
        Ok(serde_json::from_slice(&answer.body)?)
    }

    /// Closes the year of the lines, and takes that back.
    async fn close_year(&self, bench: &Bench) -> Result<()> {
        bench.progress(&format!("{}: the close of the year", self.database));
        let mut connection = Connection::open(self.server.address()).await?;
        let opened = ("/v1/fiscal-years", r#"{"date":"2025-08-01"}"#);
        let opened = self.ask_with(&mut connection, Method::POST, opened).await?;
        let periods = opened["items"].as_array().context("the periods of a year")?.clone();
        for code in periods.iter().filter_map(|period| period["code"].as_str()) {
            let path = format!("/v1/fiscal-periods/{code}/soft-close");
            self.ask(&mut connection, Method::POST, &path).await?;
        }
        let profit = "/v1/reports/profit-and-loss?from=2025-07-01&as_of=2026-06-30";
        let before = self.ask(&mut connection, Method::GET, profit).await?["tables"].clone();
        let (close_s, job) =
            self.job(&mut connection, (&format!("/v1/fiscal-years/{YEAR}/close"), "{}")).await?;
        let entries = job["result"]["entries"].as_u64().context("how many entries closed the year")?;
        ensure!(entries > 0, "{job}");
        self.caught_up(&mut connection).await?;
        let after = self.ask(&mut connection, Method::GET, profit).await?["tables"].clone();
        ensure!(before == after, "the close changed the profit: {before} {after}");
        let sheet =
            self.ask(&mut connection, Method::GET, "/v1/reports/balance-sheet?as_of=2026-06-30").await?;
        let rows = sheet["tables"][0]["rows"].as_array().context("a balance sheet")?;
        let unclosed =
            rows.iter().find(|row| row["section"] == "unclosed-profit").context("what is not closed")?;
        ensure!(unclosed["amount"] == "0.00", "{unclosed}");
        let reopen = (format!("/v1/fiscal-years/{YEAR}/reopen"), r#"{"reason":"measured"}"#);
        let (reopen_s, _) = self.job(&mut connection, (&reopen.0, reopen.1)).await?;
        let (database, lines, target_s) = (self.database, self.lines, CLOSE_TARGET_S);
        let met = close_s < target_s;
        bench.measured(
            GROUP.name,
            "year-close",
            &Closed { database, lines, entries, close_s, reopen_s, target_s, met },
        )
    }

    /// How long a job took that is asked for, seconds, and what came of it.
    async fn job(&self, connection: &mut Connection, asked: (&str, &'static str)) -> Result<(f64, Value)> {
        let began = Instant::now();
        let mut job = self.ask_with(connection, Method::POST, asked).await?;
        let path = format!("/v1/jobs/{}", job["id"].as_str().with_context(|| format!("a job, not {job}"))?);
        while ["queued", "running"].contains(&job["state"].as_str().unwrap_or_default()) {
            sleep(Duration::from_millis(20)).await;
            job = self.ask(connection, Method::GET, &path).await?;
        }
        ensure!(job["state"] == "done", "{job}");
        Ok((rounded(began.elapsed().as_secs_f64()), job))
    }

    /// Waits until the view has all that is recorded.
    async fn caught_up(&self, connection: &mut Connection) -> Result<()> {
        let head = self.server.app().store().head(&self.tenant).await?.context("a history")?;
        let began = Instant::now();
        loop {
            let found = self.ask(connection, Method::GET, SEEN).await?;
            if found["position"].as_u64() >= Some(head.last_position.0) {
                return Ok(());
            }
            ensure!(began.elapsed() < CATCH_UP, "the view does not catch up");
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Appends as a command does, and waits until the view has all of it.
    async fn fill(&self, bench: &Bench) -> Result<()> {
        bench.progress(&format!("{}: {} journal lines", self.database, self.lines));
        let store = self.server.app().store().clone();
        let began = Instant::now();
        let entries = self.lines / LINES;
        let mut position = 0;
        for first in (0..entries).step_by(AT_ONCE) {
            let numbers = first..entries.min(first + AT_ONCE);
            let writes = numbers.map(posted).collect::<Result<Vec<_>>>()?;
            let append = Append::of(Batch { writes, answer: Vec::new() });
            position = store.append(&self.tenant, append).await?.position.0;
        }
        let appended = began.elapsed();
        let mut connection = Connection::open(self.server.address()).await?;
        loop {
            let found = self.ask(&mut connection, Method::GET, SEEN).await?;
            if found["position"].as_u64() >= Some(position) {
                break;
            }
            ensure!(began.elapsed() < appended + CATCH_UP, "the view does not catch up");
            sleep(Duration::from_millis(20)).await;
        }
        let figures = Written {
            database: self.database,
            lines: self.lines,
            lines_per_s: per_second(self.lines, appended),
            projected_lines_per_s: per_second(self.lines, began.elapsed()),
        };
        bench.measured(GROUP.name, "written", &figures)
    }

    async fn reports(&self, bench: &Bench) -> Result<()> {
        const AS_OF: &str = "2026-06-30";
        let mut connection = Connection::open(self.server.address()).await?;
        let trial = format!("/v1/reports/trial-balance?as_of={AS_OF}");
        let sheet = format!("/v1/reports/balance-sheet?as_of={AS_OF}");
        // The page that comes last: all that the account moved before has to be known.
        let page =
            format!("/v1/reports/general-ledger?account={ACCOUNT}&from=2026-06-30&as_of={AS_OF}&limit=100");
        let mut raw = Times::default();
        let mut debits = Decimal::ZERO;
        for _ in 0..bench.count(3, 1) {
            let began = Instant::now();
            debits = self.raw_sums().await?;
            raw.push(began.elapsed());
        }
        let found = self.ask(&mut connection, Method::GET, &trial).await?;
        let rows = found["tables"][0]["rows"].as_array().context("a trial balance")?;
        let total = rows.last().and_then(|row| row["debits"].as_str()).context("a total")?;
        ensure!(total.parse::<Decimal>()? == debits, "the report sums {total}, the lines {debits}");
        self.report(bench, &mut connection, ("trial-balance", &trial), &raw).await?;
        self.report(bench, &mut connection, ("balance-sheet", &sheet), &raw).await?;
        // As if it were asked before the last line was recorded: no kept sum of today's recording helps.
        let moment = SystemClock.now();
        let known = format!("{trial}&known_at={moment}");
        self.report(bench, &mut connection, ("trial-balance known today", &known), &raw).await?;
        let mut raw = Times::default();
        let mut held = Decimal::ZERO;
        for _ in 0..bench.count(3, 1) {
            let began = Instant::now();
            held = self.raw_page().await?;
            raw.push(began.elapsed());
        }
        let found = self.ask(&mut connection, Method::GET, &page).await?;
        let rows = found["tables"][0]["rows"].as_array().context("a ledger")?;
        let opening = rows.first().and_then(|row| row["balance"].as_str()).context("an opening balance")?;
        ensure!(opening.parse::<Decimal>()? == held, "the page begins with {opening}, the lines with {held}");
        self.report(bench, &mut connection, ("general-ledger page", &page), &raw).await
    }

    async fn report(
        &self,
        bench: &Bench,
        connection: &mut Connection,
        (report, path): (&'static str, &str),
        raw: &Times,
    ) -> Result<()> {
        bench.progress(&format!("{}: {report}", self.database));
        let asked = bench.count(20, 2);
        let mut times = Times::default();
        for _ in 0..asked {
            let began = Instant::now();
            let found = self.ask(connection, Method::GET, path).await?;
            times.push(began.elapsed());
            ensure!(found["tables"][0]["rows"].as_array().is_some_and(|rows| rows.len() > 1), "{found}");
        }
        let report_ms = times.milliseconds();
        let raw_ms = rounded(raw.percentile(50).as_secs_f64() * 1e3);
        let figures = Reported {
            database: self.database,
            report,
            lines: self.lines,
            asked,
            report_ms,
            raw_ms,
            to_raw: ratio(raw_ms, median(&[report_ms.p50])),
            target_ms: TARGET_MS,
            met: report_ms.p99 < TARGET_MS,
        };
        bench.measured(GROUP.name, "report", &figures)
    }

    /// What a trial balance is without a kept sum: every line, by account. The sum of the debits.
    async fn raw_sums(&self) -> Result<Decimal> {
        const SQL: &str = "select account, currency, cast(sum(debit) as bigint), cast(sum(credit) as bigint) \
             from ledger_lines where tenant = $1 and date <= '2026-06-30' group by account, currency";
        let rows: Vec<(String, String, i64, i64)> = self.fetch(SQL).await?;
        let sum: i64 = rows.iter().map(|row| row.2).sum();
        Ok(Decimal::new(sum, 4))
    }

    /// What an account holds before a page, without a kept sum.
    async fn raw_page(&self) -> Result<Decimal> {
        const SQL: &str = "select '', '', cast(sum(debit) as bigint), cast(sum(credit) as bigint) from ledger_lines \
             where tenant = $1 and account = '1120' and date < '2026-06-30'";
        let rows: Vec<(String, String, i64, i64)> = self.fetch(SQL).await?;
        let row = rows.first().context("a sum")?;
        Ok(Decimal::new(row.2 - row.3, 4))
    }

    async fn fetch(&self, sql: &'static str) -> Result<Vec<(String, String, i64, i64)>> {
        macro_rules! fetch {
            ($connection:expr) => {{
                let mut connection = $connection;
                let rows = sqlx::query_as(sql).bind(self.tenant.as_str()).fetch_all(&mut connection).await?;
                connection.close().await?;
                rows
            }};
        }
        Ok(match &self.url {
            DatabaseUrl::Sqlite(file) => {
                fetch!(SqliteConnectOptions::new().filename(file).read_only(true).connect().await?)
            }
            DatabaseUrl::Postgres(url) => fetch!(PgConnection::connect(url).await?),
        })
    }
}

/// The posted entry of that number: five amounts from one account to the next.
fn posted(number: usize) -> Result<StreamWrite> {
    let id = Uuid::from_u128(number as u128 + 1);
    let day = FIRST.checked_add(i32::try_from(number * DAYS / 150_000 % DAYS)?.days())?;
    let mut lines = Vec::with_capacity(LINES);
    for pair in 0..LINES / 2 {
        let amount = Decimal::new(i64::try_from((number * 7_919 + pair * 104_729) % 9_999_999)? + 1, 2);
        let line = |offset: usize, debit, credit| NewLine {
            account: ACCOUNTS[(number + pair * 2 + offset) % ACCOUNTS.len()].to_owned(),
            debit,
            credit,
            currency: "BDT".to_owned(),
            memo: None,
            dimensions: Attributes::new(),
        };
        lines.push(line(0, Some(amount), None));
        lines.push(line(1, None, Some(amount)));
    }
    let entry = NewEntry { date: day, description: format!("Entry {number}"), reference: None, lines };
    let entry = match Entry::new(entry) {
        Ok(entry) => entry,
        Err(rejection) => bail!("entry {number} is refused: {rejection}"),
    };
    let entry_id = EntryId(id);
    let event = EntryEvent::Posted(EntryPosted { entry_id, entry, source: None, reverses: None });
    let event = NewEvent {
        id,
        event_type: event.event_type().to_owned(),
        payload: event.payload()?,
        metadata: METADATA.to_vec(),
        effective_date: day,
    };
    Ok(StreamWrite { stream: entry_id.stream(), expected: Version(0), events: vec![event] })
}
