//! Values on their way out of a module: nothing is believed before it is checked.

use niyam_values as values;
use rust_decimal::Decimal;

use crate::bindings::exports::niyam::rules::{compliance, module, policy, tax, workflow};
use crate::bindings::niyam::rules::types;

/// What a module said that is no value of the contract.
pub(crate) type Invalid = String;

/// A value that a module gave, and ours for it.
pub(crate) trait Lift {
    /// Ours.
    type Value;

    /// Checks and converts.
    fn lift(self) -> Result<Self::Value, Invalid>;
}

impl<T: Lift> Lift for Vec<T> {
    type Value = Vec<T::Value>;

    fn lift(self) -> Result<Self::Value, Invalid> {
        self.into_iter().map(Lift::lift).collect()
    }
}

impl<T: Lift> Lift for Option<T> {
    type Value = Option<T::Value>;

    fn lift(self) -> Result<Self::Value, Invalid> {
        self.map(Lift::lift).transpose()
    }
}

impl Lift for String {
    type Value = Self;

    fn lift(self) -> Result<Self, Invalid> {
        Ok(self)
    }
}

/// Nothing more than that it is allowed.
impl Lift for () {
    type Value = Self;

    fn lift(self) -> Result<Self, Invalid> {
        Ok(())
    }
}

impl Lift for types::Decimal {
    type Value = Decimal;

    fn lift(self) -> Result<Decimal, Invalid> {
        let mantissa = (i128::from(self.high) << 64) | i128::from(self.low);
        Decimal::try_from_i128_with_scale(mantissa, self.scale.into())
            .map_err(|_| "a decimal with more than 96 bits or 28 places".to_owned())
    }
}

impl Lift for types::Date {
    type Value = values::Date;

    fn lift(self) -> Result<values::Date, Invalid> {
        let part = |number: u8| i8::try_from(number).ok();
        i16::try_from(self.year)
            .ok()
            .zip(part(self.month))
            .zip(part(self.day))
            .and_then(|((year, month), day)| values::Date::new(year, month, day).ok())
            .ok_or_else(|| format!("a date {}-{}-{} that does not exist", self.year, self.month, self.day))
    }
}

impl Lift for types::CitationResult {
    type Value = values::Citation;

    fn lift(self) -> Result<values::Citation, Invalid> {
        Ok(values::Citation {
            source: self.source,
            article: self.article,
            effective_from: self.effective_from.lift()?,
        })
    }
}

impl Lift for types::FindingResult {
    type Value = values::Finding;

    fn lift(self) -> Result<values::Finding, Invalid> {
        Ok(values::Finding {
            code: kebab(self.code)?,
            severity: match self.severity {
                types::Severity::Error => values::Severity::Error,
                types::Severity::Warning => values::Severity::Warning,
                types::Severity::Info => values::Severity::Info,
            },
            pointer: self.pointer,
            message: self.message,
            citation: self.citation.lift()?,
        })
    }
}

impl Lift for module::Manifest {
    type Value = values::Manifest;

    fn lift(self) -> Result<values::Manifest, Invalid> {
        Ok(values::Manifest {
            id: kebab(self.id)?,
            version: self.version,
            title: self.title,
            jurisdictions: self.jurisdictions,
            config_schema: self.config_schema,
            config_default: self.config_default,
        })
    }
}

impl Lift for tax::TaxItemResult {
    type Value = values::TaxItem;

    fn lift(self) -> Result<values::TaxItem, Invalid> {
        Ok(values::TaxItem {
            code: kebab(self.code)?,
            rate: self.rate.lift()?,
            base: self.base.lift()?,
            amount: self.amount.lift()?,
            effect: match self.effect {
                tax::Effect::Added => values::Effect::Added,
                tax::Effect::Withheld => values::Effect::Withheld,
                tax::Effect::Informative => values::Effect::Informative,
            },
            recoverable: self.recoverable,
            citation: self.citation,
        })
    }
}

impl Lift for tax::LineTaxesResult {
    type Value = values::LineTaxes;

    fn lift(self) -> Result<values::LineTaxes, Invalid> {
        Ok(values::LineTaxes {
            line_id: self.line_id,
            net: self.net.lift()?,
            taxes: self.taxes.lift()?,
            gross: self.gross.lift()?,
        })
    }
}

impl Lift for tax::DeterminationResult {
    type Value = values::Determination;

    fn lift(self) -> Result<values::Determination, Invalid> {
        Ok(values::Determination {
            lines: self.lines.lift()?,
            net: self.net.lift()?,
            tax_added: self.tax_added.lift()?,
            tax_withheld: self.tax_withheld.lift()?,
            gross: self.gross.lift()?,
            payable: self.payable.lift()?,
            citations: self.citations.lift()?,
            findings: self.findings.lift()?,
        })
    }
}

impl Lift for compliance::FiscalPeriodResult {
    type Value = values::FiscalPeriod;

    fn lift(self) -> Result<values::FiscalPeriod, Invalid> {
        Ok(values::FiscalPeriod {
            code: self.code,
            fiscal_year: self.fiscal_year,
            starts: self.starts.lift()?,
            ends: self.ends.lift()?,
        })
    }
}

impl Lift for compliance::Obligation {
    type Value = values::Obligation;

    fn lift(self) -> Result<values::Obligation, Invalid> {
        Ok(values::Obligation {
            code: self.code,
            title: self.title,
            period: self.period,
            due: self.due.lift()?,
        })
    }
}

impl Lift for compliance::AccountTemplate {
    type Value = values::AccountTemplate;

    fn lift(self) -> Result<values::AccountTemplate, Invalid> {
        Ok(values::AccountTemplate {
            code: self.code,
            name: self.name,
            class: self.class,
            parent: self.parent,
            role: self.role,
        })
    }
}

impl Lift for compliance::IssuePlan {
    type Value = values::IssuePlan;

    fn lift(self) -> Result<values::IssuePlan, Invalid> {
        Ok(values::IssuePlan {
            form: self.form,
            series: self.series,
            number_pattern: self.number_pattern,
            findings: self.findings.lift()?,
        })
    }
}

impl Lift for compliance::Label {
    type Value = values::Label;

    fn lift(self) -> Result<values::Label, Invalid> {
        Ok(values::Label { lang: self.lang, text: self.text })
    }
}

impl Lift for compliance::Cell {
    type Value = values::Cell;

    fn lift(self) -> Result<values::Cell, Invalid> {
        Ok(match self {
            Self::Text(text) => values::Cell::Text(text),
            Self::Amount(amount) => values::Cell::Amount(amount.lift()?),
            Self::Day(day) => values::Cell::Day(day.lift()?),
            Self::Empty => values::Cell::Empty,
        })
    }
}

impl Lift for compliance::Field {
    type Value = values::Field;

    fn lift(self) -> Result<values::Field, Invalid> {
        Ok(values::Field { key: self.key, labels: self.labels.lift()?, value: self.value.lift()? })
    }
}

impl Lift for compliance::Column {
    type Value = values::Column;

    fn lift(self) -> Result<values::Column, Invalid> {
        Ok(values::Column { key: self.key, labels: self.labels.lift()?, numeric: self.numeric })
    }
}

impl Lift for compliance::Grid {
    type Value = values::Grid;

    fn lift(self) -> Result<values::Grid, Invalid> {
        let grid = values::Grid {
            columns: self.columns.lift()?,
            rows: self.rows.lift()?,
            totals: self.totals.lift()?,
        };
        let width = grid.columns.len();
        let even = grid.rows.iter().all(|row| row.len() == width)
            && (grid.totals.is_empty() || grid.totals.len() == width);
        if even { Ok(grid) } else { Err("a grid whose rows are not as long as its columns".to_owned()) }
    }
}

impl Lift for compliance::Block {
    type Value = values::Block;

    fn lift(self) -> Result<values::Block, Invalid> {
        Ok(match self {
            Self::Fields(fields) => values::Block::Fields(fields.lift()?),
            Self::Grid(grid) => values::Block::Grid(grid.lift()?),
            Self::Paragraph(labels) => values::Block::Paragraph(labels.lift()?),
        })
    }
}

impl Lift for compliance::Form {
    type Value = values::Form;

    fn lift(self) -> Result<values::Form, Invalid> {
        Ok(values::Form { code: self.code, titles: self.titles.lift()?, blocks: self.blocks.lift()? })
    }
}

impl Lift for policy::Ruling {
    type Value = values::policy::Ruling;

    fn lift(self) -> Result<values::policy::Ruling, Invalid> {
        Ok(match self {
            Self::Allow(findings) => values::policy::Ruling::Allow(findings.lift()?),
            Self::Deny(findings) => values::policy::Ruling::Deny(findings.lift()?),
            Self::NeedsApproval(why) => values::policy::Ruling::NeedsApproval(why),
        })
    }
}

impl Lift for workflow::Task {
    type Value = values::workflow::Task;

    fn lift(self) -> Result<values::workflow::Task, Invalid> {
        Ok(values::workflow::Task {
            id: self.id,
            title: self.title,
            assignee_roles: self.assignee_roles,
            quorum: self.quorum,
            due_in_hours: self.due_in_hours,
        })
    }
}

impl Lift for workflow::Effect {
    type Value = values::workflow::Effect;

    fn lift(self) -> Result<values::workflow::Effect, Invalid> {
        use values::workflow::{Effect, Verdict};

        Ok(match self {
            Self::Assign(task) => Effect::Assign(task.lift()?),
            Self::Withdraw(task) => Effect::Withdraw(task),
            Self::StartTimer((timer, hours)) => Effect::StartTimer(timer, hours),
            Self::Notify((role, message)) => Effect::Notify(role, message),
            Self::Complete(workflow::Verdict::Approved) => Effect::Complete(Verdict::Approved),
            Self::Complete(workflow::Verdict::Rejected) => Effect::Complete(Verdict::Rejected),
            Self::Complete(workflow::Verdict::Returned) => Effect::Complete(Verdict::Returned),
        })
    }
}

/// A workflow's step: state and effects.
impl Lift for (String, Vec<workflow::Effect>) {
    type Value = values::workflow::Transition;

    fn lift(self) -> Result<values::workflow::Transition, Invalid> {
        let (state, effects) = self;
        Ok(values::workflow::Transition { state, effects: effects.lift()? })
    }
}

/// A code: 1 to 64 of a-z, 0-9 and hyphen.
fn kebab(code: String) -> Result<String, Invalid> {
    let fits = (1..=64).contains(&code.len())
        && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if fits { Ok(code) } else { Err("a code that is not kebab-case".to_owned()) }
}
