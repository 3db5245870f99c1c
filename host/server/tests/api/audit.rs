//! `niyam audit`, as an auditor runs it, and what a running server says of a broken history.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::date;
use niyam::{App, AppConfig, Server, SystemClock};
use niyam_domain::Version;
use niyam_store::{Append, Batch, Database, DatabaseUrl, EventStore, NewEvent, StoreConfig, StreamWrite};
use serde_json::Value;
use sqlx::{Connection as _, PgConnection};
use tempfile::TempDir;

use crate::harness::On;

/// A store that stays open, as a server's does.
struct Books {
    data: TempDir,
    url: Option<String>,
    store: EventStore,
}

impl Books {
    async fn new(on: On) -> Self {
        let data = tempfile::tempdir().unwrap();
        let url = match on {
            On::Sqlite => None,
            On::Postgres => Some(niyam_testdb::database_url()),
        };
        let database = match &url {
            None => DatabaseUrl::Sqlite(data.path().join("niyam.db")),
            Some(url) => url.parse().unwrap(),
        };
        let store = EventStore::open(StoreConfig::new(database, Arc::new(SystemClock))).await.unwrap();
        let books = Self { data, url, store };
        for tenant in ["acme", "bravo"] {
            books.append(tenant, 0, 5).await;
        }
        books
    }

    async fn append(&self, tenant: &str, expected: u64, count: u128) {
        let event = |number: u128| NewEvent {
            id: uuid::Uuid::from_u128(u128::from(expected) + number + 1),
            event_type: "test.happened.v1".to_owned(),
            payload: br#"{"number":1}"#.to_vec(),
            metadata: b"{}".to_vec(),
            effective_date: date(2026, 7, 1),
        };
        let events = (0..count).map(event).collect();
        let write = StreamWrite { stream: "test/1".parse().unwrap(), expected: Version(expected), events };
        let batch = Batch { writes: vec![write], answer: Vec::new() };
        self.store.append(&tenant.parse().unwrap(), Append::of(batch)).await.unwrap();
    }

    async fn tamper(&self, sql: &'static str) {
        match self.store.database() {
            Database::Sqlite { writer, .. } => drop(sqlx::query(sql).execute(writer).await.unwrap()),
            Database::Postgres(_) => {
                let mut owner = PgConnection::connect(self.url.as_deref().unwrap()).await.unwrap();
                sqlx::query(sql).execute(&mut owner).await.unwrap();
            }
        }
    }

    fn audit(&self, arguments: &[&str]) -> Output {
        self.audit_of(self.data.path(), arguments)
    }

    fn audit_of(&self, data: &Path, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_niyam"));
        command.arg("audit").args(arguments).env("NIYAM_DATA", data);
        if let Some(url) = &self.url {
            command.env("NIYAM_DATABASE_URL", url);
        }
        command.output().unwrap()
    }

    /// Exit code, and the JSON of each tenant.
    fn verify(&self, arguments: &[&str]) -> (i32, Vec<Value>) {
        let output = self.audit(&[&["verify", "--json"], arguments].concat());
        let json: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
        assert_eq!(json["proven"], output.status.success());
        (output.status.code().unwrap(), json["tenants"].as_array().unwrap().clone())
    }
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

async fn books_are_proven_and_a_break_is_told(on: On) {
    let books = Books::new(on).await;
    let (code, tenants) = books.verify(&["--all-tenants"]);
    assert_eq!((code, tenants.len()), (0, 2));
    assert_eq!(tenants[0]["confirmed_to"], Value::Null);
    let made = books.audit(&["checkpoint"]);
    assert_eq!(made.status.code(), Some(0), "{}", text(&made));
    assert_eq!(
        text(&made),
        "acme: checkpoint 1 made at position 5\nbravo: checkpoint 1 made at position 5\n"
    );
    books.append("acme", 5, 2).await;
    let made = books.audit(&["checkpoint"]);
    assert_eq!(
        text(&made),
        "acme: checkpoint 2 made at position 7\nbravo: not moved since checkpoint 1 at position 5\n"
    );
    let (code, tenants) = books.verify(&["--tenant", "acme"]);
    assert_eq!((code, &tenants[0]["confirmed_to"]), (0, &Value::from(7)));
    assert_eq!((&tenants[0]["checkpoints"], &tenants[0]["notes"]), (&Value::from(2), &Value::Array(vec![])));
    books.tamper("update events set event_type = 'x.v1' where tenant = 'acme' and position = 3").await;
    books.tamper("delete from events where tenant = 'acme' and position = 5").await;
    let (code, tenants) = books.verify(&["--all-tenants"]);
    assert_eq!(code, 1);
    assert_eq!((&tenants[0]["proven"], &tenants[1]["proven"]), (&Value::from(false), &Value::from(true)));
    let breaks = tenants[0]["breaks"].as_array().unwrap();
    assert_eq!(breaks.len(), 1, "the first");
    assert_eq!((&breaks[0]["kind"], &breaks[0]["position"]), (&Value::from("altered"), &Value::from(3)));
    let (_, tenants) = books.verify(&["--tenant", "acme", "--all"]);
    let breaks = tenants[0]["breaks"].as_array().unwrap();
    let kinds: Vec<_> = breaks.iter().map(|found| found["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["altered", "deleted", "uneven-versions"]);
    let output = books.audit(&["verify", "--tenant", "acme"]);
    assert!(text(&output).contains("acme: BROKEN: 3 breaks"), "{}", text(&output));
    assert!(text(&output).contains("position 3: altered"), "{}", text(&output));
    assert!(!text(&output).contains("position 5"), "{}", text(&output));
    let made = books.audit(&["checkpoint", "--tenant", "bravo"]);
    assert_eq!(made.status.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_books_are_proven_and_a_break_is_told() {
    books_are_proven_and_a_break_is_told(On::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_books_are_proven_and_a_break_is_told() {
    books_are_proven_and_a_break_is_told(On::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_proves_the_books_with_copies_taken_elsewhere() {
    let books = Books::new(On::Sqlite).await;
    assert!(books.audit(&["checkpoint"]).status.success());
    let elsewhere = tempfile::tempdir().unwrap();
    let key = elsewhere.path().join("niyam.pub");
    fs::write(&key, books.audit(&["key"]).stdout).unwrap();
    for sheet in ["acme.jsonl", "bravo.jsonl"] {
        let from = books.data.path().join("checkpoints").join(sheet);
        fs::copy(from, elsewhere.path().join(sheet)).unwrap();
    }
    // Everything at home is rewritten: the end cut off, the head moved back, the checkpoints and their key thrown away.
    let head = books.store.read(&"acme".parse().unwrap(), niyam_domain::Position(3), 1).await.unwrap();
    books.tamper("delete from events where tenant = 'acme' and position = 5").await;
    let Database::Sqlite { writer, .. } = books.store.database() else { panic!("SQLite") };
    let back = sqlx::query("update tenant_heads set last_position = 4, head_hash = $1 where tenant = 'acme'");
    back.bind(head[0].hash.as_slice()).execute(writer).await.unwrap();
    fs::remove_dir_all(books.data.path().join("checkpoints")).unwrap();
    fs::remove_file(books.data.path().join("checkpoint.key")).unwrap();
    let (code, tenants) = books.verify(&["--all-tenants"]);
    assert_eq!(code, 0, "the chain alone cannot show it");
    assert!(tenants[0]["notes"][0].as_str().unwrap().starts_with("without a checkpoint"));
    let folder = elsewhere.path().to_str().unwrap();
    let copies = ["--checkpoints", folder, "--public-key", key.to_str().unwrap()];
    let (code, tenants) = books.verify(&[&["--all-tenants"], &copies[..]].concat());
    assert_eq!(code, 1);
    assert_eq!(tenants[0]["breaks"][0]["kind"], "truncated");
    assert_eq!(tenants[0]["breaks"][0]["position"], 5);
    assert_eq!(tenants[1]["proven"], true);
    // Checkpoints that nobody can check prove nothing.
    let output = books.audit(&["verify", "--all-tenants", "--checkpoints", folder]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    // And those signed by another key are no proof.
    let other = tempfile::tempdir().unwrap();
    let other_key = other.path().join("other.pub");
    fs::write(&other_key, books.audit_of(other.path(), &["key"]).stdout).unwrap();
    let (code, tenants) = books.verify(&[
        "--tenant",
        "bravo",
        "--checkpoints",
        folder,
        "--public-key",
        other_key.to_str().unwrap(),
    ]);
    assert_eq!(code, 1);
    assert!(tenants[0]["checkpoint_faults"][0].as_str().unwrap().contains("signed by key"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_tried_is_neither_proven_nor_broken() {
    let books = Books::new(On::Sqlite).await;
    let nowhere = tempfile::tempdir().unwrap();
    for output in [
        books.audit_of(nowhere.path(), &["verify", "--all-tenants"]),
        books.audit(&["verify", "--tenant", "nobody"]),
        books.audit(&["verify"]),
        books.audit(&["verify", "--all-tenants", "--checkpoints", "/nowhere"]),
        books.audit(&["verify", "--all-tenants", "--public-key", "/nowhere"]),
        books.audit(&["checkpoint", "--tenant", "nobody"]),
    ] {
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
        assert_eq!(output.stdout, b"");
    }
    assert_eq!(fs::read_dir(nowhere.path()).unwrap().count(), 0, "a verification makes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn books_that_nobody_may_write_are_proven() {
    let books = Books::new(On::Sqlite).await;
    books.store.clone().close().await;
    // Where nobody may write, SQLite cannot make the index of its log; root may write anywhere, so it is in the way.
    let copy = tempfile::tempdir().unwrap();
    let file = copy.path().join("niyam.db");
    fs::copy(books.data.path().join("niyam.db"), &file).unwrap();
    fs::create_dir(copy.path().join("niyam.db-shm")).unwrap();
    let before = fs::read(&file).unwrap();
    let output = books.audit_of(copy.path(), &["verify", "--all-tenants"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert_eq!(fs::read(&file).unwrap(), before);
    // With a log that cannot be read, the file is not all there is.
    fs::write(copy.path().join("niyam.db-wal"), [1; 64]).unwrap();
    let output = books.audit_of(copy.path(), &["verify", "--all-tenants"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_server_shows_that_a_history_is_broken_and_not_whose() {
    let books = Books::new(On::Sqlite).await;
    books.tamper("update events set payload = x'7b7d' where tenant = 'bravo' and position = 2").await;
    books.store.clone().close().await;
    let config = AppConfig::new(books.data.path().to_owned(), None);
    let server =
        Server::start(App::open(config).await.unwrap(), "127.0.0.1:0".parse().unwrap()).await.unwrap();
    let url = format!("http://{}/health", server.address());
    let mut health = Value::Null;
    for _ in 0..200 {
        health = reqwest::get(&url).await.unwrap().json().await.unwrap();
        if health["chains_broken"] != 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!((&health["status"], &health["checkpoints"]), (&"degraded".into(), &"ok".into()), "{health}");
    assert_eq!(health["chains_broken"], 1);
    assert!(!health.to_string().contains("bravo"), "{health}");
    server.stop().await.unwrap();
    let sheets = books.data.path().join("checkpoints");
    assert!(!fs::read(sheets.join("acme.jsonl")).unwrap().is_empty());
    assert!(fs::read(sheets.join("bravo.jsonl")).unwrap().is_empty());
}
