//! An issued invoice is in the books at once, by roles; or it is not issued.

use serde_json::{Value, json};

use crate::accounts::chart;
use crate::fiscal_periods::{august, year};
use crate::harness::{On, TestHost, on_both, sale};

/// `side account amount` of each line.
fn lines(entry: &Value) -> Vec<String> {
    let shown = |line: &Value| {
        let account = line["account"].as_str().unwrap();
        match line["debit"].as_str() {
            Some(amount) => format!("dr {account} {amount}"),
            None => format!("cr {account} {}", line["credit"].as_str().unwrap()),
        }
    };
    entry["lines"].as_array().unwrap().iter().map(shown).collect()
}

fn entry_of(invoice: &Value) -> String {
    format!("/v1/journal-entries/{}", invoice["id"].as_str().unwrap())
}

async fn an_issue_posts_its_entry_in_the_same_transaction(on: On) {
    let host = TestHost::new(on).await;
    chart(&host).await;
    let (_, approved) = host.approve(&sale("standard", "2")).await;
    let head = host.head().await;
    let path = format!("/v1/invoices/{}", approved.body["id"].as_str().unwrap());
    let issued = host.change(&path, "issue", &approved.etag).await;
    assert_eq!(issued.status, 200, "{}", issued.text);
    // The invoice, its number, its entry.
    assert_eq!(host.head().await.0, head.0 + 3);
    assert_eq!(issued.header("niyam-position"), (head.0 + 3).to_string());
    let entry = host.get(&entry_of(&issued.body)).await;
    assert_eq!(lines(&entry.body), ["dr 1210 2300.00", "cr 4100 2000.00", "cr 2210 300.00"]);
    assert_eq!(entry.body["description"], "Invoice 1/2026-2027");
    assert_eq!(entry.body["date"], "2026-08-15");
    assert_eq!(entry.body["source"], json!({"kind": "invoice", "id": issued.body["id"]}));
    // It goes with its invoice.
    let reverse = format!("{}/reverse", entry_of(&issued.body));
    let refused = host.post(&reverse, &[("if-match", "*")], &json!({"reason": "wrong"})).await;
    assert_eq!(refused.problem(), (409, "journal-entry-of-document"));
}

async fn a_role_moves_to_another_account_for_what_is_issued_later(on: On) {
    let host = TestHost::new(on).await;
    chart(&host).await;
    let body = json!({"account": "4200"});
    let moved = host.put("/v1/account-roles/revenue", &[("if-match", "*")], &body).await;
    assert_eq!(moved.status, 200, "{}", moved.text);
    let (_, issued) = host.issue(&sale("standard", "1")).await;
    let entry = host.get(&entry_of(&issued.body)).await;
    assert_eq!(lines(&entry.body), ["dr 1210 1150.00", "cr 4200 1000.00", "cr 2210 150.00"]);
}

async fn without_a_chart_an_invoice_is_issued_as_ever(on: On) {
    let host = TestHost::new(on).await;
    let (_, issued) = host.issue(&sale("standard", "1")).await;
    assert_eq!(issued.status, 200, "{}", issued.text);
    assert_eq!(host.get(&entry_of(&issued.body)).await.problem(), (404, "journal-entry-not-found"));
    // A chart that comes later takes what is issued from then on.
    chart(&host).await;
    let (_, later) = host.issue(&sale("standard", "1")).await;
    assert_eq!(host.get(&entry_of(&later.body)).await.status, 200);
    assert_eq!(host.get(&entry_of(&issued.body)).await.status, 404);
}

async fn nothing_is_issued_for_a_closed_period_with_or_without_a_chart(on: On) {
    let host = TestHost::new(on).await;
    year(&host).await;
    let (path, approved) = host.approve(&sale("standard", "1")).await;
    august(&host, "close").await;
    for _ in 0..2 {
        let head = host.head().await;
        let refused = host.change(&path, "issue", &approved.etag).await;
        assert_eq!(refused.problem(), (422, "period-closed"), "{}", refused.text);
        assert_eq!(refused.body["errors"][0]["pointer"], "/tax_date");
        assert_eq!(host.head().await, head);
        if host.get("/v1/accounts").await.body["version"] == 0 {
            chart(&host).await;
        }
    }
    let body = json!({"reason": "an invoice came late"});
    let reopened = host.post("/v1/fiscal-periods/FY2026-2027-P02/reopen", &[("if-match", "*")], &body).await;
    assert_eq!(reopened.status, 200);
    let issued = host.change(&path, "issue", &approved.etag).await;
    // What was refused took no number.
    assert_eq!(issued.body["number"], "1/2026-2027", "{}", issued.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chart_that_lacks_a_role_keeps_the_invoice_from_being_issued() {
    let host = TestHost::new(On::Sqlite).await;
    let top =
        json!({"code": "1000", "name": "Assets", "class": "asset", "kind": "posting", "role": "receivable"});
    assert_eq!(host.post("/v1/accounts", &[], &top).await.status, 201);
    let (path, approved) = host.approve(&sale("standard", "1")).await;
    let head = host.head().await;
    let refused = host.change(&path, "issue", &approved.etag).await;
    assert_eq!(refused.problem(), (422, "account-role-unassigned"));
    assert!(refused.body["detail"].as_str().unwrap().contains("revenue"), "{}", refused.text);
    assert_eq!(host.head().await, head);
}

on_both! {
    an_issue_posts_its_entry_in_the_same_transaction
    a_role_moves_to_another_account_for_what_is_issued_later
    without_a_chart_an_invoice_is_issued_as_ever
    nothing_is_issued_for_a_closed_period_with_or_without_a_chart
}
