//! The list of invoices: page by page, by status, and never behind what its reader wrote.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::harness::{Answer, On, TestHost, on_both, sale};

fn ids(page: &Answer) -> Vec<String> {
    assert_eq!(page.status, 200, "{}", page.text);
    let items = page.body["items"].as_array().unwrap();
    items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

/// Where `Link: <…>; rel="next"` leads.
fn next(page: &Answer) -> Option<String> {
    let link = page.header("link").strip_prefix('<')?.strip_suffix(">; rel=\"next\"")?;
    Some(link.to_owned())
}

async fn draft(host: &TestHost) -> String {
    host.draft(&sale("standard", "1")).await.1.body["id"].as_str().unwrap().to_owned()
}

async fn every_invoice_comes_once_also_when_others_arrive(on: On) {
    let host = TestHost::new(on).await;
    let mut expected = Vec::new();
    for _ in 0..8 {
        expected.insert(0, draft(&host).await);
    }
    let mut seen = Vec::new();
    let mut path = Some("/v1/invoices?limit=3".to_owned());
    let mut pages = 0;
    while let Some(here) = path {
        let page = host.get(&here).await;
        seen.extend(ids(&page));
        pages += 1;
        path = next(&page);
        let cursor = page.body["next"].as_str();
        assert_eq!(path, cursor.map(|cursor| format!("/v1/invoices?limit=3&after={cursor}")));
        draft(&host).await;
    }
    assert_eq!((seen, pages), (expected, 3));
    let all = ids(&host.get("/v1/invoices?limit=200").await);
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 11);
    // A page that is just full is the last.
    let page = host.get("/v1/invoices?limit=11").await;
    assert_eq!((ids(&page), page.body.get("next"), next(&page)), (all, None, None));
}

async fn a_status_selects(on: On) {
    let host = TestHost::new(on).await;
    let document = sale("standard", "1");
    let (_, drafted) = host.draft(&document).await;
    let (_, approved) = host.approve(&document).await;
    let (_, issued) = host.issue(&document).await;
    let (path, cancelled) = host.draft(&document).await;
    host.change(&path, "cancel", &cancelled.etag).await;
    for (status, invoice) in
        [("draft", drafted), ("approved", approved), ("issued", issued), ("cancelled", cancelled)]
    {
        let page = host.get(&format!("/v1/invoices?status={status}")).await;
        assert_eq!(ids(&page), [invoice.body["id"].as_str().unwrap()], "{status}");
        let item = &page.body["items"][0];
        assert_eq!((&item["status"], &item["payable"]), (&status.into(), &"1150.00".into()));
        assert_eq!(item["number"].is_string(), status == "issued");
    }
    // The link keeps what was selected.
    for _ in 0..2 {
        host.draft(&document).await;
    }
    let page = host.get("/v1/invoices?limit=2&status=draft").await;
    let page = host.get(&next(&page).unwrap()).await;
    assert_eq!((ids(&page).len(), next(&page)), (1, None));
}

async fn who_wrote_reads_it(on: On) {
    let host = TestHost::new(on).await;
    for _ in 0..10 {
        let (path, approved) = host.approve(&sale("standard", "1")).await;
        let issued = host.change(&path, "issue", &approved.etag).await;
        let position = issued.header("niyam-position");
        let page = host.get_with("/v1/invoices?limit=1", &[("niyam-position", position)]).await;
        let item = &page.body["items"][0];
        assert_eq!((&item["id"], &item["number"]), (&issued.body["id"], &issued.body["number"]));
        let holds = |answer: &Answer| answer.header("niyam-position").parse::<u64>().unwrap();
        assert!(holds(&page) >= holds(&issued));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_cannot_hold_the_position_says_so() {
    let host = TestHost::new(On::Sqlite).await;
    draft(&host).await;
    let ahead = host.head().await.0 + 1;
    let answer = host.get_with("/v1/invoices", &[("niyam-position", &ahead.to_string())]).await;
    assert_eq!(answer.problem(), (503, "view-behind"));
    for position in ["", "x", "-1", "1.5"] {
        let answer = host.get_with("/v1/invoices", &[("niyam-position", position)]).await;
        assert_eq!(answer.problem(), (400, "position-invalid"), "{position}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_means_nothing_is_refused() {
    let host = TestHost::new(On::Sqlite).await;
    for query in [
        "limit=0",
        "limit=201",
        "limit=-1",
        "limit=ten",
        "limit=99999999999",
        "after=x",
        "after=-1",
        "after=1.5",
        "status=paid",
        "status=Issued",
        "offset=5",
        "limit=1&limit=2",
    ] {
        let answer = host.get(&format!("/v1/invoices?{query}")).await;
        assert_eq!(answer.problem(), (422, "query-invalid"), "{query}");
    }
    let empty = host.get("/v1/invoices?limit=200&after=1").await;
    assert_eq!((empty.status.as_u16(), &empty.body["items"]), (200, &Value::Array(Vec::new())));
}

on_both! {
    every_invoice_comes_once_also_when_others_arrive
    a_status_selects
    who_wrote_reads_it
}
