//! Misbehaves on demand, for tests of the sandbox: the first line's supply code says how. Anything else it taxes.
//!
//! It is also the example of how little a module is: a struct, one trait, one macro.

use niyam_sdk::{
    Citation, ComplianceModule, Context, Date, Decimal, Determination, Document, Effect, Finding,
    FiscalPeriod, Form, IssueFacts, IssuePlan, Label, LineTaxes, Manifest, TaxItem, round_half_up,
};

mod misbehaviour;

struct Unruly;

niyam_sdk::export_compliance!(Unruly);

impl ComplianceModule for Unruly {
    fn manifest() -> Manifest {
        Manifest {
            id: "unruly".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            title: "Misbehaves on demand".into(),
            jurisdictions: Vec::new(),
            config_schema: r#"{"type":"object","properties":{"rate":{"type":"string","pattern":"^[0-9]{1,2}$"}},"additionalProperties":false}"#.into(),
            config_default: r#"{"rate":"13"}"#.into(),
        }
    }

    fn determine(context: &Context, document: &Document) -> Result<Determination, Vec<Finding>> {
        let wish = document.lines.first().map_or("", |line| line.supply_code.as_str());
        if let Some(answer) = misbehaviour::answer(context, wish) {
            return answer;
        }
        let rate = rate(context);
        let lines: Vec<LineTaxes> = document
            .lines
            .iter()
            .map(|line| {
                let net = line.quantity * line.unit_price - line.discount;
                let vat = TaxItem {
                    code: "vat".into(),
                    rate: Some(rate),
                    base: net,
                    amount: round_half_up(net * rate / Decimal::ONE_HUNDRED, document.minor_units.into()),
                    effect: Effect::Added,
                    recoverable: true,
                    citation: 0,
                };
                LineTaxes { line_id: line.id.clone(), net, gross: net + vat.amount, taxes: vec![vat] }
            })
            .collect();
        let net = lines.iter().map(|line| line.net).sum();
        let gross = lines.iter().map(|line| line.gross).sum();
        Ok(Determination {
            lines,
            net,
            tax_added: gross - net,
            tax_withheld: Decimal::ZERO,
            gross,
            payable: gross,
            citations: vec![Citation { source: "No law".into(), article: "1".into(), effective_from: None }],
            findings: Vec::new(),
        })
    }

    fn check_identifier(_context: &Context, _kind: &str, value: &str) -> Result<String, Vec<Finding>> {
        match value.trim() {
            "" => Err(vec![Finding::error("identifier-empty", "there is no identifier").at("/value")]),
            value => Ok(value.to_owned()),
        }
    }

    fn fiscal_period_of(_context: &Context, day: Date) -> FiscalPeriod {
        FiscalPeriod {
            code: format!("{:04}-{:02}", day.year(), day.month()),
            fiscal_year: day.year().to_string(),
            starts: Date::constant(day.year(), day.month(), 1),
            ends: Date::constant(day.year(), day.month(), day.days_in_month()),
        }
    }

    fn prepare_issue(
        _context: &Context,
        _document: &Document,
        _taxes: &Determination,
        _issued_on: Date,
    ) -> Result<IssuePlan, Vec<Finding>> {
        Ok(IssuePlan {
            form: "plain-invoice".into(),
            series: "plain-invoice/2026".into(),
            number_pattern: "P-{serial}".into(),
            findings: Vec::new(),
        })
    }

    fn form_codes(_context: &Context, _document: &Document) -> Vec<String> {
        vec!["plain-invoice".into()]
    }

    fn draw_form(
        _context: &Context,
        code: &str,
        _document: &Document,
        _taxes: &Determination,
        facts: &IssueFacts,
    ) -> Result<Form, Vec<Finding>> {
        let title = Label { lang: "en".into(), text: format!("Invoice {}", facts.number) };
        Ok(Form { code: code.into(), titles: vec![title], blocks: Vec::new() })
    }
}

/// The configured rate, in percent. The host has checked the configuration: `rate` is its only key.
fn rate(context: &Context) -> Decimal {
    match context.config().split('"').nth(3) {
        Some(rate) => rate.parse().expect("the schema admits only digits"),
        None => Decimal::from(13),
    }
}

#[cfg(test)]
mod tests {
    use niyam_sdk::{Direction, Level, Line, Party, PriceMode};

    use super::*;

    #[test]
    fn taxes_what_it_does_not_break() {
        let answer =
            Unruly::determine(&Context::native(r#"{"rate": "10"}"#), &document("goods")).expect("an answer");
        assert_eq!(answer.tax_added.to_string(), "20.00");
        let answer = Unruly::determine(&Context::native("{}"), &document("goods")).expect("an answer");
        assert_eq!(answer.payable.to_string(), "226.00");
    }

    #[test]
    fn floods_the_log_when_asked() {
        let context = Context::native("{}");
        assert!(Unruly::determine(&context, &document("log")).is_err());
        assert_eq!(context.logged().len(), misbehaviour::FLOOD_LINES);
        assert!(context.logged().iter().all(|(level, _)| *level == Level::Warn));
    }

    fn document(supply_code: &str) -> Document {
        let party = Party {
            id: String::new(),
            name: "Somebody".into(),
            address: None,
            country: "BD".into(),
            identifiers: Vec::new(),
            attributes: niyam_sdk::Attributes::new(),
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
                attributes: niyam_sdk::Attributes::new(),
            }],
            attributes: niyam_sdk::Attributes::new(),
        }
    }
}
