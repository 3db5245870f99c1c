//! Purchases, notes against invoices and what is written off, over HTTP: in the books, the reports, the registers and on
//! paper; or refused, with nothing recorded.

use niyam::Role;
use serde_json::{Value, json};

use crate::accounts::chart;
use crate::fiscal_periods::{august, year};
use crate::harness::{Answer, On, TestHost, on_both, sale, set};

/// A purchase of `quantity` at 1,000.00, with the supplier's number.
pub fn purchase(number: &str, quantity: &str) -> Value {
    let mut document = sale("standard", quantity);
    let supplier = document.as_object_mut().unwrap().remove("customer").unwrap();
    document["direction"] = json!("purchase");
    document["supplier"] = supplier;
    document["supplier"]["id"] = json!("s-1");
    document["supplier_invoice"] = json!({"number": number, "date": "2026-08-12"});
    document["attributes"] = json!({"mushak_6_3": number});
    document
}

/// `side account amount` of each line of the entry of a document.
async fn entry(host: &TestHost, document: &Value) -> Vec<String> {
    let entry = host.get(&format!("/v1/journal-entries/{}", document["id"].as_str().unwrap())).await;
    assert_eq!(entry.status, 200, "{}", entry.text);
    let shown = |line: &Value| {
        let account = line["account"].as_str().unwrap();
        match line["debit"].as_str() {
            Some(amount) => format!("dr {account} {amount}"),
            None => format!("cr {account} {}", line["credit"].as_str().unwrap()),
        }
    };
    entry.body["lines"].as_array().unwrap().iter().map(shown).collect()
}

async fn note(host: &TestHost, path: &str, kind: &str, body: &Value) -> Answer {
    host.post(&format!("{path}/{kind}"), &[("if-match", "*")], body).await
}

async fn credit(host: &TestHost, path: &str, body: &Value) -> Answer {
    note(host, path, "credit-notes", body).await
}

/// The rows of a report, as the values of `keys`.
async fn told(host: &TestHost, report: &str, keys: &[&str]) -> Vec<String> {
    let answer = host.get(&format!("/v1/reports/{report}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let rows = answer.body["tables"].as_array().unwrap().iter();
    let rows = rows.flat_map(|table| table["rows"].as_array().unwrap());
    rows.map(|row| keys.iter().map(|key| row[*key].as_str().unwrap_or("-")).collect::<Vec<_>>().join(" "))
        .collect()
}

async fn digits_that_something_parts_are_other_numbers(on: On) {
    let host = TestHost::new(on).await;
    for number in ["1/12", "11/2"] {
        let (_, issued) = host.issue(&purchase(number, "1")).await;
        assert_eq!(issued.status, 200, "{}", issued.text);
    }
    let again = host.post("/v1/invoices", &[], &purchase("1-12", "1")).await;
    assert_eq!(again.problem(), (422, "supplier-number-used"), "{}", again.text);
}

async fn a_purchase_is_recorded_under_its_suppliers_number_once(on: On) {
    let host = TestHost::new(on).await;
    chart(&host).await;
    let (path, approved) = host.approve(&purchase("INV-7", "2")).await;
    assert_eq!(approved.body["supplier_invoice"], json!({"number": "INV-7", "date": "2026-08-12"}));
    assert_eq!(approved.body["supplier"]["name"], "Padma Textile Mills Ltd");
    let (_, same) = host.approve(&purchase("inv 7", "5")).await;
    let head = host.head().await;
    let issued = host.change(&path, "issue", &approved.etag).await;
    assert_eq!(issued.status, 200, "{}", issued.text);
    assert_eq!((&issued.body["number"], &issued.body["status"]), (&json!("INV-7"), &json!("issued")));
    assert_eq!(issued.body["outstanding"], "2300.00");
    // The invoice, its number by the supplier's id and by its BIN, its entry; no series.
    assert_eq!(host.head().await.0, head.0 + 4);
    assert_eq!(entry(&host, &issued.body).await, ["cr 2110 2300.00", "dr 5100 2000.00", "dr 1310 300.00"]);
    // Whoever drafted the same paper meanwhile, or does so now, is told.
    let head = host.head().await;
    let other = format!("/v1/invoices/{}", same.body["id"].as_str().unwrap());
    let late = host.change(&other, "issue", &same.etag).await;
    let mut by_bin = purchase("INV-7", "1");
    set(&mut by_bin, "/supplier/id", json!(""));
    let again = host.post("/v1/invoices", &[], &by_bin).await;
    for refused in [late, again] {
        assert_eq!(refused.problem(), (422, "supplier-number-used"), "{}", refused.text);
        assert_eq!(refused.body["errors"][0]["pointer"], "/supplier_invoice/number");
    }
    assert_eq!(host.head().await, head);
    // Another supplier has numbers of its own.
    let mut another = purchase("INV-7", "1");
    set(&mut another, "/supplier/id", json!("s-2"));
    set(&mut another, "/supplier/identifiers/0/value", json!("000828395-0207"));
    assert_eq!(host.issue(&another).await.1.status, 200);
    assert_eq!(
        told(&host, "aged-payables?as_of=2026-08-31", &["row", "number", "open"]).await,
        [
            "document INV-7 2300.00",
            "party - 2300.00",
            "document INV-7 1150.00",
            "party - 1150.00",
            "total - 3450.00",
            "ledger - 3450.00",
            "difference - 0.00",
        ]
    );
    assert_eq!(
        told(
            &host,
            "tax-summary?from=2026-08-01&as_of=2026-08-31",
            &["row", "direction", "recoverable", "amount"]
        )
        .await,
        ["tax purchase true 450.00", "total purchase - 450.00"]
    );
    let paper = host.get(&format!("{path}/forms/mushak-6.3")).await;
    assert_eq!(paper.problem(), (404, "form-not-found"));
}

async fn what_two_record_at_once_is_recorded_once(on: On) {
    let host = TestHost::new(on).await;
    chart(&host).await;
    let mut drafts = Vec::new();
    for _ in 0..4 {
        drafts.push(host.approve(&purchase("INV-9", "1")).await);
    }
    let issue = drafts.iter().map(|(path, approved)| host.change(path, "issue", &approved.etag));
    let answers = futures::future::join_all(issue).await;
    let done = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(done, 1);
    assert!(
        answers
            .iter()
            .filter(|answer| answer.status != 200)
            .all(|answer| { answer.problem() == (422, "supplier-number-used") })
    );
}

async fn a_purchases_lines_go_to_the_accounts_that_they_name(on: On) {
    let host = TestHost::new(on).await;
    chart(&host).await;
    let mut document = purchase("R-1", "1");
    let mut rent = document["lines"][0].clone();
    rent["account"] = json!("5300");
    // Exempt: nothing is set off.
    rent["supply_code"] = json!("exempt");
    document["lines"].as_array_mut().unwrap().push(rent);
    let (_, issued) = host.issue(&document).await;
    assert_eq!(issued.status, 200, "{}", issued.text);
    assert_eq!(
        entry(&host, &issued.body).await,
        ["cr 2110 2150.00", "dr 5100 1000.00", "dr 1310 150.00", "dr 5300 1000.00"]
    );
    // Without the supplier's own invoice its VAT is a cost.
    let mut without = purchase("R-2", "1");
    without["attributes"] = json!({});
    let (_, issued) = host.issue(&without).await;
    assert_eq!(entry(&host, &issued.body).await, ["cr 2110 1150.00", "dr 5100 1000.00", "dr 5500 150.00"]);
    for (account, code) in [("9999", "account-unknown"), ("5000", "account-not-posting")] {
        let mut wrong = purchase("R-3", "1");
        set(&mut wrong, "/lines/0/account", json!(account));
        let (path, approved) = host.approve(&wrong).await;
        let head = host.head().await;
        let refused = host.change(&path, "issue", &approved.etag).await;
        assert_eq!(refused.problem(), (422, code), "{}", refused.text);
        assert_eq!(host.head().await, head);
    }
}

async fn credit_notes_take_an_invoice_back_to_the_paisa(on: On) {
    let host = TestHost::new(on).await;
    chart(&host).await;
    let mut document = sale("standard", "3");
    set(&mut document, "/lines/0/unit_price", json!("33.33"));
    set(&mut document, "/customer/id", json!("c-1"));
    let (path, issued) = host.issue(&document).await;
    assert_eq!(issued.body["outstanding"], "114.99", "{}", issued.text);
    let (mut gross, mut vat) = (Vec::new(), Vec::new());
    let mut last = String::new();
    for _ in 0..3 {
        let body = json!({"reason": "one came back", "date": "2026-08-20", "lines": [{"line": "1", "quantity": "1"}]});
        let credited = credit(&host, &path, &body).await;
        assert_eq!(credited.status, 201, "{}", credited.text);
        gross.push(credited.body["taxes"]["gross"].as_str().unwrap().to_owned());
        vat.push(credited.body["taxes"]["tax_added"].as_str().unwrap().to_owned());
        credited.header("location").clone_into(&mut last);
    }
    assert_eq!((gross, vat), (vec!["38.33".to_owned(); 3], vec!["5.00".to_owned(); 3]));
    let invoice = host.get(&path).await;
    assert_eq!(invoice.body["outstanding"], "0.00");
    assert_eq!(invoice.body["left"][0]["gross"], "0.00");
    let head = host.head().await;
    let again = credit(&host, &path, &json!({"reason": "once more"})).await;
    assert_eq!(again.problem(), (409, "nothing-to-credit"), "{}", again.text);
    assert_eq!(host.head().await, head);
    // The note: its number, what it is against, its entry and its paper.
    let note = host.get(&last).await;
    assert_eq!((&note.body["number"], &note.body["form"]), (&json!("3/2026-2027"), &json!("mushak-6.7")));
    assert_eq!(note.body["against"], json!({"invoice": issued.body["id"], "number": "1/2026-2027"}));
    assert_eq!(entry(&host, &note.body).await, ["cr 1210 38.33", "dr 4100 33.33", "dr 2210 5.00"]);
    let paper = host.get(&format!("{last}/forms/mushak-6.7")).await;
    assert_eq!(paper.status, 200, "{}", paper.text);
    for text in ["one came back", "1/2026-2027", "3/2026-2027"] {
        assert!(paper.text.contains(text), "{text}");
    }
    // Reports know nothing of it any more, but what happened.
    let trial = told(&host, "trial-balance?as_of=2026-08-31", &["row", "account", "debit", "credit"]).await;
    assert!(trial.iter().all(|row| !row.contains("4100 3") && !row.contains("4100 9")), "{trial:?}");
    assert_eq!(
        host.get("/v1/reports/aged-receivables?as_of=2026-08-31").await.body["tables"][0]["rows"][0]["open"],
        "0.00"
    );
    assert_eq!(
        told(
            &host,
            "customer-statement?customer=c-1&as_of=2026-08-31",
            &["row", "document_kind", "number", "debit", "credit", "balance"]
        )
        .await,
        [
            "opening - - - - 0.00",
            "line invoice 1/2026-2027 114.99 - 114.99",
            "line credit-note 1/2026-2027 - 38.33 76.66",
            "line credit-note 2/2026-2027 - 38.33 38.33",
            "line credit-note 3/2026-2027 - 38.33 0.00",
            "closing - - - - 0.00",
        ]
    );
    assert_eq!(
        told(&host, "tax-summary?from=2026-08-01&as_of=2026-08-31", &["row", "documents", "base", "amount"])
            .await,
        ["tax 4 0.00 0.00", "total - - 0.00"]
    );
    let id = note.body["id"].as_str().unwrap();
    let trail =
        told(&host, &format!("audit-trail?document={id}&as_of=2026-08-31"), &["event", "decisions"]).await;
    assert!(trail[0].starts_with("invoice.note-issued.v1 prepare-issue by vat-bd"), "{trail:?}");
    assert!(trail[1].starts_with("journal-entry.posted.v1"), "{trail:?}");
    // Of the history a verifier proves every decision.
    let decisions = host.get(&format!("{last}/decisions")).await;
    assert_eq!(decisions.body["items"][0]["function"], "prepare-issue", "{}", decisions.text);
    let listed = host.get("/v1/invoices").await;
    assert_eq!(listed.body["items"][0]["number"], "3/2026-2027");
}

async fn a_debit_note_raises_and_a_credit_of_what_is_paid_is_owed_back(on: On) {
    let host = TestHost::new(on).await;
    chart(&host).await;
    let (path, issued) = host.issue(&sale("standard", "1")).await;
    let body = json!({"reason": "price agreed later", "lines": [{"line": "1", "amount": "100.00"}]});
    let raised = note(&host, &path, "debit-notes", &body).await;
    assert_eq!(
        (raised.status.as_u16(), &raised.body["form"]),
        (201, &json!("mushak-6.8")),
        "{}",
        raised.text
    );
    assert_eq!(entry(&host, &raised.body).await, ["dr 1210 115.00", "cr 4100 100.00", "cr 2210 15.00"]);
    assert_eq!(host.get(&path).await.body["outstanding"], "1265.00");
    // What is written off is gone; what was written off is not credited.
    let approver = host.bearer("demo", &[Role::Approver]);
    let headers = [("authorization", approver.as_str()), ("if-match", "*")];
    let body = json!({"reason": "wound up", "amount": "65.00"});
    let written_off = host.post(&format!("{path}/write-off"), &headers, &body).await;
    assert_eq!(written_off.body["outstanding"], "1200.00", "{}", written_off.text);
    assert_eq!(written_off.body["written_off"], "65.00");
    let head = host.head().await;
    for (command, body, problem) in [
        ("write-off", json!({"reason": "x", "amount": "1200.01"}), (422, "write-off-exceeds-outstanding")),
        ("write-off", json!({"reason": " "}), (422, "value-invalid")),
        ("write-off", json!({"reason": "x", "date": "2026-08-14"}), (422, "write-off-before-invoice")),
        ("credit-notes", json!({"reason": "x"}), (409, "invoice-written-off")),
    ] {
        let refused = host.post(&format!("{path}/{command}"), &[("if-match", "*")], &body).await;
        assert_eq!(refused.problem(), problem, "{}", refused.text);
    }
    assert_eq!(host.head().await, head);
    assert_eq!(
        told(&host, "aged-receivables?as_of=2026-08-31", &["row", "open"]).await,
        ["document 1200.00", "party 1200.00", "total 1200.00", "ledger 1200.00", "difference 0.00"]
    );
    let id = issued.body["id"].as_str().unwrap();
    let trail = told(&host, &format!("audit-trail?document={id}&as_of=2026-08-31"), &["event"]).await;
    assert!(trail.contains(&"invoice.written-off.v1".to_owned()), "{trail:?}");
    assert_eq!(trail.iter().filter(|event| *event == "journal-entry.posted.v1").count(), 2, "{trail:?}");
}

async fn a_suppliers_credit_note_bears_its_own_number(on: On) {
    let host = TestHost::new(on).await;
    chart(&host).await;
    let (path, _) = host.issue(&purchase("INV-7", "2")).await;
    let head = host.head().await;
    let mut body = json!({"reason": "damaged", "lines": [{"line": "1", "quantity": "1"}]});
    let refused = credit(&host, &path, &body).await;
    assert_eq!(refused.problem(), (422, "supplier-number-missing"), "{}", refused.text);
    assert_eq!(host.head().await, head);
    body["supplier_invoice"] = json!({"number": "CN-3"});
    let credited = credit(&host, &path, &body).await;
    assert_eq!(credited.status, 201, "{}", credited.text);
    assert_eq!((&credited.body["number"], &credited.body["direction"]), (&json!("CN-3"), &json!("purchase")));
    assert_eq!(entry(&host, &credited.body).await, ["dr 2110 1150.00", "cr 5100 1000.00", "cr 1310 150.00"]);
    assert_eq!(credit(&host, &path, &body).await.problem(), (422, "supplier-number-used"));
    assert_eq!(
        told(&host, "aged-payables?as_of=2026-08-31", &["row", "open"]).await,
        ["document 1150.00", "party 1150.00", "total 1150.00", "ledger 1150.00", "difference 0.00"]
    );
}

async fn a_note_that_is_wrong_is_told_by_code_and_place_and_not_recorded(on: On) {
    let host = TestHost::new(on).await;
    chart(&host).await;
    year(&host).await;
    let (path, _) = host.issue(&sale("standard", "2")).await;
    let (draft, _) = host.draft(&sale("standard", "2")).await;
    let of = |line: Value| json!({"reason": "x", "lines": [line]});
    let head = host.head().await;
    for (kind, body, problem, pointer) in [
        ("credit-notes", of(json!({"line": "9"})), "note-line-unknown", "/lines/0/line"),
        (
            "credit-notes",
            of(json!({"line": "1", "quantity": "2.1"})),
            "credit-exceeds-remaining",
            "/lines/0/quantity",
        ),
        (
            "credit-notes",
            of(json!({"line": "1", "amount": "2000.01"})),
            "credit-exceeds-remaining",
            "/lines/0/amount",
        ),
        (
            "credit-notes",
            of(json!({"line": "1", "amount": "1.001"})),
            "amount-too-precise",
            "/lines/0/amount",
        ),
        (
            "credit-notes",
            of(json!({"line": "1", "amount": "1", "quantity": "1"})),
            "field-unknown",
            "/lines/0/amount",
        ),
        (
            "credit-notes",
            of(json!({"line": "1", "quantity": "0"})),
            "quantity-not-positive",
            "/lines/0/quantity",
        ),
        ("credit-notes", json!({"reason": "x", "date": "2026-08-14"}), "note-before-invoice", "/date"),
        (
            "credit-notes",
            json!({"reason": "x", "attributes": {"original_number": "9"}}),
            "field-unknown",
            "/attributes/original_number",
        ),
        ("credit-notes", json!({"reason": "x", "date": "2200-01-01"}), "date-out-of-range", "/date"),
        ("credit-notes", json!({"reason": ""}), "value-invalid", "/reason"),
        ("credit-notes", json!({}), "field-missing", "/reason"),
        ("credit-notes", json!({"reason": "x", "lines": []}), "note-without-lines", "/lines"),
        ("debit-notes", json!({"reason": "x"}), "note-without-lines", "/lines"),
        ("debit-notes", of(json!({"line": "1"})), "note-share-missing", "/lines/0/line"),
    ] {
        let refused = note(&host, &path, kind, &body).await;
        assert_eq!(refused.problem(), (422, problem), "{}", refused.text);
        assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{}", refused.text);
    }
    let against_draft = credit(&host, &draft, &json!({"reason": "x"})).await;
    assert_eq!(against_draft.problem(), (409, "invoice-status-conflict"));
    let nowhere = credit(&host, "/v1/invoices/1", &json!({"reason": "x"})).await;
    assert_eq!(nowhere.problem(), (404, "invoice-not-found"));
    let without = host.post(&format!("{path}/credit-notes"), &[], &json!({"reason": "x"})).await;
    assert_eq!(without.problem(), (428, "if-match-missing"));
    let viewer = host.bearer("demo", &[Role::Viewer]);
    let headers = [("authorization", viewer.as_str()), ("if-match", "*")];
    let refused = host.post(&format!("{path}/credit-notes"), &headers, &json!({"reason": "x"})).await;
    assert_eq!(refused.problem(), (403, "role-missing"));
    // Notes are not drafted by themselves.
    let mut alone = sale("standard", "1");
    alone["kind"] = json!("credit-note");
    assert_eq!(host.post("/v1/invoices", &[], &alone).await.problem(), (422, "kind-not-supported"));
    assert_eq!(host.head().await, head);
    august(&host, "close").await;
    let head = host.head().await;
    let closed = credit(&host, &path, &json!({"reason": "x", "date": "2026-08-20"})).await;
    assert_eq!(closed.problem(), (422, "period-closed"), "{}", closed.text);
    assert_eq!(closed.body["errors"][0]["pointer"], "/date");
    let closed = host.post(&format!("{path}/write-off"), &[("if-match", "*")], &json!({"reason": "x"})).await;
    assert_eq!(closed.problem(), (422, "period-closed"), "{}", closed.text);
    assert_eq!(host.head().await, head);
    let later = credit(&host, &path, &json!({"reason": "x", "date": "2026-09-01"})).await;
    assert_eq!(later.status, 201, "{}", later.text);
}

async fn the_same_key_issues_one_note_and_two_at_once_take_no_more_than_there_is(on: On) {
    let host = TestHost::new(on).await;
    chart(&host).await;
    let (path, issued) = host.issue(&sale("standard", "1")).await;
    let url = format!("{path}/credit-notes");
    let body = json!({"reason": "came back", "lines": [{"line": "1", "amount": "600.00"}]});
    let headers = [("if-match", issued.etag.as_str()), ("idempotency-key", "credit")];
    let (one, other) = tokio::join!(host.post(&url, &headers, &body), host.post(&url, &headers, &body));
    assert_eq!((one.status.as_u16(), other.status.as_u16()), (201, 201), "{} {}", one.text, other.text);
    assert_eq!(one.body, other.body);
    let more = json!({"reason": "and more", "lines": [{"line": "1", "amount": "300.00"}]});
    let (one, other) = tokio::join!(credit(&host, &path, &more), credit(&host, &path, &more));
    let done = [&one, &other].iter().filter(|answer| answer.status == 201).count();
    // Two would be more than the 400.00 that are left.
    assert_eq!(done, 1, "{} {}", one.text, other.text);
    assert_eq!(host.get(&path).await.body["left"][0]["net"], "100.00");
}

async fn without_a_chart_notes_move_nothing_in_the_books(on: On) {
    let host = TestHost::new(on).await;
    let (path, issued) = host.issue(&sale("standard", "1")).await;
    chart(&host).await;
    let credited = credit(&host, &path, &json!({"reason": "came back"})).await;
    assert_eq!(credited.status, 201, "{}", credited.text);
    for document in [&issued.body, &credited.body] {
        let entry = host.get(&format!("/v1/journal-entries/{}", document["id"].as_str().unwrap())).await;
        assert_eq!(entry.problem(), (404, "journal-entry-not-found"));
    }
    assert_eq!(host.get("/v1/reports/aged-receivables").await.body["tables"], json!([]));
}

async fn a_return_shows_purchases_and_notes_and_all_is_proven(on: On) {
    let host = TestHost::new(on).await;
    chart(&host).await;
    let (path, _) = host.issue(&sale("standard", "2")).await;
    host.issue(&purchase("INV-1", "1")).await;
    credit(&host, &path, &json!({"reason": "came back", "lines": [{"line": "1", "quantity": "1"}]})).await;
    let body = json!({"reason": "more", "lines": [{"line": "1", "amount": "200.00"}]});
    note(&host, &path, "debit-notes", &body).await;
    host.clock.set("2026-09-10T06:00:00Z");
    let host = host.with_token();
    let prepare = "/v1/tax-returns/mushak-9.1/prepare?period=2026-08-15";
    let prepared = host.post(prepare, &[], &json!({})).await;
    assert_eq!(prepared.status, 201, "{}", prepared.text);
    assert_eq!(prepared.body["documents"], 4);
    let shown = host.get("/v1/tax-returns/mushak-9.1?period=2026-08-15").await;
    assert_eq!(shown.body["proven"], true, "{}", shown.text);
    let blocks = shown.body["form"]["blocks"].as_array().unwrap();
    let rows: Vec<&Value> = blocks.iter().filter_map(|block| block["rows"].as_array()).flatten().collect();
    let row = |number: &str| rows.iter().find(|row| row["note"] == number).unwrap().to_string();
    // Sales, purchases that are set off, the debit note and the credit note.
    for (number, amount) in [("4", "300.00"), ("14", "150.00"), ("26", "30.00"), ("31", "150.00")] {
        assert!(row(number).contains(amount), "{}", row(number));
    }
    let path = host.job("/v1/verifications", &json!({})).await;
    let job = host.ended(&path).await;
    let count = |name: &str| job["result"][name].as_u64();
    assert_eq!(job["state"], "done", "{job}");
    assert_eq!(count("decisions"), count("proven"), "{job}");
    assert!(count("decisions") > Some(8), "{job}");
}

/// What a command would do is told as it would be done, and not done.
async fn what_is_tried_is_told_and_leaves_nothing(on: On) {
    let host = TestHost::new(on).await;
    chart(&host).await;
    let mut document = sale("standard", "2");
    set(&mut document, "/customer/id", json!("c-77"));
    let head = host.head().await;
    let draft = host.post("/v1/invoices?dry_run=true", &[("idempotency-key", "d")], &document).await;
    assert_eq!((draft.status.as_u16(), &draft.body["dry_run"]), (200, &json!(true)), "{}", draft.text);
    assert_eq!(draft.body["would_record"][0]["type"], "invoice.drafted.v1");
    assert_eq!(draft.body["customer"]["name"], "Padma Textile Mills Ltd");
    assert_eq!((draft.header("location"), draft.etag.as_str(), draft.header("niyam-position")), ("", "", ""));
    let nowhere = host.get(&format!("/v1/invoices/{}", draft.body["id"].as_str().unwrap())).await;
    assert_eq!(nowhere.problem(), (404, "invoice-not-found"));
    assert_eq!(host.head().await, head);
    // The key that would have been made seals nothing: the same party is drafted, read and erased as ever.
    let real = host.post("/v1/invoices", &[("idempotency-key", "d")], &document).await;
    assert_eq!((real.status.as_u16(), real.replayed), (201, false), "{}", real.text);
    let path = real.header("location").to_owned();
    assert_eq!(host.get(&path).await.body["customer"]["id"], "c-77");
    let approved = host.change(&path, "approve", &real.etag).await;
    let head = host.head().await;
    for _ in 0..2 {
        let issue = host
            .post(&format!("{path}/issue?dry_run=true"), &[("if-match", &approved.etag)], &json!({}))
            .await;
        assert_eq!(issue.body["number"], "1/2026-2027", "{}", issue.text);
        let types: Vec<&str> = issue.body["would_record"]
            .as_array()
            .unwrap()
            .iter()
            .map(|event| event["type"].as_str().unwrap())
            .collect();
        assert_eq!(types, ["invoice.issued.v1", "number.drawn.v1", "journal-entry.posted.v1"]);
        let entry = &issue.body["would_record"][2]["payload"]["entry"];
        assert_eq!(entry["lines"][0]["amount"], "2300.00", "{}", issue.text);
    }
    assert_eq!(host.head().await, head);
    // Refusals are those that would come.
    let stale = host.post(&format!("{path}/issue?dry_run=true"), &[("if-match", "\"9\"")], &json!({})).await;
    assert_eq!(stale.problem(), (412, "version-mismatch"));
    let erase =
        host.post("/v1/data-subjects/c-77/erase?dry_run=true", &[], &json!({"reason": "asked"})).await;
    assert_eq!(erase.body["dry_run"], json!(true), "{}", erase.text);
    assert_eq!(host.get(&path).await.body["customer"]["name"], "Padma Textile Mills Ltd");
    let entry = json!({
        "date": "2026-08-15", "description": "Rent",
        "lines": [
            {"account": "5300", "debit": "5", "currency": "BDT"}, {"account": "1120", "credit": "5", "currency": "BDT"}
        ]
    });
    for (path, headers, body) in [
        ("/v1/journal-entries?dry_run=true", vec![], entry),
        ("/v1/fiscal-years?dry_run=true", vec![], json!({"starts": "2026-07-01"})),
        ("/v1/accounts/5400/deactivate?dry_run=true", vec![("if-match", "*")], json!({})),
    ] {
        let tried = host.post(path, &headers, &body).await;
        assert!(tried.body["dry_run"] == json!(true) || tried.status.is_client_error(), "{}", tried.text);
    }
    assert_eq!(host.head().await, head);
    for path in ["/v1/invoices?dry_run=yes", "/v1/verifications?dry_run=true"] {
        assert_eq!(host.post(path, &[], &json!({})).await.problem(), (422, "query-invalid"), "{path}");
    }
    let issued = host.change(&path, "issue", &approved.etag).await;
    assert_eq!(issued.body["number"], "1/2026-2027", "{}", issued.text);
    let credit = json!({"reason": "came back"});
    let head = host.head().await;
    let tried = host.post(&format!("{path}/credit-notes?dry_run=true"), &[("if-match", "*")], &credit).await;
    assert_eq!(tried.body["number"], "1/2026-2027", "{}", tried.text);
    assert_eq!(tried.body["would_record"].as_array().unwrap().len(), 4);
    assert_eq!(host.head().await, head);
}

async fn what_is_not_paid_by_its_day_is_overdue(on: On) {
    let host = TestHost::new(on).await;
    chart(&host).await;
    let mut document = sale("standard", "1");
    document["due_date"] = json!("2026-09-14");
    let (path, issued) = host.issue(&document).await;
    assert_eq!((&issued.body["due_date"], &issued.body["attributes"]), (&json!("2026-09-14"), &json!({})));
    host.draft(&document).await;
    let listed = |day: &'static str| {
        let host = &host;
        async move {
            let page = host.get(&format!("/v1/invoices?status=overdue&as_of={day}&limit=1")).await;
            assert_eq!(page.status, 200, "{}", page.text);
            page.body["items"].clone()
        }
    };
    assert_eq!(listed("2026-09-14").await, json!([]));
    let late = listed("2026-09-15").await;
    assert_eq!((&late[0]["id"], &late[0]["outstanding"]), (&issued.body["id"], &json!("1150.00")));
    assert_eq!((&late[0]["overdue"], &late[0]["due_date"]), (&json!(true), &json!("2026-09-14")));
    assert_eq!(
        told(&host, "aged-receivables?as_of=2026-10-20", &["row", "due", "days_31_to_60"]).await[0],
        "document 2026-09-14 1150.00"
    );
    let all = host.get("/v1/invoices").await;
    assert_eq!(
        (&all.body["items"][1]["overdue"], &all.body["items"][0]["outstanding"]),
        (&json!(false), &json!("0.00"))
    );
    let credited = credit(&host, &path, &json!({"reason": "came back"})).await;
    assert_eq!(credited.status, 201, "{}", credited.text);
    assert_eq!(listed("2026-09-15").await, json!([]));
    let mut early = document.clone();
    early["due_date"] = json!("2026-08-14");
    let refused = host.post("/v1/invoices", &[], &early).await;
    assert_eq!(refused.problem(), (422, "due-date-invalid"), "{}", refused.text);
    assert_eq!(refused.body["errors"][0]["pointer"], "/due_date");
    assert_eq!(host.get("/v1/invoices?status=overdue&as_of=x").await.problem(), (422, "query-invalid"));
}

on_both! {
    digits_that_something_parts_are_other_numbers
    what_is_not_paid_by_its_day_is_overdue
    what_is_tried_is_told_and_leaves_nothing
    a_purchase_is_recorded_under_its_suppliers_number_once
    what_two_record_at_once_is_recorded_once
    a_purchases_lines_go_to_the_accounts_that_they_name
    credit_notes_take_an_invoice_back_to_the_paisa
    a_debit_note_raises_and_a_credit_of_what_is_paid_is_owed_back
    a_suppliers_credit_note_bears_its_own_number
    a_note_that_is_wrong_is_told_by_code_and_place_and_not_recorded
    the_same_key_issues_one_note_and_two_at_once_take_no_more_than_there_is
    without_a_chart_notes_move_nothing_in_the_books
    a_return_shows_purchases_and_notes_and_all_is_proven
}
