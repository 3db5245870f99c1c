//! Given years and their periods, when one is closed or reopened, then events or a rejection.

use jiff::civil::date;

use super::tests::when;
use super::*;
use crate::accounts::tests::code;
use crate::invoice::tests::decision;

/// Two half-years: `P1` and `P2` of each of three years, all soft-closed.
fn years() -> Periods {
    let mut periods = Periods::default();
    for year in 2024..2027 {
        let period = |number: i8| FiscalPeriod {
            code: format!("{year}-P{number}"),
            fiscal_year: year.to_string(),
            starts: date(year, 1 + 6 * (number - 1), 1),
            ends: date(year, 6 * number, if number == 1 { 30 } else { 31 }),
        };
        let opened = vec![period(1), period(2)];
        let decisions = opened.iter().map(|_| decision("fiscal-period-of")).collect();
        periods = when(Some(&periods), PeriodCommand::OpenYear { periods: opened, decisions }).unwrap();
    }
    for code in periods.periods.clone() {
        periods = when(Some(&periods), PeriodCommand::SoftClose(code.period.code)).unwrap();
    }
    periods
}

fn begin(year: &str) -> PeriodCommand {
    PeriodCommand::BeginYearClose { fiscal_year: year.to_owned(), retained_earnings: code("3101") }
}

fn end(year: &str) -> PeriodCommand {
    PeriodCommand::EndYearClose { fiscal_year: year.to_owned(), entries: 1 }
}

fn begin_reopen(year: &str) -> PeriodCommand {
    PeriodCommand::BeginYearReopen { fiscal_year: year.to_owned(), reason: "late bill".to_owned() }
}

fn end_reopen(year: &str) -> PeriodCommand {
    PeriodCommand::EndYearReopen { fiscal_year: year.to_owned() }
}

fn all(state: &Periods, commands: Vec<PeriodCommand>) -> Result<Periods, Rejection> {
    commands.into_iter().try_fold(state.clone(), |state, command| when(Some(&state), command))
}

fn refused(periods: &Periods, day: Date) -> Option<String> {
    periods.check_day(day, Authority::Approver, "/date").map(|finding| finding.code)
}

#[test]
fn a_year_that_is_being_closed_shuts_its_days_and_all_before() {
    let given = years();
    let closing = all(&given, vec![begin("2024")]).unwrap();
    let shut = Some("fiscal-year-closed".to_owned());
    for day in [date(1999, 1, 1), date(2024, 1, 1), date(2024, 12, 31)] {
        assert_eq!(refused(&given, day), None);
        assert_eq!(refused(&closing, day), shut);
    }
    assert_eq!(refused(&closing, date(2025, 1, 1)), None);
    let closed = all(&closing, vec![end("2024")]).unwrap();
    assert_eq!(refused(&closed, date(2024, 12, 31)), shut);
    assert_eq!(closed.years["2024"].entries, Some(1));
    let reopening = all(&closed, vec![begin_reopen("2024")]).unwrap();
    assert_eq!(refused(&reopening, date(2024, 12, 31)), shut);
    let open = all(&reopening, vec![end_reopen("2024")]).unwrap();
    assert_eq!(refused(&open, date(2024, 12, 31)), None);
    // Closed again, it is another closing.
    assert_eq!(all(&open, vec![begin("2024")]).unwrap().years["2024"].number, 2);
}

#[test]
fn each_state_of_a_year_allows_what_follows_it_alone() {
    let open = years();
    let closing = all(&open, vec![begin("2024")]).unwrap();
    let closed = all(&closing, vec![end("2024")]).unwrap();
    let reopening = all(&closed, vec![begin_reopen("2024")]).unwrap();
    for (given, allowed) in [
        (&open, [true, false, false, false]),
        (&closing, [false, true, true, false]),
        (&closed, [false, false, true, false]),
        (&reopening, [false, false, false, true]),
    ] {
        let commands = [begin("2024"), end("2024"), begin_reopen("2024"), end_reopen("2024")];
        for (command, allowed) in commands.into_iter().zip(allowed) {
            let found = when(Some(given), command.clone());
            if allowed {
                assert!(found.is_ok(), "{command:?} {found:?}");
            } else {
                assert!(matches!(found, Err(Rejection::WrongYearStatus { .. })), "{command:?} {found:?}");
            }
        }
    }
    for command in [begin("1999"), end("1999"), begin_reopen("1999"), end_reopen("1999")] {
        assert_eq!(when(Some(&open), command), Err(Rejection::FiscalYearMissing));
    }
}

#[test]
fn a_year_with_an_open_period_is_not_closed_and_a_closed_year_keeps_its_periods() {
    let given = years();
    let reopen =
        |code: &str| PeriodCommand::Reopen { period: code.to_owned(), reason: "late bill".to_owned() };
    let one_open = all(&given, vec![reopen("2024-P2")]).unwrap();
    let open = Rejection::FiscalYearPeriodsOpen("2024-P2".to_owned());
    assert_eq!(when(Some(&one_open), begin("2024")), Err(open));
    let closed = all(&given, vec![begin("2024"), end("2024")]).unwrap();
    assert!(matches!(when(Some(&closed), reopen("2024-P2")), Err(Rejection::WrongYearStatus { .. })));
    assert!(when(Some(&closed), PeriodCommand::Close("2024-P2".to_owned())).is_ok());
    assert!(when(Some(&closed), reopen("2025-P1")).is_ok());
}

#[test]
fn years_are_closed_in_order_and_reopened_in_the_other() {
    let given = years();
    let first = |year: &str| Err(Rejection::FiscalYearOrder(year.to_owned()));
    assert_eq!(when(Some(&given), begin("2025")), first("2024"));
    let two = all(&given, vec![begin("2024"), end("2024"), begin("2025"), end("2025")]).unwrap();
    assert_eq!(when(Some(&two), begin_reopen("2024")), first("2025"));
    let one = all(&two, vec![begin_reopen("2025"), end_reopen("2025")]).unwrap();
    let none = all(&one, vec![begin_reopen("2024"), end_reopen("2024")]).unwrap();
    assert_eq!(when(Some(&none), begin("2025")), first("2024"));
    // A year that is opened after a later one was closed stays as it is: its days are shut.
    let mut late = all(&none, vec![begin("2024"), end("2024"), begin("2025")]).unwrap();
    late.years.remove("2024");
    assert_eq!(when(Some(&late), begin("2024")), first("2025"));
}

#[test]
fn a_year_is_reopened_with_a_reason() {
    let closed = all(&years(), vec![begin("2024"), end("2024")]).unwrap();
    let without = PeriodCommand::BeginYearReopen { fiscal_year: "2024".to_owned(), reason: " ".to_owned() };
    assert!(matches!(when(Some(&closed), without), Err(Rejection::Findings(_))));
}
