//! Given a document, when its tax is determined, then: amounts, effects, findings.

use niyam_sdk::{
    Attributes, Date, Determination, Direction, Document, Effect, Identifier, Line, PriceMode, Severity,
    TaxItem,
};

use crate::build::{dec, invoice, line, with, with_duty, withheld};
use crate::{DEFAULT, native, refusals};

fn taxed(document: &Document) -> Determination {
    native(DEFAULT, document).expect("it is taxed")
}

fn items(taxes: &Determination) -> Vec<&TaxItem> {
    taxes.lines.iter().flat_map(|line| &line.taxes).collect()
}

fn one(document: &Document) -> (String, String) {
    let [refusal] = <[_; 1]>::try_from(refusals(document)).expect("one refusal");
    refusal
}

fn refusal(code: &str, place: &str) -> (String, String) {
    (code.into(), place.into())
}

#[test]
fn the_same_invoice_follows_the_law_of_its_date() {
    let mut document = invoice(vec![line("S004.00", "1000")]);
    document.tax_date = Date::constant(2025, 6, 15);
    let june = taxed(&document);
    assert_eq!(june.tax_added.to_string(), "75.00");
    assert_eq!(june.findings, []);
    document.tax_date = Date::constant(2026, 8, 15);
    let august = taxed(&document);
    assert_eq!(august.tax_added.to_string(), "100.00");
    assert_eq!(august.citations[0].article, "Third Schedule, Table 3");
}

#[test]
fn duty_comes_before_vat_and_is_cited_by_its_basis() {
    let taxes = taxed(&invoice(vec![with_duty(line("standard", "1000"), "20")]));
    let [sd, vat] = <[_; 2]>::try_from(items(&taxes)).expect("two items");
    assert_eq!(
        (sd.code.as_str(), sd.amount, sd.base, sd.rate),
        ("sd", dec("200"), dec("1000"), Some(dec("20")))
    );
    assert_eq!((vat.code.as_str(), vat.amount, vat.base), ("vat", dec("180"), dec("1200")));
    assert!(!sd.recoverable && vat.recoverable);
    assert_eq!(taxes.citations[sd.citation as usize].article, "Second Schedule, Table 2");
}

#[test]
fn an_export_keeps_its_credit_and_bears_no_duty() {
    let taxes = taxed(&invoice(vec![with_duty(line("export", "1000"), "20")]));
    let [vat] = <[_; 1]>::try_from(items(&taxes)).expect("one item");
    assert_eq!((vat.rate, vat.amount.to_string(), vat.recoverable), (Some(dec("0")), "0.00".into(), true));
    assert_eq!(taxes.findings[0].code, "sd-not-charged");
    assert_eq!(taxes.findings[0].severity, Severity::Info);
    assert_eq!(taxes.gross.to_string(), "1000.00");
}

#[test]
fn an_exempt_line_has_no_vat_and_tells_of_the_lost_credit() {
    let taxes = taxed(&invoice(vec![line("exempt", "1000")]));
    assert!(taxes.lines[0].taxes.is_empty());
    assert_eq!(taxes.findings[0].code, "input-credit-lost");
    assert_eq!(taxes.findings[0].pointer.as_deref(), Some("/lines/0/supply_code"));
}

#[test]
fn credit_is_open_only_at_the_standard_rate() {
    for (code, unit, open) in [
        ("standard", "pcs", true),
        ("S002.00", "pcs", true),
        ("reduced-10", "pcs", false),
        ("S099.10", "pcs", false),
        ("silver", "Bhori", false),
    ] {
        let document = invoice(vec![Line { unit: unit.into(), ..line(code, "1000") }]);
        assert_eq!(items(&taxed(&document))[0].recoverable, open, "{code}");
    }
}

#[test]
fn a_discount_lowers_the_value() {
    let discounted = Line { discount: dec("100"), quantity: dec("3"), ..line("standard", "200") };
    let taxes = taxed(&invoice(vec![discounted]));
    assert_eq!((taxes.net.to_string(), taxes.tax_added.to_string()), ("500.00".into(), "75.00".into()));
}

#[test]
fn whole_taka_is_a_configuration() {
    let document = invoice(vec![line("reduced-7.5", "333.40")]);
    let taxes = native(r#"{"rounding":{"places":0}}"#, &document).expect("it is taxed");
    assert_eq!(
        [taxes.net, taxes.tax_added, taxes.gross].map(|amount| amount.to_string()),
        ["333", "25", "358"]
    );
}

#[test]
fn a_deducting_customer_keeps_the_vat_of_a_listed_service() {
    let mut document = withheld(invoice(vec![line("S032.00", "345000"), line("standard", "1000")]));
    document.price_mode = PriceMode::Inclusive;
    let taxes = taxed(&document);
    let vds: Vec<&TaxItem> =
        items(&taxes).into_iter().filter(|item| item.effect == Effect::Withheld).collect();
    assert_eq!(vds.len(), 1, "only the listed service");
    assert_eq!((vds[0].base, vds[0].rate, vds[0].amount), (dec("300000"), Some(dec("15")), dec("45000")));
    assert!(vds[0].recoverable);
    assert_eq!(taxes.payable, taxes.gross - dec("45000"));
}

#[test]
fn a_purchase_bears_the_same_tax_and_its_buyer_deducts_it() {
    let sale = withheld(invoice(vec![line("S032.00", "10000")]));
    let purchase = Document { direction: Direction::Purchase, ..sale.clone() };
    assert_eq!(taxed(&purchase).tax_added, taxed(&sale).tax_added);
    assert_eq!(taxed(&purchase).tax_withheld.to_string(), "1500.00");
    let mut plain = purchase;
    plain.customer.attributes = Attributes::new();
    assert!(taxed(&plain).tax_withheld.is_zero());
}

#[test]
fn a_specific_amount_is_converted_and_its_unit_must_match() {
    let mut document =
        invoice(vec![Line { unit: "Metric Ton".into(), quantity: dec("3"), ..line("scrap", "500") }]);
    let taxes = taxed(&document);
    let [vat] = <[_; 1]>::try_from(items(&taxes)).expect("one item");
    assert_eq!((vat.rate, vat.base, vat.amount), (None, dec("3"), dec("4500")));
    document.currency = "USD".into();
    document.exchange_rate = Some(dec("120"));
    assert_eq!(taxed(&document).tax_added.to_string(), "37.50");
    document.lines[0].unit = "kg".into();
    assert_eq!(one(&document), refusal("unit-mismatch", "/lines/0/unit"));
}

#[test]
fn a_price_below_its_specific_tax_is_refused() {
    let mut document = invoice(vec![Line { unit: "bhori".into(), ..line("gold", "2000") }]);
    document.price_mode = PriceMode::Inclusive;
    assert_eq!(one(&document), refusal("price-below-tax", "/lines/0/unit_price"));
    document.lines[0] = with_duty(document.lines[0].clone(), "20");
    assert_eq!(one(&document), refusal("price-below-tax", "/lines/0/unit_price"));
}

#[test]
fn a_currency_without_minor_units_is_not_cut_finer() {
    let mut document = invoice(vec![line("standard", "333")]);
    document.currency = "JPY".into();
    document.minor_units = 0;
    document.exchange_rate = Some(dec("0.8"));
    assert_eq!(taxed(&document).tax_added.to_string(), "50");
}

#[test]
fn every_finding_of_every_line_is_told() {
    let document = invoice(vec![
        Line { quantity: dec("0"), unit_price: dec("-1"), ..line("S999.99", "1") },
        Line { discount: dec("-5"), ..line("S010.20", "1") },
        Line { discount: dec("5"), ..with(line("S001.10", "1"), "variant", "tent") },
        with(line("standard", "1"), "sd_rate", "twenty"),
        with(line("standard", "1"), "sd_rate", "-20"),
        with(line("standard", "1"), "sd_rate", "20"),
        line("standard", "99999999999999999999999999"),
    ]);
    let expected = [
        refusal("quantity-not-positive", "/lines/0/quantity"),
        refusal("negative-amount", "/lines/0/unit_price"),
        refusal("supply-code-unknown", "/lines/0/supply_code"),
        refusal("negative-amount", "/lines/1/discount"),
        refusal("variant-missing", "/lines/1/attributes/variant"),
        refusal("discount-exceeds-amount", "/lines/2/discount"),
        refusal("variant-unknown", "/lines/2/attributes/variant"),
        refusal("sd-rate-invalid", "/lines/3/attributes/sd_rate"),
        refusal("sd-rate-invalid", "/lines/4/attributes/sd_rate"),
        refusal("sd-basis-missing", "/lines/5/attributes/sd_basis"),
        refusal("amount-out-of-range", "/lines/6/unit_price"),
    ];
    assert_eq!(refusals(&document), expected);
}

#[test]
fn twenty_digits_are_taxed_and_twenty_one_are_not() {
    taxed(&invoice(vec![line("reduced-7.5", "90000000000000000000.99")]));
    let document = invoice(vec![line("reduced-7.5", "100000000000000000000")]);
    assert_eq!(one(&document).0, "amount-out-of-range");
    let document = invoice(vec![line("standard", "99999999999999999999")]);
    assert_eq!(one(&document).0, "amount-out-of-range", "its gross is too long");
}

#[test]
fn a_document_is_checked_as_a_whole() {
    let plain = invoice(vec![line("standard", "1000")]);
    let foreign = Document { currency: "USD".into(), ..plain.clone() };
    assert_eq!(one(&foreign), refusal("exchange-rate-missing", "/exchange_rate"));
    let free = Document { exchange_rate: Some(dec("0")), ..foreign };
    assert_eq!(one(&free), refusal("exchange-rate-invalid", "/exchange_rate"));
    let twice = Document { exchange_rate: Some(dec("120")), ..plain.clone() };
    assert_eq!(one(&twice), refusal("exchange-rate-invalid", "/exchange_rate"));
    let old = Document { tax_date: Date::constant(2019, 6, 30), ..plain.clone() };
    assert_eq!(one(&old), refusal("law-not-covered", "/tax_date"));
    let empty = Document { lines: Vec::new(), ..plain };
    assert_eq!(one(&empty), refusal("lines-missing", "/lines"));
}

#[test]
fn a_bin_of_twelve_digits_is_refused_and_a_foreign_number_only_noted() {
    let mut document = invoice(vec![line("standard", "1000")]);
    document.customer.identifiers.push(Identifier { kind: "eori".into(), value: "X1".into() });
    let taxes = taxed(&document);
    assert_eq!(taxes.findings[0].code, "identifier-kind-unknown");
    assert_eq!(taxes.findings[0].severity, Severity::Warning);
    document.customer.identifiers.insert(0, Identifier { kind: "bin".into(), value: "000828395020".into() });
    assert_eq!(refusals(&document)[0], refusal("identifier-invalid", "/customer/identifiers/0/value"));
}

#[test]
fn a_citation_is_said_once() {
    let taxes = taxed(&invoice(vec![line("standard", "1"), line("S002.00", "1"), line("S004.00", "1")]));
    let cited: Vec<u32> = items(&taxes).iter().map(|item| item.citation).collect();
    assert_eq!((cited, taxes.citations.len()), (vec![0, 0, 1], 2));
    assert_eq!(taxes.citations[0].effective_from, Some(Date::constant(2019, 7, 1)));
}

#[test]
fn an_attribute_is_found_with_a_hyphen_as_well() {
    let mut document = invoice(vec![line("S032.00", "1000")]);
    document.customer.attributes = Attributes::new().with("withholding-entity", "true");
    assert_eq!(taxed(&document).tax_withheld.to_string(), "150.00");
}
