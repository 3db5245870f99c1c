//! Given returns of a period, when a command, then events or a rejection.

use jiff::civil::date;
use niyam_values::{Attributes, IssueFacts};
use rust_decimal::Decimal;

use super::*;
use crate::invoice::tests::{assessment, decision, document};

fn prepare(hash: &str) -> PrepareReturn {
    PrepareReturn {
        code: "mushak-9.1".to_owned(),
        period: FiscalPeriod {
            code: "FY2026-2027-P01".to_owned(),
            fiscal_year: "2026-2027".to_owned(),
            starts: date(2026, 7, 1),
            ends: date(2026, 7, 31),
        },
        opening: vec![OpeningBalance { code: "note-52".to_owned(), amount: Decimal::from(100) }],
        known_at: Position(40),
        documents: 3,
        filing: filing(date(2026, 8, 1)),
        decision: Decision { output_digest: hash.to_owned(), ..decision("draw-return") },
    }
}

fn filing(day: Date) -> RegisterEntry {
    let mut document = document();
    document.kind = "return".to_owned();
    RegisterEntry {
        taxes: assessment(100).taxes,
        document,
        facts: IssueFacts {
            number: "mushak-9.1/FY2026-2027-P01/1".to_owned(),
            issued_on: day,
            issued_at: "11:30:00".to_owned(),
            attributes: Attributes::new(),
        },
    }
}

const fn file(today: Date) -> ReturnCommand {
    ReturnCommand::File { today, outdated: false }
}

fn when(state: Option<&TaxReturn>, command: ReturnCommand) -> Result<TaxReturn, Rejection> {
    let events = TaxReturn::decide(state, command)?;
    let state = events
        .into_iter()
        .fold(state.cloned(), |state, event| Some(TaxReturn::evolve(state, event).unwrap()));
    Ok(state.unwrap())
}

fn prepared() -> TaxReturn {
    when(None, ReturnCommand::Prepare(prepare("aa"))).unwrap()
}

fn filed() -> TaxReturn {
    let reviewed = when(Some(&prepared()), ReturnCommand::Review).unwrap();
    when(Some(&reviewed), file(date(2026, 8, 1))).unwrap()
}

#[test]
fn a_return_is_prepared_reviewed_and_filed_under_its_own_number() {
    let filed = filed();
    assert_eq!(filed.status, ReturnStatus::Filed);
    let last = filed.filed.last().unwrap();
    assert_eq!((&*last.filed.number, &*last.filed.hash), ("mushak-9.1/FY2026-2027-P01/1", "aa"));
    assert_eq!((last.filed.filed_on, last.prepared.known_at), (date(2026, 8, 1), Position(40)));
}

#[test]
fn a_return_that_was_filed_is_locked() {
    let filed = filed();
    for command in [ReturnCommand::Review, file(date(2026, 9, 1))] {
        let refused = when(Some(&filed), command).unwrap_err();
        assert_eq!(refused.code(), "tax-return-status-conflict");
    }
}

#[test]
fn what_was_filed_is_corrected_by_another_return_and_stays() {
    let filed = filed();
    let unchanged = when(Some(&filed), ReturnCommand::Prepare(prepare("aa"))).unwrap_err();
    assert_eq!(unchanged, Rejection::ReturnUnchanged);
    let correction = when(Some(&filed), ReturnCommand::Prepare(prepare("bb"))).unwrap();
    assert_eq!((correction.status, correction.prepared.sequence), (ReturnStatus::Prepared, 2));
    assert_eq!(correction.filed, filed.filed);
    let reviewed = when(Some(&correction), ReturnCommand::Review).unwrap();
    let corrected = when(Some(&reviewed), file(date(2026, 8, 1))).unwrap();
    let numbers: Vec<&str> = corrected.filed.iter().map(|filed| filed.filed.number.as_str()).collect();
    assert_eq!(numbers, ["mushak-9.1/FY2026-2027-P01/1", "mushak-9.1/FY2026-2027-P01/2"]);
    assert_eq!(corrected.hash(), "bb");
}

#[test]
fn what_is_prepared_anew_has_to_be_reviewed_anew() {
    let reviewed = when(Some(&prepared()), ReturnCommand::Review).unwrap();
    let again = when(Some(&reviewed), ReturnCommand::Prepare(prepare("aa"))).unwrap();
    assert_eq!((again.status, again.prepared.sequence), (ReturnStatus::Prepared, 1));
    let refused = when(Some(&again), file(date(2026, 8, 1))).unwrap_err();
    let needed = "reviewed";
    assert_eq!(refused, Rejection::WrongReturnStatus { found: ReturnStatus::Prepared, needed });
}

#[test]
fn nothing_is_filed_before_its_period_is_over_or_when_documents_came_since() {
    let reviewed = when(Some(&prepared()), ReturnCommand::Review).unwrap();
    let Rejection::Findings(findings) = when(Some(&reviewed), file(date(2026, 7, 31))).unwrap_err() else {
        panic!("no findings")
    };
    assert_eq!((&*findings[0].code, findings[0].pointer.as_deref()), ("period-not-over", Some("/period")));
    let outdated = ReturnCommand::File { today: date(2026, 8, 1), outdated: true };
    assert_eq!(when(Some(&reviewed), outdated).unwrap_err(), Rejection::ReturnOutdated);
    // It says that it is filed on the first.
    assert_eq!(when(Some(&reviewed), file(date(2026, 8, 2))).unwrap_err(), Rejection::ReturnOutdated);
    assert_eq!(when(None, ReturnCommand::Review).unwrap_err(), Rejection::ReturnMissing);
}

#[test]
fn each_balance_is_brought_in_once_under_a_code() {
    let refused = |codes: &[&str]| {
        let opening = codes
            .iter()
            .map(|code| OpeningBalance { code: (*code).to_owned(), amount: Decimal::ONE })
            .collect();
        let Err(Rejection::Findings(findings)) =
            when(None, ReturnCommand::Prepare(PrepareReturn { opening, ..prepare("aa") }))
        else {
            return None;
        };
        Some((findings[0].code.clone(), findings[0].pointer.clone().unwrap()))
    };
    assert_eq!(refused(&["a", "b"]), None);
    assert_eq!(refused(&["a", ""]), Some(("text-invalid".to_owned(), "/opening/1/code".to_owned())));
    assert_eq!(refused(&["a", "a"]), Some(("opening-balances-invalid".to_owned(), "/opening".to_owned())));
    let many: Vec<String> = (0..=OPENING_BALANCES_MAX).map(|index| index.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(refused(&many).unwrap().0, "opening-balances-invalid");
}

#[test]
fn a_stream_is_named_by_codes_alone() {
    assert_eq!(
        return_stream("mushak-9.1", "FY2026-2027-P01").unwrap().as_str(),
        "tax-return/mushak-9.1/FY2026-2027-P01"
    );
    for (code, period) in [("", "P01"), ("a/b", "P01"), ("A", "P01"), ("a", ""), ("a", "P/1"), ("ক", "P01")]
    {
        assert!(return_stream(code, period).is_err(), "{code} {period}");
    }
    assert!(return_stream(&"a".repeat(65), "P01").is_err());
}
