//! Why the bank's balance and the books' differ at the end of a statement.
//!
//! What the bank says at the end is what it said before its first statement, each jump between statements, and all of their
//! lines; what the books say is all of their lines. A match whose lines all count by then is in both alike. So what is left
//! on either side, with the beginning and the jumps, is the difference, whatever was matched.

use niyam_values::Decimal;

/// A difference, and what explains it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Difference {
    /// What the bank says.
    pub bank: Decimal,
    /// What the books say.
    pub books: Decimal,
    /// What the bank said before the first statement.
    pub brought_forward: Decimal,
    /// Opening balances less the closing balances before them: statements that are missing.
    pub gaps: Decimal,
    /// Lines of statements that the books do not have by then.
    pub only_in_bank: Decimal,
    /// Lines of the books that no statement has by then.
    pub only_in_books: Decimal,
}

impl Difference {
    /// What the bank says less what the books say.
    #[must_use]
    pub fn amount(&self) -> Decimal {
        self.bank.saturating_sub(self.books)
    }

    /// What is explained of it.
    #[must_use]
    pub fn explained(&self) -> Decimal {
        let before = self.brought_forward.saturating_add(self.gaps);
        before.saturating_add(self.only_in_bank).saturating_sub(self.only_in_books)
    }
}
