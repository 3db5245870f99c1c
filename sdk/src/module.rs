//! One trait per world of the contract.

use crate::{
    AccountTemplate, Context, Date, Determination, Document, Finding, FiscalPeriod, Form, IssueFacts,
    IssuePlan, Manifest, Obligation, OpeningBalance, RegisterEntry, policy, workflow,
};

/// A module of world `tax-module`: what tax a document bears.
pub trait TaxModule {
    /// What the host may know of the module without trusting it.
    fn manifest() -> Manifest;

    /// What tax `document` bears: same document, same configuration, same answer, for ever.
    ///
    /// # Errors
    /// Findings, at least one of them an error, when the document cannot be taxed as it stands.
    fn determine(context: &Context, document: &Document) -> Result<Determination, Vec<Finding>>;
}

/// A module of world `compliance-module`: one country's taxes, identifiers, calendar and papers.
///
/// What a pack does not offer yet keeps its default, which says so in the pack's name.
pub trait ComplianceModule {
    /// What the host may know of the module without trusting it.
    fn manifest() -> Manifest;

    /// What tax `document` bears: same document, same configuration, same answer, for ever.
    ///
    /// # Errors
    /// Findings, at least one of them an error, when the document cannot be taxed as it stands.
    fn determine(context: &Context, document: &Document) -> Result<Determination, Vec<Finding>>;

    /// The normal form of one identifier (`bin`, `etin`, `nid` …).
    ///
    /// # Errors
    /// Findings when `value` is not one, or `kind` is unknown.
    fn check_identifier(context: &Context, kind: &str, value: &str) -> Result<String, Vec<Finding>>;

    /// The tax period that holds `day`.
    fn fiscal_period_of(context: &Context, day: Date) -> FiscalPeriod;

    /// How a document is issued on `issued_on`: its paper and its number's series.
    ///
    /// # Errors
    /// Findings when the law forbids to issue it as it stands.
    fn prepare_issue(
        context: &Context,
        document: &Document,
        taxes: &Determination,
        issued_on: Date,
    ) -> Result<IssuePlan, Vec<Finding>>;

    /// Codes of the papers that can be drawn for `document`.
    fn form_codes(context: &Context, document: &Document) -> Vec<String>;

    /// Draws the paper `code` of an issued document.
    ///
    /// # Errors
    /// Findings when there is no such paper, or a mandatory field is missing.
    fn draw_form(
        context: &Context,
        code: &str,
        document: &Document,
        taxes: &Determination,
        facts: &IssueFacts,
    ) -> Result<Form, Vec<Finding>>;

    /// What must be filed or paid for `period`; by default nothing is known.
    fn obligations(_context: &Context, _period: &FiscalPeriod) -> Vec<Obligation> {
        Vec::new()
    }

    /// Draws a register or a return; by default the pack offers none. The last of the entries is of kind `return`: its
    /// supplier is the tenant, its facts say who draws or files it, and on which day.
    ///
    /// # Errors
    /// Findings when there is no such return, or its figures do not allow it.
    fn draw_return(
        _context: &Context,
        code: &str,
        _period: &FiscalPeriod,
        _entries: &[RegisterEntry],
        _opening: &[OpeningBalance],
    ) -> Result<Form, Vec<Finding>> {
        Err(vec![Finding::error("return-not-offered", format!("this pack draws no return {code}"))])
    }

    /// The accounts that a new chart starts with; by default the pack prescribes none.
    fn chart_of_accounts(_context: &Context) -> Vec<AccountTemplate> {
        Vec::new()
    }

    /// Whether `code` may be an account's code; by default the pack has no rule for it.
    ///
    /// # Errors
    /// Findings when the country's rule forbids it.
    fn check_account_code(_context: &Context, _code: &str) -> Result<(), Vec<Finding>> {
        Ok(())
    }
}

/// A module of world `policy-module`: a tenant's own business rule, asked before a command commits.
pub trait PolicyModule {
    /// What the host may know of the module without trusting it.
    fn manifest() -> Manifest;

    /// Whether the command may commit: same request, same configuration, same ruling, for ever.
    fn evaluate(context: &Context, request: &policy::Request) -> policy::Ruling;
}

/// A module of world `workflow-module`: a pure transition. The host keeps the state, the clock, the people and the
/// timers.
pub trait WorkflowModule {
    /// What the host may know of the module without trusting it.
    fn manifest() -> Manifest;

    /// What follows from `input`. `state` is the text of the step before, empty at the start.
    ///
    /// # Errors
    /// Findings, at least one of them an error, when `input` does not fit the state.
    fn advance(
        context: &Context,
        subject: &workflow::Subject,
        state: &str,
        input: &workflow::Input,
    ) -> Result<workflow::Transition, Vec<Finding>>;
}
