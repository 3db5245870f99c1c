//! The tenant's profile, and tenants that another process makes.

use niyam::{NewTenant, Role, create_tenant};
use serde_json::json;

use crate::harness::{On, TestHost, new_tenant, on_both, open, sale};

#[tokio::test(flavor = "multi_thread")]
async fn the_profile_is_shown_and_changed() {
    let host = TestHost::new(On::Sqlite).await;
    let shown = host.get("/v1/tenant").await;
    assert_eq!(shown.status, 200, "{}", shown.text);
    assert_eq!(shown.body["name"], "demo");
    assert_eq!(shown.body["legal_name"], "Niyam Demo Ltd");
    assert_eq!(shown.body["country"], "BD");
    assert_eq!(shown.body["activations"][0]["module"]["id"], "vat-bd");
    let profile = json!({
        "legal_name": "Niyam Demo Limited", "address": "7 Agrabad, Chattogram",
        "identifiers": [{"kind": "bin", "value": "0008283950207"}],
        "attributes": {"responsible_person": "Rahima Khatun", "designation": "Manager, VAT"},
    });
    let head = host.head().await;
    assert_eq!(host.put("/v1/tenant", &[], &profile).await.problem(), (428, "if-match-missing"));
    let stale = host.put("/v1/tenant", &[("if-match", "\"1\"")], &profile).await;
    assert_eq!(stale.problem(), (412, "version-mismatch"));
    assert_eq!(host.head().await, head);

    let headers = [("if-match", shown.etag.as_str())];
    let changed = host.put("/v1/tenant", &headers, &profile).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    assert_eq!(changed.body["legal_name"], "Niyam Demo Limited");
    assert_eq!(changed.body["identifiers"][0]["value"], "000828395-0207");
    assert_eq!(changed.body["time_zone"], "Asia/Dhaka");
    let again = host.get("/v1/tenant").await;
    assert_eq!((&again.body, &again.etag), (&changed.body, &changed.etag));
    assert_eq!(host.put("/v1/tenant", &headers, &profile).await.problem(), (412, "version-mismatch"));
    // The same profile once more is no event.
    let same = host.put("/v1/tenant", &[("if-match", &changed.etag)], &profile).await;
    assert_eq!((same.status.as_u16(), &same.etag), (200, &changed.etag));

    let (path, issued) = host.issue(&sale("standard", "1")).await;
    assert_eq!(issued.body["supplier"]["name"], "Niyam Demo Limited", "{}", issued.text);
    let paper = host.get(&format!("{path}/forms/mushak-6.3")).await.text;
    for text in ["Niyam Demo Limited", "7 Agrabad, Chattogram", "Rahima Khatun", "Manager, VAT"] {
        assert!(paper.contains(text), "{text}: {paper}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_that_does_not_hold_is_refused() {
    let host = TestHost::new(On::Sqlite).await;
    let head = host.head().await;
    for (profile, code, pointer) in [
        (json!({"colour": "red"}), "field-unknown", "/colour"),
        (json!({"country": "IN"}), "field-unknown", "/country"),
        (json!({"time_zone": "Dhaka"}), "time-zone-unknown", "/time_zone"),
        (json!({"legal_name": ""}), "text-invalid", "/legal_name"),
        (json!({"address": "a\u{7}b"}), "text-invalid", "/address"),
        (
            json!({"identifiers": [{"kind": "bin", "value": "123456789012"}]}),
            "identifier-invalid",
            "/identifiers/0/value",
        ),
        (json!({"identifiers": [{"kind": "bin"}]}), "field-missing", "/identifiers/0/value"),
        (json!({"attributes": {"designation": 1}}), "type-wrong", "/attributes/designation"),
        (json!({"attributes": {"designation": "a\u{1b}b"}}), "text-not-printable", "/attributes/designation"),
        (
            json!({"attributes": {"responsible_person": "a".repeat(501)}}),
            "text-too-long",
            "/attributes/responsible_person",
        ),
        (json!({"attributes": {"a b": "c"}}), "attribute-name-invalid", "/attributes"),
    ] {
        let answer = host.put("/v1/tenant", &[("if-match", "*")], &profile).await;
        assert_eq!(answer.problem(), (422, code), "{}", answer.text);
        assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{}", answer.text);
    }
    assert_eq!(host.head().await, head);
}

async fn an_invoice_waits_for_a_profile_that_has_what_its_paper_needs(on: On) {
    let host = TestHost::empty(on).await;
    let bare = NewTenant {
        legal_name: None,
        address: None,
        identifiers: Vec::new(),
        ..new_tenant("demo", "vat-bd")
    };
    create_tenant(host.server.app(), bare).await.unwrap();
    let host = host.with_token();
    let (path, approved) = host.approve(&sale("standard", "1")).await;
    let head = host.head().await;
    let refused = host.change(&path, "issue", &approved.etag).await;
    assert_eq!(refused.problem(), (422, "supplier-incomplete"), "{}", refused.text);
    let pointers: Vec<_> = refused.body["errors"].as_array().unwrap().iter().map(|e| &e["pointer"]).collect();
    assert_eq!(pointers, ["/supplier/name", "/supplier/address", "/supplier/identifiers"]);
    assert_eq!(refused.body["errors"][0]["citation"]["article"], "s.51");
    assert_eq!(host.head().await, head);

    let profile = json!({
        "legal_name": "Niyam Demo Ltd", "address": "12 Motijheel, Dhaka",
        "identifiers": [{"kind": "bin", "value": "000828395-0207"}],
    });
    let etag = host.get("/v1/tenant").await.etag;
    let changed = host.put("/v1/tenant", &[("if-match", &etag)], &profile).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    let issued = host.change(&path, "issue", &approved.etag).await;
    assert_eq!(issued.body["number"], "1/2026-2027", "{}", issued.text);
    assert_eq!(issued.body["supplier"]["name"], "Niyam Demo Ltd");
}

async fn a_running_server_sees_what_another_process_does_to_its_tenants(on: On) {
    let host = TestHost::new(on).await;
    let beside = open(host.data(), host.database.as_deref(), &host.clock).await;
    let bearer = host.bearer("acme", &[Role::Accountant]);
    let headers = [("authorization", bearer.as_str())];
    assert_eq!(host.get_with("/v1/tenant", &headers).await.problem(), (403, "tenant-unknown"));
    create_tenant(&beside, new_tenant("acme", "vat-bd")).await.unwrap();
    let draft = host.post("/v1/invoices", &headers, &sale("standard", "1")).await;
    assert_eq!(draft.status, 201, "{}", draft.text);
    assert_eq!(draft.body["taxes"]["tax_added"], "150.00");
    // Known by now: a change is seen all the same.
    let whole = Some(r#"{"rounding":{"places":0}}"#);
    let (tenant, day) = ("acme".parse().unwrap(), jiff::civil::date(2026, 7, 1));
    niyam::activate_pack(&beside, &tenant, "vat-bd", day, whole).await.unwrap();
    let draft = host.post("/v1/invoices", &headers, &sale("standard", "1")).await;
    assert_eq!(draft.body["taxes"]["tax_added"], "150", "{}", draft.text);
    let again = create_tenant(&beside, new_tenant("acme", "vat-bd")).await.unwrap_err();
    assert!(again.starts_with("tenant-exists"), "{again}");
    beside.close().await;
}

on_both! {
    an_invoice_waits_for_a_profile_that_has_what_its_paper_needs
    a_running_server_sees_what_another_process_does_to_its_tenants
}
