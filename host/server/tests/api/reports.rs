//! Reports over HTTP: what they show, that they agree, and what is refused.

use niyam::Role;
use serde_json::{Value, json};

use crate::accounts::chart;
use crate::fiscal_periods::year;
use crate::harness::{Answer, On, TestHost, on_both, sale, set};

/// An entry of two lines; its path.
async fn post(host: &TestHost, day: &str, debit: &str, credit: &str, amount: &str) -> String {
    post_as(host, day, (debit, credit), amount, &json!({})).await
}

/// The same, with `more` on the line that is debited.
async fn post_as(
    host: &TestHost,
    day: &str,
    (debit, credit): (&str, &str),
    amount: &str,
    more: &Value,
) -> String {
    let mut entry = json!({
        "date": day, "description": "Something",
        "lines": [
            {"account": debit, "debit": amount, "currency": "BDT"},
            {"account": credit, "credit": amount, "currency": "BDT"}
        ]
    });
    for (name, value) in more.as_object().unwrap() {
        set(&mut entry, &format!("/lines/0/{name}"), value.clone());
    }
    let draft = host.post("/v1/journal-entries", &[], &entry).await;
    assert_eq!(draft.status, 201, "{}", draft.text);
    let path = draft.header("location").to_owned();
    let posted = host.change(&path, "post", &draft.etag).await;
    assert_eq!(posted.status, 200, "{}", posted.text);
    path
}

pub async fn report(host: &TestHost, path: &str) -> Answer {
    let answer = host.get(&format!("/v1/reports/{path}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.header("niyam-position"), answer.body["position"].to_string());
    answer
}

/// The rows of a report that has one table at most.
fn rows(answer: &Answer) -> Vec<Value> {
    let tables = answer.body["tables"].as_array().unwrap();
    assert!(tables.len() <= 1, "{}", answer.text);
    tables.first().map(|table| table["rows"].as_array().unwrap().clone()).unwrap_or_default()
}

/// The values of `keys` of each row, joined; `-` where there is none.
pub fn told(answer: &Answer, keys: &[&str]) -> Vec<String> {
    let value = |row: &Value, key: &str| match &row[key] {
        Value::Null => "-".to_owned(),
        value => value.as_str().unwrap().to_owned(),
    };
    let row = |row: &Value| keys.iter().map(|key| value(row, key)).collect::<Vec<_>>().join(" ");
    rows(answer).iter().map(row).collect()
}

/// Capital, rent of a branch, a machine on credit, a loan.
async fn august(host: &TestHost) {
    post(host, "2026-07-20", "1120", "3100", "100000").await;
    post_as(host, "2026-08-05", ("5300", "1120"), "12000.50", &json!({"dimensions": {"branch": "dhaka"}}))
        .await;
    post_as(host, "2026-08-06", ("5300", "1120"), "7000", &json!({"dimensions": {"branch": "sylhet"}})).await;
    post(host, "2026-08-07", "1510", "2110", "30000").await;
    post(host, "2026-08-08", "1110", "2300", "5000").await;
}

async fn reports_agree_with_each_other_and_with_what_was_posted(on: On) {
    let host = TestHost::new(on).await;
    chart(&host).await;
    year(&host).await;
    august(&host).await;
    let (_, issued) = host.issue(&sale("standard", "2")).await;
    assert_eq!(issued.status, 200, "{}", issued.text);

    let trial = report(&host, "trial-balance?from=2026-08-01&as_of=2026-08-31").await;
    let shown = told(&trial, &["row", "account", "opening", "debits", "credits", "debit", "credit"]);
    assert_eq!(
        shown,
        [
            "account 1110 0.00 5000.00 0.00 5000.00 -",
            "account 1120 100000.00 0.00 19000.50 80999.50 -",
            "account 1210 0.00 2300.00 0.00 2300.00 -",
            "account 1510 0.00 30000.00 0.00 30000.00 -",
            "account 2110 0.00 0.00 30000.00 - 30000.00",
            "account 2210 0.00 0.00 300.00 - 300.00",
            "account 2300 0.00 0.00 5000.00 - 5000.00",
            "account 3100 -100000.00 0.00 0.00 - 100000.00",
            "account 4100 0.00 0.00 2000.00 - 2000.00",
            "account 5300 0.00 19000.50 0.00 19000.50 -",
            "total - - 56300.50 56300.50 137300.00 137300.00",
        ]
    );
    let profit = report(&host, "profit-and-loss?as_of=2026-08-31").await;
    assert_eq!(profit.body["from"], "2026-07-01");
    let shown = told(&profit, &["row", "section", "account", "level", "amount"]);
    assert_eq!(
        shown,
        [
            "header income 4000 0 2000.00",
            "account income 4100 1 2000.00",
            "total income - - 2000.00",
            "header expenses 5000 0 19000.50",
            "account expenses 5300 1 19000.50",
            "total expenses - - 19000.50",
            "total profit - - -17000.50",
        ]
    );
    let sheet = report(&host, "balance-sheet?as_of=2026-08-31&dimension=branch:dhaka").await;
    let elsewhere: Vec<Value> =
        rows(&sheet).into_iter().filter(|row| row["section"] == "elsewhere").collect();
    assert_eq!(elsewhere[0]["amount"], "12000.50", "{}", sheet.text);
    let branch = report(&host, "profit-and-loss?as_of=2026-08-31&dimension=branch:dhaka").await;
    assert_eq!(told(&branch, &["section", "amount"]).last().unwrap(), "profit -12000.50");
    let sheet = report(&host, "balance-sheet?as_of=2026-08-31").await;
    let totals: Vec<String> = told(&sheet, &["row", "section", "amount"])
        .into_iter()
        .filter(|row| row.starts_with("total"))
        .collect();
    assert_eq!(
        totals,
        [
            "total assets 118299.50",
            "total liabilities 35300.00",
            "total equity 100000.00",
            "total unclosed-profit -17000.50",
            "total liabilities-and-equity 118299.50",
        ]
    );
    let cash = report(&host, "cash-flow?from=2026-08-01&as_of=2026-08-31").await;
    let shown = told(&cash, &["row", "section", "account", "amount"]);
    assert_eq!(
        shown,
        [
            "profit operating - -17000.50",
            "account operating 1210 -2300.00",
            "account operating 2110 30000.00",
            "account operating 2210 300.00",
            "total operating - 10999.50",
            "account investing 1510 -30000.00",
            "total investing - -30000.00",
            "account financing 2300 5000.00",
            "total financing - 5000.00",
            "total change - -14000.50",
            "opening cash - 100000.00",
            "closing cash - 85999.50",
        ]
    );
    // The day before the first entry there is nothing.
    let nothing = report(&host, "balance-sheet?as_of=2026-07-19").await;
    assert_eq!(nothing.body["tables"], json!([]));
}

async fn a_ledger_has_pages_that_go_on_whatever_is_posted_meanwhile(on: On) {
    let host = TestHost::new(on).await;
    chart(&host).await;
    august(&host).await;
    let keys = ["row", "date", "debit", "credit", "balance"];
    let whole = report(&host, "general-ledger?account=1120&from=2026-08-01").await;
    assert_eq!(whole.body["about"], "1120 Bank");
    let expected = [
        "opening - - - 100000.00",
        "line 2026-08-05 - 12000.50 87999.50",
        "line 2026-08-06 - 7000.00 80999.50",
        "closing - - - 80999.50",
    ];
    assert_eq!(told(&whole, &keys), expected);
    let mut path = Some("general-ledger?account=1120&limit=1".to_owned());
    let (mut shown, mut pages) = (Vec::new(), 0);
    while let Some(here) = path {
        // A moment later, since what is posted at the very moment is known at it.
        host.clock.set(&format!("2026-08-15T06:0{}:00Z", pages + 1));
        let page = report(&host, &here).await;
        shown.extend(told(&page, &keys));
        let link = page.header("link").strip_prefix("</v1/reports/");
        path = link.and_then(|link| link.strip_suffix(">; rel=\"next\"")).map(str::to_owned);
        assert_eq!(path.is_some(), page.body["next"].is_string());
        host.clock.set(&format!("2026-08-15T06:0{}:30Z", pages + 1));
        post(&host, "2026-07-21", "1120", "3100", "1").await;
        pages += 1;
    }
    assert_eq!(
        shown,
        [
            "line 2026-07-20 100000.00 - 100000.00",
            "opening - - - 100000.00",
            "line 2026-08-05 - 12000.50 87999.50",
            "opening - - - 87999.50",
            "line 2026-08-06 - 7000.00 80999.50",
            "closing - - - 80999.50",
        ]
    );
    let cut = report(&host, "general-ledger?account=5300&dimension=branch:sylhet").await;
    assert_eq!(told(&cut, &keys), ["line 2026-08-06 7000.00 - 7000.00", "closing - - - 7000.00"]);
    assert_eq!(rows(&cut)[0]["dimensions"], r#"{"branch":"sylhet"}"#);
}

async fn a_report_of_an_earlier_moment_does_not_know_what_came_later(on: On) {
    let host = TestHost::new(on).await;
    let etag = chart(&host).await;
    let path = post(&host, "2026-08-01", "1120", "3100", "500").await;
    let before = report(&host, "trial-balance?known_at=2026-08-15T06:00:00Z").await;
    host.clock.set("2026-08-15T09:30:00.000001Z");
    let renamed = host
        .put("/v1/accounts/1120", &[("if-match", &etag)], &json!({"name": "Sonali Bank", "parent": "1100"}))
        .await;
    assert_eq!(renamed.status, 200, "{}", renamed.text);
    // Counts for an earlier day, and so does what takes the first entry back.
    post(&host, "2026-07-31", "1120", "3100", "70").await;
    let reversed =
        host.post(&format!("{path}/reverse"), &[("if-match", "*")], &json!({"reason": "wrong"})).await;
    assert_eq!(reversed.status, 200, "{}", reversed.text);
    host.clock.set("2026-08-20T06:00:00Z");
    let keys = ["account", "name", "debits", "credits", "debit"];
    let now = report(&host, "trial-balance").await;
    assert_eq!(told(&now, &keys)[0], "1120 Sonali Bank 570.00 500.00 70.00");
    assert_eq!(
        (&now.body["as_of"], &now.body["known_at"]),
        (&json!("2026-08-20"), &json!("2026-08-20T06:00:00Z"))
    );
    for (moment, expected) in [
        ("2026-08-15T05:59:59.999999Z", None),
        ("2026-08-15T06:00:00Z", Some("1120 Bank 500.00 0.00 500.00")),
        ("2026-08-15T09:30:00Z", Some("1120 Bank 500.00 0.00 500.00")),
        ("2026-08-15T09:30:00.000001Z", Some("1120 Sonali Bank 570.00 500.00 70.00")),
        ("2026-08-15T15:30:00.000001%2B06:00", Some("1120 Sonali Bank 570.00 500.00 70.00")),
        ("2026-08-16T00:00:00Z", Some("1120 Sonali Bank 570.00 500.00 70.00")),
    ] {
        let then = report(&host, &format!("trial-balance?known_at={moment}")).await;
        assert_eq!(told(&then, &keys).first().map(String::as_str), expected, "{moment}");
    }
    let again = report(&host, "trial-balance?as_of=2026-08-15&known_at=2026-08-15T06:00:00Z").await;
    assert_eq!(again.body["tables"], before.body["tables"]);
    let ledger = report(&host, "general-ledger?account=1120&known_at=2026-08-15T09:00:00Z").await;
    assert_eq!(told(&ledger, &["row", "debit", "balance"]), ["line 500.00 500.00", "closing - 500.00"]);
}

/// A sale to a customer whom the tenant knows by `id`.
fn sale_to(id: &str, name: &str, day: &str) -> Value {
    let mut document = sale("standard", "1");
    set(&mut document, "/customer/name", json!(name));
    set(&mut document, "/customer/id", json!(id));
    set(&mut document, "/tax_date", json!(day));
    document
}

async fn what_is_owed_is_told_by_age_and_customer_until_the_customer_is_erased(on: On) {
    let host = TestHost::new(on).await;
    // Without a chart it is in no books, and so is not owed there.
    host.issue(&sale_to("c-1", "Rahima Begum", "2026-08-01")).await;
    chart(&host).await;
    for (id, name, day) in [
        ("c-1", "Rahima Begum", "2026-08-01"),
        ("c-1", "Rahima Begum", "2026-08-15"),
        ("c-2", "Karim & Sons", "2026-08-10"),
    ] {
        let (_, issued) = host.issue(&sale_to(id, name, day)).await;
        assert_eq!(issued.status, 200, "{}", issued.text);
    }
    post(&host, "2026-08-11", "1120", "1210", "1000").await;
    let aged = report(&host, "aged-receivables?as_of=2026-09-01").await;
    let keys = ["row", "party_id", "party", "date", "days_1_to_30", "days_31_to_60", "open"];
    assert_eq!(
        told(&aged, &keys),
        [
            "document c-2 Karim & Sons 2026-08-10 1150.00 - 1150.00",
            "party c-2 Karim & Sons - 1150.00 - 1150.00",
            "document c-1 Rahima Begum 2026-08-01 - 1150.00 1150.00",
            "document c-1 Rahima Begum 2026-08-15 1150.00 - 1150.00",
            "party c-1 Rahima Begum - 1150.00 1150.00 2300.00",
            "total - - - 2300.00 1150.00 3450.00",
            "ledger - - - - - 2450.00",
            "difference - - - - - -1000.00",
        ]
    );
    let early = report(&host, "aged-receivables?as_of=2026-08-09").await;
    assert_eq!(
        told(&early, &["row", "open"]),
        ["document 1150.00", "party 1150.00", "total 1150.00", "ledger 1150.00", "difference 0.00"]
    );
    assert_eq!(report(&host, "aged-payables").await.body["tables"], json!([]));
    let statement = report(&host, "customer-statement?customer=c-1&from=2026-08-10&as_of=2026-09-01").await;
    assert_eq!(statement.body["about"], "Rahima Begum");
    assert_eq!(
        told(&statement, &["row", "date", "document_kind", "debit", "balance"]),
        ["opening - - - 1150.00", "line 2026-08-15 invoice 1150.00 2300.00", "closing - - - 2300.00",]
    );
    let erased = host.post("/v1/data-subjects/c-1/erase", &[], &json!({"reason": "asked"})).await;
    assert_eq!(erased.status, 200, "{}", erased.text);
    let after = report(&host, "aged-receivables?as_of=2026-09-01").await;
    assert!(!after.text.contains("Rahima") && !after.text.contains("c-1\""), "{}", after.text);
    assert!(
        told(&after, &["row", "party", "open"]).contains(&"party [erased] 2300.00".to_owned()),
        "{}",
        after.text
    );
    let gone = host.get("/v1/reports/customer-statement?customer=c-1").await;
    assert_eq!(gone.problem(), (404, "data-subject-not-found"));
}

async fn taxes_are_summed_by_code_and_an_audit_trail_says_who_did_what(on: On) {
    let host = TestHost::new(on).await;
    chart(&host).await;
    let (path, issued) = host.issue(&sale("standard", "2")).await;
    host.issue(&sale("standard", "1")).await;
    host.draft(&sale("standard", "7")).await;
    let summary = report(&host, "tax-summary?from=2026-08-01&as_of=2026-08-31").await;
    assert_eq!(
        told(&summary, &["row", "direction", "code", "rate", "effect", "documents", "base", "amount"]),
        ["tax sale vat 15 added 2 3000.00 450.00", "total sale - - added - - 450.00"]
    );
    assert_eq!(report(&host, "tax-summary?from=2026-08-16&as_of=2026-08-31").await.body["tables"], json!([]));
    let id = issued.body["id"].as_str().unwrap();
    let trail = report(&host, &format!("audit-trail?document={id}")).await;
    assert_eq!(
        told(&trail, &["event", "user"]),
        [
            "invoice.drafted.v1 rahima",
            "invoice.approved.v1 rahima",
            "invoice.issued.v1 rahima",
            "journal-entry.posted.v1 rahima",
        ]
    );
    let decisions = rows(&trail)[2]["decisions"].as_str().unwrap().to_owned();
    let (digest, functions) =
        (&issued.body["decision"]["module"]["digest"], ["determine by vat-bd", "prepare-issue by vat-bd"]);
    assert!(functions.iter().all(|function| decisions.contains(function)), "{decisions}");
    if let Some(digest) = digest.as_str() {
        assert!(decisions.contains(digest), "{decisions}");
    }
    let events = host.get(&format!("{path}/events")).await;
    let last = &events.body["items"][2];
    assert_eq!((&rows(&trail)[2]["hash"], &rows(&trail)[2]["trace_id"]), (&last["hash"], &last["trace_id"]));
    // An entry that was taken back shows its mirror.
    let entry = post(&host, "2026-08-01", "1120", "3100", "5").await;
    host.post(&format!("{entry}/reverse"), &[("if-match", "*")], &json!({"reason": "wrong"})).await;
    let id = entry.rsplit('/').next().unwrap();
    let trail = report(&host, &format!("audit-trail?document={id}")).await;
    assert_eq!(
        told(&trail, &["event"]),
        [
            "journal-entry.drafted.v1",
            "journal-entry.posted.v1",
            "journal-entry.reversed.v1",
            "journal-entry.posted.v1",
        ]
    );
}

async fn what_a_report_cannot_be_asked_is_told_by_code_and_place(on: On) {
    let host = TestHost::new(on).await;
    chart(&host).await;
    for (path, status, code, pointer) in [
        ("profits", 404, "report-not-found", "/name"),
        ("trial-balance?as_of=2026-02-30", 422, "date-invalid", "/as_of"),
        ("trial-balance?from=26-1-1", 422, "date-invalid", "/from"),
        ("trial-balance?from=2026-08-02&as_of=2026-08-01", 422, "dates-reversed", "/from"),
        ("trial-balance?known_at=yesterday", 422, "timestamp-invalid", "/known_at"),
        ("trial-balance?known_at=2026-08-15", 422, "timestamp-invalid", "/known_at"),
        ("trial-balance?known_at=2026-08-15T06:00:00.000001Z", 422, "known-at-in-future", "/known_at"),
        ("trial-balance?account=1120", 422, "parameter-unknown", "/account"),
        ("balance-sheet?from=2026-08-01", 422, "parameter-unknown", "/from"),
        ("trial-balance?dimension=branch", 422, "value-invalid", "/dimension"),
        ("general-ledger", 422, "parameter-missing", "/account"),
        ("general-ledger?account=1999", 422, "account-unknown", "/account"),
        ("general-ledger?account=1%20%27", 422, "account-unknown", "/account"),
        ("general-ledger?account=1120&limit=0", 422, "query-invalid", "/limit"),
        ("general-ledger?account=1120&limit=1001", 422, "query-invalid", "/limit"),
        ("general-ledger?account=1120&after=7", 422, "query-invalid", "/after"),
        ("profit-and-loss?as_of=2026-08-15", 422, "parameter-missing", "/from"),
        ("customer-statement", 422, "parameter-missing", "/customer"),
        ("customer-statement?customer=%00", 422, "value-invalid", "/customer"),
        ("audit-trail", 422, "parameter-missing", "/document"),
        ("audit-trail?document=7", 404, "document-not-found", "/document"),
        ("audit-trail?document=00000000-0000-0000-0000-000000000007", 404, "document-not-found", "/document"),
    ] {
        let answer = host.get(&format!("/v1/reports/{path}")).await;
        assert_eq!(answer.problem(), (status, code), "{path} {}", answer.text);
        assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{path} {}", answer.text);
    }
    for (path, status, code) in [
        ("trial-balance?colour=red", 422, "query-invalid"),
        ("trial-balance?as_of=2026-08-01&as_of=2026-08-02", 422, "query-invalid"),
        ("customer-statement?customer=nobody", 404, "data-subject-not-found"),
    ] {
        let answer = host.get(&format!("/v1/reports/{path}")).await;
        assert_eq!(answer.problem(), (status, code), "{path} {}", answer.text);
    }
    let ahead = host.get_with("/v1/reports/trial-balance", &[("niyam-position", "100000")]).await;
    assert_eq!(ahead.problem(), (503, "view-behind"));
    let other = host.get_with("/v1/reports/trial-balance", &[("accept", "image/png")]).await;
    assert_eq!(other.problem(), (406, "not-acceptable"));
}

async fn a_report_comes_as_csv_and_as_a_page_without_formulas_or_markup(on: On) {
    let host = TestHost::new(on).await;
    let etag = chart(&host).await;
    let name = json!({"name": "=HYPERLINK(\"<b>x</b>\")", "parent": "1100"});
    let renamed = host.put("/v1/accounts/1120", &[("if-match", &etag)], &name).await;
    assert_eq!(renamed.status, 200, "{}", renamed.text);
    post(&host, "2026-08-01", "1120", "3100", "5").await;
    let csv = host.get_with("/v1/reports/trial-balance", &[("accept", "text/csv")]).await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(csv.header("content-disposition"), "attachment; filename=\"trial-balance-2026-08-15.csv\"");
    assert_eq!(
        csv.text,
        "currency,row,account,name,class,opening,debits,credits,debit,credit\r\n\
         BDT,account,1120,\"'=HYPERLINK(\"\"<b>x</b>\"\")\",asset,0.00,5.00,0.00,5.00,\r\n\
         BDT,account,3100,Share capital,equity,0.00,0.00,5.00,,5.00\r\n\
         BDT,total,,,,,5.00,5.00,5.00,5.00\r\n"
    );
    let page = host.get_with("/v1/reports/trial-balance", &[("accept", "text/html")]).await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(page.header("content-security-policy"), "default-src 'none'; style-src 'unsafe-inline'");
    assert!(page.text.contains("&lt;b&gt;x&lt;/b&gt;") && !page.text.contains("<b>"), "{}", page.text);
    assert!(page.text.contains("<td class=\"n\">5.00</td>"), "{}", page.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_role_reads_the_reports_of_its_tenant_alone() {
    let host = TestHost::new(On::Sqlite).await;
    chart(&host).await;
    let entry = post(&host, "2026-08-01", "1120", "3100", "5").await;
    let (_, issued) = host.issue(&sale_to("c-1", "Rahima Begum", "2026-08-01")).await;
    assert_eq!(issued.status, 200, "{}", issued.text);
    for role in [Role::Viewer, Role::Accountant, Role::Approver, Role::TenantAdmin, Role::PlatformAdmin] {
        let bearer = host.bearer("demo", &[role]);
        let answer = host.get_with("/v1/reports/trial-balance", &[("authorization", &bearer)]).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    let nobody = host.bearer("demo", &[]);
    let refused = host.get_with("/v1/reports/trial-balance", &[("authorization", &nobody)]).await;
    assert!(matches!(refused.status.as_u16(), 401 | 403), "{}", refused.text);
    host.tenant("other", "vat-bd").await;
    let other = host.bearer("other", &[Role::Viewer]);
    let headers = [("authorization", other.as_str())];
    for name in ["trial-balance", "balance-sheet", "aged-receivables", "tax-summary?from=2026-01-01"] {
        let answer = host.get_with(&format!("/v1/reports/{name}"), &headers).await;
        assert_eq!(answer.body["tables"], json!([]), "{}", answer.text);
    }
    let id = entry.rsplit('/').next().unwrap();
    for (path, code) in [
        (format!("audit-trail?document={id}"), (404, "document-not-found")),
        ("customer-statement?customer=c-1".to_owned(), (404, "data-subject-not-found")),
        ("general-ledger?account=1120".to_owned(), (422, "account-unknown")),
    ] {
        let answer = host.get_with(&format!("/v1/reports/{path}"), &headers).await;
        assert_eq!(answer.problem(), code, "{}", answer.text);
    }
    let stranger = host.bearer("stranger", &[Role::Viewer]);
    let refused = host.get_with("/v1/reports/trial-balance", &[("authorization", &stranger)]).await;
    assert_eq!(refused.problem(), (403, "tenant-unknown"));
}

on_both! {
    reports_agree_with_each_other_and_with_what_was_posted
    a_ledger_has_pages_that_go_on_whatever_is_posted_meanwhile
    a_report_of_an_earlier_moment_does_not_know_what_came_later
    what_is_owed_is_told_by_age_and_customer_until_the_customer_is_erased
    taxes_are_summed_by_code_and_an_audit_trail_says_who_did_what
    what_a_report_cannot_be_asked_is_told_by_code_and_place
    a_report_comes_as_csv_and_as_a_page_without_formulas_or_markup
}
