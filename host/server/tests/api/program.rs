//! The `niyam` program itself, as an operator runs it.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};

use crate::harness::{On, TestHost, on_both, sale};

/// `niyam` with `arguments`, and no variable of its own but those given.
fn niyam(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_niyam"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("NIYAM_")) {
        command.env_remove(name);
    }
    command.args(arguments).stdin(Stdio::null());
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What a command that succeeds prints.
fn printed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn create<'a>(name: &'a str, data: &'a str) -> Vec<&'a str> {
    vec![
        "tenant",
        "create",
        name,
        "--pack",
        "vat-bd",
        "--legal-name",
        "Acme Ltd",
        "--address",
        "12 Motijheel, Dhaka",
        "--identifier",
        "bin=000828395-0207",
        "--data",
        data,
    ]
}

async fn a_tenant_made_by_the_program_is_seen_by_a_running_server(on: On) {
    let host = TestHost::new(on).await;
    let data = host.data().to_str().unwrap();
    let database: Vec<&str> = host.database.iter().flat_map(|url| ["--database-url", url.as_str()]).collect();
    let mut arguments = create("acme", data);
    arguments.extend(&database);
    arguments.extend(["--config", r#"{"rounding":{"places":0}}"#]);
    assert_eq!(printed(&mut niyam(&arguments)), "tenant acme created");
    let mut arguments = vec!["token", "--tenant", "acme", "--user", "karim", "--data", data];
    arguments.extend(["--role", "accountant", "--role", "approver"]);
    let bearer = format!("Bearer {}", printed(&mut niyam(&arguments)));
    let headers = [("authorization", bearer.as_str())];
    let draft = host.post("/v1/invoices", &headers, &sale("standard", "1")).await;
    assert_eq!(draft.status, 201, "{}", draft.text);
    assert_eq!(draft.body["taxes"]["tax_added"], "150");
    assert_eq!(draft.body["supplier"]["name"], "Acme Ltd");
    let path = draft.header("location");
    let headers = [headers[0], ("if-match", draft.etag.as_str())];
    let approved = host.post(&format!("{path}/approve"), &headers, &json!({})).await;
    assert_eq!(approved.status, 200, "{}", approved.text);
    let events = host.get_with(&format!("{path}/events"), &headers).await.body;
    assert_eq!(events["items"][1]["user"], "karim");
    assert_eq!(host.put("/v1/tenant", &headers, &json!({})).await.problem(), (403, "role-missing"));

    let mut arguments = create("acme", data);
    arguments.extend(&database);
    let again = niyam(&arguments).output().unwrap();
    assert_eq!(again.status.code(), Some(1));
    assert_eq!(said(&again).trim(), "niyam: tenant-exists: the tenant exists already");
    // From a day on, another configuration.
    let mut arguments = vec!["tenant", "activate", "acme", "--pack", "vat-bd", "--data", data];
    arguments.extend(["--effective-from", "2026-08-01"]);
    arguments.extend(&database);
    printed(&mut niyam(&arguments));
    let draft = host.post("/v1/invoices", &headers[..1], &sale("standard", "1")).await;
    assert_eq!(draft.body["taxes"]["tax_added"], "150.00", "{}", draft.text);
}

#[test]
fn a_command_whose_reader_went_away_ends_in_silence() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = niyam(&["describe", "openapi"]).stdout(writer).stderr(Stdio::piped()).output().unwrap();
    assert_eq!((output.status.code(), said(&output).as_str()), (Some(141), ""));
}

/// A running `niyam serve`, killed when a test fails.
struct Serving {
    child: Child,
    url: String,
}

impl Serving {
    fn start(data: &str) -> Self {
        let mut child = niyam(&["serve", "--listen", "127.0.0.1:0", "--data", data])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = loop {
            let line: Value = serde_json::from_str(&log.next().unwrap().unwrap()).unwrap();
            if line["message"] == "listening" {
                break line["address"].as_str().unwrap().to_owned();
            }
        };
        // Read on, so that the server never waits for its log to be taken.
        std::thread::spawn(move || log.for_each(drop));
        Self { child, url: format!("http://{address}") }
    }

    fn stop(mut self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Gone already, unless the test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_serves_stops_and_serves_again() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    printed(&mut niyam(&create("acme", data)));
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(Path::new(data)), 0o700);
    assert_eq!(mode(&Path::new(data).join("keys/token-signing.pem")), 0o600);
    // Every option from the environment.
    let token = printed(
        niyam(&["token"])
            .env("NIYAM_TENANT", "acme")
            .env("NIYAM_ROLE", "accountant,approver")
            .env("NIYAM_USER", "karim")
            .env("NIYAM_EXPIRES_IN_HOURS", "1")
            .env("NIYAM_DATA", data),
    );
    let client = reqwest::Client::new();
    let mut path = String::new();
    for number in 0..2 {
        let serving = Serving::start(data);
        if number == 0 {
            let request = client.post(format!("{}/v1/invoices", serving.url)).bearer_auth(&token);
            let draft = request.json(&sale("standard", "1")).send().await.unwrap();
            assert_eq!(draft.status(), 201);
            path = draft.headers()["location"].to_str().unwrap().to_owned();
        }
        let request = client.get(format!("{}{path}", serving.url)).bearer_auth(&token);
        let shown: Value = request.send().await.unwrap().json().await.unwrap();
        assert_eq!((&shown["status"], &shown["taxes"]["tax_added"]), (&json!("draft"), &json!("150.00")));
        let url = serving.url.clone();
        serving.stop();
        assert!(client.get(format!("{url}/health/live")).send().await.is_err());
    }
}

#[test]
fn a_command_that_cannot_be_done_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let mistyped = folder.path().join("dta");
    let mistyped = mistyped.to_str().unwrap();
    let file = folder.path().join("books.niyam");
    let file = file.to_str().unwrap();
    let cases: [(&[&str], i32, &str); 15] = [
        (&["tenant", "create", "acme", "--pack", "vat-xx", "--data", data], 1, "pack-unknown"),
        (
            &["tenant", "create", "acme", "--pack", "vat-bd", "--identifier", "bin=1", "--data", data],
            1,
            "identifier-invalid at /identifiers/0/value",
        ),
        (
            &["tenant", "create", "acme", "--pack", "vat-bd", "--config", "{", "--data", data],
            1,
            "config-malformed",
        ),
        (&["tenant", "create", "Acme", "--pack", "vat-bd", "--data", data], 2, "begins with a letter"),
        (&["token", "--tenant", "acme", "--data", data], 2, "--role"),
        (&["token", "--tenant", "acme", "--role", "root", "--data", data], 2, "root"),
        (
            &["token", "--tenant", "acme", "--role", "viewer", "--expires-in-hours", "0", "--data", data],
            2,
            "--expires-in-hours",
        ),
        (&["token", "--tenant", "acme", "--role", "viewer", "--data", mistyped], 1, "token-signing.pem"),
        (&["backup", file, "--data", mistyped], 1, "there is no"),
        (&["projections", "list", "--data", mistyped], 1, "there is no"),
        (&["projections", "rebuild", "invoice_list", "--data", mistyped], 1, "there is no"),
        (&["publisher", "list", "--data", mistyped], 1, "there is no"),
        (&["publisher", "revoke", "0011", "--data", mistyped], 1, "there is no"),
        (&["erase", "--tenant", "acme", "--subject", "c-1", "--data", mistyped], 1, "there is no"),
        (
            &[
                "tenant",
                "activate",
                "acme",
                "--pack",
                "vat-bd",
                "--effective-from",
                "2026-07-01",
                "--data",
                mistyped,
            ],
            1,
            "there is no",
        ),
    ];
    for (arguments, code, text) in cases {
        let output = niyam(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", said(&output));
        assert!(said(&output).contains(text), "{arguments:?}: {}", said(&output));
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
    assert!(!Path::new(file).exists(), "a backup of nothing");
    assert!(!Path::new(mistyped).exists(), "a key was made where nobody will look for it");
}

#[test]
fn help_does_not_tell_what_the_environment_holds() {
    let mut command = niyam(&["serve", "--help"]);
    let help = printed(command.env("NIYAM_DATABASE_URL", "postgres://niyam:secret@db/niyam"));
    assert!(help.contains("NIYAM_DATABASE_URL") && !help.contains("secret"), "{help}");
}

on_both! { a_tenant_made_by_the_program_is_seen_by_a_running_server }
