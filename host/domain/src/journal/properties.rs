//! Whatever is asked of the journal: debits equal credits, taking all back leaves nothing, events tell the state.

use std::collections::BTreeMap;

use jiff::civil::date;
use niyam_values::Decimal;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, FileFailurePersistence, RngSeed, TestRunner, contextualize_config};

use super::tests::{id, line};
use super::*;
use crate::accounts::tests::chart;
use crate::aggregate::Aggregate as _;
use crate::event::DomainEvent as _;
use crate::periods::Authority;
use crate::periods::tests::periods;

fn runner() -> TestRunner {
    TestRunner::new(contextualize_config(Config {
        cases: 500,
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/fixtures/journal.proptest"
        )))),
        ..Config::default()
    }))
}

/// Something asked of one of a few entries.
#[derive(Debug, Clone)]
enum Step {
    Draft(Vec<NewLine>),
    Revise(Vec<NewLine>),
    Post,
    Reverse(i8),
}

/// Lines over a few accounts, most of them balanced by a last one.
fn lines() -> impl Strategy<Value = Vec<NewLine>> {
    let accounts = prop::sample::select(vec!["1101", "1102", "1103", "4001", "11", "77"]);
    let currency = prop::sample::select(vec!["BDT", "JPY"]);
    let places = 0..=2_u32;
    let one = (accounts, any::<bool>(), 1..=100_000_i64, places, currency);
    (vec(one, 1..6), 0..10_u8).prop_map(|(rows, luck)| {
        let mut lines: Vec<NewLine> = Vec::new();
        let mut sums: BTreeMap<&str, Decimal> = BTreeMap::new();
        for (account, is_debit, amount, places, currency) in rows {
            let amount = Decimal::new(amount, places);
            let text = amount.to_string();
            *sums.entry(currency).or_default() += if is_debit { amount } else { -amount };
            let (debit, credit) = if is_debit { (Some(&*text), None) } else { (None, Some(&*text)) };
            lines.push(line(account, debit, credit, currency));
        }
        for (currency, sum) in sums {
            let text = sum.abs().to_string();
            if luck > 0 && !sum.is_zero() {
                let is_debit = sum < Decimal::ZERO;
                let (debit, credit) = if is_debit { (Some(&*text), None) } else { (None, Some(&*text)) };
                lines.push(line("2201", debit, credit, currency));
            }
        }
        lines
    })
}

fn steps() -> impl Strategy<Value = Vec<(usize, Step)>> {
    let step = prop_oneof![
        3 => lines().prop_map(Step::Draft),
        1 => lines().prop_map(Step::Revise),
        3 => Just(Step::Post),
        2 => (1..=31_i8).prop_map(Step::Reverse),
    ];
    vec((0..4_usize, step), 1..40)
}

fn entry(lines: Vec<NewLine>) -> Option<Entry> {
    let (date, description) = (date(2026, 7, 15), "Something".to_owned());
    Entry::new(NewEntry { date, description, reference: None, lines }).ok()
}

/// What the posted entries leave on each account, in each currency: debits less credits.
fn balances(entries: &[JournalEntry]) -> BTreeMap<(String, &'static str), Decimal> {
    let mut sums: BTreeMap<_, Decimal> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.status != EntryStatus::Draft) {
        for line in entry.entry.lines.as_slice() {
            let amount = if line.side == Side::Debit { line.amount } else { -line.amount };
            *sums.entry((line.account.to_string(), line.currency.code())).or_default() += amount;
        }
    }
    sums
}

/// Does the steps that are allowed; the entries, each with what is stored of it.
fn run(steps: Vec<(usize, Step)>) -> Vec<(JournalEntry, Vec<EntryEvent>)> {
    let (chart, periods) = (chart(), periods());
    let books = Books { chart: &chart, periods: &periods, authority: Authority::Ordinary };
    let mut all: Vec<(JournalEntry, Vec<EntryEvent>)> = Vec::new();
    for (at, step) in steps {
        let next = id(all.len() as u128 + 1);
        let at = if all.is_empty() { 0 } else { at % all.len() };
        let command = match step {
            Step::Draft(lines) => {
                let Some(entry) = entry(lines) else { continue };
                let command = JournalCommand::Draft(DraftEntry { entry_id: next, entry });
                if let Ok(events) = JournalEntry::decide(None, command, &books) {
                    all.push((fold(None, &events), events));
                }
                continue;
            }
            Step::Revise(lines) => match entry(lines) {
                Some(entry) => JournalCommand::Revise(ReviseEntry { entry }),
                None => continue,
            },
            Step::Post => JournalCommand::Post(PostEntry {}),
            Step::Reverse(day) => {
                let Some((entry, _)) = all.get(at) else { continue };
                let command =
                    ReverseEntry { mirror_id: next, date: date(2026, 7, day), reason: "wrong".to_owned() };
                if let Ok(reversal) = entry.reverse(command, &periods, Authority::Ordinary) {
                    let events = vec![reversal.mirror];
                    let (state, past) = &mut all[at];
                    *state = fold(Some(state.clone()), std::slice::from_ref(&reversal.reversed));
                    past.push(reversal.reversed);
                    all.push((fold(None, &events), events));
                }
                continue;
            }
        };
        let Some((state, past)) = all.get_mut(at) else { continue };
        if let Ok(events) = JournalEntry::decide(Some(state), command, &books) {
            *state = fold(Some(state.clone()), &events);
            past.extend(events);
        }
    }
    all
}

fn fold(state: Option<JournalEntry>, events: &[EntryEvent]) -> JournalEntry {
    let folded = events.iter().cloned().fold(state, |state, event| {
        Some(JournalEntry::evolve(state, event).expect("what was decided can be told"))
    });
    folded.expect("there is an event")
}

#[test]
fn debits_equal_credits_whatever_is_asked() {
    let posted = std::cell::Cell::new(0_usize);
    runner()
        .run(&steps(), |steps| {
            let entries: Vec<JournalEntry> = run(steps).into_iter().map(|(entry, _)| entry).collect();
            let mut sums: BTreeMap<&str, Decimal> = BTreeMap::new();
            for ((_, currency), amount) in balances(&entries) {
                *sums.entry(currency).or_default() += amount;
            }
            prop_assert!(sums.values().all(Decimal::is_zero), "{sums:?}");
            posted.set(
                posted.get() + entries.iter().filter(|entry| entry.status != EntryStatus::Draft).count(),
            );
            Ok(())
        })
        .unwrap();
    assert!(posted.get() > 100, "only {} entries were posted", posted.get());
}

#[test]
fn taking_all_back_leaves_zero() {
    runner()
        .run(&steps(), |steps| {
            let mut entries: Vec<JournalEntry> = run(steps).into_iter().map(|(entry, _)| entry).collect();
            for at in 0..entries.len() {
                let command = ReverseEntry {
                    mirror_id: id(entries.len() as u128 + 1),
                    date: date(2026, 8, 1),
                    reason: "all".to_owned(),
                };
                if let Ok(reversal) = entries[at].reverse(command, &periods(), Authority::Ordinary) {
                    entries[at] = fold(Some(entries[at].clone()), &[reversal.reversed]);
                    entries.push(fold(None, &[reversal.mirror]));
                }
            }
            let left = balances(&entries);
            prop_assert!(left.values().all(Decimal::is_zero), "{left:?}");
            Ok(())
        })
        .unwrap();
}

#[test]
fn what_is_stored_tells_the_state_again() {
    runner()
        .run(&steps(), |steps| {
            for (state, events) in run(steps) {
                let read = |event: &EntryEvent| {
                    EntryEvent::read(event.event_type(), &event.payload().expect("JSON")).expect("it reads")
                };
                let stored: Vec<EntryEvent> = events.iter().map(read).collect();
                prop_assert_eq!(fold(None, &stored), state);
            }
            Ok(())
        })
        .unwrap();
}
