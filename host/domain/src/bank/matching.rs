//! Which lines of the books a statement's line may be: of the same amount, within some days, best where the reference is
//! found. How sure that is, is a number with its reasons; who matches them is the user.

use std::collections::BTreeMap;

use niyam_values::{Date, Decimal};

use super::claim::LedgerLineRef;

/// Most candidates that are proposed for a line.
const CANDIDATES_MAX: usize = 5;
/// Most lines of the same amount that are weighed for a line, of those before its day, and of those from it on.
const WEIGHED_MAX: usize = 20;
/// Shortest reference that says something.
const REFERENCE_LENGTH_MIN: usize = 3;

/// A line of a statement that is not matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Which line.
    pub line: u32,
    /// When the bank booked it.
    pub date: Date,
    /// Above zero where money came in.
    pub amount: Decimal,
    /// All that it says.
    pub texts: String,
}

/// A line of the books that is not matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Which.
    pub at: LedgerLineRef,
    /// The day for which it counts.
    pub date: Date,
    /// Debits less credits.
    pub amount: Decimal,
    /// What its entry refers to.
    pub reference: Option<String>,
    /// What it is about.
    pub description: String,
}

/// Why a candidate is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The amounts are the same.
    SameAmount,
    /// No other line of the books, and no other line of the statement, has that amount.
    OnlyOne,
    /// So many days lie between them; none when it is the same day.
    DaysApart(u32),
    /// The statement says the entry's reference.
    Reference,
    /// Both say the same words.
    Words,
}

/// A candidate, and how sure it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The line of the statement.
    pub line: u32,
    /// The line of the books.
    pub at: LedgerLineRef,
    /// Hundredths, at most 100.
    pub confidence: u8,
    /// Why.
    pub reasons: Vec<Reason>,
}

/// The candidates of each wanted line that lie within `days` of it, the surest first.
#[must_use]
pub fn propose(wanted: &[Wanted], candidates: &[Candidate], days: u32) -> Vec<Proposal> {
    let mut by_amount: BTreeMap<Decimal, Vec<&Candidate>> = BTreeMap::new();
    for candidate in candidates {
        by_amount.entry(candidate.amount.normalize()).or_default().push(candidate);
    }
    for same in by_amount.values_mut() {
        same.sort_by_key(|candidate| (candidate.date, candidate.at));
    }
    let mut rivals: BTreeMap<Decimal, usize> = BTreeMap::new();
    for line in wanted {
        *rivals.entry(line.amount.normalize()).or_default() += 1;
    }
    let mut all = Vec::new();
    for line in wanted {
        let amount = line.amount.normalize();
        let same = by_amount.get(&amount).map(Vec::as_slice).unwrap_or_default();
        let day = same.partition_point(|candidate| candidate.date < line.date);
        let weighed = day.saturating_sub(WEIGHED_MAX)..same.len().min(day + WEIGHED_MAX);
        let same: Vec<&&Candidate> =
            same[weighed].iter().filter(|candidate| apart(line.date, candidate.date) <= days).collect();
        let only = same.len() == 1 && rivals.get(&amount) == Some(&1);
        let mut own: Vec<Proposal> =
            same.iter().map(|candidate| judge(line, candidate, days, only)).collect();
        own.sort_by(|one, other| other.confidence.cmp(&one.confidence).then(one.at.cmp(&other.at)));
        own.truncate(CANDIDATES_MAX);
        all.extend(own);
    }
    all
}

fn judge(line: &Wanted, candidate: &Candidate, days: u32, only: bool) -> Proposal {
    let mut reasons = vec![Reason::SameAmount];
    let mut confidence = 40;
    if only {
        reasons.push(Reason::OnlyOne);
        confidence += 20;
    }
    let between = apart(line.date, candidate.date);
    reasons.push(Reason::DaysApart(between));
    confidence += 20 * (days + 1).saturating_sub(between) / (days + 1);
    let said = plain(&line.texts);
    let names = |reference: &String| {
        let reference = plain(reference);
        reference.len() >= REFERENCE_LENGTH_MIN && said.contains(&reference)
    };
    if candidate.reference.as_ref().is_some_and(names) {
        reasons.push(Reason::Reference);
        confidence += 20;
    } else if shares_a_word(&line.texts, &candidate.description) {
        reasons.push(Reason::Words);
        confidence += 10;
    }
    let confidence = u8::try_from(confidence.min(100)).unwrap_or(100);
    Proposal { line: line.line, at: candidate.at, confidence, reasons }
}

fn apart(one: Date, other: Date) -> u32 {
    let days = one.since(other).map_or(i32::MAX, |span| span.get_days());
    days.unsigned_abs()
}

/// Letters and digits alone, in lower case: banks write references with and without separators.
fn plain(text: &str) -> String {
    text.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Whether both say the same word of five letters or more.
fn shares_a_word(one: &str, other: &str) -> bool {
    let words = |text: &str| -> Vec<String> {
        let words = text.split(|letter: char| !letter.is_alphanumeric()).map(str::to_lowercase);
        words.filter(|word| word.chars().count() >= 5).collect()
    };
    let known = words(one);
    words(other).iter().any(|word| known.contains(word))
}
