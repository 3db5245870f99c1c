//! Registers and returns: what was issued for a period, and what is filed of it.

use niyam::Role;
use serde_json::{Value, json};

use crate::harness::{Answer, On, TestHost, on_both, sale, with};

const AUGUST: &str = "/v1/tax-returns/mushak-9.1?period=2026-08-15";

fn command(name: &str) -> String {
    format!("/v1/tax-returns/mushak-9.1/{name}?period=2026-08-15")
}

/// Noon in Dhaka on a day of September, with a token of that day.
fn september(host: TestHost, day: u8) -> TestHost {
    host.clock.set(&format!("2026-09-{day:02}T06:00:00Z"));
    host.with_token()
}

/// The cells of a note of the return.
fn note(answer: &Answer, number: &str) -> Value {
    let blocks = answer.body["form"]["blocks"].as_array().unwrap();
    let rows = blocks.iter().filter_map(|block| block["rows"].as_array()).flatten();
    rows.clone().find(|row| row["note"] == number).unwrap_or_else(|| panic!("no note {number}")).clone()
}

async fn august(host: &TestHost) {
    for quantity in ["1", "2"] {
        assert_eq!(host.issue(&sale("standard", quantity)).await.1.status, 200);
    }
    assert_eq!(host.issue(&sale("exempt", "5")).await.1.status, 200);
    // A draft does not count, nor does another month.
    host.draft(&sale("standard", "40")).await;
    assert_eq!(host.issue(&with("/tax_date", json!("2026-07-20"))).await.1.status, 200);
}

async fn a_return_is_prepared_reviewed_filed_and_corrected(on: On) {
    let host = TestHost::new(on).await;
    august(&host).await;
    assert_eq!(host.get(AUGUST).await.problem(), (404, "tax-return-not-found"));
    // August is not over.
    let head = host.head().await;
    let early = host.post(&command("prepare"), &[], &json!({})).await;
    assert_eq!(early.problem(), (422, "period-not-over"), "{}", early.text);
    assert_eq!(host.head().await, head);

    let host = september(host, 10);
    let prepared = host.post(&command("prepare"), &[], &json!({})).await;
    assert_eq!(prepared.status, 201, "{}", prepared.text);
    assert_eq!((&prepared.body["status"], &prepared.body["documents"]), (&json!("prepared"), &json!(3)));
    let shown = host.get(AUGUST).await;
    assert_eq!(
        (&shown.body["proven"], &shown.body["erased"]),
        (&json!(true), &json!(false)),
        "{}",
        shown.text
    );
    assert_eq!((&shown.etag, &shown.body["hash"]), (&prepared.etag, &prepared.body["hash"]));
    let standard = note(&shown, "4");
    assert_eq!((&standard["value"], &standard["vat"]), (&json!("3000.00"), &json!("450.00")));
    assert_eq!(note(&shown, "3")["value"], json!("5000.00"));

    // Each figure comes from its documents.
    let path = "/v1/tax-returns/mushak-9.1/documents?period=2026-08-15&figure=4:vat";
    let documents = host.get(path).await;
    assert_eq!((&documents.body["total"], &documents.body["remainder"]), (&json!("450.00"), &json!("0.00")));
    let amounts: Vec<&str> = documents.body["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["amount"].as_str().unwrap())
        .collect();
    assert_eq!(amounts, ["150.00", "300.00"], "{}", documents.text);
    let first = host.get(&format!("{path}&limit=1")).await;
    assert_eq!(first.body["next"], "1");
    let second = host.get(&format!("{path}&limit=1&after=1")).await;
    assert_eq!((&second.body["items"][0]["amount"], &second.body["next"]), (&json!("300.00"), &Value::Null));
    let missing = host.get("/v1/tax-returns/mushak-9.1/documents?period=2026-08-15&figure=400:vat").await;
    assert_eq!(missing.problem(), (404, "figure-not-found"));

    // Filed as it was reviewed, on the day that it says.
    let unread = host.post(&command("file"), &[("if-match", &prepared.etag)], &json!({})).await;
    assert_eq!(unread.problem(), (409, "tax-return-status-conflict"));
    assert_eq!(host.post(&command("review"), &[], &json!({})).await.problem(), (428, "if-match-missing"));
    let reviewed = host.post(&command("review"), &[("if-match", &prepared.etag)], &json!({})).await;
    assert_eq!(reviewed.status, 200, "{}", reviewed.text);
    let host = september(host, 11);
    let late = host.post(&command("file"), &[("if-match", &reviewed.etag)], &json!({})).await;
    assert_eq!(late.problem(), (409, "tax-return-outdated"));
    let host = september(host, 10);
    let key = [("if-match", reviewed.etag.as_str()), ("idempotency-key", "file")];
    let filed = host.post(&command("file"), &key, &json!({})).await;
    assert_eq!(filed.status, 200, "{}", filed.text);
    assert!(host.post(&command("file"), &key, &json!({})).await.replayed);
    let number = filed.body["filed"][0]["number"].as_str().unwrap();
    assert!(number.starts_with("mushak-9.1/") && number.ends_with("/1"), "{number}");
    assert_eq!(filed.body["filed"][0]["hash"], prepared.body["hash"]);

    // It is locked; what says the same is no correction; one more invoice of August makes one.
    for name in ["review", "file"] {
        let refused = host.post(&command(name), &[("if-match", &filed.etag)], &json!({})).await;
        assert_eq!(refused.problem(), (409, "tax-return-status-conflict"), "{name}");
    }
    assert_eq!(host.issue(&sale("standard", "4")).await.1.status, 200);
    let correction = host.post(&command("prepare"), &[], &json!({})).await;
    assert_eq!(correction.status, 200, "{}", correction.text);
    assert_eq!((&correction.body["sequence"], &correction.body["documents"]), (&json!(2), &json!(4)));
    let now = host.get(AUGUST).await;
    assert_eq!(note(&now, "4")["vat"], json!("1050.00"));
    let then = host.get(&format!("{AUGUST}&sequence=1")).await;
    assert_eq!((&then.body["proven"], &note(&then, "4")["vat"]), (&json!(true), &json!("450.00")));

    // One that came after the review belongs to the return.
    let reviewed = host.post(&command("review"), &[("if-match", &correction.etag)], &json!({})).await;
    assert_eq!(host.issue(&sale("standard", "1")).await.1.status, 200);
    let outdated = host.post(&command("file"), &[("if-match", &reviewed.etag)], &json!({})).await;
    assert_eq!(outdated.problem(), (409, "tax-return-outdated"), "{}", outdated.text);
}

async fn a_register_shows_what_was_issued_so_far(on: On) {
    let host = TestHost::new(on).await;
    august(&host).await;
    let path = "/v1/registers/mushak-6.10?period=2026-08-31";
    let register = host.get(path).await;
    assert_eq!(register.status, 200, "{}", register.text);
    assert_eq!(register.body["code"], "mushak-6.10");
    let page = host.get_with(path, &[("accept", "text/html")]).await;
    assert!(page.text.starts_with("<!DOCTYPE html>"), "{}", page.text);
    // A month without documents has its register, too.
    let empty = host.get("/v1/registers/mushak-6.10?period=2026-06-30").await;
    assert_eq!(empty.status, 200, "{}", empty.text);
    let running = host.get("/v1/registers/mushak-9.1?period=2026-08-31").await;
    assert_eq!(running.problem(), (422, "period-not-over"), "{}", running.text);
    let unknown = host.get("/v1/registers/mushak-99?period=2026-08-31").await;
    assert_eq!(unknown.problem(), (422, "return-not-offered"));
    assert_eq!(host.get("/v1/registers/mushak-6.10").await.problem(), (422, "query-invalid"));
    let unopened = host.get("/v1/registers/mushak-6.10?period=FY2026-2027-P02").await;
    assert_eq!(unopened.problem(), (404, "fiscal-period-not-found"));
    crate::fiscal_periods::year(&host).await;
    let named = host.get("/v1/registers/mushak-6.10?period=FY2026-2027-P02").await;
    assert_eq!(named.text, register.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_file_does_not() {
    let host = TestHost::new(On::Sqlite).await;
    host.tenant("bravo", "vat-bd").await;
    august(&host).await;
    let host = september(host, 10);
    let prepared = host.post(&command("prepare"), &[], &json!({})).await;
    for (role, names) in
        [(Role::Viewer, &["prepare", "review", "file"][..]), (Role::Accountant, &["review", "file"])]
    {
        let bearer = host.bearer("demo", &[role]);
        for name in names {
            let headers = [("authorization", bearer.as_str()), ("if-match", "*")];
            let refused = host.post(&command(name), &headers, &json!({})).await;
            assert_eq!(refused.problem(), (403, "role-missing"), "{name}");
        }
    }
    let other = host.bearer("bravo", &[Role::Approver]);
    let headers = [("authorization", other.as_str()), ("if-match", "*")];
    assert_eq!(host.get_with(AUGUST, &headers).await.problem(), (404, "tax-return-not-found"));
    let refused = host.post(&command("review"), &headers, &json!({})).await;
    assert_eq!(refused.problem(), (404, "tax-return-not-found"));
    assert_eq!(host.get(AUGUST).await.etag, prepared.etag);
}

async fn what_is_due_is_listed_with_the_returns_that_stand(on: On) {
    let host = TestHost::new(on).await;
    august(&host).await;
    let host = september(host, 10);
    let path = "/v1/obligations?from=2026-08-01&to=2026-09-30";
    let returns = |answer: &Answer| -> Vec<(String, String, Value)> {
        let items = answer.body["items"].as_array().unwrap_or_else(|| panic!("{}", answer.text));
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let of = |item: &&Value| item["code"] == "mushak-9.1";
        let shown = |item: &Value| (text(&item["period"]), text(&item["due"]), item["status"].clone());
        items.iter().filter(of).map(shown).collect()
    };
    // 15 August 2026 is a Saturday.
    let due = |status: Value| {
        vec![
            ("FY2026-2027-P01".to_owned(), "2026-08-16".to_owned(), Value::Null),
            ("FY2026-2027-P02".to_owned(), "2026-09-15".to_owned(), status),
        ]
    };
    assert_eq!(returns(&host.get(path).await), due(Value::Null));
    let prepared = host.post(&command("prepare"), &[], &json!({})).await;
    assert_eq!(prepared.status, 201, "{}", prepared.text);
    assert_eq!(returns(&host.get(path).await), due(json!("prepared")));
    // Without days: the 90 from today.
    let soon = host.get("/v1/obligations").await;
    assert_eq!((&soon.body["from"], &soon.body["to"]), (&json!("2026-09-10"), &json!("2026-12-09")));
    assert_eq!(returns(&soon).len(), 3, "{}", soon.text);

    for (query, code) in [
        ("?from=2026-09-31", "date-invalid"),
        ("?from=2026-09-30&to=2026-09-01", "date-out-of-range"),
        ("?from=2026-01-01&to=2028-01-01", "date-out-of-range"),
        ("?day=2026-01-01", "query-invalid"),
    ] {
        assert_eq!(host.get(&format!("/v1/obligations{query}")).await.problem(), (422, code), "{query}");
    }
}

on_both! {
    what_is_due_is_listed_with_the_returns_that_stand
    a_return_is_prepared_reviewed_filed_and_corrected
    a_register_shows_what_was_issued_so_far
}
