//! `niyam module push`: the client of `POST /v1/modules` and `POST /v1/activations`.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};
use niyam_modules::{COMPONENT_BYTES_MAX, digest_hex};
use serde_json::{Value, json};
use ureq::http::Response;
use ureq::{Agent, Body};

use crate::command;
use crate::component::{path_of, read};
use crate::sign::signatures;

/// A large component is compiled for half a minute, and others may be before it.
const COMPILE_LIMIT: Duration = Duration::from_mins(10);
const POLL: Duration = Duration::from_millis(500);
const REQUEST_LIMIT: Duration = Duration::from_mins(2);

pub(crate) fn run(args: &command::Push) -> Result<()> {
    let path = path_of(&args.at.module)?;
    let component = read(&path)?;
    if component.len() > COMPONENT_BYTES_MAX {
        bail!("the component has {} bytes, {COMPONENT_BYTES_MAX} are allowed", component.len());
    }
    let config = match &args.config_file {
        Some(file) => {
            let text = fs::read(file).with_context(|| format!("failed to read {}", file.display()))?;
            let config: Value =
                serde_json::from_slice(&text).with_context(|| format!("{} is no JSON", file.display()))?;
            Some(config)
        }
        None => None,
    };
    let digest = digest_hex(&component);
    let signatures = signatures(&path, &digest)?;
    if signatures.is_empty() {
        eprintln!(
            "the component is not signed (`niyam module sign`): a server refuses it unless it allows that"
        );
    }
    let client = Client::new(&args.url, &args.token);
    client.publish(&component, &signatures)?;
    println!("published {} as {digest}", path.display());
    client.wait_until_ready(&digest)?;
    println!("ready");
    if let Some(date) = args.activate_from {
        let mut activation =
            json!({ "module": digest, "effective_from": date.to_string(), "on_failure": "block" });
        if let Some(config) = config {
            activation["config"] = config;
        }
        client.activate(&digest, &activation)?;
        println!("decides from {date} on");
    }
    Ok(())
}

struct Client<'a> {
    agent: Agent,
    url: &'a str,
    authorization: String,
}

impl<'a> Client<'a> {
    fn new(url: &'a str, token: &str) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(REQUEST_LIMIT))
            .build()
            .new_agent();
        Self { agent, url: url.trim_end_matches('/'), authorization: format!("Bearer {token}") }
    }

    fn publish(&self, component: &[u8], signatures: &[String]) -> Result<()> {
        let mut request = self
            .agent
            .post(format!("{}/v1/modules", self.url))
            .header("authorization", &self.authorization)
            .header("content-type", "application/wasm");
        for signature in signatures {
            request = request.header("niyam-signature", signature);
        }
        accepted(self.reached(request.send(component))?, "publish the module")?;
        Ok(())
    }

    fn wait_until_ready(&self, digest: &str) -> Result<()> {
        let url = format!("{}/v1/modules/{digest}", self.url);
        let started = Instant::now();
        loop {
            let asked = self.agent.get(&url).header("authorization", &self.authorization).call();
            let module = accepted(self.reached(asked)?, "ask for the module's state")?;
            match module["state"].as_str() {
                Some("ready") => return Ok(()),
                Some("refused") => bail!("the server refused the module:{}", told(&module["refusal"])),
                Some("queued" | "compiling") => {}
                _ => bail!("the server told no state of the module that is known here: {module}"),
            }
            if started.elapsed() > COMPILE_LIMIT {
                bail!(
                    "the server has not compiled the module after {} s; it goes on",
                    COMPILE_LIMIT.as_secs()
                );
            }
            sleep(POLL);
        }
    }

    fn activate(&self, digest: &str, activation: &Value) -> Result<()> {
        let date = activation["effective_from"].as_str().unwrap_or_default();
        // A repeated push finds the activation that it made.
        let key = digest_hex(format!("{digest} {date} {}", activation["config"]).as_bytes());
        let asked = self
            .agent
            .post(format!("{}/v1/activations", self.url))
            .header("authorization", &self.authorization)
            .header("idempotency-key", &key[..32])
            .send_json(activation);
        accepted(self.reached(asked)?, "activate the module")?;
        Ok(())
    }

    fn reached(&self, asked: Result<Response<Body>, ureq::Error>) -> Result<Response<Body>> {
        asked.map_err(|error| anyhow!("failed to reach the server at {}: {error}", self.url))
    }
}

/// The body of an answer that is no problem.
fn accepted(mut response: Response<Body>, what: &str) -> Result<Value> {
    let status = response.status();
    let text = response.body_mut().read_to_string().context("failed to read the server's answer")?;
    let body: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
    if status.is_success() {
        return Ok(body);
    }
    bail!("failed to {what}: {}{}", status, told(&body))
}

/// A problem as a person reads it: its code, what it says, and each place.
fn told(problem: &Value) -> String {
    let mut text = String::new();
    let code = problem["code"].as_str().unwrap_or_default();
    for field in ["title", "detail", "message", "advice"] {
        if let Some(said) = problem[field].as_str() {
            text.push_str("\n  ");
            text.push_str(said);
        }
    }
    for error in problem["errors"].as_array().into_iter().flatten() {
        let part = |field: &str| error[field].as_str().unwrap_or_default().to_owned();
        text.push_str("\n  ");
        text.push_str(&[part("pointer"), part("code"), part("message")].join(" "));
    }
    if code.is_empty() { text } else { format!(" ({code}){text}") }
}
