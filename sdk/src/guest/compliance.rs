//! World `compliance-module`.

use std::marker::PhantomData;

use super::bindings::exports::niyam::rules::compliance::{
    AccountTemplate, FiscalPeriod, Form, Guest, IssueFacts, IssuePlan, Obligation, OpeningBalance,
    RegisterEntry,
};
use super::bindings::exports::niyam::rules::{module, tax};
use super::bindings::niyam::rules::types::{Date, Finding};
use super::context;
use super::convert::{answer, list};
use crate::ComplianceModule;

/// Exports a [`ComplianceModule`].
pub struct Compliance<T>(PhantomData<T>);

impl<T: ComplianceModule> module::Guest for Compliance<T> {
    fn describe() -> module::Manifest {
        T::manifest().into()
    }
}

impl<T: ComplianceModule> tax::Guest for Compliance<T> {
    fn determine(document: tax::Document) -> Result<tax::Determination, Vec<Finding>> {
        answer(T::determine(&context(), &document.into()))
    }
}

impl<T: ComplianceModule> Guest for Compliance<T> {
    fn check_identifier(kind: String, value: String) -> Result<String, Vec<Finding>> {
        answer(T::check_identifier(&context(), &kind, &value))
    }

    fn fiscal_period_of(day: Date) -> FiscalPeriod {
        T::fiscal_period_of(&context(), day.into()).into()
    }

    fn obligations(period: FiscalPeriod) -> Vec<Obligation> {
        list(T::obligations(&context(), &period.into()))
    }

    fn prepare_issue(
        document: tax::Document,
        taxes: tax::Determination,
        issued_on: Date,
    ) -> Result<IssuePlan, Vec<Finding>> {
        answer(T::prepare_issue(&context(), &document.into(), &taxes.into(), issued_on.into()))
    }

    fn form_codes(document: tax::Document) -> Vec<String> {
        T::form_codes(&context(), &document.into())
    }

    fn draw_form(
        code: String,
        document: tax::Document,
        taxes: tax::Determination,
        facts: IssueFacts,
    ) -> Result<Form, Vec<Finding>> {
        answer(T::draw_form(&context(), &code, &document.into(), &taxes.into(), &facts.into()))
    }

    fn draw_return(
        code: String,
        period: FiscalPeriod,
        entries: Vec<RegisterEntry>,
        opening: Vec<OpeningBalance>,
    ) -> Result<Form, Vec<Finding>> {
        answer(T::draw_return(&context(), &code, &period.into(), &list(entries), &list(opening)))
    }

    fn chart_of_accounts() -> Vec<AccountTemplate> {
        list(T::chart_of_accounts(&context()))
    }

    fn check_account_code(code: String) -> Result<(), Vec<Finding>> {
        answer(T::check_account_code(&context(), &code))
    }
}
