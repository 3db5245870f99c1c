//! The Bangladesh compliance pack: VAT, supplementary duty, VAT deducted at source, identifiers, Mushak-6.3.
//!
//! The law is data (`data/*.csv`, with sources and days) that the build turns into [`tables`]; the code is how the
//! law computes. The README lists every code, and what is not verified.
//!
//! In the order of a call: [`rates`] finds what a supply bears on a day, `determine` and `line` tax a document by it,
//! `issue` says how it becomes an invoice, `mushak63` draws that paper.

mod accounts;
mod calendar;
mod config;
mod determine;
mod identifiers;
mod issue;
mod line;
mod mushak63;
pub mod rates;
pub mod tables;

use niyam_sdk::{
    AccountTemplate, ComplianceModule, Context, Date, Determination, Direction, Document, Finding,
    FiscalPeriod, Form, IssueFacts, IssuePlan, Manifest,
};

/// The pack.
#[derive(Debug)]
pub struct VatBd;

niyam_sdk::export_compliance!(VatBd);

impl ComplianceModule for VatBd {
    fn manifest() -> Manifest {
        Manifest {
            id: "vat-bd".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            title: "Bangladesh: VAT and supplementary duty".to_owned(),
            jurisdictions: vec!["BD".to_owned()],
            config_schema: config::SCHEMA.to_owned(),
            config_default: config::DEFAULT.trim().to_owned(),
        }
    }

    fn determine(context: &Context, document: &Document) -> Result<Determination, Vec<Finding>> {
        determine::determine(context, document)
    }

    fn check_identifier(_context: &Context, kind: &str, value: &str) -> Result<String, Vec<Finding>> {
        identifiers::check(kind, value)
    }

    fn fiscal_period_of(_context: &Context, day: Date) -> FiscalPeriod {
        calendar::period_of(day)
    }

    fn prepare_issue(
        _context: &Context,
        document: &Document,
        taxes: &Determination,
        issued_on: Date,
    ) -> Result<IssuePlan, Vec<Finding>> {
        issue::prepare(document, taxes, issued_on)
    }

    fn form_codes(_context: &Context, document: &Document) -> Vec<String> {
        let drawn = document.kind == "invoice" && document.direction == Direction::Sale;
        if drawn { vec![issue::MUSHAK_63.to_owned()] } else { Vec::new() }
    }

    fn draw_form(
        context: &Context,
        code: &str,
        document: &Document,
        taxes: &Determination,
        facts: &IssueFacts,
    ) -> Result<Form, Vec<Finding>> {
        if code == issue::MUSHAK_63 {
            return mushak63::draw(context, document, taxes, facts);
        }
        let message = format!("the pack draws {}, no other paper", issue::MUSHAK_63);
        Err(vec![Finding::error("form-not-offered", message)])
    }

    fn chart_of_accounts(_context: &Context) -> Vec<AccountTemplate> {
        accounts::chart()
    }

    fn check_account_code(_context: &Context, code: &str) -> Result<(), Vec<Finding>> {
        accounts::check_code(code)
    }
}
