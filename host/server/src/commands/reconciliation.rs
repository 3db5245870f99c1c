//! Why a bank's balance and the books' differ, and which lines may be the same: read, never decided.

use std::collections::BTreeMap;

use niyam_domain::reports::Cut;
use niyam_domain::{
    BankStatement, Candidate, Difference, EntryId, LedgerLineRef, Position, Proposal, Reason, Rejection,
    StatementId, Wanted, propose,
};
use niyam_store::Scope;
use niyam_values::{Date, Decimal};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::commands::books::At;
use crate::commands::{Actor, CommandError};
use crate::projections::ledger::bank::{BankCut, FreeLine, OneSided};
use crate::projections::ledger::snapshot::Snapshot;

/// Most lines of a side that are shown; all of them are added up.
const SHOWN_MAX: usize = 500;
/// Most lines of the books that candidates are looked for in.
const CANDIDATES_MAX: u32 = 20_000;

/// A line that one side has and the other has not.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OneSidedView {
    /// The statement, of a line that only the bank has.
    #[serde(skip_serializing_if = "Option::is_none")]
    statement: Option<String>,
    /// The entry, of a line that only the books have.
    #[serde(skip_serializing_if = "Option::is_none")]
    entry_id: Option<String>,
    /// Which line of it; the first is 0.
    line: u32,
    #[schema(value_type = String, format = Date)]
    date: Date,
    /// Above zero where money came in.
    #[schema(value_type = String)]
    amount: Decimal,
}

/// What one side has and the other has not.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SideView {
    #[schema(value_type = String)]
    total: Decimal,
    count: usize,
    /// The first 500, by day.
    lines: Vec<OneSidedView>,
}

impl SideView {
    fn new(found: &[OneSided], is_bank: bool) -> Self {
        let line = |line: &OneSided| {
            let of = line.of.clone();
            let (statement, entry_id) = if is_bank { (Some(of), None) } else { (None, Some(of)) };
            OneSidedView { statement, entry_id, line: line.line, date: line.date, amount: line.amount }
        };
        Self {
            total: total(found),
            count: found.len(),
            lines: found.iter().take(SHOWN_MAX).map(line).collect(),
        }
    }
}

fn total(lines: &[OneSided]) -> Decimal {
    lines.iter().fold(Decimal::ZERO, |sum, line| sum.saturating_add(line.amount))
}

/// The bank's balance beside the books', and all that explains their difference: `brought_forward` and `gaps`, and the
/// total of `only_in_bank` less that of `only_in_books`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReconciliationView {
    #[schema(value_type = String)]
    statement: StatementId,
    account: String,
    currency: &'static str,
    /// The statement's last day.
    #[schema(value_type = String, format = Date)]
    as_of: Date,
    #[schema(value_type = String)]
    bank_balance: Decimal,
    #[schema(value_type = String)]
    book_balance: Decimal,
    /// The bank's less the books'.
    #[schema(value_type = String)]
    difference: Decimal,
    /// What the bank said before the first statement that was imported.
    #[schema(value_type = String)]
    brought_forward: Decimal,
    /// Opening balances less the closing balances before them: statements that were not imported.
    #[schema(value_type = String)]
    gaps: Decimal,
    only_in_bank: SideView,
    only_in_books: SideView,
    /// What all of these come to: the difference.
    #[schema(value_type = String)]
    explained: Decimal,
    /// The last event that it knows.
    #[schema(value_type = u64)]
    pub(crate) position: Position,
}

/// A line of the books that a line of the statement may be.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProposalView {
    /// The statement's line.
    line: u32,
    #[schema(value_type = String)]
    entry_id: EntryId,
    /// The line of the entry; the first is 0.
    entry_line: u32,
    #[schema(value_type = String, format = Date)]
    date: Date,
    #[schema(value_type = String)]
    amount: Decimal,
    description: String,
    /// From 0 to 1.
    #[schema(value_type = String, example = "0.85")]
    confidence: Decimal,
    /// `same-amount`, `only-one`, `same-day`, `days-apart:2`, `reference`, `words`.
    reasons: Vec<String>,
}

impl App {
    /// Why the balances differ at the end of the statement.
    pub(crate) async fn reconciliation(
        &self,
        actor: &Actor,
        id: StatementId,
    ) -> Result<ReconciliationView, CommandError> {
        let found = self.bank_statement(actor, id).await?;
        let imported = &found.state.imported;
        let mut reader = self.store.database().read(&Scope::Tenant(&actor.tenant)).await?;
        let mut ledger = Snapshot::of(&mut reader, &actor.tenant).await?;
        // The list may be a moment behind.
        let position = ledger.statement_position(id).await?.ok_or(Rejection::StatementMissing)?;
        let cut = BankCut {
            account: imported.account.clone(),
            currency: imported.currency,
            ends: imported.ends,
            position,
        };
        let until = Cut { until: Some(cut.ends), ..Cut::default() };
        let held = ledger.balances(&until, Some(&cut.account), None).await?;
        let chain = ledger.statement_chain(&cut).await?;
        let bank = ledger.only_in_bank(&cut).await?;
        let books = ledger.only_in_books(&cut).await?;
        let difference = Difference {
            bank: chain.last().map(|(_, closing)| *closing).unwrap_or_default(),
            books: held.account(cut.currency.code(), &cut.account).balance(),
            brought_forward: chain.first().map(|(opening, _)| *opening).unwrap_or_default(),
            gaps: chain
                .windows(2)
                .fold(Decimal::ZERO, |sum, pair| sum.saturating_add(pair[1].0.saturating_sub(pair[0].1))),
            only_in_bank: total(&bank),
            only_in_books: total(&books),
        };
        Ok(ReconciliationView {
            statement: id,
            account: cut.account.to_string(),
            currency: cut.currency.code(),
            as_of: cut.ends,
            bank_balance: difference.bank,
            book_balance: difference.books,
            difference: difference.amount(),
            brought_forward: difference.brought_forward,
            gaps: difference.gaps,
            only_in_bank: SideView::new(&bank, true),
            only_in_books: SideView::new(&books, false),
            explained: difference.explained(),
            position: ledger.position,
        })
    }

    /// The lines of the books that the statement's unmatched lines may be, within so many days.
    pub(crate) async fn proposals(
        &self,
        actor: &Actor,
        id: StatementId,
        days: u32,
    ) -> Result<Vec<ProposalView>, CommandError> {
        let At { state, .. } = self.bank_statement(actor, id).await?;
        let imported = &state.imported;
        let around = jiff::Span::new().days(i64::from(days));
        let dates = (imported.starts.saturating_sub(around), imported.ends.saturating_add(around));
        let mut reader = self.store.database().read(&Scope::Tenant(&actor.tenant)).await?;
        let mut ledger = Snapshot::of(&mut reader, &actor.tenant).await?;
        let free = ledger.free_lines(&imported.account, imported.currency, dates, CANDIDATES_MAX).await?;
        let candidates: Vec<Candidate> = free.iter().map(candidate).collect();
        let wanted = wanted(&state);
        // Many lines of one amount take their time, off the workers that answer others.
        let found = tokio::task::spawn_blocking(move || propose(&wanted, &candidates, days)).await;
        let found = found.map_err(|error| CommandError::Defect(error.to_string()))?;
        let lines: BTreeMap<LedgerLineRef, &FreeLine> = free.iter().map(|line| (line.at, line)).collect();
        Ok(found.iter().filter_map(|proposal| Some(view(proposal, lines.get(&proposal.at)?))).collect())
    }
}

fn candidate(line: &FreeLine) -> Candidate {
    let memo = line.memo.as_deref().unwrap_or_default();
    Candidate {
        at: line.at,
        date: line.date,
        amount: line.amount,
        reference: line.reference.clone(),
        description: format!("{} {memo}", line.description),
    }
}

/// The lines that are not matched.
fn wanted(statement: &BankStatement) -> Vec<Wanted> {
    let lines = (0..).zip(&statement.imported.lines);
    let free = lines.filter(|(number, _)| !statement.matches.contains_key(number));
    free.map(|(number, line)| {
        let texts = ["reference", "description", "counterparty"];
        let texts: Vec<&str> = texts.into_iter().filter_map(|name| statement.text(number, name)).collect();
        Wanted { line: number, date: line.date, amount: line.amount, texts: texts.join(" ") }
    })
    .collect()
}

fn view(proposal: &Proposal, line: &FreeLine) -> ProposalView {
    let reason = |reason: &Reason| match reason {
        Reason::SameAmount => "same-amount".to_owned(),
        Reason::OnlyOne => "only-one".to_owned(),
        Reason::DaysApart(0) => "same-day".to_owned(),
        Reason::DaysApart(days) => format!("days-apart:{days}"),
        Reason::Reference => "reference".to_owned(),
        Reason::Words => "words".to_owned(),
    };
    ProposalView {
        line: proposal.line,
        entry_id: line.at.entry_id,
        entry_line: line.at.line,
        date: line.date,
        amount: line.amount,
        description: line.description.clone(),
        confidence: Decimal::new(proposal.confidence.into(), 2),
        reasons: proposal.reasons.iter().map(reason).collect(),
    }
}
