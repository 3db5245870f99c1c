//! Given an issued invoice, when it is settled or written off, then what is left of it, never below zero.

use jiff::civil::date;
use niyam_values::{Decimal, Direction};
use uuid::Uuid;

use super::note_tests::{after, credit, issued, three_bags};
use super::tests::{given, issue_of};
use super::*;
use crate::aggregate::Aggregate as _;
use crate::ids::PaymentId;
use crate::rejection::Rejection;

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn payment(number: u128) -> PaymentId {
    PaymentId(Uuid::from_u128(number))
}

fn settle(number: u128, amount: &str) -> InvoiceCommand {
    let (payment, amount) = (payment(number), decimal(amount));
    InvoiceCommand::Settle(SettleInvoice { payment, amount, date: date(2026, 9, 1) })
}

fn take_back(number: u128, amount: &str) -> InvoiceCommand {
    let (payment, amount) = (payment(number), decimal(amount));
    InvoiceCommand::ReverseSettlement(ReverseSettlement { payment, amount, date: date(2026, 9, 2) })
}

fn write_off(amount: Option<&str>) -> InvoiceCommand {
    let (amount, reason) = (amount.map(decimal), "wound up".to_owned());
    InvoiceCommand::WriteOff(WriteOffInvoice { amount, date: date(2026, 9, 3), reason })
}

fn when(invoice: &Invoice, command: InvoiceCommand) -> Result<Invoice, Rejection> {
    let events = Invoice::decide(Some(invoice), command)?;
    Ok(events.into_iter().fold(invoice.clone(), |state, event| Invoice::evolve(Some(state), event).unwrap()))
}

#[test]
fn part_payments_settle_until_nothing_is_open_and_no_more() {
    let invoice = when(&issued(), settle(1, "100.00")).unwrap();
    assert_eq!(invoice.outstanding, decimal("14.99"));
    let refused = when(&invoice, settle(2, "15.00"));
    let outstanding = decimal("14.99");
    assert_eq!(refused, Err(Rejection::SettlementExceedsOutstanding { outstanding }));
    let invoice = when(&invoice, settle(2, "14.99")).unwrap();
    assert_eq!(invoice.outstanding, Decimal::ZERO);
    assert_eq!(when(&invoice, write_off(None)), Err(Rejection::NothingOutstanding));
}

#[test]
fn a_payment_takes_back_what_it_settled_and_no_more() {
    let invoice = when(&issued(), settle(1, "60.00")).unwrap();
    let invoice = when(&invoice, settle(2, "30.00")).unwrap();
    assert_eq!(when(&invoice, take_back(3, "1.00")), Err(Rejection::SettlementMissing));
    let settled = decimal("60.00");
    assert_eq!(when(&invoice, take_back(1, "60.01")), Err(Rejection::ReversalExceedsSettled { settled }));
    let invoice = when(&invoice, take_back(1, "60.00")).unwrap();
    assert_eq!(invoice.outstanding, decimal("84.99"));
    assert_eq!(when(&invoice, take_back(1, "0.01")), Err(Rejection::SettlementMissing));
}

#[test]
fn what_is_open_may_be_written_off_once() {
    let invoice = when(&issued(), write_off(Some("14.99"))).unwrap();
    assert_eq!((invoice.outstanding, invoice.written_off), (decimal("100.00"), decimal("14.99")));
    let invoice = when(&invoice, write_off(None)).unwrap();
    assert_eq!((invoice.outstanding, invoice.written_off), (Decimal::ZERO, decimal("114.99")));
    assert_eq!(when(&invoice, write_off(None)), Err(Rejection::NothingOutstanding));
    let (_, note) = after(&issued(), &credit(None)).unwrap();
    assert_eq!(when(&note, write_off(None)), Err(Rejection::NoteOfNote));
}

#[test]
fn a_wrong_amount_or_day_is_told_by_code_and_place() {
    let early = WriteOffInvoice { amount: None, date: date(2026, 8, 1), reason: "x".to_owned() };
    for (command, code, pointer) in [
        (settle(1, "0"), "amount-not-positive", "/amount"),
        (settle(1, "-1"), "amount-not-positive", "/amount"),
        (settle(1, "1.001"), "amount-too-precise", "/amount"),
        (write_off(Some("115.00")), "write-off-exceeds-outstanding", "/amount"),
        (write_off(Some("0.001")), "amount-too-precise", "/amount"),
        (InvoiceCommand::WriteOff(early), "write-off-before-invoice", "/date"),
    ] {
        let Err(Rejection::Findings(findings)) = when(&issued(), command) else { panic!("{code}") };
        assert_eq!((findings[0].code.as_str(), findings[0].pointer.as_deref()), (code, Some(pointer)));
    }
}

#[test]
fn a_draft_is_neither_settled_nor_written_off() {
    let draft = given(&issue_of(three_bags())[..1]);
    for command in [settle(1, "1"), take_back(1, "1"), write_off(None)] {
        let wrong = Rejection::WrongStatus { found: InvoiceStatus::Draft, needed: "issued" };
        assert_eq!(when(&draft, command), Err(wrong));
    }
}

#[test]
fn of_a_purchase_what_is_withheld_is_not_owed_to_the_supplier() {
    let mut assessment = three_bags();
    assessment.document.direction = Direction::Purchase;
    let invoice = given(&issue_of(assessment));
    assert_eq!(invoice.outstanding, decimal("109.99"));
    let (invoice, note) = after(&invoice, &credit(None)).unwrap();
    assert_eq!((invoice.outstanding, note.outstanding), (Decimal::ZERO, Decimal::ZERO));
}
