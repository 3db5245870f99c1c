//! Hostile uploads: what is no module, bodies that break off or do not end, a host that dies while it compiles.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use niyam::Role;
use serde_json::{Value, json};

use super::shop::{Publisher, brought, digest, from, guest, marked, ready, settled, upload, upload_as};
use crate::harness::{Answer, On, TestHost, on_both};

/// A component of `sections`, each an id and its bytes.
fn component(sections: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
    for (id, body) in sections {
        assert!(body.len() < 128, "the length is one byte");
        bytes.extend([*id, u8::try_from(body.len()).unwrap()]);
        bytes.extend(body);
    }
    bytes
}

/// A component that imports an instance of that name.
fn importing(name: &str) -> Vec<u8> {
    let mut import = vec![1, 0, u8::try_from(name.len()).unwrap()];
    import.extend(name.as_bytes());
    import.extend([5, 0]);
    component(&[(7, vec![1, 0x42, 0]), (10, import)])
}

/// A core module that runs a function when it is instantiated.
fn starting() -> Vec<u8> {
    let mut module = b"\0asm\x01\0\0\0".to_vec();
    module.extend([1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 8, 1, 0, 10, 4, 1, 2, 0, 11]);
    module
}

async fn what_is_no_module_is_refused_before_it_is_kept(on: On) {
    let host = TestHost::new(on).await;
    let acme = Publisher::trusted(&host, "acme", 1).await;
    let sound = guest("plain-pack");
    let noise: Vec<u8> = (0..4096_u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    for (name, bytes, code) in [
        ("nothing", Vec::new(), "component-malformed"),
        ("noise", noise, "component-malformed"),
        ("text", b"(component)".to_vec(), "component-malformed"),
        ("core module", b"\0asm\x01\0\0\0".to_vec(), "component-malformed"),
        ("half", sound[..sound.len() / 2].to_vec(), "component-malformed"),
        ("WASI", importing("wasi:cli/environment@0.2.0"), "import-not-allowed"),
        ("another contract", importing("niyam:rules/context@9.0.0"), "import-not-allowed"),
        ("start function", component(&[(1, starting())]), "start-function-not-allowed"),
    ] {
        let signature = acme.sign(&bytes);
        let refused = upload(&host, bytes, &[signature]).await;
        assert_eq!(refused.problem(), (422, code), "{name}: {}", refused.text);
    }
    assert_eq!(brought(&host).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_of_no_world_is_refused_and_says_what_to_do() {
    let host = TestHost::new(On::Sqlite).await;
    let acme = Publisher::trusted(&host, "acme", 1).await;
    let empty = component(&[]);
    let (name, signature) = (digest(&empty), acme.sign(&empty));
    let answer = upload(&host, empty, &[signature]).await;
    assert_eq!(answer.problem(), (422, "world-missing"), "{}", answer.text);
    assert!(answer.body["detail"].as_str().unwrap().contains("niyam:rules@0.1.0"), "{}", answer.text);
    let activated = host.post("/v1/activations", &[], &from(&name, "2026-08-01")).await;
    assert_eq!(activated.problem(), (404, "module-not-found"), "{}", activated.text);
    assert_eq!(brought(&host).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_too_large_of_another_kind_or_broken_off_leaves_nothing() {
    let host = TestHost::new(On::Sqlite).await;
    let huge = vec![0; niyam_modules::COMPONENT_BYTES_MAX + 1];
    let refused = upload(&host, huge, &[]).await;
    assert_eq!(refused.body["code"], "component-too-large", "{}", refused.text);
    let other = reqwest::Client::new().post(host.url("/v1/modules")).bearer_auth(&host.token);
    let refused = Answer::read(other.body(guest("plain-pack")).send().await.unwrap()).await;
    assert_eq!(refused.problem(), (415, "media-type-wrong"), "{}", refused.text);
    // The room that modules have is not there for anything else.
    let draft = "[".repeat(2 << 20);
    let refused = host.send(reqwest::Method::POST, "/v1/invoices", &[], Some(draft)).await;
    assert_eq!(refused.problem(), (413, "body-too-large"));
    // Without a token, the body is of no interest.
    let refused = upload_as(&host, "Bearer x", vec![0; 1 << 20], &[]).await;
    assert_eq!(refused.status, 401, "{}", refused.text);

    let acme = Publisher::trusted(&host, "acme", 1).await;
    let component = guest("plain-pack");
    let head = format!(
        "POST /v1/modules HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nNiyam-Signature: {}\r\n\
         Content-Type: application/wasm\r\nContent-Length: {}\r\n\r\n",
        host.token,
        acme.sign(&component),
        component.len()
    );
    let address = host.server.address();
    let half = component[..component.len() / 2].to_vec();
    tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&half).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        // Whatever it says, if anything; that it closes shows that it is done with the request.
        let _ = stream.read_to_end(&mut Vec::new());
    })
    .await
    .unwrap();
    assert_eq!(brought(&host).await, [""; 0]);
    assert_eq!(host.get("/health").await.body["status"], "ok");
}

async fn the_same_module_brought_by_many_at_once_is_one(on: On) {
    let host = TestHost::new(on).await;
    host.tenant("other", "vat-bd").await;
    let publishers = [
        Publisher::trusted(&host, "acme", 1).await,
        Publisher::trusted(&host, "bose", 2).await,
        Publisher::trusted(&host, "chaki", 3).await,
    ];
    let component = guest("plain-pack");
    let name = digest(&component);
    let forwards: Vec<String> = publishers.iter().map(|publisher| publisher.sign(&component)).collect();
    let backwards: Vec<String> = forwards.iter().rev().cloned().collect();
    let bearers = ["demo", "other"].map(|tenant| host.bearer(tenant, &[Role::TenantAdmin]));
    let uploads = (0..12).map(|n| {
        let signatures = if n % 4 < 2 { &forwards } else { &backwards };
        upload_as(&host, &bearers[n % 2], component.clone(), signatures)
    });
    let answers = futures::future::join_all(uploads).await;
    for (tenant, bearer) in bearers.iter().enumerate() {
        let own = answers.iter().skip(tenant).step_by(2);
        let mut statuses: Vec<u16> = own.map(|answer| answer.status.as_u16()).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 200, 200, 200, 200, 202], "{}", answers[tenant].text);
        let module = settled(&host, bearer, &name).await;
        assert_eq!((&module["state"], module["signed_by"].as_array().unwrap().len()), (&json!("ready"), 3));
    }
    assert_eq!(host.tamper("update modules set bytes = bytes").await, 1);
}

async fn signatures_added_at_once_in_any_order_are_all_kept(on: On) {
    let host = TestHost::new(on).await;
    let first = Publisher::trusted(&host, "first", 100).await;
    let component = guest("plain-pack");
    let mut publishers = Vec::new();
    for seed in 1..=7 {
        publishers.push(Publisher::trusted(&host, &format!("publisher {seed}"), seed).await);
    }
    // The component is there: what follows meets at the signatures alone.
    let name = ready(&host, &first, component.clone()).await;
    let forwards: Vec<String> = publishers.iter().map(|publisher| publisher.sign(&component)).collect();
    let backwards: Vec<String> = forwards.iter().rev().cloned().collect();
    let uploads = (0..16).map(|n| {
        let signatures = if n % 2 == 0 { &forwards } else { &backwards };
        upload(&host, component.clone(), signatures)
    });
    for answer in futures::future::join_all(uploads).await {
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    let shown = host.get(&format!("/v1/modules/{name}")).await;
    assert_eq!(shown.body["signed_by"].as_array().unwrap().len(), 8, "{}", shown.text);
}

async fn what_a_dead_host_compiled_is_taken_over_when_its_claim_runs_out(on: On) {
    let host = TestHost::new(on).await;
    let acme = Publisher::trusted(&host, "acme", 1).await;
    let name = ready(&host, &acme, guest("plain-pack")).await;
    // As a host leaves it that is killed in the middle; a minute of the claim is left.
    let claimed = match on {
        On::Sqlite => {
            "update modules set state = 'compiling', report = null, host = randomblob(16), \
             host_until = (select max(queued_at) from modules) + 60000000"
        }
        On::Postgres => {
            "update modules set state = 'compiling', report = null, \
             host = decode('00112233445566778899aabbccddeeff', 'hex'), \
             host_until = (select max(queued_at) from modules) + 60000000"
        }
    };
    assert_eq!(host.tamper(claimed).await, 1);
    let early = host.post("/v1/activations", &[], &from(&name, "2026-08-01")).await;
    assert_eq!(early.problem(), (409, "module-not-ready"), "{}", early.text);
    host.clock.set("2026-08-15T06:02:00Z");
    let module = settled(&host, &format!("Bearer {}", host.token), &name).await;
    assert_eq!((&module["state"], &module["manifest"]["id"]), (&json!("ready"), &json!("plain-pack")));
    assert_eq!(host.post("/v1/activations", &[], &from(&name, "2026-08-01")).await.status, 201);
}

/// `niyam` with `arguments` on `data`; what it prints.
fn niyam(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_niyam"));
    command.args(arguments).arg("--data").arg(data).stdin(Stdio::null());
    command
}

fn printed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A running server; killed without a word when dropped.
struct Serving {
    child: Child,
    url: String,
}

impl Serving {
    fn start(data: &Path) -> Self {
        Self::with(data, &[])
    }

    fn with(data: &Path, options: &[&str]) -> Self {
        let mut serve = niyam(data, &["serve", "--listen", "127.0.0.1:0"]);
        let mut child = serve.args(options).stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let listening = log.by_ref().find_map(|line| {
            let line: Value = serde_json::from_str(&line.unwrap()).ok()?;
            line["address"].as_str().map(str::to_owned)
        });
        std::thread::spawn(move || log.for_each(drop));
        Self { child, url: format!("http://{}", listening.expect("it listens")) }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_was_answered_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    printed(&mut niyam(data, &["tenant", "create", "acme", "--pack", "vat-bd", "--legal-name", "Acme"]));
    let publisher = Publisher::new(1);
    let id = publisher.key_id();
    let added = printed(&mut niyam(data, &["publisher", "add", "acme", "--key", &publisher.key_text()]));
    assert_eq!(added, format!("publisher acme trusted, key {id}"));
    let twice = niyam(data, &["publisher", "add", "acme", "--key", &publisher.key_text()]).output().unwrap();
    assert!(!twice.status.success());
    let none = niyam(data, &["publisher", "add", "nobody", "--key", "AAAA"]).output().unwrap();
    assert!(String::from_utf8_lossy(&none.stderr).contains("key-invalid"));
    let token = printed(&mut niyam(data, &["token", "--tenant", "acme", "--role", "tenant-admin"]));
    let component = marked(guest("plain-pack"), 7);
    let (name, signature) = (digest(&component), publisher.sign(&component));
    let client = reqwest::Client::new();

    let serving = Serving::start(data);
    let upload = client
        .post(format!("{}/v1/modules", serving.url))
        .bearer_auth(&token)
        .header("content-type", "application/wasm")
        .header("niyam-signature", signature)
        .body(component);
    let answer = Answer::read(upload.send().await.unwrap()).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    drop(serving);

    let serving = Serving::start(data);
    let url = format!("{}/v1/modules/{name}", serving.url);
    let mut state = String::new();
    for _ in 0..600 {
        let asked = client.get(&url).bearer_auth(&token).send().await.unwrap();
        let answer = Answer::read(asked).await;
        state = answer.body["state"].as_str().unwrap_or_default().to_owned();
        if state == "ready" {
            break;
        }
        assert!(["queued", "compiling"].contains(&state.as_str()), "{}", answer.text);
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    assert_eq!(state, "ready");
    drop(serving);
    assert_eq!(printed(&mut niyam(data, &["publisher", "revoke", &id])), format!("key {id} revoked"));
    let listed = printed(&mut niyam(data, &["publisher", "list"]));
    assert!(listed.starts_with(&format!("{id}  acme  revoked ")), "{listed}");
}

#[test]
fn a_component_is_compiled_within_bounds_of_time_and_memory() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("component.wasm");
    std::fs::write(&file, guest("credit-guard")).unwrap();
    let compile = |options: &[&str]| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_niyam"));
        program
            .arg("compile-component")
            .args(options)
            .stdin(std::fs::File::open(&file).unwrap())
            .output()
            .unwrap()
    };
    let compiled = compile(&[]);
    let said = String::from_utf8_lossy(&compiled.stderr).into_owned();
    assert!(compiled.status.success() && compiled.stdout.len() > 10_000, "{said}");
    // The same bounds, too small.
    let late = compile(&["--cpu-seconds", "0"]);
    assert!(!late.status.success() && late.stdout.is_empty(), "{late:?}");
    let large = compile(&["--memory-mib", "8"]);
    assert!(!large.status.success() && large.stdout.is_empty(), "{large:?}");
    std::fs::write(&file, b"(component)").unwrap();
    let refused = compile(&[]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(1) && said.contains("not a valid component"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn unsigned_modules_are_taken_by_a_server_that_says_so_alone() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    printed(&mut niyam(data, &["tenant", "create", "acme", "--pack", "vat-bd", "--legal-name", "Acme"]));
    let token = printed(&mut niyam(data, &["token", "--tenant", "acme", "--role", "tenant-admin"]));
    let component = guest("plain-pack");
    let name = digest(&component);
    let client = reqwest::Client::new();
    let upload = async |serving: &Serving| {
        let request = client.post(format!("{}/v1/modules", serving.url)).bearer_auth(&token);
        let request = request.header("content-type", "application/wasm").body(component.clone());
        Answer::read(request.send().await.unwrap()).await
    };
    let get = async |serving: &Serving, path: &str| {
        let request = client.get(format!("{}{path}", serving.url)).bearer_auth(&token);
        Answer::read(request.send().await.unwrap()).await
    };
    let activate = async |serving: &Serving, day: &str| {
        let request = client.post(format!("{}/v1/activations", serving.url)).bearer_auth(&token);
        Answer::read(request.json(&from(&name, day)).send().await.unwrap()).await
    };

    let serving = Serving::start(data);
    assert_eq!(get(&serving, "/health").await.body["unsigned_modules"], "refused");
    let refused = upload(&serving).await;
    assert_eq!(refused.problem(), (422, "signature-missing"), "{}", refused.text);
    drop(serving);

    let serving = Serving::with(data, &["--allow-unsigned"]);
    assert_eq!(get(&serving, "/health").await.body["unsigned_modules"], "allowed");
    let accepted = upload(&serving).await;
    assert_eq!(
        (accepted.status.as_u16(), &accepted.body["trust"]),
        (202, &json!("unsigned")),
        "{}",
        accepted.text
    );
    let mut state = Value::Null;
    for _ in 0..600 {
        state = get(&serving, &format!("/v1/modules/{name}")).await.body["state"].clone();
        if state == "ready" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(state, "ready");
    let activated = activate(&serving, "2026-08-01").await;
    assert_eq!(activated.status, 201, "{}", activated.text);
    drop(serving);

    // Back to what is usual: nothing new, and what decides is told.
    let serving = Serving::start(data);
    let refused = activate(&serving, "2026-09-01").await;
    assert_eq!(refused.problem(), (422, "module-not-accepted"), "{}", refused.text);
    assert_eq!(get(&serving, "/v1/activations/2").await.body["trust"], "not-accepted");
}

on_both! {
    what_is_no_module_is_refused_before_it_is_kept
    the_same_module_brought_by_many_at_once_is_one
    signatures_added_at_once_in_any_order_are_all_kept
    what_a_dead_host_compiled_is_taken_over_when_its_claim_runs_out
}
