//! The chart of accounts: begun once, changed as the pack and the chart allow, by whom it may.

use niyam::Role;
use serde_json::{Value, json};

use crate::harness::{On, TestHost, on_both};

/// Begins the chart of `demo`; its `ETag`.
pub async fn chart(host: &TestHost) -> String {
    let created = host.post("/v1/accounts/from-template", &[], &json!({})).await;
    assert_eq!(created.status, 201, "{}", created.text);
    created.etag
}

fn account(code: &str, parent: &str) -> Value {
    json!({"code": code, "name": "Export receivables", "class": "asset", "parent": parent, "kind": "posting"})
}

async fn a_chart_begins_with_the_packs_accounts_once(on: On) {
    let host = TestHost::new(on).await;
    assert_eq!(host.get("/v1/accounts").await.body, json!({"version": 0, "items": []}));
    let headers = [("idempotency-key", "chart")];
    let created = host.post("/v1/accounts/from-template", &headers, &json!({})).await;
    assert_eq!((created.status.as_u16(), created.header("location")), (201, "/v1/accounts"));
    let again = host.post("/v1/accounts/from-template", &headers, &json!({})).await;
    assert!(again.replayed);
    let head = host.head().await;
    let twice = host.post("/v1/accounts/from-template", &[], &json!({})).await;
    assert_eq!(twice.problem(), (409, "chart-exists"));
    assert_eq!(host.head().await, head);
    assert_eq!(host.get("/v1/accounts").await.body, created.body);
    let receivable = host.get("/v1/accounts/1210").await.body;
    assert_eq!(
        receivable,
        json!({"code": "1210", "name": "Trade receivables", "class": "asset", "parent": "1200",
               "kind": "posting", "active": true, "roles": ["receivable"]})
    );
}

async fn an_account_is_added_renamed_moved_deactivated_and_activated(on: On) {
    let host = TestHost::new(on).await;
    chart(&host).await;
    let added = host.post("/v1/accounts", &[("idempotency-key", "a")], &account("1211", "1200")).await;
    assert_eq!(
        (added.status.as_u16(), added.header("location")),
        (201, "/v1/accounts/1211"),
        "{}",
        added.text
    );
    let change = json!({"name": "Receivables abroad", "parent": "1100"});
    let path = "/v1/accounts/1211";
    let changed = host.put(path, &[("if-match", &added.etag)], &change).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    assert_eq!(
        (&changed.body["name"], &changed.body["parent"]),
        (&json!("Receivables abroad"), &json!("1100"))
    );
    // One version for each of the two events.
    assert_eq!((added.etag.as_str(), changed.etag.as_str()), ("\"2\"", "\"4\""));
    let same = host.put(path, &[("if-match", &changed.etag)], &change).await;
    assert_eq!((same.status.as_u16(), &same.etag), (200, &changed.etag));
    let off = host.change(path, "deactivate", &same.etag).await;
    assert_eq!(off.body["active"], false, "{}", off.text);
    let on_again = host.change(path, "reactivate", &off.etag).await;
    assert_eq!(on_again.body["active"], true);
    let headers = [("if-match", on_again.etag.as_str())];
    let role = host.put("/v1/account-roles/receivable", &headers, &json!({"account": "1211"})).await;
    assert_eq!(role.body["roles"], json!(["receivable"]), "{}", role.text);
    assert_eq!(host.get("/v1/accounts/1210").await.body["roles"], json!([]));
    let shown = host.get(path).await;
    assert_eq!((&shown.body, &shown.etag), (&role.body, &role.etag));
}

async fn what_the_chart_does_not_allow_is_told_and_not_recorded(on: On) {
    let host = TestHost::new(on).await;
    let etag = chart(&host).await;
    let head = host.head().await;
    let with = |name: &str, value: Value| {
        let mut account = account("1211", "1200");
        account[name] = value;
        account
    };
    for (body, problem, pointer) in [
        (with("code", json!("7000")), (422, "account-code-invalid"), "/code"),
        (with("code", json!("12 11")), (422, "value-invalid"), "/code"),
        (with("code", json!("1210")), (409, "account-exists"), ""),
        (with("parent", json!("1999")), (422, "account-unknown"), "/parent"),
        (with("parent", json!("1210")), (422, "account-parent-not-header"), "/parent"),
        (with("class", json!("expense")), (422, "account-class-differs"), "/parent"),
        (with("class", json!("thing")), (422, "value-invalid"), "/class"),
        (with("name", json!(" ")), (422, "text-invalid"), "/name"),
        (with("role", json!("revenue")), (422, "account-role-taken"), "/role"),
        (with("balance", json!("1")), (422, "field-unknown"), "/balance"),
    ] {
        let answer = host.post("/v1/accounts", &[], &body).await;
        assert_eq!(answer.problem(), problem, "{}", answer.text);
        assert_eq!(
            answer.body["errors"][0]["pointer"].as_str().unwrap_or_default(),
            pointer,
            "{}",
            answer.text
        );
    }
    let headers = [("if-match", etag.as_str())];
    for code in ["1210", "1200"] {
        let answer = host.change(&format!("/v1/accounts/{code}"), "deactivate", &etag).await;
        assert_eq!(answer.problem(), (409, "account-in-use"));
    }
    for (path, body, problem) in [
        ("/v1/accounts/1000", json!({"name": "Assets", "parent": "1200"}), (422, "account-parent-below")),
        ("/v1/accounts/1999", json!({"name": "Assets"}), (404, "account-not-found")),
        ("/v1/account-roles/revenue", json!({"account": "4000"}), (422, "account-not-posting")),
        ("/v1/account-roles/Revenue", json!({"account": "4100"}), (422, "value-invalid")),
    ] {
        assert_eq!(host.put(path, &headers, &body).await.problem(), problem, "{path}");
        assert_eq!(
            host.put(path, &[], &body).await.status,
            if problem.1 == "value-invalid" { 422 } else { 428 }
        );
    }
    let stale = [("if-match", "\"7\"")];
    let body = json!({"name": "Receivables", "parent": "1200"});
    assert_eq!(host.put("/v1/accounts/1210", &stale, &body).await.problem(), (412, "version-mismatch"));
    assert_eq!(host.head().await, head);
}

async fn accounts_added_at_once_are_all_there(on: On) {
    let host = TestHost::new(on).await;
    chart(&host).await;
    let codes: Vec<String> = (1..=4).map(|number| format!("129{number}")).collect();
    let added = codes.iter().map(|code| async {
        let answer = host.post("/v1/accounts", &[], &account(code, "1200")).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
    });
    futures::future::join_all(added).await;
    for code in &codes {
        assert_eq!(host.get(&format!("/v1/accounts/{code}")).await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_accountant_changes_the_chart_and_only_the_own() {
    let host = TestHost::new(On::Sqlite).await;
    for role in [Role::Viewer, Role::Approver, Role::TenantAdmin] {
        let bearer = host.bearer("demo", &[role]);
        let headers = [("authorization", bearer.as_str())];
        let refused = host.post("/v1/accounts/from-template", &headers, &json!({})).await;
        assert_eq!(refused.problem(), (403, "role-missing"));
        let refused = host.post("/v1/accounts", &headers, &account("1211", "1200")).await;
        assert_eq!(refused.problem(), (403, "role-missing"));
        assert_eq!(host.get_with("/v1/accounts", &headers).await.status, 200);
    }
    chart(&host).await;
    host.tenant("other", "vat-bd").await;
    let other = host.bearer("other", &[Role::Accountant]);
    let headers = [("authorization", other.as_str())];
    assert_eq!(host.get_with("/v1/accounts", &headers).await.body["items"], json!([]));
    assert_eq!(host.get_with("/v1/accounts/1210", &headers).await.problem(), (404, "account-not-found"));
    let bearer = host.bearer("nobody", &[Role::Accountant]);
    let headers = [("authorization", bearer.as_str())];
    assert_eq!(host.get_with("/v1/accounts", &headers).await.problem(), (403, "tenant-unknown"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pack_without_a_template_lets_the_chart_be_built_by_hand() {
    let host = TestHost::empty(On::Sqlite).await;
    host.tenant("demo", "unruly").await;
    let host = host.with_token();
    let refused = host.post("/v1/accounts/from-template", &[], &json!({})).await;
    assert_eq!(refused.problem(), (409, "chart-not-offered"));
    let top = json!({"code": "A", "name": "Assets", "class": "asset", "kind": "header"});
    assert_eq!(host.post("/v1/accounts", &[], &top).await.status, 201);
    assert_eq!(host.post("/v1/accounts", &[], &account("A.1", "A")).await.status, 201);
}

on_both! {
    a_chart_begins_with_the_packs_accounts_once
    an_account_is_added_renamed_moved_deactivated_and_activated
    what_the_chart_does_not_allow_is_told_and_not_recorded
    accounts_added_at_once_are_all_there
}
