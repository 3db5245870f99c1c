//! What may follow what: revise, approve, issue, cancel, each in the states that allow it.

use jiff::civil::date;
use niyam::activate_pack;
use serde_json::json;

use crate::harness::{Answer, On, TestHost, on_both, sale, with};

/// Puts an invoice into each state; its path and the answer that brought it there.
async fn in_state(host: &TestHost, status: &str) -> (String, Answer) {
    let document = sale("standard", "1");
    let (path, reached) = match status {
        "draft" => host.draft(&document).await,
        "approved" => host.approve(&document).await,
        "issued" => host.issue(&document).await,
        _ => {
            let (path, draft) = host.draft(&document).await;
            let cancelled = host.change(&path, "cancel", &draft.etag).await;
            (path, cancelled)
        }
    };
    assert_eq!(reached.body["status"], status, "{}", reached.text);
    (path, reached)
}

async fn a_revision_makes_a_draft_of_what_was_not_issued(on: On) {
    let host = TestHost::new(on).await;
    for status in ["draft", "approved"] {
        let (path, before) = in_state(&host, status).await;
        let revised = host.put(&path, &[("if-match", &before.etag)], &sale("S004.00", "3")).await;
        assert_eq!(revised.status, 200, "{}", revised.text);
        assert_eq!(revised.body["status"], "draft");
        assert_eq!(revised.body["taxes"]["tax_added"], "300.00");
        assert_ne!(revised.etag, before.etag);
        let shown = host.get(&path).await;
        assert_eq!((&shown.body, &shown.etag), (&revised.body, &revised.etag));
        // The approval given before is void.
        let issued = host.change(&path, "issue", &revised.etag).await;
        assert_eq!(issued.problem(), (409, "invoice-status-conflict"));
    }
}

async fn each_change_is_refused_in_a_state_that_does_not_allow_it(on: On) {
    let host = TestHost::new(on).await;
    for (status, refused) in [
        ("draft", &["issue"][..]),
        ("approved", &["approve", "cancel"]),
        ("issued", &["approve", "issue", "cancel", "revise"]),
        ("cancelled", &["approve", "issue", "cancel", "revise"]),
    ] {
        let (path, reached) = in_state(&host, status).await;
        let head = host.head().await;
        for command in refused {
            let answer = if *command == "revise" {
                host.put(&path, &[("if-match", &reached.etag)], &sale("standard", "2")).await
            } else {
                host.change(&path, command, &reached.etag).await
            };
            assert_eq!(answer.problem(), (409, "invoice-status-conflict"), "{command} {status}");
        }
        assert_eq!(host.head().await, head, "{status}");
        assert_eq!(host.get(&path).await.body, reached.body);
    }
}

async fn every_change_demands_the_version_that_stands(on: On) {
    let host = TestHost::new(on).await;
    let (path, draft) = host.draft(&sale("standard", "1")).await;
    assert_eq!(draft.etag, "\"1\"");
    let revised = host.put(&path, &[("if-match", "\"1\"")], &sale("standard", "2")).await;
    assert_eq!(revised.etag, "\"2\"");
    let head = host.head().await;
    let body = sale("standard", "3");
    for command in ["approve", "issue", "cancel"] {
        let path = format!("{path}/{command}");
        assert_eq!(host.post(&path, &[], &json!({})).await.problem(), (428, "if-match-missing"));
        for stale in ["\"1\"", "\"3\"", "2", "W/\"2\"", "\"two\""] {
            let answer = host.post(&path, &[("if-match", stale)], &json!({})).await;
            assert_eq!(answer.problem(), (412, "version-mismatch"), "{command} {stale}");
        }
    }
    assert_eq!(host.put(&path, &[], &body).await.problem(), (428, "if-match-missing"));
    assert_eq!(host.put(&path, &[("if-match", "\"1\"")], &body).await.problem(), (412, "version-mismatch"));
    assert_eq!(host.head().await, head);
    let approved = host.change(&path, "approve", "\"2\"").await;
    assert_eq!((approved.status.as_u16(), approved.etag.as_str()), (200, "\"3\""));
    // A client that does not care says so.
    assert_eq!(host.change(&path, "issue", "*").await.status, 200);
}

async fn of_two_who_change_the_same_version_one_is_refused(on: On) {
    let host = TestHost::new(on).await;
    let (path, draft) = host.draft(&sale("standard", "1")).await;
    let document = sale("standard", "2");
    let headers = [("if-match", draft.etag.as_str())];
    let (one, other) =
        tokio::join!(host.put(&path, &headers, &document), host.put(&path, &headers, &document));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412]);
    assert_eq!(host.get(&path).await.etag, "\"2\"");
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_begin_anew_with_the_fiscal_year_of_the_tenants_own_clock() {
    let host = TestHost::new(On::Sqlite).await;
    let number = async || {
        let (_, issued) = host.issue(&sale("standard", "1")).await;
        assert_eq!(issued.status, 200, "{}", issued.text);
        (issued.body["number"].clone(), issued.body["issued_on"].clone())
    };
    host.clock.set("2027-06-30T17:59:59Z");
    assert_eq!(number().await, (json!("1/2026-2027"), json!("2027-06-30")));
    // Midnight in Dhaka.
    host.clock.set("2027-06-30T18:00:00Z");
    assert_eq!(number().await, (json!("1/2027-2028"), json!("2027-07-01")));
    assert_eq!(number().await, (json!("2/2027-2028"), json!("2027-07-01")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_approved_is_issued_or_nothing() {
    let host = TestHost::new(On::Sqlite).await;
    let document = with("/lines/0/unit_price", json!("10.10"));
    let (path, approved) = host.approve(&document).await;
    assert_eq!(approved.body["taxes"]["tax_added"], "1.52");
    let whole = Some(r#"{"rounding":{"places":0}}"#);
    let tenant = "demo".parse().unwrap();
    activate_pack(host.server.app(), &tenant, "vat-bd", date(2026, 7, 1), whole).await.unwrap();
    let head = host.head().await;
    assert_eq!(host.change(&path, "issue", &approved.etag).await.problem(), (409, "taxes-changed"));
    assert_eq!(host.head().await, head);
    let revised = host.put(&path, &[("if-match", &approved.etag)], &document).await;
    let approved = host.change(&path, "approve", &revised.etag).await;
    let issued = host.change(&path, "issue", &approved.etag).await;
    assert_eq!(issued.body["taxes"]["tax_added"], "2", "{}", issued.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancellation_keeps_its_reason() {
    let host = TestHost::new(On::Sqlite).await;
    let (path, draft) = host.draft(&sale("standard", "1")).await;
    let cancel = format!("{path}/cancel");
    let headers = [("if-match", draft.etag.as_str())];
    let long = host.post(&cancel, &headers, &json!({"reason": "x".repeat(501)})).await;
    assert_eq!(long.problem(), (422, "text-too-long"));
    assert_eq!(long.body["errors"][0]["pointer"], "/reason");
    let cancelled = host.post(&cancel, &headers, &json!({"reason": "ordered twice"})).await;
    assert_eq!(cancelled.status, 200, "{}", cancelled.text);
    let events = host.get(&format!("{path}/events")).await.body;
    assert_eq!(events["items"][1]["type"], "invoice.cancelled.v1");
    assert_eq!(events["items"][1]["payload"]["reason"], "ordered twice");
    assert_eq!(events["items"][1]["user"], "rahima");
}

on_both! {
    a_revision_makes_a_draft_of_what_was_not_issued
    each_change_is_refused_in_a_state_that_does_not_allow_it
    every_change_demands_the_version_that_stands
    of_two_who_change_the_same_version_one_is_refused
}
