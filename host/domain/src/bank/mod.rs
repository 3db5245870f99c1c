//! Bank statements: what the bank says, and which lines of the books each of its lines is.
//!
//! 1. `statement`: the aggregate, one for each statement. A statement that does not add up cannot exist.
//! 2. `claim`: a line of the books is of one line of a statement at most.
//! 3. `matching`: which lines of the books a line may be, how sure that is, and why.
//! 4. `difference`: why the bank's balance and the books' differ, to the last minor unit.

mod claim;
mod difference;
mod matching;
mod statement;

pub use claim::{ClaimEvent, ClaimReleased, ClaimTaken, LedgerClaim, LedgerLineRef};
pub use difference::Difference;
pub use matching::{Candidate, Proposal, Reason, Wanted, propose};
pub use statement::{
    BankStatement, LineMatched, MatchUndone, NewStatement, NewStatementLine, STATEMENT_LINES_MAX,
    StatementEvent, StatementFormat, StatementImported, StatementLine,
};

/// What statements and matches must hold: the code of a finding, and what is wanted.
pub const BANK_RULES: &[(&str, &str)] = &[
    ("statement-unreadable", "A statement is a file of its format, and small enough."),
    ("statement-row-invalid", "Each row of a CSV file has a date and an amount where the column map says."),
    ("statement-not-adding-up", "The opening balance and all lines add up to the closing balance."),
    ("statement-lines-count", "A statement has at most 5000 lines."),
    ("statement-line-unknown", "The statement has a line of that number."),
    (
        "ledger-line-unknown",
        "A line of the books is one of a posted entry, to the account and in the currency of the statement.",
    ),
    ("match-amount-differs", "The lines of the books add up to the statement's line."),
];

#[cfg(test)]
mod tests;
