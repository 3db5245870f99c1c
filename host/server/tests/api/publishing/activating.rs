//! Which module decides from when on, on every host, and how it stops.

use std::sync::Arc;
use std::time::Duration;

use niyam::{App, AppConfig, Server};
use serde_json::{Value, json};

use super::shop::{Publisher, from, guest, ready};
use crate::harness::{On, TestHost, on_both, open, sale, with};

/// Whether the invoice of `day` bears no tax, as `plain-pack` has it.
async fn untaxed(host: &TestHost, day: &str) -> bool {
    let taxes = host.taxes(&with("/tax_date", json!(day))).await;
    taxes["lines"][0]["taxes"] == json!([])
}

async fn the_tax_date_says_which_activation_answers(on: On) {
    let host = TestHost::new(on).await;
    let acme = Publisher::trusted(&host, "acme", 1).await;
    let name = ready(&host, &acme, guest("plain-pack")).await;
    assert!(!untaxed(&host, "2026-08-10").await);
    let activated = host.post("/v1/activations", &[], &from(&name, "2026-08-10")).await;
    assert_eq!(activated.status, 201, "{}", activated.text);
    assert_eq!(activated.header("location"), "/v1/activations/2");
    assert_eq!(
        (&activated.body["on_failure"], &activated.body["state"]),
        (&json!("block"), &json!("active"))
    );
    // With the next command, and for the days from then on.
    assert!(!untaxed(&host, "2026-08-09").await);
    assert!(untaxed(&host, "2026-08-10").await);
    assert!(untaxed(&host, "2026-08-15").await);
    // It outlives the process.
    let host = host.restart().await;
    assert!(!untaxed(&host, "2026-08-09").await);
    assert!(untaxed(&host, "2026-08-10").await);
}

async fn a_withdrawn_activation_gives_way_and_stays_in_the_history(on: On) {
    let host = TestHost::new(on).await;
    let acme = Publisher::trusted(&host, "acme", 1).await;
    let name = ready(&host, &acme, guest("plain-pack")).await;
    let activated = host.post("/v1/activations", &[], &from(&name, "2026-08-01")).await;
    let (draft, _) = host.draft(&sale("standard", "1")).await;
    let path = "/v1/activations/2/withdraw";
    let reason = json!({"reason": "the rate was wrong"});
    assert_eq!(host.post(path, &[], &reason).await.problem(), (428, "if-match-missing"));
    let stale = host.post(path, &[("if-match", "\"1\"")], &reason).await;
    assert_eq!(stale.problem(), (412, "version-mismatch"));
    let withdrawn = host.post(path, &[("if-match", activated.etag.as_str())], &reason).await;
    assert_eq!(withdrawn.status, 200, "{}", withdrawn.text);
    assert!(!untaxed(&host, "2026-08-15").await);
    // What it decided stays decided.
    assert_eq!(host.get(&draft).await.body["taxes"]["lines"][0]["taxes"], json!([]));
    let list = host.get("/v1/activations").await;
    assert_eq!(list.body["items"].as_array().unwrap().len(), 2);
    assert_eq!(list.body["items"][1]["withdrawn"], json!(true));
    assert_eq!(list.body["items"][1]["withdrawal_reason"], "the rate was wrong");
    for (number, answer) in [
        ("2", (409, "activation-withdrawn")),
        ("1", (409, "activation-needed")),
        ("3", (404, "activation-not-found")),
        ("0", (404, "activation-not-found")),
        ("x", (404, "activation-not-found")),
    ] {
        let path = format!("/v1/activations/{number}/withdraw");
        let refused = host.post(&path, &[("if-match", list.etag.as_str())], &json!({})).await;
        assert_eq!(refused.problem(), answer, "{number}: {}", refused.text);
    }
}

async fn what_is_wrong_with_an_activation_is_pointed_at(on: On) {
    let host = TestHost::new(on).await;
    let modules = host.get("/v1/modules").await.body;
    let bundled = |id: &str| {
        let items = modules["items"].as_array().unwrap();
        let found = items.iter().find(|item| item["manifest"]["id"] == id).unwrap();
        found["digest"].as_str().unwrap().to_owned()
    };
    let head = host.head().await;
    let activation = |change: &dyn Fn(&mut Value)| {
        let mut body = from(&bundled("unruly"), "2026-08-01");
        change(&mut body);
        body
    };
    for (body, status, pointer) in [
        (activation(&|body| body["config"] = json!({"rate": "x"})), 422, "/config/rate"),
        (activation(&|body| body["config"] = json!([])), 422, "/config"),
        (activation(&|body| body["on_failure"] = json!("ignore")), 422, "/on_failure"),
        (activation(&|body| body["state"] = json!("asleep")), 422, "/state"),
        (activation(&|body| body["effective_from"] = json!("2026-02-30")), 422, "/effective_from"),
        (activation(&|body| body["forever"] = json!(true)), 422, "/forever"),
    ] {
        let refused = host.post("/v1/activations", &[], &body).await;
        assert_eq!(refused.status, status, "{}", refused.text);
        assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{}", refused.text);
    }
    for module in ["", "unruly", "../../etc/passwd", &"0".repeat(64), &bundled("unruly").to_uppercase()] {
        let refused = host.post("/v1/activations", &[], &from(module, "2026-08-01")).await;
        assert_eq!(refused.problem(), (404, "module-not-found"), "{module}");
    }
    assert_eq!(host.head().await, head);
    // A shadow decides nothing.
    let shadow = activation(&|body| body["state"] = json!("shadow"));
    assert_eq!(host.post("/v1/activations", &[], &shadow).await.status, 201);
    assert_eq!(host.taxes(&sale("standard", "1")).await["tax_added"], "150.00");
}

async fn a_repeated_activation_is_one(on: On) {
    let host = TestHost::new(on).await;
    let acme = Publisher::trusted(&host, "acme", 1).await;
    let name = ready(&host, &acme, guest("plain-pack")).await;
    let key = [("idempotency-key", "activate-once")];
    let body = from(&name, "2026-08-01");
    let first = host.post("/v1/activations", &key, &body).await;
    let again = host.post("/v1/activations", &key, &body).await;
    assert_eq!((first.status.as_u16(), first.replayed), (201, false), "{}", first.text);
    assert_eq!((again.status.as_u16(), again.replayed, &again.text), (201, true, &first.text));
    let other = host.post("/v1/activations", &key, &from(&name, "2026-08-02")).await;
    assert_eq!(other.problem(), (422, "idempotency-key-reused"));
    // Activations at once each get their own number.
    let bodies: Vec<Value> = (1..=4).map(|day| from(&name, &format!("2026-07-0{day}"))).collect();
    let all =
        futures::future::join_all(bodies.iter().map(|body| host.post("/v1/activations", &[], body))).await;
    assert!(all.iter().all(|answer| answer.status == 201), "{}", all[0].text);
    assert_eq!(host.get("/v1/activations").await.body["items"].as_array().unwrap().len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_activation_counts_on_every_host_with_the_next_command() {
    let host = TestHost::new(On::Postgres).await;
    let other = open(host.data(), host.database.as_deref(), &host.clock).await;
    let other = Server::start(other, "127.0.0.1:0".parse().unwrap()).await.unwrap();
    let url = format!("http://{}/v1/tax/determinations", other.address());
    let client = reqwest::Client::new();
    let untaxed_there = async || {
        let asked = client.post(&url).bearer_auth(&host.token).body(sale("standard", "1").to_string());
        let taxes: Value = serde_json::from_str(&asked.send().await.unwrap().text().await.unwrap()).unwrap();
        taxes["lines"][0]["taxes"] == json!([])
    };
    let acme = Publisher::trusted(&host, "acme", 1).await;
    let name = ready(&host, &acme, guest("plain-pack")).await;
    assert!(!untaxed_there().await);
    let activated = host.post("/v1/activations", &[], &from(&name, "2026-08-01")).await;
    assert_eq!(activated.status, 201, "{}", activated.text);
    assert!(untaxed_there().await);
    let withdrawn =
        host.post("/v1/activations/2/withdraw", &[("if-match", activated.etag.as_str())], &json!({})).await;
    assert_eq!(withdrawn.status, 200, "{}", withdrawn.text);
    assert!(!untaxed_there().await);
    other.stop().await.unwrap();
}

async fn no_other_tenant_tries_a_module(on: On) {
    let host = TestHost::new(on).await;
    host.tenant("bravo", "vat-bd").await;
    let acme = Publisher::trusted(&host, "acme", 1).await;
    let name = ready(&host, &acme, guest("plain-pack")).await;
    let body = json!({"candidate": {"module": name, "config": {}}});
    let asked = host.post("/v1/simulations", &[], &body).await;
    assert_eq!(asked.status, 202, "{}", asked.text);
    let bearer = host.bearer("bravo", &[niyam::Role::Approver]);
    let refused = host.post("/v1/simulations", &[("authorization", &bearer)], &body).await;
    assert_eq!(refused.problem(), (422, "candidate-unknown"), "{}", refused.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_that_nobody_calls_leaves_memory_and_comes_back_to_answer() {
    let host = TestHost::new(On::Postgres).await;
    let acme = Publisher::trusted(&host, "acme", 1).await;
    let name = ready(&host, &acme, guest("plain-pack")).await;
    let activated = host.post("/v1/activations", &[], &from(&name, "2026-08-01")).await;
    assert_eq!(activated.status, 201, "{}", activated.text);
    // Another host on the same database, which waits for nobody.
    let database = host.database.as_deref().map(|url| url.parse().unwrap());
    let clock = Arc::clone(&host.clock) as Arc<dyn niyam_store::Clock>;
    let config =
        AppConfig { clock, idle_after: Duration::ZERO, ..AppConfig::new(host.data().to_owned(), database) };
    let app = App::open(config).await.unwrap();
    let impatient = Server::start(app, "127.0.0.1:0".parse().unwrap()).await.unwrap();
    let url = format!("http://{}", impatient.address());
    let client = reqwest::Client::new();
    let loaded = async || {
        let health: Value = client.get(format!("{url}/health")).send().await.unwrap().json().await.unwrap();
        health["modules_loaded"].as_u64().unwrap()
    };
    for _ in 0..2 {
        let asked = client.post(format!("{url}/v1/tax/determinations")).bearer_auth(&host.token);
        let taxes: Value = asked.json(&sale("standard", "1")).send().await.unwrap().json().await.unwrap();
        assert_eq!(taxes["lines"][0]["taxes"], json!([]), "{taxes}");
        // What came with the binary stays.
        let mut left = loaded().await;
        for _ in 0..600 {
            if left == 1 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
            left = loaded().await;
        }
        assert_eq!(left, 1);
    }
    // The others wait for longer than a test does.
    assert!(host.get("/health").await.body["modules_loaded"].as_u64().unwrap() >= 3);
    impatient.stop().await.unwrap();
}

on_both! {
    no_other_tenant_tries_a_module
    the_tax_date_says_which_activation_answers
    a_withdrawn_activation_gives_way_and_stays_in_the_history
    what_is_wrong_with_an_activation_is_pointed_at
    a_repeated_activation_is_one
}
