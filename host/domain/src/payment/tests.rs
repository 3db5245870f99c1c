//! Given events, when a step, then events, an entry and what is settled; or a rejection.

use jiff::civil::date;
use niyam_values::{AccountTemplate, Attributes, Date, Decimal, Party};
use uuid::Uuid;

use super::*;
use crate::accounts::{AccountRole, Chart, ChartCreated, ChartEvent, accounts_of_template};
use crate::aggregate::Aggregate as _;
use crate::ids::{EntryId, InvoiceId, PaymentId};
use crate::invoice::tests::decision;
use crate::journal::{Books, Entry, EntryPosted, JournalEntry, Side};
use crate::periods::tests::{july, periods};
use crate::periods::{Authority, PeriodStatus, Periods};
use crate::personal::{ERASED, Personal as _};
use crate::rejection::Rejection;

/// Accounts named by what postings know them by, with one of no role.
pub(crate) fn chart() -> Chart {
    let row = |code: &str, class: &str, role: Option<&str>| AccountTemplate {
        code: code.to_owned(),
        name: code.to_owned(),
        class: class.to_owned(),
        parent: None,
        role: role.map(str::to_owned),
    };
    let template = [
        row("cash", "asset", Some("cash")),
        row("bank", "asset", Some("bank")),
        row("bank-city", "asset", Some("bank:city")),
        row("cheques", "asset", Some("cheques-in-hand")),
        row("bkash", "asset", Some("wallet:bkash")),
        row("receivable", "asset", Some("receivable")),
        row("paid-ahead", "asset", Some("advances-to-suppliers")),
        row("vds", "asset", Some("tax-withheld-by-customers:vds")),
        row("other-held", "asset", Some("tax-withheld-by-customers")),
        row("payable", "liability", Some("payable")),
        row("advances", "liability", Some("advances-from-customers")),
        row("vds-owed", "liability", Some("tax-withheld-for-suppliers:vds")),
        row("charges", "expense", Some("bank-charges")),
        row("other", "asset", None),
    ];
    let accounts = accounts_of_template(&template).unwrap();
    let created = ChartEvent::Created(ChartCreated { accounts, decision: decision("chart-of-accounts") });
    Chart::evolve(None, created).unwrap()
}

pub(crate) fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub(crate) fn day(day: i8) -> Date {
    date(2026, 7, day)
}

pub(crate) fn invoice(number: u128) -> InvoiceId {
    InvoiceId(Uuid::from_u128(number))
}

pub(crate) fn party(id: &str, name: &str) -> Party {
    Party {
        id: id.to_owned(),
        name: name.to_owned(),
        address: None,
        country: "BD".to_owned(),
        identifiers: Vec::new(),
        attributes: Attributes::new(),
    }
}

pub(crate) fn due(outstanding: &str) -> Due {
    Due {
        settled_by: PaymentDirection::Receipt,
        side: OpenSide::Receivable,
        party: party("c-1", "Padma"),
        currency: "BDT".to_owned(),
        date: day(1),
        outstanding: Some(decimal(outstanding)),
    }
}

pub(crate) fn part(number: u128, amount: &str) -> NewAllocation {
    NewAllocation { invoice_id: invoice(number), amount: Some(decimal(amount)) }
}

pub(crate) fn receipt(method: &str, amount: &str, allocations: Vec<NewAllocation>) -> NewPayment {
    let details = Attributes::new();
    NewPayment {
        direction: PaymentDirection::Receipt,
        method: method.to_owned(),
        held_in: None,
        date: day(5),
        currency: "BDT".to_owned(),
        amount: decimal(amount),
        charges: Decimal::ZERO,
        party: None,
        details: if method == "cheque" { details.with("cheque_number", "0042") } else { details },
        allocations,
        withheld: Vec::new(),
        as_advance: false,
    }
}

pub(crate) fn digest(whose: &str, tax: &str, number: &str) -> String {
    format!("{whose}.{tax}.{number}")
}

fn terms(new: NewPayment, due: &[Option<Due>]) -> Result<PaymentTerms, Rejection> {
    PaymentTerms::new(new, due, &chart(), digest)
}

fn evolved(state: Option<Payment>, event: PaymentEvent) -> Payment {
    Payment::evolve(state, event).unwrap()
}

/// The payment of `new`, which names documents of which so much is left.
fn given(new: NewPayment, left: &[&str]) -> Payment {
    let due: Vec<_> = left.iter().map(|left| Some(due(left))).collect();
    let event = Payment::create(PaymentId(Uuid::from_u128(9)), terms(new, &due).unwrap());
    evolved(None, event)
}

fn with_books<T>(periods: &Periods, ask: impl FnOnce(&Books<'_>) -> T) -> T {
    ask(&Books { chart: &chart(), periods, authority: Authority::Ordinary })
}

fn complete(payment: &Payment, left: &[&str]) -> Result<Step, Rejection> {
    let due: Vec<_> = left.iter().map(|left| Some(due(left))).collect();
    with_books(&periods(), |books| payment.complete(payment.terms.date, &due, books))
}

/// The completed payment, and its entry.
fn completed(new: NewPayment, left: &[&str]) -> (Payment, JournalEntry) {
    let payment = given(new, left);
    let step = complete(&payment, left).unwrap();
    (evolved(Some(payment), step.event), entry_of(step.entry.unwrap()))
}

fn entry_of(posted: EntryPosted) -> JournalEntry {
    JournalEntry::evolve(None, posted.into()).unwrap()
}

/// `side account amount` of each line.
fn lines(entry: &Entry) -> Vec<String> {
    let shown = |line: &crate::journal::JournalLine| {
        let side = if line.side == Side::Debit { "dr" } else { "cr" };
        format!("{side} {} {}", line.account, line.amount)
    };
    entry.lines.as_slice().iter().map(shown).collect()
}

fn findings<T: std::fmt::Debug>(refused: Result<T, Rejection>) -> Vec<(String, String)> {
    let Err(Rejection::Findings(findings)) = refused else { panic!("{refused:?}") };
    findings.into_iter().map(|finding| (finding.code, finding.pointer.unwrap_or_default())).collect()
}

fn one(rule: &str, pointer: &str) -> Vec<(String, String)> {
    vec![(rule.to_owned(), pointer.to_owned())]
}

fn id(number: u128) -> EntryId {
    EntryId(Uuid::from_u128(number))
}

fn advance(amount: &str) -> NewPayment {
    NewPayment { as_advance: true, party: Some(party("c-1", "Padma")), ..receipt("cash", amount, Vec::new()) }
}

fn held(tax: &str, amount: &str, number: &str) -> NewWithholding {
    let certificate = Some((number.to_owned(), day(4)));
    NewWithholding { tax: tax.to_owned(), amount: decimal(amount), certificate }
}

fn take_back(
    payment: &Payment,
    how: TakingBack,
    on: i8,
    entries: &[JournalEntry],
    periods: &Periods,
) -> Result<Undone, Rejection> {
    let mirrors = (100..).map(id).take(entries.len()).collect();
    let command = TakeBack { how, date: day(on), reason: "wrong".to_owned(), mirrors };
    with_books(periods, |books| payment.take_back(command, entries, books))
}

#[test]
fn a_receipt_settles_what_customers_owe() {
    let (payment, entry) =
        completed(receipt("cash", "150", vec![part(1, "100"), part(2, "50")]), &["100", "80"]);
    assert_eq!(lines(&entry.entry), ["dr cash 150.00", "cr receivable 150.00"]);
    assert_eq!(entry.id.0, payment.id.0);
    assert_eq!(payment.status, PaymentStatus::Completed);
    assert_eq!(payment.settled.len(), 2);
    assert_eq!(payment.advance, Decimal::ZERO);
}

#[test]
fn money_lies_where_its_method_says() {
    for (method, account) in
        [("cash", "cash"), ("bank-transfer", "bank"), ("cheque", "cheques"), ("wallet:bkash", "bkash")]
    {
        let (_, entry) = completed(receipt(method, "10", vec![part(1, "10")]), &["10"]);
        assert_eq!(lines(&entry.entry)[0], format!("dr {account} 10.00"));
    }
    let city = NewPayment {
        held_in: Some("bank:city".to_owned()),
        ..receipt("bank-transfer", "10", vec![part(1, "10")])
    };
    let (_, entry) = completed(city.clone(), &["10"]);
    assert_eq!(lines(&entry.entry)[0], "dr bank-city 10.00");
    for (method, held_in, rule, pointer) in [
        ("wallet:nagad", None, "payment-method-unknown", "/method"),
        ("barter", None, "payment-method-unknown", "/method"),
        ("wallet:", None, "payment-method-unknown", "/method"),
        ("cash", Some("bank"), "payment-account-invalid", "/account_role"),
        ("bank-transfer", Some("bank:other"), "payment-account-invalid", "/account_role"),
        ("bank-transfer", Some("bank-charges"), "payment-account-invalid", "/account_role"),
        ("bank-transfer", Some("bank:"), "payment-account-invalid", "/account_role"),
    ] {
        let held_in = held_in.map(str::to_owned);
        let new = NewPayment { method: method.to_owned(), held_in, ..city.clone() };
        assert_eq!(findings(terms(new, &[Some(due("10"))])), one(rule, pointer), "{method}");
    }
}

#[test]
fn a_disbursement_settles_what_is_owed_to_suppliers() {
    let purchase = Due { settled_by: PaymentDirection::Disbursement, side: OpenSide::Payable, ..due("100") };
    let new = NewPayment {
        direction: PaymentDirection::Disbursement,
        charges: decimal("5"),
        withheld: vec![NewWithholding { certificate: None, ..held("vds", "10", "") }],
        as_advance: true,
        ..receipt("bank-transfer", "110", vec![part(1, "100")])
    };
    let payment = evolved(
        None,
        Payment::create(PaymentId(Uuid::nil()), terms(new, &[Some(purchase.clone())]).unwrap()),
    );
    let step = with_books(&periods(), |books| payment.complete(day(5), &[Some(purchase)], books)).unwrap();
    assert_eq!(
        lines(&step.entry.unwrap().entry),
        [
            "cr bank 115.00",
            "dr charges 5.00",
            "cr vds-owed 10.00",
            "dr payable 100.00",
            "dr paid-ahead 20.00"
        ]
    );
}

#[test]
fn withheld_tax_and_charges_settle_as_money_does() {
    let new = NewPayment {
        charges: decimal("1.50"),
        withheld: vec![held("vds", "15", "77"), held("tds", "5", "78")],
        ..receipt("wallet:bkash", "80", vec![part(1, "100")])
    };
    let (payment, entry) = completed(new, &["100"]);
    assert_eq!(
        lines(&entry.entry),
        ["dr bkash 78.50", "dr charges 1.50", "dr vds 15.00", "dr other-held 5.00", "cr receivable 100.00"]
    );
    let certificates = [(0, "c-1.vds.77".to_owned()), (1, "c-1.tds.78".to_owned())];
    assert_eq!(payment.terms.certificates(), certificates);
    // The certificate alone, when it comes later.
    let late = NewPayment {
        method: "withholding".to_owned(),
        withheld: vec![held("vds", "15", "77")],
        ..receipt("cash", "0", vec![part(1, "15")])
    };
    let (_, entry) = completed(late, &["20"]);
    assert_eq!(lines(&entry.entry), ["dr vds 15.00", "cr receivable 15.00"]);
}

#[test]
fn what_is_left_over_is_an_advance_when_that_is_said() {
    let over = receipt("cash", "120", vec![part(1, "100")]);
    assert_eq!(findings(terms(over.clone(), &[Some(due("100"))])), one("payment-over-due", "/amount"));
    let (payment, entry) = completed(NewPayment { as_advance: true, ..over }, &["100"]);
    assert_eq!(lines(&entry.entry), ["dr cash 120.00", "cr receivable 100.00", "cr advances 20.00"]);
    assert_eq!(payment.advance, decimal("20"));
    let none = NewPayment { as_advance: false, ..advance("10") };
    assert_eq!(findings(terms(none, &[])), one("payment-over-due", "/amount"));
}

#[test]
fn an_amount_that_is_not_named_is_what_there_is() {
    let any = |number| NewAllocation { invoice_id: invoice(number), amount: None };
    let payment = given(receipt("cash", "150", vec![any(1), any(2)]), &["100", "80"]);
    let amounts: Vec<_> = payment.terms.allocations.iter().map(|part| part.amount.to_string()).collect();
    assert_eq!(amounts, ["100.00", "50.00"]);
}

#[test]
fn each_place_is_told_what_is_wrong_with_it() {
    type Change = fn(&mut NewPayment);
    let cases: Vec<(Change, &str, &str)> = vec![
        (|new| new.amount = decimal("0"), "amount-not-positive", "/amount"),
        (|new| new.amount = decimal("-1"), "amount-not-positive", "/amount"),
        (|new| new.amount = decimal("100.005"), "amount-too-precise", "/amount"),
        (|new| new.amount = decimal("1000000000000"), "number-out-of-range", "/amount"),
        (|new| new.charges = decimal("101"), "charges-exceed-amount", "/charges"),
        (|new| new.charges = decimal("-1"), "amount-not-positive", "/charges"),
        (|new| new.currency = "Taka".to_owned(), "currency-unknown", "/currency"),
        (|new| new.date = date(1970, 1, 1), "date-out-of-range", "/date"),
        (|new| new.allocations = vec![part(1, "0")], "amount-not-positive", "/allocations/0/amount"),
        (|new| new.allocations = vec![part(1, "100.01")], "allocation-over-due", "/allocations/0/amount"),
        (|new| new.allocations = vec![part(1, "1.005")], "amount-too-precise", "/allocations/0/amount"),
        (|new| new.allocations.push(part(1, "1")), "allocation-repeated", "/allocations/1/invoice"),
        (|new| new.allocations.push(part(2, "1")), "invoice-unknown", "/allocations/1/invoice"),
        (|new| new.allocations = vec![part(1, "1"); 101], "allocations-too-many", "/allocations"),
        (|new| new.amount = decimal("99"), "allocations-exceed-payment", "/allocations"),
        (|new| new.details.set("memo", "a\u{7}"), "text-invalid", "/details/memo"),
        (|new| new.details.set("reference", "r".repeat(65)), "text-invalid", "/details/reference"),
        (|new| new.details.set("colour", "red"), "text-invalid", "/details/colour"),
        (|new| new.method = "cheque".to_owned(), "cheque-number-missing", "/details/cheque_number"),
        (|new| new.party = Some(party("c-2", "Meghna")), "invoice-party-differs", "/party"),
        (
            |new| new.withheld = vec![NewWithholding { certificate: None, ..held("vds", "1", "") }],
            "certificate-missing",
            "/withheld/0/certificate_number",
        ),
        (
            |new| {
                (new.amount, new.withheld) = (decimal("90"), vec![held("V D S", "10", "1")]);
            },
            "tax-unknown",
            "/withheld/0/tax",
        ),
        (
            |new| {
                let twice = vec![held("vds", "5", "1"), held("vds", "5", " 1 ")];
                (new.amount, new.withheld) = (decimal("90"), twice);
            },
            "certificate-used",
            "/withheld/1/certificate_number",
        ),
        (|new| new.method = "withholding".to_owned(), "withholding-moves-money", "/amount"),
    ];
    for (change, rule, pointer) in cases {
        let mut new = receipt("cash", "100", vec![part(1, "100")]);
        change(&mut new);
        let found = findings(terms(new, &[Some(due("100"))]));
        assert!(found.contains(&(rule.to_owned(), pointer.to_owned())), "{rule}: {found:?}");
    }
}

#[test]
fn a_payment_of_nobody_is_told_what_it_lacks() {
    let unknown = terms(receipt("cash", "1", vec![part(1, "1")]), &[None]);
    assert_eq!(findings(unknown), one("invoice-unknown", "/allocations/0/invoice"));
    assert_eq!(findings(terms(receipt("cash", "1", Vec::new()), &[])), one("party-missing", "/party"));
}

#[test]
fn a_document_is_settled_by_its_own_party_in_its_own_currency_and_time() {
    let new = receipt("cash", "100", vec![part(1, "100")]);
    let other = |change: fn(&mut Due)| {
        let mut due = due("100");
        change(&mut due);
        findings(terms(new.clone(), &[Some(due)]))
    };
    let at = "/allocations/0/invoice";
    assert_eq!(other(|due| due.outstanding = None)[0], one("invoice-not-open", at)[0]);
    assert_eq!(other(|due| due.currency = "USD".to_owned())[0], one("invoice-currency-differs", at)[0]);
    assert_eq!(
        other(|due| due.settled_by = PaymentDirection::Disbursement)[0],
        one("invoice-direction-differs", at)[0]
    );
    assert_eq!(other(|due| due.date = day(6))[0], one("payment-before-invoice", "/date")[0]);
    let nothing_left = "/allocations/0/amount";
    assert_eq!(
        other(|due| due.outstanding = Some(Decimal::ZERO))[0],
        one("allocation-over-due", nothing_left)[0]
    );
    let two = receipt("cash", "2", vec![part(1, "1"), part(2, "1")]);
    let meghna = Due { party: party("c-2", "Meghna"), ..due("1") };
    assert_eq!(
        findings(terms(two, &[Some(due("1")), Some(meghna)])),
        [one("invoice-party-differs", "/allocations/1/invoice"), one("payment-over-due", "/amount")].concat()
            [..1]
    );
}

#[test]
fn a_payment_completes_once_and_fails_only_before() {
    let payment = given(receipt("cash", "100", vec![part(1, "100")]), &["100"]);
    let failed = evolved(Some(payment.clone()), payment.fail("no money".to_owned()).unwrap());
    assert_eq!(failed.status, PaymentStatus::Failed);
    let (completed, _) = completed(receipt("cash", "100", vec![part(1, "100")]), &["100"]);
    for (state, found) in [(&failed, PaymentStatus::Failed), (&completed, PaymentStatus::Completed)] {
        let refused = Rejection::WrongPaymentStatus { found, needed: "pending" };
        assert_eq!(complete(state, &["100"]), Err(refused.clone()));
        assert_eq!(state.fail("again".to_owned()), Err(refused));
    }
    assert_eq!(findings(payment.fail(" ".to_owned())), one("text-invalid", "/reason"));
}

#[test]
fn less_may_be_left_when_it_completes_than_when_it_was_recorded() {
    let payment = given(receipt("cash", "100", vec![part(1, "100")]), &["100"]);
    assert_eq!(findings(complete(&payment, &["99.99"])), one("allocation-over-due", "/allocations/0/amount"));
}

#[test]
fn nothing_completes_or_is_taken_back_for_a_closed_day() {
    let closed = july(PeriodStatus::Closed);
    let payment = given(receipt("cash", "100", vec![part(1, "100")]), &["100"]);
    let refused = with_books(&closed, |books| payment.complete(day(5), &[Some(due("100"))], books));
    assert_eq!(findings(refused), one("period-closed", "/date"));
    let (payment, entry) = completed(receipt("cash", "100", vec![part(1, "100")]), &["100"]);
    let refused = take_back(&payment, TakingBack::Reversed, 6, &[entry], &closed);
    assert_eq!(findings(refused), one("period-closed", "/date"));
}

#[test]
fn a_reversal_mirrors_every_entry_once() {
    let (payment, entry) = completed(
        NewPayment { withheld: vec![held("vds", "10", "1")], ..receipt("cash", "90", vec![part(1, "100")]) },
        &["100"],
    );
    let early = take_back(&payment, TakingBack::Reversed, 4, std::slice::from_ref(&entry), &periods());
    assert_eq!(findings(early), one("date-before-payment", "/date"));
    let undone = take_back(&payment, TakingBack::Reversed, 6, &[entry], &periods()).unwrap();
    let mirror = JournalEntry::evolve(None, undone.reversals[0].mirror.clone()).unwrap();
    assert_eq!(lines(&mirror.entry), ["cr cash 90.00", "cr vds 10.00", "dr receivable 100.00"]);
    assert_eq!(mirror.source.unwrap().id, payment.id.0);
    assert_eq!(undone.reopens, payment.settled);
    assert_eq!(undone.certificates, [(0, "c-1.vds.1".to_owned())]);
    let reversed = evolved(Some(payment), undone.event);
    assert_eq!((reversed.status, reversed.settled.len()), (PaymentStatus::Reversed, 0));
    let again = take_back(&reversed, TakingBack::Reversed, 7, &[], &periods());
    let found = PaymentStatus::Reversed;
    assert_eq!(again, Err(Rejection::WrongPaymentStatus { found, needed: "completed" }));
}

#[test]
fn a_received_cheque_is_deposited_and_cleared_or_bounces() {
    let (received, first) = completed(receipt("cheque", "100", vec![part(1, "100")]), &["100"]);
    let clear = |payment: &Payment| with_books(&periods(), |books| payment.clear(day(7), id(2), books));
    let wrong = |found, needed| Rejection::WrongChequeStatus { found, needed };
    assert_eq!(clear(&received), Err(wrong("received", "deposited")));
    let bounce = |payment: &Payment, entries: &[JournalEntry]| {
        take_back(payment, TakingBack::Bounced, 8, entries, &periods())
    };
    assert_eq!(bounce(&received, &[]), Err(wrong("received", "deposited")));
    assert_eq!(findings(received.deposit(day(4))), one("date-before-payment", "/date"));
    let deposited = evolved(Some(received.clone()), received.deposit(day(6)).unwrap());
    assert_eq!(deposited.deposit(day(6)), Err(wrong("deposited", "received")));

    let step = clear(&deposited).unwrap();
    let second = entry_of(step.entry.unwrap());
    assert_eq!(lines(&second.entry), ["dr bank 100.00", "cr cheques 100.00"]);
    let cleared = evolved(Some(deposited.clone()), step.event);
    assert_eq!(bounce(&cleared, &[]), Err(wrong("cleared", "deposited")));

    let undone = bounce(&deposited, &[first]).unwrap();
    assert_eq!(undone.reopens, deposited.settled);
    let bounced = evolved(Some(deposited), undone.event);
    assert_eq!((bounced.status, bounced.cheque), (PaymentStatus::Bounced, Some(ChequeStatus::Bounced)));
    let (cash, _) = completed(receipt("cash", "100", vec![part(1, "100")]), &["100"]);
    assert_eq!(cash.deposit(day(6)), Err(wrong("not there", "received")));
}

#[test]
fn an_advance_settles_later_documents_or_is_given_back() {
    let (payment, _) = completed(advance("100"), &[]);
    let allocate = |payment: &Payment, parts: Vec<NewAllocation>, left: &[&str]| {
        let due: Vec<_> = left.iter().map(|left| Some(due(left))).collect();
        let command = AllocateAdvance { date: day(6), allocations: parts, entry_id: id(2) };
        with_books(&periods(), |books| payment.allocate(command, &due, books))
    };
    let over = allocate(&payment, vec![part(1, "60"), part(2, "60")], &["60", "60"]);
    assert_eq!(findings(over), one("advance-exceeded", "/allocations"));
    assert_eq!(findings(allocate(&payment, Vec::new(), &[])), one("allocations-missing", "/allocations"));
    let step = allocate(&payment, vec![part(1, "60")], &["80"]).unwrap();
    assert_eq!(lines(&step.entry.as_ref().unwrap().entry), ["dr advances 60.00", "cr receivable 60.00"]);
    let payment = evolved(Some(payment), step.event);
    assert_eq!(payment.advance, decimal("40"));

    let refund = |payment: &Payment, amount: &str, held_in: Option<&str>| {
        let command = RefundAdvance {
            date: day(7),
            amount: decimal(amount),
            held_in: held_in.map(str::to_owned),
            reason: "order cancelled".to_owned(),
            entry_id: id(3),
        };
        with_books(&periods(), |books| payment.refund_advance(command, books))
    };
    assert_eq!(findings(refund(&payment, "40.01", None)), one("advance-exceeded", "/amount"));
    assert_eq!(findings(refund(&payment, "0", None)), one("amount-not-positive", "/amount"));
    assert_eq!(findings(refund(&payment, "0.001", None)), one("amount-too-precise", "/amount"));
    let elsewhere = one("payment-account-invalid", "/account_role");
    assert_eq!(findings(refund(&payment, "1", Some("receivable"))), elsewhere);
    let step = refund(&payment, "40", Some("bank")).unwrap();
    assert_eq!(lines(&step.entry.as_ref().unwrap().entry), ["dr advances 40.00", "cr bank 40.00"]);
    let payment = evolved(Some(payment), step.event);
    // It still settles a document, so it is not refunded as a whole, and what was given back is not taken back.
    assert_eq!((payment.status, payment.advance), (PaymentStatus::Completed, Decimal::ZERO));
    assert!(matches!(
        take_back(&payment, TakingBack::Reversed, 8, &[], &periods()),
        Err(Rejection::WrongPaymentStatus { .. })
    ));
    let (whole, _) = completed(advance("40"), &[]);
    let whole = evolved(Some(whole.clone()), refund(&whole, "40", None).unwrap().event);
    assert_eq!(whole.status, PaymentStatus::Refunded);
}

#[test]
fn a_cheque_is_money_once_the_bank_paid_it() {
    let cheque = NewPayment { details: Attributes::new().with("cheque_number", "1"), ..advance("10") };
    let (payment, entry) = completed(NewPayment { method: "cheque".to_owned(), ..cheque }, &[]);
    let refused = take_back(&payment, TakingBack::Refunded, 6, &[entry], &periods());
    assert_eq!(refused, Err(Rejection::WrongChequeStatus { found: "received", needed: "cleared" }));
}

#[test]
fn a_certificate_settles_one_payment_and_another_once_that_was_taken_back() {
    let (one_payment, other) = (PaymentId(Uuid::from_u128(1)), PaymentId(Uuid::from_u128(2)));
    let at = "/withheld/0/certificate_number";
    let used = Certificate::evolve(None, Certificate::settle(None, one_payment, at).unwrap()).unwrap();
    assert_eq!(findings(Certificate::settle(Some(&used), other, at)), one("certificate-used", at));
    assert_eq!(Certificate::release(Some(&used), other), None);
    let released = Certificate::release(Some(&used), one_payment).unwrap();
    let free = Certificate::evolve(Some(used), released).unwrap();
    assert!(Certificate::settle(Some(&free), other, at).is_ok());
}

#[test]
fn what_is_personal_is_the_party_and_how_it_paid() {
    let new = NewPayment { details: Attributes::new().with("memo", "thanks"), ..advance("10") };
    let payment = given(new, &[]);
    let pointers: Vec<_> =
        payment.personal().into_iter().map(|place| (place.pointer, place.subject)).collect();
    let subject = Some("c-1".to_owned());
    assert_eq!(
        pointers,
        [("/terms/party".to_owned(), subject.clone()), ("/terms/details".to_owned(), subject)]
    );
    let erased = Due { party: party("", ERASED), ..due("10") };
    let terms = terms(receipt("cash", "10", vec![part(1, "10")]), &[Some(erased)]).unwrap();
    assert!(terms.is_erased() && terms.personal_at("").is_empty());
}

#[test]
fn roles_of_money_are_told_from_others() {
    let role = |text: &str| text.parse::<AccountRole>().unwrap();
    assert!(PaymentMethod::BankTransfer.may_lie_in(&role("bank:city")));
    assert!(!PaymentMethod::BankTransfer.may_lie_in(&role("bank-charges")));
    assert!(!PaymentMethod::Withholding.may_lie_in(&role("cash")));
}
