//! Publishers with keys, components with signatures, and requests that bring them.

use std::fs;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::harness::{Answer, TestHost};

/// Somebody who signs modules.
pub struct Publisher(SigningKey);

impl Publisher {
    /// With a key of its own for each `seed`, that nobody trusts yet.
    pub fn new(seed: u8) -> Self {
        Self(SigningKey::from_bytes(&[seed; 32]))
    }

    /// Trusted by the operator under `name`.
    pub async fn trusted(host: &TestHost, name: &str, seed: u8) -> Self {
        let publisher = Self::new(seed);
        let key = publisher.public_key();
        let store = host.server.app().store();
        assert!(store.add_publisher(&publisher.key_id(), name, &key).await.unwrap());
        publisher
    }

    pub fn public_key(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    /// The public key as the command line takes it.
    pub fn key_text(&self) -> String {
        STANDARD.encode(self.public_key())
    }

    pub fn key_id(&self) -> String {
        hex::encode(&Sha256::digest(self.public_key())[..8])
    }

    /// The value of `Niyam-Signature` for `component`.
    pub fn sign(&self, component: &[u8]) -> String {
        let mut statement = b"niyam-module-v1\0".to_vec();
        statement.extend_from_slice(&Sha256::digest(component));
        self.over(&statement)
    }

    /// The header with a signature over any bytes.
    pub fn over(&self, bytes: &[u8]) -> String {
        format!("{}:{}", self.key_id(), STANDARD.encode(self.0.sign(bytes).to_bytes()))
    }
}

pub fn digest(component: &[u8]) -> String {
    hex::encode(Sha256::digest(component))
}

/// A component that `cargo xtask plugins` made.
pub fn guest(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/modules/guests");
    fs::read(format!("{folder}/{name}.wasm")).expect("`cargo xtask plugins` makes it")
}

/// `component` with a custom section that nobody reads: the same module under another digest.
pub fn marked(mut component: Vec<u8>, mark: u8) -> Vec<u8> {
    component.extend([0, 6, 4, b'm', b'a', b'r', b'k', mark]);
    component
}

/// Sends `bytes` to `/v1/modules` as `authorization`, with `signatures`.
pub async fn upload_as(
    host: &TestHost,
    authorization: &str,
    bytes: Vec<u8>,
    signatures: &[String],
) -> Answer {
    let mut request = reqwest::Client::new()
        .post(host.url("/v1/modules"))
        .header("authorization", authorization)
        .header("content-type", "application/wasm")
        .body(bytes);
    for signature in signatures {
        request = request.header("niyam-signature", signature);
    }
    Answer::read(request.send().await.unwrap()).await
}

pub async fn upload(host: &TestHost, bytes: Vec<u8>, signatures: &[String]) -> Answer {
    upload_as(host, &format!("Bearer {}", host.token), bytes, signatures).await
}

/// Waits until the module is ready or refused.
pub async fn settled(host: &TestHost, authorization: &str, digest: &str) -> Value {
    let path = format!("/v1/modules/{digest}");
    for _ in 0..1200 {
        let answer = host.get_with(&path, &[("authorization", authorization)]).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        if ["ready", "refused"].contains(&answer.body["state"].as_str().unwrap()) {
            return answer.body;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{digest} is neither ready nor refused");
}

/// Uploads `component` for `demo`, signed by `publisher`, and waits until it is ready; its digest.
pub async fn ready(host: &TestHost, publisher: &Publisher, component: Vec<u8>) -> String {
    let (name, signature) = (digest(&component), publisher.sign(&component));
    let answer = upload(host, component, &[signature]).await;
    assert!([200, 202].contains(&answer.status.as_u16()), "{}", answer.text);
    let settled = settled(host, &format!("Bearer {}", host.token), &name).await;
    assert_eq!(settled["state"], "ready", "{settled}");
    name
}

/// The body of an activation.
pub fn from(module: &str, day: &str) -> Value {
    json!({"module": module, "effective_from": day})
}

/// Digests of the modules that the caller brought.
pub async fn brought(host: &TestHost) -> Vec<String> {
    let list = host.get("/v1/modules").await;
    assert_eq!(list.status, 200, "{}", list.text);
    let items = list.body["items"].as_array().unwrap().clone();
    let own = items.iter().filter(|item| item["trust"] != "bundled");
    own.map(|item| item["digest"].as_str().unwrap().to_owned()).collect()
}
