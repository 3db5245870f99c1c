//! Several processes on one PostgreSQL; views that are rebuilt while they are read.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use futures::StreamExt as _;
use niyam_domain::Position;
use serde_json::json;
use sqlx::{Connection as _, Executor as _, PgConnection};

use crate::harness::{On, TestHost, sale};

const NIYAM: &str = env!("CARGO_BIN_EXE_niyam");

/// Another process that serves the same database. Dropped, it is killed.
struct Process {
    child: Child,
    address: String,
}

impl Process {
    fn serve(data: &std::path::Path, database: &str) -> Self {
        let mut child = Command::new(NIYAM)
            .args(["serve", "--listen", "127.0.0.1:0", "--database-url", database, "--data"])
            .arg(data)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let mut lines = log.lines();
        let address = lines
            .find_map(|line| {
                let line: serde_json::Value = serde_json::from_str(&line.unwrap()).ok()?;
                line.get("address").and_then(|address| address.as_str().map(str::to_owned))
            })
            .expect("it listens");
        // Nobody reads on; what it logs from here is of no interest, but must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_misses_nothing_that_commits_late() {
    let host = TestHost::new(On::Postgres).await;
    host.tenant("other", "vat-bd").await;
    let database = host.database.clone().unwrap();
    // Two more processes append; this one only follows.
    let (one, two) = (Process::serve(host.data(), &database), Process::serve(host.data(), &database));
    let other_token = host.token_of("other", &[niyam::Role::Accountant]);
    let store = host.server.app().store().clone();
    let demo: niyam_domain::TenantId = "demo".parse().unwrap();
    let mut events = Box::pin(store.subscribe(demo.clone(), Position(0)));
    let before = store.head(&demo).await.unwrap().unwrap().last_position;
    let mut seen = Position(0);
    while seen < before {
        seen = events.next().await.unwrap().unwrap().position;
    }

    // An append of demo that has its position, and does not commit yet.
    let mut late = PgConnection::connect(&database).await.unwrap();
    late.execute("begin").await.unwrap();
    late.execute("select from tenant_heads where tenant = 'demo' for update").await.unwrap();
    let client = reqwest::Client::new();
    let draft = |address: &str, token: &str| {
        client
            .post(format!("http://{address}/v1/invoices"))
            .bearer_auth(token)
            .body(sale("standard", "1").to_string())
    };
    // Others of its tenant wait for it: their positions come after.
    let mut waiting = Vec::new();
    for process in [&one, &two, &one, &two] {
        waiting.push(tokio::spawn(draft(&process.address, &host.token).send()));
    }
    // Other tenants do not.
    for process in [&one, &two] {
        let drafted = draft(&process.address, &other_token).send().await.unwrap();
        assert_eq!(drafted.status(), 201);
    }
    let early = tokio::time::timeout(Duration::from_millis(300), events.next()).await;
    assert!(early.is_err(), "nothing of demo is committed yet");
    assert!(waiting.iter().all(|request| !request.is_finished()));
    late.execute("commit").await.unwrap();
    for request in waiting {
        assert_eq!(request.await.unwrap().unwrap().status(), 201);
    }
    let head = store.head(&demo).await.unwrap().unwrap().last_position;
    assert_eq!(head.0, seen.0 + 4);
    while seen < head {
        let event = events.next().await.unwrap().unwrap();
        assert_eq!(event.position.0, seen.0 + 1);
        seen = event.position;
    }
}

async fn a_view_is_rebuilt_while_it_is_read(on: On) {
    let host = TestHost::new(on).await;
    for _ in 0..3 {
        assert_eq!(host.issue(&sale("standard", "1")).await.1.status, 200);
    }
    let before = host.get("/v1/invoices").await.body;
    // As if a defect had written it.
    host.tamper("update invoice_list set customer_name = 'Nobody', status = 'draft'").await;
    let spoilt = host.get("/v1/invoices?status=issued").await.body;
    assert_eq!(spoilt["items"], json!([]));
    let mut rebuild = Command::new(NIYAM);
    rebuild.args(["projections", "rebuild", "invoice_list", "--data"]).arg(host.data());
    if let On::Postgres = on {
        rebuild.args(["--database-url", host.database.as_deref().unwrap()]);
    }
    let done = tokio::task::spawn_blocking(move || rebuild.output()).await.unwrap().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(host.get("/v1/invoices").await.body, before);
    assert_eq!(host.tamper("update invoice_list set version = version where build = 0").await, 0);
    // It goes on.
    let (path, _) = host.issue(&sale("standard", "1")).await;
    let newest = host.get("/v1/invoices?limit=1").await.body["items"][0]["id"].clone();
    assert!(path.ends_with(newest.as_str().unwrap()), "{path} {newest}");
}

/// A backup while the server runs, restored into either database, and copied on.
async fn books_are_carried(on: On) {
    let host = TestHost::new(on).await;
    host.tenant("other", "vat-bd").await;
    for _ in 0..3 {
        assert_eq!(host.issue(&sale("standard", "1")).await.1.status, 200);
    }
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("niyam.backup");
    let source = match on {
        On::Sqlite => format!("sqlite:{}", host.data().join("niyam.db").display()),
        On::Postgres => host.database.clone().unwrap(),
    };
    let (data, file_name) = (place.path().to_str().unwrap(), file.to_str().unwrap());
    let backed_up = program_on(&["backup", file_name], data, &source).await;
    assert!(backed_up.0, "{}", backed_up.1);
    // It goes on, and the backup stays what it was.
    assert_eq!(host.issue(&sale("standard", "1")).await.1.status, 200);
    let restored = format!("sqlite:{}", place.path().join("restored.db").display());
    let postgres = niyam_testdb::database_url();
    for target in [&restored, &postgres] {
        let (done, said) = program_on(&["restore", file_name], data, target).await;
        assert!(done, "{said}");
        // The head of every tenant, as the backup said.
        for line in backed_up.1.lines().filter(|line| line.starts_with("demo ") || line.starts_with("other "))
        {
            assert!(said.contains(line), "{line} in {said}");
        }
        assert!(program_on(&["restore", file_name], data, target).await.1.contains(" 0 events taken in"));
        // What is new comes by copying, and the same again.
        let (done, said) = program(&["copy", "--from", &source, "--to", target]).await;
        assert!(done, "{said}");
        let head = host.server.app().store().head(&"demo".parse().unwrap()).await.unwrap().unwrap();
        assert!(said.contains(&format!("demo {} {}", head.last_position, hex::encode(head.hash))), "{said}");
        let (proven, said) = program_on(&["audit", "verify", "--all-tenants"], data, target).await;
        assert!(proven, "{said}");
    }
    // Not over a file that is there, and not from one that was cut off or changed.
    let again = program_on(&["backup", file_name], data, &source).await;
    assert!(!again.0 && again.1.contains("is there already"), "{}", again.1);
    let whole = std::fs::read(&file).unwrap();
    for (name, bytes) in [("cut", &whole[..whole.len() - 40]), ("no backup", b"hello".as_slice())] {
        let spoilt = place.path().join("spoilt");
        std::fs::write(&spoilt, bytes).unwrap();
        let target = format!("sqlite:{}", place.path().join(format!("{name}.db")).display());
        let (done, said) = program_on(&["restore", spoilt.to_str().unwrap()], data, &target).await;
        assert!(!done, "{name}: {said}");
    }
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
}

/// The same, on a database.
async fn program_on(words: &[&str], data: &str, database: &str) -> (bool, String) {
    program(&[words, &["--data", data, "--database-url", database]].concat()).await
}

/// Runs the program to its end; whether it ended well, and all that it said.
async fn program(arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(NIYAM);
    command.args(arguments);
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

mod sqlite {
    #[tokio::test(flavor = "multi_thread")]
    async fn a_view_is_rebuilt_while_it_is_read() {
        super::a_view_is_rebuilt_while_it_is_read(super::On::Sqlite).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn books_are_carried() {
        super::books_are_carried(super::On::Sqlite).await;
    }
}

mod postgres {
    #[tokio::test(flavor = "multi_thread")]
    async fn a_view_is_rebuilt_while_it_is_read() {
        super::a_view_is_rebuilt_while_it_is_read(super::On::Postgres).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn books_are_carried() {
        super::books_are_carried(super::On::Postgres).await;
    }
}
