//! The smallest compliance pack: a country that taxes nothing, numbers by year and prints a plain invoice.

use niyam_sdk::{
    Block, Cell, ComplianceModule, Context, Date, Decimal, Determination, Document, Field, Finding,
    FiscalPeriod, Form, IssueFacts, IssuePlan, Label, LineTaxes, Manifest,
};

const PAPER: &str = "plain-invoice";

struct PlainPack;

niyam_sdk::export_compliance!(PlainPack);

impl ComplianceModule for PlainPack {
    fn manifest() -> Manifest {
        Manifest {
            id: "plain-pack".into(),
            version: "1.0.0".into(),
            title: "No tax, plain papers".into(),
            jurisdictions: Vec::new(),
            config_schema: r#"{"type":"object","additionalProperties":false}"#.into(),
            config_default: "{}".into(),
        }
    }

    fn determine(_: &Context, document: &Document) -> Result<Determination, Vec<Finding>> {
        let lines: Vec<LineTaxes> = document
            .lines
            .iter()
            .map(|line| (line, line.quantity * line.unit_price - line.discount))
            .map(|(line, net)| LineTaxes { line_id: line.id.clone(), net, taxes: Vec::new(), gross: net })
            .collect();
        let net = lines.iter().map(|line| line.net).sum();
        Ok(Determination {
            lines,
            net,
            tax_added: Decimal::ZERO,
            tax_withheld: Decimal::ZERO,
            gross: net,
            payable: net,
            citations: Vec::new(),
            findings: Vec::new(),
        })
    }

    fn check_identifier(_: &Context, kind: &str, _: &str) -> Result<String, Vec<Finding>> {
        let message = format!("no kind of identifier is called {kind}");
        Err(vec![Finding::error("identifier-kind-unknown", message).at("/kind")])
    }

    fn fiscal_period_of(_: &Context, day: Date) -> FiscalPeriod {
        let year = day.year().to_string();
        FiscalPeriod {
            code: year.clone(),
            fiscal_year: year,
            starts: day.first_of_year(),
            ends: day.last_of_year(),
        }
    }

    fn prepare_issue(
        _: &Context,
        _: &Document,
        _: &Determination,
        issued_on: Date,
    ) -> Result<IssuePlan, Vec<Finding>> {
        Ok(IssuePlan {
            form: PAPER.into(),
            series: format!("{PAPER}/{}", issued_on.year()),
            number_pattern: format!("{{serial}}/{}", issued_on.year()),
            findings: Vec::new(),
        })
    }

    fn form_codes(_: &Context, _: &Document) -> Vec<String> {
        vec![PAPER.into()]
    }

    fn draw_form(
        _: &Context,
        code: &str,
        _: &Document,
        taxes: &Determination,
        facts: &IssueFacts,
    ) -> Result<Form, Vec<Finding>> {
        if code != PAPER {
            return Err(vec![Finding::error("form-not-offered", format!("the pack draws {PAPER} alone"))]);
        }
        let label = |text: &str| vec![Label { lang: "en".into(), text: text.into() }];
        let field = |key: &str, text, value| Field { key: key.into(), labels: label(text), value };
        Ok(Form {
            code: PAPER.into(),
            titles: label("Invoice"),
            blocks: vec![Block::Fields(vec![
                field("number", "Number", Cell::Text(facts.number.clone())),
                field("issued_on", "Date", Cell::Day(facts.issued_on)),
                field("payable", "To pay", Cell::Amount(taxes.payable)),
            ])],
        })
    }
}
