//! What must hold of an answer, whoever gave it: the books trust it.

use niyam_values::policy::Ruling;
use niyam_values::workflow::{self, Transition};
use niyam_values::{
    Block, Cell, Decimal, Determination, Document, Effect, Finding, FiscalPeriod, Form, IssuePlan, LineTaxes,
    Manifest, Obligation, Severity,
};

use crate::lift::Invalid;
use crate::limits::{TITLE_BYTES_MAX, VERSION_BYTES_MAX, WORKFLOW_STATE_BYTES_MAX};

/// What a module says of itself is short enough to stand in each of its decisions.
pub(crate) fn manifest(manifest: &Manifest) -> Result<(), Invalid> {
    let version = &manifest.version;
    if !(1..=VERSION_BYTES_MAX).contains(&version.len())
        || !version.bytes().all(|byte| byte.is_ascii_graphic())
    {
        return Err(format!("a version that is not 1 to {VERSION_BYTES_MAX} printable ASCII characters"));
    }
    if manifest.title.len() > TITLE_BYTES_MAX {
        return Err(format!("a title of more than {TITLE_BYTES_MAX} bytes"));
    }
    let is_country = |code: &String| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase());
    if !manifest.jurisdictions.iter().all(is_country) {
        return Err("a jurisdiction that is no ISO 3166-1 alpha-2 code".to_owned());
    }
    Ok(())
}

/// The determination answers the document: its lines, sums that add up, citations that exist.
pub(crate) fn determination(taxes: &Determination, document: &Document) -> Result<(), Invalid> {
    let ids = taxes.lines.iter().map(|line| &line.line_id);
    if !ids.eq(document.lines.iter().map(|line| &line.id)) {
        return Err("taxes of other lines than the document's".to_owned());
    }
    let mut sums = Sums::default();
    for line in &taxes.lines {
        sums.add(line, taxes.citations.len()).ok_or_else(|| overflow(&line.line_id))??;
    }
    let gross = sums.net.checked_add(sums.added);
    let payable = gross.and_then(|gross| gross.checked_sub(sums.withheld));
    let agree = taxes.net == sums.net
        && taxes.tax_added == sums.added
        && taxes.tax_withheld == sums.withheld
        && Some(taxes.gross) == gross
        && Some(taxes.payable) == payable;
    if !agree {
        return Err("totals that are not the sums of the lines".to_owned());
    }
    accepted(&taxes.findings)
}

/// The plan of an issue: a number that holds its serial, and no error among its findings.
pub(crate) fn issue_plan(plan: &IssuePlan) -> Result<(), Invalid> {
    if plan.number_pattern.matches("{serial}").count() != 1 || plan.number_pattern.len() > 100 {
        return Err("a number pattern without one {serial}".to_owned());
    }
    if niyam_domain::series_stream(&plan.series).is_err() {
        return Err("a number series with a name that cannot be kept".to_owned());
    }
    accepted(&plan.findings)
}

/// Most obligations of one period.
const OBLIGATIONS_MAX: usize = 100;

/// Obligations of the period that was asked about, each with a code that a return could have.
pub(crate) fn obligations(obligations: &[Obligation], period: &FiscalPeriod) -> Result<(), Invalid> {
    if obligations.len() > OBLIGATIONS_MAX {
        return Err(format!("more than {OBLIGATIONS_MAX} obligations of one period"));
    }
    for obligation in obligations {
        if obligation.period != period.code {
            return Err("an obligation of another period".to_owned());
        }
        if niyam_domain::return_stream(&obligation.code, &period.code).is_err() {
            return Err("an obligation with a code that cannot be kept".to_owned());
        }
        if !(1..=TITLE_BYTES_MAX).contains(&obligation.title.len()) {
            return Err(format!("an obligation without a title of 1 to {TITLE_BYTES_MAX} bytes"));
        }
    }
    Ok(())
}

/// What is allowed has no error, and what is not says why.
pub(crate) fn ruling(ruling: &Ruling) -> Result<(), Invalid> {
    match ruling {
        Ruling::Allow(findings) => accepted(findings),
        Ruling::Deny(findings) => refusal(findings),
        Ruling::NeedsApproval(why) if why.trim().is_empty() => {
            Err("an approval that is asked for without a reason".to_owned())
        }
        Ruling::NeedsApproval(_) => Ok(()),
    }
}

/// A step that can be kept and done: tasks that somebody can decide, and one end at most.
pub(crate) fn transition(transition: &Transition) -> Result<(), Invalid> {
    if transition.state.len() > WORKFLOW_STATE_BYTES_MAX {
        return Err(format!("a state of more than {WORKFLOW_STATE_BYTES_MAX} bytes"));
    }
    let mut tasks = Vec::new();
    let mut ends = 0;
    for effect in &transition.effects {
        match effect {
            workflow::Effect::Assign(task) => {
                if task.quorum == 0 || task.assignee_roles.is_empty() {
                    return Err(format!("a task {} that nobody is to decide", task.id));
                }
                if tasks.contains(&&task.id) {
                    return Err(format!("a task {} that is assigned twice", task.id));
                }
                tasks.push(&task.id);
            }
            workflow::Effect::Complete(_) => ends += 1,
            workflow::Effect::Withdraw(_)
            | workflow::Effect::StartTimer(..)
            | workflow::Effect::Notify(..) => {}
        }
    }
    if ends > 1 { Err("a workflow that ends twice".to_owned()) } else { Ok(()) }
}

/// Amounts that can be added up.
pub(crate) fn form(form: &Form) -> Result<(), Invalid> {
    let fits = |cell: &Cell| !matches!(cell, Cell::Amount(amount) if !in_range(*amount));
    let all_fit = form.blocks.iter().all(|block| match block {
        Block::Fields(fields) => fields.iter().all(|field| fits(&field.value)),
        Block::Grid(grid) => grid.rows.iter().flatten().chain(&grid.totals).all(fits),
        Block::Paragraph(_) => true,
    });
    if all_fit { Ok(()) } else { Err(format!("an amount beyond {AMOUNT_MAX}")) }
}

/// A refusal says why.
pub(crate) fn refusal(findings: &[Finding]) -> Result<(), Invalid> {
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        Ok(())
    } else {
        Err("a refusal without a finding of severity error".to_owned())
    }
}

fn accepted(findings: &[Finding]) -> Result<(), Invalid> {
    if findings.iter().all(|finding| finding.severity != Severity::Error) {
        Ok(())
    } else {
        Err("an answer with a finding of severity error".to_owned())
    }
}

fn overflow(line_id: &str) -> Invalid {
    format!("amounts of line {line_id} that have no exact sum")
}

/// No amount of an answer is further from zero: some thousands of 10²⁰ are added up without a loss.
const AMOUNT_MAX: Decimal = Decimal::from_parts(0x6310_0000, 0x6bc7_5e2d, 5, false, 0);

fn in_range(amount: Decimal) -> bool {
    amount.abs() <= AMOUNT_MAX
}

#[derive(Default)]
struct Sums {
    net: Decimal,
    added: Decimal,
    withheld: Decimal,
}

impl Sums {
    /// `None` when a sum cannot be kept exactly.
    fn add(&mut self, line: &LineTaxes, citations: usize) -> Option<Result<(), Invalid>> {
        if !in_range(line.net) {
            return Some(Err(format!("a net of line {} beyond {AMOUNT_MAX}", line.line_id)));
        }
        let mut gross = line.net;
        self.net = self.net.checked_add(line.net)?;
        for item in &line.taxes {
            if !in_range(item.amount) || !in_range(item.base) {
                return Some(Err(format!("a tax of line {} beyond {AMOUNT_MAX}", line.line_id)));
            }
            if usize::try_from(item.citation).is_ok_and(|citation| citation >= citations) {
                return Some(Err("a tax whose citation is missing".to_owned()));
            }
            match item.effect {
                Effect::Added => {
                    gross = gross.checked_add(item.amount)?;
                    self.added = self.added.checked_add(item.amount)?;
                }
                Effect::Withheld => self.withheld = self.withheld.checked_add(item.amount)?,
                Effect::Informative => {}
            }
        }
        if gross == line.gross {
            Some(Ok(()))
        } else {
            Some(Err(format!("a gross of line {} that is not its net and taxes", line.line_id)))
        }
    }
}

#[cfg(test)]
mod tests {
    use niyam_values::{Column, Field, Grid};

    use super::*;

    #[test]
    fn amounts_of_a_form_can_be_added_up() {
        let of = |amount: Decimal, place: usize| {
            let cell = |at: usize| if at == place { Cell::Amount(amount) } else { Cell::Empty };
            let field = Field { key: "a".to_owned(), labels: Vec::new(), value: cell(0) };
            let column = Column { key: "b".to_owned(), labels: Vec::new(), numeric: true };
            let grid = Grid { columns: vec![column], rows: vec![vec![cell(1)]], totals: vec![cell(2)] };
            let blocks = vec![Block::Fields(vec![field]), Block::Grid(grid)];
            form(&Form { code: "f".to_owned(), titles: Vec::new(), blocks })
        };
        for place in 0..3 {
            assert_eq!(of(AMOUNT_MAX, place), Ok(()));
            assert_eq!(of(-AMOUNT_MAX, place), Ok(()));
            assert!(of(AMOUNT_MAX + Decimal::ONE, place).is_err());
            assert!(of(Decimal::MIN, place).is_err());
        }
    }
}
