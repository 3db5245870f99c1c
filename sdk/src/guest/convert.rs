//! The contract's types to the author's and back. Values move; none is copied but numbers.

use super::bindings::exports::niyam::rules::{compliance, module, policy, tax, workflow};
use super::bindings::niyam::rules::types;
use crate::policy as policies;
use crate::workflow as workflows;
use crate::{
    AccountTemplate, Block, Cell, Citation, Column, Date, Decimal, Determination, Direction, Document,
    Effect, Field, Finding, FiscalPeriod, Form, Grid, Identifier, IssueFacts, IssuePlan, Label, Line,
    LineTaxes, Manifest, Obligation, OpeningBalance, Party, PriceMode, RegisterEntry, Severity, TaxItem,
};

/// Each of `values`, converted.
pub(super) fn list<A, B: From<A>>(values: Vec<A>) -> Vec<B> {
    values.into_iter().map(B::from).collect()
}

/// A rule's answer, converted.
pub(super) fn answer<A, B: From<A>>(answer: Result<A, Vec<Finding>>) -> Result<B, Vec<types::Finding>> {
    answer.map(B::from).map_err(list)
}

/// A record, field by field: each converts by `into`, `[name]` as a list, `(name)` as an option.
macro_rules! record {
    ($from:ty => $to:path { $($field:tt),* $(,)? }) => {
        impl From<$from> for $to {
            fn from(from: $from) -> Self {
                record!(@build from, Self, [] $($field)*)
            }
        }
    };
    (@build $from:ident, $to:ident, [$($done:tt)*]) => { $to { $($done)* } };
    (@build $from:ident, $to:ident, [$($done:tt)*] [$field:ident] $($rest:tt)*) => {
        record!(@build $from, $to, [$($done)* $field: list($from.$field),] $($rest)*)
    };
    (@build $from:ident, $to:ident, [$($done:tt)*] ($field:ident) $($rest:tt)*) => {
        record!(@build $from, $to, [$($done)* $field: $from.$field.map(Into::into),] $($rest)*)
    };
    (@build $from:ident, $to:ident, [$($done:tt)*] $field:ident $($rest:tt)*) => {
        record!(@build $from, $to, [$($done)* $field: $from.$field.into(),] $($rest)*)
    };
}

/// An enum whose cases hold nothing.
macro_rules! cases {
    ($from:ty => $to:ty { $($case:ident),* $(,)? }) => {
        impl From<$from> for $to {
            fn from(from: $from) -> Self {
                match from { $(<$from>::$case => Self::$case),* }
            }
        }
    };
}

impl From<types::Decimal> for Decimal {
    fn from(decimal: types::Decimal) -> Self {
        let mantissa = i128::from(decimal.high) << 64 | i128::from(decimal.low);
        let Ok(value) = Self::try_from_i128_with_scale(mantissa, decimal.scale.into()) else {
            panic!("the host sends decimals of at most 96 bits and 28 places");
        };
        value
    }
}

impl From<Decimal> for types::Decimal {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the halves of 128 bits; a scale is at most 28"
    )]
    fn from(decimal: Decimal) -> Self {
        let mantissa = decimal.mantissa();
        Self { low: mantissa as u64, high: (mantissa >> 64) as i64, scale: decimal.scale() as u8 }
    }
}

impl From<types::Date> for Date {
    #[expect(clippy::cast_possible_wrap, reason = "a year has four digits, a month and a day two")]
    fn from(date: types::Date) -> Self {
        // The host sends dates that exist; `new` would bring an error type that is more code than the rest of the SDK.
        Self::constant(date.year as i16, date.month as i8, date.day as i8)
    }
}

impl From<Date> for types::Date {
    #[expect(clippy::cast_sign_loss, reason = "the host takes no year before 1")]
    fn from(date: Date) -> Self {
        Self { year: date.year() as u16, month: date.month() as u8, day: date.day() as u8 }
    }
}

cases!(types::Severity => Severity { Error, Warning, Info });
cases!(Severity => types::Severity { Error, Warning, Info });
record!(types::Citation => Citation { source, article, (effective_from) });
record!(Citation => types::Citation { source, article, (effective_from) });
record!(types::Finding => Finding { code, severity, pointer, message, (citation) });
record!(Finding => types::Finding { code, severity, pointer, message, (citation) });
record!(types::Identifier => Identifier { kind, value });
record!(types::Party => Party { id, name, address, country, [identifiers], attributes });

cases!(tax::Direction => Direction { Sale, Purchase });
cases!(tax::PriceMode => PriceMode { Exclusive, Inclusive });
cases!(tax::Effect => Effect { Added, Withheld, Informative });
cases!(Effect => tax::Effect { Added, Withheld, Informative });
record!(tax::Line => Line { id, description, supply_code, quantity, unit, unit_price, discount, attributes });
record!(tax::Document => Document {
    kind, direction, tax_date, currency, minor_units, (exchange_rate), price_mode, supplier, customer, [lines],
    attributes,
});
record!(tax::TaxItem => TaxItem { code, (rate), base, amount, effect, recoverable, citation });
record!(TaxItem => tax::TaxItem { code, (rate), base, amount, effect, recoverable, citation });
record!(tax::LineTaxes => LineTaxes { line_id, net, [taxes], gross });
record!(LineTaxes => tax::LineTaxes { line_id, net, [taxes], gross });
record!(tax::Determination => Determination {
    [lines], net, tax_added, tax_withheld, gross, payable, [citations], [findings],
});
record!(Determination => tax::Determination {
    [lines], net, tax_added, tax_withheld, gross, payable, [citations], [findings],
});

record!(Manifest => module::Manifest { id, version, title, jurisdictions, config_schema, config_default });

record!(compliance::FiscalPeriod => FiscalPeriod { code, fiscal_year, starts, ends });
record!(FiscalPeriod => compliance::FiscalPeriod { code, fiscal_year, starts, ends });
record!(Obligation => compliance::Obligation { code, title, period, due });
record!(IssuePlan => compliance::IssuePlan { form, series, number_pattern, [findings] });
record!(compliance::IssueFacts => IssueFacts { number, issued_on, issued_at, attributes });
record!(compliance::RegisterEntry => RegisterEntry { document, taxes, facts });
record!(compliance::OpeningBalance => OpeningBalance { code, amount });
record!(AccountTemplate => compliance::AccountTemplate { code, name, class, parent, role });
record!(Label => compliance::Label { lang, text });
record!(Field => compliance::Field { key, [labels], value });
record!(Column => compliance::Column { key, [labels], numeric });
record!(Form => compliance::Form { code, [titles], [blocks] });

impl From<Grid> for compliance::Grid {
    fn from(grid: Grid) -> Self {
        Self {
            columns: list(grid.columns),
            rows: grid.rows.into_iter().map(list).collect(),
            totals: list(grid.totals),
        }
    }
}

impl From<Block> for compliance::Block {
    fn from(block: Block) -> Self {
        match block {
            Block::Fields(fields) => Self::Fields(list(fields)),
            Block::Grid(grid) => Self::Grid(grid.into()),
            Block::Paragraph(labels) => Self::Paragraph(list(labels)),
        }
    }
}

impl From<Cell> for compliance::Cell {
    fn from(cell: Cell) -> Self {
        match cell {
            Cell::Text(text) => Self::Text(text),
            Cell::Amount(amount) => Self::Amount(amount.into()),
            Cell::Day(day) => Self::Day(day.into()),
            Cell::Empty => Self::Empty,
        }
    }
}

record!(policy::Request => policies::Request { command, aggregate, body_json, user, roles });

impl From<policies::Ruling> for policy::Ruling {
    fn from(ruling: policies::Ruling) -> Self {
        match ruling {
            policies::Ruling::Allow(findings) => Self::Allow(list(findings)),
            policies::Ruling::Deny(findings) => Self::Deny(list(findings)),
            policies::Ruling::NeedsApproval(why) => Self::NeedsApproval(why),
        }
    }
}

cases!(workflow::Verdict => workflows::Verdict { Approved, Rejected, Returned });
cases!(workflows::Verdict => workflow::Verdict { Approved, Rejected, Returned });
record!(workflow::Subject => workflows::Subject { kind, id, (amount), facts });
record!(workflow::Actor => workflows::Actor { user, roles });
record!(workflow::Decision => workflows::Decision { task, by, verdict, comment });
record!(workflows::Task => workflow::Task { id, title, assignee_roles, quorum, due_in_hours });

impl From<workflow::Input> for workflows::Input {
    fn from(input: workflow::Input) -> Self {
        match input {
            workflow::Input::Started(actor) => Self::Started(actor.into()),
            workflow::Input::Decided(decision) => Self::Decided(decision.into()),
            workflow::Input::TimerFired(timer) => Self::TimerFired(timer),
            workflow::Input::Cancelled(actor) => Self::Cancelled(actor.into()),
        }
    }
}

impl From<workflows::Effect> for workflow::Effect {
    fn from(effect: workflows::Effect) -> Self {
        match effect {
            workflows::Effect::Assign(task) => Self::Assign(task.into()),
            workflows::Effect::Withdraw(task) => Self::Withdraw(task),
            workflows::Effect::StartTimer(timer, hours) => Self::StartTimer((timer, hours)),
            workflows::Effect::Notify(role, message) => Self::Notify((role, message)),
            workflows::Effect::Complete(verdict) => Self::Complete(verdict.into()),
        }
    }
}
