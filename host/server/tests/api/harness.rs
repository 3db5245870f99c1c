//! A server of its own for each test, with a tenant, a token and a clock that stands still.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{env, fs};

use jiff::Timestamp;
use niyam::{App, AppConfig, NewTenant, Role, Server, create_tenant};
use niyam_domain::Position;
use niyam_store::Clock;
use niyam_values::Identifier;
use reqwest::header::HeaderMap;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection, SqliteConnection};

/// Which database.
#[derive(Debug, Clone, Copy)]
pub enum On {
    Sqlite,
    Postgres,
}

/// Noon in Dhaka on the day that the tests' documents bear.
const NOON: &str = "2026-08-15T06:00:00Z";

/// Stands still until it is set.
pub struct TestClock(Mutex<Timestamp>);

impl TestClock {
    pub fn set(&self, moment: &str) {
        *self.0.lock().unwrap() = moment.parse().unwrap();
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

pub struct TestHost {
    pub server: Server,
    pub token: String,
    pub clock: Arc<TestClock>,
    /// The URL of the PostgreSQL database.
    pub database: Option<String>,
    client: reqwest::Client,
    data: tempfile::TempDir,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub etag: String,
    pub replayed: bool,
    pub text: String,
    pub body: Value,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The status and the code of the problem.
    pub fn problem(&self) -> (u16, &str) {
        (self.status.as_u16(), self.body["code"].as_str().unwrap_or_default())
    }
}

impl TestHost {
    /// A server with the tenant `demo`, and a token that may do all there.
    pub async fn new(on: On) -> Self {
        let host = Self::empty(on).await;
        host.tenant("demo", "vat-bd").await;
        host.with_token()
    }

    /// With a token that may do all in `demo`.
    pub fn with_token(self) -> Self {
        let token = self.token_of("demo", &[Role::Accountant, Role::Approver, Role::TenantAdmin]);
        Self { token, ..self }
    }

    /// A server without tenants.
    pub async fn empty(on: On) -> Self {
        let database = match on {
            On::Sqlite => None,
            On::Postgres => Some(niyam_testdb::database_url()),
        };
        let clock = Arc::new(TestClock(Mutex::new(NOON.parse().unwrap())));
        let data = tempfile::tempdir().unwrap();
        let server = serve(data.path(), database.as_deref(), &clock).await;
        Self { server, token: String::new(), clock, database, client: reqwest::Client::new(), data }
    }

    /// Stops the server and starts another one on the same data.
    pub async fn restart(self) -> Self {
        self.server.stop().await.unwrap();
        let server = serve(self.data.path(), self.database.as_deref(), &self.clock).await;
        Self { server, ..self }
    }

    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// Runs SQL that the server would not, as the owner of the tables; how many rows it touched.
    pub async fn tamper(&self, sql: &'static str) -> u64 {
        match &self.database {
            None => {
                let file = format!("sqlite:{}", self.data().join("niyam.db").display());
                let mut connection = SqliteConnection::connect(&file).await.unwrap();
                sqlx::query(sql).execute(&mut connection).await.unwrap().rows_affected()
            }
            Some(url) => {
                let mut owner = PgConnection::connect(url).await.unwrap();
                sqlx::query(sql).execute(&mut owner).await.unwrap().rows_affected()
            }
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server.address())
    }

    pub async fn tenant(&self, name: &str, pack: &str) {
        create_tenant(self.server.app(), new_tenant(name, pack)).await.unwrap();
    }

    pub fn token_of(&self, tenant: &str, roles: &[Role]) -> String {
        let now = self.clock.now();
        // Tests that move the clock go on with it.
        let later = now.checked_add(Duration::from_hours(365 * 24)).unwrap();
        self.server.app().signing_key().sign(&tenant.parse().unwrap(), "rahima", roles, now, later).unwrap()
    }

    /// The value of `Authorization` for a user of `tenant`.
    pub fn bearer(&self, tenant: &str, roles: &[Role]) -> String {
        format!("Bearer {}", self.token_of(tenant, roles))
    }

    /// Where the history of `demo` ends.
    pub async fn head(&self) -> Position {
        let head = self.server.app().store().head(&"demo".parse().unwrap()).await.unwrap();
        head.map(|head| head.last_position).unwrap_or_default()
    }

    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<String>,
    ) -> Answer {
        let mut request = self.client.request(method, self.url(path));
        if !headers.iter().any(|(name, _)| *name == "authorization") {
            request = request.bearer_auth(&self.token);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        Answer::read(request.send().await.unwrap()).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[]).await
    }

    pub async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send(Method::GET, path, headers, None).await
    }

    pub async fn post(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        self.send(Method::POST, path, headers, Some(body.to_string())).await
    }

    pub async fn put(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        self.send(Method::PUT, path, headers, Some(body.to_string())).await
    }

    /// The taxes of `document`, which must bear some.
    pub async fn taxes(&self, document: &Value) -> Value {
        let answer = self.post("/v1/tax/determinations", &[], document).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.body
    }

    /// Drafts `document`; the path of the invoice and the answer.
    pub async fn draft(&self, document: &Value) -> (String, Answer) {
        let draft = self.post("/v1/invoices", &[], document).await;
        assert_eq!(draft.status, 201, "{}", draft.text);
        (draft.header("location").to_owned(), draft)
    }

    /// Drafts `document` and approves it; the path of the invoice and the answer.
    pub async fn approve(&self, document: &Value) -> (String, Answer) {
        let (path, draft) = self.draft(document).await;
        let approved = self.change(&path, "approve", &draft.etag).await;
        assert_eq!(approved.status, 200, "{}", approved.text);
        (path, approved)
    }

    /// Drafts, approves and issues `document`; the path of the invoice and the issue's answer.
    pub async fn issue(&self, document: &Value) -> (String, Answer) {
        let (path, approved) = self.approve(document).await;
        let issued = self.change(&path, "issue", &approved.etag).await;
        (path, issued)
    }

    /// Posts `command` to the invoice at `path`.
    pub async fn change(&self, path: &str, command: &str, etag: &str) -> Answer {
        self.post(&format!("{path}/{command}"), &[("if-match", etag)], &json!({})).await
    }
}

impl Answer {
    pub async fn read(response: Response) -> Self {
        let headers = response.headers().clone();
        let header = |name: &str| {
            headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
        };
        let (etag, replayed) = (header("etag"), header("idempotency-replayed") == "true");
        let status = response.status();
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or_default();
        Self { status, headers, etag, replayed, text, body }
    }
}

/// An application on `data`, besides whatever else runs on it.
pub async fn open(data: &Path, database: Option<&str>, clock: &Arc<TestClock>) -> App {
    let mut config = AppConfig::new(data.to_owned(), database.map(|url| url.parse().unwrap()));
    let unruly = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/modules/guests/unruly.wasm");
    config.modules = vec![fs::read(unruly).expect("`cargo xtask plugins` makes it")];
    config.clock = Arc::clone(clock) as Arc<dyn Clock>;
    App::open(config).await.unwrap()
}

async fn serve(data: &Path, database: Option<&str>, clock: &Arc<TestClock>) -> Server {
    let compiled = Compiled::lend(&data.join("compiled"));
    let app = open(data, database, clock).await;
    compiled.keep();
    Server::start(app, "127.0.0.1:0".parse().unwrap()).await.unwrap()
}

/// Modules compiled by an earlier test: most tests are not about compiling, which takes seconds.
struct Compiled {
    kept: PathBuf,
    own: PathBuf,
}

impl Compiled {
    fn lend(own: &Path) -> Self {
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled");
        copy_missing(&kept, own);
        Self { kept, own: own.to_owned() }
    }

    fn keep(&self) {
        copy_missing(&self.own, &self.kept);
    }
}

fn copy_missing(from: &Path, to: &Path) {
    let Ok(entries) = fs::read_dir(from) else { return };
    fs::create_dir_all(to).unwrap();
    for entry in entries.flatten() {
        let place = to.join(entry.file_name());
        if entry.path().extension().is_some_and(|extension| extension == "cwasm") && !place.exists() {
            // Other tests copy the same file: it comes whole, by its new name, or not at all.
            let unfinished = tempfile::NamedTempFile::new_in(to).unwrap();
            fs::copy(entry.path(), unfinished.path()).unwrap();
            unfinished.persist(place).unwrap();
        }
    }
}

/// A tenant whose profile has all that the pack's paper needs.
pub fn new_tenant(name: &str, pack: &str) -> NewTenant {
    let bin = Identifier { kind: "bin".to_owned(), value: "000828395-0207".to_owned() };
    NewTenant {
        tenant: name.parse().unwrap(),
        pack: pack.to_owned(),
        config: None,
        legal_name: Some("Niyam Demo Ltd".to_owned()),
        address: Some("12 Motijheel, Dhaka".to_owned()),
        time_zone: "Asia/Dhaka".to_owned(),
        identifiers: if pack == "vat-bd" { vec![bin] } else { Vec::new() },
    }
}

/// A sale of `quantity` at 1,000.00 under `supply_code`.
pub fn sale(supply_code: &str, quantity: &str) -> Value {
    json!({
        "direction": "sale", "tax_date": "2026-08-15", "currency": "BDT", "price_mode": "exclusive",
        "customer": {
            "name": "Padma Textile Mills Ltd", "address": "Tongi, Gazipur", "country": "BD",
            "identifiers": [{"kind": "bin", "value": "001234567-0101"}]
        },
        "lines": [{
            "description": "Work", "supply_code": supply_code, "quantity": quantity, "unit": "job",
            "unit_price": "1000.00"
        }]
    })
}

/// [`sale`] of one unit at the standard rate, with `value` at `pointer`, whose parent is there.
pub fn with(pointer: &str, value: Value) -> Value {
    let mut document = sale("standard", "1");
    set(&mut document, pointer, value);
    document
}

/// Puts `value` at `pointer`.
pub fn set(document: &mut Value, pointer: &str, value: Value) {
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer begins with /");
    match document.pointer_mut(parent).expect("the parent is there") {
        Value::Array(items) => items[name.parse::<usize>().unwrap()] = value,
        parent => parent[name] = value,
    }
}

/// Declares each scenario as a test on either database.
macro_rules! on_both {
    ($($name:ident)*) => {
        mod sqlite { $(#[tokio::test(flavor = "multi_thread")] async fn $name() {
            super::$name(crate::harness::On::Sqlite).await;
        })* }
        mod postgres { $(#[tokio::test(flavor = "multi_thread")] async fn $name() {
            super::$name(crate::harness::On::Postgres).await;
        })* }
    };
}
pub(crate) use on_both;
