//! Given an entry, when a command, then events or a rejection.

use jiff::civil::date;
use niyam_values::{Attributes, Decimal};
use uuid::Uuid;

use super::*;
use crate::accounts::Chart;
use crate::accounts::tests::{chart, deactivate};
use crate::aggregate::Aggregate as _;
use crate::ids::EntryId;
use crate::periods::tests::{july, periods};
use crate::periods::{Authority, PeriodStatus, Periods};
use crate::rejection::Rejection;

pub(crate) fn id(number: u128) -> EntryId {
    EntryId(Uuid::from_u128(number))
}

pub(crate) fn line(account: &str, debit: Option<&str>, credit: Option<&str>, currency: &str) -> NewLine {
    let amount = |text: &str| text.parse::<Decimal>().unwrap();
    NewLine {
        account: account.to_owned(),
        debit: debit.map(amount),
        credit: credit.map(amount),
        currency: currency.to_owned(),
        memo: None,
        dimensions: Attributes::new(),
    }
}

fn two() -> Vec<NewLine> {
    vec![line("1101", Some("10.50"), None, "BDT"), line("4001", None, Some("10.50"), "BDT")]
}

fn of_lines(lines: Vec<NewLine>) -> Result<Entry, Rejection> {
    Entry::new(NewEntry {
        date: date(2026, 7, 15),
        description: "Cash sale".to_owned(),
        reference: None,
        lines,
    })
}

fn books<'a>(chart: &'a Chart, periods: &'a Periods) -> Books<'a> {
    Books { chart, periods, authority: Authority::Ordinary }
}

fn decide(state: Option<&JournalEntry>, command: JournalCommand) -> Result<JournalEntry, Rejection> {
    let (chart, periods) = (chart(), periods());
    let events = JournalEntry::decide(state, command, &books(&chart, &periods))?;
    let then = events
        .into_iter()
        .fold(state.cloned(), |state, event| Some(JournalEntry::evolve(state, event).unwrap()));
    Ok(then.unwrap())
}

fn draft() -> JournalEntry {
    let entry = of_lines(two()).unwrap();
    decide(None, JournalCommand::Draft(DraftEntry { entry_id: id(1), entry })).unwrap()
}

fn posted() -> JournalEntry {
    decide(Some(&draft()), JournalCommand::Post(PostEntry {})).unwrap()
}

fn reverse(entry: &JournalEntry, day: i8) -> Result<(JournalEntry, JournalEntry), Rejection> {
    let command = ReverseEntry { mirror_id: id(2), date: date(2026, 7, day), reason: "wrong".to_owned() };
    let reversal = entry.reverse(command, &periods(), Authority::Ordinary)?;
    let then = JournalEntry::evolve(Some(entry.clone()), reversal.reversed).unwrap();
    Ok((then, JournalEntry::evolve(None, reversal.mirror).unwrap()))
}

fn findings<T: std::fmt::Debug>(refused: Result<T, Rejection>) -> Vec<(String, String)> {
    let Err(Rejection::Findings(findings)) = refused else { panic!("{refused:?}") };
    findings.into_iter().map(|finding| (finding.code, finding.pointer.unwrap_or_default())).collect()
}

fn one(rule: &str, pointer: &str) -> Vec<(String, String)> {
    vec![(rule.to_owned(), pointer.to_owned())]
}

#[test]
fn debits_equal_credits_to_the_last_place_in_each_currency() {
    assert!(of_lines(two()).is_ok());
    let mut lines = two();
    lines[1].credit = Some("10.49".parse().unwrap());
    assert_eq!(findings(of_lines(lines)), one("entry-unbalanced", "/lines"));
    let mixed = vec![line("1101", Some("1"), None, "BDT"), line("4001", None, Some("1"), "USD")];
    let unbalanced = [one("entry-unbalanced", "/lines"), one("entry-unbalanced", "/lines")].concat();
    assert_eq!(findings(of_lines(mixed)), unbalanced);
    let two_currencies = vec![
        line("1101", Some("1"), None, "BDT"),
        line("4001", None, Some("1"), "BDT"),
        line("1101", Some("7"), None, "JPY"),
        line("4001", None, Some("7"), "JPY"),
    ];
    assert!(of_lines(two_currencies).is_ok());
}

#[test]
fn each_line_is_told_what_is_wrong_with_it() {
    for (wrong, rule, pointer) in [
        (line("1101", Some("0"), None, "BDT"), "amount-not-positive", "/lines/0/debit"),
        (line("1101", None, Some("-1"), "BDT"), "amount-not-positive", "/lines/0/credit"),
        (line("1101", Some("10.505"), None, "BDT"), "amount-too-precise", "/lines/0/debit"),
        (line("1101", Some("10.5"), None, "JPY"), "amount-too-precise", "/lines/0/debit"),
        (line("1101", Some("1000000000000"), None, "BDT"), "number-out-of-range", "/lines/0/debit"),
        (line("1101", Some("1"), Some("1"), "BDT"), "entry-side-unclear", "/lines/0"),
        (line("1101", None, None, "BDT"), "entry-side-unclear", "/lines/0"),
        (line("11 01", Some("1"), None, "BDT"), "account-unknown", "/lines/0/account"),
        (line("1101", Some("1"), None, "Taka"), "currency-unknown", "/lines/0/currency"),
        (NewLine { memo: Some(String::new()), ..two().remove(0) }, "text-invalid", "/lines/0/memo"),
        (
            NewLine { dimensions: Attributes::new().with("a b", "c"), ..two().remove(0) },
            "dimension-invalid",
            "/lines/0/dimensions",
        ),
    ] {
        let mut lines = two();
        lines[0] = wrong;
        assert_eq!(findings(of_lines(lines)), one(rule, pointer));
    }
    for count in [0, 1, LINES_OF_ENTRY_MAX + 1] {
        let lines = two().into_iter().cycle().take(count).collect();
        assert_eq!(findings(of_lines(lines)), one("entry-lines-count", "/lines"));
    }
    // Places that say nothing are none.
    let mut lines = two();
    lines[0].debit = Some("10.5000".parse().unwrap());
    assert_eq!(of_lines(lines).unwrap().lines.as_slice()[0].amount.to_string(), "10.50");
}

#[test]
fn unbalanced_lines_cannot_even_be_read() {
    let mut stored = serde_json::to_value(of_lines(two()).unwrap()).unwrap();
    assert!(serde_json::from_value::<Entry>(stored.clone()).is_ok());
    stored["lines"][0]["amount"] = "10.51".into();
    assert!(serde_json::from_value::<Entry>(stored.clone()).is_err());
    stored["lines"] = serde_json::json!([]);
    assert!(serde_json::from_value::<Entry>(stored).is_err());
}

#[test]
fn only_active_posting_accounts_are_posted_to() {
    let (mut chart, periods) = (chart(), periods());
    for event in Chart::decide(Some(&chart), deactivate("1103")).unwrap() {
        chart = Chart::evolve(Some(chart), event).unwrap();
    }
    for (account, rule) in
        [("77", "account-unknown"), ("11", "account-not-posting"), ("1103", "account-inactive")]
    {
        let mut lines = two();
        lines[1].account = account.to_owned();
        let entry = of_lines(lines).unwrap();
        let draft = JournalCommand::Draft(DraftEntry { entry_id: id(1), entry: entry.clone() });
        let refused = JournalEntry::decide(None, draft, &books(&chart, &periods));
        assert_eq!(findings(refused), one(rule, "/lines/1/account"));
        // Also when it was drafted while the chart still allowed it.
        let given = JournalEntry { entry, ..self::draft() };
        let post = JournalCommand::Post(PostEntry {});
        let refused = JournalEntry::decide(Some(&given), post, &books(&chart, &periods));
        assert_eq!(findings(refused), one(rule, "/lines/1/account"));
    }
}

#[test]
fn a_closed_period_takes_no_posting_but_a_draft() {
    let chart = chart();
    for (status, authority, refused) in [
        (PeriodStatus::Closed, Authority::Approver, Some("period-closed")),
        (PeriodStatus::SoftClosed, Authority::Ordinary, Some("period-soft-closed")),
        (PeriodStatus::SoftClosed, Authority::Approver, None),
    ] {
        let periods = july(status);
        let books = Books { chart: &chart, periods: &periods, authority };
        let found = JournalEntry::decide(Some(&draft()), JournalCommand::Post(PostEntry {}), &books);
        match refused {
            Some(rule) => assert_eq!(findings(found), one(rule, "/date")),
            None => assert_eq!(found.unwrap().len(), 1),
        }
        let entry = of_lines(two()).unwrap();
        let draft = JournalCommand::Draft(DraftEntry { entry_id: id(1), entry });
        assert!(JournalEntry::decide(None, draft, &books).is_ok());
    }
}

#[test]
fn what_is_posted_never_changes() {
    let given = posted();
    let revise = JournalCommand::Revise(ReviseEntry { entry: given.entry.clone() });
    for command in [revise, JournalCommand::Post(PostEntry {})] {
        let refused = decide(Some(&given), command);
        assert!(matches!(refused, Err(Rejection::WrongEntryStatus { .. })), "{refused:?}");
    }
    let missing = decide(None, JournalCommand::Post(PostEntry {}));
    assert_eq!(missing, Err(Rejection::EntryMissing));
}

#[test]
fn an_entry_is_reversed_once_by_its_mirror() {
    let (reversed, mirror) = reverse(&posted(), 20).unwrap();
    assert_eq!(reversed.status, EntryStatus::Reversed);
    assert_eq!(mirror.reverses, Some(id(1)));
    let sides = |entry: &JournalEntry| -> Vec<(String, Side, String)> {
        let lines = entry.entry.lines.as_slice().iter();
        lines.map(|line| (line.account.to_string(), line.side, line.amount.to_string())).collect()
    };
    assert_eq!(
        sides(&mirror),
        [
            ("1101".to_owned(), Side::Credit, "10.50".to_owned()),
            ("4001".to_owned(), Side::Debit, "10.50".to_owned())
        ]
    );
    assert!(matches!(reverse(&reversed, 20), Err(Rejection::WrongEntryStatus { .. })));
    assert_eq!(reverse(&mirror, 20).unwrap_err(), Rejection::ReversalOfReversal);
    assert!(matches!(reverse(&draft(), 20), Err(Rejection::WrongEntryStatus { .. })));
}

#[test]
fn a_reversal_needs_an_open_day_not_before_its_entry_and_a_reason() {
    assert_eq!(findings(reverse(&posted(), 14)), one("reversal-before-entry", "/date"));
    let command =
        |reason: &str| ReverseEntry { mirror_id: id(2), date: date(2026, 7, 15), reason: reason.to_owned() };
    let closed = july(PeriodStatus::Closed);
    let refused = posted().reverse(command("wrong"), &closed, Authority::Approver);
    assert_eq!(findings(refused), one("period-closed", "/date"));
    let far = ReverseEntry { date: date(2200, 1, 1), ..command("wrong") };
    let refused = posted().reverse(far, &periods(), Authority::Ordinary);
    assert_eq!(findings(refused), one("date-out-of-range", "/date"));
    let refused = posted().reverse(command(" "), &periods(), Authority::Ordinary);
    assert_eq!(findings(refused), one("text-invalid", "/reason"));
}

#[test]
fn the_entry_of_a_document_goes_with_its_document() {
    let source = Some(EntrySource { kind: SourceKind::Invoice, id: Uuid::from_u128(9) });
    let given = JournalEntry { source, ..posted() };
    assert_eq!(reverse(&given, 20).unwrap_err(), Rejection::EntryOfDocument);
}

#[test]
fn an_event_out_of_order_is_an_error() {
    let entry = of_lines(two()).unwrap();
    let revised = EntryEvent::Revised(EntryRevised { entry: entry.clone() });
    assert!(JournalEntry::evolve(None, revised.clone()).is_err());
    assert!(JournalEntry::evolve(Some(posted()), revised).is_err());
    let drafted = EntryEvent::Drafted(EntryDrafted { entry_id: id(1), entry });
    assert!(JournalEntry::evolve(Some(draft()), drafted).is_err());
}
