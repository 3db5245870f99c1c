//! Whatever notes, payments and write-offs an invoice meets, nothing of it falls below zero; and with the notes that
//! credit all of it, it is nothing, to the last place, in the document and in the books.

use std::cell::Cell;
use std::collections::BTreeMap;

use jiff::civil::date;
use niyam_values::{Decimal, Effect, Line, LineTaxes, TaxItem};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, FileFailurePersistence, RngSeed, TestRunner, contextualize_config};
use uuid::Uuid;

use super::note_tests::{after, wanted};
use super::tests::{assessment, given, issue_of};
use super::*;
use crate::accounts::tests::chart;
use crate::aggregate::Aggregate as _;
use crate::decision::Assessment;
use crate::ids::{InvoiceId, PaymentId};
use crate::journal::{Entry, Side};
use crate::posting::{post_document, post_note, post_write_off};

fn runner() -> TestRunner {
    TestRunner::new(contextualize_config(Config {
        cases: 500,
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/fixtures/notes.proptest"
        )))),
        ..Config::default()
    }))
}

/// Something that meets an issued invoice; parts are of 1000.
#[derive(Debug, Clone, Copy)]
enum Step {
    Credit { line: usize, by_quantity: bool, part: u32 },
    CreditRest { line: usize },
    Debit { line: usize, by_quantity: bool, part: u32 },
    Settle { payment: u128, part: u32 },
    TakeBack { payment: u128, part: u32 },
    WriteOff { part: u32 },
}

fn steps() -> impl Strategy<Value = Step> {
    let part = 1..=1000_u32;
    prop_oneof![
        4 => (0..3_usize, any::<bool>(), part.clone())
            .prop_map(|(line, by_quantity, part)| Step::Credit { line, by_quantity, part }),
        1 => (0..3_usize).prop_map(|line| Step::CreditRest { line }),
        2 => (0..3_usize, any::<bool>(), part.clone())
            .prop_map(|(line, by_quantity, part)| Step::Debit { line, by_quantity, part }),
        3 => (1..4_u128, part.clone()).prop_map(|(payment, part)| Step::Settle { payment, part }),
        2 => (1..4_u128, part.clone()).prop_map(|(payment, part)| Step::TakeBack { payment, part }),
        1 => part.prop_map(|part| Step::WriteOff { part }),
    ]
}

/// Lines of some thousandths of a quantity, with two taxes; now and then with more places than the currency has.
fn invoices() -> impl Strategy<Value = Assessment> {
    let line = (1..50_000_i64, 0..10_000_000_i64, 0..=2_000_i64, 0..=1_000_i64, 2..=4_u32);
    vec(line, 1..=3).prop_map(|lines| {
        let mut assessment = assessment(0);
        let template = assessment.document.lines[0].clone();
        assessment.document.lines.clear();
        assessment.taxes.lines.clear();
        let (mut all_net, mut all_gross) = (Decimal::ZERO, Decimal::ZERO);
        for (index, (quantity, net, vat, withheld, places)) in lines.into_iter().enumerate() {
            let id = (index + 1).to_string();
            let net = Decimal::new(net, places);
            let tax = |code: &str, rate: i64, effect| TaxItem {
                code: code.to_owned(),
                rate: None,
                base: net,
                amount: (net * Decimal::new(rate, 4)).round_dp(places),
                effect,
                recoverable: true,
                citation: 0,
            };
            let taxes = vec![tax("vat", vat, Effect::Added), tax("vds", withheld, Effect::Withheld)];
            let gross = net + taxes[0].amount;
            (all_net, all_gross) = (all_net + net, all_gross + gross);
            let quantity = Decimal::new(quantity, 3);
            assessment.document.lines.push(Line { id: id.clone(), quantity, ..template.clone() });
            assessment.taxes.lines.push(LineTaxes { line_id: id, net, taxes, gross });
        }
        (assessment.taxes.net, assessment.taxes.gross) = (all_net, all_gross);
        assessment.taxes.tax_added = all_gross - all_net;
        assessment
    })
}

/// An invoice with the sums of its notes and of what was posted.
struct Told {
    invoice: Invoice,
    /// By line: net, gross and each tax, of the invoice and debit notes less credit notes.
    documents: BTreeMap<String, Vec<Decimal>>,
    /// By account.
    books: BTreeMap<String, Decimal>,
    notes: u128,
}

impl Told {
    fn of(assessment: Assessment) -> Self {
        let mut told = Self {
            invoice: given(&issue_of(assessment)),
            documents: BTreeMap::new(),
            books: BTreeMap::new(),
            notes: 0,
        };
        let invoice = told.invoice.clone();
        told.add(&invoice, Decimal::ONE);
        let subject = (&invoice.document, &invoice.taxes);
        told.book(post_document(&chart(), invoice.id, subject, "1").unwrap().as_ref());
        told
    }

    fn add(&mut self, document: &Invoice, sign: Decimal) {
        for line in &document.taxes.lines {
            let amounts = [line.net, line.gross].into_iter().chain(line.taxes.iter().map(|item| item.amount));
            let sums = self.documents.entry(line.line_id.clone()).or_default();
            sums.resize(2 + line.taxes.len(), Decimal::ZERO);
            for (sum, amount) in sums.iter_mut().zip(amounts) {
                *sum += amount * sign;
            }
        }
    }

    fn book(&mut self, entry: Option<&Entry>) {
        for line in entry.into_iter().flat_map(|entry| entry.lines.as_slice()) {
            let signed = if line.side == Side::Debit { line.amount } else { -line.amount };
            *self.books.entry(line.account.to_string()).or_default() += signed;
        }
    }

    fn note(&mut self, wanted: &WantedNote) -> Result<(), crate::rejection::Rejection> {
        let (changed, note) = after(&self.invoice, wanted)?;
        let draft = self.invoice.draft_note(wanted)?;
        self.notes += 1;
        let id = InvoiceId(Uuid::from_u128(100 + self.notes));
        let entry = post_note(&chart(), &self.invoice, id, &draft, "1").unwrap();
        self.book(entry.as_ref());
        let sign = if wanted.kind == NoteKind::CreditNote { -Decimal::ONE } else { Decimal::ONE };
        self.add(&note, sign);
        assert_eq!(
            note.outstanding,
            draft.amount - draft.applied - if sign.is_sign_positive() { draft.amount } else { Decimal::ZERO }
        );
        self.invoice = changed;
        Ok(())
    }

    fn take(&mut self, step: Step) -> Result<(), crate::rejection::Rejection> {
        let of =
            |whole: Decimal, part: u32, places: u32| (whole * Decimal::new(part.into(), 3)).round_dp(places);
        let day = date(2026, 9, 1);
        let open = self.invoice.outstanding;
        let command = match step {
            Step::Credit { line, by_quantity, part } => {
                let Some(left) = self.invoice.left.get(line) else { return Ok(()) };
                let (id, quantity, net) = (left.line_id.clone(), left.quantity, left.net);
                let share = if by_quantity {
                    Share::Quantity(of(quantity, part, 3))
                } else {
                    Share::Net(of(net, part, 2))
                };
                return self.note(&wanted(NoteKind::CreditNote, Some(vec![(&id, share)])));
            }
            Step::CreditRest { line } => {
                let id = (line + 1).to_string();
                return self.note(&wanted(NoteKind::CreditNote, Some(vec![(&id, Share::Whole)])));
            }
            Step::Debit { line, by_quantity, part } => {
                let Some(line) = self.invoice.taxes.lines.get(line) else { return Ok(()) };
                let (id, net) = (line.line_id.clone(), line.net);
                let share = if by_quantity {
                    Share::Quantity(Decimal::new(part.into(), 3))
                } else {
                    Share::Net(of(net, part, 2))
                };
                return self.note(&wanted(NoteKind::DebitNote, Some(vec![(&id, share)])));
            }
            Step::Settle { payment, part } => InvoiceCommand::Settle(SettleInvoice {
                payment: PaymentId(Uuid::from_u128(payment)),
                // Now and then more than is open.
                amount: of(open + Decimal::TEN, part, 2),
                date: day,
            }),
            Step::TakeBack { payment, part } => {
                let payment = PaymentId(Uuid::from_u128(payment));
                let settled = self.invoice.settled.get(&payment).copied().unwrap_or_default();
                let amount = of(settled + Decimal::ONE, part, 2);
                InvoiceCommand::ReverseSettlement(ReverseSettlement { payment, amount, date: day })
            }
            Step::WriteOff { part } => InvoiceCommand::WriteOff(WriteOffInvoice {
                amount: Some(of(open, part, 2)),
                date: day,
                reason: "gone".to_owned(),
            }),
        };
        for event in Invoice::decide(Some(&self.invoice), command)? {
            if let InvoiceEvent::WrittenOff(written_off) = &event {
                // The chart of these tests has no such role.
                assert!(post_write_off(&chart(), &self.invoice, written_off).is_err());
            }
            self.invoice = Invoice::evolve(Some(self.invoice.clone()), event).unwrap();
        }
        Ok(())
    }

    fn check(&self) -> Result<(), TestCaseError> {
        prop_assert!(self.invoice.outstanding >= Decimal::ZERO);
        prop_assert!(self.invoice.settled.values().all(|settled| *settled > Decimal::ZERO));
        for line in &self.invoice.left {
            let amounts = [line.quantity, line.net, line.gross];
            prop_assert!(amounts.iter().all(|amount| *amount >= Decimal::ZERO), "{line:?}");
            prop_assert!(line.taxes.iter().all(|item| item.amount >= Decimal::ZERO), "{line:?}");
            let sums = &self.documents[&line.line_id];
            let left = [line.net, line.gross].into_iter().chain(line.taxes.iter().map(|item| item.amount));
            prop_assert_eq!(sums, &left.collect::<Vec<_>>());
        }
        Ok(())
    }
}

#[test]
fn an_invoice_and_the_notes_that_credit_all_of_it_are_nothing() {
    let (whole, written_off, refused) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let property = |(assessment, steps): (Assessment, Vec<Step>)| {
        let mut told = Told::of(assessment);
        for step in steps {
            let before = told.invoice.clone();
            if told.take(step).is_err() {
                refused.set(refused.get() + 1);
                prop_assert_eq!(&told.invoice, &before);
            }
            told.check()?;
        }
        if told.invoice.written_off > Decimal::ZERO {
            written_off.set(written_off.get() + 1);
            return Ok(());
        }
        // Unless they did so already.
        let _ = told.note(&wanted(NoteKind::CreditNote, None));
        told.check()?;
        prop_assert!(told.documents.values().flatten().all(Decimal::is_zero), "{:?}", told.documents);
        prop_assert!(told.books.values().all(Decimal::is_zero), "{:?}", told.books);
        whole.set(whole.get() + 1);
        Ok(())
    };
    runner().run(&(invoices(), vec(steps(), 0..16)), property).unwrap_or_else(|failure| panic!("{failure}"));
    assert!(
        whole.get() > 100 && written_off.get() > 20 && refused.get() > 100,
        "{whole:?} {written_off:?} {refused:?}"
    );
}
