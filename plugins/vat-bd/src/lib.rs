//! The Bangladesh compliance pack: taxes of documents, deductions at source, identifiers, calendar, Mushak papers,
//! registers and returns.
//!
//! The law is data (`data/*.csv`, with sources and days) that the build turns into [`tables`]; the code is how the
//! law computes. The README lists every code, and what is not verified.
//!
//! In the order of a call: [`rates`] finds what a supply bears on a day, `determine` and `line` tax a document by it,
//! `withholding` and `credit` say what is deducted and what may be set off, `issue` and `papers` make its paper, and
//! `returns` the registers and returns of a period. [`words`] writes amounts.

mod accounts;
mod amounts;
mod calendar;
mod config;
mod credit;
mod dates;
mod determine;
mod identifiers;
mod imports;
mod issue;
mod line;
mod movements;
mod mushak63;
mod papers;
pub mod rates;
mod returns;
mod statements;
pub mod tables;
mod turnover;
mod withholding;
pub mod words;

use niyam_sdk::{
    AccountTemplate, ComplianceModule, Context, Date, Determination, Document, Finding, FiscalPeriod, Form,
    IssueFacts, IssuePlan, Manifest, Obligation, OpeningBalance, RegisterEntry,
};

use config::Config;

/// The pack.
#[derive(Debug)]
pub struct VatBd;

niyam_sdk::export_compliance!(VatBd);

impl ComplianceModule for VatBd {
    fn manifest() -> Manifest {
        Manifest {
            id: "vat-bd".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            title: "Bangladesh: VAT, withholding, papers and returns".to_owned(),
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
        context: &Context,
        document: &Document,
        taxes: &Determination,
        issued_on: Date,
    ) -> Result<IssuePlan, Vec<Finding>> {
        let config = Config::of(context)?;
        if papers::prepares(&config, document) {
            return papers::prepare(&config, document, taxes, issued_on);
        }
        issue::prepare(document, taxes, issued_on)
    }

    fn form_codes(context: &Context, document: &Document) -> Vec<String> {
        let code = Config::of(context).ok().and_then(|config| papers::code_of(&config, document));
        code.map(str::to_owned).into_iter().collect()
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
        papers::draw(&Config::of(context)?, code, document, taxes, facts)
    }

    fn obligations(context: &Context, period: &FiscalPeriod) -> Vec<Obligation> {
        Config::of(context).map(|config| calendar::obligations(&config, period)).unwrap_or_default()
    }

    fn draw_return(
        context: &Context,
        code: &str,
        period: &FiscalPeriod,
        entries: &[RegisterEntry],
        opening: &[OpeningBalance],
    ) -> Result<Form, Vec<Finding>> {
        returns::draw(&Config::of(context)?, code, period, entries, opening)
    }

    fn chart_of_accounts(_context: &Context) -> Vec<AccountTemplate> {
        accounts::chart()
    }

    fn check_account_code(_context: &Context, code: &str) -> Result<(), Vec<Finding>> {
        accounts::check_code(code)
    }
}
