//! A document that does not hold is refused by code and place, and nothing is committed.

use serde_json::{Value, json};

use crate::harness::{Answer, On, TestHost, sale, set, with};

/// The codes of an answer, each with the place that it blames.
fn blamed(answer: &Answer) -> Vec<(&str, &str)> {
    let errors = answer.body["errors"].as_array().into_iter().flatten();
    errors
        .map(|error| {
            let text = |name: &str| error[name].as_str().unwrap_or_default();
            (text("code"), text("pointer"))
        })
        .collect()
}

/// Sends each document wherever documents go: each answer is 422 with the code and the place, and nothing happens.
async fn refused(cases: Vec<(Value, &str, &str)>) {
    let host = TestHost::new(On::Sqlite).await;
    let (path, draft) = host.draft(&sale("standard", "1")).await;
    let head = host.head().await;
    for (document, code, pointer) in cases {
        let headers = [("if-match", draft.etag.as_str())];
        for answer in [
            host.post("/v1/tax/determinations", &[], &document).await,
            host.post("/v1/invoices", &[("idempotency-key", "again")], &document).await,
            host.put(&path, &headers, &document).await,
        ] {
            assert_eq!(answer.problem(), (422, code), "{}", answer.text);
            assert_eq!(blamed(&answer), [(code, pointer)], "{}", answer.text);
            assert_eq!(answer.header("content-type"), "application/problem+json");
            assert_eq!(answer.body["trace_id"], answer.header("x-request-id"));
        }
        assert_eq!(host.head().await, head, "{code} {pointer}");
    }
    assert_eq!(host.get("/v1/invoices").await.body["items"].as_array().unwrap().len(), 1);
    // The key that only met refusals is still free, and the server goes on.
    let drafted = host.post("/v1/invoices", &[("idempotency-key", "again")], &sale("standard", "1")).await;
    assert_eq!((drafted.status.as_u16(), drafted.replayed), (201, false), "{}", drafted.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn shapes_that_are_not_a_documents() {
    let without = |parent: &str, name: &str| {
        let mut document = sale("standard", "1");
        document.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name);
        document
    };
    refused(vec![
        (json!([]), "type-wrong", ""),
        (json!("invoice"), "type-wrong", ""),
        (with("/colour", json!("red")), "field-unknown", "/colour"),
        (with("/a~b", json!("red")), "field-unknown", "/a~0b"),
        (with("/customer/colour", json!("red")), "field-unknown", "/customer/colour"),
        (with("/customer/identifiers/0/colour", json!(1)), "field-unknown", "/customer/identifiers/0/colour"),
        (with("/lines/0/colour", json!({"deep": [1]})), "field-unknown", "/lines/0/colour"),
        (with("/lines/0/line_id", json!("1")), "field-unknown", "/lines/0/line_id"),
        (with("/supplier", json!({"name": "me", "country": "BD"})), "field-unknown", "/supplier"),
        (without("", "customer"), "field-missing", "/customer"),
        (without("", "lines"), "field-missing", "/lines"),
        (without("/lines/0", "quantity"), "field-missing", "/lines/0/quantity"),
        (without("/customer", "country"), "field-missing", "/customer/country"),
        (with("/lines", json!({})), "type-wrong", "/lines"),
        (with("/lines/0", json!(null)), "type-wrong", "/lines/0"),
        // By position, as it were.
        (with("/lines/0", json!(["Work", "standard", "1", "job", "1000.00"])), "type-wrong", "/lines/0"),
        (with("/customer", json!(["Padma", "Tongi", "BD"])), "type-wrong", "/customer"),
        (with("/customer/identifiers", json!([["bin", "x"]])), "type-wrong", "/customer/identifiers/0"),
        (with("/customer", json!("Padma")), "type-wrong", "/customer"),
        (with("/customer/name", json!(1)), "type-wrong", "/customer/name"),
        (with("/currency", json!(["BDT"])), "type-wrong", "/currency"),
        (with("/lines/0/quantity", json!(1)), "type-wrong", "/lines/0/quantity"),
        (with("/lines/0/unit_price", json!(10.5)), "type-wrong", "/lines/0/unit_price"),
        (with("/tax_date", json!(20_260_815)), "type-wrong", "/tax_date"),
        (with("/direction", json!("gift")), "value-invalid", "/direction"),
        (with("/price_mode", json!("net")), "value-invalid", "/price_mode"),
        (with("/attributes", json!({"vehicle": 7})), "type-wrong", "/attributes/vehicle"),
        (with("/attributes", json!({"vehicle": {}})), "type-wrong", "/attributes/vehicle"),
        (with("/attributes", json!({"a-b": "1", "a_b": "2"})), "field-duplicate", "/attributes"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_and_dates_that_are_none() {
    let forty = "9".repeat(40);
    let (quantity, price) = ("/lines/0/quantity", "/lines/0/unit_price");
    let mut cases = vec![
        (with(quantity, json!("0")), "quantity-not-positive", quantity),
        (with(quantity, json!("0.000000")), "quantity-not-positive", quantity),
        (with(quantity, json!("-1")), "quantity-not-positive", quantity),
        (with(quantity, json!("0.0000001")), "number-out-of-range", quantity),
        (with(price, json!("-0.01")), "amount-negative", price),
        (with("/lines/0/discount", json!("-0.01")), "amount-negative", "/lines/0/discount"),
        (with("/lines/0/discount", json!("1000.01")), "discount-exceeds-amount", "/lines/0/discount"),
        (with("/tax_date", json!("1970-12-31")), "date-out-of-range", "/tax_date"),
        (with("/tax_date", json!("2019-06-30")), "law-not-covered", "/tax_date"),
    ];
    for pointer in [quantity, price, "/lines/0/discount"] {
        for text in [forty.clone(), format!("-{forty}"), format!("0.{forty}"), "9".repeat(29)] {
            cases.push((with(pointer, json!(text)), "number-out-of-range", pointer));
        }
        for text in ["", " 1", "1,5", "1e3", "+1", "0x1", "NaN", "1.2.3", ".5", "5.", "১", "--1"] {
            cases.push((with(pointer, json!(text)), "decimal-invalid", pointer));
        }
    }
    for day in ["2026-02-30", "2026-13-01", "2025-02-29", "26-08-15", "15/08/2026", "2026-08-15T00:00", ""] {
        cases.push((with("/tax_date", json!(day)), "date-invalid", "/tax_date"));
    }
    refused(cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_that_the_law_does_not_know() {
    let of = |code: &str| with("/lines/0/supply_code", json!(code));
    let bin = |value: &str| with("/customer/identifiers/0/value", json!(value));
    refused(vec![
        (of("S999.99"), "supply-code-unknown", "/lines/0/supply_code"),
        (of(" "), "text-missing", "/lines/0/supply_code"),
        (of(&"S".repeat(65)), "text-too-long", "/lines/0/supply_code"),
        (of("S001.10"), "variant-missing", "/lines/0/attributes/variant"),
        (of("gold"), "unit-mismatch", "/lines/0/unit"),
        (bin("123456789012"), "identifier-invalid", "/customer/identifiers/0/value"),
        (bin("12345678901234"), "identifier-invalid", "/customer/identifiers/0/value"),
        (with("/currency", json!("USD")), "exchange-rate-missing", "/exchange_rate"),
        (with("/currency", json!("TAKA")), "currency-unknown", "/currency"),
        (with("/customer/country", json!("ZZ")), "country-unknown", "/customer/country"),
        (with("/lines", json!([])), "lines-missing", "/lines"),
        (with("/lines/0/description", json!("")), "text-missing", "/lines/0/description"),
        (with("/customer/name", json!("x".repeat(501))), "text-too-long", "/customer/name"),
        (with("/customer/name", json!("a\u{0}b")), "text-not-printable", "/customer/name"),
        (with("/attributes", json!({"a b": "x"})), "attribute-name-invalid", "/attributes"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_variant_lists_the_choices() {
    let host = TestHost::new(On::Sqlite).await;
    let mut document = sale("S010.20", "1");
    let refused = host.post("/v1/invoices", &[], &document).await;
    assert_eq!(refused.problem(), (422, "variant-missing"));
    let message = refused.body["errors"][0]["message"].as_str().unwrap();
    for choice in ["1-1600sft", "1601sft+"] {
        assert!(message.contains(choice), "{message}");
        set(&mut document, "/lines/0/attributes", json!({"variant": choice}));
        assert_eq!(host.post("/v1/invoices", &[], &document).await.status, 201, "{choice}");
    }
    set(&mut document, "/lines/0/attributes", json!({"variant": "1602sft"}));
    let refused = host.post("/v1/invoices", &[], &document).await;
    assert_eq!(refused.problem(), (422, "variant-unknown"));
}

#[tokio::test(flavor = "multi_thread")]
async fn several_mistakes_are_told_at_once() {
    let host = TestHost::new(On::Sqlite).await;
    let mut document = sale("standard", "0");
    set(&mut document, "/currency", json!("TAKA"));
    let answer = host.post("/v1/invoices", &[], &document).await;
    assert_eq!(answer.problem(), (422, "document-invalid"));
    let expected = [("currency-unknown", "/currency"), ("quantity-not-positive", "/lines/0/quantity")];
    assert_eq!(blamed(&answer), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn above_the_threshold_the_buyer_must_be_named_to_issue() {
    let host = TestHost::new(On::Sqlite).await;
    let cases = [
        (json!({"name": "Padma", "address": "Tongi", "country": "BD"}), "/customer/identifiers"),
        (
            json!({"name": "Padma", "country": "BD", "identifiers": [{"kind": "bin", "value": "001234567-0101"}]}),
            "/customer/address",
        ),
        (
            json!({"name": "", "address": "Tongi", "country": "BD",
                "identifiers": [{"kind": "bin", "value": "001234567-0101"}]}),
            "/customer/name",
        ),
    ];
    for (customer, pointer) in cases {
        let mut document = with("/customer", customer);
        set(&mut document, "/lines/0/quantity", json!("26"));
        let (path, approved) = host.approve(&document).await;
        let head = host.head().await;
        let refused = host.change(&path, "issue", &approved.etag).await;
        assert_eq!(refused.problem(), (422, "buyer-incomplete"), "{}", refused.text);
        assert_eq!(blamed(&refused), [("buyer-incomplete", pointer)]);
        assert_eq!(host.head().await, head);
        assert_eq!(host.get(&path).await.body["status"], "approved");
    }
    // At the threshold the buyer need not be named, and the number was not spent above it.
    let mut document = with("/customer", json!({"name": "Padma", "country": "BD"}));
    set(&mut document, "/lines/0/quantity", json!("25"));
    let (_, issued) = host.issue(&document).await;
    assert_eq!(issued.body["number"], "1/2026-2027", "{}", issued.text);
}
