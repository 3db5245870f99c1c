//! Given a chart, when an invoice is issued, then an entry by roles.

use niyam_values::{Determination, LineTaxes, TaxItem};
use uuid::Uuid;

use super::*;
use crate::accounts::tests::chart;
use crate::decision::Assessment;
use crate::invoice::tests::{decision, document};

fn tax(code: &str, amount: &str, effect: Effect) -> TaxItem {
    TaxItem {
        code: code.to_owned(),
        rate: None,
        base: Decimal::ONE,
        amount: amount.parse().unwrap(),
        effect,
        recoverable: false,
        citation: 0,
    }
}

fn assessment(net: &str, taxes: Vec<TaxItem>) -> Assessment {
    let net: Decimal = net.parse().unwrap();
    let sum = |effect| taxes.iter().filter(|item| item.effect == effect).map(|item| item.amount).sum();
    let (added, withheld): (Decimal, Decimal) = (sum(Effect::Added), sum(Effect::Withheld));
    Assessment {
        document: document(),
        taxes: Determination {
            lines: vec![LineTaxes { line_id: "1".to_owned(), net, taxes, gross: net + added }],
            net,
            tax_added: added,
            tax_withheld: withheld,
            gross: net + added,
            payable: net + added - withheld,
            citations: Vec::new(),
            findings: Vec::new(),
        },
        decision: decision("determine"),
    }
}

fn post(chart: &Chart, id: InvoiceId, assessment: &Assessment) -> Result<Option<Entry>, Rejection> {
    post_document(chart, id, (&assessment.document, &assessment.taxes), "1")
}

fn posted(chart: &Chart, assessment: &Assessment) -> Vec<String> {
    let id = InvoiceId(Uuid::from_u128(7));
    let entry =
        post_document(chart, id, (&assessment.document, &assessment.taxes), "1/2026-2027").unwrap().unwrap();
    assert_eq!(entry.date, assessment.document.tax_date);
    let shown = |line: &JournalLine| {
        let side = if line.side == Side::Debit { "dr" } else { "cr" };
        format!("{side} {} {}", line.account, line.amount)
    };
    entry.lines.as_slice().iter().map(shown).collect()
}

#[test]
fn the_customer_owes_the_gross_and_each_tax_has_its_account() {
    let taxes = vec![
        tax("vat", "150.00", Effect::Added),
        tax("sd", "20.00", Effect::Added),
        tax("vds", "50.00", Effect::Withheld),
        tax("ait", "9.00", Effect::Informative),
    ];
    assert_eq!(
        posted(&chart(), &assessment("1000", taxes)),
        ["dr 1102 1170.00", "cr 4001 1000.00", "cr 2201 150.00", "cr 2202 20.00"]
    );
}

#[test]
fn what_rounding_leaves_is_posted_too() {
    let taxes = vec![tax("vat", "0.004", Effect::Added), tax("sd", "0.004", Effect::Added)];
    assert_eq!(
        posted(&chart(), &assessment("10", taxes)),
        ["dr 1102 10.01", "cr 4001 10.00", "cr 4002 0.01"]
    );
}

#[test]
fn a_document_of_nothing_has_no_entry() {
    let id = InvoiceId(Uuid::from_u128(7));
    assert_eq!(post(&chart(), id, &assessment("0", Vec::new())), Ok(None));
}

#[test]
fn a_role_without_an_account_is_told() {
    let mut chart = chart();
    chart.roles.retain(|role, _| role.as_str() != "revenue");
    let refused = post(&chart, InvoiceId(Uuid::from_u128(7)), &assessment("1", Vec::new()));
    let Err(Rejection::Findings(findings)) = refused else { panic!("{refused:?}") };
    assert_eq!(findings[0].code, "account-role-unassigned");
    assert!(findings[0].message.ends_with("revenue"));
}

#[test]
fn what_no_entry_may_hold_is_refused() {
    let refused = |assessment: &Assessment| {
        let id = InvoiceId(Uuid::from_u128(7));
        let Err(Rejection::Findings(findings)) = post(&chart(), id, assessment) else {
            return None;
        };
        Some((findings[0].code.clone(), findings[0].pointer.clone().unwrap()))
    };
    assert_eq!(refused(&assessment("999999999999.99", Vec::new())), None);
    let large = refused(&assessment("1000000000000", Vec::new())).unwrap();
    assert_eq!(large, ("number-out-of-range".to_owned(), "/lines".to_owned()));
    // Receivable and revenue are two of the lines.
    let taxes =
        |count: usize| (0..count).map(|code| tax(&format!("t{code}"), "1.00", Effect::Added)).collect();
    assert_eq!(refused(&assessment("1.00", taxes(LINES_OF_ENTRY_MAX - 2))), None);
    let many = refused(&assessment("1.00", taxes(LINES_OF_ENTRY_MAX - 1))).unwrap();
    assert_eq!(many, ("entry-lines-count".to_owned(), "/lines".to_owned()));
    // Sums that no decimal holds are refused as well, and nothing panics.
    let signed = |amounts: [&str; 3]| amounts.map(|amount| tax(amount, amount, Effect::Added)).to_vec();
    let most = "50000000000000000000000000000";
    let far = assessment("0", signed(["-50000000000000000000000000000", most, "1"]));
    assert_eq!(refused(&far).unwrap().0, "number-out-of-range");
}
