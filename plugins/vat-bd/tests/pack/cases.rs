//! Worked cases from practice, each with its source, as data: `tests/fixtures/`.
//!
//! [`worked`] and [`thresholds`] take the pack as functions, so the same cases run natively and through the
//! compiled component.

use std::collections::BTreeMap;

use niyam_sdk::{
    ComplianceModule, Context, Date, Decimal, Determination, Document, Finding, IssuePlan, Line, LineTaxes,
    PriceMode,
};
use vat_bd::VatBd;

use crate::build::{AUGUST_2026, dec, invoice, line, with, with_duty, withheld};
use crate::{DEFAULT, native};

type Row = BTreeMap<String, String>;

/// Runs every worked case through `determine(configuration, document)`.
pub fn worked(determine: impl Fn(&str, &Document) -> Result<Determination, Vec<Finding>>) {
    let mut cases: BTreeMap<u32, Vec<Row>> = BTreeMap::new();
    for row in rows(include_str!("../fixtures/examples.csv")) {
        cases.entry(row["case"].parse().expect("a number")).or_default().push(row);
    }
    assert_eq!(cases.len(), 14);
    for (case, rows) in cases {
        let name = format!("case {case}: {}", rows[0]["source"]);
        let taxes =
            determine(DEFAULT, &document(&rows)).unwrap_or_else(|findings| panic!("{name}: {findings:?}"));
        for (row, line) in rows.iter().zip(&taxes.lines) {
            assert_eq!(shown(line), expected(row), "{name}");
        }
        let sum = |column: &str| rows.iter().map(|row| dec(&row[column])).sum::<Decimal>();
        let (net, added, withheld) = (sum("net"), sum("sd") + sum("vat"), sum("withheld"));
        let found = [taxes.net, taxes.tax_added, taxes.tax_withheld, taxes.gross, taxes.payable];
        assert_eq!(found, [net, added, withheld, net + added, net + added - withheld], "{name}");
    }
}

/// Runs the cases of the buyer's details: both functions of one pack.
pub fn thresholds(
    determine: impl Fn(&str, &Document) -> Result<Determination, Vec<Finding>>,
    prepare: impl Fn(&str, &Document, &Determination, Date) -> Result<IssuePlan, Vec<Finding>>,
) {
    for row in rows(include_str!("../fixtures/thresholds.csv")) {
        let mut document = invoice(vec![line("standard", &row["unit_price"])]);
        document.customer.identifiers.clear();
        let taxes = determine(DEFAULT, &document).expect("it is taxed");
        let refused = prepare(DEFAULT, &document, &taxes, AUGUST_2026).is_err();
        assert_eq!(refused, row["buyer_needed"] == "yes", "{}", row["unit_price"]);
    }
}

#[test]
fn worked_cases_come_out_as_their_sources_print_them() {
    worked(native);
}

#[test]
fn the_buyers_bin_is_asked_for_above_25000() {
    thresholds(native, |config, document, taxes, day| {
        VatBd::prepare_issue(&Context::native(config), document, taxes, day)
    });
}

fn rows(text: &str) -> Vec<Row> {
    csv::Reader::from_reader(text.as_bytes()).deserialize().map(|row| row.expect("a row")).collect()
}

fn document(rows: &[Row]) -> Document {
    let mut document = invoice(rows.iter().map(line_of).collect());
    if rows[0]["price_mode"] == "inclusive" {
        document.price_mode = PriceMode::Inclusive;
    }
    if rows[0]["withholding"] == "yes" { withheld(document) } else { document }
}

fn line_of(row: &Row) -> Line {
    let plain = Line {
        quantity: dec(&row["quantity"]),
        unit: row["unit"].clone(),
        ..line(&row["code"], &row["unit_price"])
    };
    let varied = match row["variant"].as_str() {
        "" => plain,
        variant => with(plain, "variant", variant),
    };
    match row["sd_rate"].as_str() {
        "" => varied,
        rate => with_duty(varied, rate),
    }
}

fn expected(row: &Row) -> [String; 5] {
    ["net", "sd", "vat", "withheld", "gross"].map(|column| row[column].clone())
}

fn shown(line: &LineTaxes) -> [String; 5] {
    let tax = |code: &str| {
        let item = line.taxes.iter().find(|item| item.code == code);
        item.map_or_else(|| "0.00".to_owned(), |item| item.amount.to_string())
    };
    [line.net.to_string(), tax("sd"), tax("vat"), tax("vds"), line.gross.to_string()]
}
