//! Tax that is deducted at source, by the tenant as buyer and from it as supplier.

use niyam_sdk::{Determination, Direction, Document, Effect, PriceMode, TaxItem};

use crate::build::{dec, invoice, line, purchase, with, withheld};
use crate::native;

const WITHHOLDER: &str = r#"{"withholding":{"vat":true,"income_tax":true}}"#;

fn taxed(config: &str, document: &Document) -> Determination {
    native(config, document).unwrap_or_else(|findings| panic!("{findings:?}"))
}

fn item<'a>(taxes: &'a Determination, code: &str) -> Option<&'a TaxItem> {
    taxes.lines.iter().flat_map(|line| &line.taxes).find(|item| item.code == code)
}

fn codes(taxes: &Determination) -> Vec<&str> {
    taxes.findings.iter().map(|finding| finding.code.as_str()).collect()
}

fn amount(taxes: &Determination, code: &str) -> String {
    item(taxes, code).map_or_else(String::new, |item| item.amount.to_string())
}

#[test]
fn a_buyer_that_deducts_keeps_the_vat_of_a_listed_service_even_with_an_invoice() {
    let bought = purchase(vec![line("S032.00", "10000"), line("standard", "1000")]);
    let taxes = taxed(WITHHOLDER, &bought);
    assert_eq!(amount(&taxes, "vds"), "1500.00");
    assert_eq!(taxes.tax_withheld.to_string(), "1500.00");
    assert!(taxed("{}", &bought).tax_withheld.is_zero());
    let rent = taxed(WITHHOLDER, &purchase(vec![line("premises-rent", "50000")]));
    assert_eq!((amount(&rent, "vds"), rent.payable.to_string()), ("7500.00".into(), "50000.00".into()));
}

#[test]
fn rule_5_takes_some_supplies_out_and_tells_why_not_others() {
    for (code, exclusion, deducted, finding) in [
        ("S032.00", "utility", "", "vds-excluded"),
        ("S032.00", "startup", "", "vds-excluded"),
        ("S032.00", "efd-receipt", "", "vds-excluded"),
        ("S037.00", "manufacturer-invoice", "", "vds-excluded"),
        ("S032.00", "manufacturer-invoice", "150.00", "vds-exclusion-refused"),
        ("S032.00", "trader-invoice", "150.00", "vds-exclusion-refused"),
        ("S037.00", "trader-invoice", "100.00", "vds-exclusion-refused"),
        ("S032.00", "friendship", "150.00", "vds-exclusion-refused"),
    ] {
        let bought = purchase(vec![with(line(code, "1000"), "vds_exclusion", exclusion)]);
        let taxes = taxed(WITHHOLDER, &bought);
        assert_eq!(amount(&taxes, "vds"), deducted, "{code} {exclusion}");
        let told = taxes.findings.iter().find(|told| told.code == finding).expect(exclusion);
        assert_eq!(told.citation.as_ref().map(|law| law.article.as_str()), Some("rule 5"));
        assert_eq!(told.pointer.as_deref(), Some("/lines/0/attributes/vds_exclusion"));
    }
    for code in ["exempt", "export"] {
        assert_eq!(amount(&taxed(WITHHOLDER, &purchase(vec![line(code, "1000")])), "vds"), "", "{code}");
    }
    let mut receipt = purchase(vec![line("S032.00", "1000")]);
    receipt.attributes.set("vds_exclusion", "efd-receipt");
    receipt.customer.identifiers.clear();
    assert_eq!(amount(&taxed(WITHHOLDER, &receipt), "vds"), "150.00");
}

#[test]
fn a_withholder_that_is_not_registered_is_told_when_to_deposit() {
    let config = r#"{"registration":"unregistered","withholding":{"vat":true}}"#;
    let taxes = taxed(config, &purchase(vec![line("S032.00", "1000")]));
    let told = taxes.findings.iter().find(|told| told.code == "vds-deposit-due").expect("it is told");
    assert!(told.message.contains("2026-08-30"), "{}", told.message);
    assert!(
        !codes(&taxed(WITHHOLDER, &purchase(vec![line("S032.00", "1000")]))).contains(&"vds-deposit-due")
    );
}

#[test]
fn income_tax_is_deducted_by_the_nature_of_the_payment() {
    for (nature, person, proof, rate, tax) in [
        ("contract", "other", "true", "5", "575.00"),
        ("goods", "other", "true", "5", "575.00"),
        ("industrial-raw-material", "other", "true", "3", "345.00"),
        ("cement-iron", "other", "true", "2", "230.00"),
        ("professional", "natural", "true", "15", "1725.00"),
        ("professional", "other", "true", "7.5", "862.50"),
        ("professional", "other", "", "11.25", "1293.75"),
        ("technical", "natural", "true", "15", "1725.00"),
        ("technical", "other", "true", "10", "1150.00"),
        ("transport", "other", "true", "2", "230.00"),
        ("internet", "other", "true", "5", "575.00"),
        ("meeting-fee", "natural", "true", "20", "2300.00"),
        ("service", "other", "true", "10", "1150.00"),
        ("rent", "other", "", "15", "1725.00"),
    ] {
        let mut bought = purchase(vec![with(line("standard", "10000"), "tds", nature)]);
        bought.supplier.attributes.set("person", person);
        bought.supplier.attributes.set("proof_of_return", proof);
        let taxes = taxed(WITHHOLDER, &bought);
        let item = item(&taxes, "tds").expect(nature);
        assert_eq!(
            (item.rate, item.amount.to_string()),
            (Some(dec(rate)), tax.to_owned()),
            "{nature} {person}"
        );
        assert_eq!((item.base, item.effect), (dec("11500"), Effect::Withheld));
        assert_eq!(taxes.citations[item.citation as usize].source, "SRO 273/2026");
        assert_eq!(codes(&taxes).contains(&"tds-without-return"), proof.is_empty(), "{nature}");
    }
}

#[test]
fn who_is_not_said_to_be_natural_bears_the_higher_rate() {
    let mut bought = purchase(vec![with(line("standard", "10000"), "tds", "professional")]);
    bought.supplier.attributes.set("proof_of_return", "true");
    let taxes = taxed(WITHHOLDER, &bought);
    assert_eq!(amount(&taxes, "tds"), "1725.00");
    assert!(codes(&taxes).contains(&"tds-person-unknown"));
}

#[test]
fn the_base_is_as_configured_and_the_highest_of_contract_bill_and_payment() {
    let mut bought = purchase(vec![with(line("standard", "10000"), "tds", "contract")]);
    bought.supplier.attributes.set("proof_of_return", "true");
    let without = r#"{"withholding":{"income_tax":true},"income_tax":{"base":"without-vat"}}"#;
    assert_eq!(amount(&taxed(without, &bought), "tds"), "500.00");
    for (name, value, tax) in [
        ("contract_value", "20000", "1000.00"),
        ("payment_value", "12000", "600.00"),
        ("payment_value", "9000", "500.00"),
    ] {
        let mut raised = bought.clone();
        raised.lines[0] = with(raised.lines[0].clone(), name, value);
        let taxes = taxed(without, &raised);
        assert_eq!(amount(&taxes, "tds"), tax, "{name} {value}");
        assert_eq!(codes(&taxes).contains(&"tds-base-raised"), tax != "500.00");
    }
    bought.lines[0] = with(bought.lines[0].clone(), "contract_value", "much");
    assert_eq!(native(without, &bought).expect_err("no amount")[0].code, "amount-invalid");
}

#[test]
fn before_the_order_and_for_an_unknown_nature_no_rate_is_known() {
    let mut bought = purchase(vec![with(line("standard", "10000"), "tds", "contract")]);
    bought.tax_date = niyam_sdk::Date::constant(2026, 6, 30);
    assert_eq!(native(WITHHOLDER, &bought).expect_err("before July 2026")[0].code, "rate-not-known");
    bought.tax_date = niyam_sdk::Date::constant(2026, 7, 1);
    taxed(WITHHOLDER, &bought);
    bought.lines[0] = with(bought.lines[0].clone(), "tds", "gift");
    let refused = native(WITHHOLDER, &bought).expect_err("no such nature");
    assert_eq!(
        (refused[0].code.as_str(), refused[0].pointer.as_deref()),
        ("tds-nature-unknown", Some("/lines/0/attributes/tds"))
    );
}

#[test]
fn a_customer_deducts_both_from_its_supplier() {
    let mut sold = withheld(invoice(vec![with(line("S032.00", "10000"), "tds", "professional")]));
    sold.customer.attributes.set("deducts_income_tax", "true");
    sold.supplier.attributes.set("person", "other");
    let config = r#"{"income_tax":{"proof_of_return":true}}"#;
    let taxes = taxed(config, &sold);
    assert_eq!((amount(&taxes, "vds"), amount(&taxes, "tds")), ("1500.00".into(), "862.50".into()));
    assert_eq!(taxes.payable.to_string(), "9137.50");
    assert_eq!(amount(&taxed("{}", &sold), "tds"), "1293.75");
}

#[test]
fn a_price_after_deduction_is_grossed_up_both_ways() {
    for (base, mode, price, net, tds, received) in [
        // 9000 / (1 - 10%) = 10000; its VAT is on top.
        ("without-vat", PriceMode::Exclusive, "9000", "10000.00", "1000.00", "10500.00"),
        // 8850 / (1 - 10% × 1.15) = 10000.
        ("with-vat", PriceMode::Exclusive, "8850", "10000.00", "1150.00", "10350.00"),
        // 10350 / (1 - 10%) = 11500, of which 1500 are VAT.
        ("with-vat", PriceMode::Inclusive, "10350", "10000.00", "1150.00", "10350.00"),
        // 10500 / (1 - 10% / 1.15) = 11500.
        ("without-vat", PriceMode::Inclusive, "10500", "10000.00", "1000.00", "10500.00"),
    ] {
        let config = format!(r#"{{"withholding":{{"income_tax":true}},"income_tax":{{"base":"{base}"}}}}"#);
        let plain = with(line("standard", price), "tds", "service");
        let mut bought = purchase(vec![with(plain, "gross_up", "true")]);
        bought.price_mode = mode;
        bought.supplier.attributes.set("proof_of_return", "true");
        let taxes = taxed(&config, &bought);
        let found = [taxes.net.to_string(), amount(&taxes, "tds"), taxes.payable.to_string()];
        assert_eq!(found, [net, tds, received], "{base} {mode:?}");
        // The other way: the whole price gives the same deduction.
        bought.lines[0] = with(
            line("standard", if mode == PriceMode::Exclusive { "10000" } else { "11500" }),
            "tds",
            "service",
        );
        bought.lines[0].id = "l0".into();
        assert_eq!(amount(&taxed(&config, &bought), "tds"), tds, "{base} {mode:?}");
    }
}

#[test]
fn what_cannot_be_grossed_up_is_refused() {
    let gross_up = |priced| with(with(priced, "tds", "service"), "gross_up", "true");
    let gold = niyam_sdk::Line { unit: "bhori".into(), ..line("gold", "200000") };
    for priced in [
        gold,
        with(line("standard", "1000"), "contract_value", "9"),
        crate::build::with_duty(line("standard", "1"), "20"),
    ] {
        let refused = native(WITHHOLDER, &purchase(vec![gross_up(priced)])).expect_err("no gross-up");
        assert!(refused.iter().any(|finding| finding.code == "gross-up-not-possible"), "{refused:?}");
    }
}

#[test]
fn the_recipient_accounts_for_the_vat_of_a_service_from_abroad() {
    let bought = purchase(vec![line("imported-services", "10000")]);
    for mode in [PriceMode::Exclusive, PriceMode::Inclusive] {
        let taxes = taxed(WITHHOLDER, &Document { price_mode: mode, ..bought.clone() });
        let vat = item(&taxes, "vat-reverse-charge").expect("the recipient's tax");
        assert_eq!(
            (vat.amount.to_string(), vat.effect, vat.recoverable),
            ("1500.00".into(), Effect::Informative, true)
        );
        assert_eq!((taxes.net, taxes.gross, taxes.payable), (dec("10000"), dec("10000"), dec("10000")));
        assert_eq!(taxes.citations[vat.citation as usize].article, "s.20");
    }
    let sold = Document { direction: Direction::Sale, ..bought.clone() };
    assert_eq!(amount(&taxed("{}", &sold), "vat"), "1500.00");
    let early = Document { tax_date: niyam_sdk::Date::constant(2026, 6, 30), ..bought };
    assert_eq!(native("{}", &early).expect_err("not known")[0].code, "rate-not-known");
}

#[test]
fn a_tenants_own_codes_and_rates_stand_in() {
    let config = r#"{"withholding":{"income_tax":true},
        "supply_codes":{"CONSULT":{"code":"S032.00","tds":"professional"},"FLAT":{"code":"S010.20","variant":"1601sft+"}},
        "overrides":[{"code":"S007.20","percent":"5","first_day":"2026-07-01","basis":"SRO 999/2026"}]}"#;
    let mut bought = purchase(vec![line("CONSULT", "10000"), line("FLAT", "1000"), line("S007.20", "1000")]);
    bought.supplier.attributes.set("proof_of_return", "true");
    bought.supplier.attributes.set("person", "other");
    let taxes = taxed(config, &bought);
    let vat: Vec<String> = taxes.lines.iter().map(|line| line.taxes[0].amount.to_string()).collect();
    assert_eq!(vat, ["1500.00", "45.00", "50.00"]);
    assert_eq!(amount(&taxes, "tds"), "862.50");
    let cited = taxes.lines[2].taxes[0].citation as usize;
    assert_eq!(taxes.citations[cited].article, "SRO 999/2026");
    bought.lines[0].supply_code = "UNKNOWN".into();
    assert_eq!(native(config, &bought).expect_err("no such code")[0].code, "supply-code-unknown");
}
