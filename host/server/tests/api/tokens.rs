//! Who may do what: a token opens its tenant and its roles, and only one of this server's is a token.

use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, EncodePublicKey as _};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use niyam::Role;
use niyam_store::Clock as _;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{On, TestHost, sale};

/// Makes tokens that the server would not: with its own key, read from its data folder, or with another.
struct Forge {
    key: SigningKey,
    claims: Value,
}

impl Forge {
    fn of(host: &TestHost) -> Self {
        let pem = std::fs::read_to_string(host.data().join("keys/token-signing.pem")).unwrap();
        let now = host.clock.now().as_second();
        let claims = json!({
            "iss": "niyam", "aud": "niyam", "sub": "mallory", "tenant": "demo", "roles": ["accountant"],
            "iat": now, "exp": now + 60,
        });
        Self { key: SigningKey::from_pkcs8_pem(&pem).unwrap(), claims }
    }

    /// A token with our claims but for those of `changed`; null leaves one out.
    fn with(&self, changed: &Value) -> String {
        let mut claims = self.claims.clone();
        for (name, value) in changed.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        Self::signed(&self.key, &claims)
    }

    fn signed(key: &SigningKey, claims: &Value) -> String {
        let der = key.to_pkcs8_der().unwrap();
        let key = EncodingKey::from_ed_der(der.as_bytes());
        jsonwebtoken::encode(&Header::new(Algorithm::EdDSA), claims, &key).unwrap()
    }

    /// Signed with a secret that everybody knows: the public key.
    fn symmetric(&self, secret: &[u8]) -> String {
        let key = EncodingKey::from_secret(secret);
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &self.claims, &key).unwrap()
    }
}

/// `first`'s parts but for the one at `place`, which is `second`'s.
fn spliced(first: &str, second: &str, place: usize) -> String {
    let mut parts: Vec<&str> = first.split('.').collect();
    parts[place] = second.split('.').nth(place).unwrap();
    parts.join(".")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_not_this_servers_opens_nothing() {
    let host = TestHost::new(On::Sqlite).await;
    let forge = Forge::of(&host);
    let honest = forge.with(&json!({}));
    let now = host.clock.now().as_second();
    let public = forge.key.verifying_key();
    let public_pem = public.to_public_key_pem(LineEnding::LF).unwrap();
    // `{"alg":"none","typ":"JWT"}`
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
    let payload = honest.split('.').nth(1).unwrap();
    let admin = forge.with(&json!({"roles": ["platform-admin"]}));
    let stranger = SigningKey::from_bytes(&[7; 32]);
    let cases = [
        ("expired", forge.with(&json!({"exp": now - 1})), "token-expired"),
        ("expires this second", forge.with(&json!({"exp": now})), "token-expired"),
        ("not yet valid", forge.with(&json!({"nbf": now + 1})), "token-not-yet-valid"),
        ("foreign key", Forge::signed(&stranger, &forge.claims), "token-invalid"),
        ("alg none", format!("{none}.{payload}."), "token-invalid"),
        ("alg none with a signature", spliced(&honest, &format!("{none}.x.y"), 0), "token-invalid"),
        ("HS256 by the public key", forge.symmetric(public.as_bytes()), "token-invalid"),
        ("HS256 by the public key's text", forge.symmetric(public_pem.as_bytes()), "token-invalid"),
        ("another payload", spliced(&honest, &admin, 1), "token-invalid"),
        ("another signature", spliced(&honest, &admin, 2), "token-invalid"),
        ("wrong issuer", forge.with(&json!({"iss": "nobody"})), "token-invalid"),
        ("no issuer", forge.with(&json!({"iss": null})), "token-invalid"),
        ("wrong audience", forge.with(&json!({"aud": "others"})), "token-invalid"),
        ("no audience", forge.with(&json!({"aud": null})), "token-invalid"),
        ("no expiry", forge.with(&json!({"exp": null})), "token-invalid"),
        ("no user", forge.with(&json!({"sub": null})), "token-invalid"),
        ("no tenant", forge.with(&json!({"tenant": null})), "token-invalid"),
        ("a tenant with no name", forge.with(&json!({"tenant": "../demo"})), "token-invalid"),
        ("no roles", forge.with(&json!({"roles": null})), "token-invalid"),
        ("an unknown role", forge.with(&json!({"roles": ["accountant", "root"]})), "token-invalid"),
        ("no token at all", "x".to_owned(), "token-invalid"),
        ("an empty token", String::new(), "token-missing"),
    ];
    let head = host.head().await;
    let document = sale("standard", "1").to_string();
    for (name, token, code) in cases {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str())];
        let answer = host.send(Method::POST, "/v1/invoices", &headers, Some(document.clone())).await;
        assert_eq!(answer.problem(), (401, code), "{name}: {}", answer.text);
        assert_eq!(answer.header("www-authenticate"), "Bearer", "{name}");
        assert_eq!(host.get_with("/v1/invoices", &headers).await.problem(), (401, code), "{name}");
    }
    for other in ["", "Basic ZGVtbzpkZW1v"] {
        let answer = host.get_with("/v1/invoices", &[("authorization", other)]).await;
        assert_eq!(answer.problem(), (401, "token-missing"), "{other}");
    }
    assert_eq!(host.head().await, head);
    // The forger's own token is good until something in it is not.
    let bearer = format!("bearer {}", forge.with(&json!({"nbf": now})));
    let answer = host.send(Method::POST, "/v1/invoices", &[("authorization", &bearer)], Some(document)).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_a_tenant_that_does_not_exist_opens_nothing() {
    let host = TestHost::new(On::Sqlite).await;
    let (path, _) = host.draft(&sale("standard", "1")).await;
    let roles = [Role::Accountant, Role::Approver, Role::TenantAdmin];
    let bearer = host.bearer("ghost", &roles);
    let headers = [("authorization", bearer.as_str())];
    for place in ["/v1/invoices", "/v1/tenant", "/v1/fiscal-periods?date=2026-08-15"] {
        assert_eq!(host.get_with(place, &headers).await.problem(), (403, "tenant-unknown"), "{place}");
    }
    for place in ["/v1/invoices", "/v1/tax/determinations"] {
        let answer = host.post(place, &headers, &sale("standard", "1")).await;
        assert_eq!(answer.problem(), (403, "tenant-unknown"), "{place}");
    }
    let headers = [headers[0], ("if-match", "*")];
    let profile = json!({"legal_name": "Ghost"});
    assert_eq!(host.put("/v1/tenant", &headers, &profile).await.problem(), (403, "tenant-unknown"));
    assert_eq!(host.get_with(&path, &headers).await.problem(), (404, "invoice-not-found"));
    let ghost = host.server.app().store().head(&"ghost".parse().unwrap()).await.unwrap();
    assert_eq!(ghost, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_anothers_is_not_found() {
    let host = TestHost::new(On::Sqlite).await;
    host.tenant("other", "vat-bd").await;
    let (path, issued) = host.issue(&sale("standard", "1")).await;
    assert_eq!(issued.status, 200, "{}", issued.text);
    let bearer = host.bearer("other", &[Role::Accountant, Role::Approver, Role::TenantAdmin]);
    let headers = [("authorization", bearer.as_str()), ("if-match", issued.etag.as_str())];
    let head = host.head().await;
    for below in ["", "/events", "/decisions", "/forms/mushak-6.3"] {
        let answer = host.get_with(&format!("{path}{below}"), &headers).await;
        assert_eq!(answer.problem(), (404, "invoice-not-found"), "{below}");
    }
    for command in ["approve", "issue", "cancel"] {
        let answer = host.post(&format!("{path}/{command}"), &headers, &json!({})).await;
        assert_eq!(answer.problem(), (404, "invoice-not-found"), "{command}");
    }
    let revised = host.put(&path, &headers, &sale("standard", "2")).await;
    assert_eq!(revised.problem(), (404, "invoice-not-found"));
    // An id that nobody has, and what is no id, are the same answer.
    for id in ["0198a8c4-5d00-7000-8000-000000000001", "1", "..%2f..%2fetc"] {
        let answer = host.get(&format!("/v1/invoices/{id}")).await;
        assert_eq!(answer.problem(), (404, "invoice-not-found"), "{id}");
    }
    assert_eq!(host.get_with("/v1/invoices", &headers).await.body["items"], json!([]));
    assert_eq!(host.head().await, head);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_may_do_its_own() {
    use Role::{Accountant, Approver, PlatformAdmin, TenantAdmin, Viewer};
    const ALL: [Role; 5] = [Viewer, Accountant, Approver, TenantAdmin, PlatformAdmin];
    let host = TestHost::new(On::Sqlite).await;
    let (path, _) = host.draft(&sale("standard", "1")).await;
    let document = sale("standard", "1");
    let at = |below: &str| format!("{path}/{below}");
    let profile = json!({"legal_name": "Niyam Demo Ltd"});
    let cases: [(Method, String, Value, &[Role]); 12] = [
        (Method::GET, "/v1/invoices".to_owned(), Value::Null, &ALL),
        (Method::GET, path.clone(), Value::Null, &ALL),
        (Method::GET, at("events"), Value::Null, &ALL),
        (Method::GET, at("decisions"), Value::Null, &ALL),
        (Method::GET, "/v1/tenant".to_owned(), Value::Null, &ALL),
        (Method::POST, "/v1/tax/determinations".to_owned(), document.clone(), &ALL),
        (Method::POST, "/v1/invoices".to_owned(), document.clone(), &[Accountant]),
        (Method::PUT, path.clone(), document.clone(), &[Accountant]),
        (Method::POST, at("approve"), json!({}), &[Approver]),
        (Method::POST, at("issue"), json!({}), &[Accountant, Approver]),
        (Method::POST, at("cancel"), json!({}), &[Accountant]),
        (Method::PUT, "/v1/tenant".to_owned(), profile, &[TenantAdmin, PlatformAdmin]),
    ];
    for (method, path, body, allowed) in cases {
        for role in ALL {
            let bearer = host.bearer("demo", &[role]);
            // A version that never stands: those who may are refused for that, and nothing happens.
            let headers = [("authorization", bearer.as_str()), ("if-match", "\"99\"")];
            let body = (!body.is_null()).then(|| body.to_string());
            let answer = host.send(method.clone(), &path, &headers, body).await;
            let refused = answer.problem() == (403, "role-missing");
            assert_eq!(refused, !allowed.contains(&role), "{method} {path} {role:?}: {}", answer.text);
        }
    }
    let nobody = host.bearer("demo", &[]);
    let answer = host.get_with("/v1/invoices", &[("authorization", &nobody)]).await;
    assert_eq!(answer.problem(), (403, "role-missing"));
}
