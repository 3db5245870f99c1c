//! The proof of a decision: the stored component, run again on the stored input, says the same at the same cost.

use niyam_domain::{Assessment, Decision};
use niyam_modules::{ModuleHost, digest_hex};
use niyam_values::{Date, IssuePlan};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::harness::{On, TestHost, on_both, sale, set};

fn read<T: DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

/// The decision as `GET …/decisions` shows it.
fn assert_shown(decision: &Decision, shown: &Value) {
    assert_eq!(shown["function"], *decision.function);
    assert_eq!(shown["module"]["digest"], *decision.module.digest);
    assert_eq!(shown["config_digest"], *decision.config_digest);
    assert_eq!(shown["input_digest"], *decision.input_digest);
    assert_eq!(shown["output_digest"], *decision.output_digest);
    assert_eq!(shown["fuel"], decision.fuel);
}

async fn each_decision_of_an_issued_invoice_can_be_made_again(on: On) {
    let host = TestHost::new(on).await;
    let mut document = sale("S004.00", "2");
    set(&mut document, "/customer/attributes", json!({"withholding_entity": "true"}));
    let (path, draft) = host.draft(&document).await;
    set(&mut document, "/lines/0/attributes", json!({"sd_rate": "12.5", "sd_basis": "Second Schedule"}));
    let revised = host.put(&path, &[("if-match", &draft.etag)], &document).await;
    let approved = host.change(&path, "approve", &revised.etag).await;
    let issued = host.change(&path, "issue", &approved.etag).await;
    assert_eq!(issued.status, 200, "{}", issued.text);
    // Neither a restart nor a new configuration changes what was decided.
    let host = host.restart().await;
    let whole = Some(r#"{"rounding":{"places":0}}"#);
    let (tenant, day) = ("demo".parse().unwrap(), jiff::civil::date(2020, 1, 1));
    niyam::activate_pack(host.server.app(), &tenant, "vat-bd", day, whole).await.unwrap();

    let events = host.get(&format!("{path}/events")).await.body;
    let shown = host.get(&format!("{path}/decisions")).await.body;
    let mut shown = shown["items"].as_array().unwrap().iter();
    let activations = host.get("/v1/tenant").await.body["activations"].clone();
    let cache = tempfile::tempdir().unwrap();
    let modules = ModuleHost::new(cache.path().to_owned()).unwrap();
    let mut made_again = 0;
    for event in events["items"].as_array().unwrap() {
        let payload = &event["payload"];
        if !payload["assessment"].is_object() {
            continue;
        }
        let Assessment { document, taxes, decision } = read(&payload["assessment"]);
        // The component by its digest, the configuration by its own, from where they were put.
        let digest = hex::decode(&decision.module.digest).unwrap().try_into().unwrap();
        let component = host.server.app().store().component(&digest).await.unwrap().unwrap();
        let module = modules.load(&component).unwrap();
        let configs = activations.as_array().unwrap().iter().map(|found| found["config"].to_string());
        let config = configs
            .into_iter()
            .find(|config| digest_hex(config.as_bytes()) == decision.config_digest)
            .expect("an activation has the configuration");

        let again = module.determine(&config, &document).unwrap();
        assert_eq!(again.decision, decision);
        assert_eq!(again.answer.unwrap(), taxes);
        assert_shown(&decision, shown.next().unwrap());
        made_again += 1;
        // The digests depend on what they are of: another input, another configuration.
        let mut other = document.clone();
        other.lines[0].quantity += niyam_values::Decimal::ONE;
        let other = module.determine(&config, &other).unwrap().decision;
        assert_ne!(other.input_digest, decision.input_digest);
        assert_ne!(other.output_digest, decision.output_digest);
        let other = module.determine(r#"{"rounding":{"places":1}}"#, &document).unwrap().decision;
        assert_ne!(other.config_digest, decision.config_digest);
        if event["type"] == "invoice.issued.v1" {
            let issued_on: Date = read(&payload["facts"]["issued_on"]);
            let again = module.prepare_issue(&config, &document, &taxes, issued_on).unwrap();
            let decision: Decision = read(&payload["plan_decision"]);
            assert_eq!(again.decision, decision);
            assert_eq!(again.answer.unwrap(), read::<IssuePlan>(&payload["plan"]));
            assert_shown(&decision, shown.next().unwrap());
            made_again += 1;
        }
    }
    assert_eq!((made_again, shown.next()), (4, None));
}

on_both! { each_decision_of_an_issued_invoice_can_be_made_again }
