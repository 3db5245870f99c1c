//! The tenant's policies: asked before a command commits, in order, and about that tenant alone.

use niyam::Role;
use niyam_domain::{OnFailure, World};
use serde_json::{Value, json};

use crate::activating::{activate, withdraw};
use crate::harness::{On, TestHost, on_both, sale};

const GUESTS: &[&str] = &["credit-guard", "unruly-policy", "cancel-guard"];
const CREDIT: &str = r#"{"currency":"BDT","days_back_max":7,"default_limit":"1150.00","warn_percent":90}"#;

pub async fn policy(host: &TestHost, tenant: &str, guest: &str, config: &str) {
    activate(host, tenant, guest, World::PolicyModule, config, OnFailure::Block).await;
}

async fn head(host: &TestHost) -> niyam_store::Head {
    host.server.app().store().head(&"demo".parse().unwrap()).await.unwrap().unwrap()
}

async fn what_a_policy_denies_commits_nothing(on: On) {
    let host = TestHost::knowing(on, GUESTS).await;
    policy(&host, "demo", "credit-guard", CREDIT).await;
    let before = head(&host).await;
    let denied = host.post("/v1/invoices", &[], &sale("standard", "2")).await;
    assert_eq!(denied.problem(), (422, "policy-denied"), "{}", denied.text);
    assert_eq!(denied.body["module"], "credit-guard");
    let finding = &denied.body["errors"][0];
    assert_eq!((&finding["code"], &finding["severity"]), (&json!("credit-limit-exceeded"), &json!("error")));
    assert!(denied.body["detail"].as_str().unwrap().contains("2300.00"), "{}", denied.text);
    let mut back_dated = sale("standard", "1");
    back_dated["tax_date"] = json!("2026-08-07");
    let denied = host.post("/v1/invoices", &[("idempotency-key", "k")], &back_dated).await;
    assert_eq!(denied.body["errors"][0]["code"], "back-dated", "{}", denied.text);
    assert_eq!(head(&host).await, before);

    // At the boundary of both rules it goes on.
    back_dated["tax_date"] = json!("2026-08-08");
    let (path, approved) = host.approve(&back_dated).await;
    let before = head(&host).await;
    let revised = host.put(&path, &[("if-match", &approved.etag)], &sale("standard", "2")).await;
    assert_eq!(revised.problem(), (422, "policy-denied"), "{}", revised.text);
    // The next day in Dhaka, which is still today in UTC, it is too late for the issue.
    host.clock.set("2026-08-15T18:30:00Z");
    let late = host.change(&path, "issue", &approved.etag).await;
    assert_eq!(late.problem(), (422, "policy-denied"), "{}", late.text);
    assert_eq!(head(&host).await, before);
    // No number was drawn for it.
    withdraw(&host, "demo", 2).await;
    let issued = host.change(&path, "issue", &approved.etag).await;
    assert_eq!(issued.body["number"], "1/2026-2027", "{}", issued.text);
    host.draft(&sale("standard", "2")).await;
}

async fn what_a_policy_finds_is_told_and_kept(on: On) {
    let host = TestHost::knowing(on, GUESTS).await;
    policy(&host, "demo", "credit-guard", CREDIT).await;
    let headers = [("idempotency-key", "order-17")];
    let draft = host.post("/v1/invoices", &headers, &sale("standard", "1")).await;
    assert_eq!(draft.status, 201, "{}", draft.text);
    let finding = &draft.body["policy_findings"][0];
    assert_eq!((&finding["module"], &finding["code"]), (&json!("credit-guard"), &json!("credit-limit-near")));
    assert_eq!(finding["severity"], "warning");
    let path = draft.header("location").to_owned();
    assert_eq!(host.get(&path).await.body.get("policy_findings"), None);

    let decisions = host.get(&format!("{path}/decisions")).await.body;
    assert_eq!(decisions["items"].as_array().unwrap().len(), 2, "{decisions}");
    let kept = &decisions["items"][1];
    assert_eq!((&kept["function"], &kept["module"]["id"]), (&json!("evaluate"), &json!("credit-guard")));
    assert_eq!((&kept["version"], &kept["event_type"]), (&json!(1), &json!("invoice.drafted.v1")));
    assert_eq!(
        (&kept["policy"]["ruling"], &kept["policy"]["today"]),
        (&json!("allow"), &json!("2026-08-15"))
    );
    assert_eq!(kept["policy"]["findings"][0]["code"], "credit-limit-near");
    assert!(kept["fuel"].as_u64().unwrap() > 0 && kept["input_digest"].as_str().unwrap().len() == 64);
    assert_eq!(decisions.get("fallbacks"), None);

    // Nothing found, nothing told; the ruling is kept all the same.
    let (small, answer) = host.draft(&sale("standard", "0.5")).await;
    assert_eq!(answer.body.get("policy_findings"), None);
    let decisions = host.get(&format!("{small}/decisions")).await.body;
    assert_eq!(decisions["items"][1]["policy"]["findings"], json!([]));

    // A repetition is answered as the first time, whatever the policies say by now.
    policy(&host, "demo", "unruly-policy", r#"{"denied":"draft-invoice"}"#).await;
    let again = host.post("/v1/invoices", &headers, &sale("standard", "1")).await;
    assert!(again.replayed && again.text == draft.text, "{}", again.text);
    let new = host.post("/v1/invoices", &[], &sale("standard", "1")).await;
    assert_eq!((new.problem(), &new.body["module"]), ((422, "policy-denied"), &json!("unruly-policy")));
}

async fn a_policy_may_want_an_approval(on: On) {
    let host = TestHost::knowing(on, GUESTS).await;
    policy(&host, "demo", "cancel-guard", "{}").await;
    let (path, approved) = host.approve(&sale("standard", "1")).await;
    let bearer = host.bearer("demo", &[Role::Accountant]);
    let headers = [("authorization", bearer.as_str()), ("if-match", approved.etag.as_str())];
    let before = head(&host).await;
    let issue = format!("{path}/issue");
    let asked = host.post(&issue, &headers, &json!({})).await;
    assert_eq!(asked.problem(), (409, "approval-required"), "{}", asked.text);
    assert_eq!(asked.body["module"], "cancel-guard");
    assert!(asked.body["detail"].as_str().unwrap().contains("rahima is no approver"), "{}", asked.text);
    assert_eq!(head(&host).await, before);
    assert_eq!(host.change(&path, "issue", &approved.etag).await.status, 200);

    let (path, draft) = host.draft(&sale("standard", "1")).await;
    let headers = [("authorization", bearer.as_str()), ("if-match", draft.etag.as_str())];
    let cancel = host.post(&format!("{path}/cancel"), &headers, &json!({"reason": "twice"})).await;
    assert_eq!(cancel.body["errors"][0]["code"], "approver-only", "{}", cancel.text);
    assert_eq!(host.change(&path, "cancel", &draft.etag).await.body["status"], "cancelled");
}

async fn a_policy_that_fails_blocks_or_the_one_before_it_answers(on: On) {
    let host = TestHost::knowing(on, GUESTS).await;
    let failing = r#"{"failing":"draft-invoice"}"#;
    let document = sale("standard", "1");
    // Nothing of the same id was before it, and another policy does not answer in its place.
    policy(&host, "demo", "credit-guard", r#"{"currency":"BDT"}"#).await;
    activate(&host, "demo", "unruly-policy", World::PolicyModule, failing, OnFailure::Previous).await;
    let activated = head(&host).await;
    // What failed is no answer: the same key is free for the next try.
    let headers = [("idempotency-key", "order-17")];
    let failed = host.post("/v1/invoices", &headers, &document).await;
    assert_eq!(failed.problem(), (503, "module-trapped"), "{}", failed.text);
    assert_eq!(failed.body["module"], "unruly-policy");
    assert_eq!(head(&host).await, activated);
    withdraw(&host, "demo", 3).await;
    policy(&host, "demo", "unruly-policy", "{}").await;
    assert_eq!(host.post("/v1/invoices", &headers, &document).await.status, 201);
    assert_eq!(host.get("/health").await.body["fallbacks"], 0);

    // Number 4 answers for number 5, and it is told.
    activate(&host, "demo", "unruly-policy", World::PolicyModule, failing, OnFailure::Previous).await;
    let (path, draft) = host.draft(&document).await;
    assert_eq!(draft.body["policy_findings"][0]["code"], "roles", "{}", draft.text);
    let decisions = host.get(&format!("{path}/decisions")).await.body;
    let fallback = &decisions["fallbacks"][0];
    assert_eq!((&fallback["module"], &fallback["code"]), (&json!("unruly-policy"), &json!("module-trapped")));
    assert_eq!(fallback["digest"], decisions["items"][2]["module"]["digest"]);
    assert_eq!(host.get("/health").await.body["fallbacks"], 1);
    // What does not make it fail, it rules on itself.
    assert_eq!(host.change(&path, "approve", &draft.etag).await.status, 200);
    assert_eq!(host.get("/health").await.body["fallbacks"], 1);

    let blocking = head(&host).await;
    policy(&host, "demo", "unruly-policy", failing).await;
    let failed = host.post("/v1/invoices", &[], &document).await;
    assert_eq!(
        (failed.problem(), &failed.body["module"]),
        ((503, "module-trapped"), &json!("unruly-policy"))
    );
    assert_eq!(head(&host).await.last_position.0, blocking.last_position.0 + 1);
    // A policy that fails at everything can still be withdrawn.
    withdraw(&host, "demo", 6).await;
    host.draft(&document).await;
}

async fn policies_are_asked_in_order_and_of_their_tenant_alone(on: On) {
    let host = TestHost::knowing(on, GUESTS).await;
    host.tenant("other", "vat-bd").await;
    host.tenant("third", "vat-bd").await;
    let deny_all = r#"{"denied":"draft-invoice"}"#;
    let nothing = r#"{"currency":"BDT","default_limit":"0"}"#;
    policy(&host, "demo", "unruly-policy", deny_all).await;
    policy(&host, "demo", "credit-guard", nothing).await;
    policy(&host, "other", "credit-guard", nothing).await;
    policy(&host, "other", "unruly-policy", deny_all).await;
    let (other, third) =
        (host.bearer("other", &[Role::Accountant]), host.bearer("third", &[Role::Accountant]));
    let document = sale("standard", "1");
    let denied_by = async |headers: &[(&str, &str)]| -> Value {
        let answer = host.post("/v1/invoices", headers, &document).await;
        if answer.status == 201 { Value::Null } else { answer.body["module"].clone() }
    };
    assert_eq!(denied_by(&[]).await, "unruly-policy");
    assert_eq!(denied_by(&[("authorization", &other)]).await, "credit-guard");
    assert_eq!(denied_by(&[("authorization", &third)]).await, Value::Null);
    // A newer activation of the first one keeps its place.
    policy(&host, "demo", "unruly-policy", deny_all).await;
    assert_eq!(denied_by(&[]).await, "unruly-policy");
    // Withdrawn, the one before it counts again; with that withdrawn too, the next in the chain.
    withdraw(&host, "demo", 4).await;
    assert_eq!(denied_by(&[]).await, "unruly-policy");
    withdraw(&host, "demo", 2).await;
    assert_eq!(denied_by(&[]).await, "credit-guard");
    withdraw(&host, "demo", 3).await;
    assert_eq!(denied_by(&[]).await, Value::Null);
    assert_eq!(denied_by(&[("authorization", &other)]).await, "credit-guard");
}

async fn a_policy_is_asked_about_the_profile(on: On) {
    let host = TestHost::knowing(on, GUESTS).await;
    policy(&host, "demo", "unruly-policy", r#"{"denied":"change-profile"}"#).await;
    let before = head(&host).await;
    let etag = host.get("/v1/tenant").await.etag;
    let profile = json!({"legal_name": "Another Ltd", "address": "7 Agrabad"});
    let denied = host.put("/v1/tenant", &[("if-match", &etag)], &profile).await;
    assert_eq!(denied.problem(), (422, "policy-denied"), "{}", denied.text);
    let told = denied.body["errors"][0]["message"].as_str().unwrap();
    let asked = r#"rahima may not change-profile demo with {"today":"2026-08-15","profile":{"legal_name":"Another Ltd","#;
    assert!(told.starts_with(asked), "{told}");
    assert_eq!(head(&host).await, before);
    // What stays as it is changes nothing, so nobody is asked.
    let same = json!({
        "legal_name": "Niyam Demo Ltd", "address": "12 Motijheel, Dhaka",
        "identifiers": [{"kind": "bin", "value": "000828395-0207"}],
    });
    assert_eq!(host.put("/v1/tenant", &[("if-match", &etag)], &same).await.status, 200);

    policy(&host, "demo", "unruly-policy", r#"{"asking":"change-profile"}"#).await;
    let etag = host.get("/v1/tenant").await.etag;
    let asked = host.put("/v1/tenant", &[("if-match", &etag)], &profile).await;
    assert_eq!(asked.problem(), (409, "approval-required"), "{}", asked.text);
    policy(&host, "demo", "unruly-policy", "{}").await;
    let etag = host.get("/v1/tenant").await.etag;
    let changed = host.put("/v1/tenant", &[("if-match", &etag)], &profile).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    assert_eq!(changed.body["policy_findings"][0]["module"], "unruly-policy");
}

async fn a_policy_that_is_activated_meanwhile_is_asked(on: On) {
    let host = TestHost::knowing(on, GUESTS).await;
    let document = sale("standard", "1");
    let drafting = async {
        for _ in 0..12 {
            let drafts = (0..4).map(|_| host.post("/v1/invoices", &[], &document));
            for draft in futures::future::join_all(drafts).await {
                let denied = draft.problem() == (422, "policy-denied");
                assert!(draft.status == 201 || denied, "{}", draft.text);
            }
        }
    };
    let activating = async {
        while head(&host).await.last_position.0 < 12 {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        // As fast as a tenant changes, no command is refused for that.
        let etag = host.get("/v1/module-policy").await.etag;
        let two = json!({"publishers": null, "signatures": 2});
        assert_eq!(host.put("/v1/module-policy", &[("if-match", &etag)], &two).await.status, 200);
        let body = json!({
            "module": niyam_modules::digest_hex(&crate::harness::guest("unruly-policy")),
            "effective_from": "2020-01-01", "config": {"denied": "draft-invoice"},
        });
        let activated = host.post("/v1/activations", &[], &body).await;
        assert_eq!(activated.status, 201, "{}", activated.text);
    };
    tokio::join!(drafting, activating);
    // What the policy denies was recorded before it came, and not behind it.
    let store = host.server.app().store();
    let events = store.read(&"demo".parse().unwrap(), niyam_domain::Position(0), 1000).await.unwrap();
    let of = |event_type: &str| {
        let found = events.iter().filter(|event| event.event_type.starts_with(event_type));
        found.map(|event| event.position).max().unwrap()
    };
    assert!(of("invoice.drafted.") < of("module.activated."), "a draft came behind the policy");
}

on_both! {
    what_a_policy_denies_commits_nothing
    what_a_policy_finds_is_told_and_kept
    a_policy_may_want_an_approval
    a_policy_that_fails_blocks_or_the_one_before_it_answers
    policies_are_asked_in_order_and_of_their_tenant_alone
    a_policy_is_asked_about_the_profile
    a_policy_that_is_activated_meanwhile_is_asked
}
