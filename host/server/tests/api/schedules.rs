//! Schedules over HTTP: what comes due is posted once, whoever runs it; what cannot be posted waits and says why.

use niyam::Role;
use serde_json::{Value, json};

use crate::accounts::chart;
use crate::fiscal_periods::{august, year};
use crate::harness::{Answer, On, TestHost, on_both, set};

fn rent() -> Value {
    json!({
        "name": "Office rent", "kind": "recurring", "starts": "2026-07-01", "day": 5,
        "entry": {"description": "Rent", "reference": "V-17", "lines": [
            {"account": "5300", "debit": "45000", "currency": "BDT", "dimensions": {"branch": "motijheel"}},
            {"account": "1120", "credit": "45000", "currency": "BDT"}
        ]}
    })
}

fn accrual() -> Value {
    let mut accrual = rent();
    set(&mut accrual, "/kind", json!("accrual"));
    set(&mut accrual, "/every", json!("fiscal-period"));
    accrual.as_object_mut().unwrap().remove("day");
    accrual
}

fn van() -> Value {
    json!({
        "name": "Van", "kind": "depreciation", "starts": "2026-07-15",
        "asset": {"method": "straight-line", "cost": "1000", "salvage": "100", "months": 7, "currency": "BDT"}
    })
}

async fn create(host: &TestHost, schedule: &Value) -> (String, Answer) {
    let created = host.post("/v1/schedules", &[], schedule).await;
    assert_eq!(created.status, 201, "{}", created.text);
    (created.header("location").to_owned(), created)
}

async fn run(host: &TestHost, through: &str) -> Value {
    let ran = host.post(&format!("/v1/schedules/run?through={through}"), &[], &json!({})).await;
    assert_eq!(ran.status, 200, "{}", ran.text);
    ran.body
}

/// What the schedule at `path` has posted, as `occurrence date`, and what waits, as `occurrence code`.
async fn told(host: &TestHost, path: &str) -> (Vec<String>, Vec<String>) {
    let shown = host.get(path).await;
    assert_eq!(shown.status, 200, "{}", shown.text);
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let posted = shown.body["posted"].as_array().unwrap().iter();
    let pending = shown.body["pending"].as_array().unwrap().iter();
    (
        posted.map(|row| format!("{} {}", text(&row["occurrence"]), text(&row["date"]))).collect(),
        pending
            .map(|row| format!("{} {}", text(&row["occurrence"]), text(&row["findings"][0]["code"])))
            .collect(),
    )
}

/// The schedule, once the server has posted so many occurrences by itself.
async fn posted_by_itself(host: &TestHost, path: &str, count: usize) -> Vec<String> {
    for _ in 0..600 {
        let (posted, _) = told(host, path).await;
        if posted.len() >= count {
            return posted;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{path} does not post {count}: {:?}", told(host, path).await);
}

async fn balance(host: &TestHost, account: &str) -> Vec<String> {
    let head = host.head().await.to_string();
    let path = format!("/v1/reports/general-ledger?account={account}&as_of=2030-12-31");
    let answer = host.get_with(&path, &[("niyam-position", &head)]).await;
    let rows = answer.body["tables"][0]["rows"].as_array().unwrap().clone();
    let lines = rows.iter().filter(|row| row["row"] == "line");
    let side = |row: &Value| {
        row["debit"].as_str().map_or_else(|| format!("-{}", row["credit"].as_str().unwrap()), str::to_owned)
    };
    lines.map(|row| format!("{} {}", row["date"].as_str().unwrap(), side(row))).collect()
}

async fn what_comes_due_is_posted_by_itself_once(on: On) {
    let host = TestHost::new(on).await;
    chart(&host).await;
    let (path, created) = create(&host, &rent()).await;
    assert_eq!(created.body["status"], "active");
    assert_eq!(posted_by_itself(&host, &path, 2).await, ["2026-07 2026-07-05", "2026-08 2026-08-05"]);
    let entry = host.get(&path).await.body["posted"][0]["entry_id"].as_str().unwrap().to_owned();
    let entry = host.get(&format!("/v1/journal-entries/{entry}")).await.body;
    assert_eq!((&entry["status"], &entry["source"]["kind"]), (&json!("posted"), &json!("schedule")));
    assert_eq!(entry["lines"][0]["dimensions"], json!({"branch": "motijheel"}));
    // Asked for on demand, nothing more is due; a day later than the next one, that is.
    assert_eq!(run(&host, "2026-08-15").await, json!({"posted": [], "held": [], "more": false}));
    let ran = run(&host, "2026-09-05").await;
    assert_eq!(
        (&ran["posted"][0]["occurrence"], &ran["posted"][0]["state"]),
        (&json!("2026-09"), &json!("posted"))
    );
    let host = host.restart().await;
    host.clock.set("2026-10-05T06:00:00Z");
    assert_eq!(posted_by_itself(&host, &path, 4).await.len(), 4);
    assert_eq!(balance(&host, "5300").await.len(), 4);
    // An entry that a schedule posted is taken back as any other, and does not come again.
    let reverse = format!("/v1/journal-entries/{}/reverse", entry["id"].as_str().unwrap());
    let reversed = host.post(&reverse, &[("if-match", "*")], &json!({"reason": "not this month"})).await;
    assert_eq!(reversed.status, 200, "{}", reversed.text);
    assert_eq!(run(&host, "2026-10-05").await["posted"], json!([]));
}

/// Two hosts, and whoever asks, at the same moment: each occurrence is there once.
async fn two_hosts_and_a_request_post_each_occurrence_once(on: On) {
    let host = TestHost::new(on).await;
    chart(&host).await;
    let app = crate::harness::open(host.data(), host.database.as_deref(), &host.clock).await;
    let other = niyam::Server::start(app, "127.0.0.1:0".parse().unwrap()).await.unwrap();
    let mut schedule = rent();
    set(&mut schedule, "/starts", json!("2025-08-01"));
    let (path, _) = create(&host, &schedule).await;
    let nothing = json!({});
    let runs = futures::future::join_all((0..6).map(|_| host.post("/v1/schedules/run", &[], &nothing)));
    let mut posted = 0;
    for ran in runs.await {
        assert_eq!(ran.status, 200, "{}", ran.text);
        posted += ran.body["posted"].as_array().unwrap().len();
    }
    assert!(posted <= 13, "{posted}");
    assert_eq!(posted_by_itself(&host, &path, 13).await.len(), 13);
    let lines = balance(&host, "5300").await;
    assert_eq!(lines.len(), 13);
    other.stop().await.unwrap();
}

async fn an_accrual_is_taken_back_on_the_next_periods_first_day(on: On) {
    let host = TestHost::new(on).await;
    chart(&host).await;
    year(&host).await;
    let (path, _) = create(&host, &accrual()).await;
    assert_eq!(posted_by_itself(&host, &path, 1).await, ["FY2026-2027-P01 2026-07-31"]);
    let preview = host.get(&format!("{path}/preview?through=2026-09-01")).await;
    let item = |row: &Value| {
        format!("{} {} {} {}", row["occurrence"], row["kind"], row["date"], row["state"]).replace('"', "")
    };
    let found: Vec<String> = preview.body["items"].as_array().unwrap().iter().map(item).collect();
    assert_eq!(found[0], "FY2026-2027-P01 entry 2026-07-31 posted");
    assert!(found[1].starts_with("FY2026-2027-P01 reversal 2026-08-01 "), "{found:?}");
    assert_eq!(
        found[2..],
        ["FY2026-2027-P02 entry 2026-08-31 planned", "FY2026-2027-P02 reversal 2026-09-01 planned"]
    );
    run(&host, "2026-09-01").await;
    let lines = balance(&host, "5300").await;
    assert_eq!(
        lines,
        ["2026-07-31 45000.00", "2026-08-01 -45000.00", "2026-08-31 45000.00", "2026-09-01 -45000.00"]
    );
    assert_eq!(run(&host, "2026-09-01").await["posted"], json!([]));
}

async fn an_asset_loses_its_cost_to_the_last_paisa(on: On) {
    let host = TestHost::new(on).await;
    chart(&host).await;
    host.clock.set("2027-03-01T06:00:00Z");
    let (path, created) = create(&host, &van()).await;
    assert_eq!(created.body["asset"]["expense_account"], "5600");
    posted_by_itself(&host, &path, 7).await;
    let lines = balance(&host, "1520").await;
    assert_eq!(
        (lines.len(), lines[0].as_str(), lines[6].as_str()),
        (7, "2026-07-31 -128.57", "2027-01-31 -128.58")
    );
    assert_eq!(host.get(&path).await.body["status"], "complete");
}

async fn what_cannot_be_posted_waits_and_says_why(on: On) {
    let host = TestHost::new(on).await;
    let etag = chart(&host).await;
    year(&host).await;
    august(&host, "close").await;
    let (path, _) = create(&host, &rent()).await;
    posted_by_itself(&host, &path, 1).await;
    let (posted, waiting) = told(&host, &path).await;
    assert_eq!((posted.len(), waiting), (1, vec!["2026-08 period-closed".to_owned()]));
    let ran = run(&host, "2026-08-15").await;
    assert_eq!(
        (&ran["held"][0]["state"], &ran["held"][0]["findings"][0]["code"]),
        (&json!("held"), &json!("period-closed"))
    );
    let reopen = json!({"reason": "rent"});
    let path_of_period = "/v1/fiscal-periods/FY2026-2027-P02/reopen";
    assert_eq!(host.post(path_of_period, &[("if-match", "*")], &reopen).await.status, 200);
    assert_eq!(posted_by_itself(&host, &path, 2).await.len(), 2);
    // A soft-closed period takes an approver's run.
    let september = "/v1/fiscal-periods/FY2026-2027-P03";
    assert_eq!(host.change(september, "soft-close", "*").await.status, 200);
    let accountant = host.bearer("demo", &[Role::Accountant]);
    let headers = [("authorization", accountant.as_str())];
    let ran = host.post("/v1/schedules/run?through=2026-09-05", &headers, &json!({})).await;
    assert_eq!(ran.body["held"][0]["findings"][0]["code"], "period-soft-closed", "{}", ran.text);
    assert_eq!(run(&host, "2026-09-05").await["posted"][0]["occurrence"], "2026-09");
    // An account that takes no more postings.
    let off = host.change("/v1/accounts/5300", "deactivate", &etag).await;
    assert_eq!(off.status, 200, "{}", off.text);
    host.clock.set("2026-10-06T06:00:00Z");
    let (_, waiting) = told(&host, &path).await;
    assert_eq!(waiting, ["2026-10 account-inactive"]);
    assert_eq!(host.change("/v1/accounts/5300", "reactivate", "*").await.status, 200);
    assert_eq!(posted_by_itself(&host, &path, 4).await.len(), 4);
}

async fn a_schedule_is_revised_ended_and_listed(on: On) {
    let host = TestHost::new(on).await;
    chart(&host).await;
    let headers = [("idempotency-key", "rent")];
    let created = host.post("/v1/schedules", &headers, &rent()).await;
    assert!(host.post("/v1/schedules", &headers, &rent()).await.replayed);
    let path = created.header("location").to_owned();
    posted_by_itself(&host, &path, 2).await;
    let mut more = rent();
    set(&mut more, "/entry/lines/0/debit", json!("50000"));
    set(&mut more, "/entry/lines/1/credit", json!("50000"));
    let stale = host.put(&path, &[("if-match", "\"1\"")], &more).await;
    assert_eq!(stale.problem(), (412, "version-mismatch"));
    let etag = host.get(&path).await.etag;
    let revised = host.put(&path, &[("if-match", &etag)], &more).await;
    assert_eq!(revised.body["entry"]["lines"][0]["debit"], "50000.00", "{}", revised.text);
    set(&mut more, "/day", json!(6));
    let refused = host.put(&path, &[("if-match", "*")], &more).await;
    assert_eq!(refused.problem(), (422, "schedule-begun"));
    let early =
        host.post(&format!("{path}/end"), &[("if-match", "*")], &json!({"last_day": "2026-08-04"})).await;
    assert_eq!(early.problem(), (422, "schedule-end-before-posted"));
    let ended =
        host.post(&format!("{path}/end"), &[("if-match", "*")], &json!({"last_day": "2026-08-31"})).await;
    assert_eq!(
        (&ended.body["status"], &ended.body["last_day"]),
        (&json!("complete"), &json!("2026-08-31")),
        "{}",
        ended.text
    );
    let again =
        host.post(&format!("{path}/end"), &[("if-match", "*")], &json!({"last_day": "2026-09-30"})).await;
    assert_eq!(again.problem(), (409, "schedule-ended"));
    assert_eq!(run(&host, "2026-09-14").await["posted"], json!([]));
    create(&host, &van()).await;
    let head = host.head().await.to_string();
    let page = host.get_with("/v1/schedules?limit=1", &[("niyam-position", &head)]).await;
    assert_eq!(page.body["items"][0]["name"], "Van");
    let next =
        host.get(&format!("/v1/schedules?limit=1&after={}", page.body["next"].as_str().unwrap())).await;
    assert_eq!(
        (&next.body["items"][0]["status"], &next.body["next"]),
        (&json!("ended"), &Value::Null),
        "{}",
        next.text
    );
}

async fn what_is_no_schedule_is_told_by_code_and_place(on: On) {
    let host = TestHost::new(on).await;
    assert_eq!(host.post("/v1/schedules", &[], &rent()).await.problem(), (409, "chart-missing"));
    chart(&host).await;
    let head = host.head().await;
    for (document, pointer, value, code, at) in [
        (rent(), "/kind", json!("weekly"), "value-invalid", "/kind"),
        (rent(), "/every", json!("week"), "value-invalid", "/every"),
        (rent(), "/day", json!(32), "schedule-day-invalid", "/day"),
        (rent(), "/name", json!(""), "text-invalid", "/name"),
        (rent(), "/starts", json!("2026-02-30"), "date-invalid", "/starts"),
        (rent(), "/starts", json!("1900-01-01"), "date-out-of-range", "/starts"),
        (rent(), "/until", json!("2026-06-30"), "schedule-until-before-start", "/until"),
        (rent(), "/asset", van()["asset"].clone(), "field-unknown", "/asset"),
        (rent(), "/entry/lines/0/debit", json!("1"), "entry-unbalanced", "/entry/lines"),
        (rent(), "/entry/lines/0/account", json!("5999"), "account-unknown", "/entry/lines/0/account"),
        (rent(), "/entry/description", json!(""), "text-invalid", "/entry/description"),
        (van(), "/asset/method", json!("sum-of-digits"), "value-invalid", "/asset/method"),
        (van(), "/asset/cost", json!("100"), "depreciation-invalid", "/asset/cost"),
        (van(), "/asset/months", json!(0), "depreciation-invalid", "/asset/months"),
        (van(), "/asset/rate", json!("20"), "depreciation-invalid", "/asset/rate"),
        (van(), "/asset/currency", json!("XXT"), "currency-unknown", "/asset/currency"),
        (van(), "/asset/expense_account", json!("5000"), "account-not-posting", "/asset/expense_account"),
        (van(), "/day", json!(1), "field-unknown", "/day"),
    ] {
        let mut document = document;
        set(&mut document, pointer, value);
        let refused = host.post("/v1/schedules", &[], &document).await;
        assert_eq!(refused.problem(), (422, code), "{pointer} {}", refused.text);
        assert_eq!(refused.body["errors"][0]["pointer"], at, "{}", refused.text);
    }
    for (path, code) in [
        ("/v1/schedules/run?through=2026-13-01", "date-invalid"),
        ("/v1/schedules/run?through=2026-09-16", "date-out-of-range"),
        ("/v1/schedules/run?until=2026-09-01", "query-invalid"),
    ] {
        assert_eq!(host.post(path, &[], &json!({})).await.problem(), (422, code), "{path}");
    }
    for path in ["/v1/schedules/1", "/v1/schedules/00000000-0000-4000-8000-000000000001/preview"] {
        assert_eq!(host.get(path).await.problem(), (404, "schedule-not-found"));
    }
    assert_eq!(host.get("/v1/schedules?limit=0").await.problem(), (422, "query-invalid"));
    assert_eq!(host.head().await, head);
    let viewer = host.bearer("demo", &[Role::Viewer]);
    let headers = [("authorization", viewer.as_str())];
    for path in ["/v1/schedules", "/v1/schedules/run"] {
        assert_eq!(host.post(path, &headers, &rent()).await.problem(), (403, "role-missing"));
    }
    let (path, _) = create(&host, &rent()).await;
    host.tenant("other", "vat-bd").await;
    let other = host.bearer("other", &[Role::Accountant]);
    assert_eq!(
        host.get_with(&path, &[("authorization", &other)]).await.problem(),
        (404, "schedule-not-found")
    );
}

on_both! {
    what_comes_due_is_posted_by_itself_once
    two_hosts_and_a_request_post_each_occurrence_once
    an_accrual_is_taken_back_on_the_next_periods_first_day
    an_asset_loses_its_cost_to_the_last_paisa
    what_cannot_be_posted_waits_and_says_why
    a_schedule_is_revised_ended_and_listed
    what_is_no_schedule_is_told_by_code_and_place
}
