//! Many drafts in one call: each row by itself, and again with the same key without doing a row twice.

use niyam::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, On, TestHost, on_both, sale, with};

const HEADER: &str = "direction,tax_date,currency,price_mode,party_id,party_name,party_address,party_country,\
                      party_identifier.bin,description,supply_code,quantity,unit,unit_price,attribute.vehicle\n";

fn row(name: &str, quantity: &str) -> String {
    format!(
        "sale,2026-08-15,BDT,exclusive,c-1,\"{name}\",\"Tongi, Gazipur\",BD,001234567-0101,Work,standard,{quantity},\
         job,1000.00,Truck\n"
    )
}

async fn import(host: &TestHost, kind: &str, key: &str, body: String) -> Answer {
    let headers = [("content-type", kind), ("idempotency-key", key)];
    host.send(Method::POST, "/v1/invoices/import", &headers, Some(body)).await
}

/// The results of the rows, and the sums.
fn results(answer: &Answer) -> (Vec<Value>, Value) {
    assert_eq!(answer.status, 200, "{}", answer.text);
    let mut lines: Vec<Value> = answer.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let sums = lines.pop().unwrap();
    (lines, sums)
}

async fn a_bad_row_fails_alone_by_number_and_column(on: On) {
    let host = TestHost::new(on).await;
    let bad = [
        row("Meghna", "-1"),
        row("Jamuna", "x"),
        row("Karnaphuli", "1").replace("standard", "no-such"),
        row("Surma", "1").replace(",BD,", ",ZZ,"),
        "sale,2026-08-15\n".to_owned(),
        row("Teesta", "1").replace("2026-08-15", "2026-02-30"),
    ];
    let mut body = HEADER.to_owned() + &row("Padma", "2");
    body.extend(bad);
    body.push_str(&row("Feni, \"the\" mills".replace('"', "\"\"").as_str(), "3"));
    let answer = import(&host, "text/csv; charset=utf-8", "one", body).await;
    let (rows, sums) = results(&answer);
    assert_eq!(sums, json!({"rows": 8, "drafted": 2, "replayed": 0, "failed": 6}));
    let told: Vec<(u64, u64, &str, &str)> = rows
        .iter()
        .map(|row| {
            let text = |value: &Value| -> &str {
                Box::leak(value.as_str().unwrap_or("-").to_owned().into_boxed_str())
            };
            let pointer = text(&row["errors"][0]["pointer"]);
            (row["row"].as_u64().unwrap(), row["status"].as_u64().unwrap(), text(&row["code"]), pointer)
        })
        .collect();
    assert_eq!(told[0], (1, 201, "-", "-"), "{}", answer.text);
    assert_eq!(told[1], (2, 422, "quantity-not-positive", "/2/quantity"));
    assert_eq!(told[2], (3, 422, "decimal-invalid", "/3/quantity"));
    assert_eq!((told[3].0, told[3].1, told[3].3), (4, 422, "/4/supply_code"), "{}", answer.text);
    assert_eq!(told[4], (5, 422, "country-unknown", "/5/party_country"));
    assert_eq!((told[5].0, told[5].1, told[5].2), (6, 422, "csv-malformed"));
    assert_eq!(told[6], (7, 422, "date-invalid", "/7/tax_date"));
    assert_eq!(told[7], (8, 201, "-", "-"));
    let drafted = host.get(&format!("/v1/invoices/{}", rows[7]["id"].as_str().unwrap())).await;
    assert_eq!(drafted.body["customer"]["name"], "Feni, \"the\" mills", "{}", drafted.text);
    assert_eq!(drafted.body["customer"]["identifiers"][0]["kind"], "bin");
    assert_eq!(drafted.body["attributes"]["vehicle"], "Truck");
    assert_eq!(
        (&drafted.body["status"], &drafted.body["taxes"]["gross"]),
        (&json!("draft"), &json!("3450.00"))
    );
}

async fn a_call_that_is_sent_again_does_no_row_twice_and_does_the_others(on: On) {
    let host = TestHost::new(on).await;
    let all: Vec<String> = (1..=60).map(|number| row(&format!("Customer {number}"), "1")).collect();
    // As if the first call had broken off after 25 rows.
    let (first, _) =
        results(&import(&host, "text/csv", "again", HEADER.to_owned() + &all[..25].concat()).await);
    let head = host.head().await;
    let answer = import(&host, "text/csv", "again", HEADER.to_owned() + &all.concat()).await;
    let (rows, sums) = results(&answer);
    assert_eq!(sums, json!({"rows": 60, "drafted": 35, "replayed": 25, "failed": 0}));
    assert_eq!(host.head().await.0, head.0 + 35);
    for (before, now) in first.iter().zip(&rows) {
        assert_eq!((&before["id"], &before["row"]), (&now["id"], &now["row"]));
        assert_eq!(now["replayed"], true);
    }
    // Another row under the same number is another request.
    let other = HEADER.to_owned() + &row("Somebody else", "1");
    let (rows, _) = results(&import(&host, "text/csv", "again", other).await);
    assert_eq!(rows[0]["code"], "idempotency-key-reused");
    assert_eq!(host.head().await.0, head.0 + 35);
}

/// Nothing tells where such a row ends, so the rows behind it would be lost in it.
async fn a_quote_that_does_not_end_takes_no_rows_with_it(on: On) {
    let host = TestHost::new(on).await;
    let head = host.head().await;
    let rows = HEADER.to_owned() + &row("Padma", "1") + &row("Meghna", "2");
    for body in [rows.replacen(",Truck\n", ",\"Truck\n", 1), rows.replacen(",Truck\n", ",\"Truck\"s\n", 1)] {
        let refused = import(&host, "text/csv", "quotes", body).await;
        assert_eq!(refused.problem(), (422, "csv-malformed"), "{}", refused.text);
    }
    assert_eq!(host.head().await, head);
    // One in the middle of a cell is a sign like any other.
    let (_, sums) = results(&import(&host, "text/csv", "quotes", rows.replace("Truck", "5\" Truck")).await);
    assert_eq!(sums["drafted"], 2, "{sums}");
}

async fn json_lines_have_whole_documents(on: On) {
    let host = TestHost::new(on).await;
    let mut two = sale("standard", "1");
    let line = two["lines"][0].clone();
    two["lines"].as_array_mut().unwrap().push(line);
    let wrong = with("/lines/0/unit_price", json!("-5"));
    let body = format!("{two}\n\n{wrong}\n{{\"direction\":\"sale\"\n{}\n", sale("exempt", "4"));
    let (rows, sums) = results(&import(&host, "application/x-ndjson", "lines", body).await);
    assert_eq!(sums, json!({"rows": 4, "drafted": 2, "replayed": 0, "failed": 2}));
    assert_eq!(rows[1]["errors"][0]["pointer"], "/2/lines/0/unit_price");
    assert_eq!(rows[2]["code"], "json-malformed");
    let drafted = host.get(&format!("/v1/invoices/{}", rows[0]["id"].as_str().unwrap())).await;
    assert_eq!(drafted.body["lines"].as_array().unwrap().len(), 2);
}

async fn what_is_no_import_is_refused_as_a_whole(on: On) {
    let host = TestHost::new(on).await;
    let head = host.head().await;
    let body = || HEADER.to_owned() + &row("Padma", "1");
    for (kind, key, body, problem) in [
        ("application/json", "a", body(), (415, "media-type-wrong")),
        ("text/csv", "", body(), (400, "idempotency-key-invalid")),
        ("text/csv", &"k".repeat(201), body(), (400, "idempotency-key-invalid")),
        ("text/csv", "b", body().replace("quantity", "amount"), (422, "column-unknown")),
        ("text/csv", "c", body().replace("quantity", "unit"), (422, "field-duplicate")),
        ("application/x-ndjson", "d", "{}\n".repeat(10_001), (422, "rows-too-many")),
    ] {
        let refused = import(&host, kind, key, body).await;
        assert_eq!(refused.problem(), problem, "{}", refused.text);
    }
    let viewer = host.bearer("demo", &[Role::Viewer]);
    let headers =
        [("content-type", "text/csv"), ("idempotency-key", "e"), ("authorization", viewer.as_str())];
    let refused = host.send(Method::POST, "/v1/invoices/import", &headers, Some(body())).await;
    assert_eq!(refused.problem(), (403, "role-missing"));
    let tried = [("content-type", "text/csv"), ("idempotency-key", "f")];
    let refused = host.send(Method::POST, "/v1/invoices/import?dry_run=true", &tried, Some(body())).await;
    assert_eq!(refused.problem(), (422, "query-invalid"));
    assert_eq!(host.head().await, head);
    let (_, sums) = results(&import(&host, "text/csv", "g", HEADER.to_owned()).await);
    assert_eq!(sums["rows"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_is_imported_with_its_suppliers_number() {
    let host = TestHost::new(On::Sqlite).await;
    let header = HEADER.trim_end().to_owned() + ",supplier_number,account\n";
    let purchase = row("Padma", "1").replacen("sale", "purchase", 1);
    let with_number = purchase.trim_end().to_owned() + ",INV-1,5300\n";
    let without = purchase.trim_end().to_owned() + ",,\n";
    let (rows, _) = results(&import(&host, "text/csv", "p", header + &with_number + &without).await);
    let drafted = host.get(&format!("/v1/invoices/{}", rows[0]["id"].as_str().unwrap())).await;
    assert_eq!(drafted.body["supplier_invoice"]["number"], "INV-1", "{}", drafted.text);
    assert_eq!(drafted.body["supplier"]["name"], "Padma");
    assert_eq!(rows[1]["errors"][0]["pointer"], "/2/supplier_number");
}

on_both! {
    a_quote_that_does_not_end_takes_no_rows_with_it
    a_bad_row_fails_alone_by_number_and_column
    a_call_that_is_sent_again_does_no_row_twice_and_does_the_others
    json_lines_have_whole_documents
    what_is_no_import_is_refused_as_a_whole
}
