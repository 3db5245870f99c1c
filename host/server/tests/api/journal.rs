//! Journal entries over HTTP: drafted, revised, posted, taken back; or refused, with nothing recorded.

use niyam::Role;
use serde_json::{Value, json};

use crate::accounts::chart;
use crate::fiscal_periods::{august, year};
use crate::harness::{Answer, On, TestHost, on_both, set};

/// Rent of August, paid by the bank.
fn rent(amount: &str) -> Value {
    json!({
        "date": "2026-08-15", "description": "Rent of August", "reference": "V-17",
        "lines": [
            {"account": "5300", "debit": amount, "currency": "BDT", "dimensions": {"branch": "motijheel"}},
            {"account": "1120", "credit": amount, "currency": "BDT", "memo": "cheque 4711"}
        ]
    })
}

/// Drafts `entry`; its path and the answer.
async fn draft(host: &TestHost, entry: &Value) -> (String, Answer) {
    let draft = host.post("/v1/journal-entries", &[], entry).await;
    assert_eq!(draft.status, 201, "{}", draft.text);
    (draft.header("location").to_owned(), draft)
}

async fn posted(host: &TestHost) -> (String, Answer) {
    let (path, draft) = draft(host, &rent("45000")).await;
    let posted = host.change(&path, "post", &draft.etag).await;
    assert_eq!(posted.status, 200, "{}", posted.text);
    (path, posted)
}

async fn reverse(host: &TestHost, path: &str, etag: &str, body: &Value) -> Answer {
    host.post(&format!("{path}/reverse"), &[("if-match", etag)], body).await
}

async fn an_entry_is_drafted_revised_posted_and_taken_back_once(on: On) {
    let host = TestHost::new(on).await;
    chart(&host).await;
    let (path, first) = draft(&host, &rent("45000")).await;
    assert_eq!(first.body["lines"][0]["debit"], "45000.00");
    let revised = host.put(&path, &[("if-match", &first.etag)], &rent("46000.5")).await;
    assert_eq!(revised.body["lines"][1]["credit"], "46000.50", "{}", revised.text);
    let posted = host.change(&path, "post", &revised.etag).await;
    assert_eq!(posted.body["status"], "posted", "{}", posted.text);
    let head = host.head().await;
    let refused = host.put(&path, &[("if-match", &posted.etag)], &rent("1")).await;
    assert_eq!(refused.problem(), (409, "journal-entry-status-conflict"));
    let refused = host.change(&path, "post", &posted.etag).await;
    assert_eq!(refused.problem(), (409, "journal-entry-status-conflict"));
    assert_eq!(host.head().await, head);
    let body = json!({"date": "2026-08-20", "reason": "paid twice"});
    let reversed = reverse(&host, &path, &posted.etag, &body).await;
    assert_eq!(reversed.body["status"], "reversed", "{}", reversed.text);
    assert_eq!(host.head().await.0, head.0 + 2);
    let mirror_path = format!("/v1/journal-entries/{}", reversed.body["reversed_by"].as_str().unwrap());
    let mirror = host.get(&mirror_path).await;
    assert_eq!(mirror.body["reverses"], reversed.body["id"]);
    assert_eq!(mirror.body["date"], "2026-08-20");
    assert_eq!(mirror.body["lines"][0]["credit"], "46000.50");
    assert_eq!(mirror.body["lines"][0]["dimensions"], json!({"branch": "motijheel"}));
    let head = host.head().await;
    let twice = reverse(&host, &path, &reversed.etag, &body).await;
    assert_eq!(twice.problem(), (409, "journal-entry-status-conflict"));
    let of_mirror = reverse(&host, &mirror_path, &mirror.etag, &body).await;
    assert_eq!(of_mirror.problem(), (409, "reversal-of-reversal"));
    assert_eq!(host.head().await, head);
}

async fn a_bad_entry_is_told_by_code_and_place_and_not_recorded(on: On) {
    let host = TestHost::new(on).await;
    let without = host.post("/v1/journal-entries", &[], &rent("1")).await;
    assert_eq!(without.problem(), (409, "chart-missing"));
    let etag = chart(&host).await;
    let off = host.change("/v1/accounts/5400", "deactivate", &etag).await;
    assert_eq!(off.status, 200, "{}", off.text);
    let head = host.head().await;
    for (pointer, value, code, at) in [
        ("/lines/1/credit", json!("44999.99"), "entry-unbalanced", "/lines"),
        ("/lines/0/currency", json!("USD"), "entry-unbalanced", "/lines"),
        ("/lines/0/account", json!("5999"), "account-unknown", "/lines/0/account"),
        ("/lines/0/account", json!("5 3"), "account-unknown", "/lines/0/account"),
        ("/lines/0/account", json!("5000"), "account-not-posting", "/lines/0/account"),
        ("/lines/0/account", json!("5400"), "account-inactive", "/lines/0/account"),
        ("/lines/0/debit", json!("45000.001"), "amount-too-precise", "/lines/0/debit"),
        ("/lines/0/debit", json!("-45000"), "amount-not-positive", "/lines/0/debit"),
        ("/lines/0/debit", json!("1e3"), "decimal-invalid", "/lines/0/debit"),
        ("/lines/0/debit", json!(45000), "type-wrong", "/lines/0/debit"),
        ("/lines/0/credit", json!("45000"), "entry-side-unclear", "/lines/0"),
        ("/lines/0/currency", json!("XXT"), "currency-unknown", "/lines/0/currency"),
        ("/lines", json!([]), "entry-lines-count", "/lines"),
        ("/description", json!(""), "text-invalid", "/description"),
        ("/date", json!("2026-02-30"), "date-invalid", "/date"),
        ("/posted", json!(true), "field-unknown", "/posted"),
    ] {
        let mut entry = rent("45000");
        set(&mut entry, pointer, value);
        let answer = host.post("/v1/journal-entries", &[], &entry).await;
        assert_eq!(answer.problem(), (422, code), "{}", answer.text);
        assert_eq!(answer.body["errors"][0]["pointer"], at, "{}", answer.text);
    }
    assert_eq!(host.head().await, head);
}

async fn a_closed_period_takes_nothing_and_a_soft_closed_one_an_approvers(on: On) {
    let host = TestHost::new(on).await;
    chart(&host).await;
    year(&host).await;
    let (early, before) = posted(&host).await;
    let (path, draft) = draft(&host, &rent("45000")).await;
    august(&host, "soft-close").await;
    let accountant = host.bearer("demo", &[Role::Accountant]);
    let headers = [("authorization", accountant.as_str()), ("if-match", draft.etag.as_str())];
    let refused = host.post(&format!("{path}/post"), &headers, &json!({})).await;
    assert_eq!(refused.problem(), (422, "period-soft-closed"));
    assert_eq!(refused.body["errors"][0]["pointer"], "/date");
    august(&host, "close").await;
    let head = host.head().await;
    let refused = host.change(&path, "post", &draft.etag).await;
    assert_eq!(refused.problem(), (422, "period-closed"));
    let refused = reverse(&host, &early, &before.etag, &json!({"reason": "wrong"})).await;
    assert_eq!(refused.problem(), (422, "period-closed"));
    let refused =
        reverse(&host, &early, &before.etag, &json!({"reason": "wrong", "date": "2026-08-14"})).await;
    assert_eq!(refused.problem(), (422, "document-invalid"));
    assert_eq!(host.head().await, head);
    let later = reverse(&host, &early, &before.etag, &json!({"reason": "wrong", "date": "2026-09-01"})).await;
    assert_eq!(later.status, 200, "{}", later.text);
    let reopen = json!({"reason": "late bill"});
    let path_of_period = "/v1/fiscal-periods/FY2026-2027-P02/reopen";
    assert_eq!(host.post(path_of_period, &[("if-match", "*")], &reopen).await.status, 200);
    august(&host, "soft-close").await;
    // The token holds both roles.
    assert_eq!(host.change(&path, "post", &draft.etag).await.status, 200);
}

/// However a close and postings fall together, no posting comes after the close.
async fn no_posting_comes_after_a_close_that_it_raced(on: On) {
    let host = TestHost::new(on).await;
    chart(&host).await;
    year(&host).await;
    let mut paths = Vec::new();
    for _ in 0..12 {
        paths.push(draft(&host, &rent("1")).await.0);
    }
    let posts = futures::future::join_all(paths.iter().map(|path| host.change(path, "post", "\"1\"")));
    let close = host.change("/v1/fiscal-periods/FY2026-2027-P02", "close", "*");
    let (answers, closed) = tokio::join!(posts, close);
    assert_eq!(closed.status, 200, "{}", closed.text);
    let closed_at: u64 = closed.header("niyam-position").parse().unwrap();
    for answer in answers {
        if answer.status == 200 {
            let position: u64 = answer.header("niyam-position").parse().unwrap();
            assert!(position < closed_at, "posted at {position}, closed at {closed_at}");
        } else {
            assert_eq!(answer.problem(), (422, "period-closed"));
        }
    }
}

async fn the_same_key_posts_and_takes_back_once(on: On) {
    let host = TestHost::new(on).await;
    chart(&host).await;
    let (path, draft) = draft(&host, &rent("45000")).await;
    let headers = [("if-match", draft.etag.as_str()), ("idempotency-key", "post")];
    let (post, nothing) = (format!("{path}/post"), json!({}));
    let (one, other) =
        tokio::join!(host.post(&post, &headers, &nothing), host.post(&post, &headers, &nothing));
    assert_eq!((one.status.as_u16(), other.status.as_u16()), (200, 200), "{} {}", one.text, other.text);
    assert_eq!(one.body, other.body);
    let headers = [("if-match", one.etag.as_str()), ("idempotency-key", "reverse")];
    let (reverse, body) = (format!("{path}/reverse"), json!({"reason": "wrong"}));
    let (one, other) =
        tokio::join!(host.post(&reverse, &headers, &body), host.post(&reverse, &headers, &body));
    assert_eq!((one.status.as_u16(), other.status.as_u16()), (200, 200), "{} {}", one.text, other.text);
    assert_eq!(one.body["reversed_by"], other.body["reversed_by"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_does_what_it_may_and_another_tenant_sees_nothing() {
    let host = TestHost::new(On::Sqlite).await;
    chart(&host).await;
    let (path, draft) = draft(&host, &rent("45000")).await;
    let with = |bearer: String, command: &'static str| {
        let (host, path, etag) = (&host, &path, &draft.etag);
        async move {
            let headers = [("authorization", bearer.as_str()), ("if-match", etag.as_str())];
            let body = if command == "reverse" { json!({"reason": "x"}) } else { json!({}) };
            let answer = host.post(&format!("{path}/{command}"), &headers, &body).await;
            (answer.status.as_u16(), answer.body["code"].as_str().unwrap_or_default().to_owned())
        }
    };
    for role in [Role::Viewer, Role::TenantAdmin] {
        for command in ["post", "reverse"] {
            let answer = with(host.bearer("demo", &[role]), command).await;
            assert_eq!(answer, (403, "role-missing".to_owned()));
        }
    }
    let approver = host.bearer("demo", &[Role::Approver]);
    let headers = [("authorization", approver.as_str())];
    let refused = host.post("/v1/journal-entries", &headers, &rent("1")).await;
    assert_eq!(refused.problem(), (403, "role-missing"));
    host.tenant("other", "vat-bd").await;
    let other = host.bearer("other", &[Role::Accountant, Role::Approver]);
    for command in ["post", "reverse"] {
        assert_eq!(with(other.clone(), command).await, (404, "journal-entry-not-found".to_owned()));
    }
    let headers = [("authorization", other.as_str())];
    assert_eq!(host.get_with(&path, &headers).await.problem(), (404, "journal-entry-not-found"));
    assert_eq!(host.get("/v1/journal-entries/1").await.problem(), (404, "journal-entry-not-found"));
    assert_eq!(with(approver.clone(), "post").await.0, 200);
}

on_both! {
    an_entry_is_drafted_revised_posted_and_taken_back_once
    a_bad_entry_is_told_by_code_and_place_and_not_recorded
    a_closed_period_takes_nothing_and_a_soft_closed_one_an_approvers
    no_posting_comes_after_a_close_that_it_raced
    the_same_key_posts_and_takes_back_once
}
