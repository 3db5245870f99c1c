//! The papers beside the tax invoice: drawn, refused, at their boundaries.

use niyam_sdk::{
    Attributes, Block, Cell, ComplianceModule, Context, Direction, Document, Finding, Form, IssueFacts,
};
use vat_bd::VatBd;

use crate::build::{AUGUST_2026, invoice, line, purchase, with, with_duty};
use crate::issuing::facts;
use crate::{DEFAULT, native};

const UNITS: &str = r#"{"units":[{"code":"D1","name":"Depot","address":"Dhaka"},{"code":"F1","name":"Mill","address":"Gazipur"}]}"#;

fn note(kind: &str, price: &str) -> Document {
    let attributes = Attributes::new()
        .with("original_number", "7/2026-2027")
        .with("original_date", "2026-08-01")
        .with("original_time", "11:30:00")
        .with("reason", "goods returned");
    Document { kind: kind.into(), attributes, ..invoice(vec![line("standard", price)]) }
}

fn draw(config: &str, code: &str, document: &Document, facts: &IssueFacts) -> Result<Form, Vec<Finding>> {
    let taxes = native(config, document).expect("it is taxed");
    VatBd::draw_form(&Context::native(config), code, document, &taxes, facts)
}

fn refused<T: std::fmt::Debug>(form: Result<T, Vec<Finding>>) -> Vec<(String, String)> {
    let findings = form.expect_err("it is refused");
    findings.into_iter().map(|finding| (finding.code, finding.pointer.unwrap_or_default())).collect()
}

fn shown(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => text.clone(),
        Cell::Amount(amount) => amount.to_string(),
        Cell::Day(day) => day.to_string(),
        Cell::Empty => String::new(),
    }
}

fn field(form: &Form, key: &str) -> String {
    let fields = form
        .blocks
        .iter()
        .filter_map(|block| if let Block::Fields(fields) = block { Some(fields) } else { None });
    shown(&fields.flatten().find(|field| field.key == key).expect(key).value)
}

/// The rows of the table, then its totals.
fn table(form: &Form) -> Vec<String> {
    let grid =
        form.blocks.iter().find_map(|block| if let Block::Grid(grid) = block { Some(grid) } else { None });
    let grid = grid.expect("a table");
    let rows = grid.rows.iter().chain([&grid.totals]);
    rows.map(|row| row.iter().map(shown).collect::<Vec<_>>().join("|")).collect()
}

#[test]
fn a_note_refers_to_its_invoice_and_says_what_it_changes() {
    for (kind, code) in [("credit-note", "mushak-6.7"), ("debit-note", "mushak-6.8")] {
        let mut document = note(kind, "1000");
        document.lines = vec![niyam_sdk::Line {
            id: "l0".into(),
            quantity: 4.into(),
            ..with_duty(line("standard", "1000"), "20")
        }];
        assert_eq!(VatBd::form_codes(&Context::native(DEFAULT), &document), [code]);
        let form = draw(DEFAULT, code, &document, &facts()).expect("it is drawn");
        assert_eq!((form.code.as_str(), form.titles.len()), (code, 2));
        assert_eq!(
            table(&form),
            [
                "1|supply standard|pcs|4|1380.00|4000.00|800.00|720.00|5520.00",
                "সর্বমোট|||||4000.00|800.00|720.00|5520.00"
            ]
        );
        let found =
            ["original_number", "original_date", "original_time", "reason", "vat_effect", "sd_effect"]
                .map(|key| field(&form, key));
        assert_eq!(found, ["7/2026-2027", "2026-08-01", "11:30:00", "goods returned", "720.00", "800.00"]);
        let said = form.blocks.iter().any(|block| {
            matches!(block, Block::Paragraph(labels)
            if labels[1].text == "In words: Taka Five Thousand Five Hundred Twenty Only")
        });
        assert!(said);
    }
}

#[test]
fn a_note_is_numbered_in_a_series_of_its_own_and_names_its_invoice() {
    for (kind, series) in [("credit-note", "mushak-6.7/2026-2027"), ("debit-note", "mushak-6.8/2026-2027")] {
        let document = note(kind, "1000");
        let taxes = native(DEFAULT, &document).expect("it is taxed");
        let prepare = |document: &Document| {
            VatBd::prepare_issue(&Context::native(DEFAULT), document, &taxes, AUGUST_2026)
        };
        let plan = prepare(&document).expect("it may be issued");
        assert_eq!((plan.series.as_str(), plan.number_pattern.as_str()), (series, "{serial}/2026-2027"));
        let blank = Document { attributes: Attributes::new().with("reason", " "), ..document };
        let expected = ["original_number", "original_date", "reason"]
            .map(|name| ("field-missing".to_owned(), format!("/attributes/{name}")));
        assert_eq!(refused(prepare(&blank)), expected);
    }
}

#[test]
fn a_note_without_its_invoice_is_not_drawn() {
    let document = Document {
        attributes: Attributes::new().with("original_date", "2026-02-30"),
        ..note("credit-note", "1000")
    };
    let findings = draw(DEFAULT, "mushak-6.7", &document, &facts()).expect_err("it is refused");
    assert!(
        findings.iter().all(|finding| finding.citation.as_ref().is_some_and(|law| law.article == "s.52"))
    );
    let expected = ["original_number", "original_date", "original_time", "reason"]
        .map(|name| ("field-missing".into(), format!("/attributes/{name}")));
    assert_eq!(refused(Err::<Form, _>(findings)), expected);
}

#[test]
fn a_notes_buyer_is_named_above_5000_of_vat() {
    for (price, asked) in [("33333.33", false), ("33333.40", true)] {
        let mut document = note("credit-note", price);
        document.customer.name = String::new();
        document.customer.address = None;
        document.customer.identifiers.clear();
        let drawn = draw(DEFAULT, "mushak-6.7", &document, &facts());
        if asked {
            let expected = ["/customer/name", "/customer/address"]
                .map(|place| ("field-missing".to_owned(), place.to_owned()));
            assert_eq!(refused(drawn), expected);
        } else {
            drawn.expect("at the threshold nothing is asked");
        }
    }
}

#[test]
fn who_issues_a_debit_note_is_a_configuration() {
    let bought = Document { direction: Direction::Purchase, ..note("debit-note", "1000") };
    assert_eq!(VatBd::form_codes(&Context::native(DEFAULT), &bought), [""; 0]);
    assert_eq!(refused(draw(DEFAULT, "mushak-6.8", &bought, &facts()))[0].0, "kind-not-offered");
    let buyer = r#"{"notes":{"debit_note_issuer":"buyer"}}"#;
    draw(buyer, "mushak-6.8", &bought, &facts()).expect("it is drawn");
}

#[test]
fn a_certificate_is_of_what_was_deducted() {
    let config = r#"{"withholding":{"vat":true}}"#;
    let mut document = purchase(vec![line("S032.00", "10000"), line("standard", "1000")]);
    document.attributes.set("mushak_6_3_date", "2026-08-10");
    let form = draw(config, "mushak-6.6", &document, &facts()).expect("it is drawn");
    let row = "1|Padma Traders Ltd|000828395-0207|77/2026-2027|2026-08-10|10000.00|1500.00|1500.00";
    assert_eq!(table(&form)[0], row);
    assert_eq!(table(&form).len(), 2);
    let taxes = native(config, &document).expect("it is taxed");
    let plan = VatBd::prepare_issue(&Context::native(config), &document, &taxes, AUGUST_2026)
        .expect("it may be issued");
    assert_eq!((plan.form.as_str(), plan.series.as_str()), ("mushak-6.6", "mushak-6.6/2026-2027"));
    let goods = purchase(vec![line("standard", "1000")]);
    assert_eq!(refused(draw(config, "mushak-6.6", &goods, &facts()))[0].0, "nothing-deducted");
    let taxes = native(config, &goods).expect("it is taxed");
    let refusal =
        VatBd::prepare_issue(&Context::native(config), &goods, &taxes, AUGUST_2026).expect_err("nothing");
    assert_eq!(refused(Err::<Form, _>(refusal)), [("kind-not-offered".to_owned(), "/lines".to_owned())]);
    assert_eq!(VatBd::form_codes(&Context::native(DEFAULT), &document), [""; 0]);
}

#[test]
fn an_enlisted_person_issues_an_invoice_of_its_own() {
    let config = r#"{"registration":"enlisted"}"#;
    let mut document = invoice(vec![line("standard", "1000")]);
    assert_eq!(VatBd::form_codes(&Context::native(config), &document), ["mushak-6.9"]);
    let form = draw(config, "mushak-6.9", &document, &facts()).expect("it is drawn");
    assert_eq!(table(&form), ["1|supply standard|pcs|1|1000.00|1000.00", "সর্বমোট|||||1000.00"]);
    let taxes = native(config, &document).expect("it is taxed");
    let prepare =
        |document: &Document| VatBd::prepare_issue(&Context::native(config), document, &taxes, AUGUST_2026);
    assert_eq!(prepare(&document).expect("it may be issued").series, "mushak-6.9/2026-2027");
    document.supplier.identifiers.clear();
    assert_eq!(prepare(&document).expect_err("no BIN")[0].code, "issuer-incomplete");
    let place = ("field-missing".to_owned(), "/supplier/identifiers".to_owned());
    assert_eq!(refused(draw(config, "mushak-6.9", &document, &facts())), [place]);
}

#[test]
fn goods_that_move_have_papers() {
    let attributes = Attributes::new().with("from_unit", "D1").with("to_unit", "F1");
    let moved = Document {
        kind: "transfer".into(),
        attributes,
        ..invoice(vec![with(line("x", "50"), "remarks", "raw")])
    };
    let form = draw(UNITS, "mushak-6.5", &moved, &facts()).expect("it is drawn");
    assert_eq!(
        (field(&form, "from_unit"), field(&form, "to_unit")),
        ("Depot, Dhaka".into(), "Mill, Gazipur".into())
    );
    assert_eq!(table(&form)[0], "1|supply x|pcs|1|50.00|raw");
    let mut contract = Document { kind: "contract-manufacture".into(), ..moved };
    let form = draw(DEFAULT, "mushak-6.4", &contract, &facts()).expect("it is drawn");
    assert_eq!(field(&form, "processor"), "Meghna Stores, 7 Agrabad, Chattogram");
    contract.customer.identifiers.clear();
    let place = ("field-missing".to_owned(), "/customer/identifiers".to_owned());
    assert_eq!(refused(draw(DEFAULT, "mushak-6.4", &contract, &facts())), [place]);
}
