//! Taxes from a tax module, and from the one before it when it fails.

use niyam_domain::{OnFailure, World};
use serde_json::{Value, json};

use crate::activating::{activate, withdraw};
use crate::harness::{On, TestHost, on_both, sale};

const GUESTS: &[&str] = &["plain-pack", "flat-tax"];

/// `demo` with a pack that taxes nothing.
async fn plain(on: On) -> TestHost {
    let host = TestHost::without_tenants(on, GUESTS).await;
    host.tenant("demo", "plain-pack").await;
    host.with_token()
}

async fn a_tax_module_answers_in_the_packs_place(on: On) {
    let host = plain(on).await;
    let document = sale("standard", "1");
    assert_eq!(host.taxes(&document).await["tax_added"], "0");
    activate(&host, "demo", "flat-tax", World::TaxModule, "{}", OnFailure::Block).await;
    assert_eq!(host.taxes(&document).await["tax_added"], "50.00");
    // The pack still numbers, and draws the paper.
    let (path, issued) = host.issue(&document).await;
    assert_eq!(issued.body["number"], "1/2026", "{}", issued.text);
    assert_eq!(issued.body["taxes"]["payable"], "1050.00");
    let paper = host.get(&format!("{path}/forms/plain-invoice")).await;
    assert!(paper.status == 200 && paper.text.contains("1/2026"), "{}", paper.text);
    let decisions = host.get(&format!("{path}/decisions")).await.body;
    let modules: Vec<&Value> =
        decisions["items"].as_array().unwrap().iter().map(|item| &item["module"]["id"]).collect();
    assert_eq!(modules, ["flat-tax", "flat-tax", "plain-pack"]);
    withdraw(&host, "demo", 2).await;
    assert_eq!(host.taxes(&document).await["tax_added"], "0");
    assert_eq!(host.get(&format!("{path}/forms/plain-invoice")).await.text, paper.text);
}

async fn where_a_module_fails_the_one_before_it_answers_and_it_is_told(on: On) {
    let host = plain(on).await;
    let trapping = sale("trap", "1");
    // It exports a tax module's interface, besides a pack's.
    activate(&host, "demo", "unruly", World::TaxModule, "{}", OnFailure::Previous).await;
    assert_eq!(host.taxes(&sale("standard", "1")).await["tax_added"], "130.00");
    // No tax module was before it: the pack was.
    assert_eq!(host.taxes(&trapping).await["tax_added"], "0");
    withdraw(&host, "demo", 2).await;
    activate(&host, "demo", "flat-tax", World::TaxModule, "{}", OnFailure::Block).await;
    activate(&host, "demo", "unruly", World::TaxModule, "{}", OnFailure::Previous).await;
    assert_eq!(host.taxes(&trapping).await["tax_added"], "50.00");
    assert_eq!(host.get("/health").await.body["fallbacks"], 2);
    // A refusal is an answer: nobody else is asked.
    let refused = host.post("/v1/tax/determinations", &[], &sale("log", "1")).await;
    assert_eq!(refused.problem(), (422, "unruly"), "{}", refused.text);

    let (path, issued) = host.issue(&trapping).await;
    assert_eq!((issued.status.as_u16(), &issued.body["taxes"]["payable"]), (200, &json!("1050.00")));
    let decisions = host.get(&format!("{path}/decisions")).await.body;
    let fallbacks = decisions["fallbacks"].as_array().unwrap();
    let told: Vec<(u64, &str, &str)> = fallbacks
        .iter()
        .map(|told| {
            let text = |name: &str| told[name].as_str().unwrap();
            (told["version"].as_u64().unwrap(), text("module"), text("code"))
        })
        .collect();
    assert_eq!(told, [(1, "unruly", "module-trapped"), (3, "unruly", "module-trapped")]);
    assert_eq!(decisions["items"][0]["module"]["id"], "flat-tax");
    assert_eq!(host.get("/health").await.body["fallbacks"], 4);

    // One that blocks ends the turn, wherever it stands; the module in force is named.
    activate(&host, "demo", "unruly", World::TaxModule, r#"{"rate":"7"}"#, OnFailure::Block).await;
    let head = host.head().await;
    let failed = host.post("/v1/invoices", &[], &trapping).await;
    assert_eq!((failed.problem(), &failed.body["module"]), ((503, "module-trapped"), &json!("unruly")));
    assert_eq!(host.head().await, head);
    activate(&host, "demo", "unruly", World::TaxModule, r#"{"rate":"8"}"#, OnFailure::Previous).await;
    assert_eq!(host.post("/v1/invoices", &[], &trapping).await.problem(), (503, "module-trapped"));
    assert_eq!(host.get("/health").await.body["fallbacks"], 4);
}

on_both! {
    a_tax_module_answers_in_the_packs_place
    where_a_module_fails_the_one_before_it_answers_and_it_is_told
}
