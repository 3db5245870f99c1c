//! A hundred requests at once with one key.

use std::time::Duration;

use anyhow::ensure;
use futures::future::try_join_all;
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::On;
use crate::clients::sale;
use crate::disasters::place;
use crate::server::Server;
use crate::setup::Setup;

const REQUESTS: usize = 100;

pub async fn a_hundred_requests_with_one_key(on: On) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let setup = Setup::new(place(on, &folder).await?).await?;
    let server = Server::start(&setup.place)?;
    let token = &setup.tenants[0].token;
    let post = |path: &str, key: &str, etag: &str, body: &Value| {
        let request = setup.http.post(format!("{}{path}", server.url())).bearer_auth(token);
        let request = request.header("idempotency-key", key).body(body.to_string());
        if etag.is_empty() { request } else { request.header("if-match", etag) }
    };
    let draft = one_effect(|| post("/v1/invoices", "draft", "", &sale(3))).await?;
    let path = format!("/v1/invoices/{}", draft["id"].as_str().unwrap_or_default());
    let nothing = json!({});
    one_effect(|| post(&format!("{path}/approve"), "approve", "\"1\"", &nothing)).await?;
    let issued = one_effect(|| post(&format!("{path}/issue"), "issue", "\"2\"", &nothing)).await?;
    ensure!(issued["number"] == "1/2026-2027", "{issued}");
    let events = setup.http.get(format!("{}{path}/events", server.url())).bearer_auth(token);
    let events: Value = events.send().await?.json().await?;
    ensure!(events["items"].as_array().map(Vec::len) == Some(3), "{events}");
    let list = setup.http.get(format!("{}/v1/invoices", server.url())).bearer_auth(token);
    let list: Value = list.send().await?.json().await?;
    ensure!(list["items"].as_array().map(Vec::len) == Some(1), "{list}");
    Ok(())
}

/// Sends the same request a hundred times at once; the answer that they all get.
async fn one_effect(request: impl Fn() -> RequestBuilder) -> anyhow::Result<Value> {
    let answers = try_join_all((0..REQUESTS).map(|_| answer(request()))).await?;
    let fresh = answers.iter().filter(|(replayed, _)| !replayed).count();
    ensure!(fresh == 1, "{fresh} of them were not repetitions");
    ensure!(answers.iter().all(|(_, body)| *body == answers[0].1), "their answers differ");
    Ok(serde_json::from_str(&answers[0].1)?)
}

async fn answer(request: RequestBuilder) -> anyhow::Result<(bool, String)> {
    loop {
        let sent = request.try_clone().ok_or_else(|| anyhow::anyhow!("the body is a text"))?;
        let response = sent.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.text().await?;
        // So many at once may have to wait longer for a module than the server lets them.
        if status == StatusCode::SERVICE_UNAVAILABLE && body.contains("modules-busy") {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        }
        ensure!(status.is_success(), "{status}: {body}");
        return Ok((headers.contains_key("idempotency-replayed"), body));
    }
}
