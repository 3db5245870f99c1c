//! Registers and returns: a pack draws them from the documents of a period.

use niyam_values::{FiscalPeriod, Form, Obligation, OpeningBalance, RegisterEntry};

use crate::bindings::exports::niyam::rules::{compliance, tax};
use crate::check;
use crate::error::ModuleFailure;
use crate::lift::Lift as _;
use crate::lower::{self, DocumentParts, TaxesParts};
use crate::module::{Decided, Findings, Module};

impl Module {
    /// Draws the register or return `code` of a period from what was issued in it, and the balances brought into it.
    ///
    /// # Errors
    /// When the module does not answer, or breaks the contract. Its refusal is an answer.
    pub fn draw_return(
        &self,
        config: &str,
        code: &str,
        period: &FiscalPeriod,
        entries: &[RegisterEntry],
        opening: &[OpeningBalance],
    ) -> Result<Decided<Result<Form, Findings>>, ModuleFailure> {
        let (answer, used) = self.draw_return_unproved(config, code, period, entries, opening)?;
        Ok(self.decided("draw-return", config, &(code, period, entries, opening), answer, used))
    }

    /// [`Self::draw_return`] without the proof; the answer, and the fuel that it took.
    ///
    /// # Errors
    /// As [`Self::draw_return`].
    pub fn draw_return_unproved(
        &self,
        config: &str,
        code: &str,
        period: &FiscalPeriod,
        entries: &[RegisterEntry],
        opening: &[OpeningBalance],
    ) -> Result<(Result<Form, Findings>, u64), ModuleFailure> {
        let parts: Vec<EntryParts<'_>> = entries.iter().map(EntryParts::new).collect();
        let lines: Vec<_> = parts.iter().map(|parts| (parts.document.lines(), parts.taxes.lines())).collect();
        let lowered: Vec<compliance::RegisterEntry<'_>> = parts
            .iter()
            .zip(&lines)
            .map(|(parts, (lines, tax_lines))| parts.entry(lines, tax_lines))
            .collect();
        let opening: Vec<compliance::OpeningBalance<'_>> = opening
            .iter()
            .map(|balance| compliance::OpeningBalance {
                code: &balance.code,
                amount: lower::decimal(balance.amount),
            })
            .collect();
        let period = lowered_period(period);
        let fuel = self.fuel_for_lines(entries.iter().map(|entry| entry.document.lines.len()).sum());
        let (answer, used) = self.compliance("draw-return", config, fuel, |pack, store| {
            pack.call_draw_return(store, code, period, &lowered, &opening)
        })?;
        let answer = self.lift_answer(answer)?;
        if let Ok(form) = &answer {
            self.must(check::form(form))?;
        }
        Ok((answer, used))
    }

    /// What must be filed or paid for a period, and by when.
    ///
    /// # Errors
    /// When the module does not answer, or breaks the contract.
    pub fn obligations(
        &self,
        config: &str,
        period: &FiscalPeriod,
    ) -> Result<Decided<Vec<Obligation>>, ModuleFailure> {
        let (answer, used) = self.compliance("obligations", config, self.fuel(), |pack, store| {
            pack.call_obligations(store, lowered_period(period))
        })?;
        let obligations = self.must(answer.lift())?;
        self.must(check::obligations(&obligations, period))?;
        Ok(self.decided("obligations", config, &(period,), obligations, used))
    }
}

fn lowered_period(period: &FiscalPeriod) -> compliance::FiscalPeriodParam<'_> {
    compliance::FiscalPeriodParam {
        code: &period.code,
        fiscal_year: &period.fiscal_year,
        starts: lower::date(period.starts),
        ends: lower::date(period.ends),
    }
}

/// Owns the lists that a lowered entry borrows.
struct EntryParts<'a> {
    entry: &'a RegisterEntry,
    document: DocumentParts<'a>,
    taxes: TaxesParts<'a>,
    attributes: Vec<(&'a str, &'a str)>,
}

impl<'a> EntryParts<'a> {
    fn new(entry: &'a RegisterEntry) -> Self {
        Self {
            entry,
            document: DocumentParts::new(&entry.document),
            taxes: TaxesParts::new(&entry.taxes),
            attributes: lower::pairs(&entry.facts.attributes),
        }
    }

    fn entry<'b>(
        &'b self,
        lines: &'b [tax::Line<'b>],
        tax_lines: &'b [tax::LineTaxesParam<'b>],
    ) -> compliance::RegisterEntry<'b> {
        compliance::RegisterEntry {
            document: self.document.document(lines),
            taxes: self.taxes.determination(tax_lines),
            facts: lower::issue_facts(&self.entry.facts, &self.attributes),
        }
    }
}
