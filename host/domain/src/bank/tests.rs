//! Given a statement, when it is imported or matched, then events or a rejection; differences are explained, whatever is
//! matched.

use jiff::civil::date;
use niyam_values::{Date, Decimal};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::accounts::tests::code;
use crate::aggregate::Aggregate as _;
use crate::ids::{EntryId, StatementId};
use crate::personal::Personal as _;
use crate::rejection::Rejection;

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn row(day: i8, amount: &str, reference: &str) -> NewStatementLine {
    NewStatementLine {
        date: date(2026, 8, day),
        amount: decimal(amount),
        reference: Some(reference.to_owned()),
        ..NewStatementLine::default()
    }
}

fn new() -> NewStatement {
    NewStatement {
        number: Some("17".to_owned()),
        currency: "BDT".parse().unwrap(),
        starts: None,
        ends: None,
        opening: decimal("100"),
        closing: decimal("70.5"),
        lines: vec![row(3, "50", "INV-1"), row(5, "-79.50", "rent")],
    }
}

fn imported(new: NewStatement) -> Result<StatementImported, Rejection> {
    new.imported(StatementId(Uuid::from_u128(1)), code("1101"), StatementFormat::Csv)
}

fn statement() -> BankStatement {
    BankStatement::evolve(None, StatementEvent::Imported(imported(new()).unwrap())).unwrap()
}

fn at(entry: u128, line: u32) -> LedgerLineRef {
    LedgerLineRef { entry_id: EntryId(Uuid::from_u128(entry)), line }
}

fn rule<T: std::fmt::Debug>(refused: Result<T, Rejection>) -> String {
    let Err(Rejection::Findings(findings)) = refused else { panic!("{refused:?}") };
    findings[0].code.clone()
}

#[test]
fn a_statement_adds_up_or_cannot_be() {
    let kept = imported(new()).unwrap();
    assert_eq!((kept.starts, kept.ends), (date(2026, 8, 3), date(2026, 8, 5)));
    assert_eq!(
        (kept.closing.to_string(), kept.lines[0].amount.to_string()),
        ("70.50".to_owned(), "50.00".to_owned())
    );
    let off = |change: fn(&mut NewStatement)| {
        let mut changed = new();
        change(&mut changed);
        rule(imported(changed))
    };
    assert_eq!(off(|new| new.closing = decimal("70.49")), "statement-not-adding-up");
    assert_eq!(off(|new| new.lines[0].amount = decimal("50.001")), "amount-too-precise");
    assert_eq!(off(|new| new.opening = decimal("1000000000000")), "number-out-of-range");
    assert_eq!(off(|new| new.lines[0].date = date(1970, 1, 1)), "date-out-of-range");
    assert_eq!(off(|new| new.lines = vec![row(1, "0", "x"); 5_001]), "statement-lines-count");
    let empty = |ends| NewStatement { closing: decimal("100"), lines: Vec::new(), ends, ..new() };
    assert_eq!(rule(imported(empty(None))), "statement-unreadable");
    assert!(imported(empty(Some(date(2026, 8, 31)))).is_ok());
}

#[test]
fn what_lines_say_is_cleaned_and_sealed() {
    let mut texts = new();
    texts.lines[0].description = Some(format!("Padma\u{7}  Textile\n{}", "x".repeat(600)));
    texts.lines[1].counterparty = Some("  ".to_owned());
    let kept = imported(texts).unwrap();
    let state = BankStatement::evolve(None, StatementEvent::Imported(kept.clone())).unwrap();
    assert!(state.text(0, "description").unwrap().starts_with("Padma Textile xxx"));
    assert_eq!(state.text(0, "description").unwrap().chars().count(), 500);
    assert_eq!((state.text(1, "counterparty"), state.text(1, "reference")), (None, Some("rent")));
    assert_eq!(
        (kept.personal()[0].pointer.as_str(), state.personal()[0].pointer.as_str()),
        ("/texts", "/imported/texts")
    );
}

#[test]
fn a_line_is_matched_with_what_adds_up_to_it_once_and_undone() {
    let given = statement();
    let half = |entry, amount| (at(entry, 0), decimal(amount));
    assert_eq!(rule(given.confirm(0, &[half(1, "49.99")])), "match-amount-differs");
    assert_eq!(rule(given.confirm(0, &[])), "match-amount-differs");
    assert_eq!(rule(given.confirm(0, &[half(1, "25"), half(1, "25")])), "match-amount-differs");
    assert_eq!(rule(given.confirm(2, &[half(1, "50")])), "statement-line-unknown");
    let event = given.confirm(0, &[half(1, "20"), half(2, "30")]).unwrap();
    let then = BankStatement::evolve(Some(given.clone()), event).unwrap();
    assert_eq!(then.confirm(0, &[half(3, "50")]), Err(Rejection::StatementLineMatched(0)));
    assert_eq!(given.undo(0), Err(Rejection::StatementLineUnmatched(0)));
    let (event, free) = then.undo(0).unwrap();
    assert_eq!(free, [at(1, 0), at(2, 0)]);
    assert_eq!(BankStatement::evolve(Some(then.clone()), event).unwrap(), given);
}

#[test]
fn a_line_of_the_books_is_taken_once() {
    let taken = |line| ClaimEvent::Taken(ClaimTaken { statement_id: StatementId(Uuid::from_u128(1)), line });
    let given = LedgerClaim::evolve(None, taken(0)).unwrap();
    assert!(LedgerClaim::evolve(Some(given.clone()), taken(1)).is_err());
    let free = LedgerClaim::evolve(Some(given), ClaimEvent::Released(ClaimReleased {})).unwrap();
    assert!(LedgerClaim::evolve(Some(free), taken(1)).is_ok());
    assert_eq!(at(1, 3).stream().as_str(), "bank-claim/00000000-0000-0000-0000-000000000001/3");
}

fn wanted(line: u32, day: i8, amount: &str, texts: &str) -> Wanted {
    Wanted { line, date: date(2026, 8, day), amount: decimal(amount), texts: texts.to_owned() }
}

fn candidate(entry: u128, day: i8, amount: &str, reference: Option<&str>) -> Candidate {
    Candidate {
        at: at(entry, 0),
        date: date(2026, 8, day),
        amount: decimal(amount),
        reference: reference.map(str::to_owned),
        description: "Invoice of Padma".to_owned(),
    }
}

#[test]
fn the_surest_candidate_comes_first_and_says_why() {
    let books = [
        candidate(1, 3, "50.00", None),
        candidate(2, 5, "50", Some("INV/1")),
        candidate(3, 20, "50", None),
        candidate(4, 3, "-50", None),
    ];
    let found = propose(&[wanted(0, 3, "50", "transfer inv 1")], &books, 5);
    let shown: Vec<_> = found.iter().map(|proposal| (proposal.at, proposal.confidence)).collect();
    assert_eq!(shown, [(at(2, 0), 73), (at(1, 0), 60)]);
    assert_eq!(found[0].reasons, [Reason::SameAmount, Reason::DaysApart(2), Reason::Reference]);
    let only = propose(&[wanted(0, 3, "-50", "PADMA textile")], &books, 0);
    assert_eq!((only[0].confidence, only[0].reasons.last()), (90, Some(&Reason::Words)));
    assert_eq!(only[0].reasons[1], Reason::OnlyOne);
    // Two of the same amount: neither is the only one.
    let two = propose(&[wanted(0, 3, "-50", ""), wanted(1, 3, "-50", "")], &books, 0);
    assert_eq!(two.iter().map(|proposal| proposal.confidence).collect::<Vec<_>>(), [60, 60]);
    assert!(propose(&[wanted(0, 3, "51", "")], &books, 60).is_empty());
}

/// A line of a statement that has come by the end, and how it is matched.
#[derive(Debug, Clone, PartialEq, Eq)]
struct BankSide {
    /// Above zero where money came in.
    amount: Decimal,
    /// Its match, if any.
    matched: Option<usize>,
}

/// A line of the books on the bank's account, and how it is matched.
#[derive(Debug, Clone, PartialEq, Eq)]
struct BookSide {
    /// Debits less credits.
    amount: Decimal,
    /// The day for which it counts.
    date: Date,
    /// Its match, if any.
    matched: Option<usize>,
}

/// A match of one line of a statement with some of the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Match {
    /// Whether the statement's line has come by the end.
    is_in_bank: bool,
    /// The latest day of its lines in the books.
    booked: Date,
}

/// The difference at the end of the last of `statements`, each with its opening and closing balance, in order. `bank` are
/// their lines, `books` those of the account.
fn difference(
    statements: &[(Decimal, Decimal)],
    bank: &[BankSide],
    books: &[BookSide],
    matches: &[Match],
    end: Date,
) -> Difference {
    let settled = |matched: Option<usize>| {
        let found = matched.and_then(|index| matches.get(index));
        found.is_some_and(|found| found.is_in_bank && found.booked <= end)
    };
    let sum = |sum: Decimal, amount: Decimal| sum.saturating_add(amount);
    let by_then = || books.iter().filter(|line| line.date <= end);
    Difference {
        bank: statements.last().map(|(_, closing)| *closing).unwrap_or_default(),
        books: by_then().map(|line| line.amount).fold(Decimal::ZERO, sum),
        brought_forward: statements.first().map(|(opening, _)| *opening).unwrap_or_default(),
        gaps: statements.windows(2).map(|pair| pair[1].0 - pair[0].1).fold(Decimal::ZERO, sum),
        only_in_bank: bank
            .iter()
            .filter(|line| !settled(line.matched))
            .map(|line| line.amount)
            .fold(Decimal::ZERO, sum),
        only_in_books: by_then()
            .filter(|line| !settled(line.matched))
            .map(|line| line.amount)
            .fold(Decimal::ZERO, sum),
    }
}

#[test]
fn a_difference_is_what_only_one_side_has() {
    let day = |day| date(2026, 8, day);
    let bank = [
        BankSide { amount: decimal("50"), matched: Some(0) },
        BankSide { amount: decimal("-3"), matched: None },
        BankSide { amount: decimal("9"), matched: Some(1) },
    ];
    let books = [
        BookSide { amount: decimal("100"), date: day(1), matched: None },
        BookSide { amount: decimal("50"), date: day(2), matched: Some(0) },
        BookSide { amount: decimal("7"), date: day(3), matched: None },
        // Booked after the end: the bank has it, the books not yet.
        BookSide { amount: decimal("9"), date: day(31), matched: Some(1) },
    ];
    let matches = [Match { is_in_bank: true, booked: day(2) }, Match { is_in_bank: true, booked: day(31) }];
    let found = difference(&[(decimal("100"), decimal("156"))], &bank, &books, &matches, day(30));
    assert_eq!((found.bank, found.books), (decimal("156"), decimal("157")));
    assert_eq!((found.only_in_bank, found.only_in_books), (decimal("6"), decimal("107")));
    assert_eq!((found.amount(), found.explained()), (decimal("-1"), decimal("-1")));
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        rng_seed: proptest::test_runner::RngSeed::Fixed(1),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Whatever lines there are, and whatever of them is matched: the difference is explained to the last minor unit.
    #[test]
    fn every_difference_is_explained(
        statements in prop::collection::vec((-9_000_i64..9_000, prop::collection::vec(-9_000_i64..9_000, 0..8)), 1..5),
        books in prop::collection::vec((-9_000_i64..9_000, 1..28_i8), 0..30),
        splits in prop::collection::vec((0..40_usize, prop::collection::vec((-500_i64..500, 1..28_i8), 1..4)), 0..20),
        end in 1..28_i8,
        before_end in 1..5_usize,
    ) {
        let cents = |amount: i64| Decimal::new(amount, 2);
        let shown = before_end.min(statements.len());
        let mut bank: Vec<(bool, BankSide)> = Vec::new();
        let mut balances = Vec::new();
        for (number, (opening, lines)) in statements.iter().enumerate() {
            let closing = lines.iter().fold(*opening, |sum, line| sum + line);
            if number < shown {
                balances.push((cents(*opening), cents(closing)));
            }
            bank.extend(lines.iter().map(|line| (number < shown, BankSide { amount: cents(*line), matched: None })));
        }
        let mut book: Vec<BookSide> = books
            .iter()
            .map(|(amount, day)| BookSide { amount: cents(*amount), date: date(2026, 8, *day), matched: None })
            .collect();
        let mut matches = Vec::new();
        for (line, parts) in &splits {
            let Some((is_in_bank, side)) = bank.get_mut(*line).filter(|(_, side)| side.matched.is_none()) else { continue };
            // Parts of the line, and what is left of it.
            let left = parts.iter().fold(side.amount, |left, (part, _)| left - cents(*part));
            let last = date(2026, 8, parts[0].1);
            let own = parts.iter().map(|(part, day)| (cents(*part), date(2026, 8, *day))).chain([(left, last)]);
            let own: Vec<(Decimal, Date)> = own.collect();
            side.matched = Some(matches.len());
            book.extend(own.iter().map(|(amount, date)| BookSide { amount: *amount, date: *date, matched: side.matched }));
            let booked = own.iter().map(|(_, date)| *date).max().unwrap();
            matches.push(Match { is_in_bank: *is_in_bank, booked });
        }
        let come: Vec<BankSide> = bank.iter().filter(|(is_in_bank, _)| *is_in_bank).map(|(_, side)| side.clone()).collect();
        let found = difference(&balances, &come, &book, &matches, date(2026, 8, end));
        prop_assert_eq!(found.amount(), found.explained(), "{:?}", found);
    }
}
