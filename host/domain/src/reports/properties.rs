//! Whatever was posted, taken back and closed: the reports agree with each other.
//!
//! The histories are many and small. Each is drawn as a list of numbers, which shrinks well, and every number is read as
//! something asked of the journal.

use std::cell::Cell;
use std::collections::BTreeMap;

use jiff::civil::date;
use jiff::{Span, Timestamp};
use niyam_values::{Date, Decimal};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{
    Config, FileFailurePersistence, RngSeed, TestCaseResult, TestRunner, contextualize_config,
};

use super::tests::chart;
use super::*;
use crate::accounts::{AccountClass, AccountCode, Chart};
use crate::aggregate::Aggregate as _;
use crate::event::DomainEvent as _;
use crate::ids::EntryId;
use crate::journal::tests::{id, line};
use crate::journal::{
    Books, DraftEntry, Entry, EntryEvent, EntryPosted, JournalCommand, JournalEntry, NewEntry, NewLine,
    PostEntry, ReverseEntry,
};
use crate::periods::{Authority, Periods};

/// Random histories of the test command, all properties together.
const HISTORIES: u32 = 100_000;
/// Accounts that are posted to.
const ACCOUNTS: [&str; 10] = ["1110", "1120", "1210", "1510", "1520", "2110", "2300", "4100", "4200", "5300"];
const FIRST: Date = date(2026, 6, 1);

/// Runs `check` on `share` of the histories.
fn each(share: u32, seed: u64, check: impl Fn(&History<'_>, u32) -> TestCaseResult) {
    let config = Config {
        cases: HISTORIES / share,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/fixtures/reports.proptest"
        )))),
        ..Config::default()
    };
    let chart = chart();
    let lines = Cell::new(0_usize);
    let steps = (vec(any::<u32>(), 1..9), any::<u32>());
    TestRunner::new(contextualize_config(config))
        .run(&steps, |(steps, luck)| {
            let history = History::of(&chart, &steps);
            lines.set(lines.get() + history.lines.len());
            check(&history, luck)
        })
        .unwrap();
    assert!(lines.get() > 1_000, "only {} lines were posted", lines.get());
}

/// A number that is read piece by piece.
struct Dice(u32);

impl Dice {
    /// 0 to `sides` less one. Each throw changes what the next one says.
    fn throw(&mut self, sides: u32) -> u32 {
        let found = self.0 % sides;
        self.0 = (self.0 / sides).wrapping_mul(2_654_435_761).rotate_left(7) ^ self.0;
        found
    }

    fn account(&mut self) -> &'static str {
        ACCOUNTS[self.throw(10) as usize]
    }

    fn day(&mut self) -> Date {
        FIRST.saturating_add(Span::new().days(self.throw(90)))
    }
}

/// Something that was posted.
#[derive(Clone)]
struct Posted {
    state: JournalEntry,
    recorded_at: Timestamp,
    is_closing: bool,
}

/// What was posted, in order.
#[derive(Clone)]
struct History<'a> {
    chart: &'a Chart,
    entries: Vec<Posted>,
    lines: Vec<PostedLine>,
}

impl<'a> History<'a> {
    fn of(chart: &'a Chart, steps: &[u32]) -> Self {
        let mut history = Self { chart, entries: Vec::new(), lines: Vec::new() };
        for step in steps {
            let mut dice = Dice(*step);
            match dice.throw(8) {
                0 => history.close(dice.day()),
                1 | 2 => {
                    let at = dice.throw(8) as usize;
                    let after = dice.throw(20);
                    history.take_back(at, after);
                }
                _ => {
                    let day = dice.day();
                    let pairs = 1 + dice.throw(2);
                    let lines = (0..pairs).flat_map(|_| pair(&mut dice)).collect();
                    history.post(day, lines, false);
                }
            }
        }
        history
    }

    /// Some hours after what was recorded last, or at the same moment.
    fn now(&self) -> Timestamp {
        let count = i64::try_from(self.entries.len()).unwrap();
        Timestamp::from_second(1_780_000_000 + count / 2 * 40_000).unwrap()
    }

    fn post(&mut self, date: Date, lines: Vec<NewLine>, is_closing: bool) {
        let periods = Periods::default();
        let books = Books { chart: self.chart, periods: &periods, authority: Authority::Ordinary };
        let entry = NewEntry { date, description: "Something".to_owned(), reference: None, lines };
        let entry = Entry::new(entry).expect("the lines balance");
        let draft = JournalCommand::Draft(DraftEntry { entry_id: self.next(), entry });
        let mut state = None;
        for command in [draft, JournalCommand::Post(PostEntry {})] {
            let events = JournalEntry::decide(state.as_ref(), command, &books).expect("it may be posted");
            for event in events {
                state = Some(JournalEntry::evolve(state, event).expect("it can be told"));
            }
        }
        let state = state.expect("it was drafted");
        self.push(Posted { state, recorded_at: self.now(), is_closing });
    }

    /// Takes an entry back, if it may be.
    fn take_back(&mut self, at: usize, days_after: u32) {
        let Some(posted) = self.entries.get(at) else { return };
        let date = posted.state.entry.date.saturating_add(Span::new().days(days_after));
        let command = ReverseEntry { mirror_id: self.next(), date, reason: "wrong".to_owned() };
        let reversal = posted.state.reverse(command, &Periods::default(), Authority::Ordinary);
        let Ok(reversal) = reversal else { return };
        let (recorded_at, is_closing) = (self.now(), posted.is_closing);
        let state = &mut self.entries[at].state;
        *state = JournalEntry::evolve(Some(state.clone()), reversal.reversed).expect("it can be told");
        let state = JournalEntry::evolve(None, reversal.mirror).expect("it can be told");
        self.push(Posted { state, recorded_at, is_closing });
    }

    fn push(&mut self, posted: Posted) {
        self.lines.extend(posted.lines());
        self.entries.push(posted);
    }

    /// Moves what was earned and spent until `day` into equity.
    fn close(&mut self, day: Date) {
        let held = self.balances(&Cut { until: Some(day), ..Cut::default() });
        let mut lines = Vec::new();
        for currency in held.currencies() {
            let mut result = Decimal::ZERO;
            for (account, turnover) in held.of(currency) {
                let class = self.chart.accounts[account].class;
                if matches!(class, AccountClass::Income | AccountClass::Expense) {
                    result += turnover.balance();
                    lines.extend(sided(account.as_str(), -turnover.balance(), currency));
                }
            }
            lines.extend(sided("3200", result, currency));
        }
        if !lines.is_empty() {
            self.post(day, lines, true);
        }
    }

    fn next(&self) -> EntryId {
        id(self.entries.len() as u128 + 1)
    }

    fn balances(&self, cut: &Cut) -> Balances {
        Balances::fold(&self.lines, cut)
    }
}

impl Posted {
    /// The event that let it count.
    fn event(&self) -> EntryPosted {
        let JournalEntry { id, entry, source, reverses, .. } = self.state.clone();
        EntryPosted { entry_id: id, entry, source, reverses }
    }

    fn lines(&self) -> Vec<PostedLine> {
        PostedLine::of(&self.event(), self.recorded_at, self.is_closing)
    }
}

/// A debit and a credit of the same amount.
fn pair(dice: &mut Dice) -> [NewLine; 2] {
    let (currency, places) = if dice.throw(4) == 0 { ("JPY", 0) } else { ("BDT", 2) };
    let amount = Decimal::new(i64::from(1 + dice.throw(99_999)), places);
    let (debit, credit) = (dice.account(), dice.account());
    let zero = || line(debit, None, None, currency);
    [
        NewLine { debit: Some(amount), ..zero() },
        NewLine { account: credit.to_owned(), credit: Some(amount), ..zero() },
    ]
}

/// A line of a balance that may be none.
fn sided(account: &str, balance: Decimal, currency: &str) -> Option<NewLine> {
    let nothing = line(account, None, None, currency);
    if balance.is_zero() {
        None
    } else if balance > Decimal::ZERO {
        Some(NewLine { debit: Some(balance), ..nothing })
    } else {
        Some(NewLine { credit: Some(-balance), ..nothing })
    }
}

/// Two days of the history, in order.
fn days(luck: u32) -> (Date, Date) {
    let mut dice = Dice(luck);
    let (one, other) = (dice.day(), dice.day());
    (one.min(other), one.max(other))
}

#[test]
fn reports_agree_with_each_other() {
    each(4, 1, |history, luck| {
        let (from, until) = days(luck);
        let before = Cut { until: Some(from.yesterday().expect("a day before")), ..Cut::default() };
        let period = Cut { from: Some(from), until: Some(until), ..Cut::default() };
        let (opening, moved) = (history.balances(&before), history.balances(&period));
        let held = opening.clone().plus(&moved);
        prop_assert_eq!(&held, &history.balances(&Cut { until: Some(until), ..Cut::default() }));
        let sheets = balance_sheet(history.chart, &held).expect("every account is known");
        for trial in trial_balance(&opening, &moved) {
            prop_assert_eq!(trial.turnover.debit, trial.turnover.credit);
            prop_assert_eq!(trial.closing.debit, trial.closing.credit);
            let sheet = sheets.iter().find(|sheet| sheet.currency == trial.currency);
            let sheet = sheet.expect("a sheet for each currency");
            prop_assert_eq!(sheet.assets.total, sheet.financed);
            let mut by_class: BTreeMap<AccountClass, Decimal> = BTreeMap::new();
            for row in &trial.rows {
                let held = row.closing.balance();
                prop_assert_eq!(held, row.opening + row.turnover.balance());
                *by_class.entry(history.chart.accounts[&row.account].class).or_default() += held;
            }
            let of = |class| by_class.get(&class).copied().unwrap_or_default();
            prop_assert_eq!(sheet.assets.total, of(AccountClass::Asset));
            prop_assert_eq!(sheet.liabilities.total, -of(AccountClass::Liability));
            prop_assert_eq!(sheet.equity.total, -of(AccountClass::Equity));
            prop_assert_eq!(sheet.unclosed_profit, -of(AccountClass::Income) - of(AccountClass::Expense));
        }
        profit_and_cash_agree(history, (&opening, &held), &period)
    });
}

/// Profit less what closings moved is the sheet's unclosed profit, and the cash flow ends in the sheet's cash.
fn profit_and_cash_agree(
    history: &History<'_>,
    (opening, held): (&Balances, &Balances),
    period: &Cut,
) -> TestCaseResult {
    let chart = history.chart;
    let ever = Cut { from: None, without_closing: true, ..*period };
    let earned = profit_and_loss(chart, &history.balances(&ever)).expect("every account is known");
    for sheet in balance_sheet(chart, held).expect("every account is known") {
        let mut earned = earned.iter().filter(|earned| earned.currency == sheet.currency);
        let closed: Decimal = history
            .lines
            .iter()
            .filter(|line| line.is_closing && Cut { from: None, ..*period }.holds(line))
            .filter(|line| line.currency.code() == sheet.currency && line.account.as_str() == "3200")
            .map(|line| -line.turnover.balance())
            .sum();
        let profit = earned.next().map(|earned| earned.profit).unwrap_or_default();
        prop_assert_eq!(profit, sheet.unclosed_profit + closed);
    }
    let moved = history.balances(&Cut { without_closing: true, ..*period });
    let earned = profit_and_loss(chart, &moved).expect("every account is known");
    for flow in cash_flow(chart, opening, &moved).expect("every account is known") {
        let is_cash = |account: &AccountCode| activity(chart, account) == Ok(Activity::Cash);
        let cash: Decimal = held
            .of(flow.currency)
            .filter(|(account, _)| is_cash(account))
            .map(|(_, turnover)| turnover.balance())
            .sum();
        prop_assert_eq!(flow.closing, cash);
        let profit = earned.iter().find(|earned| earned.currency == flow.currency);
        prop_assert_eq!(flow.profit, profit.map(|profit| profit.profit).unwrap_or_default());
    }
    Ok(())
}

#[test]
fn debits_equal_credits_by_day_and_each_ledger_ends_in_its_balance() {
    each(4, 2, |history, luck| {
        let mut sums: BTreeMap<(&str, Date), Decimal> = BTreeMap::new();
        for line in &history.lines {
            *sums.entry((line.currency.code(), line.date)).or_default() += line.turnover.balance();
        }
        prop_assert!(sums.values().all(Decimal::is_zero), "{:?}", sums);
        let (from, until) = days(luck);
        let before = Cut { until: Some(from.yesterday().expect("a day before")), ..Cut::default() };
        let period = Cut { from: Some(from), until: Some(until), ..Cut::default() };
        let (opening, held) =
            (history.balances(&before), history.balances(&Cut { until: Some(until), ..Cut::default() }));
        let mut lines: Vec<&PostedLine> = history.lines.iter().filter(|line| period.holds(line)).collect();
        lines.sort_by_key(|line| line.date);
        for account in held.accounts() {
            let mut running = Running::from(&opening, account);
            for line in lines.iter().filter(|line| line.account == *account) {
                running.step(line.currency.code(), line.turnover);
            }
            for (currency, balance) in running.held() {
                prop_assert_eq!(balance, held.account(currency, account).balance());
            }
        }
        Ok(())
    });
}

#[test]
fn what_was_known_at_a_moment_is_what_had_been_recorded_and_replay_equals_live() {
    each(4, 3, |history, luck| {
        let count = luck as usize % (history.entries.len() + 1);
        let Some(known_at) = history.entries.get(count).map(|posted| posted.recorded_at) else {
            return Ok(());
        };
        let (from, until) = days(luck);
        let cut = Cut { from: Some(from), until: Some(until), ..Cut::default() };
        // As stored, and as it was read then: nothing but what had been recorded.
        let mut then = Vec::new();
        for posted in history.entries.iter().filter(|posted| posted.recorded_at <= known_at) {
            let event = EntryEvent::Posted(posted.event());
            let stored = event.payload().expect("it has a JSON form");
            let EntryEvent::Posted(read) = EntryEvent::read(event.event_type(), &stored).expect("it reads")
            else {
                unreachable!("it was posted");
            };
            then.extend(PostedLine::of(&read, posted.recorded_at, posted.is_closing));
        }
        let known = history.balances(&Cut { known_at: Some(known_at), ..cut });
        prop_assert_eq!(known, Balances::fold(&then, &cut));
        Ok(())
    });
}

#[test]
fn taking_all_back_leaves_zero_and_no_order_matters() {
    each(4, 4, |history, luck| {
        let (from, until) = days(luck);
        let cut = Cut { from: Some(from), until: Some(until), ..Cut::default() };
        let mut lines: Vec<&PostedLine> = history.lines.iter().rev().collect();
        let middle = luck as usize % lines.len().max(1);
        lines.rotate_left(middle);
        prop_assert_eq!(Balances::fold(lines.iter().copied(), &cut), history.balances(&cut));
        let mut all = history.clone();
        for at in 0..all.entries.len() {
            all.take_back(at, 1);
        }
        let left = all.balances(&Cut::default());
        for sheet in balance_sheet(all.chart, &left).expect("every account is known") {
            let amounts = [&sheet.assets, &sheet.liabilities, &sheet.equity].map(|section| {
                section.rows.iter().map(|row| row.amount).filter(|amount| !amount.is_zero()).count()
            });
            prop_assert_eq!(amounts, [0, 0, 0]);
            prop_assert!(sheet.unclosed_profit.is_zero());
        }
        Ok(())
    });
}
