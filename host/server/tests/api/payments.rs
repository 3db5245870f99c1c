//! Payments over HTTP: what they settle and post, in one transaction or not at all.

use niyam::Role;
use serde_json::{Value, json};

use crate::accounts::chart;
use crate::fiscal_periods::{august, year};
use crate::harness::{Answer, On, TestHost, on_both, sale, set};
use crate::notes::purchase;
use crate::policies::policy;
use crate::reports::{report, told};

const POLICIES: &[&str] = &["unruly-policy"];

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

/// The entry at `index` of those of the payment.
async fn entry(host: &TestHost, payment: &Answer, index: usize) -> Value {
    let id = payment.body["entries"][index].as_str().unwrap();
    host.get(&format!("/v1/journal-entries/{id}")).await.body
}

/// A sale to the customer `c-1`.
fn to(customer: &str, quantity: &str) -> Value {
    let mut document = sale("standard", quantity);
    set(&mut document, "/customer/id", json!(customer));
    document
}

/// Issues a sale of `quantity` at 1,000.00 to `c-1`: 1,150.00 each; its id.
pub async fn owed(host: &TestHost, quantity: &str) -> String {
    let (_, issued) = host.issue(&to("c-1", quantity)).await;
    assert_eq!(issued.status, 200, "{}", issued.text);
    issued.body["id"].as_str().unwrap().to_owned()
}

async fn outstanding(host: &TestHost, invoice: &str) -> String {
    let shown = host.get(&format!("/v1/invoices/{invoice}")).await;
    shown.body["outstanding"].as_str().unwrap_or_else(|| panic!("{}", shown.text)).to_owned()
}

/// A receipt of `amount`, all of it for `invoice`.
fn receipt(method: &str, amount: &str, invoice: &str) -> Value {
    let mut payment = json!({
        "direction": "receipt", "method": method, "date": "2026-08-20", "currency": "BDT", "amount": amount,
        "allocations": [{"invoice": invoice}]
    });
    if method == "cheque" {
        payment["details"] = json!({"cheque_number": "0042"});
    }
    payment
}

/// An advance of `amount` by `c-1`.
fn advance(amount: &str) -> Value {
    json!({
        "direction": "receipt", "method": "cash", "date": "2026-08-20", "currency": "BDT", "amount": amount,
        "party": {"id": "c-1", "name": "Padma Textile Mills Ltd", "country": "BD"}, "as_advance": true
    })
}

/// Records `payment`; its path and the answer.
async fn create(host: &TestHost, payment: &Value) -> (String, Answer) {
    let created = host.post("/v1/payments", &[], payment).await;
    assert_eq!(created.status, 201, "{}", created.text);
    (created.header("location").to_owned(), created)
}

/// Records `payment` and completes it; its path and the answer.
pub async fn pay(host: &TestHost, payment: &Value) -> (String, Answer) {
    let (path, created) = create(host, payment).await;
    let completed = host.change(&path, "complete", &created.etag).await;
    assert_eq!(completed.status, 200, "{}", completed.text);
    (path, completed)
}

async fn ask(host: &TestHost, path: &str, command: &str, body: &Value) -> Answer {
    host.post(&format!("{path}/{command}"), &[("if-match", "*")], body).await
}

fn back(day: &str) -> Value {
    json!({"date": day, "reason": "entered twice"})
}

async fn with_chart(on: On) -> TestHost {
    let host = TestHost::new(on).await;
    chart(&host).await;
    host
}

async fn what_is_paid_is_settled_and_posted_in_one_transaction(on: On) {
    let host = with_chart(on).await;
    let (first, second) = (owed(&host, "1").await, owed(&host, "2").await);
    let mut new = receipt("wallet:bkash", "2000.00", &first);
    new["charges"] = json!("37.00");
    new["allocations"] = json!([{"invoice": first}, {"invoice": second, "amount": "850.00"}]);
    let (path, created) = create(&host, &new).await;
    assert_eq!((&created.body["status"], created.etag.as_str()), (&json!("pending"), "\"1\""));
    assert_eq!(created.body["allocations"][0]["amount"], "1150.00");
    assert_eq!(created.body["party"]["name"], "Padma Textile Mills Ltd");
    assert_eq!(outstanding(&host, &first).await, "1150.00");

    let head = host.head().await;
    let completed = host.change(&path, "complete", &created.etag).await;
    assert_eq!(completed.status, 200, "{}", completed.text);
    // The payment, two invoices, the entry.
    assert_eq!(host.head().await.0, head.0 + 4);
    assert_eq!(completed.body["status"], "completed");
    let posted = entry(&host, &completed, 0).await;
    assert_eq!(lines(&posted), ["dr 1141 1963.00", "dr 5700 37.00", "cr 1210 2000.00"]);
    assert_eq!(posted["source"], json!({"kind": "payment", "id": created.body["id"]}));
    assert_eq!(
        (outstanding(&host, &first).await, outstanding(&host, &second).await),
        ("0.00".into(), "1450.00".into())
    );
    let again = host.change(&path, "complete", &completed.etag).await;
    assert_eq!(again.problem(), (409, "payment-status-conflict"));
    // It goes with its payment.
    let entry_path =
        format!("/v1/journal-entries/{}/reverse", completed.body["entries"][0].as_str().unwrap());
    let refused = host.post(&entry_path, &[("if-match", "*")], &json!({"reason": "wrong"})).await;
    assert_eq!(refused.problem(), (409, "journal-entry-of-document"));
    assert_eq!(host.get(&path).await.body, completed.body);
}

async fn a_reversal_opens_what_was_settled_once(on: On) {
    let host = with_chart(on).await;
    let invoice = owed(&host, "1").await;
    let (path, completed) = pay(&host, &receipt("cash", "1150.00", &invoice)).await;
    assert_eq!(outstanding(&host, &invoice).await, "0.00");
    let early = ask(&host, &path, "reverse", &back("2026-08-19")).await;
    assert_eq!(early.problem(), (422, "date-before-payment"));
    assert_eq!(early.body["errors"][0]["pointer"], "/date");
    let reversed = ask(&host, &path, "reverse", &back("2026-08-21")).await;
    assert_eq!(reversed.status, 200, "{}", reversed.text);
    assert_eq!(
        (&reversed.body["status"], &reversed.body["reason"]),
        (&json!("reversed"), &json!("entered twice"))
    );
    assert_eq!(outstanding(&host, &invoice).await, "1150.00");
    let first = entry(&host, &completed, 0).await;
    assert_eq!(first["status"], "reversed");
    let mirror = host.get(&format!("/v1/journal-entries/{}", first["reversed_by"].as_str().unwrap())).await;
    assert_eq!(lines(&mirror.body), ["cr 1110 1150.00", "dr 1210 1150.00"]);
    assert_eq!(
        ask(&host, &path, "reverse", &back("2026-08-22")).await.problem(),
        (409, "payment-status-conflict")
    );
    // What is open again is paid again.
    pay(&host, &receipt("cash", "1150.00", &invoice)).await;
    assert_eq!(outstanding(&host, &invoice).await, "0.00");
}

async fn of_two_who_pay_the_same_invoice_at_once_none_pays_more_than_is_left(on: On) {
    let host = with_chart(on).await;
    let invoice = owed(&host, "1").await;
    let mut paths = Vec::new();
    for amount in ["1150.00", "1150.00", "600.00", "550.00"] {
        paths.push(create(&host, &receipt("cash", amount, &invoice)).await.0);
    }
    let complete = |path: String| {
        let host = &host;
        async move { host.change(&path, "complete", "*").await }
    };
    let answers = futures::future::join_all(paths.into_iter().map(complete)).await;
    let mut paid = 0;
    for answer in &answers {
        match answer.status.as_u16() {
            200 => paid += answer.body["amount"].as_str().unwrap().replace(".00", "").parse::<i64>().unwrap(),
            _ => assert_eq!(answer.problem(), (422, "allocation-over-due"), "{}", answer.text),
        }
    }
    // One who would pay all, or the two who share it.
    assert_eq!(paid, 1150);
    assert_eq!(outstanding(&host, &invoice).await, format!("{}.00", 1150 - paid));
    // Whoever came too late fails, or pays an advance.
    let late = answers.iter().position(|answer| answer.status != 200).unwrap();
    assert_eq!(answers[late].body["errors"][0]["pointer"], "/allocations/0/amount");
}

async fn what_is_wrong_is_told_and_nothing_is_recorded(on: On) {
    let host = with_chart(on).await;
    let invoice = owed(&host, "1").await;
    let (_, draft) = host.draft(&to("c-1", "1")).await;
    let draft = draft.body["id"].as_str().unwrap().to_owned();
    let (_, other) = host.issue(&to("c-2", "1")).await;
    let other = other.body["id"].as_str().unwrap().to_owned();
    let missing = "01989f6e-7a10-7c3e-9b0e-5d2f4a6b8c01";
    let good = receipt("bank-transfer", "1150.00", &invoice);
    let head = host.head().await;
    for (at, value, code, pointer) in [
        ("/amount", json!("1150.005"), "amount-too-precise", "/amount"),
        ("/amount", json!("0"), "amount-not-positive", "/amount"),
        ("/amount", json!("1e3"), "decimal-invalid", "/amount"),
        ("/amount", json!(1150), "type-wrong", "/amount"),
        ("/amount", json!("1150.01"), "payment-over-due", "/amount"),
        ("/date", json!("2026-02-30"), "date-invalid", "/date"),
        ("/date", json!("2026-08-14"), "payment-before-invoice", "/date"),
        ("/currency", json!("Taka"), "currency-unknown", "/currency"),
        ("/currency", json!("USD"), "invoice-currency-differs", "/allocations/0/invoice"),
        ("/method", json!("barter"), "payment-method-unknown", "/method"),
        ("/method", json!("wallet:paisa"), "payment-method-unknown", "/method"),
        ("/method", json!("cheque"), "cheque-number-missing", "/details/cheque_number"),
        ("/direction", json!("disbursement"), "invoice-direction-differs", "/allocations/0/invoice"),
        ("/direction", json!("gift"), "value-invalid", "/direction"),
        ("/account_role", json!("bank:other"), "payment-account-invalid", "/account_role"),
        ("/charges", json!("1150.01"), "charges-exceed-amount", "/charges"),
        ("/allocations", json!([{"invoice": missing}]), "invoice-unknown", "/allocations/0/invoice"),
        ("/allocations", json!([{"invoice": "x"}]), "invoice-unknown", "/allocations/0/invoice"),
        ("/allocations", json!([{"invoice": draft}]), "invoice-not-open", "/allocations/0/invoice"),
        ("/allocations", json!([]), "party-missing", "/party"),
        (
            "/allocations",
            json!([{"invoice": invoice, "amount": "1150.01"}]),
            "allocation-over-due",
            "/allocations/0/amount",
        ),
        (
            "/allocations",
            json!([{"invoice": invoice, "amount": "1"}, {"invoice": invoice, "amount": "1149"}]),
            "allocation-repeated",
            "/allocations/1/invoice",
        ),
        (
            "/allocations",
            json!([{"invoice": invoice, "amount": "150"}, {"invoice": other, "amount": "1000"}]),
            "invoice-party-differs",
            "/allocations/1/invoice",
        ),
        ("/details", json!({"routing_number": "085260729"}), "identifier-invalid", "/details/routing_number"),
        ("/details", json!({"account_number": "12"}), "identifier-invalid", "/details/account_number"),
        ("/details", json!({"colour": "red"}), "field-unknown", "/details/colour"),
        (
            "/withheld",
            json!([{"tax": "vds", "amount": "150.00"}]),
            "certificate-missing",
            "/withheld/0/certificate_number",
        ),
        (
            "/withheld",
            json!([{"tax": "vds", "amount": "150.00", "certificate_number": "1"}]),
            "field-missing",
            "/withheld/0/certificate_date",
        ),
        ("/as_advance", json!("yes"), "type-wrong", "/as_advance"),
    ] {
        let mut payment = good.clone();
        set(&mut payment, at, value);
        let refused = host.post("/v1/payments", &[("idempotency-key", code)], &payment).await;
        assert_eq!(refused.status, 422, "{code}: {}", refused.text);
        let errors = refused.body["errors"].as_array().unwrap();
        let told = errors.iter().any(|error| error["code"] == code && error["pointer"] == pointer);
        assert!(told, "{code} at {pointer}: {}", refused.text);
        assert_eq!(host.head().await, head, "{code}");
    }
    let none = format!("/v1/payments/{missing}");
    assert_eq!(host.get(&none).await.problem(), (404, "payment-not-found"));
    assert_eq!(host.get("/v1/payments/x").await.problem(), (404, "payment-not-found"));
    assert_eq!(host.change(&none, "complete", "*").await.problem(), (404, "payment-not-found"));
    // A pack's normal form is what is kept.
    let mut wallet = receipt("wallet:bkash", "1150.00", &invoice);
    wallet["details"] = json!({"wallet_number": "01712345678", "reference": "9GK4AB"});
    assert_eq!(create(&host, &wallet).await.1.body["details"]["wallet_number"], "01712345678");
}

async fn who_may_not_is_refused_and_a_stale_client_too(on: On) {
    let host = with_chart(on).await;
    let invoice = owed(&host, "1").await;
    let new = receipt("cash", "1150.00", &invoice);
    let viewer = host.bearer("demo", &[Role::Viewer]);
    let refused = host.post("/v1/payments", &[("authorization", &viewer)], &new).await;
    assert_eq!(refused.problem(), (403, "role-missing"));
    let (path, created) = create(&host, &new).await;
    for command in ["complete", "fail", "reverse", "refund", "deposit", "clear", "bounce", "allocate"] {
        let headers = [("authorization", viewer.as_str()), ("if-match", "*")];
        let refused = host.post(&format!("{path}/{command}"), &headers, &back("2026-08-21")).await;
        assert_eq!(refused.problem(), (403, "role-missing"), "{command}");
        let blind = host.post(&format!("{path}/{command}"), &[], &json!({})).await;
        assert_eq!(blind.problem(), (428, "if-match-missing"), "{command}");
        let stale = host
            .post(
                &format!("{path}/{command}"),
                &[("if-match", "\"7\"")],
                &match command {
                    "fail" => json!({"reason": "no"}),
                    "reverse" | "refund" | "bounce" => back("2026-08-21"),
                    "allocate" => json!({"allocations": []}),
                    _ => json!({}),
                },
            )
            .await;
        assert_eq!(stale.problem(), (412, "version-mismatch"), "{command}");
    }
    let head = host.head().await;
    let headers = [("if-match", created.etag.as_str()), ("idempotency-key", "k")];
    let done = host.post(&format!("{path}/complete"), &headers, &json!({})).await;
    let again = host.post(&format!("{path}/complete"), &headers, &json!({})).await;
    assert!(again.replayed && again.text == done.text, "{}", again.text);
    assert_eq!(host.head().await.0, head.0 + 3);
}

async fn a_closed_period_takes_no_payment(on: On) {
    let host = with_chart(on).await;
    year(&host).await;
    let invoice = owed(&host, "1").await;
    let (path, _) = pay(&host, &receipt("cash", "150.00", &invoice)).await;
    let (pending, _) = create(&host, &receipt("cash", "1000.00", &invoice)).await;
    august(&host, "close").await;
    let head = host.head().await;
    for (path, command, body) in [
        (&pending, "complete", json!({})),
        (&path, "reverse", back("2026-08-25")),
        (&path, "refund", back("2026-08-25")),
    ] {
        let refused = ask(&host, path, command, &body).await;
        assert_eq!(refused.problem(), (422, "period-closed"), "{}", refused.text);
        assert_eq!(refused.body["errors"][0]["pointer"], "/date");
    }
    assert_eq!(host.head().await, head);
    let later = ask(&host, &pending, "complete", &json!({"date": "2026-09-01"})).await;
    assert_eq!((later.status.as_u16(), &later.body["completed_on"]), (200, &json!("2026-09-01")));
}

async fn a_cheque_is_deposited_and_cleared_or_bounces_before(on: On) {
    let host = with_chart(on).await;
    let invoice = owed(&host, "1").await;
    let (path, received) = pay(&host, &receipt("cheque", "1150.00", &invoice)).await;
    assert_eq!(received.body["cheque"], "received");
    assert_eq!(lines(&entry(&host, &received, 0).await), ["dr 1130 1150.00", "cr 1210 1150.00"]);
    assert_eq!(ask(&host, &path, "clear", &json!({})).await.problem(), (409, "cheque-status-conflict"));
    assert_eq!(
        ask(&host, &path, "refund", &back("2026-08-21")).await.problem(),
        (409, "cheque-status-conflict")
    );
    let on = json!({"date": "2026-08-21"});
    assert_eq!(ask(&host, &path, "deposit", &on).await.body["cheque"], "deposited");
    let cleared = ask(&host, &path, "clear", &json!({"date": "2026-08-23"})).await;
    assert_eq!(cleared.body["cheque"], "cleared", "{}", cleared.text);
    assert_eq!(lines(&entry(&host, &cleared, 1).await), ["dr 1120 1150.00", "cr 1130 1150.00"]);
    let head = host.head().await;
    let refused = ask(&host, &path, "bounce", &back("2026-08-24")).await;
    assert_eq!(refused.problem(), (409, "cheque-status-conflict"), "{}", refused.text);
    assert_eq!((host.head().await, outstanding(&host, &invoice).await), (head, "0.00".to_owned()));

    let other = owed(&host, "1").await;
    let (path, _) = pay(&host, &receipt("cheque", "1150.00", &other)).await;
    ask(&host, &path, "deposit", &on).await;
    let bounced = ask(&host, &path, "bounce", &back("2026-08-25")).await;
    assert_eq!((&bounced.body["status"], &bounced.body["cheque"]), (&json!("bounced"), &json!("bounced")));
    assert_eq!(outstanding(&host, &other).await, "1150.00");
    let cheques = report(&host, "general-ledger?account=1130&from=2026-07-01&as_of=2026-08-31").await;
    assert_eq!(told(&cheques, &["row", "balance"]).last().unwrap(), "closing 0.00");
}

async fn an_advance_is_said_kept_allocated_and_given_back(on: On) {
    let host = with_chart(on).await;
    let mut over = advance("1500.00");
    over["as_advance"] = json!(false);
    assert_eq!(host.post("/v1/payments", &[], &over).await.problem(), (422, "payment-over-due"));
    let (path, completed) = pay(&host, &advance("1500.00")).await;
    assert_eq!(lines(&entry(&host, &completed, 0).await), ["dr 1110 1500.00", "cr 2120 1500.00"]);
    let invoice = owed(&host, "1").await;
    let parts =
        |amount: &str| json!({"date": "2026-08-22", "allocations": [{"invoice": invoice, "amount": amount}]});
    let refused = ask(&host, &path, "allocate", &parts("1150.01")).await;
    assert_eq!(refused.problem(), (422, "allocation-over-due"));
    let allocated = ask(&host, &path, "allocate", &parts("1150.00")).await;
    assert_eq!(allocated.status, 200, "{}", allocated.text);
    assert_eq!(lines(&entry(&host, &allocated, 1).await), ["dr 2120 1150.00", "cr 1210 1150.00"]);
    assert_eq!(
        (&allocated.body["advance_left"], outstanding(&host, &invoice).await),
        (&json!("350.00"), "0.00".to_owned())
    );
    let refund = |amount: &str| json!({"date": "2026-08-23", "amount": amount, "account_role": "bank", "reason": "back"});
    let refused = ask(&host, &path, "refund", &refund("350.01")).await;
    assert_eq!(refused.problem(), (422, "advance-exceeded"));
    let refunded = ask(&host, &path, "refund", &refund("350.00")).await;
    assert_eq!(lines(&entry(&host, &refunded, 2).await), ["dr 2120 350.00", "cr 1120 350.00"]);
    assert_eq!(
        (&refunded.body["status"], &refunded.body["given_back"]),
        (&json!("completed"), &json!("350.00"))
    );
    assert_eq!(
        ask(&host, &path, "reverse", &back("2026-08-24")).await.problem(),
        (409, "payment-status-conflict")
    );
}

async fn a_whole_refund_opens_what_was_settled(on: On) {
    let host = with_chart(on).await;
    let invoice = owed(&host, "1").await;
    let (path, _) = pay(&host, &receipt("wallet:nagad", "1150.00", &invoice)).await;
    let wrong = json!({"reason": "returned", "account_role": "bank"});
    assert_eq!(ask(&host, &path, "refund", &wrong).await.problem(), (422, "field-missing"));
    let refunded = ask(&host, &path, "refund", &back("2026-08-25")).await;
    assert_eq!(refunded.body["status"], "refunded", "{}", refunded.text);
    assert_eq!(outstanding(&host, &invoice).await, "1150.00");
}

async fn a_certificate_settles_one_payment(on: On) {
    let host = with_chart(on).await;
    let (first, second) = (owed(&host, "1").await, owed(&host, "1").await);
    let certified = |invoice: &str| {
        let mut payment = receipt("bank-transfer", "1000.00", invoice);
        payment["withheld"] = json!([{"tax": "vds", "amount": "150.00", "certificate_number": "6.6/77",
                                      "certificate_date": "2026-08-20"}]);
        payment
    };
    let (late, late_created) = create(&host, &certified(&second)).await;
    let (path, completed) = pay(&host, &certified(&first)).await;
    assert_eq!(
        lines(&entry(&host, &completed, 0).await),
        ["dr 1120 1000.00", "dr 1320 150.00", "cr 1210 1150.00"]
    );
    assert_eq!(outstanding(&host, &first).await, "0.00");
    let head = host.head().await;
    let twice = host.post("/v1/payments", &[], &certified(&second)).await;
    let once_more = host.change(&late, "complete", &late_created.etag).await;
    // However it is typed.
    let mut retyped = certified(&second);
    retyped["withheld"][0]["certificate_number"] = json!("6.6 / 77");
    let retyped = host.post("/v1/payments", &[], &retyped).await;
    for refused in [twice, once_more, retyped] {
        assert_eq!(refused.problem(), (422, "certificate-used"), "{}", refused.text);
        assert_eq!(refused.body["errors"][0]["pointer"], "/withheld/0/certificate_number");
    }
    assert_eq!(host.head().await, head);
    // Once its payment is taken back, it settles another one.
    assert_eq!(ask(&host, &path, "reverse", &back("2026-08-21")).await.status, 200);
    let done = host.change(&late, "complete", &late_created.etag).await;
    assert_eq!(done.status, 200, "{}", done.text);
    // The rest comes as the certificate alone.
    let mut alone = receipt("withholding", "0", &first);
    alone["withheld"] = json!([{"tax": "tds", "amount": "50.00", "certificate_number": "1",
                                "certificate_date": "2026-08-20"}]);
    let (_, alone) = pay(&host, &alone).await;
    assert_eq!(lines(&entry(&host, &alone, 0).await), ["dr 1330 50.00", "cr 1210 50.00"]);
}

async fn a_supplier_is_paid_and_a_cheque_issued(on: On) {
    let host = with_chart(on).await;
    let (_, issued) = host.issue(&purchase("INV-7", "2")).await;
    assert_eq!(issued.status, 200, "{}", issued.text);
    let bill = issued.body["id"].as_str().unwrap();
    let mut new = receipt("cheque", "2300.00", bill);
    let wrong = host.post("/v1/payments", &[], &new).await;
    assert_eq!(wrong.problem(), (422, "invoice-direction-differs"), "{}", wrong.text);
    new["direction"] = json!("disbursement");
    new["charges"] = json!("10.00");
    let (path, paid) = pay(&host, &new).await;
    assert_eq!(lines(&entry(&host, &paid, 0).await), ["cr 1120 2310.00", "dr 5700 10.00", "dr 2110 2300.00"]);
    assert_eq!((&paid.body["cheque"], outstanding(&host, bill).await), (&json!("issued"), "0.00".to_owned()));
    let deposit = ask(&host, &path, "deposit", &json!({"date": "2026-08-21"})).await;
    assert_eq!(deposit.problem(), (409, "cheque-status-conflict"));
    let cleared = ask(&host, &path, "clear", &json!({"date": "2026-08-22"})).await;
    assert_eq!(
        (&cleared.body["cheque"], cleared.body["entries"].as_array().unwrap().len()),
        (&json!("cleared"), 1)
    );
    let payables = report(&host, "aged-payables?as_of=2026-08-31").await;
    let left = told(&payables, &["row", "open"]);
    assert!(left.is_empty() || left.contains(&"difference 0.00".to_owned()), "{left:?}");
}

async fn what_a_credit_note_leaves_is_paid_back(on: On) {
    let host = with_chart(on).await;
    let invoice = owed(&host, "1").await;
    pay(&host, &receipt("cash", "1150.00", &invoice)).await;
    let body = json!({"date": "2026-08-21", "reason": "returned"});
    let path = format!("/v1/invoices/{invoice}/credit-notes");
    let note = host.post(&path, &[("if-match", "*")], &body).await;
    assert_eq!(note.status, 201, "{}", note.text);
    let note = note.body["id"].as_str().unwrap();
    assert_eq!(outstanding(&host, note).await, "1150.00");
    let mut new = receipt("bank-transfer", "1150.00", note);
    new["date"] = json!("2026-08-22");
    assert_eq!(host.post("/v1/payments", &[], &new).await.problem(), (422, "invoice-direction-differs"));
    new["direction"] = json!("disbursement");
    let (path, paid) = pay(&host, &new).await;
    assert_eq!(lines(&entry(&host, &paid, 0).await), ["cr 1120 1150.00", "dr 1210 1150.00"]);
    assert_eq!(outstanding(&host, note).await, "0.00");
    let aged = |answer: Answer| told(&answer, &["row", "open"]);
    let left = aged(report(&host, "aged-receivables?as_of=2026-08-31").await);
    assert!(left.is_empty() || left.contains(&"difference 0.00".to_owned()), "{left:?}");
    assert_eq!(ask(&host, &path, "reverse", &back("2026-08-23")).await.status, 200);
    let left = aged(report(&host, "aged-receivables?as_of=2026-08-31").await);
    for row in ["total -1150.00", "ledger -1150.00", "difference 0.00"] {
        assert!(left.contains(&row.to_owned()), "{left:?}");
    }
}

async fn what_is_tried_is_not_recorded(on: On) {
    let host = with_chart(on).await;
    let invoice = owed(&host, "1").await;
    let (path, _) = create(&host, &receipt("cash", "1150.00", &invoice)).await;
    let head = host.head().await;
    let tried = host.post(&format!("{path}/complete?dry_run=true"), &[("if-match", "*")], &json!({})).await;
    assert_eq!((tried.status.as_u16(), &tried.body["status"]), (200, &json!("completed")), "{}", tried.text);
    let would: Vec<_> =
        tried.body["would_record"].as_array().unwrap().iter().map(|event| &event["type"]).collect();
    assert_eq!(would.len(), 3, "{would:?}");
    assert_eq!((host.head().await, outstanding(&host, &invoice).await), (head, "1150.00".to_owned()));
}

async fn a_list_is_paged_and_filtered(on: On) {
    let host = with_chart(on).await;
    let invoice = owed(&host, "1").await;
    for method in ["cash", "bank-transfer", "wallet:bkash"] {
        create(&host, &receipt(method, "100.00", &invoice)).await;
    }
    pay(&host, &receipt("cash", "200.00", &invoice)).await;
    let mut other = advance("10.00");
    other["party"]["id"] = json!("c-2");
    create(&host, &other).await;
    let shown = |answer: &Answer| {
        let items = answer.body["items"].as_array().unwrap();
        let one = |item: &Value| {
            format!("{} {}", item["method"].as_str().unwrap(), item["amount"].as_str().unwrap())
        };
        items.iter().map(one).collect::<Vec<_>>()
    };
    let all = host.get("/v1/payments").await;
    assert_eq!(shown(&all).len(), 5, "{}", all.text);
    assert_eq!(all.body["items"][1]["status"], "completed");
    assert_eq!(all.body["items"][1]["party_name"], "Padma Textile Mills Ltd");
    let first = host.get("/v1/payments?party=c-1&limit=3").await;
    assert_eq!(shown(&first), ["cash 200.00", "wallet:bkash 100.00", "bank-transfer 100.00"]);
    let link = first.header("link");
    let next = link.trim_start_matches('<').split('>').next().unwrap();
    let last = host.get(next).await;
    assert_eq!(shown(&last), ["cash 100.00"], "{link}");
    assert_eq!(last.body.get("next"), None);
    assert_eq!(shown(&host.get("/v1/payments?method=wallet%3Abkash").await), ["wallet:bkash 100.00"]);
    assert_eq!(shown(&host.get("/v1/payments?status=completed").await), ["cash 200.00"]);
    assert_eq!(shown(&host.get("/v1/payments?party=c-3").await), [""; 0]);
    for wrong in ["status=lost", "limit=0", "method=barter", "after=x", "colour=red"] {
        assert_eq!(
            host.get(&format!("/v1/payments?{wrong}")).await.problem(),
            (422, "query-invalid"),
            "{wrong}"
        );
    }
}

async fn reports_show_what_was_paid_and_agree(on: On) {
    let host = with_chart(on).await;
    year(&host).await;
    let invoice = owed(&host, "2").await;
    let (path, paid) = pay(&host, &receipt("bank-transfer", "1300.00", &invoice)).await;
    let id = paid.body["id"].as_str().unwrap().to_owned();
    let aged = report(&host, "aged-receivables?as_of=2026-08-31").await;
    let totals: Vec<_> =
        told(&aged, &["row", "open"]).into_iter().filter(|row| !row.starts_with("document")).collect();
    assert_eq!(totals, ["party 1000.00", "total 1000.00", "ledger 1000.00", "difference 0.00"]);
    let before = report(&host, "aged-receivables?as_of=2026-08-19").await;
    assert!(told(&before, &["row", "open"]).contains(&"total 2300.00".to_owned()), "{}", before.text);
    let statement = report(&host, "customer-statement?customer=c-1&as_of=2026-08-31").await;
    assert_eq!(
        told(&statement, &["row", "date", "debit", "credit", "balance"]),
        [
            "opening - - - 0.00",
            "line 2026-08-15 2300.00 - 2300.00",
            "line 2026-08-20 - 1300.00 1000.00",
            "closing - - - 1000.00"
        ]
    );
    let bank = report(&host, "general-ledger?account=1120&as_of=2026-08-31").await;
    assert!(told(&bank, &["document_kind", "document", "debit"]).contains(&format!("payment {id} 1300.00")));
    let flow = report(&host, "cash-flow?as_of=2026-08-31").await;
    assert!(told(&flow, &["row", "amount"]).contains(&"closing 1300.00".to_owned()), "{}", flow.text);
    for document in [&id, &invoice] {
        let trail = report(&host, &format!("audit-trail?document={document}&as_of=2026-08-31")).await;
        let events = told(&trail, &["event"]);
        for wanted in ["payment.created.v1", "payment.completed.v1", "journal-entry.posted.v1"] {
            assert!(events.contains(&wanted.to_owned()), "{document}: {wanted} of {events:?}");
        }
    }
    assert_eq!(ask(&host, &path, "reverse", &back("2026-08-25")).await.status, 200);
    let aged = report(&host, "aged-receivables?as_of=2026-08-31").await;
    let totals: Vec<_> =
        told(&aged, &["row", "open"]).into_iter().filter(|row| !row.starts_with("document")).collect();
    assert_eq!(totals, ["party 2300.00", "total 2300.00", "ledger 2300.00", "difference 0.00"]);
    let trail = report(&host, &format!("audit-trail?document={id}&as_of=2026-08-31")).await;
    assert!(told(&trail, &["event"]).contains(&"payment.reversed.v1".to_owned()));
    // As it was known and counted before.
    let flow = report(&host, "cash-flow?as_of=2026-08-24").await;
    assert!(told(&flow, &["row", "amount"]).contains(&"closing 1300.00".to_owned()), "{}", flow.text);
}

async fn whoever_paid_is_erased_with_the_customer(on: On) {
    let host = with_chart(on).await;
    let invoice = owed(&host, "1").await;
    let mut new = receipt("bank-transfer", "100.00", &invoice);
    new["details"] = json!({"payer": "Rahima Begum", "memo": "thanks of Rahima"});
    let (path, created) = create(&host, &new).await;
    let headers = [("if-match", created.etag.as_str()), ("idempotency-key", "k")];
    let done = host.post(&format!("{path}/complete"), &headers, &json!({})).await;
    assert_eq!(done.body["details"]["payer"], "Rahima Begum", "{}", done.text);
    assert_eq!(host.get("/v1/payments").await.body["items"][0]["party_name"], "Padma Textile Mills Ltd");
    let raw = crate::erasure::everything(&host).await;
    assert!(!raw.contains("Rahima") && !raw.contains("Padma Textile"));
    let erased = host.post("/v1/data-subjects/c-1/erase", &[], &json!({})).await;
    assert_eq!(erased.status, 200, "{}", erased.text);
    let shown = host.get(&path).await;
    assert_eq!((&shown.body["party"]["name"], &shown.body["details"]), (&json!("[erased]"), &json!({})));
    assert_eq!(shown.body["amount"], "100.00");
    assert_eq!(host.get("/v1/payments").await.body["items"][0]["party_name"], "[erased]");
    // The books go on: what is left is paid, and what was paid is taken back.
    let (_, rest) = pay(&host, &receipt("cash", "1050.00", &invoice)).await;
    assert_eq!(rest.body["party"]["name"], "[erased]");
    assert_eq!(ask(&host, &path, "reverse", &back("2026-08-25")).await.status, 200);
    assert_eq!(outstanding(&host, &invoice).await, "100.00");
}

async fn policies_are_asked(on: On) {
    let host = TestHost::knowing(on, POLICIES).await;
    chart(&host).await;
    let invoice = owed(&host, "1").await;
    let (path, created) = create(&host, &receipt("cash", "1150.00", &invoice)).await;
    policy(&host, "demo", "unruly-policy", r#"{"denied":"complete-payment"}"#).await;
    let head = host.head().await;
    let refused = host.change(&path, "complete", &created.etag).await;
    assert_eq!(
        (refused.problem(), &refused.body["module"]),
        ((422, "policy-denied"), &json!("unruly-policy"))
    );
    assert_eq!(host.head().await, head);
    // What was let pass is proven again from history.
    assert_eq!(ask(&host, &path, "fail", &json!({"reason": "not paid"})).await.status, 200);
    let (code, told) = host.verify(&[]).await;
    assert_eq!((code, &told["differing"]), (0, &json!(0)), "{told}");
    assert!(told["proven"].as_u64().unwrap() > 4, "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_chart_there_is_no_payment() {
    let host = TestHost::new(On::Sqlite).await;
    let refused = host.post("/v1/payments", &[], &advance("10.00")).await;
    assert_eq!(refused.problem(), (409, "chart-missing"));
}

on_both! {
    what_is_paid_is_settled_and_posted_in_one_transaction
    a_reversal_opens_what_was_settled_once
    of_two_who_pay_the_same_invoice_at_once_none_pays_more_than_is_left
    what_is_wrong_is_told_and_nothing_is_recorded
    who_may_not_is_refused_and_a_stale_client_too
    a_closed_period_takes_no_payment
    a_cheque_is_deposited_and_cleared_or_bounces_before
    an_advance_is_said_kept_allocated_and_given_back
    a_whole_refund_opens_what_was_settled
    a_certificate_settles_one_payment
    a_supplier_is_paid_and_a_cheque_issued
    what_a_credit_note_leaves_is_paid_back
    what_is_tried_is_not_recorded
    a_list_is_paged_and_filtered
    reports_show_what_was_paid_and_agree
    whoever_paid_is_erased_with_the_customer
    policies_are_asked
}
