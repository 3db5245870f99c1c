//! 13 % on everything, from the first day of its law on.

use niyam_sdk::{
    Citation, Context, Date, Decimal, Determination, Document, Effect, Finding, LineTaxes, Manifest,
    PriceMode, TaxItem, TaxModule, round_half_up,
};

/// First day of the law.
const IN_FORCE: Date = Date::constant(2026, 7, 1);

/// The module.
struct Tax13;

niyam_sdk::export_tax!(Tax13);

impl TaxModule for Tax13 {
    fn manifest() -> Manifest {
        Manifest {
            id: "tax-13-rust".into(),
            version: "1.0.0".into(),
            title: "13 percent on everything".into(),
            jurisdictions: Vec::new(),
            config_schema: r#"{"type":"object","additionalProperties":false,"properties":{"rate":{"type":"string","pattern":"^[0-9]{1,2}(\\.[0-9]{1,2})?$"}}}"#.into(),
            config_default: r#"{"rate":"13"}"#.into(),
        }
    }

    fn determine(context: &Context, document: &Document) -> Result<Determination, Vec<Finding>> {
        if document.tax_date < IN_FORCE {
            let begins =
                Finding::error("not-in-force", "the tax begins on 2026-07-01").at("/tax_date").citing(law());
            return Err(vec![begins]);
        }
        if document.price_mode == PriceMode::Inclusive {
            let finding = Finding::error("price-mode-not-offered", "prices must be without the tax");
            return Err(vec![finding.at("/price_mode")]);
        }
        let rate = rate(context.config());
        let rounded = |amount: Decimal| round_half_up(amount, document.minor_units.into());
        let lines: Vec<LineTaxes> = document
            .lines
            .iter()
            .map(|line| {
                let net = rounded(line.quantity * line.unit_price - line.discount);
                let amount = rounded(net * rate / Decimal::ONE_HUNDRED);
                LineTaxes {
                    line_id: line.id.clone(),
                    net,
                    taxes: vec![item(rate, net, amount)],
                    gross: net + amount,
                }
            })
            .collect();
        let sum = |of: fn(&LineTaxes) -> Decimal| {
            lines.iter().map(of).fold(rounded(Decimal::ZERO), |sum, one| sum + one)
        };
        let (net, gross) = (sum(|line| line.net), sum(|line| line.gross));
        Ok(Determination {
            net,
            tax_added: gross - net,
            tax_withheld: rounded(Decimal::ZERO),
            gross,
            payable: gross,
            lines,
            citations: vec![law()],
            findings: Vec::new(),
        })
    }
}

fn item(rate: Decimal, base: Decimal, amount: Decimal) -> TaxItem {
    TaxItem {
        code: "tax".into(),
        rate: Some(rate),
        base,
        amount,
        effect: Effect::Added,
        recoverable: true,
        citation: 0,
    }
}

fn law() -> Citation {
    Citation {
        source: "The example's tax act".into(),
        article: "s.13".into(),
        effective_from: Some(IN_FORCE),
    }
}

/// The rate that the configuration sets, in percent; the host has checked it against the schema.
fn rate(config: &str) -> Decimal {
    serde_json::from_str::<serde_json::Value>(config)
        .ok()
        .and_then(|config| config["rate"].as_str()?.parse().ok())
        .unwrap_or(Decimal::from(13))
}
