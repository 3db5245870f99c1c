//! Given an issued invoice, when a note, then what it changes or a rejection.

use jiff::Timestamp;
use jiff::civil::date;
use niyam_values::{Attributes, Decimal, Effect, LineTaxes, TaxItem};
use uuid::Uuid;

use super::tests::{assessment, decision, given, issue_of};
use super::*;
use crate::aggregate::Aggregate as _;
use crate::decision::Assessment;
use crate::ids::{InvoiceId, PaymentId};
use crate::rejection::Rejection;

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn item(code: &str, base: &str, amount: &str, effect: Effect) -> TaxItem {
    TaxItem {
        code: code.to_owned(),
        rate: Some(Decimal::from(15)),
        base: decimal(base),
        amount: decimal(amount),
        effect,
        recoverable: true,
        citation: 0,
    }
}

/// Three bags at 33.33, with VAT of 15 percent of which the customer withholds a third.
pub(super) fn three_bags() -> Assessment {
    let mut assessment = assessment(0);
    let line = &mut assessment.document.lines[0];
    line.quantity = Decimal::from(3);
    line.unit_price = decimal("33.33");
    let net = decimal("99.99");
    let taxes =
        vec![item("vat", "99.99", "15.00", Effect::Added), item("vds", "99.99", "5.00", Effect::Withheld)];
    let gross = decimal("114.99");
    assessment.taxes.lines = vec![LineTaxes { line_id: "1".to_owned(), net, taxes, gross }];
    assessment.taxes.net = net;
    assessment.taxes.tax_added = decimal("15.00");
    assessment.taxes.tax_withheld = decimal("5.00");
    assessment.taxes.gross = gross;
    assessment.taxes.payable = decimal("109.99");
    assessment
}

pub(super) fn issued() -> Invoice {
    given(&issue_of(three_bags()))
}

pub(super) fn wanted(kind: NoteKind, lines: Option<Vec<(&str, Share)>>) -> WantedNote {
    let line = |(line, share): (&str, Share)| WantedLine { line: line.to_owned(), share };
    WantedNote {
        kind,
        lines: lines.map(|lines| lines.into_iter().map(line).collect()),
        date: date(2026, 8, 20),
        reason: "goods returned".to_owned(),
        attributes: Attributes::new(),
    }
}

pub(super) fn credit(lines: Option<Vec<(&str, Share)>>) -> WantedNote {
    wanted(NoteKind::CreditNote, lines)
}

/// The invoice and the note after the note.
pub(super) fn after(invoice: &Invoice, wanted: &WantedNote) -> Result<(Invoice, Invoice), Rejection> {
    let command = IssueNote {
        note_id: InvoiceId(Uuid::from_u128(9)),
        draft: invoice.draft_note(wanted)?,
        plan: NotePlan::Own(
            Box::new(niyam_values::IssuePlan {
                form: "mushak-6.7".to_owned(),
                series: "mushak-6.7/2026-2027".to_owned(),
                number_pattern: "{serial}/2026-2027".to_owned(),
                findings: Vec::new(),
            }),
            Box::new(decision("prepare-issue")),
        ),
        issued_on: date(2026, 8, 20),
        issued_time: "11:00:00".to_owned(),
        issued_at: Timestamp::UNIX_EPOCH,
        attributes: Attributes::new(),
    };
    let (note, change, drawn) = invoice.prepare_note(command)?.with_serial(4);
    assert_eq!(drawn.map(|drawn| drawn.number).as_deref(), Some("4/2026-2027"));
    let changed = Invoice::evolve(Some(invoice.clone()), change).unwrap();
    Ok((changed, Invoice::evolve(None, note).unwrap()))
}

fn codes<T: std::fmt::Debug>(refused: Result<T, Rejection>) -> Vec<(String, String)> {
    let Err(Rejection::Findings(findings)) = refused else { panic!("{refused:?}") };
    findings.into_iter().map(|finding| (finding.code, finding.pointer.unwrap_or_default())).collect()
}

fn one(code: &str, pointer: &str) -> Vec<(String, String)> {
    vec![(code.to_owned(), pointer.to_owned())]
}

#[test]
fn a_note_by_quantity_takes_its_part_and_the_last_takes_what_remains() {
    let one_bag = |quantity: i64| credit(Some(vec![("1", Share::Quantity(quantity.into()))]));
    let mut invoice = issued();
    let mut amounts = Vec::new();
    for _ in 0..3 {
        let (changed, note) = after(&invoice, &one_bag(1)).unwrap();
        let taxed = &note.taxes.lines[0];
        let vat = &taxed.taxes[0].amount;
        amounts.push(format!("{} {vat} {} {}", taxed.net, taxed.taxes[1].amount, note.taxes.gross));
        invoice = changed;
    }
    assert_eq!(amounts, ["33.33 5.00 1.67 38.33", "33.33 5.00 1.67 38.33", "33.33 5.00 1.66 38.33"]);
    assert!(invoice.left.iter().all(LineShare::is_nothing));
    assert_eq!(invoice.outstanding, Decimal::ZERO);
    assert_eq!(invoice.draft_note(&credit(None)), Err(Rejection::NothingToCredit));
}

#[test]
fn the_note_says_what_it_is_against_and_at_which_price() {
    let lines = Some(vec![("1", Share::Quantity(Decimal::TWO))]);
    let (_, note) = after(&issued(), &credit(lines)).unwrap();
    let document = &note.document;
    assert_eq!((document.kind.as_str(), document.tax_date), ("credit-note", date(2026, 8, 20)));
    let line = &document.lines[0];
    assert_eq!(
        (line.quantity, line.unit_price, line.discount),
        (Decimal::TWO, decimal("33.33"), Decimal::ZERO)
    );
    let facts = ["original_number", "original_date", "original_time", "reason"];
    let facts = facts.map(|name| document.attributes.get(name).unwrap());
    assert_eq!(facts, ["7/2026-2027", "2026-08-15", "10:30:00", "goods returned"]);
    assert_eq!(note.note.unwrap().number, "7/2026-2027");
}

#[test]
fn a_note_by_amount_changes_the_price_and_leaves_what_was_supplied() {
    let lines = |net: &str| Some(vec![("1", Share::Net(decimal(net)))]);
    let (invoice, note) = after(&issued(), &credit(lines("9.99"))).unwrap();
    assert_eq!(note.taxes.lines[0].taxes[0].amount, decimal("1.50"));
    assert_eq!(note.document.lines[0].unit_price, decimal("3.33"));
    assert_eq!(invoice.left[0].quantity, Decimal::from(3));
    assert_eq!(invoice.left[0].net, decimal("90.00"));
    // Then the goods come back, for what they are now.
    let (invoice, note) = after(&invoice, &credit(None)).unwrap();
    assert_eq!((note.taxes.net, note.taxes.gross), (decimal("90.00"), decimal("103.50")));
    let line = &note.document.lines[0];
    assert_eq!(line.quantity * line.unit_price - line.discount, decimal("90.00"));
    assert!(invoice.left[0].is_nothing());
}

#[test]
fn no_more_is_credited_than_is_left() {
    let invoice = issued();
    for (share, pointer) in [
        (Share::Quantity(decimal("3.000001")), "/lines/0/quantity"),
        (Share::Net(decimal("100.00")), "/lines/0/amount"),
    ] {
        let refused = after(&invoice, &credit(Some(vec![("1", share)])));
        assert_eq!(codes(refused), one("credit-exceeds-remaining", pointer));
    }
    let (credited, _) = after(&invoice, &credit(None)).unwrap();
    let again = after(&credited, &credit(Some(vec![("1", Share::Whole)])));
    assert_eq!(codes(again), one("credit-exceeds-remaining", "/lines/0/line"));
}

#[test]
fn what_a_note_gets_wrong_is_told_by_code_and_place() {
    let invoice = issued();
    let (credit_note, debit_note) = (NoteKind::CreditNote, NoteKind::DebitNote);
    for (kind, lines, code, pointer) in [
        (credit_note, vec![("2", Share::Whole)], "note-line-unknown", "/lines/0/line"),
        (credit_note, vec![("1", Share::Whole), ("1", Share::Whole)], "note-line-twice", "/lines/1/line"),
        (
            credit_note,
            vec![("1", Share::Quantity(Decimal::ZERO))],
            "quantity-not-positive",
            "/lines/0/quantity",
        ),
        (credit_note, vec![("1", Share::Net(-Decimal::ONE))], "amount-not-positive", "/lines/0/amount"),
        (credit_note, vec![("1", Share::Net(decimal("1.001")))], "amount-too-precise", "/lines/0/amount"),
        (credit_note, vec![], "note-without-lines", "/lines"),
        (debit_note, vec![("1", Share::Whole)], "note-share-missing", "/lines/0/line"),
    ] {
        assert_eq!(codes(after(&invoice, &wanted(kind, Some(lines)))), one(code, pointer));
    }
    assert_eq!(codes(after(&invoice, &wanted(debit_note, None))), one("note-without-lines", "/lines"));
    let early = WantedNote { date: date(2026, 8, 14), ..credit(None) };
    assert_eq!(codes(after(&invoice, &early)), one("note-before-invoice", "/date"));
    let far = WantedNote { date: date(2200, 1, 1), ..credit(None) };
    assert_eq!(codes(after(&invoice, &far)), one("date-out-of-range", "/date"));
}

#[test]
fn a_debit_note_raises_what_is_owed_and_can_be_credited() {
    let raise = wanted(NoteKind::DebitNote, Some(vec![("1", Share::Net(decimal("10.00")))]));
    let (invoice, note) = after(&issued(), &raise).unwrap();
    assert_eq!((note.taxes.net, note.taxes.gross), (decimal("10.00"), decimal("11.50")));
    assert_eq!((invoice.outstanding, note.outstanding), (decimal("126.49"), Decimal::ZERO));
    let (invoice, note) = after(&invoice, &credit(None)).unwrap();
    assert_eq!((note.taxes.net, note.taxes.gross), (decimal("109.99"), decimal("126.49")));
    assert_eq!(invoice.outstanding, Decimal::ZERO);
}

#[test]
fn what_of_a_credit_is_paid_already_is_owed_to_the_customer() {
    let paid = InvoiceEvent::Settled(InvoiceSettled {
        payment: PaymentId(Uuid::from_u128(5)),
        amount: decimal("100.00"),
        date: date(2026, 8, 18),
    });
    let paid = Invoice::evolve(Some(issued()), paid).unwrap();
    assert_eq!(paid.outstanding, decimal("14.99"));
    let (invoice, note) = after(&paid, &credit(None)).unwrap();
    assert_eq!((invoice.outstanding, note.outstanding), (Decimal::ZERO, decimal("100.00")));
    // It is paid back by a payment of its own.
    let refund = SettleInvoice {
        payment: PaymentId(Uuid::from_u128(6)),
        amount: decimal("100.00"),
        date: date(2026, 8, 21),
    };
    let events = Invoice::decide(Some(&note), InvoiceCommand::Settle(refund)).unwrap();
    assert_eq!(Invoice::evolve(Some(note), events[0].clone()).unwrap().outstanding, Decimal::ZERO);
}

#[test]
fn only_an_issued_invoice_takes_notes() {
    let events = issue_of(three_bags());
    let draft = given(&events[..1]);
    let refused = draft.draft_note(&credit(None));
    assert_eq!(refused, Err(Rejection::WrongStatus { found: InvoiceStatus::Draft, needed: "issued" }));
    let (_, note) = after(&issued(), &credit(None)).unwrap();
    assert_eq!(note.draft_note(&credit(None)), Err(Rejection::NoteOfNote));
    let written_off =
        InvoiceWrittenOff { amount: Decimal::ONE, date: date(2026, 8, 20), reason: "gone".to_owned() };
    let written_off = Invoice::evolve(Some(issued()), InvoiceEvent::WrittenOff(written_off)).unwrap();
    assert_eq!(written_off.draft_note(&credit(None)), Err(Rejection::InvoiceWrittenOff));
    let mut erased = issued();
    erased.document.customer.name = crate::personal::ERASED.to_owned();
    assert_eq!(erased.draft_note(&credit(None)), Err(Rejection::DataSubjectErased));
}

#[test]
fn a_note_that_was_drafted_before_another_is_not_issued_after_it() {
    let invoice = issued();
    let draft = invoice.draft_note(&credit(None)).unwrap();
    let (credited, _) = after(&invoice, &credit(Some(vec![("1", Share::Quantity(Decimal::ONE))]))).unwrap();
    let command = IssueNote {
        note_id: InvoiceId(Uuid::from_u128(10)),
        draft,
        plan: NotePlan::Supplier("S-1".to_owned()),
        issued_on: date(2026, 8, 20),
        issued_time: "11:00:00".to_owned(),
        issued_at: Timestamp::UNIX_EPOCH,
        attributes: Attributes::new(),
    };
    assert_eq!(credited.prepare_note(command).map(|_| ()), Err(Rejection::NothingToCredit));
}
