//! From a draft to its paper.

use std::collections::BTreeSet;

use crate::harness::{On, TestHost, on_both, sale};

async fn an_invoice_is_drafted_approved_issued_and_listed(on: On) {
    let host = TestHost::new(on).await;
    let (path, issued) = host.issue(&sale("S004.00", "2")).await;
    assert_eq!(issued.status, 200, "{}", issued.body);
    assert_eq!(issued.body["status"], "issued");
    assert_eq!(issued.body["number"], "1/2026-2027");
    assert_eq!(issued.body["taxes"]["tax_added"], "200.00");
    let list = host.get("/v1/invoices?status=issued").await.body;
    assert_eq!(list["items"][0]["id"], issued.body["id"]);
    assert_eq!(list["items"][0]["payable"], "2200.00");
    let paper = host.get(&format!("{path}/forms/mushak-6.3")).await;
    assert_eq!(paper.status, 200, "{}", paper.body);
    assert_eq!(paper.body["code"], "mushak-6.3");
    let decisions = host.get(&format!("{path}/decisions")).await.body;
    assert_eq!(decisions["items"][0]["module"]["id"], "vat-bd");
    // The draft and the issue asked the same of the same component: the same answer, at the same cost.
    assert_eq!(decisions["items"][0]["output_digest"], decisions["items"][1]["output_digest"]);
    assert_eq!(decisions["items"][0]["fuel"], decisions["items"][1]["fuel"]);
    let events = host.get(&format!("{path}/events")).await.body;
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

on_both! {
    an_invoice_is_drafted_approved_issued_and_listed
    a_hundred_clients_issue_without_a_gap_a_double_or_a_conflict
}
