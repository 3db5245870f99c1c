//! From a draft to its paper.

use std::collections::BTreeSet;

use serde_json::json;

use crate::harness::{On, TestHost, sale};

async fn an_invoice_is_drafted_approved_issued_and_listed(on: On) {
    let host = TestHost::new(on).await;
    let (id, issued) = host.issue(&sale("S004.00", "2")).await;
    assert_eq!(issued.status, 200, "{}", issued.body);
    assert_eq!(issued.body["status"], "issued");
    assert_eq!(issued.body["number"], "1/2026-2027");
    assert_eq!(issued.body["taxes"]["tax_added"], "200.00");
    let list = host.get("/v1/invoices?status=issued").await.body;
    assert_eq!(list["items"][0]["id"], id.as_str());
    assert_eq!(list["items"][0]["payable"], "2200.00");
    let paper = host.get(&format!("/v1/invoices/{id}/forms/mushak-6.3")).await;
    assert_eq!(paper.status, 200, "{}", paper.body);
    assert_eq!(paper.body["code"], "mushak-6.3");
    let decisions = host.get(&format!("/v1/invoices/{id}/decisions")).await.body;
    assert_eq!(decisions["items"][0]["module"]["id"], "vat-bd");
    // The draft and the issue asked the same of the same component: the same answer, at the same cost.
    assert_eq!(decisions["items"][0]["output_digest"], decisions["items"][1]["output_digest"]);
    assert_eq!(decisions["items"][0]["fuel"], decisions["items"][1]["fuel"]);
    let events = host.get(&format!("/v1/invoices/{id}/events")).await.body;
    assert_eq!(events["items"].as_array().unwrap().len(), 3);
    host.server.stop().await.unwrap();
}

async fn a_hundred_clients_issue_without_a_gap_a_double_or_a_conflict(on: On) {
    let host = TestHost::new(on).await;
    let issues = (0..100).map(|_| async {
        let (_, issued) = host.issue(&sale("standard", "1")).await;
        assert_eq!(issued.status, 200, "{}", issued.body);
        issued.body["number"].as_str().unwrap().to_owned()
    });
    let numbers: BTreeSet<String> = futures::future::join_all(issues).await.into_iter().collect();
    let expected: BTreeSet<String> = (1..=100).map(|serial| format!("{serial}/2026-2027")).collect();
    assert_eq!(numbers, expected);
}

async fn one_key_has_one_effect_and_one_answer(on: On) {
    let host = TestHost::new(on).await;
    let document = sale("standard", "1");
    let headers = [("idempotency-key", "order-17")];
    let posts = (0..20).map(|_| host.post("/v1/invoices", &headers, &document));
    let answers = futures::future::join_all(posts).await;
    assert!(answers.iter().all(|answer| answer.status == 201 && answer.body == answers[0].body));
    assert_eq!(answers.iter().filter(|answer| !answer.replayed).count(), 1);
    assert_eq!(host.get("/v1/invoices").await.body["items"].as_array().unwrap().len(), 1);
    let other = host.post("/v1/invoices", &headers, &sale("standard", "2")).await;
    assert_eq!((other.status.as_u16(), &other.body["code"]), (422, &json!("idempotency-key-reused")));
}

macro_rules! on_both {
    ($($name:ident)*) => {
        mod sqlite { $(#[tokio::test(flavor = "multi_thread")] async fn $name() {
            super::$name(super::On::Sqlite).await;
        })* }
        mod postgres { $(#[tokio::test(flavor = "multi_thread")] async fn $name() {
            super::$name(super::On::Postgres).await;
        })* }
    };
}
on_both! {
    an_invoice_is_drafted_approved_issued_and_listed
    a_hundred_clients_issue_without_a_gap_a_double_or_a_conflict
    one_key_has_one_effect_and_one_answer
}
