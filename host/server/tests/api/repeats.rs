//! A request with an `Idempotency-Key` has one effect and one answer, however often it comes.

use niyam::Role;
use serde_json::json;

use crate::harness::{Answer, On, TestHost, on_both, sale};

async fn one_key_has_one_effect_and_one_answer(on: On) {
    let host = TestHost::new(on).await;
    let document = sale("standard", "1");
    let headers = [("idempotency-key", "order-17")];
    let posts = (0..20).map(|_| host.post("/v1/invoices", &headers, &document));
    let answers = futures::future::join_all(posts).await;
    assert!(answers.iter().all(|answer| answer.status == 201 && answer.body == answers[0].body));
    assert_eq!(answers.iter().filter(|answer| !answer.replayed).count(), 1);
    assert_eq!(host.get("/v1/invoices").await.body["items"].as_array().unwrap().len(), 1);
    let head = host.head().await;
    let other = host.post("/v1/invoices", &headers, &sale("standard", "2")).await;
    assert_eq!(other.problem(), (422, "idempotency-key-reused"));
    assert_eq!(host.head().await, head);
}

/// Asserts that `again` repeats `first`, word for word.
fn assert_repeats(first: &Answer, again: &Answer) {
    assert!(!first.replayed && again.replayed, "{}", again.text);
    assert_eq!((first.status, &first.text), (again.status, &again.text));
    for name in ["etag", "location", "content-type", "niyam-position"] {
        assert_eq!(first.header(name), again.header(name), "{name}");
    }
}

async fn every_post_that_changes_something_is_repeated_also_after_a_restart(on: On) {
    let host = TestHost::new(on).await;
    let document = sale("standard", "1");
    let mut requests = Vec::new();
    let mut send = async |path: String, etag: String, key: &'static str, body: serde_json::Value| {
        let headers = [("idempotency-key", key), ("if-match", etag.as_str())];
        let first = host.post(&path, &headers, &body).await;
        assert!(first.status.is_success(), "{key}: {}", first.text);
        assert_repeats(&first, &host.post(&path, &headers, &body).await);
        let again = (first.header("location").to_owned(), first.etag.clone());
        requests.push((path.clone(), etag.clone(), key, body, first));
        again
    };
    let (path, etag) = send("/v1/invoices".to_owned(), String::new(), "draft", document.clone()).await;
    let (_, etag) = send(format!("{path}/approve"), etag, "approve", json!({})).await;
    send(format!("{path}/issue"), etag, "issue", json!({})).await;
    let (path, etag) = send("/v1/invoices".to_owned(), String::new(), "draft 2", document).await;
    send(format!("{path}/cancel"), etag, "cancel", json!({"reason": "ordered twice"})).await;

    let head = host.head().await;
    let host = host.restart().await;
    for (path, etag, key, body, first) in &requests {
        let headers = [("idempotency-key", *key), ("if-match", etag.as_str())];
        assert_repeats(first, &host.post(path, &headers, body).await);
        // Another body, another version, another path: another request.
        let other = host.post(path, &headers, &json!({"reason": "changed"})).await;
        let refused = [(422, "idempotency-key-reused"), (422, "field-unknown")];
        assert!(refused.contains(&other.problem()), "{key}: {}", other.text);
        let headers = [("idempotency-key", *key), ("if-match", "\"77\"")];
        let other = host.post(path, &headers, body).await;
        assert_eq!(other.problem(), (422, "idempotency-key-reused"), "{key}");
    }
    let elsewhere = format!("{path}/approve");
    let answer = host.post(&elsewhere, &[("idempotency-key", "cancel"), ("if-match", "*")], &json!({})).await;
    assert_eq!(answer.problem(), (422, "idempotency-key-reused"));
    assert_eq!(host.head().await, head);
}

async fn an_issue_repeated_at_once_draws_one_number(on: On) {
    let host = TestHost::new(on).await;
    let (path, approved) = host.approve(&sale("standard", "1")).await;
    let issue = format!("{path}/issue");
    let headers = [("idempotency-key", "issue"), ("if-match", approved.etag.as_str())];
    let body = json!({});
    let posts = (0..20).map(|_| host.post(&issue, &headers, &body));
    let answers = futures::future::join_all(posts).await;
    assert!(answers.iter().all(|answer| answer.body["number"] == "1/2026-2027"));
    assert_eq!(answers.iter().filter(|answer| !answer.replayed).count(), 1);
    let (_, next) = host.issue(&sale("standard", "1")).await;
    assert_eq!(next.body["number"], "2/2026-2027");
}

async fn a_key_is_its_tenants_own(on: On) {
    let host = TestHost::new(on).await;
    host.tenant("other", "vat-bd").await;
    let bearer = host.bearer("other", &[Role::Accountant]);
    let key = ("idempotency-key", "order-17");
    let mine = host.post("/v1/invoices", &[key], &sale("standard", "1")).await;
    let headers = [key, ("authorization", bearer.as_str())];
    let others = host.post("/v1/invoices", &headers, &sale("standard", "2")).await;
    assert_eq!((others.status.as_u16(), others.replayed), (201, false));
    assert_ne!(mine.body["id"], others.body["id"]);
}

on_both! {
    one_key_has_one_effect_and_one_answer
    every_post_that_changes_something_is_repeated_also_after_a_restart
    an_issue_repeated_at_once_draws_one_number
    a_key_is_its_tenants_own
}
