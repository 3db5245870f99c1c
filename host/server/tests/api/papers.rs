//! The Mushak-6.3: every field of the paper, as JSON, as a page and as PDF.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sha2::Digest as _;

use crate::harness::{On, TestHost, sale};

/// The paper's fields as the facts about it list them.
const FIELDS: &str = include_str!("../fixtures/mushak63.csv");

/// A document that has all that the paper may show.
fn full() -> Value {
    let mut document = sale("S004.00", "2");
    document["attributes"] = json!({"vehicle": "Truck, Dhaka Metro-TA 11-2233", "destination": "Tongi"});
    let line = |description: &str, code: &str, attributes: Value| {
        json!({
            "description": description, "supply_code": code, "quantity": "3", "unit": "piece",
            "unit_price": "200.00", "attributes": attributes,
        })
    };
    let duty = json!({"sd_rate": "10", "sd_basis": "Second Schedule, Table 1", "brand": "Padma"});
    let lines = document["lines"].as_array_mut().unwrap();
    lines.push(line("Soap", "standard", duty));
    lines.push(line("Rice", "exempt", json!({})));
    document
}

#[tokio::test(flavor = "multi_thread")]
async fn the_paper_has_every_field() {
    let host = TestHost::new(On::Sqlite).await;
    let (path, issued) = host.issue(&full()).await;
    assert_eq!(issued.status, 200, "{}", issued.text);
    let paper = host.get_with(&format!("{path}/forms/mushak-6.3"), &[("accept", "application/json")]).await;
    assert_eq!((paper.status.as_u16(), paper.header("content-type")), (200, "application/json"));
    let blocks = paper.body["blocks"].as_array().unwrap();
    let fields: Vec<&Value> =
        blocks.iter().filter_map(|block| block["fields"].as_array()).flatten().collect();
    let field = |key: &str| {
        let found = fields.iter().find(|field| field["key"] == key);
        *found.unwrap_or_else(|| panic!("{key} is not on the paper"))
    };
    let grid = blocks.iter().find(|block| block["kind"] == "grid").unwrap();
    let columns: BTreeSet<&str> =
        grid["columns"].as_array().unwrap().iter().filter_map(|column| column["key"].as_str()).collect();
    let rows = grid["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 3);
    for line in FIELDS.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let (seq, key, label) = (cells[0], cells[1].replace('+', "_"), cells[2]);
        if seq.starts_with('c') {
            assert!(columns.contains(&*key), "{key}");
            // A row without duty leaves its cells empty; the second has all.
            assert!(rows[1][&key].is_string(), "{key}: {}", rows[1]);
        } else if key.starts_with("totals") {
            for key in ["total_ex_tax", "sd_amount", "vat_amount", "total_incl"] {
                assert!(grid["totals"][key].is_string(), "{key}: {}", grid["totals"]);
            }
        } else {
            let field = field(&key);
            // Signed and sealed by hand.
            assert_eq!(field["value"].is_string(), key != "signature_seal", "{key}: {field}");
            if key != "footnote" {
                assert_eq!(field["labels"]["bn"], label, "{key}");
            }
        }
    }
    assert_eq!(field("supplier_bin")["value"], "000828395-0207");
    assert_eq!(field("buyer_bin")["value"], "001234567-0101");
    assert_eq!(field("invoice_no")["value"], issued.body["number"]);
    assert_eq!(field("issue_date")["value"], "2026-08-15");
    assert_eq!(field("issue_time")["value"], "12:00:00");
    assert_eq!(rows[1]["description_brand"], "Soap (Padma)");
    assert_eq!(rows[1]["sd_amount"], "60.00");
    assert_eq!(rows[1]["vat_amount"], "99.00");
    assert_eq!(grid["totals"]["total_ex_tax"], "3200.00");
    assert_eq!(grid["totals"]["total_incl"], "3559.00");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_shows_every_line_and_runs_nothing() {
    let host = TestHost::new(On::Sqlite).await;
    let hostile = "<script>alert('x')</script> & \"Sons\"";
    let mut document = full();
    document["customer"]["name"] = json!(hostile);
    document["lines"][2]["description"] = json!("Rice <b onload=x>");
    let (path, issued) = host.issue(&document).await;
    assert_eq!(issued.body["customer"]["name"], hostile, "{}", issued.text);
    let page = host.get_with(&format!("{path}/forms/mushak-6.3"), &[("accept", "text/html")]).await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
    let text = &page.text;
    assert!(text.starts_with("<!DOCTYPE html>"), "{text}");
    assert!(!text.contains("<script") && !text.contains("<b "), "{text}");
    assert!(text.contains("&lt;script&gt;alert('x')&lt;/script&gt; &amp;"), "{text}");
    assert!(text.contains("<title>mushak-6.3</title>"), "{text}");
    assert!(text.contains("কর চালানপত্র (মূসক-৬.৩)"), "{text}");
    let body = text.split_once("<tbody>").unwrap().1.split_once("</tbody>").unwrap().0;
    assert_eq!(body.matches("<tr>").count(), 3, "{body}");
    for shown in ["Work", "Soap (Padma)", "Rice &lt;b onload=x&gt;", "2000.00", "60.00"] {
        assert!(body.contains(shown), "{shown}: {body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_says_which_of_the_three_it_wants() {
    let host = TestHost::new(On::Sqlite).await;
    let (path, _) = host.issue(&sale("standard", "1")).await;
    let paper = format!("{path}/forms/mushak-6.3");
    for (accept, kind) in [
        ("*/*", "application/json"),
        ("application/json, text/html;q=0.9", "application/json"),
        ("application/pdf", "application/pdf"),
        ("application/pdf, text/html;q=0.9", "application/pdf"),
        ("text/html;q=0.9, application/json;q=0.5", "text/html; charset=utf-8"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html; charset=utf-8"),
    ] {
        let answer = host.get_with(&paper, &[("accept", accept)]).await;
        assert_eq!(answer.header("content-type"), kind, "{accept}");
    }
    for accept in ["image/png", "text/plain", "text/html;q=0", "nonsense"] {
        let answer = host.get_with(&paper, &[("accept", accept)]).await;
        assert_eq!(answer.problem(), (406, "not-acceptable"), "{accept}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_issued_invoice_has_the_papers_that_its_pack_draws() {
    let host = TestHost::new(On::Sqlite).await;
    let (path, approved) = host.approve(&sale("standard", "1")).await;
    let paper = format!("{path}/forms/mushak-6.3");
    assert_eq!(host.get(&paper).await.problem(), (409, "invoice-not-issued"));
    host.change(&path, "issue", &approved.etag).await;
    assert_eq!(host.get(&paper).await.status, 200);
    for other in ["mushak-9.1", "MUSHAK-6.3", "x"] {
        let answer = host.get(&format!("{path}/forms/{other}")).await;
        assert_eq!(answer.problem(), (404, "form-not-found"), "{other}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paper_stays_as_the_pack_and_its_configuration_issued_it() {
    let host = TestHost::new(On::Sqlite).await;
    let mut document = sale("standard", "1");
    document["lines"][0]["unit_price"] = json!("10.10");
    let (path, _) = host.issue(&document).await;
    let paper = format!("{path}/forms/mushak-6.3");
    let before = host.get(&paper).await.text;
    let whole = Some(r#"{"rounding":{"places":0}}"#);
    let (tenant, day) = ("demo".parse().unwrap(), jiff::civil::date(2020, 1, 1));
    niyam::activate_pack(host.server.app(), &tenant, "vat-bd", day, whole).await.unwrap();
    assert_eq!(host.taxes(&document).await["tax_added"], "2");
    assert_eq!(host.get(&paper).await.text, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pdf_is_the_same_bytes_each_time_and_named_by_them() {
    let host = TestHost::new(On::Sqlite).await;
    let (path, _) = host.issue(&full()).await;
    let paper = format!("{path}/forms/mushak-6.3");
    let pdf = [("accept", "application/pdf")];
    let first = host.get_with(&format!("{paper}?copy=1&lang=both&digits=bangla&grouping=lakh"), &pdf).await;
    assert_eq!((first.status.as_u16(), first.header("content-type")), (200, "application/pdf"));
    assert_eq!(first.header("content-disposition"), "inline; filename=\"mushak-6.3-1-2026-2027-copy-1.pdf\"");
    assert_eq!(first.header("cache-control"), "private, no-cache");
    assert!(first.text.starts_with("%PDF-1.7"), "{}", &first.text[..20]);
    assert!(first.etag.len() == 66, "{}", first.etag);
    let host = host.restart().await;
    let again = host.get_with(&format!("{paper}?grouping=lakh&digits=bangla&copy=1"), &pdf).await;
    assert_eq!(again.etag, first.etag);
    let other = host.get_with(&format!("{paper}?copy=2&digits=bangla&grouping=lakh"), &pdf).await;
    assert_ne!(other.etag, first.etag);
    let wanted = format!("{paper}?grouping=lakh&digits=bangla&copy=1");
    for named in [first.etag.clone(), format!("\"x\", W/{}", first.etag), "*".to_owned()] {
        let known = host.get_with(&wanted, &[pdf[0], ("if-none-match", &*named)]).await;
        assert_eq!((known.status.as_u16(), &*known.text, &*known.etag), (304, "", &*first.etag));
    }
    let unknown = host.get_with(&wanted, &[pdf[0], ("if-none-match", &*other.etag)]).await;
    assert_eq!(unknown.status, 200);
    // The JSON has an ETag of its own: SHA-256 of what was sent.
    let json = host.get(&paper).await;
    let digest = hex::encode(sha2::Sha256::digest(json.text.as_bytes()));
    assert_eq!(json.etag, format!("\"{digest}\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_names_no_paper_is_refused() {
    let host = TestHost::new(On::Sqlite).await;
    let (path, _) = host.issue(&sale("standard", "1")).await;
    for query in
        ["copy=0", "copy=10", "copy=x", "lang=Bangla", "lang=", "digits=roman", "grouping=crore", "colour=1"]
    {
        let answer = host.get(&format!("{path}/forms/mushak-6.3?{query}")).await;
        assert_eq!(answer.problem(), (422, "query-invalid"), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_markup_is_printed_as_it_is() {
    let host = TestHost::new(On::Sqlite).await;
    let mut document = full();
    document["customer"]["name"] = json!("#read(\"/etc/passwd\") $x$ *y* <z> \u{202e}evil");
    let (path, issued) = host.issue(&document).await;
    assert_eq!(issued.status, 200, "{}", issued.text);
    let pdf = host.get_with(&format!("{path}/forms/mushak-6.3"), &[("accept", "application/pdf")]).await;
    assert_eq!(pdf.status, 200, "{}", pdf.text);
    assert!(pdf.text.starts_with("%PDF-1.7"));
}

#[tokio::test(flavor = "multi_thread")]
async fn papers_of_another_tenant_and_without_a_token_are_not_drawn() {
    let host = TestHost::new(On::Sqlite).await;
    let (path, _) = host.issue(&sale("standard", "1")).await;
    let paper = format!("{path}/forms/mushak-6.3");
    host.tenant("other", "vat-bd").await;
    let other = host.bearer("other", &[niyam::Role::Accountant]);
    let pdf = ("accept", "application/pdf");
    let answer = host.get_with(&paper, &[pdf, ("authorization", &*other)]).await;
    assert_eq!(answer.problem(), (404, "invoice-not-found"));
    let answer = host.get_with(&paper, &[pdf, ("authorization", "Bearer x")]).await;
    assert_eq!(answer.problem(), (401, "token-invalid"));
}
