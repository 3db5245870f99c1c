//! What tells of taxes without being a supply: certificates, deposits, interest; turnover tax; movements of goods.

use niyam_sdk::{Document, Effect};

use crate::build::{dec, invoice, line, with};
use crate::native;

fn stating(kind: &str, code: &str, amount: &str) -> Document {
    Document { kind: kind.into(), ..invoice(vec![line(code, amount)]) }
}

fn late(due: &str, paid: &str) -> Document {
    let mut document = stating("late-payment", "overdue-vat", "41600");
    document.lines[0] = with(with(document.lines[0].clone(), "due", due), "paid", paid);
    document
}

#[test]
fn a_statement_is_for_its_kind_of_document() {
    for (kind, code) in [
        ("withholding-certificate", "vds-certificate"),
        ("treasury-deposit", "deposit-vat"),
        ("adjustment", "other-increase"),
    ] {
        let taxes = native("{}", &stating(kind, code, "250.50")).expect(code);
        let item = &taxes.lines[0].taxes[0];
        assert_eq!(
            (item.code.as_str(), item.amount, item.effect),
            (code, dec("250.50"), Effect::Informative)
        );
        assert_eq!(taxes.payable, dec("250.50"));
    }
    let refused =
        native("{}", &stating("treasury-deposit", "other-increase", "1")).expect_err("another kind");
    assert_eq!(refused[0].code, "supply-code-unknown");
    assert!(refused[0].message.contains("deposit-sd, deposit-vat"), "{}", refused[0].message);
}

#[test]
fn interest_is_simple_and_ends_after_24_months() {
    for (due, paid, interest) in [
        ("2026-07-15", "2026-10-15", "1248.00"),
        ("2026-07-15", "2026-07-15", "0.00"),
        ("2026-07-15", "2026-07-16", "416.00"),
        ("2024-07-15", "2026-07-15", "9984.00"),
        ("2024-07-15", "2026-07-16", "9984.00"),
        ("2020-01-15", "2026-07-15", "9984.00"),
    ] {
        let taxes = native("{}", &late(due, paid)).expect(paid);
        assert_eq!(taxes.tax_added.to_string(), interest, "{due} {paid}");
    }
    let part = r#"{"interest":{"part_month":"none"}}"#;
    assert_eq!(
        native(part, &late("2026-07-15", "2026-08-14")).expect("it is taxed").tax_added.to_string(),
        "0.00"
    );
    let refused = native("{}", &late("15 July", "2026-08-14")).expect_err("no day");
    let place = (refused[0].code.as_str(), refused[0].pointer.as_deref());
    assert_eq!(place, ("date-invalid", Some("/lines/0/attributes/due")));
}

#[test]
fn who_is_enlisted_charges_no_vat_and_owes_turnover_tax() {
    let sold = invoice(vec![line("standard", "800000")]);
    let taxes = native(r#"{"registration":"enlisted"}"#, &sold).expect("it is taxed");
    let item = &taxes.lines[0].taxes[0];
    assert_eq!((item.code.as_str(), item.amount.to_string()), ("turnover-tax", "32000.00".to_owned()));
    assert_eq!((item.effect, item.recoverable, taxes.payable), (Effect::Informative, false, dec("800000")));
    let taxes = native(r#"{"registration":"unregistered"}"#, &sold).expect("it is taxed");
    assert!(taxes.lines[0].taxes.is_empty());
}

#[test]
fn goods_move_between_units_of_one_registration_without_tax() {
    let config = r#"{"units":[{"code":"D1","name":"Depot","address":"Dhaka"},{"code":"F1","name":"Mill","address":"Gazipur"}]}"#;
    let mut moved = stating("transfer", "standard", "5000");
    for (from, to, places) in [
        ("D1", "F1", vec![]),
        ("D1", "D1", vec!["/attributes/to_unit"]),
        ("X", "F1", vec!["/attributes/from_unit"]),
    ] {
        moved.attributes.set("from_unit", from);
        moved.attributes.set("to_unit", to);
        match native(config, &moved) {
            Ok(taxes) => {
                assert!(places.is_empty() && taxes.lines[0].taxes.is_empty() && taxes.gross == dec("5000"));
            }
            Err(findings) => {
                let found: Vec<_> =
                    findings.iter().map(|finding| finding.pointer.as_deref().unwrap_or("")).collect();
                assert_eq!(found, places);
                assert!(
                    findings
                        .iter()
                        .all(|finding| finding.code == "unit-not-registered" && finding.citation.is_some())
                );
            }
        }
    }
    for kind in ["contract-manufacture", "stock-issue", "production"] {
        assert!(native("{}", &stating(kind, "anything", "5000")).expect(kind).tax_added.is_zero());
    }
}
