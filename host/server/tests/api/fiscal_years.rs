//! Fiscal years over HTTP: closed once, also when a close breaks off or is raced; taken back; closed again; or refused.

use niyam::Role;
use serde_json::{Value, json};

use crate::accounts::chart;
use crate::fiscal_periods::year;
use crate::harness::{Answer, On, TestHost, on_both};

const YEAR: &str = "/v1/fiscal-years/2026-2027";
const CLOSE: &str = "/v1/fiscal-years/2026-2027/close";
const REOPEN: &str = "/v1/fiscal-years/2026-2027/reopen";

/// A line: account, amount (credits below zero), currency, branch.
type Line<'a> = (&'a str, &'a str, &'a str, Option<&'a str>);

fn entry(day: &str, lines: &[Line<'_>]) -> Value {
    let line = |(account, amount, currency, branch): &Line<'_>| {
        let mut line = json!({"account": account, "currency": currency});
        match amount.strip_prefix('-') {
            Some(amount) => line["credit"] = json!(amount),
            None => line["debit"] = json!(amount),
        }
        if let Some(branch) = branch {
            line["dimensions"] = json!({"branch": branch});
        }
        line
    };
    json!({"date": day, "description": "Something", "lines": lines.iter().map(line).collect::<Vec<_>>()})
}

async fn draft(host: &TestHost, day: &str, lines: &[Line<'_>]) -> String {
    let draft = host.post("/v1/journal-entries", &[], &entry(day, lines)).await;
    assert_eq!(draft.status, 201, "{}", draft.text);
    draft.header("location").to_owned()
}

async fn post(host: &TestHost, day: &str, lines: &[Line<'_>]) {
    let path = draft(host, day, lines).await;
    let posted = host.change(&path, "post", "*").await;
    assert_eq!(posted.status, 200, "{}", posted.text);
}

/// Posts the year: 700.00 BDT of profit, of which 400.00 in Dhaka, and a loss of 3.50 USD; 100.00 BDT came the year before.
async fn books(host: &TestHost) {
    chart(host).await;
    year(host).await;
    post(host, "2026-05-01", &[("1120", "100", "BDT", None), ("4100", "-100", "BDT", None)]).await;
    let sale: &[Line<'_>] = &[
        ("1120", "1000", "BDT", None),
        ("4100", "-600", "BDT", Some("dhaka")),
        ("4100", "-400", "BDT", None),
    ];
    post(host, "2026-07-01", sale).await;
    let rent: &[Line<'_>] =
        &[("5300", "200", "BDT", Some("dhaka")), ("5300", "100", "BDT", None), ("1120", "-300", "BDT", None)];
    post(host, "2027-06-30", rent).await;
    post(host, "2027-01-31", &[("5700", "3.50", "USD", None), ("1120", "-3.50", "USD", None)]).await;
    // Of the year after.
    post(host, "2027-07-01", &[("1120", "7", "BDT", None), ("4100", "-7", "BDT", None)]).await;
}

async fn soft_close(host: &TestHost) {
    for period in 1..=12 {
        let path = format!("/v1/fiscal-periods/FY2026-2027-P{period:02}");
        let closed = host.change(&path, "soft-close", "*").await;
        assert_eq!(closed.status, 200, "{}", closed.text);
    }
}

async fn ask(host: &TestHost, path: &str, body: &Value) -> Answer {
    host.post(path, &[("if-match", "*")], body).await
}

/// Closes the year, or reopens it; what came of it.
async fn done(host: &TestHost, path: &str, body: &Value) -> Value {
    let asked = ask(host, path, body).await;
    assert_eq!(asked.status, 202, "{}", asked.text);
    let job = host.ended(asked.header("location")).await;
    assert_eq!(job["state"], "done", "{job}");
    job
}

/// The rows of a report in a currency, as `account amount`; it holds all that was recorded before.
async fn told(host: &TestHost, path: &str, currency: &str, key: &str) -> Vec<String> {
    let head = host.head().await.to_string();
    let answer = host.get_with(&format!("/v1/reports/{path}"), &[("niyam-position", &head)]).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let tables = answer.body["tables"].as_array().unwrap();
    let table = tables.iter().find(|table| table["currency"] == currency);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let rows = table.map(|table| table["rows"].as_array().unwrap().clone()).unwrap_or_default();
    rows.iter()
        .filter(|row| row["row"] == "account")
        .map(|row| format!("{} {}", text(&row["account"]), text(&row[key])))
        .collect()
}

/// What each account holds at the end of the year.
async fn held(host: &TestHost, currency: &str) -> Vec<String> {
    let mut held = told(host, "trial-balance?as_of=2027-06-30", currency, "debit").await;
    held.extend(told(host, "trial-balance?as_of=2027-06-30", currency, "credit").await);
    held.retain(|row| !row.ends_with(' '));
    held
}

async fn profit(host: &TestHost) -> Vec<String> {
    told(host, "profit-and-loss?as_of=2027-06-30", "BDT", "amount").await
}

/// The entries that close the year.
async fn closing(host: &TestHost) -> Vec<Value> {
    let shown = host.get(YEAR).await;
    let mut entries = Vec::new();
    for id in shown.body["entries"].as_array().unwrap() {
        entries.push(host.get(&format!("/v1/journal-entries/{}", id.as_str().unwrap())).await.body);
    }
    entries
}

async fn a_year_is_closed_into_retained_earnings_once_and_its_days_are_shut(on: On) {
    let host = TestHost::new(on).await;
    books(&host).await;
    soft_close(&host).await;
    let earned = profit(&host).await;
    let job = done(&host, CLOSE, &json!({})).await;
    assert_eq!(job["kind"], "year-close");
    assert_eq!(job["result"], json!({"fiscal_year": "2026-2027", "number": 1, "entries": 1}));
    assert_eq!(job["progress"], json!({"done": 1, "total": 1}));
    // 100 of the year before, 700 of this one.
    assert_eq!(held(&host, "BDT").await, ["1120 800.00", "3200 800.00"]);
    assert_eq!(held(&host, "USD").await, ["3200 3.50", "1120 3.50"]);
    assert_eq!(profit(&host).await, earned);
    assert_eq!(earned, ["4100 1000.00", "5300 300.00"]);
    let dhaka = told(&host, "trial-balance?as_of=2027-06-30&dimension=branch:dhaka", "BDT", "credit").await;
    assert!(dhaka.contains(&"3200 400.00".to_owned()), "{dhaka:?}");
    let entries = closing(&host).await;
    assert_eq!(entries.len(), 1);
    assert_eq!(
        (&entries[0]["date"], &entries[0]["source"]["kind"]),
        (&json!("2027-06-30"), &json!("year-close"))
    );
    let shown = host.get(YEAR).await;
    assert_eq!((&shown.body["status"], &shown.body["closings"]), (&json!("closed"), &json!(1)));

    // Nothing more is posted for its days or before them, not even by an approver; the year after goes on.
    for day in ["2026-05-02", "2027-06-30"] {
        let path = draft(&host, day, &[("5300", "1", "BDT", None), ("1120", "-1", "BDT", None)]).await;
        let refused = host.change(&path, "post", "*").await;
        assert_eq!(refused.problem(), (422, "fiscal-year-closed"));
        assert_eq!(refused.body["errors"][0]["pointer"], "/date");
    }
    post(&host, "2027-07-02", &[("5300", "1", "BDT", None), ("1120", "-1", "BDT", None)]).await;
    let reopened = host
        .post("/v1/fiscal-periods/FY2026-2027-P12/reopen", &[("if-match", "*")], &json!({"reason": "late"}))
        .await;
    assert_eq!(reopened.problem(), (409, "fiscal-year-status-conflict"));
    let head = host.head().await;
    let twice = ask(&host, CLOSE, &json!({})).await;
    assert_eq!(twice.problem(), (409, "fiscal-year-status-conflict"));
    let path = format!("/v1/journal-entries/{}/reverse", entries[0]["id"].as_str().unwrap());
    let alone = ask(&host, &path, &json!({"reason": "wrong", "date": "2027-07-01"})).await;
    assert_eq!(alone.problem(), (409, "journal-entry-of-document"));
    assert_eq!(host.head().await, head);
}

async fn a_closing_is_taken_back_and_made_again(on: On) {
    let host = TestHost::new(on).await;
    books(&host).await;
    soft_close(&host).await;
    let before = held(&host, "BDT").await;
    done(&host, CLOSE, &json!({})).await;
    let closed = held(&host, "BDT").await;
    let first = closing(&host).await;
    let job = done(&host, REOPEN, &json!({"reason": "late bill"})).await;
    assert_eq!(job["result"]["entries"], 1);
    assert_eq!(held(&host, "BDT").await, before);
    let shown = host.get(YEAR).await.body;
    assert_eq!(
        (&shown["status"], &shown["reason"], &shown["entries"]),
        (&json!("open"), &json!("late bill"), &json!([]))
    );
    let old = host.get(&format!("/v1/journal-entries/{}", first[0]["id"].as_str().unwrap())).await.body;
    assert_eq!((&old["status"], &old["reversal_reason"]), (&json!("reversed"), &json!("late bill")));
    // The year is still soft-closed; an approver posts the late bill, and closes again.
    let refused = ask(&host, REOPEN, &json!({"reason": "again"})).await;
    assert_eq!(refused.problem(), (409, "fiscal-year-status-conflict"));
    post(&host, "2027-06-30", &[("5300", "50", "BDT", None), ("1120", "-50", "BDT", None)]).await;
    let job = done(&host, CLOSE, &json!({})).await;
    assert_eq!(job["result"]["number"], 2);
    assert_eq!(held(&host, "BDT").await, ["1120 750.00", "3200 750.00"]);
    assert_ne!(closing(&host).await[0]["id"], first[0]["id"]);
    assert_eq!(closed, ["1120 800.00", "3200 800.00"]);
}

/// SQL that lets nothing of a type be recorded, and SQL that lets it again.
fn obstacle(on: On, event_type: &str) -> (&'static str, &'static str) {
    let (make, take) = match on {
        On::Sqlite => (
            format!(
                "create trigger obstacle before insert on events when new.event_type = '{event_type}' \
                 begin select raise(abort, 'a crash'); end"
            ),
            "drop trigger obstacle".to_owned(),
        ),
        On::Postgres => (
            format!(
                "alter table events add constraint obstacle check (event_type <> '{event_type}') not valid"
            ),
            "alter table events drop constraint obstacle".to_owned(),
        ),
    };
    (String::leak(make), String::leak(take))
}

/// However far a close came before it broke off: asked again, it goes on, and each entry is there once.
async fn a_close_that_breaks_off_goes_on_where_it_was(on: On) {
    let host = TestHost::new(on).await;
    books(&host).await;
    let branches: Vec<String> = (0..498).map(|number| format!("b{number}")).collect();
    let mut lines: Vec<Line<'_>> =
        branches.iter().map(|branch| ("5400", "1", "BDT", Some(branch.as_str()))).collect();
    lines.push(("1120", "-498", "BDT", None));
    post(&host, "2027-03-01", &lines).await;
    soft_close(&host).await;
    let open = held(&host, "BDT").await;
    for event_type in ["journal-entry.posted.v1", "fiscal-year.closed.v1"] {
        let (make, take) = obstacle(on, event_type);
        host.tamper(make).await;
        let asked = ask(&host, CLOSE, &json!({})).await;
        assert_eq!(asked.status, 202, "{}", asked.text);
        let job = host.ended(asked.header("location")).await;
        assert_eq!((&job["state"], &job["problem"]), (&json!("failed"), &json!("job-abandoned")), "{job}");
        assert_eq!(host.get(YEAR).await.body["status"], "closing");
        // What broke off keeps the year shut.
        let path =
            draft(&host, "2027-06-30", &[("5300", "1", "BDT", None), ("1120", "-1", "BDT", None)]).await;
        assert_eq!(host.change(&path, "post", "*").await.problem(), (422, "fiscal-year-closed"));
        host.tamper(take).await;
    }
    let job = done(&host, CLOSE, &json!({})).await;
    // 2 lines for each branch and for each of the others.
    assert_eq!(job["result"], json!({"fiscal_year": "2026-2027", "number": 1, "entries": 3}));
    assert_eq!(held(&host, "BDT").await, ["1120 302.00", "3200 302.00"]);
    assert_eq!(closing(&host).await.len(), 3);
    let (make, take) = obstacle(on, "journal-entry.reversed.v1");
    host.tamper(make).await;
    let asked = ask(&host, REOPEN, &json!({"reason": "late bill"})).await;
    assert_eq!(host.ended(asked.header("location")).await["state"], "failed");
    assert_eq!(host.get(YEAR).await.body["status"], "reopening");
    host.tamper(take).await;
    done(&host, REOPEN, &json!({"reason": "late bill"})).await;
    assert_eq!(held(&host, "BDT").await, open);
    assert_eq!(host.get(YEAR).await.body["status"], "open");
}

/// As a host leaves a close that is killed: another's, under a lease that ran out, or cancelled and asked for twice.
async fn a_close_whose_host_was_killed_is_made_once(on: On) {
    let host = TestHost::new(on).await;
    books(&host).await;
    soft_close(&host).await;
    for id in ["00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"] {
        let sql = format!(
            "insert into jobs (tenant, id, kind, state, request, requested_by, created_at, started_at, attempts, done, \
             total, host, lease_until) values ('demo', '{id}', 'year-close', 'running', \
             '{{\"fiscal_year\":\"2026-2027\",\"number\":1,\"roles\":[\"approver\"],\"trace_id\":\"t\"}}', 'x', 1, 1, 1, \
             0, 0, {}, 2)",
            if host.database.is_some() { "decode(repeat('00', 16), 'hex')" } else { "zeroblob(16)" }
        );
        assert_eq!(host.tamper(String::leak(sql)).await, 1);
    }
    for id in ["00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"] {
        let job = host.ended(&format!("/v1/jobs/{id}")).await;
        assert_eq!((&job["state"], &job["result"]["entries"]), (&json!("done"), &json!(1)), "{job}");
    }
    assert_eq!(held(&host, "BDT").await, ["1120 800.00", "3200 800.00"]);
}

/// A job of an earlier closing that comes again after its year was reopened closes nothing.
async fn a_late_job_begins_no_closing_but_its_own(on: On) {
    let host = TestHost::new(on).await;
    books(&host).await;
    soft_close(&host).await;
    for _ in 0..2 {
        done(&host, CLOSE, &json!({})).await;
        done(&host, REOPEN, &json!({"reason": "late bill"})).await;
    }
    let head = host.head().await;
    let sql = format!(
        "insert into jobs (tenant, id, kind, state, request, requested_by, created_at, started_at, attempts, done, total, \
         host, lease_until) values ('demo', '00000000-0000-4000-8000-000000000001', 'year-close', 'running', \
         '{{\"fiscal_year\":\"2026-2027\",\"number\":1,\"roles\":[\"approver\"],\"trace_id\":\"t\"}}', 'x', 1, 1, 1, 0, 0, {}, 2)",
        if host.database.is_some() { "decode(repeat('00', 16), 'hex')" } else { "zeroblob(16)" }
    );
    assert_eq!(host.tamper(String::leak(sql)).await, 1);
    let job = host.ended("/v1/jobs/00000000-0000-4000-8000-000000000001").await;
    assert_eq!(
        (&job["state"], &job["problem"]),
        (&json!("failed"), &json!("fiscal-year-status-conflict")),
        "{job}"
    );
    assert_eq!(host.head().await, head);
}

/// However a close and postings fall together: what was posted is in it, and nothing comes after it.
async fn a_close_takes_all_that_was_posted_before_it(on: On) {
    let host = TestHost::new(on).await;
    books(&host).await;
    soft_close(&host).await;
    let mut paths = Vec::new();
    for _ in 0..12 {
        paths.push(
            draft(&host, "2027-06-29", &[("5300", "10", "BDT", None), ("1120", "-10", "BDT", None)]).await,
        );
    }
    let posts = futures::future::join_all(paths.iter().map(|path| host.change(path, "post", "*")));
    let nothing = json!({});
    let (answers, job) = tokio::join!(posts, done(&host, CLOSE, &nothing));
    assert_eq!(job["state"], "done");
    let mut posted = 0;
    for answer in answers {
        if answer.status == 200 {
            posted += 1;
        } else {
            assert_eq!(answer.problem(), (422, "fiscal-year-closed"));
        }
    }
    let left = 800 - 10 * posted;
    assert_eq!(held(&host, "BDT").await, [format!("1120 {left}.00"), format!("3200 {left}.00")]);
}

async fn a_year_that_is_not_to_be_closed_is_told_by_code(on: On) {
    let host = TestHost::new(on).await;
    year(&host).await;
    let head = host.head().await;
    assert_eq!(ask(&host, CLOSE, &json!({})).await.problem(), (409, "chart-missing"));
    chart(&host).await;
    let refused = ask(&host, CLOSE, &json!({})).await;
    assert_eq!(refused.problem(), (409, "fiscal-year-periods-open"));
    assert!(refused.text.contains("FY2026-2027-P12"), "{}", refused.text);
    assert_eq!(host.head().await.0, head.0 + 1);
    soft_close(&host).await;
    assert_eq!(
        ask(&host, "/v1/fiscal-years/1999-2000/close", &json!({})).await.problem(),
        (404, "fiscal-year-not-found")
    );
    assert_eq!(host.get("/v1/fiscal-years/1999-2000").await.problem(), (404, "fiscal-year-not-found"));
    assert_eq!(host.post(CLOSE, &[], &json!({})).await.problem(), (428, "if-match-missing"));
    assert_eq!(
        host.post(CLOSE, &[("if-match", "\"1\"")], &json!({})).await.problem(),
        (412, "version-mismatch")
    );
    assert_eq!(ask(&host, CLOSE, &json!({"now": true})).await.problem(), (422, "field-unknown"));
    assert_eq!(
        ask(&host, REOPEN, &json!({"reason": "x"})).await.problem(),
        (409, "fiscal-year-status-conflict")
    );
    assert_eq!(ask(&host, REOPEN, &json!({})).await.problem(), (422, "field-missing"));
    let role = host
        .put("/v1/account-roles/retained-earnings", &[("if-match", "*")], &json!({"account": "4200"}))
        .await;
    assert_eq!(role.status, 200, "{}", role.text);
    assert_eq!(ask(&host, CLOSE, &json!({})).await.problem(), (422, "retained-earnings-not-equity"));
    let head = host.head().await;
    for role in [Role::Viewer, Role::Accountant, Role::TenantAdmin] {
        let bearer = host.bearer("demo", &[role]);
        for path in [CLOSE, REOPEN] {
            let refused = host
                .post(path, &[("authorization", &bearer), ("if-match", "*")], &json!({"reason": "x"}))
                .await;
            assert_eq!(refused.problem(), (403, "role-missing"));
        }
    }
    assert_eq!(host.head().await, head);
}

/// The earlier year comes first; a year of nothing is closed by no entry; the same key asks once; a job is its tenant's.
async fn years_are_closed_in_order(on: On) {
    let host = TestHost::new(on).await;
    chart(&host).await;
    year(&host).await;
    let earlier = host.post("/v1/fiscal-years", &[], &json!({"date": "2025-08-15"})).await;
    assert_eq!(earlier.status, 201, "{}", earlier.text);
    soft_close(&host).await;
    let refused = ask(&host, CLOSE, &json!({})).await;
    assert_eq!(refused.problem(), (409, "fiscal-year-order"));
    assert!(refused.text.contains("2025-2026"), "{}", refused.text);
    for period in 1..=12 {
        let path = format!("/v1/fiscal-periods/FY2025-2026-P{period:02}");
        assert_eq!(host.change(&path, "close", "*").await.status, 200);
    }
    let path = "/v1/fiscal-years/2025-2026/close";
    let headers = [("if-match", "*"), ("idempotency-key", "close")];
    let asked = host.post(path, &headers, &json!({})).await;
    let job = host.ended(asked.header("location")).await;
    assert_eq!(job["result"]["entries"], 0, "{job}");
    let again = host.post(path, &headers, &json!({})).await;
    assert_eq!((again.replayed, again.header("location")), (true, asked.header("location")));
    assert_eq!(host.post(CLOSE, &headers, &json!({})).await.problem(), (422, "idempotency-key-reused"));
    done(&host, CLOSE, &json!({})).await;
    let refused = ask(&host, "/v1/fiscal-years/2025-2026/reopen", &json!({"reason": "x"})).await;
    assert_eq!(refused.problem(), (409, "fiscal-year-order"));
    host.tenant("other", "vat-bd").await;
    let other = host.bearer("other", &[Role::Approver]);
    let headers = [("authorization", other.as_str())];
    assert_eq!(host.get_with(asked.header("location"), &headers).await.problem(), (404, "job-not-found"));
    assert_eq!(host.get("/v1/jobs/1").await.problem(), (404, "job-not-found"));
}

on_both! {
    a_year_is_closed_into_retained_earnings_once_and_its_days_are_shut
    a_closing_is_taken_back_and_made_again
    a_close_that_breaks_off_goes_on_where_it_was
    a_close_whose_host_was_killed_is_made_once
    a_late_job_begins_no_closing_but_its_own
    a_close_takes_all_that_was_posted_before_it
    a_year_that_is_not_to_be_closed_is_told_by_code
    years_are_closed_in_order
}
