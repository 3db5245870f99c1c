//! The smallest module of use: one rate on everything.

use niyam_sdk::{
    Citation, Context, Decimal, Determination, Document, Effect, Finding, LineTaxes, Manifest, TaxItem,
    TaxModule, round_half_up,
};

/// The module.
pub struct FlatTax;

niyam_sdk::export_tax!(FlatTax);

impl TaxModule for FlatTax {
    fn manifest() -> Manifest {
        Manifest {
            id: "flat-tax".into(),
            version: "1.0.0".into(),
            title: "Five percent on everything".into(),
            jurisdictions: Vec::new(),
            config_schema: r#"{"type":"object","additionalProperties":false}"#.into(),
            config_default: "{}".into(),
        }
    }

    fn determine(_: &Context, document: &Document) -> Result<Determination, Vec<Finding>> {
        let rate = Decimal::from(5);
        let tax = |base: Decimal| TaxItem {
            code: "flat".into(),
            rate: Some(rate),
            base,
            amount: round_half_up(base * rate / Decimal::ONE_HUNDRED, document.minor_units.into()),
            effect: Effect::Added,
            recoverable: false,
            citation: 0,
        };
        let lines: Vec<LineTaxes> = document
            .lines
            .iter()
            .map(|line| (line, tax(line.quantity * line.unit_price - line.discount)))
            .map(|(line, tax)| LineTaxes {
                line_id: line.id.clone(),
                net: tax.base,
                gross: tax.base + tax.amount,
                taxes: vec![tax],
            })
            .collect();
        let (net, gross) =
            (lines.iter().map(|line| line.net).sum(), lines.iter().map(|line| line.gross).sum());
        Ok(Determination {
            lines,
            net,
            tax_added: gross - net,
            tax_withheld: Decimal::ZERO,
            gross,
            payable: gross,
            citations: vec![Citation {
                source: "The example".into(),
                article: "1".into(),
                effective_from: None,
            }],
            findings: Vec::new(),
        })
    }
}
