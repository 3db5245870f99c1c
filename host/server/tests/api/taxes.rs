//! What tax a document bears, over HTTP. The pack's own tests have the rest of the law.

use niyam::{NewTenant, Role, create_tenant};
use serde_json::{Value, json};

use crate::harness::{On, TestHost, new_tenant, sale, set, with};

#[tokio::test(flavor = "multi_thread")]
async fn the_law_of_the_tax_date_applies() {
    let host = TestHost::new(On::Sqlite).await;
    let mut document = sale("S004.00", "2");
    let mut taxes = Vec::new();
    for day in ["2025-06-30", "2026-08-15"] {
        document["tax_date"] = json!(day);
        let (_, issued) = host.issue(&document).await;
        assert_eq!(issued.status, 200, "{}", issued.text);
        taxes.push(issued.body["taxes"].clone());
    }
    let vat = |taxes: &Value| taxes["lines"][0]["taxes"][0].clone();
    assert_eq!((&vat(&taxes[0])["rate"], &taxes[0]["tax_added"]), (&json!("7.5"), &json!("150.00")));
    assert_eq!((&vat(&taxes[1])["rate"], &taxes[1]["tax_added"]), (&json!("10"), &json!("200.00")));
    assert_eq!(vat(&taxes[0])["citation"]["article"], "Third Schedule, as it stood before 1 July 2025");
    assert_eq!(vat(&taxes[1])["citation"]["article"], "Third Schedule, Table 3");
    assert_eq!(vat(&taxes[1])["citation"]["effective_from"], "2025-07-01");
}

#[tokio::test(flavor = "multi_thread")]
async fn prices_may_hold_the_tax_and_a_discount_lowers_the_value() {
    let host = TestHost::new(On::Sqlite).await;
    let mut document = with("/price_mode", json!("inclusive"));
    set(&mut document, "/lines/0/unit_price", json!("1150.00"));
    let taxes = host.taxes(&document).await;
    assert_eq!((&taxes["net"], &taxes["tax_added"]), (&json!("1000.00"), &json!("150.00")));
    set(&mut document, "/lines/0/discount", json!("230"));
    let taxes = host.taxes(&document).await;
    assert_eq!((&taxes["net"], &taxes["tax_added"]), (&json!("800.00"), &json!("120.00")));
    // P = 1,265: VAT is P·15/115 = 165, duty (P−165)·10/110 = 100.
    let mut document = with("/price_mode", json!("inclusive"));
    set(&mut document, "/lines/0/unit_price", json!("1265.00"));
    set(&mut document, "/lines/0/attributes", json!({"sd_rate": "10", "sd_basis": "Second Schedule"}));
    let line = host.taxes(&document).await["lines"][0].clone();
    assert_eq!((&line["net"], &line["gross"]), (&json!("1000.00"), &json!("1265.00")));
    assert_eq!(line["taxes"][0]["amount"], "100.00");
    assert_eq!(line["taxes"][1]["amount"], "165.00");
}

#[tokio::test(flavor = "multi_thread")]
async fn supplementary_duty_is_under_the_vat_and_not_on_exports() {
    let host = TestHost::new(On::Sqlite).await;
    let duty = json!({"sd_rate": "20", "sd_basis": "Second Schedule, Table 1"});
    let document = with("/lines/0/attributes", duty.clone());
    let taxes = host.taxes(&document).await;
    let items = &taxes["lines"][0]["taxes"];
    assert_eq!((&items[0]["code"], &items[0]["amount"]), (&json!("sd"), &json!("200.00")));
    assert_eq!(items[0]["citation"]["article"], "Second Schedule, Table 1");
    assert_eq!((&items[1]["base"], &items[1]["amount"]), (&json!("1200.00"), &json!("180.00")));
    assert_eq!(taxes["gross"], "1380.00");
    let mut export = sale("export", "1");
    set(&mut export, "/lines/0/attributes", duty);
    let taxes = host.taxes(&export).await;
    let items = taxes["lines"][0]["taxes"].as_array().unwrap();
    assert_eq!(items.len(), 1, "{taxes}");
    assert_eq!((&items[0]["code"], &items[0]["rate"]), (&json!("vat"), &json!("0")));
    assert_eq!((&items[0]["recoverable"], &taxes["gross"]), (&json!(true), &json!("1000.00")));
    let without_basis = with("/lines/0/attributes", json!({"sd_rate": "20"}));
    let refused = host.post("/v1/tax/determinations", &[], &without_basis).await;
    assert_eq!(refused.problem(), (422, "sd-basis-missing"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withholding_customer_keeps_the_tax_back() {
    let host = TestHost::new(On::Sqlite).await;
    let mut document = sale("S004.00", "2");
    for yes in [json!("true"), json!(true)] {
        set(&mut document, "/customer/attributes", json!({"withholding_entity": yes}));
        let taxes = host.taxes(&document).await;
        let items = &taxes["lines"][0]["taxes"];
        assert_eq!((&items[1]["code"], &items[1]["effect"]), (&json!("vds"), &json!("withheld")));
        assert_eq!((&taxes["gross"], &taxes["tax_withheld"]), (&json!("2200.00"), &json!("200.00")));
        assert_eq!(taxes["payable"], "2000.00");
    }
    set(&mut document, "/customer/attributes", json!({"withholding_entity": "false"}));
    assert_eq!(host.taxes(&document).await["tax_withheld"], "0.00");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_currency_comes_with_its_rate() {
    let host = TestHost::new(On::Sqlite).await;
    let mut document = sale("export", "2");
    set(&mut document, "/currency", json!("USD"));
    let refused = host.post("/v1/invoices", &[], &document).await;
    assert_eq!(refused.problem(), (422, "exchange-rate-missing"));
    assert_eq!(refused.body["errors"][0]["pointer"], "/exchange_rate");
    let rate = json!({"rate": "122.50", "source": "Bangladesh Bank, 2026-08-15"});
    set(&mut document, "/exchange_rate", rate.clone());
    let (path, issued) = host.issue(&document).await;
    assert_eq!(issued.status, 200, "{}", issued.text);
    assert_eq!((&issued.body["exchange_rate"], &issued.body["attributes"]), (&rate, &json!({})));
    assert_eq!(issued.body["taxes"]["payable"], "2000.00");
    let paper = host.get(&format!("{path}/forms/mushak-6.3")).await.body;
    // The paper is in taka.
    assert_eq!(paper["blocks"][1]["totals"]["total_ex_tax"], "245000.00", "{paper}");
    for (rate, code, pointer) in [
        (json!({"rate": "0", "source": "x"}), "exchange-rate-invalid", "/exchange_rate/rate"),
        (json!({"rate": "-1", "source": "x"}), "exchange-rate-invalid", "/exchange_rate/rate"),
        (json!({"rate": 122.5, "source": "x"}), "type-wrong", "/exchange_rate/rate"),
        (json!({"rate": "122.5"}), "field-missing", "/exchange_rate/source"),
        (json!({"rate": "122.5", "source": " "}), "value-invalid", "/exchange_rate/source"),
        (json!({"rate": "1", "source": "x", "day": "y"}), "field-unknown", "/exchange_rate/day"),
    ] {
        set(&mut document, "/exchange_rate", rate);
        let refused = host.post("/v1/invoices", &[], &document).await;
        assert_eq!(refused.problem(), (422, code), "{}", refused.text);
        assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{}", refused.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_may_be_configured_to_whole_taka() {
    let host = TestHost::new(On::Sqlite).await;
    let config = Some(r#"{ "rounding": { "places": 0 } }"#.to_owned());
    let whole = NewTenant { config, ..new_tenant("whole", "vat-bd") };
    create_tenant(host.server.app(), whole).await.unwrap();
    let bearer = host.bearer("whole", &[Role::Viewer]);
    let headers = [("authorization", bearer.as_str())];
    let mut document = sale("standard", "1");
    for (price, vat) in [("10.00", "2"), ("9.66", "2"), ("103.30", "15")] {
        set(&mut document, "/lines/0/unit_price", json!(price));
        let taxes = host.post("/v1/tax/determinations", &headers, &document).await;
        assert_eq!(taxes.body["tax_added"], vat, "{}", taxes.text);
    }
    let bad = Some(r#"{"rounding":{"places":3}}"#.to_owned());
    let refused = create_tenant(host.server.app(), NewTenant { config: bad, ..new_tenant("bad", "vat-bd") });
    let refused = refused.await.unwrap_err();
    assert!(refused.starts_with("config-invalid at /rounding/places"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_determination_stores_nothing() {
    let host = TestHost::new(On::Sqlite).await;
    let head = host.head().await;
    let taxes = host.taxes(&sale("S001.20", "25")).await;
    assert_eq!((&taxes["lines"][0]["line_id"], &taxes["gross"]), (&json!("1"), &json!("26250.00")));
    assert_eq!(taxes["findings"], json!([]));
    let exempt = host.taxes(&sale("exempt", "1")).await;
    assert_eq!(exempt["lines"][0]["taxes"], json!([]));
    assert_eq!(exempt["findings"][0]["code"], "input-credit-lost");
    assert_eq!(host.head().await, head);
    assert_eq!(host.get("/v1/invoices").await.body["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn identifiers_and_periods_are_the_packs() {
    let host = TestHost::new(On::Sqlite).await;
    for (kind, value, normal) in [
        ("bin", "0008283950207", "000828395-0207"),
        ("etin", "224187378587", "224187378587"),
        ("nid", "1234567890", "1234567890"),
        ("mobile", "+8801712345678", "01712345678"),
        ("bank-routing", "085260728", "085260728"),
        ("wallet:rocket", "017123456789", "017123456789"),
    ] {
        let body = json!({"kind": kind, "value": value});
        let checked = host.post("/v1/identifiers/check", &[], &body).await;
        assert_eq!(checked.status, 200, "{kind}: {}", checked.text);
        assert_eq!((&checked.body["normal_form"], &checked.body["valid"]), (&json!(normal), &json!(true)));
    }
    for (body, code) in [
        (json!({"kind": "bin", "value": "123456789012"}), "identifier-invalid"),
        (json!({"kind": "bin", "value": "x".repeat(65)}), "text-too-long"),
        (json!({"kind": "bin"}), "field-missing"),
        (json!({"kind": "bin", "value": "1", "country": "BD"}), "field-unknown"),
    ] {
        let refused = host.post("/v1/identifiers/check", &[], &body).await;
        assert_eq!(refused.problem(), (422, code), "{}", refused.text);
    }
    let period = host.get("/v1/fiscal-periods?date=2026-08-15").await.body;
    assert_eq!(period["code"], "FY2026-2027-P02");
    assert_eq!((&period["fiscal_year"], &period["starts"]), (&json!("2026-2027"), &json!("2026-08-01")));
    for (query, code) in [
        ("?date=2026-02-30", "date-invalid"),
        ("?date=15-08-2026", "date-invalid"),
        ("", "query-invalid"),
        ("?date=2026-08-15&zone=x", "query-invalid"),
    ] {
        let refused = host.get(&format!("/v1/fiscal-periods{query}")).await;
        assert_eq!(refused.problem(), (422, code), "{query}");
    }
}
