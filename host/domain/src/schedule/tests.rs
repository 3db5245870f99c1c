//! Given a schedule and a day, then what is due; when a command, then events or a rejection.

use jiff::civil::date;
use niyam_values::{Attributes, Date, Decimal, FiscalPeriod};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::accounts::tests::{chart, code};
use crate::aggregate::Aggregate as _;
use crate::ids::{EntryId, ScheduleId};
use crate::journal::tests::line;
use crate::journal::{Lines, Side};
use crate::money::Currency;
use crate::periods::{Period, PeriodStatus, Periods};
use crate::rejection::Rejection;

fn id() -> ScheduleId {
    ScheduleId(Uuid::from_u128(1))
}

fn lines(amount: &str) -> Lines {
    Lines::new(vec![line("5001", Some(amount), None, "BDT"), line("1101", None, Some(amount), "BDT")])
        .unwrap()
}

fn recurring(every: Every, day: Option<i8>) -> Recurring {
    Recurring { every, day, description: "Rent".to_owned(), reference: None, lines: lines("100") }
}

fn terms(plan: Plan, starts: Date) -> ScheduleTerms {
    ScheduleTerms { name: "Rent".to_owned(), plan, starts, until: None }
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn asset(method: Method, cost: &str, salvage: &str, months: u32, rate: Option<&str>) -> Depreciation {
    Depreciation {
        method,
        cost: decimal(cost),
        salvage: decimal(salvage),
        months,
        rate: rate.map(decimal),
        currency: "BDT".parse().unwrap(),
        expense: code("5002"),
        accumulated: code("1103"),
        description: "Depreciation".to_owned(),
        dimensions: Attributes::new(),
    }
}

/// Fiscal periods of two months each: `P1` from July 2026, `P2`, `P3`.
fn periods() -> Periods {
    let of = |(number, month): (usize, i8)| Period {
        period: FiscalPeriod {
            code: format!("P{number}"),
            fiscal_year: "2026-2027".to_owned(),
            starts: date(2026, month, 1),
            ends: date(2026, month + 1, 1).last_of_month(),
        },
        status: PeriodStatus::Open,
    };
    Periods { periods: [(1, 7), (2, 9), (3, 11)].map(of).to_vec(), ..Periods::default() }
}

fn when(state: Option<&Schedule>, command: ScheduleCommand) -> Result<Schedule, Rejection> {
    let events = Schedule::decide(state, command, &chart())?;
    let then =
        events.into_iter().fold(state.cloned(), |state, event| Some(Schedule::evolve(state, event).unwrap()));
    Ok(then.unwrap())
}

fn created(plan: Plan, starts: Date) -> Schedule {
    when(None, ScheduleCommand::Create(id(), terms(plan, starts))).unwrap()
}

fn posted(state: Schedule, key: &str, date: Date) -> Schedule {
    let entry_id = EntryId(Uuid::from_u128(7));
    let event = OccurrencePosted { occurrence: key.to_owned(), entry_id, date };
    Schedule::evolve(Some(state), ScheduleEvent::Posted(event)).unwrap()
}

fn taken_back(state: Schedule, key: &str) -> Schedule {
    let mirror_id = EntryId(Uuid::from_u128(8));
    let event = OccurrenceReversed { occurrence: key.to_owned(), mirror_id };
    Schedule::evolve(Some(state), ScheduleEvent::Reversed(event)).unwrap()
}

fn due(state: &Schedule, through: Date) -> Vec<String> {
    let told = |occurrence: Occurrence| {
        let back = if occurrence.what == What::Reversal { " back" } else { "" };
        format!("{} {}{back}", occurrence.key, occurrence.date)
    };
    state.due(through, &periods()).into_iter().map(told).collect()
}

fn findings<T: std::fmt::Debug>(refused: Result<T, Rejection>) -> Vec<(String, String)> {
    let Err(Rejection::Findings(findings)) = refused else { panic!("{refused:?}") };
    findings.into_iter().map(|finding| (finding.code, finding.pointer.unwrap_or_default())).collect()
}

fn one(rule: &str, pointer: &str) -> Vec<(String, String)> {
    vec![(rule.to_owned(), pointer.to_owned())]
}

#[test]
fn an_entry_comes_once_in_each_month_on_its_day_or_the_last() {
    let given = created(Plan::Recurring(recurring(Every::Month, Some(31))), date(2026, 12, 31));
    assert!(due(&given, date(2026, 12, 30)).is_empty());
    assert_eq!(
        due(&given, date(2027, 3, 1)),
        ["2026-12 2026-12-31", "2027-01 2027-01-31", "2027-02 2027-02-28"]
    );
    let then = posted(given, "2027-01", date(2027, 1, 31));
    assert_eq!(due(&then, date(2027, 3, 1)), ["2026-12 2026-12-31", "2027-02 2027-02-28"]);
    // A day of the month that lies before the start comes in the next one.
    let late = created(Plan::Recurring(recurring(Every::Month, Some(5))), date(2026, 7, 6));
    assert_eq!(due(&late, date(2026, 9, 5)), ["2026-08 2026-08-05", "2026-09 2026-09-05"]);
    let last = created(Plan::Recurring(recurring(Every::Month, None)), date(2028, 2, 1));
    assert_eq!(due(&last, date(2028, 2, 29)), ["2028-02 2028-02-29"]);
}

#[test]
fn an_entry_comes_once_in_each_fiscal_period_that_was_opened() {
    let given = created(Plan::Recurring(recurring(Every::FiscalPeriod, None)), date(2026, 8, 31));
    assert_eq!(due(&given, date(2030, 1, 1)), ["P1 2026-08-31", "P2 2026-10-31", "P3 2026-12-31"]);
    let later = created(Plan::Recurring(recurring(Every::FiscalPeriod, None)), date(2026, 9, 1));
    assert_eq!(due(&later, date(2026, 10, 31)), ["P2 2026-10-31"]);
    assert!(given.due(date(2030, 1, 1), &Periods::default()).is_empty());
}

#[test]
fn an_accrual_is_taken_back_on_the_first_day_of_the_next_period_once_it_was_posted() {
    let given = created(Plan::Accrual(recurring(Every::Month, Some(20))), date(2026, 7, 1));
    assert_eq!(due(&given, date(2026, 8, 1)), ["2026-07 2026-07-20"]);
    let then = posted(given, "2026-07", date(2026, 7, 20));
    assert!(due(&then, date(2026, 7, 31)).is_empty());
    assert_eq!(due(&then, date(2026, 8, 1)), ["2026-07 2026-08-01 back"]);
    // Also when it ended meanwhile.
    let ended = when(Some(&then), ScheduleCommand::End(date(2026, 7, 31))).unwrap();
    assert_eq!(due(&ended, date(2026, 12, 31)), ["2026-07 2026-08-01 back"]);
    assert!(!ended.is_complete(&periods()));
    let back = taken_back(ended, "2026-07");
    assert!(due(&back, date(2026, 12, 31)).is_empty() && back.is_complete(&periods()));
    let period = created(Plan::Accrual(recurring(Every::FiscalPeriod, None)), date(2026, 7, 1));
    let period = posted(period, "P1", date(2026, 8, 31));
    assert_eq!(due(&period, date(2026, 9, 1)), ["P1 2026-09-01 back"]);
    let all = period.occurrences(date(2026, 11, 1), &periods());
    assert_eq!(all.len(), 4);
    assert_eq!(all.iter().filter(|occurrence| period.is_done(occurrence)).count(), 1);
}

#[test]
fn a_schedule_ends_on_its_last_day() {
    let mut terms = terms(Plan::Recurring(recurring(Every::Month, Some(10))), date(2026, 7, 1));
    terms.until = Some(date(2026, 9, 9));
    let given = when(None, ScheduleCommand::Create(id(), terms.clone())).unwrap();
    assert_eq!(due(&given, date(2027, 7, 1)), ["2026-07 2026-07-10", "2026-08 2026-08-10"]);
    let given = posted(given, "2026-08", date(2026, 8, 10));
    let refused = when(Some(&given), ScheduleCommand::End(date(2026, 8, 9)));
    assert_eq!(findings(refused), one("schedule-end-before-posted", "/last_day"));
    let ended = when(Some(&given), ScheduleCommand::End(date(2026, 8, 10))).unwrap();
    assert_eq!(due(&ended, date(2027, 7, 1)), ["2026-07 2026-07-10"]);
    for command in [ScheduleCommand::End(date(2026, 8, 11)), ScheduleCommand::Revise(terms)] {
        assert_eq!(when(Some(&ended), command), Err(Rejection::ScheduleEnded));
    }
}

#[test]
fn what_was_posted_keeps_what_a_schedule_can_become() {
    let starts = date(2026, 7, 1);
    let monthly = |day| terms(Plan::Recurring(recurring(Every::Month, Some(day))), starts);
    let given = created(Plan::Recurring(recurring(Every::Month, Some(1))), starts);
    assert!(when(Some(&given), ScheduleCommand::Revise(monthly(2))).is_ok());
    let then = posted(given.clone(), "2026-07", starts);
    let begun = one("schedule-begun", "/kind");
    for terms in [
        monthly(2),
        terms(Plan::Accrual(recurring(Every::Month, Some(1))), starts),
        terms(Plan::Recurring(recurring(Every::FiscalPeriod, None)), starts),
        terms(Plan::Recurring(recurring(Every::Month, Some(1))), date(2026, 6, 1)),
    ] {
        assert_eq!(findings(when(Some(&then), ScheduleCommand::Revise(terms))), begun);
    }
    let mut more = monthly(1);
    let Plan::Recurring(plan) = &mut more.plan else { unreachable!() };
    plan.lines = lines("120");
    more.until = Some(date(2026, 12, 31));
    let revised = when(Some(&then), ScheduleCommand::Revise(more.clone())).unwrap();
    assert_eq!(revised.terms, more);
    assert_eq!(Schedule::decide(Some(&revised), ScheduleCommand::Revise(more), &chart()), Ok(Vec::new()));
    assert_eq!(when(None, ScheduleCommand::End(starts)), Err(Rejection::ScheduleMissing));
}

#[test]
fn terms_that_do_not_fit_are_told_by_their_place() {
    let starts = date(2026, 7, 1);
    let create = |terms| when(None, ScheduleCommand::Create(id(), terms));
    for (every, day) in [(Every::Month, Some(0)), (Every::Month, Some(32)), (Every::FiscalPeriod, Some(1))] {
        let refused = create(terms(Plan::Recurring(recurring(every, day)), starts));
        assert_eq!(findings(refused), one("schedule-day-invalid", "/day"));
    }
    let plan = || Plan::Recurring(recurring(Every::Month, None));
    let refused = create(ScheduleTerms { until: Some(date(2026, 6, 30)), ..terms(plan(), starts) });
    assert_eq!(findings(refused), one("schedule-until-before-start", "/until"));
    let refused = create(ScheduleTerms { name: " ".to_owned(), ..terms(plan(), starts) });
    assert_eq!(findings(refused), one("text-invalid", "/name"));
    assert_eq!(findings(create(terms(plan(), date(1970, 1, 1)))), one("date-out-of-range", "/starts"));
    for (asset, rule, field) in [
        (asset(Method::StraightLine, "10", "10", 3, None), "depreciation-invalid", "cost"),
        (asset(Method::StraightLine, "10", "-1", 3, None), "depreciation-invalid", "salvage"),
        (asset(Method::StraightLine, "10", "0", 0, None), "depreciation-invalid", "months"),
        (asset(Method::StraightLine, "10", "0", 1201, None), "depreciation-invalid", "months"),
        (asset(Method::StraightLine, "10", "0", 3, Some("5")), "depreciation-invalid", "rate"),
        (asset(Method::DecliningBalance, "10", "0", 3, None), "depreciation-invalid", "rate"),
        (asset(Method::DecliningBalance, "10", "0", 3, Some("100.1")), "depreciation-invalid", "rate"),
        (asset(Method::StraightLine, "10.001", "0", 3, None), "amount-too-precise", "cost"),
        (asset(Method::StraightLine, "1000000000000", "0", 3, None), "number-out-of-range", "cost"),
    ] {
        let refused = create(terms(Plan::Depreciation(asset), starts));
        assert_eq!(findings(refused), one(rule, &format!("/asset/{field}")));
    }
    let mut off = chart();
    off.accounts.get_mut(&code("5001")).unwrap().active = false;
    let refused = Schedule::decide(None, ScheduleCommand::Create(id(), terms(plan(), starts)), &off);
    assert_eq!(findings(refused), one("account-inactive", "/entry/lines/0/account"));
}

#[test]
fn a_straight_line_is_even_and_the_last_month_takes_the_rest() {
    let amounts = asset(Method::StraightLine, "1000", "0", 3, None).amounts();
    assert_eq!(amounts, ["333.33", "333.33", "333.34"].map(decimal));
    let tiny = asset(Method::StraightLine, "0.03", "0.01", 5, None).amounts();
    assert_eq!(tiny, ["0", "0", "0", "0", "0.02"].map(decimal));
    // A month of nothing has no entry, and it ends with what it is worth.
    let given =
        created(Plan::Depreciation(asset(Method::StraightLine, "0.03", "0.01", 5, None)), date(2026, 7, 15));
    assert_eq!(due(&given, date(2030, 1, 1)), ["2026-11 2026-11-30"]);
    let entry = given.due(date(2030, 1, 1), &periods()).remove(0);
    let What::Entry(entry) = entry.what else { panic!() };
    let shown: Vec<_> =
        entry.lines.as_slice().iter().map(|line| (line.account.as_str(), line.side, line.amount)).collect();
    assert_eq!(shown, [("5002", Side::Debit, decimal("0.02")), ("1103", Side::Credit, decimal("0.02"))]);
    assert!(!given.is_complete(&periods()));
    assert!(posted(given, "2026-11", date(2026, 11, 30)).is_complete(&periods()));
}

#[test]
fn a_declining_balance_loses_a_part_of_what_each_year_begins_with() {
    let amounts = asset(Method::DecliningBalance, "12000", "1000", 36, Some("20")).amounts();
    assert_eq!((amounts[0], amounts[11]), (decimal("200"), decimal("200")));
    // 12000 - 2400 = 9600; 20% of it is 1920, 160 a month.
    assert_eq!((amounts[12], amounts[23]), (decimal("160"), decimal("160")));
    assert_eq!(amounts[24], decimal("128"));
    // 9600 - 1920 = 7680, less eleven months of 128, down to 1000.
    assert_eq!(amounts[35], decimal("5272"));
    // Never below what it is worth in the end.
    let fast = asset(Method::DecliningBalance, "1200", "1000", 24, Some("100")).amounts();
    assert_eq!(fast[..3], ["100", "100", "0"].map(decimal));
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        rng_seed: proptest::test_runner::RngSeed::Fixed(1),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Whatever an asset costs and however it declines: all that is lost is its cost above what it is worth in the end, to
    /// the last minor unit; no month loses less than nothing, and no book value lies below.
    #[test]
    fn an_asset_loses_all_and_no_more(
        cost in 1..999_999_999_999_i64,
        salvage in 0..100_000_i64,
        months in 1..1_200_u32,
        rate in 1..100_000_000_i64,
        is_declining in any::<bool>(),
        currency in prop::sample::select(vec!["BDT", "JPY", "KWD"]),
    ) {
        let currency: Currency = currency.parse().unwrap();
        let places = u32::from(currency.minor_units());
        let (method, rate) = if is_declining {
            (Method::DecliningBalance, Some(Decimal::new(rate, 6)))
        } else {
            (Method::StraightLine, None)
        };
        let (cost, salvage) = (Decimal::new(cost.max(salvage + 1), places), Decimal::new(salvage, places));
        let asset = Depreciation { method, cost, salvage, months, rate, currency, ..asset(method, "1", "0", 1, None) };
        prop_assert_eq!(asset.check("/asset"), Vec::new());
        let amounts = asset.amounts();
        prop_assert_eq!(amounts.len(), months as usize);
        let mut worth = cost;
        for amount in &amounts {
            prop_assert!(*amount >= Decimal::ZERO && amount.normalize().scale() <= places);
            worth -= amount;
            prop_assert!(worth >= salvage);
        }
        prop_assert_eq!(worth, salvage);
    }

    /// Whatever is posted in whatever order, each occurrence is due until it is posted and never again.
    #[test]
    fn each_occurrence_is_due_until_it_is_posted(
        order in prop::collection::vec(0..40_usize, 0..80),
        is_accrual in any::<bool>(),
        day in prop::option::of(1..=31_i8),
    ) {
        let plan = recurring(Every::Month, day);
        let plan = if is_accrual { Plan::Accrual(plan) } else { Plan::Recurring(plan) };
        let mut state = created(plan, date(2026, 7, 1));
        let through = date(2027, 12, 31);
        let mut done = Vec::new();
        for pick in order {
            let due = state.due(through, &periods());
            let Some(occurrence) = due.get(pick % due.len().max(1)) else { break };
            let name = (occurrence.key.clone(), occurrence.what == What::Reversal);
            prop_assert!(!done.contains(&name));
            state = match occurrence.what {
                What::Entry(_) => posted(state, &occurrence.key, occurrence.date),
                What::Reversal => taken_back(state, &occurrence.key),
            };
            done.push(name);
        }
        let all = state.occurrences(through, &periods());
        prop_assert_eq!(all.iter().filter(|occurrence| state.is_done(occurrence)).count(), done.len());
    }
}
