//! Given periods, when a command, then events or a rejection.

use jiff::civil::date;

use super::*;
use crate::invoice::tests::decision;

fn month(year: i16, month: i8, code: &str) -> FiscalPeriod {
    let starts = date(year, month, 1);
    FiscalPeriod {
        code: code.to_owned(),
        fiscal_year: "2026-2027".to_owned(),
        starts,
        ends: starts.last_of_month(),
    }
}

fn open(periods: Vec<FiscalPeriod>) -> PeriodCommand {
    let decisions = periods.iter().map(|_| decision("fiscal-period-of")).collect();
    PeriodCommand::OpenYear { periods, decisions }
}

fn two() -> Vec<FiscalPeriod> {
    vec![month(2026, 7, "P01"), month(2026, 8, "P02")]
}

pub(crate) fn when(state: Option<&Periods>, command: PeriodCommand) -> Result<Periods, Rejection> {
    let events = Periods::decide(state, command)?;
    let state =
        events.into_iter().fold(state.cloned(), |state, event| Some(Periods::evolve(state, event).unwrap()));
    Ok(state.unwrap_or_default())
}

/// July and August 2026, as `P01` and `P02`, both open.
pub(crate) fn periods() -> Periods {
    when(None, open(two())).unwrap()
}

/// The same with `P01` in another state.
pub(crate) fn july(status: PeriodStatus) -> Periods {
    let mut periods = periods();
    periods.periods[0].status = status;
    periods
}

fn reopen(reason: &str) -> PeriodCommand {
    PeriodCommand::Reopen { period: "P01".to_owned(), reason: reason.to_owned() }
}

#[test]
fn a_year_is_opened_once() {
    let given = periods();
    assert_eq!(given.periods.len(), 2);
    assert_eq!(when(Some(&given), open(two())), Err(Rejection::FiscalYearExists));
    // Another code for days that a period has.
    let other = vec![month(2026, 8, "P99")];
    assert_eq!(when(Some(&given), open(other)), Err(Rejection::FiscalYearExists));
}

#[test]
fn a_calendar_with_gaps_or_doubles_is_no_year() {
    let gap = vec![month(2026, 7, "P01"), month(2026, 9, "P03")];
    let double = vec![month(2026, 7, "P01"), month(2026, 8, "P01")];
    let mut years = two();
    years[1].fiscal_year = "2027-2028".to_owned();
    for periods in [Vec::new(), gap, double, years, vec![month(2026, 7, "P/1")]] {
        assert_eq!(when(None, open(periods)), Err(Rejection::CalendarBroken));
    }
}

#[test]
fn each_state_lets_post_whom_it_should() {
    use Authority::{Approver, Ordinary};
    use PeriodStatus::{Closed, Open, SoftClosed};
    for (status, ordinary, approver) in [
        (Open, None, None),
        (SoftClosed, Some("period-soft-closed"), None),
        (Closed, Some("period-closed"), Some("period-closed")),
    ] {
        let given = july(status);
        let refused = |day, authority| given.check_day(day, authority, "/date").map(|finding| finding.code);
        for day in [date(2026, 7, 1), date(2026, 7, 31)] {
            assert_eq!(refused(day, Ordinary).as_deref(), ordinary, "{status}");
            assert_eq!(refused(day, Approver).as_deref(), approver, "{status}");
        }
        for day in [date(2026, 6, 30), date(2026, 8, 1), date(2030, 1, 1)] {
            assert_eq!(refused(day, Ordinary), None);
        }
    }
}

#[test]
fn a_period_is_closed_from_any_state_but_closed_and_reopened_with_a_reason() {
    use PeriodStatus::{Closed, Open, SoftClosed};
    let close = || PeriodCommand::Close("P01".to_owned());
    let soft_close = || PeriodCommand::SoftClose("P01".to_owned());
    for (given, command, then) in [
        (Open, soft_close(), Some(SoftClosed)),
        (Open, close(), Some(Closed)),
        (SoftClosed, close(), Some(Closed)),
        (SoftClosed, reopen("late bill"), Some(Open)),
        (Closed, reopen("late bill"), Some(Open)),
        (Open, reopen("late bill"), None),
        (SoftClosed, soft_close(), None),
        (Closed, soft_close(), None),
        (Closed, close(), None),
    ] {
        let found = when(Some(&july(given)), command);
        match then {
            Some(status) => assert_eq!(found, Ok(july(status))),
            None => assert!(matches!(found, Err(Rejection::WrongPeriodStatus { .. })), "{found:?}"),
        }
    }
    let missing = PeriodCommand::Close("P77".to_owned());
    assert_eq!(when(Some(&periods()), missing), Err(Rejection::PeriodMissing));
    for reason in ["", " ", &"x".repeat(501), "a\u{7}"] {
        let refused = when(Some(&july(Closed)), reopen(reason));
        assert!(matches!(refused, Err(Rejection::Findings(_))), "{reason:?}");
    }
}

#[test]
fn an_event_of_a_period_that_is_not_there_is_an_error() {
    let event = PeriodEvent::Closed(PeriodClosed { period: "P01".to_owned() });
    assert!(Periods::evolve(None, event).is_err());
}
