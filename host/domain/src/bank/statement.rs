//! A bank statement: imported whole, and then matched line by line.

use std::collections::BTreeMap;

use niyam_values::{Attributes, Date, Decimal, Finding, with_places};
use serde::{Deserialize, Serialize};

use super::claim::LedgerLineRef;
use crate::accounts::AccountCode;
use crate::aggregate::Aggregate;
use crate::event::{DomainEvent, UnreadableEvent, domain_events};
use crate::ids::StatementId;
use crate::journal::AMOUNT_LIMIT;
use crate::money::Currency;
use crate::personal::{Personal, Place, PlaceKind, nothing_personal};
use crate::rejection::Rejection;

/// Most lines of a statement.
pub const STATEMENT_LINES_MAX: usize = 5_000;
/// Most characters of each text of a line: longer ones are cut.
const TEXT_LENGTH_MAX: usize = 500;
/// Most characters of a statement's number.
const NUMBER_LENGTH_MAX: usize = 64;

/// What a statement was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum StatementFormat {
    /// Comma-separated values.
    #[serde(rename = "csv")]
    Csv,
    /// SWIFT MT940.
    #[serde(rename = "mt940")]
    Mt940,
    /// ISO 20022 camt.053.
    #[serde(rename = "camt.053")]
    Camt053,
}

impl StatementFormat {
    /// As written in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Mt940 => "mt940",
            Self::Camt053 => "camt.053",
        }
    }
}

/// A line as a file has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewStatementLine {
    /// The day on which the bank booked it.
    pub date: Date,
    /// Above zero where money came in.
    pub amount: Decimal,
    /// What it is called, by the bank or by who paid.
    pub reference: Option<String>,
    /// What it is about.
    pub description: Option<String>,
    /// Who paid, or was paid.
    pub counterparty: Option<String>,
}

/// A statement as a file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewStatement {
    /// The bank's number for it.
    pub number: Option<String>,
    /// Of what.
    pub currency: Currency,
    /// The first day, when the file says it.
    pub starts: Option<Date>,
    /// The last day, when the file says it.
    pub ends: Option<Date>,
    /// What the account held before.
    pub opening: Decimal,
    /// What it held afterwards.
    pub closing: Decimal,
    /// In the order of the file.
    pub lines: Vec<NewStatementLine>,
}

/// A line that counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementLine {
    /// The day on which the bank booked it.
    pub date: Date,
    /// Above zero where money came in.
    pub amount: Decimal,
}

/// A statement was imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementImported {
    /// Its id, which follows from what it says.
    pub statement_id: StatementId,
    /// The account of the books that it is of.
    pub account: AccountCode,
    /// What it was read from.
    pub format: StatementFormat,
    /// The bank's number for it.
    pub number: Option<String>,
    /// Of what.
    pub currency: Currency,
    /// The first day.
    pub starts: Date,
    /// The last day.
    pub ends: Date,
    /// What the account held before.
    pub opening: Decimal,
    /// What it held afterwards: the opening balance and all lines.
    pub closing: Decimal,
    /// In order; the first is 0.
    pub lines: Vec<StatementLine>,
    /// What lines say of people and of what they paid for: `0/description`, `0/reference`, `0/counterparty` …
    pub texts: Attributes,
}

/// A line of it was matched with lines of the books, which add up to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineMatched {
    /// Which line.
    pub line: u32,
    /// The lines of the books.
    pub ledger_lines: Vec<LedgerLineRef>,
}

/// A match was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatchUndone {
    /// Of which line.
    pub line: u32,
}

domain_events! {
    /// What happens to a bank statement.
    StatementEvent {
        /// A statement was imported.
        Imported(StatementImported) = "bank-statement.imported.v1",
        /// A line of it was matched with lines of the books.
        Matched(LineMatched) = "bank-statement.line-matched.v1",
        /// A match was taken back.
        Undone(MatchUndone) = "bank-statement.match-undone.v1",
    }
}

nothing_personal!(LineMatched, MatchUndone);

/// The texts of a statement are of all whom it names; it is the subject itself, so that they are erased together.
fn personal_of(texts: &Attributes, pointer: &str) -> Vec<Place> {
    if texts.is_empty() {
        return Vec::new();
    }
    vec![Place { pointer: pointer.to_owned(), kind: PlaceKind::Attributes, subject: None }]
}

impl Personal for StatementImported {
    fn personal(&self) -> Vec<Place> {
        personal_of(&self.texts, "/texts")
    }
}

impl Personal for BankStatement {
    fn personal(&self) -> Vec<Place> {
        personal_of(&self.imported.texts, "/imported/texts")
    }
}

/// A statement as its events tell it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankStatement {
    /// What it says.
    pub imported: StatementImported,
    /// The lines of the books that its lines are, by line.
    pub matches: BTreeMap<u32, Vec<LedgerLineRef>>,
}

impl NewStatement {
    /// The statement, once its id is known.
    ///
    /// # Errors
    /// What is wrong with it: above all, that it does not add up.
    pub fn imported(
        self,
        statement_id: StatementId,
        account: AccountCode,
        format: StatementFormat,
    ) -> Result<StatementImported, Rejection> {
        let refuse = |rule: &str, pointer: &str, message: String| {
            Err(Rejection::Findings(vec![Finding::error(rule, message).at(pointer)]))
        };
        let places = u32::from(self.currency.minor_units());
        if self.lines.len() > STATEMENT_LINES_MAX {
            let message = format!("a statement has at most {STATEMENT_LINES_MAX} lines");
            return refuse("statement-lines-count", "/content", message);
        }
        let amounts = self.lines.iter().map(|line| line.amount).chain([self.opening, self.closing]);
        for amount in amounts {
            if amount.abs() >= AMOUNT_LIMIT {
                let message = "at most 12 digits before the decimal point".to_owned();
                return refuse("number-out-of-range", "/content", message);
            }
            if amount.normalize().scale() > places {
                let message = format!("{} has {places} decimal places", self.currency);
                return refuse("amount-too-precise", "/content", message);
            }
        }
        let sum = self.lines.iter().fold(self.opening, |sum, line| sum.saturating_add(line.amount));
        if sum != self.closing {
            let message = format!(
                "the opening balance and the lines add up to {}, and the closing balance is {}",
                with_places(sum, places),
                with_places(self.closing, places)
            );
            return refuse("statement-not-adding-up", "/closing", message);
        }
        let days = || self.lines.iter().map(|line| line.date).chain(self.starts).chain(self.ends);
        let (Some(starts), Some(ends)) = (days().min(), days().max()) else {
            let message = "a statement without lines says its last day".to_owned();
            return refuse("statement-unreadable", "/content", message);
        };
        if starts.year() < 1971 || ends.year() > 2199 {
            let message = "a date lies between 1971 and 2199".to_owned();
            return refuse("date-out-of-range", "/content", message);
        }
        let mut texts = Attributes::new();
        for (number, line) in self.lines.iter().enumerate() {
            let own = [
                ("description", &line.description),
                ("reference", &line.reference),
                ("counterparty", &line.counterparty),
            ];
            for (name, text) in own {
                if let Some(text) = text.as_deref().map(cleaned).filter(|text| !text.is_empty()) {
                    texts.set(format!("{number}/{name}"), text);
                }
            }
        }
        let line = |line: &NewStatementLine| StatementLine {
            date: line.date,
            amount: with_places(line.amount, places),
        };
        let number =
            self.number.as_deref().map(|number| cleaned(number).chars().take(NUMBER_LENGTH_MAX).collect());
        Ok(StatementImported {
            statement_id,
            account,
            format,
            number: number.filter(|number: &String| !number.is_empty()),
            currency: self.currency,
            starts,
            ends,
            opening: with_places(self.opening, places),
            closing: with_places(self.closing, places),
            lines: self.lines.iter().map(line).collect(),
            texts,
        })
    }
}

/// Printable, without runs of blanks, and not too long.
fn cleaned(text: &str) -> String {
    let printable: String =
        text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    let words: Vec<&str> = printable.split_whitespace().collect();
    words.join(" ").chars().take(TEXT_LENGTH_MAX).collect()
}

impl BankStatement {
    /// A line of it.
    ///
    /// # Errors
    /// When it has none of that number.
    pub fn line(&self, line: u32) -> Result<&StatementLine, Rejection> {
        let found = usize::try_from(line).ok().and_then(|line| self.imported.lines.get(line));
        found.ok_or_else(|| {
            let message = format!("the statement has {} lines, the first is 0", self.imported.lines.len());
            Rejection::Findings(vec![Finding::error("statement-line-unknown", message).at("/line")])
        })
    }

    /// What a line says: its `description`, `reference` or `counterparty`.
    #[must_use]
    pub fn text(&self, line: u32, name: &str) -> Option<&str> {
        self.imported.texts.get(&format!("{line}/{name}"))
    }

    /// Matches a line with lines of the books, each with what it moved on the account: debits less credits.
    ///
    /// # Errors
    /// When the line is matched, one of the books is named twice or none is, or they do not add up to it.
    pub fn confirm(
        &self,
        line: u32,
        ledger_lines: &[(LedgerLineRef, Decimal)],
    ) -> Result<StatementEvent, Rejection> {
        let own = self.line(line)?;
        if self.matches.contains_key(&line) {
            return Err(Rejection::StatementLineMatched(line));
        }
        let sum = ledger_lines.iter().fold(Decimal::ZERO, |sum, (_, amount)| sum.saturating_add(*amount));
        let mut once: Vec<LedgerLineRef> = ledger_lines.iter().map(|(line, _)| *line).collect();
        once.sort_unstable();
        once.dedup();
        if once.len() != ledger_lines.len() || ledger_lines.is_empty() || sum != own.amount {
            let message = format!(
                "the statement's line is {}, and the lines of the books, each once, add up to {sum}",
                own.amount
            );
            let finding = Finding::error("match-amount-differs", message).at("/ledger_lines");
            return Err(Rejection::Findings(vec![finding]));
        }
        let ledger_lines = ledger_lines.iter().map(|(line, _)| *line).collect();
        Ok(StatementEvent::Matched(LineMatched { line, ledger_lines }))
    }

    /// Takes the match of a line back; the lines of the books that are free again.
    ///
    /// # Errors
    /// When the line is not matched.
    pub fn undo(&self, line: u32) -> Result<(StatementEvent, &[LedgerLineRef]), Rejection> {
        self.line(line)?;
        let ledger_lines = self.matches.get(&line).ok_or(Rejection::StatementLineUnmatched(line))?;
        Ok((StatementEvent::Undone(MatchUndone { line }), ledger_lines))
    }
}

impl Aggregate for BankStatement {
    type Event = StatementEvent;

    fn evolve(state: Option<Self>, event: StatementEvent) -> Result<Self, UnreadableEvent> {
        let out_of_order = UnreadableEvent::OutOfOrder { event_type: event.event_type() };
        match (state, event) {
            (None, StatementEvent::Imported(imported)) => Ok(Self { imported, matches: BTreeMap::new() }),
            (Some(mut state), StatementEvent::Matched(LineMatched { line, ledger_lines })) => {
                match state.matches.insert(line, ledger_lines) {
                    None => Ok(state),
                    Some(_) => Err(out_of_order),
                }
            }
            (Some(mut state), StatementEvent::Undone(MatchUndone { line })) => {
                state.matches.remove(&line).ok_or(out_of_order)?;
                Ok(state)
            }
            _ => Err(out_of_order),
        }
    }
}
