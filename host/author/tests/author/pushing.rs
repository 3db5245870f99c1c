//! `niyam module push` against a server that says what it is told to.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use crate::harness::{Author, Said, component};

/// A request as it came: its first line, its headers in lower case, its body.
struct Request {
    line: String,
    headers: Vec<String>,
    body: Vec<u8>,
}

/// Answers each request with the next of `answers`, and gives the requests.
fn serve(answers: Vec<(u16, &'static str)>) -> (String, thread::JoinHandle<Vec<Request>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let served = thread::spawn(move || {
        let mut requests = Vec::new();
        for (status, body) in answers {
            let (stream, _) = listener.accept().unwrap();
            requests.push(read(&stream));
            let head = format!(
                "HTTP/1.1 {status} Said\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            (&stream).write_all(format!("{head}{body}").as_bytes()).unwrap();
        }
        requests
    });
    (url, served)
}

fn read(stream: &TcpStream) -> Request {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).unwrap();
        if header.trim().is_empty() {
            break;
        }
        headers.push(header.trim().to_owned());
    }
    let length = headers
        .iter()
        .find_map(|header| header.to_lowercase().strip_prefix("content-length: ")?.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    Request { line: line.trim().to_owned(), headers, body }
}

/// An author with a signed component.
fn author() -> Author {
    let author = Author::new();
    std::fs::copy(component("guests/flat-tax.wasm"), author.path("flat-tax.wasm")).unwrap();
    author.does(&["sign", "flat-tax.wasm"]);
    author
}

fn push(author: &Author, url: &str, more: &[&str]) -> Said {
    let mut arguments = vec!["push", "flat-tax.wasm", "--url", url, "--token", "secret"];
    arguments.extend(more);
    author.run(&arguments)
}

#[test]
fn publishes_with_the_signature_waits_and_activates() {
    let author = author();
    author.write("config.json", r#"{"rate":"5"}"#);
    let (url, served) = serve(vec![
        (202, r#"{"state":"queued"}"#),
        (200, r#"{"state":"compiling"}"#),
        (200, r#"{"state":"ready"}"#),
        (201, "{}"),
    ]);
    let said = push(&author, &url, &["--activate-from", "2026-07-01", "--config-file", "config.json"]);
    assert!(said.succeeded, "{}", said.err);
    let requests = served.join().unwrap();
    assert_eq!(requests[0].line, "POST /v1/modules HTTP/1.1");
    assert_eq!(requests[0].body, std::fs::read(author.path("flat-tax.wasm")).unwrap());
    let has = |name: &str| requests[0].headers.iter().any(|header| header.to_lowercase().starts_with(name));
    assert!(
        has("niyam-signature: ")
            && has("content-type: application/wasm")
            && has("authorization: bearer secret")
    );
    assert!(requests[1].line.starts_with("GET /v1/modules/"));
    let activation: serde_json::Value = serde_json::from_slice(&requests[3].body).unwrap();
    assert_eq!(requests[3].line, "POST /v1/activations HTTP/1.1");
    assert_eq!(activation["effective_from"], "2026-07-01");
    assert_eq!(activation["on_failure"], "block");
    assert_eq!(activation["config"]["rate"], "5");
    let digest = activation["module"].as_str().unwrap();
    assert!(requests[1].line.contains(digest) && digest.len() == 64);
}

#[test]
fn shows_a_problem_with_its_places() {
    let author = author();
    let problem = r#"{"title":"Not acceptable","code":"signature-unknown","detail":"no trusted publisher signed it",
        "errors":[{"code":"x","pointer":"/signature","message":"key 12 is not known"}]}"#;
    let (url, served) = serve(vec![(422, problem)]);
    let said = push(&author, &url, &[]);
    served.join().unwrap();
    assert!(!said.succeeded);
    for told in ["422", "signature-unknown", "no trusted publisher signed it", "/signature", "key 12"] {
        assert!(said.err.contains(told), "{told} is not in {}", said.err);
    }
    assert!(!said.err.contains("secret"), "{}", said.err);
}

#[test]
fn a_module_that_is_refused_when_it_is_compiled_says_why() {
    let author = author();
    let (url, served) = serve(vec![
        (202, "{}"),
        (
            200,
            r#"{"state":"refused","refusal":{"code":"manifest-invalid","message":"its title","advice":"shorten it"}}"#,
        ),
    ]);
    let said = push(&author, &url, &[]);
    served.join().unwrap();
    assert!(!said.succeeded && said.err.contains("manifest-invalid"), "{}", said.err);
    assert!(said.err.contains("shorten it"), "{}", said.err);
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let author = author();
    let url = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let said = push(&author, &url, &[]);
    assert!(!said.succeeded && said.err.contains(&url), "{}", said.err);
}

#[test]
fn a_token_is_needed_and_a_configuration_needs_a_date() {
    let author = author();
    author.fails(&["push", "flat-tax.wasm"]);
    author.write("config.json", "{}");
    author.fails(&["push", "flat-tax.wasm", "--token", "secret", "--config-file", "config.json"]);
}

#[test]
fn a_signature_of_another_build_is_not_sent() {
    let author = author();
    std::fs::copy(component("guests/plain-pack.wasm"), author.path("flat-tax.wasm")).unwrap();
    let (url, served) = serve(vec![(403, r#"{"code":"module-unsigned"}"#)]);
    let said = push(&author, &url, &[]);
    let requests = served.join().unwrap();
    let signed =
        requests[0].headers.iter().any(|header| header.to_lowercase().starts_with("niyam-signature"));
    assert!(!said.succeeded && !signed && said.err.contains("not signed"), "{}", said.err);
}
