//! A call of a module as JSON: `{"function": "determine", "arguments": {"document": {…}}}`.

use niyam_modules::{Decided, Findings, Module, ModuleFailure};
use niyam_values::policy::Request;
use niyam_values::workflow::{Input, Subject};
use niyam_values::{Date, Determination, Document, IssueFacts};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::fixture::Outcome;

/// A function of the contract with its arguments, each by the contract's name in `snake_case`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "function", content = "arguments", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Invocation {
    /// Interface `tax`.
    Determine {
        /// What is to be taxed.
        document: Document,
    },
    /// Interface `compliance`.
    CheckIdentifier {
        /// For example `bin`.
        kind: String,
        /// As it was typed.
        value: String,
    },
    /// Interface `compliance`.
    FiscalPeriodOf {
        /// The day.
        day: Date,
    },
    /// Interface `compliance`.
    PrepareIssue {
        /// What is to be issued.
        document: Document,
        /// What it bears.
        taxes: Determination,
        /// The day.
        issued_on: Date,
    },
    /// Interface `compliance`.
    FormCodes {
        /// What is to be printed.
        document: Document,
    },
    /// Interface `compliance`.
    DrawForm {
        /// Which paper.
        code: String,
        /// What is to be printed.
        document: Document,
        /// What it bears.
        taxes: Determination,
        /// What is known since it was issued.
        facts: IssueFacts,
    },
    /// Interface `policy`.
    Evaluate {
        /// The command that is about to commit.
        request: Request,
    },
    /// Interface `workflow`.
    Advance {
        /// What it is about.
        subject: Subject,
        /// The state of the step before; empty at the start.
        state: String,
        /// What happened.
        input: Input,
    },
}

/// What came of a call, and its fuel where it was answered.
pub(crate) struct Called {
    pub(crate) outcome: Outcome,
    pub(crate) fuel: Option<u64>,
    /// Why there is no answer, for a person.
    pub(crate) reason: Option<String>,
}

impl Invocation {
    /// Calls `module` as the server does.
    pub(crate) fn call(&self, module: &Module, config: &str) -> Called {
        match self {
            Self::Determine { document } => refusable(module.determine(config, document)),
            Self::CheckIdentifier { kind, value } => refusable(module.check_identifier(config, kind, value)),
            Self::FiscalPeriodOf { day } => answered(module.fiscal_period_of(config, *day)),
            Self::PrepareIssue { document, taxes, issued_on } => {
                refusable(module.prepare_issue(config, document, taxes, *issued_on))
            }
            Self::FormCodes { document } => answered(module.form_codes(config, document)),
            Self::DrawForm { code, document, taxes, facts } => {
                refusable(module.draw_form(config, code, document, taxes, facts))
            }
            Self::Evaluate { request } => answered(module.evaluate(config, request)),
            Self::Advance { subject, state, input } => {
                refusable(module.advance(config, subject, state, input))
            }
        }
    }
}

fn refusable<T: Serialize>(called: Result<Decided<Result<T, Findings>>, ModuleFailure>) -> Called {
    match called {
        Ok(Decided { answer: Ok(answer), decision }) => done(Outcome::Answer(value(&answer)), decision.fuel),
        Ok(Decided { answer: Err(findings), decision }) => {
            done(Outcome::Refused(value(&findings)), decision.fuel)
        }
        Err(failure) => failed(&failure),
    }
}

fn answered<T: Serialize>(called: Result<Decided<T>, ModuleFailure>) -> Called {
    match called {
        Ok(Decided { answer, decision }) => done(Outcome::Answer(value(&answer)), decision.fuel),
        Err(failure) => failed(&failure),
    }
}

fn done(outcome: Outcome, fuel: u64) -> Called {
    Called { outcome, fuel: Some(fuel), reason: None }
}

fn failed(failure: &ModuleFailure) -> Called {
    let outcome = Outcome::Failed(failure.code().to_owned());
    Called { outcome, fuel: None, reason: Some(failure.to_string()) }
}

fn value(answer: &impl Serialize) -> Value {
    serde_json::to_value(answer).unwrap_or_else(|error| json!({ "unwritable": error.to_string() }))
}
