//! Modules from outside: uploaded, trusted or not, compiled, activated, withdrawn; and those who try to get by.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use niyam::Role;
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::harness::{Answer, On, TestHost, on_both, open, sale, set};

/// A component of the SDK's examples.
fn component(name: &str) -> Vec<u8> {
    let guests = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/modules/guests/");
    std::fs::read(format!("{guests}{name}.wasm")).expect("`cargo xtask plugins` makes it")
}

/// A publisher that signs.
struct Publisher(SigningKey);

impl Publisher {
    async fn trusted(host: &TestHost, name: &str, seed: u8) -> Self {
        let publisher = Self(SigningKey::from_bytes(&[seed; 32]));
        let store = host.server.app().store();
        assert!(store.add_publisher(&publisher.id(), name, &publisher.public()).await.unwrap());
        publisher
    }

    fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    fn id(&self) -> String {
        hex::encode(&Sha256::digest(self.public())[..8])
    }

    /// The header's value for `component`.
    fn sign(&self, component: &[u8]) -> String {
        let statement = [b"niyam-module-v1\0".as_slice(), Sha256::digest(component).as_slice()].concat();
        format!("{}:{}", self.id(), STANDARD.encode(self.0.sign(&statement).to_bytes()))
    }
}

/// Uploads `component` with `signatures`, as a user of `tenant`.
async fn upload(host: &TestHost, tenant: &str, component: &[u8], signatures: &[&str]) -> Answer {
    let bearer = host.bearer(tenant, &[Role::TenantAdmin]);
    let mut request = reqwest::Client::new()
        .post(host.url("/v1/modules"))
        .header("authorization", bearer)
        .header("content-type", "application/wasm");
    for signature in signatures {
        request = request.header("niyam-signature", *signature);
    }
    Answer::read(request.body(component.to_vec()).send().await.unwrap()).await
}

/// The module's state once it is no longer on its way.
async fn settled(host: &TestHost, location: &str) -> Value {
    for _ in 0..600 {
        let state = host.get(location).await;
        assert_eq!(state.status, 200, "{}", state.text);
        if !["queued", "compiling"].contains(&state.body["state"].as_str().unwrap()) {
            return state.body;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{location} is compiled for ever");
}

/// Uploads and waits; the digest.
async fn ready(host: &TestHost, component: &[u8], signatures: &[&str]) -> String {
    let uploaded = upload(host, "demo", component, signatures).await;
    assert_eq!(uploaded.status, 202, "{}", uploaded.text);
    let state = settled(host, uploaded.header("location")).await;
    assert_eq!(state["state"], "ready", "{state}");
    state["digest"].as_str().unwrap().to_owned()
}

async fn a_module_is_uploaded_compiled_and_decides_from_its_date_on(on: On) {
    let host = TestHost::new(on).await;
    let acme = Publisher::trusted(&host, "acme", 1).await;
    let plain = component("plain-pack");
    let signature = acme.sign(&plain);
    let digest = ready(&host, &plain, &[&signature]).await;
    assert_eq!(digest, hex::encode(Sha256::digest(&plain)));
    let shown = host.get(&format!("/v1/modules/{digest}")).await.body;
    assert_eq!((&shown["trust"], &shown["signed_by"]), (&json!("trusted"), &json!([acme.id()])));
    assert_eq!(shown["manifest"]["world"], "compliance-module");
    // The same bytes again are the same module.
    let again = upload(&host, "demo", &plain, &[&signature]).await;
    assert_eq!((again.status.as_u16(), &again.body["state"]), (200, &json!("ready")));

    let wanted = json!({"module": digest, "effective_from": "2026-09-01"});
    let key = [("idempotency-key", "activate-1")];
    let activated = host.post("/v1/activations", &key, &wanted).await;
    assert_eq!(activated.status, 201, "{}", activated.text);
    assert_eq!(activated.header("location"), "/v1/activations/2");
    let repeated = host.post("/v1/activations", &key, &wanted).await;
    assert!(repeated.replayed);
    assert_eq!(repeated.body, activated.body);
    // The law of the tax date: the module's day has not come for the first document.
    let mut september = sale("standard", "1");
    set(&mut september, "/tax_date", json!("2026-09-01"));
    assert_eq!(host.taxes(&sale("standard", "1")).await["tax_added"], "150.00");
    assert_eq!(host.taxes(&september).await["tax_added"], "0");

    let list = host.get("/v1/activations").await;
    assert_eq!(list.body["items"].as_array().unwrap().len(), 2);
    assert_eq!(
        (&list.body["items"][0]["trust"], &list.body["items"][1]["trust"]),
        (&json!("bundled"), &json!("trusted"))
    );
    let path = "/v1/activations/2/withdraw";
    let stale = host.post(path, &[("if-match", "\"1\"")], &json!({})).await;
    assert_eq!(stale.problem(), (412, "version-mismatch"));
    assert_eq!(host.post(path, &[], &json!({})).await.problem(), (428, "if-match-missing"));
    let reason = json!({"reason": "not yet"});
    let withdrawn = host.post(path, &[("if-match", &list.etag)], &reason).await;
    assert_eq!((withdrawn.status.as_u16(), &withdrawn.body["withdrawn"]), (200, &json!(true)));
    assert_eq!(host.taxes(&september).await["tax_added"], "150.00");
    let again = host.post(path, &[("if-match", "*")], &json!({})).await;
    assert_eq!(again.problem(), (409, "activation-withdrawn"));
    let last = host.post("/v1/activations/1/withdraw", &[("if-match", "*")], &json!({})).await;
    assert_eq!(last.problem(), (409, "activation-needed"));
    let none = host.post("/v1/activations/9/withdraw", &[("if-match", "*")], &json!({})).await;
    assert_eq!(none.problem(), (404, "activation-not-found"));
    assert_eq!(host.get("/v1/activations/2").await.body["withdrawal_reason"], "not yet");
}

async fn a_configuration_is_checked_with_its_place(on: On) {
    let host = TestHost::new(on).await;
    let acme = Publisher::trusted(&host, "acme", 1).await;
    let plain = component("plain-pack");
    let digest = ready(&host, &plain, &[&acme.sign(&plain)]).await;
    let head = host.head().await;
    let bundled = host.get("/v1/modules").await.body;
    let vat =
        bundled["items"].as_array().unwrap().iter().find(|item| item["manifest"]["id"] == "vat-bd").unwrap();
    for (body, problem, pointer) in [
        (
            json!({"module": digest, "effective_from": "2026-09-01", "config": {"rate": 5}}),
            (422, "config-invalid"),
            "/config",
        ),
        (
            json!({"module": vat["digest"], "effective_from": "2026-09-01", "config": {"rounding": {"places": "two"}}}),
            (422, "config-invalid"),
            "/config/rounding/places",
        ),
        (json!({"module": digest, "effective_from": "2026-02-30"}), (422, "date-invalid"), "/effective_from"),
        (
            json!({"module": digest, "effective_from": "2026-09-01", "on_failure": "ignore"}),
            (422, "value-invalid"),
            "/on_failure",
        ),
        (json!({"module": digest}), (422, "field-missing"), "/effective_from"),
    ] {
        let answer = host.post("/v1/activations", &[], &body).await;
        assert_eq!(answer.problem(), problem, "{}", answer.text);
        assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{}", answer.text);
    }
    let unknown = json!({"module": "00".repeat(32), "effective_from": "2026-09-01"});
    assert_eq!(host.post("/v1/activations", &[], &unknown).await.problem(), (404, "module-not-found"));
    let workflow = component("two-approvals");
    let workflow = ready(&host, &workflow, &[&acme.sign(&workflow)]).await;
    let wanted = json!({"module": workflow, "effective_from": "2026-09-01"});
    assert_eq!(host.post("/v1/activations", &[], &wanted).await.problem(), (422, "world-not-offered"));
    assert_eq!(host.head().await, head);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_that_does_not_hold_lets_nothing_in() {
    let host = TestHost::new(On::Sqlite).await;
    let acme = Publisher::trusted(&host, "acme", 1).await;
    let stranger = Publisher(SigningKey::from_bytes(&[9; 32]));
    let (plain, flat) = (component("plain-pack"), component("flat-tax"));
    let digest = hex::encode(Sha256::digest(&plain));
    let forged = format!("{}:{}", acme.id(), stranger.sign(&plain).split_once(':').unwrap().1);
    for (signatures, problem) in [
        (vec![], (422, "signature-missing")),
        (vec![forged], (422, "signature-invalid")),
        (vec![acme.sign(&flat)], (422, "signature-invalid")),
        (vec![stranger.sign(&plain)], (422, "publisher-unknown")),
        (vec![acme.sign(&plain), stranger.sign(&plain)], (422, "publisher-unknown")),
        (vec!["nonsense".to_owned()], (422, "signature-malformed")),
        (vec![acme.sign(&plain); 9], (422, "signature-malformed")),
    ] {
        let signatures: Vec<&str> = signatures.iter().map(String::as_str).collect();
        let answer = upload(&host, "demo", &plain, &signatures).await;
        assert_eq!(answer.problem(), problem, "{}", answer.text);
        assert_eq!(host.get(&format!("/v1/modules/{digest}")).await.problem(), (404, "module-not-found"));
    }
    assert!(host.server.app().store().revoke_publisher(&acme.id()).await.unwrap());
    let revoked = upload(&host, "demo", &plain, &[&acme.sign(&plain)]).await;
    assert_eq!(revoked.problem(), (422, "publisher-revoked"));
}

async fn a_revoked_key_stops_what_is_new_and_flags_what_is_active(on: On) {
    let host = TestHost::new(on).await;
    let acme = Publisher::trusted(&host, "acme", 1).await;
    let plain = component("plain-pack");
    let digest = ready(&host, &plain, &[&acme.sign(&plain)]).await;
    let wanted = json!({"module": digest, "effective_from": "2026-08-01"});
    assert_eq!(host.post("/v1/activations", &[], &wanted).await.status, 201);
    let (path, issued) = host.issue(&sale("standard", "1")).await;
    assert_eq!(issued.status, 200, "{}", issued.text);
    host.server.app().store().revoke_publisher(&acme.id()).await.unwrap();
    let refused = host.post("/v1/activations", &[], &wanted).await;
    assert_eq!(refused.problem(), (422, "module-not-accepted"));
    assert_eq!(host.get("/v1/activations/2").await.body["trust"], "revoked");
    assert_eq!(host.get("/health").await.body["publishers_revoked"], 1);
    // What was decided stays, and its paper is drawn by the module that decided it.
    let paper = host.get(&format!("{path}/forms/plain-invoice")).await;
    assert_eq!(paper.status, 200, "{}", paper.text);
}

async fn a_tenants_policy_says_whose_modules_it_takes(on: On) {
    let host = TestHost::new(on).await;
    let (acme, bose) =
        (Publisher::trusted(&host, "acme", 1).await, Publisher::trusted(&host, "bose", 2).await);
    let standing = host.get("/v1/module-policy").await;
    assert_eq!(standing.body, json!({"publishers": null, "signatures": 1}));
    let policy = json!({"publishers": ["acme", "bose"], "signatures": 2});
    let changed = host.put("/v1/module-policy", &[("if-match", &standing.etag)], &policy).await;
    assert_eq!((changed.status.as_u16(), &changed.body), (200, &policy), "{}", changed.text);
    let stale = host.put("/v1/module-policy", &[("if-match", &standing.etag)], &policy).await;
    assert_eq!(stale.problem(), (412, "version-mismatch"));
    for wrong in
        [json!({"signatures": 0}), json!({"signatures": 9}), json!({"signatures": 1, "publishers": [""]})]
    {
        let answer = host.put("/v1/module-policy", &[("if-match", "*")], &wrong).await;
        assert_eq!(answer.problem(), (422, "value-invalid"));
    }
    let plain = component("plain-pack");
    let digest = ready(&host, &plain, &[&acme.sign(&plain)]).await;
    let wanted = json!({"module": digest, "effective_from": "2026-09-01"});
    assert_eq!(host.post("/v1/activations", &[], &wanted).await.problem(), (422, "module-not-accepted"));
    // A second publisher signs what is there already.
    let more = upload(&host, "demo", &plain, &[&bose.sign(&plain)]).await;
    assert_eq!((more.status.as_u16(), &more.body["trust"]), (200, &json!("trusted")), "{}", more.text);
    assert_eq!(host.post("/v1/activations", &[], &wanted).await.status, 201);
}

async fn what_one_tenant_brought_is_nothing_to_another(on: On) {
    let host = TestHost::new(on).await;
    host.tenant("other", "vat-bd").await;
    let acme = Publisher::trusted(&host, "acme", 1).await;
    let plain = component("plain-pack");
    let digest = ready(&host, &plain, &[&acme.sign(&plain)]).await;
    let bearer = host.bearer("other", &[Role::TenantAdmin]);
    let as_other = [("authorization", bearer.as_str())];
    let path = format!("/v1/modules/{digest}");
    assert_eq!(host.get_with(&path, &as_other).await.problem(), (404, "module-not-found"));
    let list = host.get_with("/v1/modules", &as_other).await.body;
    assert!(list["items"].as_array().unwrap().iter().all(|item| item["trust"] == "bundled"));
    let wanted = json!({"module": digest, "effective_from": "2026-08-01"});
    let answer = host.post("/v1/activations", &as_other, &wanted).await;
    assert_eq!(answer.problem(), (404, "module-not-found"));
    // It may bring the same one itself; nothing is compiled again.
    let own = upload(&host, "other", &plain, &[&acme.sign(&plain)]).await;
    assert_eq!((own.status.as_u16(), &own.body["state"]), (202, &json!("ready")));
    // Who administers nothing uploads and activates nothing.
    let reader = host.bearer("demo", &[Role::Accountant, Role::Approver, Role::Viewer]);
    let headers = [("authorization", reader.as_str()), ("content-type", "application/wasm")];
    for (method, path) in [
        (Method::POST, "/v1/modules"),
        (Method::POST, "/v1/activations"),
        (Method::POST, "/v1/activations/1/withdraw"),
        (Method::PUT, "/v1/module-policy"),
    ] {
        let answer = host.send(method, path, &headers, Some("{}".to_owned())).await;
        assert_eq!(answer.problem(), (403, "role-missing"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_module_is_refused_before_anything_is_compiled() {
    let host = TestHost::new(On::Sqlite).await;
    let acme = Publisher::trusted(&host, "acme", 1).await;
    let plain = component("plain-pack");
    let core = b"\0asm\x01\0\0\0".to_vec();
    let noise: Vec<u8> =
        (0..10_000_u32).map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect();
    for bytes in [Vec::new(), core, noise, plain[..plain.len() / 2].to_vec()] {
        let answer = upload(&host, "demo", &bytes, &[&acme.sign(&bytes)]).await;
        assert_eq!(answer.problem(), (422, "component-malformed"), "{}", answer.text);
    }
    let huge = vec![0; 33 << 20];
    let answer = upload(&host, "demo", &huge, &[&acme.sign(&huge)]).await;
    assert_eq!(answer.problem(), (422, "component-too-large"));
    let bearer = host.bearer("demo", &[Role::TenantAdmin]);
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let answer = host.post("/v1/modules", &headers, &json!({})).await;
    assert_eq!(answer.problem(), (415, "media-type-wrong"));
    let store = host.server.app().store();
    assert_eq!(store.uploaded_modules(&"demo".parse().unwrap()).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_upload_the_same_module_bring_it_once() {
    let host = TestHost::new(On::Postgres).await;
    let acme = Publisher::trusted(&host, "acme", 1).await;
    let plain = component("plain-pack");
    let signature = acme.sign(&plain);
    let signatures = [signature.as_str()];
    let uploads = (0..8).map(|_| upload(&host, "demo", &plain, &signatures));
    let answers = futures::future::join_all(uploads).await;
    let new = answers.iter().filter(|answer| answer.status == 202).count();
    assert_eq!(new, 1);
    assert!(answers.iter().all(|answer| answer.status.is_success()));
    assert_eq!(settled(&host, answers[0].header("location")).await["state"], "ready");
}

async fn a_module_is_compiled_although_the_host_that_began_was_killed(on: On) {
    let host = TestHost::new(on).await;
    let acme = Publisher::trusted(&host, "acme", 1).await;
    let plain = component("plain-pack");
    let digest = ready(&host, &plain, &[&acme.sign(&plain)]).await;
    // As a host leaves it that was killed in the middle: claimed, and the claim has run out.
    let rows = host
        .tamper("update modules set state = 'compiling', report = null, host = (select event_id from events limit 1), host_until = 1")
        .await;
    assert_eq!(rows, 1);
    let host = host.restart().await;
    assert_eq!(settled(&host, &format!("/v1/modules/{digest}")).await["state"], "ready");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_activation_takes_effect_at_once_on_every_host() {
    let host = TestHost::new(On::Postgres).await;
    let second = open(host.data(), host.database.as_deref(), &host.clock).await;
    let second = niyam::Server::start(second, "127.0.0.1:0".parse().unwrap()).await.unwrap();
    let ask_second = async || {
        let url = format!("http://{}/v1/tax/determinations", second.address());
        let request = reqwest::Client::new().post(url).bearer_auth(&host.token);
        let answer = request.body(sale("standard", "1").to_string()).send().await.unwrap();
        Answer::read(answer).await.body["tax_added"].clone()
    };
    assert_eq!(ask_second().await, "150.00");
    let acme = Publisher::trusted(&host, "acme", 1).await;
    let plain = component("plain-pack");
    let digest = ready(&host, &plain, &[&acme.sign(&plain)]).await;
    let wanted = json!({"module": digest, "effective_from": "2026-08-01"});
    assert_eq!(host.post("/v1/activations", &[], &wanted).await.status, 201);
    assert_eq!(ask_second().await, "0");
    let withdrawn = host.post("/v1/activations/2/withdraw", &[("if-match", "*")], &json!({})).await;
    assert_eq!(withdrawn.status, 200);
    assert_eq!(ask_second().await, "150.00");
    second.stop().await.unwrap();
}

on_both! {
    a_module_is_uploaded_compiled_and_decides_from_its_date_on
    a_configuration_is_checked_with_its_place
    a_revoked_key_stops_what_is_new_and_flags_what_is_active
    a_tenants_policy_says_whose_modules_it_takes
    what_one_tenant_brought_is_nothing_to_another
    a_module_is_compiled_although_the_host_that_began_was_killed
}
