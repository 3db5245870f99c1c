//! Whose input tax may be credited, and why not.

use niyam_sdk::{Date, Determination, Document};

use crate::build::{line, purchase};
use crate::native;

fn taxed(document: &Document) -> Determination {
    native("{}", document).expect("it is taxed")
}

/// Whether the VAT may be credited, and the codes and places of what bars it.
fn barred(document: &Document) -> (bool, Vec<(String, String)>) {
    let taxes = taxed(document);
    let bars = taxes.findings.iter().filter(|finding| finding.code.starts_with("credit-"));
    let bars = bars.map(|finding| {
        assert_eq!(finding.citation.as_ref().expect("the law").article, "s.46");
        (finding.code.clone(), finding.pointer.clone().expect("a place"))
    });
    (taxes.lines[0].taxes[0].recoverable, bars.collect())
}

#[test]
fn a_complete_purchase_at_the_standard_rate_is_credited() {
    assert_eq!(barred(&purchase(vec![line("standard", "200000")])), (true, vec![]));
    assert!(!barred(&purchase(vec![line("reduced-10", "1000")])).0);
    let config = r#"{"input_credit":{"other_rates":true}}"#;
    let taxes = native(config, &purchase(vec![line("reduced-10", "1000")])).expect("it is taxed");
    assert!(taxes.lines[0].taxes[0].recoverable);
}

#[test]
fn each_reason_bars_the_credit() {
    let bars = |change: &dyn Fn(&mut Document), code: &str, place: &str| {
        let mut document = purchase(vec![line("standard", "200000")]);
        change(&mut document);
        assert_eq!(barred(&document), (false, vec![(code.to_owned(), place.to_owned())]));
    };
    bars(
        &|document| document.attributes.set("mushak_6_3", " "),
        "credit-invoice-missing",
        "/attributes/mushak_6_3",
    );
    bars(&|document| document.supplier.address = None, "credit-invoice-incomplete", "/supplier/address");
    bars(
        &|document| document.supplier.identifiers.clear(),
        "credit-invoice-incomplete",
        "/supplier/identifiers",
    );
    bars(&|document| document.supplier.name = String::new(), "credit-invoice-incomplete", "/supplier/name");
    bars(&|document| document.customer.name = String::new(), "credit-invoice-incomplete", "/customer/name");
    bars(
        &|document| document.customer.address = Some(" ".into()),
        "credit-invoice-incomplete",
        "/customer/address",
    );
    bars(
        &|document| document.customer.identifiers.clear(),
        "credit-invoice-incomplete",
        "/customer/identifiers",
    );
    let place = "/supplier/attributes/registration";
    for standing in ["enlisted", "unregistered"] {
        bars(
            &|document| document.supplier.attributes.set("registration", standing),
            "credit-supplier-not-registered",
            place,
        );
    }
    bars(
        &|document| document.attributes.set("register", "none"),
        "credit-not-in-register",
        "/attributes/register",
    );
    let place = "/attributes/payment_channel";
    bars(&|document| document.attributes.set("payment_channel", "cash"), "credit-paid-outside-bank", place);
}

#[test]
fn cash_bars_above_one_lakh_with_its_taxes() {
    for (price, channel, open) in [
        ("86956.52", "cash", true),
        ("86956.53", "cash", false),
        ("86956.53", "mixed", true),
        ("86956.53", "mfs", true),
    ] {
        let mut document = purchase(vec![line("standard", price)]);
        document.attributes.set("payment_channel", channel);
        assert_eq!(barred(&document).0, open, "{price} {channel}");
    }
    let mut unpaid = purchase(vec![line("standard", "200000")]);
    unpaid.attributes.set("payment_channel", "");
    let taxes = taxed(&unpaid);
    assert!(taxes.lines[0].taxes[0].recoverable);
    assert_eq!(taxes.findings[0].code, "payment-channel-unknown");
}

#[test]
fn a_claim_after_its_window_is_refused() {
    let after = r#"{"input_credit":{"window":"after-own-period"}}"#;
    for (config, bought, claimed, open) in [
        ("{}", (2026, 7, 31), "2026-12-31", true),
        ("{}", (2026, 7, 31), "2027-01-01", false),
        (after, (2026, 7, 31), "2027-01-31", true),
        (after, (2026, 7, 31), "2027-02-01", false),
        ("{}", (2025, 6, 30), "2025-09-30", true),
        ("{}", (2025, 6, 30), "2025-10-01", false),
        ("{}", (2025, 7, 1), "2025-12-31", true),
        ("{}", (2026, 7, 31), "2026-06-30", false),
    ] {
        let mut document = purchase(vec![line("standard", "1000")]);
        document.tax_date = Date::constant(bought.0, bought.1, bought.2);
        document.attributes.set("claimed_on", claimed);
        match native(config, &document) {
            Ok(_) => assert!(open, "{bought:?} {claimed}"),
            Err(findings) => {
                assert!(!open, "{bought:?} {claimed}");
                assert_eq!(findings[0].code, "credit-window-missed");
                assert_eq!(findings[0].pointer.as_deref(), Some("/attributes/claimed_on"));
                assert!(findings[0].citation.is_some());
            }
        }
    }
}
