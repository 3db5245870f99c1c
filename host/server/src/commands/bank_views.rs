//! Bank statements as clients see them.

use niyam_domain::{BankStatement, EntryId, LedgerLineRef, StatementId, StatementImported, Version};
use niyam_values::{Date, Decimal};
use serde::Serialize;
use utoipa::ToSchema;

/// A statement without its lines.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StatementSummary {
    #[schema(value_type = String)]
    id: StatementId,
    #[schema(value_type = u64)]
    version: Version,
    account: String,
    currency: &'static str,
    /// `csv`, `mt940` or `camt.053`.
    format: &'static str,
    /// The bank's number for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<String>,
    #[schema(value_type = String, format = Date)]
    starts: Date,
    #[schema(value_type = String, format = Date)]
    ends: Date,
    #[schema(value_type = String)]
    opening: Decimal,
    #[schema(value_type = String)]
    closing: Decimal,
    line_count: usize,
    /// How many lines are matched.
    matched: usize,
}

impl StatementSummary {
    pub(crate) fn new(imported: &StatementImported, version: Version) -> Self {
        Self {
            id: imported.statement_id,
            version,
            account: imported.account.to_string(),
            currency: imported.currency.code(),
            format: imported.format.as_str(),
            number: imported.number.clone(),
            starts: imported.starts,
            ends: imported.ends,
            opening: imported.opening,
            closing: imported.closing,
            line_count: imported.lines.len(),
            matched: 0,
        }
    }

    pub(crate) fn of(found: &BankStatement, version: Version) -> Self {
        Self { matched: found.matches.len(), ..Self::new(&found.imported, version) }
    }
}

/// A line of the books.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LedgerLineView {
    #[schema(value_type = String)]
    entry_id: EntryId,
    /// Which of the entry's lines; the first is 0.
    line: u32,
}

impl From<&LedgerLineRef> for LedgerLineView {
    fn from(at: &LedgerLineRef) -> Self {
        Self { entry_id: at.entry_id, line: at.line }
    }
}

/// A line of a statement.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StatementLineView {
    /// The first is 0.
    line: u32,
    #[schema(value_type = String, format = Date)]
    date: Date,
    /// Above zero where money came in.
    #[schema(value_type = String)]
    amount: Decimal,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    counterparty: Option<String>,
    /// The lines of the books that it is.
    matched: Vec<LedgerLineView>,
}

/// A statement with its lines.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StatementView {
    #[serde(flatten)]
    summary: StatementSummary,
    lines: Vec<StatementLineView>,
    #[serde(skip)]
    pub(crate) at: Version,
}

impl StatementView {
    pub(crate) fn new(found: &BankStatement, version: Version) -> Self {
        let line = |(number, line): (u32, &niyam_domain::StatementLine)| {
            let text = |name| found.text(number, name).map(str::to_owned);
            let matched = found.matches.get(&number).into_iter().flatten();
            StatementLineView {
                line: number,
                date: line.date,
                amount: line.amount,
                reference: text("reference"),
                description: text("description"),
                counterparty: text("counterparty"),
                matched: matched.map(LedgerLineView::from).collect(),
            }
        };
        let lines = (0..).zip(&found.imported.lines).map(line).collect();
        Self { summary: StatementSummary::of(found, version), lines, at: version }
    }
}
