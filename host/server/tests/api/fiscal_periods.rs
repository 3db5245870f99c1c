//! Fiscal periods: opened by the pack's calendar, closed and reopened by an approver.

use niyam::Role;
use serde_json::json;

use crate::harness::{On, TestHost, on_both};

/// Opens the fiscal year 2026-2027 of `demo`.
pub async fn year(host: &TestHost) {
    let opened = host.post("/v1/fiscal-years", &[], &json!({"date": "2026-08-15"})).await;
    assert_eq!(opened.status, 201, "{}", opened.text);
}

/// Lets the period of August 2026 be `soft-close`d, `close`d …
pub async fn august(host: &TestHost, command: &str) {
    let answer = host.change("/v1/fiscal-periods/FY2026-2027-P02", command, "*").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

async fn a_year_is_opened_once_as_the_pack_has_it(on: On) {
    let host = TestHost::new(on).await;
    let headers = [("idempotency-key", "year")];
    let body = json!({"date": "2027-01-31"});
    let opened = host.post("/v1/fiscal-years", &headers, &body).await;
    assert_eq!(opened.status, 201, "{}", opened.text);
    let items = opened.body["items"].as_array().unwrap();
    assert_eq!(items.len(), 12);
    let first = json!({"code": "FY2026-2027-P01", "fiscal_year": "2026-2027", "starts": "2026-07-01",
                       "ends": "2026-07-31", "status": "open"});
    assert_eq!(items[0], first);
    assert_eq!(items[11]["ends"], "2027-06-30");
    assert!(host.post("/v1/fiscal-years", &headers, &body).await.replayed);
    let head = host.head().await;
    let twice = host.post("/v1/fiscal-years", &[], &json!({"date": "2026-07-01"})).await;
    assert_eq!(twice.problem(), (409, "fiscal-year-exists"));
    assert_eq!(host.head().await, head);
    for day in ["1970-12-31", "2200-01-01", "9999-12-31"] {
        let refused = host.post("/v1/fiscal-years", &[], &json!({"date": day})).await;
        assert_eq!(refused.problem(), (422, "date-out-of-range"), "{}", refused.text);
    }
    let next = host.post("/v1/fiscal-years", &[], &json!({"date": "2027-07-01"})).await;
    assert_eq!(next.body["items"].as_array().unwrap().len(), 24);
    let shown = host.get("/v1/fiscal-years").await;
    assert_eq!((&shown.body, &shown.etag), (&next.body, &next.etag));
}

async fn a_period_is_soft_closed_closed_and_reopened_with_a_reason(on: On) {
    let host = TestHost::new(on).await;
    year(&host).await;
    let path = "/v1/fiscal-periods/FY2026-2027-P01";
    let soft = host.change(path, "soft-close", "\"1\"").await;
    assert_eq!((&soft.body["status"], soft.etag.as_str()), (&json!("soft-closed"), "\"2\""), "{}", soft.text);
    let closed = host.change(path, "close", &soft.etag).await;
    assert_eq!(closed.body["status"], "closed");
    let head = host.head().await;
    for command in ["soft-close", "close"] {
        let refused = host.change(path, command, &closed.etag).await;
        assert_eq!(refused.problem(), (409, "fiscal-period-status-conflict"));
    }
    let reopen = format!("{path}/reopen");
    let headers = [("if-match", closed.etag.as_str())];
    let refused = host.post(&reopen, &headers, &json!({"reason": " "})).await;
    assert_eq!(refused.problem(), (422, "text-invalid"));
    assert_eq!(refused.body["errors"][0]["pointer"], "/reason");
    assert_eq!(host.post(&reopen, &headers, &json!({})).await.problem(), (422, "field-missing"));
    let stale = host.post(&reopen, &[("if-match", "\"1\"")], &json!({"reason": "late bill"})).await;
    assert_eq!(stale.problem(), (412, "version-mismatch"));
    assert_eq!(
        host.post(&reopen, &[], &json!({"reason": "late bill"})).await.problem(),
        (428, "if-match-missing")
    );
    let missing = host.change("/v1/fiscal-periods/FY1999-2000-P01", "close", "*").await;
    assert_eq!(missing.problem(), (404, "fiscal-period-not-found"));
    assert_eq!(host.head().await, head);
    let open = host.post(&reopen, &headers, &json!({"reason": "late bill"})).await;
    assert_eq!(open.body["status"], "open", "{}", open.text);
    let shown = host.get(path).await;
    assert_eq!((&shown.body, &shown.etag), (&open.body, &open.etag));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_approver_closes() {
    let host = TestHost::new(On::Sqlite).await;
    year(&host).await;
    for role in [Role::Viewer, Role::Accountant, Role::TenantAdmin] {
        let bearer = host.bearer("demo", &[role]);
        let headers = [("authorization", bearer.as_str()), ("if-match", "*")];
        for command in ["soft-close", "close", "reopen"] {
            let path = format!("/v1/fiscal-periods/FY2026-2027-P01/{command}");
            let body = if command == "reopen" { json!({"reason": "late"}) } else { json!({}) };
            assert_eq!(host.post(&path, &headers, &body).await.problem(), (403, "role-missing"));
        }
    }
    let bearer = host.bearer("demo", &[Role::Viewer]);
    let headers = [("authorization", bearer.as_str())];
    let refused = host.post("/v1/fiscal-years", &headers, &json!({"date": "2027-08-15"})).await;
    assert_eq!(refused.problem(), (403, "role-missing"));
    assert_eq!(host.get_with("/v1/fiscal-years", &headers).await.status, 200);
}

on_both! {
    a_year_is_opened_once_as_the_pack_has_it
    a_period_is_soft_closed_closed_and_reopened_with_a_reason
}
