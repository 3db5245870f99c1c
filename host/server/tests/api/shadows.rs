//! Activations in shadow: asked about what is recorded, told of where they differ, and never in the way.

use std::time::Duration;

use niyam::Role;
use niyam_modules::digest_hex;
use serde_json::{Value, json};

use crate::erasure::{PERSONAL, everything, rahima};
use crate::harness::{Answer, On, TestHost, guest, on_both, sale};

const GUESTS: &[&str] = &["unruly-policy"];

/// Activates the component `name` of demo in shadow; its path.
async fn shadow(host: &TestHost, name: &str, config: &Value) -> String {
    let body = json!({
        "module": digest_hex(&guest(name)), "effective_from": "2026-08-01", "config": config, "state": "shadow",
    });
    let activated = host.post("/v1/activations", &[], &body).await;
    assert_eq!(activated.status, 201, "{}", activated.text);
    activated.header("location").to_owned()
}

/// What the shadow at `path` counted once it has seen all that is recorded.
async fn counts(host: &TestHost, path: &str) -> Value {
    let head = host.head().await.0;
    for _ in 0..600 {
        let shown = host.get(path).await;
        assert_eq!(shown.status, 200, "{}", shown.text);
        if shown.body["shadow"]["up_to"].as_u64().unwrap() >= head {
            return shown.body["shadow"].clone();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{path} does not come to {head}");
}

async fn differences(host: &TestHost, path: &str) -> Answer {
    let answer = host.get(&format!("{path}/differences")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer
}

async fn a_pack_in_shadow_is_asked_beside_the_one_in_force(on: On) {
    let host = TestHost::new(on).await;
    // What was recorded before is not its business.
    host.draft(&sale("standard", "7")).await;
    let path = shadow(&host, "unruly", &json!({"rate": "13"})).await;
    assert_eq!(counts(&host, &path).await["asked"], 0);
    let (_, issued) = host.issue(&sale("standard", "1")).await;
    assert_eq!((issued.status.as_u16(), &issued.body["taxes"]["tax_added"]), (200, &json!("150.00")));
    // Before the first day that it answers for.
    let mut earlier = sale("standard", "1");
    earlier["tax_date"] = json!("2026-07-31");
    host.draft(&earlier).await;

    // The draft's taxes, those of the issue, and the issue itself.
    let counted = counts(&host, &path).await;
    assert_eq!((&counted["asked"], &counted["same"]), (&json!(3), &json!(0)), "{counted}");
    assert_eq!((&counted["differ"], &counted["failed"]), (&json!(3), &json!(0)), "{counted}");
    assert_eq!(counted["given_up"], false);
    assert_eq!(host.get("/health").await.body["shadow_differences"], 3);
    let told = differences(&host, &path).await.body;
    let items = told["items"].as_array().unwrap();
    let functions: Vec<&str> = items.iter().map(|item| item["function"].as_str().unwrap()).collect();
    assert_eq!(functions, ["prepare-issue", "determine", "determine"], "the last one first");
    assert_eq!(items[0]["kind"], "plan");
    assert!(items[0]["fields"].as_array().unwrap().contains(&json!("series")), "{}", items[0]);
    let taxes = &items[1];
    assert_eq!((&taxes["kind"], &taxes["number"]), (&json!("amounts"), &json!("1/2026-2027")));
    assert_eq!(taxes["answer_before"]["lines"][0]["taxes"][0]["rate"], "15");
    assert_eq!(taxes["answer_after"]["lines"][0]["taxes"][0]["rate"], "13");

    // Page by page.
    let first = host.get(&format!("{path}/differences?limit=2")).await.body;
    let next = first["next"].as_str().unwrap();
    let rest = host.get(&format!("{path}/differences?limit=2&after={next}")).await.body;
    assert_eq!((first["items"].as_array().unwrap().len(), rest["items"].as_array().unwrap().len()), (2, 1));
    assert_eq!((rest.get("next"), &rest["items"][0]), (None, &items[2]));
    let beyond = host.get("/v1/activations/9/differences").await;
    assert_eq!(beyond.problem(), (404, "activation-not-found"), "{}", beyond.text);

    // It goes on where it was.
    let host = host.restart().await;
    assert_eq!(counts(&host, &path).await, counted);
    host.draft(&sale("standard", "2")).await;
    assert_eq!(counts(&host, &path).await["asked"], 4);
    // Withdrawn, it is asked no more, and what it told stays.
    let etag = host.get(&path).await.etag;
    let withdrawn = host.post(&format!("{path}/withdraw"), &[("if-match", &etag)], &json!({})).await;
    assert_eq!(withdrawn.status, 200, "{}", withdrawn.text);
    let other = shadow(&host, "unruly", &json!({"rate": "14"})).await;
    host.draft(&sale("standard", "3")).await;
    assert_eq!(counts(&host, &other).await["asked"], 1);
    assert_eq!(host.get(&path).await.body["shadow"]["asked"], 4);
}

async fn the_same_pack_in_shadow_answers_the_same(on: On) {
    let host = TestHost::new(on).await;
    let bundled = host.get("/v1/activations/1").await.body;
    assert_eq!(bundled.get("shadow"), None);
    let body = json!({
        "module": bundled["module"]["digest"], "effective_from": "2026-08-01", "config": bundled["config"],
        "state": "shadow",
    });
    let path = host.post("/v1/activations", &[], &body).await.header("location").to_owned();
    host.issue(&sale("standard", "1")).await;
    let counted = counts(&host, &path).await;
    assert_eq!((&counted["asked"], &counted["same"]), (&json!(3), &json!(3)), "{counted}");
    assert_eq!(differences(&host, &path).await.body["items"], json!([]));
}

async fn a_policy_in_shadow_rules_beside_those_in_force_and_fails_no_command(on: On) {
    let host = TestHost::knowing(on, GUESTS).await;
    let denying = shadow(&host, "unruly-policy", &json!({"denied": "approve-invoice"})).await;
    let failing = shadow(&host, "unruly-policy", &json!({"failing": "draft-invoice"})).await;
    let asking = shadow(&host, "unruly-policy", &json!({"asking": "change-profile"})).await;
    let (invoice, issued) = host.issue(&rahima()).await;
    assert_eq!(issued.status, 200, "{}", issued.text);
    let etag = host.get("/v1/tenant").await.etag;
    let profile = json!({"legal_name": "Another Ltd", "address": "7 Agrabad"});
    assert_eq!(host.put("/v1/tenant", &[("if-match", &etag)], &profile).await.status, 200);

    // Drafted, approved, issued, and the profile: an info is found where nothing was asked.
    let counted = counts(&host, &denying).await;
    assert_eq!(
        (&counted["asked"], &counted["differ"], &counted["other_reasons"]),
        (&json!(4), &json!(1), &json!(3)),
        "{counted}"
    );
    let told = differences(&host, &denying).await.body;
    let denied = told["items"].as_array().unwrap().iter().find(|item| item["kind"] == "ruling").unwrap();
    assert_eq!((&denied["function"], &denied["ruling"]), (&json!("evaluate"), &json!("deny")), "{denied}");
    assert_eq!((&denied["command"], &denied["codes"]), (&json!("approve-invoice"), &json!(["denied"])));
    assert!(invoice.ends_with(denied["invoice"].as_str().unwrap()), "{denied}");
    assert_eq!(counts(&host, &failing).await["failed"], 1);
    let told = differences(&host, &failing).await.body;
    let failed = told["items"].as_array().unwrap().iter().find(|item| item["kind"] == "failed").unwrap();
    assert_eq!((failed.get("ruling"), &failed["codes"]), (None, &json!(["module-trapped"])));
    assert_eq!(counts(&host, &asking).await["differ"], 1);
    let told = differences(&host, &asking).await.body;
    assert_eq!(
        (&told["items"][0]["ruling"], &told["items"][0]["command"]),
        (&json!("needs-approval"), &json!("change-profile"))
    );
    // What the policy said has the document in it; what is kept of it does not.
    let stored = everything(&host).await;
    for personal in PERSONAL {
        assert!(!stored.contains(personal), "{personal} lies in the database");
    }
}

async fn what_was_erased_is_not_asked_about_again(on: On) {
    let host = TestHost::knowing(on, GUESTS).await;
    let pack = shadow(&host, "unruly", &json!({"rate": "13"})).await;
    let policy = shadow(&host, "unruly-policy", &json!({"denied": "approve-invoice"})).await;
    host.issue(&rahima()).await;
    let before = (counts(&host, &pack).await, counts(&host, &policy).await);
    assert_eq!((&before.0["asked"], &before.1["asked"]), (&json!(3), &json!(3)), "{before:?}");
    let erase = json!({"reason": "asked by letter"});
    let erased = host.post("/v1/data-subjects/c-1042/erase", &[], &erase).await;
    assert_eq!(erased.status, 200, "{}", erased.text);
    let told = differences(&host, &pack).await;
    let taxes = &told.body["items"][1];
    assert_eq!((&taxes["erased"], taxes.get("answer_after")), (&json!(true), None), "{taxes}");
    assert!(PERSONAL.iter().all(|personal| !told.text.contains(personal)), "{}", told.text);
    // Begun again, it leaves out what it cannot be asked.
    assert_eq!(host.tamper("update shadows set position = 0, counts = replace(counts, '3', '0')").await, 2);
    host.draft(&sale("standard", "1")).await;
    let after = (counts(&host, &pack).await, counts(&host, &policy).await);
    assert_eq!((&after.0["asked"], &after.0["erased"]), (&json!(1), &json!(2)), "{after:?}");
    assert_eq!((&after.1["asked"], &after.1["erased"]), (&json!(1), &json!(3)), "{after:?}");
}

async fn a_shadow_is_its_tenants_alone(on: On) {
    let host = TestHost::knowing(on, GUESTS).await;
    host.tenant("other", "vat-bd").await;
    let path = shadow(&host, "unruly", &json!({"rate": "13"})).await;
    let other = host.bearer("other", &[Role::Accountant]);
    let headers = [("authorization", other.as_str())];
    assert_eq!(host.post("/v1/invoices", &headers, &sale("standard", "1")).await.status, 201);
    host.draft(&sale("standard", "1")).await;
    assert_eq!(counts(&host, &path).await["asked"], 1);
    let theirs = host.get_with(&format!("{path}/differences"), &headers).await;
    assert_eq!(theirs.problem(), (404, "activation-not-found"), "{}", theirs.text);
    let first = host.get_with("/v1/activations/1/differences", &headers).await;
    assert_eq!((first.status.as_u16(), &first.body["items"]), (200, &json!([])));
    // Whoever reads may look; a stranger may not.
    let nobody = host.get_with(&format!("{path}/differences"), &[("authorization", "Bearer x")]).await;
    assert_eq!(nobody.status, 401);
}

on_both! {
    a_pack_in_shadow_is_asked_beside_the_one_in_force
    the_same_pack_in_shadow_answers_the_same
    a_policy_in_shadow_rules_beside_those_in_force_and_fails_no_command
    what_was_erased_is_not_asked_about_again
    a_shadow_is_its_tenants_alone
}
