//! Whatever is asked of payments: debits equal credits, no document and no advance falls below zero, taking all back
//! leaves nothing, and events tell the state.

use std::cell::Cell;
use std::collections::BTreeMap;

use niyam_values::Decimal;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, FileFailurePersistence, RngSeed, TestRunner, contextualize_config};
use uuid::Uuid;

use super::tests::{chart, day, digest, due, invoice, party, receipt};
use super::*;
use crate::accounts::Chart;
use crate::aggregate::Aggregate as _;
use crate::event::DomainEvent as _;
use crate::ids::{EntryId, InvoiceId, PaymentId};
use crate::journal::{Books, EntryStatus, JournalEntry, Side};
use crate::periods::tests::periods;
use crate::periods::{Authority, Periods};

/// Documents that payments settle, and what each is of.
const DOCUMENTS: [i64; 3] = [10_000, 5_000, 1];

fn runner() -> TestRunner {
    TestRunner::new(contextualize_config(Config {
        cases: 500,
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/fixtures/payment.proptest"
        )))),
        ..Config::default()
    }))
}

/// Something asked of one of a few payments.
#[derive(Debug, Clone)]
enum Asked {
    Create {
        method: &'static str,
        amount: i64,
        withheld: i64,
        parts: Vec<(usize, Option<i64>)>,
        as_advance: bool,
    },
    Complete,
    Fail,
    Deposit,
    Clear,
    Allocate(Vec<(usize, Option<i64>)>),
    RefundAdvance(i64),
    TakeBack(TakingBack),
}

fn parts() -> impl Strategy<Value = Vec<(usize, Option<i64>)>> {
    vec((0..DOCUMENTS.len(), proptest::option::of(1..8_000_i64)), 0..3)
}

fn asked() -> impl Strategy<Value = Vec<(usize, Asked)>> {
    let method = prop::sample::select(vec!["cash", "cheque", "wallet:bkash", "bank-transfer"]);
    let create = (method, 1..12_000_i64, 0..3_i64, parts(), any::<bool>()).prop_map(
        |(method, amount, withheld, parts, as_advance)| Asked::Create {
            method,
            amount,
            withheld: if withheld == 0 { 500 } else { 0 },
            parts,
            as_advance,
        },
    );
    let how = prop::sample::select(vec![TakingBack::Reversed, TakingBack::Refunded, TakingBack::Bounced]);
    let one = prop_oneof![
        4 => create,
        5 => Just(Asked::Complete),
        1 => Just(Asked::Fail),
        2 => Just(Asked::Deposit),
        2 => Just(Asked::Clear),
        2 => parts().prop_map(Asked::Allocate),
        1 => (1..6_000_i64).prop_map(Asked::RefundAdvance),
        2 => how.prop_map(Asked::TakeBack),
    ];
    vec((0..5_usize, one), 1..40)
}

/// Payments, their documents and their entries.
struct World {
    chart: Chart,
    periods: Periods,
    payments: Vec<(Payment, Vec<PaymentEvent>)>,
    left: Vec<Decimal>,
    entries: BTreeMap<EntryId, JournalEntry>,
    certificates: BTreeMap<String, Certificate>,
    next: u128,
}

impl World {
    fn new() -> Self {
        let left = DOCUMENTS.map(|amount| Decimal::new(amount, 2)).to_vec();
        let (payments, entries, certificates) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        Self { chart: chart(), periods: periods(), payments, left, entries, certificates, next: 1_000 }
    }

    fn entry_id(&mut self) -> EntryId {
        self.next += 1;
        EntryId(Uuid::from_u128(self.next))
    }

    fn due(&self, parts: &[NewAllocation]) -> Vec<Option<Due>> {
        let of = |part: &NewAllocation| {
            let left = self.left[index(part.invoice_id)];
            Some(Due { outstanding: Some(left), ..due("0") })
        };
        parts.iter().map(of).collect()
    }

    fn create(&mut self, asked: Asked) {
        let Asked::Create { method, amount, withheld, parts, as_advance } = asked else { return };
        let mut new = receipt(method, "1", allocations(&parts));
        (new.amount, new.as_advance) = (Decimal::new(amount, 2), as_advance);
        new.party = Some(party("c-1", "Padma"));
        if withheld > 0 {
            let certificate = Some((format!("{}", amount % 3), day(5)));
            let amount = Decimal::new(withheld, 2);
            new.withheld = vec![NewWithholding { tax: "vds".to_owned(), amount, certificate }];
        }
        let due = self.due(&new.allocations);
        let Ok(terms) = PaymentTerms::new(new, &due, &self.chart, digest) else { return };
        self.next += 1;
        let event = Payment::create(PaymentId(Uuid::from_u128(self.next)), terms);
        self.payments.push((Payment::evolve(None, event.clone()).expect("it follows"), vec![event]));
    }

    fn ask(&mut self, at: usize, asked: Asked) {
        if matches!(asked, Asked::Create { .. }) {
            return self.create(asked);
        }
        let entry_id = self.entry_id();
        let Some((payment, _)) = self.payments.get(at).cloned() else { return };
        let date = day(6);
        let (chart, periods) = (self.chart.clone(), self.periods.clone());
        let books = Books { chart: &chart, periods: &periods, authority: Authority::Ordinary };
        match asked {
            Asked::Complete => {
                let asked: Vec<_> = payment.terms.allocations.iter().map(NewAllocation::from).collect();
                if let Ok(step) = payment.complete(date, &self.due(&asked), &books) {
                    self.step(at, step);
                }
            }
            Asked::Clear => {
                if let Ok(step) = payment.clear(date, entry_id, &books) {
                    self.step(at, step);
                }
            }
            Asked::Allocate(parts) => {
                let allocations = allocations(&parts);
                let due = self.due(&allocations);
                let command = AllocateAdvance { date, allocations, entry_id };
                if let Ok(step) = payment.allocate(command, &due, &books) {
                    self.step(at, step);
                }
            }
            Asked::RefundAdvance(amount) => {
                let (amount, reason) = (Decimal::new(amount, 2), "back".to_owned());
                let command = RefundAdvance { date, amount, held_in: None, reason, entry_id };
                if let Ok(step) = payment.refund_advance(command, &books) {
                    self.step(at, step);
                }
            }
            Asked::Fail => self.tell(at, payment.fail("no".to_owned()).ok()),
            Asked::Deposit => self.tell(at, payment.deposit(date).ok()),
            Asked::TakeBack(how) => self.take_back(at, &payment, how, &books),
            Asked::Create { .. } => {}
        }
    }

    fn tell(&mut self, at: usize, event: Option<PaymentEvent>) {
        let Some(event) = event else { return };
        let (payment, past) = &mut self.payments[at];
        *payment = Payment::evolve(Some(payment.clone()), event.clone()).expect("what was decided follows");
        past.push(event);
    }

    /// What a command would write in one transaction, or nothing.
    fn step(&mut self, at: usize, step: Step) {
        let payment_id = self.payments[at].0.id;
        for (_, digest) in &step.certificates {
            if Certificate::settle(self.certificates.get(digest), payment_id, "").is_err() {
                return;
            }
        }
        for (_, digest) in step.certificates {
            let kept = self.certificates.remove(&digest);
            let event = Certificate::settle(kept.as_ref(), payment_id, "").expect("it was asked before");
            self.certificates.insert(digest, Certificate::evolve(kept, event).expect("it follows"));
        }
        for part in step.settles {
            self.left[index(part.invoice_id)] -= part.amount;
        }
        if let Some(posted) = step.entry {
            let entry = JournalEntry::evolve(None, posted.into()).expect("a new entry");
            self.entries.insert(entry.id, entry);
        }
        self.tell(at, Some(step.event));
    }

    fn take_back(&mut self, at: usize, payment: &Payment, how: TakingBack, books: &Books<'_>) {
        let own: Vec<_> = payment.entries.iter().map(|id| self.entries[id].clone()).collect();
        let mirrors = own.iter().map(|_| self.entry_id()).collect();
        let command = TakeBack { how, date: day(6), reason: "wrong".to_owned(), mirrors };
        let Ok(undone) = payment.take_back(command, &own, books) else { return };
        for (entry, reversal) in own.into_iter().zip(undone.reversals) {
            let (id, reversed) = (entry.id, JournalEntry::evolve(Some(entry), reversal.reversed));
            self.entries.insert(id, reversed.expect("it follows"));
            let mirror = JournalEntry::evolve(None, reversal.mirror).expect("a new entry");
            self.entries.insert(mirror.id, mirror);
        }
        for part in undone.reopens {
            self.left[index(part.invoice_id)] += part.amount;
        }
        for (_, digest) in undone.certificates {
            let kept = self.certificates.remove(&digest);
            let event = Certificate::release(kept.as_ref(), payment.id).expect("its own certificate");
            self.certificates.insert(digest, Certificate::evolve(kept, event).expect("it follows"));
        }
        self.tell(at, Some(undone.event));
    }

    /// What the entries leave on each account: debits less credits.
    fn balances(&self) -> BTreeMap<String, Decimal> {
        let mut sums: BTreeMap<String, Decimal> = BTreeMap::new();
        for line in self.entries.values().flat_map(|entry| entry.entry.lines.as_slice()) {
            let amount = if line.side == Side::Debit { line.amount } else { -line.amount };
            *sums.entry(line.account.to_string()).or_default() += amount;
        }
        sums
    }
}

fn index(invoice_id: InvoiceId) -> usize {
    usize::try_from(invoice_id.0.as_u128()).expect("a small number")
}

fn allocations(parts: &[(usize, Option<i64>)]) -> Vec<NewAllocation> {
    let of = |(at, amount): &(usize, Option<i64>)| NewAllocation {
        invoice_id: invoice(*at as u128),
        amount: amount.map(|amount| Decimal::new(amount, 2)),
    };
    parts.iter().map(of).collect()
}

fn run(steps: Vec<(usize, Asked)>) -> World {
    let mut world = World::new();
    for (at, asked) in steps {
        let at = if world.payments.is_empty() { 0 } else { at % world.payments.len() };
        world.ask(at, asked);
    }
    world
}

#[test]
fn the_books_agree_with_documents_and_advances_and_none_falls_below_zero() {
    let (posted, taken_back) = (Cell::new(0_usize), Cell::new(0_usize));
    runner()
        .run(&asked(), |steps| {
            let world = run(steps);
            let balances = world.balances();
            let of = |account: &str| balances.get(account).copied().unwrap_or_default();
            prop_assert!(balances.values().copied().sum::<Decimal>().is_zero(), "{balances:?}");
            prop_assert!(world.left.iter().all(|left| *left >= Decimal::ZERO), "{:?}", world.left);
            let settled: Decimal =
                DOCUMENTS.iter().zip(&world.left).map(|(was, left)| Decimal::new(*was, 2) - left).sum();
            prop_assert_eq!(of("receivable"), -settled);
            let advances: Decimal = world.payments.iter().map(|(payment, _)| payment.advance).sum();
            prop_assert_eq!(of("advances"), -advances);
            for (payment, _) in &world.payments {
                prop_assert!(payment.advance >= Decimal::ZERO && payment.given_back >= Decimal::ZERO);
            }
            for account in ["cash", "bank", "bkash", "cheques", "vds"] {
                prop_assert!(of(account) >= Decimal::ZERO, "{account}: {balances:?}");
            }
            let back = world.entries.values().filter(|entry| entry.status == EntryStatus::Reversed).count();
            posted.set(posted.get() + world.entries.len());
            taken_back.set(taken_back.get() + back);
            Ok(())
        })
        .unwrap();
    assert!(posted.get() > 500 && taken_back.get() > 50, "{} {}", posted.get(), taken_back.get());
}

#[test]
fn taking_all_back_leaves_nothing() {
    runner()
        .run(&asked(), |steps| {
            let mut world = run(steps);
            for at in 0..world.payments.len() {
                world.ask(at, Asked::TakeBack(TakingBack::Reversed));
            }
            // Money that went back before stays so: it left with the advance that it was.
            let left: Vec<_> = world.balances().into_iter().filter(|(_, sum)| !sum.is_zero()).collect();
            let given_back: Vec<_> =
                world.payments.iter().filter(|(payment, _)| !payment.given_back.is_zero()).collect();
            if given_back.is_empty() {
                prop_assert!(left.is_empty(), "{left:?}");
                prop_assert_eq!(world.left, DOCUMENTS.map(|amount| Decimal::new(amount, 2)).to_vec());
                prop_assert!(world.certificates.values().all(|certificate| certificate.used_by.is_none()));
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn what_is_stored_tells_the_state_again() {
    runner()
        .run(&asked(), |steps| {
            for (state, events) in run(steps).payments {
                let mut told = None;
                for event in events {
                    let payload = event.payload().expect("JSON");
                    let read = PaymentEvent::read(event.event_type(), &payload).expect("it reads");
                    told = Some(Payment::evolve(told, read).expect("it follows"));
                }
                prop_assert_eq!(told, Some(state));
            }
            Ok(())
        })
        .unwrap();
}
