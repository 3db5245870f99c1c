//! Data subjects: what is recorded about them lies encrypted, and is gone for good once their key is.

use std::process::Command;

use niyam::{App, AppConfig, Role};
use niyam_domain::Version;
use niyam_store::{Append, Batch, NewEvent, StreamWrite};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::harness::{Answer, On, TestHost, on_both, open, sale, set};

/// What documents say of the customer, and the database must not.
pub const PERSONAL: [&str; 5] =
    ["Rahima Begum", "7 Kazi Nazrul Road", "001234567-0101", "Dhaka-Metro 11-1234", "c-1042"];
const REASON: &str = "asked by letter of 3 August 2026";

/// A sale to `name`, known to the tenant by `id`.
fn sale_to(id: Option<&str>, name: &str) -> Value {
    let mut document = sale("standard", "1");
    set(&mut document, "/customer/name", json!(name));
    set(&mut document, "/customer/address", json!("7 Kazi Nazrul Road"));
    set(
        &mut document,
        "/attributes",
        json!({"vehicle": "Dhaka-Metro 11-1234", "destination": "Kazi Nazrul Road"}),
    );
    if let Some(id) = id {
        set(&mut document, "/customer/id", json!(id));
    }
    document
}

pub fn rahima() -> Value {
    sale_to(Some("c-1042"), "Rahima Begum")
}

/// Drafts, approves and issues, each with an idempotency key; the path, and the three answers.
async fn issue(host: &TestHost, document: &Value, key: &str) -> (String, Vec<Answer>) {
    let key = |step: &str| format!("{key}-{step}");
    let draft = host.post("/v1/invoices", &[("idempotency-key", &key("draft"))], document).await;
    assert_eq!(draft.status, 201, "{}", draft.text);
    let path = draft.header("location").to_owned();
    let mut answers = vec![draft];
    for step in ["approve", "issue"] {
        let etag = answers.last().unwrap().etag.clone();
        let headers = [("idempotency-key", &*key(step)), ("if-match", &*etag)];
        let answer = host.post(&format!("{path}/{step}"), &headers, &json!({})).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answers.push(answer);
    }
    (path, answers)
}

async fn erase(host: &TestHost, id: &str) -> Answer {
    host.post(&format!("/v1/data-subjects/{id}/erase"), &[], &json!({"reason": REASON})).await
}

/// All that the database holds, as one text: rows on PostgreSQL, the files on SQLite.
pub async fn everything(host: &TestHost) -> String {
    let Some(url) = &host.database else {
        let file = |name: &str| std::fs::read(host.data().join(name)).unwrap_or_default();
        let bytes = [file("niyam.db"), file("niyam.db-wal")].concat();
        return String::from_utf8_lossy(&bytes).into_owned();
    };
    let mut owner = PgConnection::connect(url).await.unwrap();
    let tables = "select table_name::text from information_schema.tables \
                  where table_schema = 'public' and table_name not in ('components', '_sqlx_migrations')";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut owner).await.unwrap();
    assert!(tables.len() >= 9, "{tables:?}");
    let mut all = String::new();
    for table in tables {
        let rows = AssertSqlSafe(format!("select kept::text from {table} as kept"));
        let rows: Vec<String> = sqlx::query_scalar(rows).fetch_all(&mut owner).await.unwrap();
        for row in rows {
            // Bytes are shown in hex.
            for part in row.split(['"', ',', '(', ')']) {
                let bytes =
                    part.trim_start_matches('\\').strip_prefix('x').and_then(|hex| hex::decode(hex).ok());
                all.push_str(
                    &bytes.map_or(part.to_owned(), |bytes| String::from_utf8_lossy(&bytes).into_owned()),
                );
                all.push('\n');
            }
        }
    }
    all
}

fn program(host: &TestHost, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_niyam"));
    command.args(arguments).arg("--data").arg(host.data());
    if let Some(url) = &host.database {
        command.args(["--database-url", url]);
    }
    let output = command.output().unwrap();
    (output.status.success(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

async fn nothing_personal_lies_in_the_database_and_everything_is_read(on: On) {
    let host = TestHost::new(on).await;
    let (path, answers) = issue(&host, &rahima(), "a").await;
    let draft = host.draft(&rahima()).await;
    let revised = host.put(&draft.0, &[("if-match", &draft.1.etag)], &rahima()).await;
    assert_eq!(revised.status, 200, "{}", revised.text);
    // Also a party without an id.
    issue(&host, &sale_to(None, "Rahima Begum"), "b").await;
    let list = host.get("/v1/invoices").await;
    assert_eq!(list.body["items"].as_array().unwrap().len(), 3);
    assert!(
        list.body["items"].as_array().unwrap().iter().all(|item| item["customer_name"] == "Rahima Begum")
    );
    let stored = everything(&host).await;
    assert!(stored.contains("invoice.issued.v1") && stored.contains("\"sealed\":{\"kind\":\"party\""));
    for text in PERSONAL {
        assert!(!stored.contains(text), "{text}");
    }
    // Whoever may read, reads it all.
    let shown = host.get(&path).await;
    assert_eq!(
        (&shown.body["customer"]["id"], &shown.body["customer"]["name"]),
        (&json!("c-1042"), &json!("Rahima Begum"))
    );
    assert_eq!(shown.body["attributes"]["vehicle"], "Dhaka-Metro 11-1234");
    let events = host.get(&format!("{path}/events")).await;
    let drafted = &events.body["items"][0];
    assert_eq!(drafted["payload"]["assessment"]["document"]["customer"]["address"], "7 Kazi Nazrul Road");
    assert_eq!(drafted["erased"], false);
    let paper = host.get(&format!("{path}/forms/mushak-6.3")).await.text;
    assert!(paper.contains("Rahima Begum") && paper.contains("001234567-0101"), "{paper}");
    // Repeated word for word.
    let again = host.post("/v1/invoices", &[("idempotency-key", "a-draft")], &rahima()).await;
    assert!(again.replayed);
    assert_eq!(again.text, answers[0].text);
    let (proven, said) = program(&host, &["audit", "verify", "--all-tenants"]);
    assert!(proven, "{said}");
}

/// The customer of an answer, as it stands there once erased.
fn assert_erased(answer: &Answer, customer: &str) {
    assert!(answer.status.is_success(), "{}", answer.text);
    for text in PERSONAL {
        assert!(!answer.text.contains(text), "{text} in {}", answer.text);
    }
    let customer = answer.body.pointer(customer).unwrap_or_else(|| panic!("{customer} in {}", answer.text));
    assert_eq!(
        (&customer["name"], &customer["country"]),
        (&json!("[erased]"), &json!("BD")),
        "{}",
        answer.text
    );
}

async fn what_is_erased_is_gone_everywhere_and_nothing_else_is(on: On) {
    let host = TestHost::new(on).await;
    host.tenant("other", "vat-bd").await;
    let other = host.bearer("other", &[Role::Accountant, Role::TenantAdmin]);
    let theirs = host.post("/v1/invoices", &[("authorization", &other)], &rahima()).await;
    let (path, _) = issue(&host, &rahima(), "a").await;
    let (beside, _) = issue(&host, &sale_to(Some("c-7"), "Karim Uddin"), "b").await;
    let (beside_shown, number) = (host.get(&beside).await, host.get(&path).await.body["number"].clone());
    let taxes = host.get(&path).await.body["taxes"].clone();
    let as_pdf = [("accept", "application/pdf")];
    let pdf = host.get_with(&format!("{path}/forms/mushak-6.3"), &as_pdf).await;
    host.get("/v1/invoices").await;

    let erased = erase(&host, "c-1042").await;
    assert_eq!(erased.status, 200, "{}", erased.text);
    assert_eq!((&erased.body["already_erased"], &erased.body["keys_destroyed"]), (&json!(false), &json!(1)));
    assert!(!erased.text.contains("c-1042"));

    let shown = host.get(&path).await;
    assert_erased(&shown, "/customer");
    assert_eq!(
        (&shown.body["attributes"], &shown.body["number"], &shown.body["taxes"]),
        (&json!({}), &number, &taxes)
    );
    assert!(shown.body["customer"].get("id").is_none());
    let events = host.get(&format!("{path}/events")).await;
    for (event, at) in [(0, "/items/0"), (2, "/items/2")] {
        assert_erased(&events, &format!("{at}/payload/assessment/document/customer"));
        assert_eq!(events.body["items"][event]["erased"], true);
    }
    assert_eq!(host.get(&format!("{path}/decisions")).await.status, 200);
    let paper = host.get(&format!("{path}/forms/mushak-6.3")).await;
    assert!(paper.status == 200 && paper.text.contains("[erased]"), "{}", paper.text);
    let page = host.get_with(&format!("{path}/forms/mushak-6.3"), &[("accept", "text/html")]).await;
    assert!(page.status == 200 && page.text.contains("[erased]"), "{}", page.text);
    for text in PERSONAL {
        assert!(!paper.text.contains(text), "{text} in {}", paper.text);
        assert!(!page.text.contains(text), "{text} in {}", page.text);
    }
    // Who still has the paper from before does not hear that it is the paper of now.
    let known = [as_pdf[0], ("if-none-match", &*pdf.etag)];
    let drawn = host.get_with(&format!("{path}/forms/mushak-6.3"), &known).await;
    assert_eq!((pdf.status.as_u16(), drawn.status.as_u16()), (200, 200));
    assert_ne!(drawn.etag, pdf.etag);
    let list = host.get("/v1/invoices").await;
    let names: Vec<_> =
        list.body["items"].as_array().unwrap().iter().map(|item| &item["customer_name"]).collect();
    assert_eq!(names, ["Karim Uddin", "[erased]"]);
    // The answer that is kept for a repetition brings nothing back.
    for (step, body) in [("draft", rahima()), ("approve", json!({})), ("issue", json!({}))] {
        let at = if step == "draft" { "/v1/invoices".to_owned() } else { format!("{path}/{step}") };
        let version = if step == "approve" { "\"1\"" } else { "\"2\"" };
        let key = format!("a-{step}");
        let mut headers = vec![("idempotency-key", key.as_str())];
        if step != "draft" {
            headers.push(("if-match", version));
        }
        let again = host.post(&at, &headers, &body).await;
        assert!(again.replayed, "{step}: {}", again.text);
        assert_erased(&again, "/customer");
    }
    // Others are as they were.
    let after = host.get(&beside).await;
    assert_eq!((after.text, after.etag), (beside_shown.text, beside_shown.etag));
    let still = host.get_with(theirs.header("location"), &[("authorization", &other)]).await;
    assert_eq!(still.body["customer"]["name"], "Rahima Begum");

    // Who, when, why: in the history, which proves. The name is not.
    let stored = everything(&host).await;
    assert!(stored.contains("data-subject.erased.v1") && stored.contains(REASON));
    let (proven, said) = program(&host, &["audit", "verify", "--all-tenants"]);
    assert!(proven, "{said}");
    // A view computed again is the same, and a restart changes nothing.
    let (rebuilt, said) = program(&host, &["projections", "rebuild", "invoice_list"]);
    assert!(rebuilt, "{said}");
    assert_eq!(host.get("/v1/invoices").await.text, list.text);
    let host = host.restart().await;
    assert_eq!(host.get(&path).await.text, shown.text);
    assert_eq!(host.get("/v1/invoices").await.text, list.text);
}

async fn erasing_again_does_nothing_and_new_documents_get_a_new_key(on: On) {
    let host = TestHost::new(on).await;
    let (path, _) = issue(&host, &rahima(), "a").await;
    let key = [("idempotency-key", "erase-1")];
    let place = "/v1/data-subjects/c-1042/erase";
    let first = host.post(place, &key, &json!({"reason": REASON})).await;
    assert_eq!(first.status, 200, "{}", first.text);
    let head = host.head().await;
    let repeated = host.post(place, &key, &json!({"reason": REASON})).await;
    assert!(repeated.replayed && repeated.text == first.text, "{}", repeated.text);
    let again = erase(&host, "c-1042").await;
    assert_eq!((&again.body["already_erased"], &again.body["keys_destroyed"]), (&json!(true), &json!(1)));
    assert_eq!(host.head().await, head);

    // Recorded about anew, readable, and what was erased stays so.
    let (new, answers) = issue(&host, &rahima(), "c").await;
    assert_eq!(answers[2].body["customer"]["name"], "Rahima Begum");
    assert_eq!(host.get(&new).await.body["customer"]["name"], "Rahima Begum");
    assert_erased(&host.get(&path).await, "/customer");
    let erased = erase(&host, "c-1042").await;
    assert_eq!((&erased.body["already_erased"], &erased.body["keys_destroyed"]), (&json!(false), &json!(2)));
    assert_erased(&host.get(&new).await, "/customer");

    // A party without an id is erased by its document.
    let (anonymous, _) = issue(&host, &sale_to(None, "Rahima Begum"), "d").await;
    let (bystander, _) = issue(&host, &sale_to(None, "Rahima Begum"), "e").await;
    let id = anonymous.rsplit_once('/').unwrap().1;
    assert_eq!(erase(&host, &format!("invoice%2F{id}")).await.status, 200);
    assert_erased(&host.get(&anonymous).await, "/customer");
    assert_eq!(host.get(&bystander).await.body["customer"]["name"], "Rahima Begum");
}

async fn a_draft_of_an_erased_customer_waits_for_another(on: On) {
    let host = TestHost::new(on).await;
    let (draft, drafted) = host.draft(&rahima()).await;
    let (approved_path, approved) = host.approve(&rahima()).await;
    assert_eq!(erase(&host, "c-1042").await.status, 200);
    let head = host.head().await;
    let refused = host.change(&draft, "approve", &drafted.etag).await;
    assert_eq!(refused.problem(), (409, "data-subject-erased"), "{}", refused.text);
    let refused = host.change(&approved_path, "issue", &approved.etag).await;
    assert_eq!(refused.problem(), (409, "data-subject-erased"), "{}", refused.text);
    assert_eq!(host.head().await, head);
    let karim = sale_to(Some("c-7"), "Karim Uddin");
    let revised = host.put(&draft, &[("if-match", &drafted.etag)], &karim).await;
    assert_eq!(revised.body["customer"]["name"], "Karim Uddin", "{}", revised.text);
    let approved = host.change(&draft, "approve", &revised.etag).await;
    assert_eq!(host.change(&draft, "issue", &approved.etag).await.status, 200);
    let names: Vec<_> = host.get("/v1/invoices").await.body["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["customer_name"].clone())
        .collect();
    assert_eq!(names, ["[erased]", "Karim Uddin"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_that_means_nothing_is_refused() {
    let host = TestHost::new(On::Sqlite).await;
    host.tenant("other", "vat-bd").await;
    host.draft(&rahima()).await;
    let head = host.head().await;
    for unknown in
        ["c-1043", "C-1042", "invoice%2F00000000-0000-0000-0000-000000000000", "%5Berased%5D", "demo"]
    {
        let refused = erase(&host, unknown).await;
        assert_eq!(refused.problem(), (404, "data-subject-not-found"), "{unknown}: {}", refused.text);
    }
    let place = "/v1/data-subjects/c-1042/erase";
    // Another tenant's subject of the same id is another subject.
    let other = host.bearer("other", &[Role::TenantAdmin]);
    let refused = host.post(place, &[("authorization", &other)], &json!({})).await;
    assert_eq!(refused.problem(), (404, "data-subject-not-found"));
    let stranger = host.bearer("nobody", &[Role::TenantAdmin]);
    let refused = host.post(place, &[("authorization", &stranger)], &json!({})).await;
    assert_eq!(refused.problem(), (403, "tenant-unknown"));
    for role in [Role::Viewer, Role::Accountant, Role::Approver] {
        let bearer = host.bearer("demo", &[role]);
        let refused = host.post(place, &[("authorization", &bearer)], &json!({})).await;
        assert_eq!(refused.problem(), (403, "role-missing"));
    }
    for (body, code) in [
        (json!({"reason": "x".repeat(501)}), "text-too-long"),
        (json!({"reason": "a\u{0}b"}), "text-too-long"),
        (json!({"because": "x"}), "field-unknown"),
    ] {
        assert_eq!(host.post(place, &[], &body).await.problem(), (422, code));
    }
    assert_eq!(host.head().await, head);
    let (refused, said) = program(&host, &["erase", "--tenant", "demo", "--subject", "c-1043"]);
    assert!(!refused && said.contains("data-subject-not-found"), "{said}");
    let (refused, said) = program(&host, &["erase", "--tenant", "nobody", "--subject", "c-1042"]);
    assert!(!refused && said.contains("tenant-unknown"), "{said}");
    // No party is named like an erased one, and an id is plain.
    for (pointer, value, code) in [
        ("/customer/name", "[erased]", "name-reserved"),
        ("/customer/id", "invoice/1", "party-id-invalid"),
        ("/customer/id", &"x".repeat(65), "party-id-invalid"),
    ] {
        let mut document = rahima();
        set(&mut document, pointer, json!(value));
        let refused = host.post("/v1/invoices", &[], &document).await;
        assert_eq!(refused.problem(), (422, code), "{}", refused.text);
        assert_eq!(refused.body["errors"][0]["pointer"], pointer);
    }
    // An attribute that looks like a sealed place is a text.
    let mut document = rahima();
    let trick = r#"{"sealed":{"kind":"party","key":"00000000-0000-0000-0000-000000000000"}}"#;
    set(&mut document, "/attributes", json!({"sealed": trick}));
    let (path, _) = host.draft(&document).await;
    assert_eq!(host.get(&path).await.body["attributes"]["sealed"], trick);
}

async fn no_host_shows_or_records_what_another_erased(on: On) {
    let host = TestHost::new(on).await;
    let beside = open(host.data(), host.database.as_deref(), &host.clock).await;
    let beside = niyam::Server::start(beside, "127.0.0.1:0".parse().unwrap()).await.unwrap();
    let client = reqwest::Client::new();
    let ask = async |method: reqwest::Method, path: &str, body: Option<Value>| {
        let mut request =
            client.request(method, format!("http://{}{path}", beside.address())).bearer_auth(&host.token);
        if let Some(body) = body {
            request = request.header("if-match", "*").body(body.to_string());
        }
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json::<Value>().await.unwrap())
    };
    let (get, post) = (reqwest::Method::GET, reqwest::Method::POST);
    // Both hosts have the key in use.
    let (path, approved) = host.approve(&rahima()).await;
    assert_eq!(ask(post.clone(), "/v1/invoices", Some(rahima())).await.0, 201);
    assert_eq!(ask(get.clone(), &path, None).await.1["customer"]["name"], "Rahima Begum");
    assert_eq!(erase(&host, "c-1042").await.status, 200);
    // At once, wherever it is asked.
    assert_eq!(ask(get.clone(), &path, None).await.1["customer"]["name"], "[erased]");
    let list = ask(get.clone(), "/v1/invoices", None).await.1;
    assert!(
        list["items"].as_array().unwrap().iter().all(|item| item["customer_name"] == "[erased]"),
        "{list}"
    );
    let (status, refused) = ask(post.clone(), &format!("{path}/issue"), Some(json!({}))).await;
    assert_eq!((status, &refused["code"]), (409, &json!("data-subject-erased")));
    // What the other host records now is under a new key, and readable everywhere.
    let (status, drafted) = ask(post.clone(), "/v1/invoices", Some(rahima())).await;
    assert_eq!(status, 201, "{drafted}");
    let new = format!("/v1/invoices/{}", drafted["id"].as_str().unwrap());
    assert_eq!(host.get(&new).await.body["customer"]["name"], "Rahima Begum");
    assert_eq!(ask(get, &new, None).await.1["customer"]["name"], "Rahima Begum");
    assert_erased(&host.get(&path).await, "/customer");
    // Both at once: one key for all.
    let drafts = (0..6).map(|number| {
        let (host, ask, post) = (&host, &ask, post.clone());
        async move {
            let document = sale_to(Some("c-99"), "Salma");
            match number % 2 {
                0 => ask(post, "/v1/invoices", Some(document)).await.0,
                _ => host.post("/v1/invoices", &[], &document).await.status.as_u16(),
            }
        }
    });
    assert!(futures::future::join_all(drafts).await.iter().all(|status| *status == 201));
    let erased = erase(&host, "c-99").await;
    assert_eq!(erased.body["keys_destroyed"], 1, "{}", erased.text);
    assert_eq!(approved.status, 200);
    beside.stop().await.unwrap();
}

async fn an_old_backup_does_not_bring_back_who_was_erased(on: On) {
    let host = TestHost::new(on).await;
    let (path, _) = issue(&host, &rahima(), "a").await;
    let (beside, _) = issue(&host, &sale_to(Some("c-7"), "Karim Uddin"), "b").await;
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("old.niyam");
    let (done, said) = program(&host, &["backup", file.to_str().unwrap()]);
    assert!(done, "{said}");
    assert_eq!(erase(&host, "c-1042").await.status, 200);
    let names = async |data: &std::path::Path, database: Option<&str>| {
        let app = open(data, database, &host.clock).await;
        let server = niyam::Server::start(app, "127.0.0.1:0".parse().unwrap()).await.unwrap();
        let mut names = Vec::new();
        for path in [&path, &beside] {
            let url = format!("http://{}{path}", server.address());
            let answer = reqwest::Client::new().get(url).bearer_auth(&host.token).send().await.unwrap();
            names
                .push(answer.json::<Value>().await.unwrap()["customer"]["name"].as_str().unwrap().to_owned());
        }
        server.stop().await.unwrap();
        names
    };
    // Into a database of its own, under a data folder that has the keys, and knows of the erasure.
    let data = place.path().join("data");
    std::fs::create_dir_all(data.join("keys")).unwrap();
    for name in ["master.key", "erased-keys.jsonl", "keys/token-signing.pem"] {
        std::fs::copy(host.data().join(name), data.join(name)).unwrap();
    }
    let run = |arguments: &[&str]| {
        let output =
            Command::new(env!("CARGO_BIN_EXE_niyam")).args(arguments).arg("--data").arg(&data).output();
        let output = output.unwrap();
        (output.status.success(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    };
    let (done, said) = run(&["restore", file.to_str().unwrap()]);
    assert!(done && said.contains("1 keys of data subjects that were erased since the backup"), "{said}");
    assert_eq!(names(&data, None).await, ["[erased]", "Karim Uddin"]);
    // Also where the file of erased keys was forgotten at first, as soon as it is there.
    std::fs::remove_file(data.join("niyam.db")).unwrap();
    let kept = std::fs::read(data.join("erased-keys.jsonl")).unwrap();
    std::fs::remove_file(data.join("erased-keys.jsonl")).unwrap();
    assert!(run(&["restore", file.to_str().unwrap()]).0);
    assert_eq!(names(&data, None).await, ["Rahima Begum", "Karim Uddin"]);
    std::fs::write(data.join("erased-keys.jsonl"), kept).unwrap();
    assert_eq!(names(&data, None).await, ["[erased]", "Karim Uddin"]);
    // Into the database that it came from, and by copying: what is erased on either side is erased.
    let (done, said) = program(&host, &["restore", file.to_str().unwrap()]);
    assert!(done, "{said}");
    assert_erased(&host.get(&path).await, "/customer");
    std::fs::remove_file(data.join("niyam.db")).unwrap();
    std::fs::remove_file(data.join("erased-keys.jsonl")).unwrap();
    assert!(run(&["restore", file.to_str().unwrap()]).0);
    let from = match &host.database {
        Some(url) => url.clone(),
        None => format!("sqlite:{}", host.data().join("niyam.db").display()),
    };
    let to = format!("sqlite:{}", data.join("niyam.db").display());
    let copied = Command::new(env!("CARGO_BIN_EXE_niyam"))
        .args(["copy", "--from", &from, "--to", &to])
        .output()
        .unwrap();
    let said = String::from_utf8([copied.stdout, copied.stderr].concat()).unwrap();
    assert!(copied.status.success() && said.contains("1 data subjects were erased there"), "{said}");
    assert_eq!(names(&data, None).await, ["[erased]", "Karim Uddin"]);
}

/// Whoever can write the database can lose a key; a backup must not lose it for that.
async fn a_key_that_is_gone_without_an_erasure_is_not_destroyed_elsewhere(on: On) {
    let host = TestHost::new(on).await;
    let (path, _) = issue(&host, &rahima(), "a").await;
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("good.niyam");
    let (done, said) = program(&host, &["backup", file.to_str().unwrap()]);
    assert!(done, "{said}");
    let gone = host.tamper("update subject_keys set wrapped_key = null, erased_at = 1").await;
    assert_eq!(gone, 1);
    // Nor does it pass for an erasure when decisions are proved.
    let (code, report) = host.verify(&[]).await;
    let shown = (&report["conclusion"], &report["keys_lost"], &report["differing"]);
    assert_eq!((code, shown), (2, (&json!("unproven"), &json!(1), &json!(0))), "{report}");
    let (done, said) = program(&host, &["projections", "list"]);
    assert!(done, "{said}");
    let ledger = host.data().join("erased-keys.jsonl");
    assert_eq!(std::fs::read_to_string(&ledger).unwrap_or_default(), "");
    let data = place.path().join("data");
    std::fs::create_dir_all(data.join("keys")).unwrap();
    for name in ["master.key", "keys/token-signing.pem"] {
        std::fs::copy(host.data().join(name), data.join(name)).unwrap();
    }
    let restored = Command::new(env!("CARGO_BIN_EXE_niyam"))
        .args(["restore", file.to_str().unwrap(), "--data", data.to_str().unwrap()])
        .output()
        .unwrap();
    assert!(restored.status.success());
    let server = niyam::Server::start(open(&data, None, &host.clock).await, "127.0.0.1:0".parse().unwrap());
    let server = server.await.unwrap();
    let url = format!("http://{}{path}", server.address());
    let shown = reqwest::Client::new().get(url).bearer_auth(&host.token).send().await.unwrap();
    assert_eq!(shown.json::<Value>().await.unwrap()["customer"]["name"], "Rahima Begum");
    server.stop().await.unwrap();
}

async fn without_its_master_key_nothing_starts(on: On) {
    let host = TestHost::new(on).await;
    let key = host.data().join("master.key");
    host.draft(&rahima()).await;
    let whole = std::fs::read(&key).unwrap();
    let open = async || {
        let config =
            AppConfig::new(host.data().to_owned(), host.database.as_deref().map(|url| url.parse().unwrap()));
        App::open(config).await.map(drop).unwrap_err().to_string()
    };
    std::fs::remove_file(&key).unwrap();
    let refused = open().await;
    assert!(refused.contains("master.key is not there") && refused.contains("put it back"), "{refused}");
    assert!(!key.exists(), "no other one is made");
    for (other, wanted) in [
        ("ab".repeat(32).into_bytes(), "is not the master key of this database"),
        (b"no key".to_vec(), "failed to use"),
        (Vec::new(), "failed to use"),
    ] {
        std::fs::write(&key, other).unwrap();
        let refused = open().await;
        assert!(refused.contains(wanted), "{refused}");
    }
    std::fs::write(&key, whole).unwrap();
    let host = host.restart().await;
    assert_eq!(host.get("/v1/invoices").await.body["items"][0]["customer_name"], "Rahima Begum");
}

async fn the_program_erases_beside_a_running_server(on: On) {
    let host = TestHost::new(on).await;
    let (path, _) = issue(&host, &rahima(), "a").await;
    let words = ["erase", "--tenant", "demo", "--subject", "c-1042", "--reason", REASON];
    let (done, said) = program(&host, &words);
    assert!(done && said.starts_with("erased: "), "{said}");
    assert_erased(&host.get(&path).await, "/customer");
    let (done, said) = program(&host, &words);
    assert!(done && said.starts_with("erased before"), "{said}");
    // The key that the server had in use is refused, and another one made.
    let (new, _) = issue(&host, &rahima(), "b").await;
    assert_eq!(host.get(&new).await.body["customer"]["name"], "Rahima Begum");
}

/// Commands that had read the customer before do not record it again under another key.
async fn an_erasure_among_other_commands_is_final(on: On) {
    let host = TestHost::new(on).await;
    let mut waiting = Vec::new();
    for _ in 0..6 {
        let (path, approved) = host.approve(&rahima()).await;
        waiting.push((path, "issue", approved.etag));
        let (path, draft) = host.draft(&rahima()).await;
        waiting.push((path, "approve", draft.etag));
    }
    let commands = waiting.iter().enumerate().map(|(number, (path, command, etag))| {
        let host = &host;
        async move {
            let key = format!("{command}-{number}");
            let headers = [("idempotency-key", key.as_str()), ("if-match", etag.as_str())];
            host.post(&format!("{path}/{command}"), &headers, &json!({})).await
        }
    });
    let (answers, erased) = tokio::join!(futures::future::join_all(commands), erase(&host, "c-1042"));
    assert_eq!(erased.status, 200, "{}", erased.text);
    for answer in &answers {
        let refused = answer.problem() == (409, "data-subject-erased");
        assert!(answer.status == 200 || refused, "{}", answer.text);
    }
    for (number, (path, command, etag)) in waiting.iter().enumerate() {
        assert_erased(&host.get(path).await, "/customer");
        let key = format!("{command}-{number}");
        let headers = [("idempotency-key", key.as_str()), ("if-match", etag.as_str())];
        let again = host.post(&format!("{path}/{command}"), &headers, &json!({})).await;
        if again.status == 200 {
            assert_erased(&again, "/customer");
        }
    }
    let again = erase(&host, "c-1042").await;
    assert_eq!((&again.body["already_erased"], &again.body["keys_destroyed"]), (&json!(true), &json!(1)));
}

/// Events that were recorded before any were sealed.
async fn what_was_never_sealed_is_still_read(on: On) {
    let host = TestHost::new(on).await;
    let payload = include_str!("../../../domain/tests/fixtures/events/invoice.drafted.v1.json");
    let id = serde_json::from_str::<Value>(payload).unwrap()["invoice_id"].as_str().unwrap().to_owned();
    let event = NewEvent {
        id: id.parse().unwrap(),
        event_type: "invoice.drafted.v1".to_owned(),
        payload: payload.as_bytes().to_vec(),
        metadata: br#"{"user":"rahima","roles":[],"trace_id":"t"}"#.to_vec(),
        effective_date: jiff::civil::date(2026, 8, 15),
    };
    let stream = format!("invoice/{id}").parse().unwrap();
    let write = StreamWrite { stream, expected: Version(0), events: vec![event] };
    let append = Append::of(Batch { writes: vec![write], answer: Vec::new() });
    host.server.app().store().append(&"demo".parse().unwrap(), append).await.unwrap();
    let path = format!("/v1/invoices/{id}");
    let shown = host.get(&path).await;
    assert_eq!(shown.body["customer"]["name"], "Padma \"Textile\" Mills Ltd", "{}", shown.text);
    assert_eq!(
        host.get("/v1/invoices").await.body["items"][0]["customer_name"],
        "Padma \"Textile\" Mills Ltd"
    );
    // Nothing of it can be erased: there is no key.
    assert_eq!(erase(&host, "p-17").await.problem(), (404, "data-subject-not-found"));
    // What is recorded of it from now on is sealed, and shown as before.
    let headers = [("if-match", shown.etag.as_str()), ("idempotency-key", "approve")];
    let cancelled = host.post(&format!("{path}/cancel"), &headers, &json!({})).await;
    assert_eq!(cancelled.status, 200, "{}", cancelled.text);
    let again = host.post(&format!("{path}/cancel"), &headers, &json!({})).await;
    assert!(again.replayed && again.text == cancelled.text, "{}", again.text);
    assert_eq!(erase(&host, "p-17").await.status, 200);
    let again = host.post(&format!("{path}/cancel"), &headers, &json!({})).await;
    assert_eq!(again.body["customer"]["name"], "[erased]", "{}", again.text);
}

on_both! {
    nothing_personal_lies_in_the_database_and_everything_is_read
    what_is_erased_is_gone_everywhere_and_nothing_else_is
    erasing_again_does_nothing_and_new_documents_get_a_new_key
    a_draft_of_an_erased_customer_waits_for_another
    no_host_shows_or_records_what_another_erased
    an_old_backup_does_not_bring_back_who_was_erased
    a_key_that_is_gone_without_an_erasure_is_not_destroyed_elsewhere
    without_its_master_key_nothing_starts
    the_program_erases_beside_a_running_server
    an_erasure_among_other_commands_is_final
    what_was_never_sealed_is_still_read
}
