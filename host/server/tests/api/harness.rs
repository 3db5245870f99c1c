//! A server of its own for each test, with a tenant and a token.

use std::time::Duration;

use niyam::{App, AppConfig, NewTenant, Role, Server, create_tenant};
use niyam_values::Identifier;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

/// Which database.
#[derive(Debug, Clone, Copy)]
pub enum On {
    Sqlite,
    Postgres,
}

pub struct TestHost {
    pub server: Server,
    pub token: String,
    client: reqwest::Client,
    _data: tempfile::TempDir,
}

pub struct Answer {
    pub status: StatusCode,
    pub etag: String,
    pub replayed: bool,
    pub body: Value,
}

impl TestHost {
    pub async fn new(on: On) -> Self {
        let data = tempfile::tempdir().unwrap();
        let database = match on {
            On::Sqlite => None,
            On::Postgres => Some(niyam_testdb::database_url().parse().unwrap()),
        };
        let mut config = AppConfig::new(data.path().to_owned(), database);
        let unruly = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/modules/guests/unruly.wasm");
        config.modules = vec![std::fs::read(unruly).expect("`cargo xtask plugins` makes it")];
        let app = App::open(config).await.unwrap();
        let server = Server::start(app, "127.0.0.1:0".parse().unwrap()).await.unwrap();
        let host = Self { server, token: String::new(), client: reqwest::Client::new(), _data: data };
        host.tenant("demo", "vat-bd").await;
        let token = host.token_of("demo", &[Role::Accountant, Role::Approver, Role::TenantAdmin]);
        Self { token, ..host }
    }

    pub async fn tenant(&self, name: &str, pack: &str) {
        let bin = Identifier { kind: "bin".to_owned(), value: "000828395-0207".to_owned() };
        let new = NewTenant {
            tenant: name.parse().unwrap(),
            pack: pack.to_owned(),
            config: None,
            legal_name: Some("Niyam Demo Ltd".to_owned()),
            address: Some("12 Motijheel, Dhaka".to_owned()),
            time_zone: "Asia/Dhaka".to_owned(),
            identifiers: if pack == "vat-bd" { vec![bin] } else { Vec::new() },
        };
        create_tenant(self.server.app(), new).await.unwrap();
    }

    pub fn token_of(&self, tenant: &str, roles: &[Role]) -> String {
        let now = niyam_store::Clock::now(&niyam::SystemClock);
        let later = now.checked_add(Duration::from_mins(10)).unwrap();
        self.server.app().signing_key().sign(&tenant.parse().unwrap(), "rahima", roles, now, later).unwrap()
    }

    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<String>,
    ) -> Answer {
        let mut request = self.client.request(method, format!("http://{}{path}", self.server.address()));
        if !headers.iter().any(|(name, _)| *name == "authorization") {
            request = request.bearer_auth(&self.token);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        Self::answer(request.send().await.unwrap()).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], None).await
    }

    pub async fn post(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        self.send(Method::POST, path, headers, Some(body.to_string())).await
    }

    /// Drafts, approves and issues `document`; its id and the issue's answer.
    pub async fn issue(&self, document: &Value) -> (String, Answer) {
        let draft = self.post("/v1/invoices", &[], document).await;
        assert_eq!(draft.status, 201, "{}", draft.body);
        let id = draft.body["id"].as_str().unwrap().to_owned();
        let path = format!("/v1/invoices/{id}");
        let approved = self.post(&format!("{path}/approve"), &[("if-match", &draft.etag)], &json!({})).await;
        assert_eq!(approved.status, 200, "{}", approved.body);
        let issued = self.post(&format!("{path}/issue"), &[("if-match", &approved.etag)], &json!({})).await;
        (id, issued)
    }

    async fn answer(response: Response) -> Answer {
        let header = |name: &str| {
            response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
        };
        let (etag, replayed) = (header("etag"), header("idempotency-replayed") == "true");
        let status = response.status();
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Answer { status, etag, replayed, body }
    }
}

/// A sale of `quantity` at 1,000.00 under `supply_code`.
pub fn sale(supply_code: &str, quantity: &str) -> Value {
    json!({
        "direction": "sale", "tax_date": "2026-08-15", "currency": "BDT", "price_mode": "exclusive",
        "customer": {
            "name": "Padma Textile Mills Ltd", "address": "Tongi, Gazipur", "country": "BD",
            "identifiers": [{"kind": "bin", "value": "001234567-0101"}]
        },
        "lines": [{
            "description": "Work", "supply_code": supply_code, "quantity": quantity, "unit": "job",
            "unit_price": "1000.00"
        }]
    })
}
