//! Whose modules are taken, and whose are activated.

use niyam::Role;
use serde_json::json;

use super::shop::{Publisher, brought, digest, from, guest, marked, ready, settled, upload, upload_as};
use crate::harness::{On, TestHost, on_both};

async fn a_module_is_brought_once_and_signed_by_several(on: On) {
    let host = TestHost::new(on).await;
    let (acme, bose) =
        (Publisher::trusted(&host, "acme", 1).await, Publisher::trusted(&host, "bose", 2).await);
    let component = guest("plain-pack");
    let name = digest(&component);
    let first = upload(&host, component.clone(), &[acme.sign(&component)]).await;
    assert_eq!(first.status, 202, "{}", first.text);
    assert_eq!(first.header("location"), format!("/v1/modules/{name}"));
    assert_eq!((&first.body["digest"], &first.body["trust"]), (&json!(name), &json!("trusted")));
    let module = settled(&host, &format!("Bearer {}", host.token), &name).await;
    assert_eq!((&module["state"], &module["manifest"]["id"]), (&json!("ready"), &json!("plain-pack")));
    assert_eq!(module["manifest"]["world"], "compliance-module");
    assert_eq!(module["manifest"]["config_schema"]["type"], "object");
    let again = upload(&host, component.clone(), &[bose.sign(&component)]).await;
    assert_eq!((again.status.as_u16(), &again.body["state"]), (200, &json!("ready")), "{}", again.text);
    let mut signers = [acme.key_id(), bose.key_id()];
    signers.sort();
    assert_eq!(again.body["signed_by"], json!(signers));
    assert_eq!(brought(&host).await, [name]);
}

async fn what_is_not_signed_by_a_trusted_key_is_not_kept(on: On) {
    let host = TestHost::new(on).await;
    let acme = Publisher::trusted(&host, "acme", 1).await;
    let bose = Publisher::trusted(&host, "bose", 2).await;
    let gone = Publisher::trusted(&host, "gone", 3).await;
    assert!(host.server.app().store().revoke_publisher(&gone.key_id()).await.unwrap());
    let stranger = Publisher::new(4);
    let (component, other) = (guest("plain-pack"), guest("flat-tax"));
    let sound = acme.sign(&component);
    let forged = format!("{}:{}", acme.key_id(), bose.sign(&component).split_once(':').unwrap().1);
    for (signatures, code) in [
        (vec![], "signature-missing"),
        (vec![String::new()], "signature-malformed"),
        (vec![sound[..sound.len() - 4].to_owned()], "signature-malformed"),
        (vec![sound.clone(); 9], "signature-malformed"),
        (vec![forged], "signature-invalid"),
        (vec![acme.sign(&other)], "signature-invalid"),
        // The bare digest, signed for whatever purpose, is no signature of a module.
        (vec![acme.over(&hex::decode(digest(&component)).unwrap())], "signature-invalid"),
        (vec![stranger.sign(&component)], "publisher-unknown"),
        (vec![gone.sign(&component)], "publisher-revoked"),
        (vec![stranger.sign(&component), gone.sign(&component)], "publisher-unknown"),
        // One that is false spoils those that hold.
        (vec![sound, bose.sign(&other)], "signature-invalid"),
    ] {
        let refused = upload(&host, component.clone(), &signatures).await;
        assert_eq!(refused.problem(), (422, code), "{}", refused.text);
    }
    assert_eq!(brought(&host).await, [""; 0]);
    let shown = host.get(&format!("/v1/modules/{}", digest(&component))).await;
    assert_eq!(shown.problem(), (404, "module-not-found"));
}

async fn signatures_by_keys_that_nobody_trusts_count_for_nothing_and_are_told(on: On) {
    let host = TestHost::new(on).await;
    let acme = Publisher::trusted(&host, "acme", 1).await;
    let gone = Publisher::trusted(&host, "gone", 3).await;
    assert!(host.server.app().store().revoke_publisher(&gone.key_id()).await.unwrap());
    let stranger = Publisher::new(4);
    let component = guest("plain-pack");
    let signatures = [stranger.sign(&component), acme.sign(&component), gone.sign(&component)];
    let uploaded = upload(&host, component.clone(), &signatures).await;
    assert_eq!(uploaded.status, 202, "{}", uploaded.text);
    assert_eq!(uploaded.body["signed_by"], json!([acme.key_id()]), "{}", uploaded.text);
    let ignored = json!([
        {"key_id": stranger.key_id(), "code": "publisher-unknown"},
        {"key_id": gone.key_id(), "code": "publisher-revoked"},
    ]);
    assert_eq!(uploaded.body["ignored_signatures"], ignored, "{}", uploaded.text);
    // They are not kept, and two are still wanted where two are.
    let shown = host.get(&format!("/v1/modules/{}", digest(&component))).await.body;
    assert_eq!((&shown["signed_by"], shown.get("ignored_signatures")), (&json!([acme.key_id()]), None));
    let etag = host.get("/v1/module-policy").await.etag;
    let policy = json!({"publishers": null, "signatures": 2});
    assert_eq!(host.put("/v1/module-policy", &[("if-match", &etag)], &policy).await.status, 200);
    let again = upload(&host, component.clone(), &signatures).await;
    assert_eq!(
        (again.status.as_u16(), &again.body["trust"]),
        (200, &json!("not-accepted")),
        "{}",
        again.text
    );
}

async fn a_tenant_accepts_some_publishers_alone(on: On) {
    let host = TestHost::new(on).await;
    host.tenant("strict", "vat-bd").await;
    let bearer = host.bearer("strict", &[Role::TenantAdmin]);
    let strict = [("authorization", bearer.as_str())];
    let (acme, bose) =
        (Publisher::trusted(&host, "acme", 1).await, Publisher::trusted(&host, "bose", 2).await);
    let policy = host.get_with("/v1/module-policy", &strict).await;
    assert_eq!(policy.body, json!({"publishers": null, "signatures": 1}));
    let wanted = json!({"publishers": ["bose"], "signatures": 1});
    let unmatched = host.put("/v1/module-policy", &strict, &wanted).await;
    assert_eq!(unmatched.problem(), (428, "if-match-missing"));
    let matched = [strict[0], ("if-match", policy.etag.as_str())];
    assert_eq!(host.put("/v1/module-policy", &matched, &wanted).await.status, 200);
    let stale = host.put("/v1/module-policy", &matched, &wanted).await;
    assert_eq!(stale.problem(), (412, "version-mismatch"));

    let component = guest("plain-pack");
    let name = ready(&host, &acme, component.clone()).await;
    // What another tenant brought is not there.
    let hidden = host.get_with(&format!("/v1/modules/{name}"), &strict).await;
    assert_eq!(hidden.problem(), (404, "module-not-found"));
    let wanted = from(&name, "2026-08-01");
    let refused = host.post("/v1/activations", &strict, &wanted).await;
    assert_eq!(refused.problem(), (404, "module-not-found"));
    // Brought by the tenant itself, it is there, but not accepted.
    let own = upload_as(&host, &bearer, component.clone(), &[acme.sign(&component)]).await;
    assert_eq!((own.status.as_u16(), &own.body["trust"]), (202, &json!("not-accepted")), "{}", own.text);
    let head = host.server.app().store().head(&"strict".parse().unwrap()).await.unwrap();
    let refused = host.post("/v1/activations", &strict, &wanted).await;
    assert_eq!(refused.problem(), (422, "module-not-accepted"), "{}", refused.text);
    assert_eq!(host.server.app().store().head(&"strict".parse().unwrap()).await.unwrap(), head);
    // The tenant without such a policy activates it.
    let activated = host.post("/v1/activations", &[], &wanted).await;
    assert_eq!(activated.status, 201, "{}", activated.text);
    // A signature of the publisher that is accepted makes it so.
    upload_as(&host, &bearer, component.clone(), &[bose.sign(&component)]).await;
    let activated = host.post("/v1/activations", &strict, &wanted).await;
    assert_eq!(activated.status, 201, "{}", activated.text);
}

async fn a_revoked_key_flags_what_is_active_and_stops_what_is_new(on: On) {
    let host = TestHost::new(on).await;
    let acme = Publisher::trusted(&host, "acme", 1).await;
    let name = ready(&host, &acme, guest("plain-pack")).await;
    let activated = host.post("/v1/activations", &[], &from(&name, "2026-08-01")).await;
    assert_eq!(activated.status, 201, "{}", activated.text);
    let path = activated.header("location").to_owned();
    assert_eq!(host.get(&path).await.body["trust"], "trusted");
    assert_eq!(host.get("/health").await.body["publishers_revoked"], 0);

    assert!(host.server.app().store().revoke_publisher(&acme.key_id()).await.unwrap());
    let refused = host.post("/v1/activations", &[], &from(&name, "2026-09-01")).await;
    assert_eq!(refused.problem(), (422, "module-not-accepted"), "{}", refused.text);
    let list = host.get("/v1/activations").await.body;
    let trust: Vec<_> = list["items"].as_array().unwrap().iter().map(|item| &item["trust"]).collect();
    assert_eq!(trust, [&json!("bundled"), &json!("revoked")]);
    let health = host.get("/health").await.body;
    assert_eq!((&health["publishers_revoked"], &health["status"]), (&json!(1), &json!("ok")));
    // It decides on until another one takes over.
    let taxes = host.taxes(&crate::harness::sale("standard", "1")).await;
    assert_eq!(taxes["lines"][0]["taxes"], json!([]), "{taxes}");
    // A key that was revoked is not added anew.
    let store = host.server.app().store();
    assert!(!store.add_publisher(&acme.key_id(), "acme", &acme.public_key()).await.unwrap());
    let component = marked(guest("plain-pack"), 1);
    let refused = upload(&host, component.clone(), &[acme.sign(&component)]).await;
    assert_eq!(refused.problem(), (422, "publisher-revoked"));
}

#[tokio::test(flavor = "multi_thread")]
async fn modules_are_the_administrators_business() {
    let host = TestHost::new(On::Sqlite).await;
    let acme = Publisher::trusted(&host, "acme", 1).await;
    let component = guest("plain-pack");
    for role in [Role::Viewer, Role::Accountant, Role::Approver] {
        let bearer = host.bearer("demo", &[role]);
        let headers = [("authorization", bearer.as_str()), ("if-match", "\"1\"")];
        let uploaded = upload_as(&host, &bearer, component.clone(), &[acme.sign(&component)]).await;
        let policy = host.put("/v1/module-policy", &headers, &json!({"signatures": 1})).await;
        let activated =
            host.post("/v1/activations", &headers, &from(&digest(&component), "2026-08-01")).await;
        let withdrawn = host.post("/v1/activations/1/withdraw", &headers, &json!({})).await;
        for refused in [uploaded, policy, activated, withdrawn] {
            assert_eq!(refused.problem(), (403, "role-missing"), "{role:?}: {}", refused.text);
        }
    }
    assert_eq!(brought(&host).await, [""; 0]);
}

on_both! {
    a_module_is_brought_once_and_signed_by_several
    what_is_not_signed_by_a_trusted_key_is_not_kept
    signatures_by_keys_that_nobody_trusts_count_for_nothing_and_are_told
    a_tenant_accepts_some_publishers_alone
    a_revoked_key_flags_what_is_active_and_stops_what_is_new
}
