//! Given events, when a command, then events or a rejection.

use jiff::civil::date;
use niyam_values::{
    Attributes, Decimal, Determination, Direction, Document, Line, LineTaxes, Party, PriceMode,
};

use jiff::Timestamp;
use niyam_values::IssuePlan;

use super::*;
use crate::aggregate::Aggregate as _;
use crate::decision::{Assessment, Decision, ModuleRef};
use crate::event::{DomainEvent as _, UnreadableEvent};
use crate::ids::InvoiceId;
use crate::rejection::Rejection;

pub(crate) fn document() -> Document {
    let party = |name: &str| Party {
        id: String::new(),
        name: name.to_owned(),
        address: Some("Dhaka".to_owned()),
        country: "BD".to_owned(),
        identifiers: Vec::new(),
        attributes: Attributes::new(),
    };
    Document {
        kind: "invoice".to_owned(),
        direction: Direction::Sale,
        tax_date: date(2026, 8, 15),
        currency: "BDT".to_owned(),
        minor_units: 2,
        exchange_rate: None,
        price_mode: PriceMode::Exclusive,
        supplier: party("Supplier"),
        customer: party("Customer"),
        lines: vec![Line {
            id: "1".to_owned(),
            description: "Cement".to_owned(),
            supply_code: "standard".to_owned(),
            quantity: Decimal::TEN,
            unit: "bag".to_owned(),
            unit_price: Decimal::new(55050, 2),
            discount: Decimal::ZERO,
            attributes: Attributes::new(),
        }],
        attributes: Attributes::new(),
    }
}

pub(crate) fn decision(function: &str) -> Decision {
    Decision {
        function: function.to_owned(),
        module: ModuleRef { id: "vat-bd".to_owned(), version: "0.1.0".to_owned(), digest: "00".to_owned() },
        contract: "niyam:rules@0.1.0".to_owned(),
        config_digest: "01".to_owned(),
        input_digest: "02".to_owned(),
        output_digest: "03".to_owned(),
        fuel: 1,
    }
}

pub(crate) fn assessment(net: i64) -> Assessment {
    let net = Decimal::from(net);
    Assessment {
        document: document(),
        taxes: Determination {
            lines: vec![LineTaxes { line_id: "1".to_owned(), net, taxes: Vec::new(), gross: net }],
            net,
            tax_added: Decimal::ZERO,
            tax_withheld: Decimal::ZERO,
            gross: net,
            payable: net,
            citations: Vec::new(),
            findings: Vec::new(),
        },
        decision: decision("determine"),
    }
}

fn id() -> InvoiceId {
    InvoiceId(uuid::Uuid::from_u128(1))
}

fn drafted() -> InvoiceEvent {
    InvoiceEvent::Drafted(InvoiceDrafted { invoice_id: id(), assessment: assessment(100) })
}

fn approved() -> InvoiceEvent {
    InvoiceEvent::Approved(InvoiceApproved {})
}

fn cancelled() -> InvoiceEvent {
    InvoiceEvent::Cancelled(InvoiceCancelled { reason: None })
}

pub(crate) fn given(events: &[InvoiceEvent]) -> Invoice {
    events
        .iter()
        .cloned()
        .try_fold(None, |state, event| Invoice::evolve(state, event).map(Some))
        .unwrap()
        .unwrap()
}

fn issue(net: i64) -> IssueInvoice {
    IssueInvoice {
        assessment: assessment(net),
        plan: IssuePlan {
            form: "mushak-6.3".to_owned(),
            series: "mushak-6.3/2026-2027".to_owned(),
            number_pattern: "{serial}/2026-2027".to_owned(),
            findings: Vec::new(),
        },
        plan_decision: decision("prepare-issue"),
        issued_on: date(2026, 8, 15),
        issued_time: "10:30:00".to_owned(),
        issued_at: Timestamp::UNIX_EPOCH,
        attributes: Attributes::new(),
    }
}

fn issued() -> InvoiceEvent {
    given(&[drafted(), approved()]).prepare_issue(issue(100)).unwrap().with_serial(7).0
}

/// What it takes to issue an invoice of this, numbered 7.
pub(crate) fn issue_of(assessment: Assessment) -> Vec<InvoiceEvent> {
    let drafted = InvoiceEvent::Drafted(InvoiceDrafted { invoice_id: id(), assessment: assessment.clone() });
    let mut events = vec![drafted, approved()];
    let command = IssueInvoice { assessment, ..issue(0) };
    events.push(given(&events).prepare_issue(command).unwrap().with_serial(7).0);
    events
}

fn revise() -> InvoiceCommand {
    InvoiceCommand::Revise(ReviseInvoice { assessment: assessment(200) })
}

fn approve() -> InvoiceCommand {
    InvoiceCommand::Approve(ApproveInvoice {})
}

fn cancel() -> InvoiceCommand {
    InvoiceCommand::Cancel(CancelInvoice { reason: None })
}

fn refused(events: &[InvoiceEvent], command: InvoiceCommand) -> bool {
    matches!(Invoice::decide(Some(&given(events)), command), Err(Rejection::WrongStatus { .. }))
}

#[test]
fn a_draft_is_drafted_revised_and_approved() {
    let draft = InvoiceCommand::Draft(DraftInvoice { invoice_id: id(), assessment: assessment(100) });
    assert_eq!(Invoice::decide(None, draft), Ok(vec![drafted()]));
    let state = given(&[drafted()]);
    let revised = InvoiceEvent::Revised(InvoiceRevised { assessment: assessment(200) });
    assert_eq!(Invoice::decide(Some(&state), revise()), Ok(vec![revised]));
    assert_eq!(Invoice::decide(Some(&state), approve()), Ok(vec![approved()]));
}

#[test]
fn a_revision_voids_the_approval() {
    let state = given(&[drafted(), approved()]);
    let events = Invoice::decide(Some(&state), revise()).unwrap();
    let state = Invoice::evolve(Some(state), events[0].clone()).unwrap();
    assert_eq!(state.status, InvoiceStatus::Draft);
    assert_eq!(state.taxes, assessment(200).taxes);
}

#[test]
fn only_a_draft_is_approved_or_cancelled() {
    for before in [vec![drafted(), approved()], vec![drafted(), cancelled()]] {
        assert!(refused(&before, approve()));
        assert!(refused(&before, cancel()));
    }
}

#[test]
fn an_issued_invoice_never_changes() {
    let before = [drafted(), approved(), issued()];
    for command in [revise(), approve(), cancel()] {
        assert!(refused(&before, command));
    }
    assert!(given(&before).prepare_issue(issue(100)).is_err());
}

#[test]
fn a_draft_is_not_issued_before_it_is_approved() {
    let found = given(&[drafted()]).prepare_issue(issue(100)).map(|_| ());
    assert_eq!(found, Err(Rejection::WrongStatus { found: InvoiceStatus::Draft, needed: "approved" }));
}

#[test]
fn what_is_issued_bears_the_taxes_that_were_approved() {
    let found = given(&[drafted(), approved()]).prepare_issue(issue(101)).map(|_| ());
    assert_eq!(found, Err(Rejection::TaxesChanged));
}

#[test]
fn the_serial_becomes_the_number_on_both_events() {
    let prepared = given(&[drafted(), approved()]).prepare_issue(issue(100)).unwrap();
    assert_eq!(prepared.series(), "mushak-6.3/2026-2027");
    let (event, drawn) = prepared.with_serial(12);
    assert_eq!((drawn.serial, drawn.number.as_str()), (12, "12/2026-2027"));
    let state = Invoice::evolve(Some(given(&[drafted(), approved()])), event).unwrap();
    assert_eq!(state.issued.unwrap().facts.number, "12/2026-2027");
}

#[test]
fn a_purchase_is_recorded_under_its_suppliers_number() {
    let purchase = || {
        let mut assessment = assessment(100);
        assessment.document.direction = Direction::Purchase;
        assessment
    };
    let command = |assessment| {
        let facts = niyam_values::IssueFacts {
            number: "INV-7".to_owned(),
            issued_on: date(2026, 8, 15),
            issued_at: "10:30:00".to_owned(),
            attributes: Attributes::new(),
        };
        RecordInvoice { assessment, facts, recorded_at: Timestamp::UNIX_EPOCH }
    };
    let drafted = InvoiceEvent::Drafted(InvoiceDrafted { invoice_id: id(), assessment: purchase() });
    let draft = given(std::slice::from_ref(&drafted));
    let refused = draft.record(command(purchase()));
    assert_eq!(refused, Err(Rejection::WrongStatus { found: InvoiceStatus::Draft, needed: "approved" }));
    let state = given(&[drafted, approved()]);
    assert_eq!(state.record(command(assessment(101))), Err(Rejection::TaxesChanged));
    let event = state.record(command(purchase())).unwrap();
    let state = Invoice::evolve(Some(state), event).unwrap();
    assert_eq!((state.status, state.outstanding), (InvoiceStatus::Issued, Decimal::ONE_HUNDRED));
    let issued = state.issued.unwrap();
    assert!(issued.planned.is_none() && issued.facts.number == "INV-7");
}

#[test]
fn an_event_that_cannot_follow_is_an_error() {
    assert!(Invoice::evolve(None, approved()).is_err());
    assert!(Invoice::evolve(Some(given(&[drafted()])), drafted()).is_err());
}

#[test]
fn every_event_reads_back_as_it_was_written() {
    for event in [drafted(), approved(), cancelled(), issued()] {
        let payload = event.payload().unwrap();
        assert_eq!(InvoiceEvent::read(event.event_type(), &payload).unwrap(), event);
    }
    assert!(matches!(
        InvoiceEvent::read("invoice.lost.v1", b"{}"),
        Err(UnreadableEvent::UnknownType(found)) if found == "invoice.lost.v1"
    ));
}

#[test]
fn an_invoice_whose_customer_was_erased_is_neither_approved_nor_issued() {
    let erased = |status| {
        let mut assessment = assessment(100);
        assessment.document.customer.name = crate::personal::ERASED.to_owned();
        let drafted = InvoiceEvent::Drafted(InvoiceDrafted { invoice_id: id(), assessment });
        Invoice { status, ..given(&[drafted]) }
    };
    let approve = InvoiceCommand::Approve(ApproveInvoice {});
    let refused = Invoice::decide(Some(&erased(InvoiceStatus::Draft)), approve);
    assert_eq!(refused, Err(Rejection::DataSubjectErased));
    let cancel = InvoiceCommand::Cancel(CancelInvoice { reason: None });
    assert!(Invoice::decide(Some(&erased(InvoiceStatus::Draft)), cancel).is_ok());
    let revise = InvoiceCommand::Revise(ReviseInvoice { assessment: assessment(100) });
    assert!(Invoice::decide(Some(&erased(InvoiceStatus::Approved)), revise).is_ok());
    assert_eq!(erased(InvoiceStatus::Approved).require_issuable(), Err(Rejection::DataSubjectErased));
}
