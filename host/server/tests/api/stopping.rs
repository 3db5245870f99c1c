//! A server stops when its requests are done, and another one finds everything.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{On, TestHost, on_both, sale};

/// A draft whose body waits: the server is reading it.
fn begin(address: std::net::SocketAddr, token: &str, body: &str) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!(
        "POST /v1/invoices HTTP/1.1\r\nhost: niyam\r\nauthorization: Bearer {token}\r\ncontent-length: {}\r\n\
         expect: 100-continue\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    assert_eq!(line, "HTTP/1.1 100 Continue\r\n");
    line.clear();
    stream.read_line(&mut line).unwrap();
    stream
}

async fn a_request_in_flight_is_finished_before_the_server_is_gone(on: On) {
    let host = TestHost::new(on).await;
    let address = host.server.address();
    let body = sale("standard", "1").to_string();
    let (token, sent) = (host.token.clone(), body.clone());
    let stream = tokio::task::spawn_blocking(move || begin(address, &token, &sent)).await.unwrap();
    let finish = tokio::task::spawn_blocking(move || {
        let mut stream = stream;
        // Nobody listens any more: the stop is under way, and this request with it.
        while TcpStream::connect(address).is_ok() {
            std::thread::yield_now();
        }
        stream.get_mut().write_all(body.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    });
    let host = host.restart().await;
    let answer = finish.await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 Created\r\n"), "{answer}");
    let drafted: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    let path = format!("/v1/invoices/{}", drafted["id"].as_str().unwrap());
    assert_eq!(host.get(&path).await.body, drafted);
}

async fn a_restart_keeps_everything(on: On) {
    let host = TestHost::new(on).await;
    let (path, issued) = host.issue(&sale("standard", "1")).await;
    assert_eq!(issued.status, 200, "{}", issued.text);
    let places = [
        path.clone(),
        format!("{path}/events"),
        format!("{path}/decisions"),
        format!("{path}/forms/mushak-6.3"),
        "/v1/invoices".to_owned(),
        "/v1/tenant".to_owned(),
    ];
    let mut before = Vec::new();
    for place in &places {
        before.push(host.get(place).await.text);
    }
    let (head, token) = (host.head().await, host.token.clone());
    let host = host.restart().await;
    assert_eq!((host.head().await, &host.token), (head, &token));
    for (place, before) in places.iter().zip(before) {
        assert_eq!(host.get(place).await.text, before, "{place}");
    }
    let (_, next) = host.issue(&sale("standard", "1")).await;
    assert_eq!(next.body["number"], "2/2026-2027", "{}", next.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_is_its_owners_alone() {
    let host = TestHost::empty(On::Sqlite).await;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let data = host.data();
    assert_eq!(mode(&data.join("keys/token-signing.pem")), 0o600);
    assert_eq!(mode(&data.join("keys")), 0o700);
    let live = host.get("/health/live").await;
    assert_eq!(live.status, 200);
    assert_eq!(host.get("/health/ready").await.status, 200);
    let health = host.get("/health").await.body;
    assert_eq!((&health["status"], &health["database"]), (&json!("ok"), &json!("ok")));
}

on_both! {
    a_request_in_flight_is_finished_before_the_server_is_gone
    a_restart_keeps_everything
}
