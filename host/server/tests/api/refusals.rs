//! Bad input: a 4xx with a stable code and a place, nothing committed, and the server goes on.

use niyam::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{On, TestHost, sale};

fn with(pointer: &str, value: Value) -> Value {
    let mut document = sale("standard", "1");
    *document.pointer_mut(pointer).expect("the field is there") = value;
    document
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_does_not_fit_is_refused_by_code_and_place() {
    let host = TestHost::new(On::Sqlite).await;
    let mut unknown = sale("standard", "1");
    unknown["colour"] = json!("red");
    let cases = [
        (unknown, "field-unknown", "/colour"),
        (with("/lines/0/quantity", json!(1)), "type-wrong", "/lines/0/quantity"),
        (with("/lines/0/quantity", json!("0")), "quantity-not-positive", "/lines/0/quantity"),
        (with("/lines/0/quantity", json!("-1")), "quantity-not-positive", "/lines/0/quantity"),
        (with("/lines/0/unit_price", json!("9".repeat(40))), "number-out-of-range", "/lines/0/unit_price"),
        (with("/lines/0/supply_code", json!("S999.99")), "supply-code-unknown", "/lines/0/supply_code"),
        (with("/lines/0/supply_code", json!("S001.10")), "variant-missing", "/lines/0/attributes/variant"),
        (with("/tax_date", json!("2026-02-30")), "date-invalid", "/tax_date"),
        (with("/currency", json!("USD")), "exchange-rate-missing", "/exchange_rate"),
        (
            with("/customer/identifiers/0/value", json!("123456789012")),
            "identifier-invalid",
            "/customer/identifiers/0/value",
        ),
    ];
    for (document, code, pointer) in cases {
        let answer = host.post("/v1/invoices", &[], &document).await;
        assert_eq!(answer.status, 422, "{code}: {}", answer.body);
        assert_eq!(answer.body["code"], code, "{}", answer.body);
        assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{}", answer.body);
    }
    let malformed = host.send(Method::POST, "/v1/invoices", &[], Some("{".to_owned())).await;
    assert_eq!((malformed.status.as_u16(), &malformed.body["code"]), (400, &json!("json-malformed")));
    let huge = host.send(Method::POST, "/v1/invoices", &[], Some(" ".repeat((1 << 20) + 1))).await;
    assert_eq!((huge.status.as_u16(), &huge.body["code"]), (413, &json!("body-too-large")));
    assert_eq!(host.get("/v1/invoices").await.body["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn above_the_threshold_the_buyer_must_be_named_to_issue() {
    let host = TestHost::new(On::Sqlite).await;
    let mut document = sale("standard", "26");
    document["customer"]["identifiers"] = json!([]);
    let (id, issued) = host.issue(&document).await;
    assert_eq!((issued.status.as_u16(), &issued.body["code"]), (422, &json!("buyer-incomplete")));
    assert_eq!(host.get(&format!("/v1/invoices/{id}")).await.body["status"], "approved");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_needs_the_version_that_stands() {
    let host = TestHost::new(On::Sqlite).await;
    let draft = host.post("/v1/invoices", &[], &sale("standard", "1")).await;
    let path = format!("/v1/invoices/{}/approve", draft.body["id"].as_str().unwrap());
    assert_eq!(host.post(&path, &[], &json!({})).await.status, 428);
    assert_eq!(host.post(&path, &[("if-match", "\"9\"")], &json!({})).await.status, 412);
    assert_eq!(host.post(&path, &[("if-match", &draft.etag)], &json!({})).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_opens_its_tenant_and_its_roles_alone() {
    let host = TestHost::new(On::Sqlite).await;
    host.tenant("other", "vat-bd").await;
    let draft = host.post("/v1/invoices", &[], &sale("standard", "1")).await;
    let path = format!("/v1/invoices/{}", draft.body["id"].as_str().unwrap());
    let bearer = |token: &str| format!("Bearer {token}");
    let other = bearer(&host.token_of("other", &[Role::Viewer]));
    assert_eq!(host.send(Method::GET, &path, &[("authorization", &other)], None).await.status, 404);
    let viewer = bearer(&host.token_of("demo", &[Role::Viewer]));
    let body = Some(sale("standard", "1").to_string());
    assert_eq!(
        host.send(Method::POST, "/v1/invoices", &[("authorization", &viewer)], body).await.status,
        403
    );
    let stranger = TestHost::new(On::Sqlite).await;
    // `{"alg":"none"}` with our own claims, and the same claims under another key.
    let claims = host.token.split('.').nth(1).unwrap();
    let unsigned = bearer(&format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{claims}."));
    for token in [unsigned, bearer(&stranger.token), "Bearer x".to_owned()] {
        assert_eq!(host.send(Method::GET, &path, &[("authorization", &token)], None).await.status, 401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_that_fails_is_named_and_nothing_is_committed() {
    let host = TestHost::new(On::Sqlite).await;
    host.tenant("reckless", "unruly").await;
    let token = format!("Bearer {}", host.token_of("reckless", &[Role::Accountant]));
    for (wish, code) in [("trap", "module-trapped"), ("loop", "module-fuel-exhausted")] {
        let answer = host.post("/v1/invoices", &[("authorization", &token)], &sale(wish, "1")).await;
        assert_eq!((answer.status.as_u16(), &answer.body["code"]), (503, &json!(code)));
        assert_eq!(answer.body["module"], "unruly");
    }
    let list = host.send(Method::GET, "/v1/invoices", &[("authorization", &token)], None).await;
    assert_eq!(list.body["items"], json!([]));
}
