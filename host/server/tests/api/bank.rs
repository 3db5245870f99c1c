//! Bank statements over HTTP: imported once, matched with the books, their difference explained; or refused.

use niyam::Role;
use serde_json::{Value, json};

use crate::accounts::chart;
use crate::harness::{Answer, On, TestHost, on_both, set};

const FILE: &str = "Date,Text,Ref,Amount\n2026-08-03,Deposit of Padma,INV-1,50.00\n2026-08-05,Rent,,-79.50\n2026-08-06,Charge,,-3\n";

fn statement() -> Value {
    json!({
        "account": "1120", "format": "csv", "content": FILE,
        "csv": {"currency": "BDT", "opening": "100", "closing": "67.50",
            "columns": {"date": "Date", "amount": "Amount", "reference": "Ref", "description": "Text"}}
    })
}

const MT940: &str = ":20:STMT1\r\n:25:BD/001-17\r\n:28C:00017/001\r\n:60F:C260801BDT100,00\r\n\
     :61:2608030803C50,00NTRFINV-1\r\n:86:Deposit of Padma\r\n:61:260805D79,50NMSCNONREF\r\n:61:260806D3,00NMSCNONREF\r\n\
     :62F:C260806BDT67,50\r\n";

async fn import(host: &TestHost, statement: &Value) -> (String, Answer) {
    let imported = host.post("/v1/bank-statements", &[], statement).await;
    assert_eq!(imported.status, 201, "{}", imported.text);
    (imported.body["id"].as_str().unwrap().to_owned(), imported)
}

/// Posts `amount` to the bank on `day`; the entry's id. Its line of the bank is the first.
async fn post(host: &TestHost, day: &str, amount: &str, reference: &str) -> String {
    let (bank, other) = match amount.strip_prefix('-') {
        Some(amount) => (json!({"credit": amount}), json!({"debit": amount})),
        None => (json!({"debit": amount}), json!({"credit": amount})),
    };
    let line = |account: &str, side: &Value| {
        let mut line = json!({"account": account, "currency": "BDT"});
        line.as_object_mut().unwrap().extend(side.as_object().unwrap().clone());
        line
    };
    let entry = json!({"date": day, "description": "Something", "reference": reference,
        "lines": [line("1120", &bank), line("4200", &other)]});
    let draft = host.post("/v1/journal-entries", &[], &entry).await;
    assert_eq!(draft.status, 201, "{}", draft.text);
    let posted = host.change(draft.header("location"), "post", "*").await;
    assert_eq!(posted.status, 200, "{}", posted.text);
    posted.body["id"].as_str().unwrap().to_owned()
}

async fn change(host: &TestHost, id: &str, command: &str, body: &Value) -> Answer {
    host.post(&format!("/v1/reconciliations/{id}/{command}"), &[("if-match", "*")], body).await
}

fn one(line: u32, entry: &str) -> Value {
    json!({"line": line, "ledger_lines": [{"entry_id": entry, "line": 0}]})
}

/// The difference, which must be explained: difference, only in the bank, only in the books.
async fn difference(host: &TestHost, id: &str) -> [String; 3] {
    let head = host.head().await.to_string();
    let answer = host.get_with(&format!("/v1/reconciliations/{id}"), &[("niyam-position", &head)]).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let body = &answer.body;
    assert_eq!(body["difference"], body["explained"], "{}", answer.text);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    [text(&body["difference"]), text(&body["only_in_bank"]["total"]), text(&body["only_in_books"]["total"])]
}

async fn a_statement_is_imported_once_from_whatever_file(on: On) {
    let host = TestHost::new(on).await;
    chart(&host).await;
    let headers = [("idempotency-key", "august")];
    let first = host.post("/v1/bank-statements", &headers, &statement()).await;
    assert_eq!((first.status.as_u16(), &first.body["line_count"]), (201, &json!(3)), "{}", first.text);
    assert!(host.post("/v1/bank-statements", &headers, &statement()).await.replayed);
    let head = host.head().await;
    assert_eq!(
        host.post("/v1/bank-statements", &[], &statement()).await.problem(),
        (409, "bank-statement-exists")
    );
    let swift = json!({"account": "1120", "format": "mt940", "content": MT940});
    assert_eq!(host.post("/v1/bank-statements", &[], &swift).await.problem(), (409, "bank-statement-exists"));
    assert_eq!(host.head().await, head);
    // Of another account it is another one.
    let (_, other) = import(&host, &json!({"account": "1110", "format": "mt940", "content": MT940})).await;
    assert_eq!((&other.body["number"], &other.body["format"]), (&json!("00017"), &json!("mt940")));
    let shown = host.get(first.header("location")).await;
    let line = json!({"line": 0, "date": "2026-08-03", "amount": "50.00", "reference": "INV-1",
        "description": "Deposit of Padma", "matched": []});
    assert_eq!(shown.body["lines"][0], line, "{}", shown.text);
    let position = host.head().await.to_string();
    let list = host.get_with("/v1/bank-statements?account=1120", &[("niyam-position", &position)]).await;
    assert_eq!(list.body["items"].as_array().unwrap().len(), 1, "{}", list.text);
    assert_eq!(
        (&list.body["items"][0]["closing"], &list.body["items"][0]["lines"]),
        (&json!("67.50"), &json!(3))
    );
    // What lines say of people is nowhere in the database as it is written.
    let sql = if host.database.is_some() {
        "update events set payload = payload where position(convert_to('Padma', 'UTF8') in payload) > 0 and event_type like 'bank%'"
    } else {
        "update events set payload = payload where instr(cast(payload as text), 'Padma') > 0 and event_type like 'bank%'"
    };
    assert_eq!(host.tamper(sql).await, 0);
}

async fn lines_are_proposed_matched_split_and_undone_and_the_difference_is_explained(on: On) {
    let host = TestHost::new(on).await;
    chart(&host).await;
    let opening = post(&host, "2026-07-31", "100", "opening").await;
    let sale = post(&host, "2026-08-02", "50", "INV-1").await;
    let twin = post(&host, "2026-08-04", "50", "INV-2").await;
    let (rent, late) =
        (post(&host, "2026-08-05", "-70", "rent").await, post(&host, "2026-08-20", "-9.50", "rent").await);
    let (id, _) = import(&host, &statement()).await;
    // 67.50 at the bank; 100 + 50 + 50 - 70 in the books.
    assert_eq!(difference(&host, &id).await, ["-62.50", "-32.50", "130.00"]);
    let proposals = host.get(&format!("/v1/reconciliations/{id}/proposals?days=3")).await;
    let items = proposals.body["items"].as_array().unwrap().clone();
    assert_eq!(items.len(), 2, "{}", proposals.text);
    assert_eq!((&items[0]["entry_id"], &items[1]["entry_id"]), (&json!(sale), &json!(twin)));
    assert_eq!(items[0]["reasons"], json!(["same-amount", "days-apart:1", "reference"]));
    assert_eq!((&items[0]["confidence"], &items[1]["confidence"]), (&json!("0.75"), &json!("0.55")));

    let head = host.head().await;
    let refused = change(&host, &id, "confirm", &one(0, &opening)).await;
    assert_eq!(refused.problem(), (422, "match-amount-differs"));
    assert_eq!(
        change(&host, &id, "confirm", &one(9, &sale)).await.problem(),
        (422, "statement-line-unknown")
    );
    let unknown = change(&host, &id, "confirm", &one(0, "00000000-0000-4000-8000-000000000001")).await;
    assert_eq!(unknown.problem(), (422, "ledger-line-unknown"));
    assert_eq!(unknown.body["errors"][0]["pointer"], "/ledger_lines/0");
    // The other line of the entry is of another account.
    let other = json!({"line": 0, "ledger_lines": [{"entry_id": sale, "line": 1}]});
    assert_eq!(change(&host, &id, "confirm", &other).await.problem(), (422, "ledger-line-unknown"));
    assert_eq!(
        change(&host, &id, "undo", &json!({"line": 0})).await.problem(),
        (409, "statement-line-unmatched")
    );
    assert_eq!(host.head().await, head);

    let matched = change(&host, &id, "confirm", &one(0, &sale)).await;
    assert_eq!((matched.status.as_u16(), &matched.body["matched"]), (200, &json!(1)), "{}", matched.text);
    assert_eq!(difference(&host, &id).await, ["-62.50", "-82.50", "80.00"]);
    assert_eq!(
        change(&host, &id, "confirm", &one(0, &twin)).await.problem(),
        (409, "statement-line-matched")
    );
    // One line to two, of which the books have one later: until then the bank alone has it.
    let split =
        json!({"line": 1, "ledger_lines": [{"entry_id": rent, "line": 0}, {"entry_id": late, "line": 0}]});
    assert_eq!(change(&host, &id, "confirm", &split).await.status, 200);
    assert_eq!(difference(&host, &id).await, ["-62.50", "-82.50", "80.00"]);
    let shown = host.get(&format!("/v1/bank-statements/{id}")).await;
    assert_eq!(shown.body["lines"][1]["matched"].as_array().unwrap().len(), 2);

    // A line of the books is matched once, also by another statement.
    let mut next = statement();
    set(&mut next, "/content", json!("Date,Text,Ref,Amount\n2026-08-25,x,,50\n"));
    set(&mut next, "/csv/opening", json!("70"));
    set(&mut next, "/csv/closing", json!("120"));
    let (second, _) = import(&host, &next).await;
    assert_eq!(
        change(&host, &second, "confirm", &one(0, &sale)).await.problem(),
        (409, "ledger-line-matched")
    );
    // 120 at the bank, 120.50 in the books; a gap of 2.50; the split is settled by now.
    assert_eq!(difference(&host, &second).await, ["-0.50", "47.00", "150.00"]);
    let undone = change(&host, &id, "undo", &json!({"line": 0})).await;
    assert_eq!(undone.body["matched"], json!(1), "{}", undone.text);
    assert_eq!(difference(&host, &id).await, ["-62.50", "-32.50", "130.00"]);
    assert_eq!(change(&host, &second, "confirm", &one(0, &sale)).await.status, 200);
    assert_eq!(difference(&host, &second).await, ["-0.50", "47.00", "150.00"]);
    assert_eq!(difference(&host, &id).await, ["-62.50", "-32.50", "130.00"]);
    assert_eq!(change(&host, &id, "confirm", &one(0, &sale)).await.problem(), (409, "ledger-line-matched"));
}

/// Two that match the same line of the books at the same moment: one of them does.
async fn a_line_of_the_books_is_matched_once_however_often_it_is_asked(on: On) {
    let host = TestHost::new(on).await;
    chart(&host).await;
    let sale = post(&host, "2026-08-02", "50", "INV-1").await;
    let (one_id, _) = import(&host, &statement()).await;
    let mut other = statement();
    set(&mut other, "/csv/opening", json!("200"));
    set(&mut other, "/csv/closing", json!("167.50"));
    let (other_id, _) = import(&host, &other).await;
    let body = one(0, &sale);
    let (left, right) =
        tokio::join!(change(&host, &one_id, "confirm", &body), change(&host, &other_id, "confirm", &body));
    let mut statuses = [left.status.as_u16(), right.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses[0], 200, "{} {}", left.text, right.text);
    assert_eq!(statuses[1], 409, "{} {}", left.text, right.text);
}

async fn a_file_that_is_no_statement_is_told_by_code_and_place(on: On) {
    let host = TestHost::new(on).await;
    assert_eq!(host.post("/v1/bank-statements", &[], &statement()).await.problem(), (409, "chart-missing"));
    chart(&host).await;
    let head = host.head().await;
    let bomb = "<!DOCTYPE d [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]><Document>&b;</Document>";
    for (pointer, value, code, at) in [
        ("/csv/closing", json!("67.49"), "statement-not-adding-up", "/closing"),
        ("/content", json!("Date,Text,Ref,Amount\n2026-08-03,x,,abc\n"), "statement-row-invalid", "/content"),
        ("/content", json!("Date;Text\n"), "statement-row-invalid", "/content"),
        ("/csv/columns/amount", Value::Null, "statement-unreadable", "/content"),
        ("/csv/currency", json!("XXT"), "currency-unknown", "/csv/currency"),
        ("/csv/dates", json!("epoch"), "value-invalid", "/csv/dates"),
        ("/csv/delimiter", json!("ab"), "value-invalid", "/csv/delimiter"),
        ("/format", json!("pdf"), "value-invalid", "/format"),
        ("/format", json!("camt.053"), "field-unknown", "/csv"),
        ("/csv", Value::Null, "field-missing", "/csv"),
        ("/account", json!("1100"), "account-not-posting", "/account"),
        ("/account", json!("9999"), "account-unknown", "/account"),
    ] {
        let mut file = statement();
        set(&mut file, pointer, value);
        let refused = host.post("/v1/bank-statements", &[], &file).await;
        assert_eq!(refused.problem(), (422, code), "{pointer} {}", refused.text);
        assert_eq!(refused.body["errors"][0]["pointer"], at, "{}", refused.text);
    }
    for (format, content) in
        [("camt.053", bomb.to_owned()), ("mt940", "hello".to_owned()), ("camt.053", "<a>".repeat(100_000))]
    {
        let file = json!({"account": "1120", "format": format, "content": content});
        assert_eq!(
            host.post("/v1/bank-statements", &[], &file).await.problem(),
            (422, "statement-unreadable")
        );
    }
    let huge = json!({"account": "1120", "format": "mt940", "content": "x".repeat(2 << 20)});
    assert_eq!(host.post("/v1/bank-statements", &[], &huge).await.problem(), (413, "body-too-large"));
    assert_eq!(host.head().await, head);
    for path in ["/v1/bank-statements/1", "/v1/reconciliations/1", "/v1/reconciliations/1/proposals"] {
        assert_eq!(host.get(path).await.problem(), (404, "bank-statement-not-found"), "{path}");
    }
    let (id, _) = import(&host, &statement()).await;
    let path = format!("/v1/reconciliations/{id}");
    assert_eq!(host.get(&format!("{path}/proposals?days=61")).await.problem(), (422, "query-invalid"));
    assert_eq!(
        host.post(&format!("{path}/undo"), &[], &json!({"line": 0})).await.problem(),
        (428, "if-match-missing")
    );
    let viewer = host.bearer("demo", &[Role::Viewer]);
    let headers = [("authorization", viewer.as_str()), ("if-match", "*")];
    assert_eq!(
        host.post(&format!("{path}/undo"), &headers, &json!({"line": 0})).await.problem(),
        (403, "role-missing")
    );
    host.tenant("other", "vat-bd").await;
    let other = host.bearer("other", &[Role::Accountant]);
    assert_eq!(
        host.get_with(&path, &[("authorization", &other)]).await.problem(),
        (404, "bank-statement-not-found")
    );
}

on_both! {
    a_statement_is_imported_once_from_whatever_file
    lines_are_proposed_matched_split_and_undone_and_the_difference_is_explained
    a_line_of_the_books_is_matched_once_however_often_it_is_asked
    a_file_that_is_no_statement_is_told_by_code_and_place
}
