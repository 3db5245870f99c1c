//! A tenant's own rates in place of rows that are not verified.

use niyam_sdk::{Date, Finding};
use serde::Deserialize;

use super::invalid;
use crate::tables::{Charge, Rate};
use crate::{amounts, dates, rates};

/// A rate as the tenant states it, with the text that it rests on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Override {
    code: String,
    #[serde(default)]
    variant: String,
    percent: String,
    first_day: String,
    #[serde(default)]
    last_day: Option<String>,
    basis: String,
}

/// A row of the table with the tenant's rate, between two days.
#[derive(Debug)]
pub(crate) struct Overridden {
    pub(crate) rate: Rate,
    /// What it rests on.
    pub(crate) basis: String,
}

impl Overridden {
    pub(crate) fn holds(&self, code: &str, variant: &str, day: Date) -> bool {
        self.rate.code == code
            && self.rate.variant == variant
            && self.rate.first_day <= day
            && self.rate.last_day.is_none_or(|last| day <= last)
    }
}

/// Only a row whose mark is not A, or whose first days are assumed, gives way, and only for those days.
pub(super) fn check(stated: Vec<Override>) -> Result<Vec<Overridden>, Vec<Finding>> {
    stated.into_iter().map(overridden).collect()
}

fn overridden(stated: Override) -> Result<Overridden, Vec<Finding>> {
    let wrong = |why: &str| invalid(&format!("overrides: {} {}: {why}", stated.code, stated.variant));
    let first = dates::parse(&stated.first_day).ok_or_else(|| wrong("first_day is no date"))?;
    let last = match &stated.last_day {
        Some(text) => Some(dates::parse(text).ok_or_else(|| wrong("last_day is no date"))?),
        None => None,
    };
    if last.is_some_and(|last| last < first) {
        return Err(wrong("it ends before it begins"));
    }
    let percent = amounts::percent(&stated.percent).ok_or_else(|| wrong("percent is no percentage"))?;
    if stated.basis.trim().is_empty() {
        return Err(wrong("it rests on nothing"));
    }
    let row = rates::find(&stated.code, Some(stated.variant.as_str()), first)
        .map_err(|_| wrong("the table has no such row on its first day"))?;
    let assumed_until = row.verified_from.and_then(|verified| verified.yesterday().ok());
    let assumed = assumed_until.is_some_and(|until| last.is_some_and(|last| last <= until));
    if row.mark == 'A' && !assumed {
        return Err(wrong("the row is verified for these days"));
    }
    if !matches!(row.charge, Charge::Percent(_)) {
        return Err(wrong("the row is no percentage"));
    }
    let rate = Rate {
        code: row.code,
        variant: row.variant,
        also: row.also,
        fallback: row.fallback,
        charge: Charge::Percent(percent),
        first_day: first,
        last_day: last,
        verified_from: None,
        withholding: row.withholding,
        citation: row.citation,
        mark: row.mark,
        title: row.title,
    };
    Ok(Overridden { rate, basis: stated.basis })
}
