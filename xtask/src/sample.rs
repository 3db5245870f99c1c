//! Issues the sample invoice through the REST API, once, and shows it.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use ureq::http::{Response, StatusCode};
use ureq::{Agent, Body};

use crate::table::{Side, Table, grouped};

/// Where the id of the sample is kept, in the server's data folder: a key of idempotency does not live for ever.
const MEMO: &str = "sample-invoice.json";

/// A client of one server, as one user.
pub(crate) struct Client {
    agent: Agent,
    url: String,
    token: String,
}

/// An invoice as the server shows it, and the version to name in the next change.
struct Invoice {
    body: Value,
    etag: String,
}

impl Client {
    /// A client of the server at `url`, holding `token`.
    pub(crate) fn new(url: String, token: String) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(30)))
            // The server is on this machine, whatever the environment says of proxies.
            .proxy(None)
            .build()
            .into();
        Self { agent, url, token }
    }

    /// Whether the server takes this client's token: only the one that keeps the key does.
    pub(crate) fn is_known(&self) -> bool {
        self.get("/v1/tenant").is_ok_and(|answer| answer.status() == StatusCode::OK)
    }

    /// Whether the server says that it is ready.
    pub(crate) fn is_ready(&self) -> bool {
        self.get("/health/ready").is_ok_and(|answer| answer.status() == StatusCode::OK)
    }

    /// Issues `document` unless an earlier run did, from wherever that run stopped; the invoice as issued.
    pub(crate) fn issue_once(&self, document: &Value, data: &Path) -> Result<Value> {
        let memo = data.join(MEMO);
        let known = fs::read(&memo)
            .ok()
            .and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok())
            .and_then(|memo| memo["id"].as_str().map(str::to_owned));
        let mut invoice = match known.map(|id| self.find(&id)).transpose()?.flatten() {
            Some(invoice) => invoice,
            None => self.create(document)?,
        };
        fs::write(&memo, serde_json::to_vec(&json!({ "id": invoice.id()? }))?)
            .with_context(|| format!("failed to write {}", memo.display()))?;
        for (status, command) in [("draft", "approve"), ("approved", "issue")] {
            if invoice.body["status"] == status {
                invoice = self.command(&invoice, command)?;
            }
        }
        if invoice.body["status"] != "issued" {
            bail!("the sample invoice is {}: it was changed by hand", invoice.body["status"]);
        }
        Ok(invoice.body)
    }

    fn find(&self, id: &str) -> Result<Option<Invoice>> {
        let answer = self.get(&format!("/v1/invoices/{id}"))?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        Invoice::read(answer).map(Some)
    }

    fn create(&self, document: &Value) -> Result<Invoice> {
        // A run that ended before it wrote the id down finds its invoice again; another document is another invoice.
        let mut digest = DefaultHasher::new();
        document.to_string().hash(&mut digest);
        let answer = self
            .agent
            .post(format!("{}/v1/invoices", self.url))
            .header("Authorization", format!("Bearer {}", self.token))
            .header("Idempotency-Key", format!("sample-invoice-{:016x}", digest.finish()))
            .send_json(document)?;
        let created = Invoice::read(answer)?;
        let id = created.id()?;
        // The key's answer is the first one; what became of the invoice since is what counts.
        self.find(id)?.with_context(|| format!("failed to find the invoice {id} just created"))
    }

    fn command(&self, invoice: &Invoice, command: &str) -> Result<Invoice> {
        let id = invoice.id()?;
        let answer = self
            .agent
            .post(format!("{}/v1/invoices/{id}/{command}", self.url))
            .header("Authorization", format!("Bearer {}", self.token))
            .header("Idempotency-Key", format!("sample-{id}-{command}"))
            .header("If-Match", &invoice.etag)
            .send_empty()?;
        Invoice::read(answer).with_context(|| format!("failed to {command} the sample invoice"))?;
        self.find(id)?.with_context(|| format!("failed to find the invoice {id} again"))
    }

    fn get(&self, path: &str) -> Result<Response<Body>> {
        let request = self.agent.get(format!("{}{path}", self.url));
        Ok(request.header("Authorization", format!("Bearer {}", self.token)).call()?)
    }
}

impl Invoice {
    fn read(mut answer: Response<Body>) -> Result<Self> {
        let status = answer.status();
        let text = answer.body_mut().read_to_string()?;
        if !status.is_success() {
            bail!("the server answered {status}: {text}");
        }
        let etag =
            answer.headers().get("ETag").and_then(|etag| etag.to_str().ok()).unwrap_or_default().to_owned();
        let body = serde_json::from_str(&text).context("failed to read the server's answer")?;
        Ok(Self { body, etag })
    }

    fn id(&self) -> Result<&str> {
        self.body["id"].as_str().context("the server's invoice has no id")
    }
}

/// The invoice as lines of text: its number, its lines with their taxes, its totals.
pub(crate) fn show(invoice: &Value) -> Vec<String> {
    let document = if invoice["document"].is_object() { &invoice["document"] } else { invoice };
    let mut table = Table::new(&[
        ("Supply", Side::Left),
        ("Quantity", Side::Right),
        ("Net", Side::Right),
        ("Tax", Side::Left),
        ("Base", Side::Right),
        ("Amount", Side::Right),
        ("Source", Side::Left),
    ]);
    for (index, line) in items(&invoice["taxes"]["lines"]).enumerate() {
        let supply = &document["lines"][index];
        let quantity = format!("{} {}", text(&supply["quantity"]), text(&supply["unit"]));
        let mut first = vec![shortened(text(&supply["description"])), quantity, grouped(text(&line["net"]))];
        if items(&line["taxes"]).next().is_none() {
            first.push("none".to_owned());
            table.row(first);
            continue;
        }
        for tax in items(&line["taxes"]) {
            let mut row = if first.is_empty() { vec![String::new(); 3] } else { std::mem::take(&mut first) };
            row.extend(tax_cells(tax));
            table.row(row);
        }
    }
    table.rule();
    let totals = &invoice["taxes"];
    for (label, key) in [
        ("Net", "net"),
        ("Taxes added", "tax_added"),
        ("Gross", "gross"),
        ("Withheld by the customer", "tax_withheld"),
        ("Payable", "payable"),
    ] {
        table.row([label.to_owned(), String::new(), grouped(text(&totals[key]))]);
    }
    let mut lines = vec![format!(
        "Invoice {} of {}, to {}, {}, {}",
        text(&invoice["number"]),
        text(&document["tax_date"]),
        text(&document["customer"]["name"]),
        text(&document["currency"]),
        text(&invoice["status"]),
    )];
    lines.extend(table.lines());
    lines
}

fn tax_cells(tax: &Value) -> [String; 4] {
    let rate = tax["rate"].as_str().map_or_else(|| "per unit".to_owned(), |rate| format!("{rate} %"));
    let effect = match text(&tax["effect"]) {
        "added" => String::new(),
        other => format!(", {other}"),
    };
    let citation = &tax["citation"];
    [
        format!("{} {rate}{effect}", text(&tax["code"]).to_uppercase()),
        grouped(text(&tax["base"])),
        grouped(text(&tax["amount"])),
        format!("{} {}", text(&citation["source"]), text(&citation["article"])).trim().to_owned(),
    ]
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// `text`, cut where it would make the table too wide.
fn shortened(text: &str) -> String {
    const LENGTH_MAX: usize = 32;
    if text.chars().count() <= LENGTH_MAX {
        return text.to_owned();
    }
    let kept: String = text.chars().take(LENGTH_MAX - 1).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{shortened, show};

    #[test]
    fn every_tax_has_a_row_and_a_line_without_tax_says_so() {
        let tax = |code: &str, effect: &str| {
            json!({
                "code": code, "rate": "10", "base": "385000.00", "amount": "38500.00", "effect": effect,
                "recoverable": true,
                "citation": { "source": "SRO 186", "article": "Table 2", "effective_from": "2025-07-01" },
            })
        };
        let invoice = json!({
            "id": "x", "number": "1/2026-2027", "status": "issued", "tax_date": "2026-08-15", "currency": "BDT",
            "customer": { "name": "Padma" },
            "lines": [
                { "description": "Partition", "quantity": "1", "unit": "job" },
                { "description": "Rice", "quantity": "200", "unit": "kg" },
            ],
            "taxes": {
                "lines": [
                    { "net": "385000.00", "taxes": [tax("vat", "added"), tax("vds", "withheld")], "gross": "423500.00" },
                    { "net": "14200.00", "taxes": [], "gross": "14200.00" },
                ],
                "net": "399200.00", "tax_added": "38500.00", "tax_withheld": "38500.00", "gross": "437700.00",
                "payable": "399200.00", "findings": [],
            },
        });
        let shown = show(&invoice).join("\n");
        let rule = "─".repeat(108);
        assert_eq!(
            shown,
            format!(
                "\
Invoice 1/2026-2027 of 2026-08-15, to Padma, BDT, issued
Supply                    Quantity          Net  Tax                        Base     Amount  Source
{rule}
Partition                    1 job  3,85,000.00  VAT 10 %            3,85,000.00  38,500.00  SRO 186 Table 2
                                                 VDS 10 %, withheld  3,85,000.00  38,500.00  SRO 186 Table 2
Rice                        200 kg    14,200.00  none
{rule}
Net                                 3,99,200.00
Taxes added                           38,500.00
Gross                               4,37,700.00
Withheld by the customer              38,500.00
Payable                             3,99,200.00"
            )
        );
    }

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(shortened("Rice"), "Rice");
        assert_eq!(
            shortened("Building an interior partition wall, 3rd floor"),
            "Building an interior partition…"
        );
    }
}
