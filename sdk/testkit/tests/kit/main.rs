//! The test kit with real components: `target/modules`, which `cargo xtask plugins` makes.

mod examples;

use std::cell::Cell;
use std::fs;

use niyam_sdk::{Attributes, Date, Decimal, Direction, Document, IssueFacts, Line, Party, PriceMode};
use niyam_testkit::{Answer, TestModule, assert_deterministic};

/// A sale of two things at 100.
fn document(supply_code: &str) -> Document {
    let party = Party {
        id: String::new(),
        name: "Somebody".into(),
        address: None,
        country: "BD".into(),
        identifiers: Vec::new(),
        attributes: Attributes::new(),
    };
    Document {
        kind: "invoice".into(),
        direction: Direction::Sale,
        tax_date: Date::constant(2026, 8, 15),
        currency: "BDT".into(),
        minor_units: 2,
        exchange_rate: None,
        price_mode: PriceMode::Exclusive,
        supplier: party.clone(),
        customer: party,
        lines: vec![Line {
            id: "1".into(),
            description: "Something".into(),
            supply_code: supply_code.into(),
            quantity: Decimal::from(2),
            unit: "piece".into(),
            unit_price: Decimal::from(100),
            discount: Decimal::ZERO,
            attributes: Attributes::new(),
        }],
        attributes: Attributes::new(),
    }
}

#[test]
fn a_component_that_is_not_there_says_how_to_build_it() {
    let error = TestModule::bundled("absent").unwrap_err();
    let text = format!("{error:?}");
    assert!(text.contains("target/modules/absent.wasm") && text.contains("`cargo xtask plugins`"), "{text}");
    assert_eq!(error.code(), None);
}

#[test]
fn a_component_that_the_host_refuses_is_refused_with_its_code() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("junk.wasm");
    fs::write(&path, b"junk").unwrap();
    let error = TestModule::open(&path).unwrap_err();
    assert_eq!(error.code(), Some("component-malformed"));
    assert!(error.to_string().contains("junk.wasm"), "{error}");
}

#[test]
fn a_path_opens_what_the_name_opens() {
    let named = TestModule::bundled("guests/unruly").unwrap();
    let opened = TestModule::open("../../target/modules/guests/unruly.wasm").unwrap();
    assert_eq!(named.manifest(), opened.manifest());
}

#[test]
fn a_configuration_is_checked_and_used() {
    let unruly = TestModule::bundled("guests/unruly").unwrap();
    let taxed = |module: &TestModule| module.determine(&document("plain")).unwrap().accepted().tax_added;
    assert_eq!(taxed(&unruly).to_string(), "26.00");
    let error = unruly.clone().with_config(r#"{"rate":13}"#).unwrap_err().to_string();
    assert!(error.contains("config-invalid at /rate"), "{error}");
    assert_eq!(taxed(&unruly.with_config(r#"{ "rate": "10" }"#).unwrap()).to_string(), "20.00");
}

#[test]
fn every_function_of_a_pack_answers_with_its_proof() {
    let unruly = TestModule::bundled("guests/unruly").unwrap();
    let (document, day) = (document("plain"), Date::constant(2026, 8, 15));
    let determined = unruly.determine(&document).unwrap();
    assert_eq!(determined.proof.function, "determine");
    assert_eq!(determined.proof.module_id, "unruly");
    assert_eq!(determined.proof.component_digest.len(), 64);
    assert!(determined.proof.fuel > 0);
    let taxes = determined.accepted();
    assert_eq!(unruly.check_identifier("any", " A1 ").unwrap().accepted(), "A1");
    assert_eq!(unruly.fiscal_period_of(day).unwrap().value.code, "2026-08");
    assert_eq!(unruly.prepare_issue(&document, &taxes, day).unwrap().accepted().form, "plain-invoice");
    assert_eq!(unruly.form_codes(&document).unwrap().value, ["plain-invoice"]);
    let facts = IssueFacts {
        number: "P-1".into(),
        issued_on: day,
        issued_at: "10:00:00".into(),
        attributes: Attributes::new(),
    };
    let form = unruly.draw_form("plain-invoice", &document, &taxes, &facts).unwrap();
    assert_eq!(form.accepted().titles[0].text, "Invoice P-1");
}

#[test]
fn a_module_that_misbehaves_fails_with_the_hosts_code() {
    let unruly = TestModule::bundled("guests/unruly").unwrap();
    for (wish, code) in [("trap", "module-trapped"), ("loop", "module-fuel-exhausted")] {
        let error = unruly.determine(&document(wish)).unwrap_err();
        assert_eq!(error.code(), Some(code), "{error}");
    }
    let flat_tax = TestModule::bundled("guests/flat-tax").unwrap();
    assert_eq!(
        flat_tax.form_codes(&document("plain")).unwrap_err().code(),
        Some("module-function-not-offered")
    );
}

#[test]
#[should_panic(expected = "identifier-empty at /value: there is no identifier")]
fn an_answer_taken_from_a_refusal_lists_the_findings() {
    let unruly = TestModule::bundled("guests/unruly").unwrap();
    drop(unruly.check_identifier("any", "").unwrap().accepted());
}

#[test]
#[should_panic(expected = "check-identifier was not refused: \"A1\"")]
fn findings_taken_from_an_answer_show_it() {
    let unruly = TestModule::bundled("guests/unruly").unwrap();
    drop(unruly.check_identifier("any", "A1").unwrap().refused());
}

#[test]
fn two_runs_that_agree_give_the_answer() {
    let unruly = TestModule::bundled("guests/unruly").unwrap();
    let answer = assert_deterministic(|| unruly.determine(&document("plain"))).unwrap();
    assert_eq!(answer.accepted().payable.to_string(), "226.00");
    let error = assert_deterministic(|| unruly.determine(&document("trap"))).unwrap_err();
    assert_eq!(error.code(), Some("module-trapped"));
}

#[test]
#[should_panic(expected = "two runs answered differently")]
fn two_answers_that_differ_are_told() {
    let unruly = TestModule::bundled("guests/unruly").unwrap();
    let runs = Cell::new(0);
    drop(assert_deterministic(|| {
        runs.set(runs.get() + 1);
        unruly.check_identifier("any", &runs.get().to_string())
    }));
}

#[test]
#[should_panic(expected = "two runs have different proofs")]
fn two_costs_that_differ_are_told() {
    let unruly = TestModule::bundled("guests/unruly").unwrap();
    let runs = Cell::new(0);
    drop(assert_deterministic(|| {
        runs.set(runs.get() + 1);
        let Answer { value, mut proof } = unruly.check_identifier("any", "A1")?;
        proof.fuel += runs.get();
        Ok(Answer { value, proof })
    }));
}
