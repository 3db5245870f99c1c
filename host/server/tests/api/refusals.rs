//! Requests that are refused before a document is looked at: broken bodies, headers, paths.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use niyam::Role;
use niyam_domain::LINES_MAX;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{On, TestHost, sale, set};

/// Writes `parts` to the server as they are; what it answers before it closes.
async fn raw(host: &TestHost, parts: Vec<Vec<u8>>) -> (u16, Value) {
    let address = host.server.address();
    let answer = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        for part in parts {
            stream.write_all(&part).unwrap();
        }
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8(answer).unwrap()
    })
    .await
    .unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    (status, serde_json::from_str(body).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_no_json() {
    let host = TestHost::new(On::Sqlite).await;
    let (path, draft) = host.draft(&sale("standard", "1")).await;
    let head = host.head().await;
    let document = sale("standard", "1").to_string();
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let bodies = [
        String::new(),
        "{".to_owned(),
        "nonsense".to_owned(),
        format!("{document}{document}"),
        document.replace(':', "="),
        document.replace('"', "'"),
        document[..document.len() - 1].to_owned(),
        document.replace("Work", "\\ud800"),
        deep(100_000),
        format!("{{\"lines\": {}}}", deep(100_000)),
        document.replace("\"Work\"", &deep(500)),
        document.replace("\"lines\":", &format!("\"attributes\": {{\"a\": {}}}, \"lines\":", deep(500))),
    ];
    for body in bodies {
        let shown: String = body.chars().take(60).collect();
        for (method, path) in [
            (Method::POST, "/v1/invoices"),
            (Method::POST, "/v1/tax/determinations"),
            (Method::POST, "/v1/identifiers/check"),
            (Method::PUT, "/v1/tenant"),
            (Method::PUT, &path),
        ] {
            let headers = [("if-match", "*")];
            let answer = host.send(method, path, &headers, Some(body.clone())).await;
            let problem = answer.problem();
            // Nested where a text is wanted, it is the type that is met first.
            let expected = [(400, "json-malformed"), (422, "type-wrong"), (422, "field-unknown")];
            assert!(expected.contains(&problem), "{path} {shown}: {}", answer.text);
            assert_eq!(answer.header("content-type"), "application/problem+json");
        }
    }
    let cancel = format!("{path}/cancel");
    let answer =
        host.send(Method::POST, &cancel, &[("if-match", &draft.etag)], Some("{\"reason\"".to_owned())).await;
    assert_eq!(answer.problem(), (400, "json-malformed"));
    let invalid = host.send(Method::POST, "/v1/invoices", &[], Some(document.replace("Work", "\u{1}"))).await;
    assert_eq!(invalid.problem(), (400, "json-malformed"));
    assert_eq!(host.head().await, head);
    assert_eq!(host.get(&path).await.etag, draft.etag);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_comes_twice() {
    let host = TestHost::new(On::Sqlite).await;
    let head = host.head().await;
    let document = sale("standard", "1").to_string();
    for (field, twice, pointer) in [
        ("\"currency\":", "\"currency\":\"USD\",\"currency\":", "/currency"),
        ("\"quantity\":", "\"quantity\":\"2\",\"quantity\":", "/lines/0/quantity"),
        ("\"country\":", "\"country\":\"IN\",\"country\":", "/customer/country"),
        ("\"lines\":", "\"attributes\":{\"vehicle\":\"a\",\"vehicle\":\"b\"},\"lines\":", "/attributes"),
    ] {
        let body = document.replacen(field, twice, 1);
        let answer = host.send(Method::POST, "/v1/invoices", &[], Some(body)).await;
        assert_eq!(answer.problem(), (422, "field-duplicate"), "{}", answer.text);
        assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{}", answer.text);
    }
    assert_eq!(host.head().await, head);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_above_one_mebibyte() {
    let host = TestHost::new(On::Sqlite).await;
    let head = host.head().await;
    let document = sale("standard", "1").to_string();
    let padded = |bytes: usize| format!("{document}{}", " ".repeat(bytes - document.len()));
    for path in ["/v1/invoices", "/v1/tax/determinations"] {
        let answer = host.send(Method::POST, path, &[], Some(padded((1 << 20) + 1))).await;
        assert_eq!(answer.problem(), (413, "body-too-large"), "{path}");
        assert_eq!(answer.header("connection"), "close", "{path}");
    }
    // Without a length that says so beforehand.
    let request = format!(
        "POST /v1/invoices HTTP/1.1\r\nhost: niyam\r\nauthorization: Bearer {}\r\nconnection: close\r\n\
         transfer-encoding: chunked\r\n\r\n{:x}\r\n",
        host.token,
        (1 << 20) + 1
    );
    let body = padded((1 << 20) + 1);
    let (status, problem) = raw(&host, vec![request.into_bytes(), body.into_bytes()]).await;
    assert_eq!((status, &problem["code"]), (413, &json!("body-too-large")));
    assert_eq!(host.head().await, head);
    // To the byte.
    let answer = host.send(Method::POST, "/v1/invoices", &[], Some(padded(1 << 20))).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_of_many_lines_is_taken_or_refused_whole() {
    let host = TestHost::new(On::Sqlite).await;
    let mut document = sale("standard", "1");
    let line = document["lines"][0].clone();
    set(&mut document, "/lines", json!(vec![line.clone(); LINES_MAX]));
    let (path, issued) = host.issue(&document).await;
    assert_eq!(issued.status, 200, "{}", issued.text);
    assert_eq!(issued.body["taxes"]["tax_added"], "150000.00");
    let paper = host.get(&format!("{path}/forms/mushak-6.3")).await;
    assert_eq!(paper.body["blocks"][1]["rows"].as_array().unwrap().len(), LINES_MAX);

    let head = host.head().await;
    set(&mut document, "/lines", json!(vec![line.clone(); LINES_MAX + 1]));
    assert_eq!(host.post("/v1/invoices", &[], &document).await.problem(), (422, "lines-too-many"));
    // Within the body's limit, but with its taxes more than an event may hold.
    let mut long = line;
    long["description"] = json!("x".repeat(500));
    long["attributes"] = json!({"note": "y".repeat(300)});
    set(&mut document, "/lines", json!(vec![long; LINES_MAX]));
    assert!(document.to_string().len() < 1 << 20);
    assert_eq!(host.post("/v1/invoices", &[], &document).await.problem(), (422, "document-too-large"));
    assert_eq!(host.head().await, head);
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_and_paths_that_mean_nothing() {
    let host = TestHost::new(On::Sqlite).await;
    let head = host.head().await;
    let document = sale("standard", "1");
    for key in ["", &"k".repeat(256)] {
        let answer = host.post("/v1/invoices", &[("idempotency-key", key)], &document).await;
        assert_eq!(answer.problem(), (400, "idempotency-key-invalid"), "{key}");
    }
    for path in ["/", "/v1", "/v2/invoices", "/v1/invoices/", "/v1/Invoices", "/v1/invoices/x/print"] {
        assert_eq!(host.get(path).await.problem(), (404, "route-unknown"), "{path}");
    }
    for path in ["/v1/invoices/%ff", "/v1/invoices/%c3%28/events", "/v1/invoices/x/forms/%80"] {
        assert_eq!(host.get(path).await.problem(), (400, "path-invalid"), "{path}");
    }
    for (method, path) in [
        (Method::DELETE, "/v1/invoices"),
        (Method::PATCH, "/v1/tenant"),
        (Method::GET, "/v1/tax/determinations"),
    ] {
        let answer = host.send(method, path, &[], None).await;
        assert_eq!(answer.problem(), (405, "method-not-allowed"), "{path}");
    }
    assert_eq!(host.head().await, head);
    let purchase = {
        let mut purchase = document.clone();
        set(&mut purchase, "/direction", json!("purchase"));
        purchase
    };
    assert_eq!(host.post("/v1/invoices", &[], &purchase).await.problem(), (422, "supplier-number-missing"));
    assert_eq!(host.head().await, head);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_is_there_twice_is_refused() {
    let host = TestHost::new(On::Sqlite).await;
    let (path, draft) = host.draft(&sale("standard", "1")).await;
    let before = host.head().await;
    let bearer = host.bearer("demo", &[Role::Accountant]);
    for (name, first, second) in [
        ("authorization", bearer.as_str(), bearer.as_str()),
        ("if-match", "\"1\"", "\"2\""),
        ("idempotency-key", "one", "two"),
        ("niyam-position", "1", "2"),
    ] {
        let headers = [(name, first), (name, second)];
        let answer = host.post(&format!("{path}/cancel"), &headers, &json!({})).await;
        assert_eq!(answer.problem(), (400, "header-repeated"), "{name}");
    }
    // An ETag in another spelling is another ETag.
    for spelling in ["\"01\"", "\"+1\"", "1", "\"1\", \"9\"", "W/\"1\""] {
        let answer = host.post(&format!("{path}/cancel"), &[("if-match", spelling)], &json!({})).await;
        assert_eq!(answer.problem(), (412, "version-mismatch"), "{spelling}");
    }
    assert_eq!(host.head().await, before);
    assert_eq!(host.change(&path, "cancel", &draft.etag).await.status, 200);
}
