//! What a payment says: how much, how, of whom, for what; and that it can be said of the documents as they stand.

use std::collections::BTreeSet;

use niyam_values::{Attributes, Date, Decimal, Direction, Finding, Party, with_places};
use serde::{Deserialize, Serialize};

use crate::accounts::{AccountRole, Chart};
use crate::document::check_party;
use crate::ids::InvoiceId;
use crate::invoice::Invoice;
use crate::journal::AMOUNT_LIMIT;
use crate::money::Currency;
use crate::payment::method::{PaymentDirection, PaymentMethod};
use crate::personal::{ERASED, Place, PlaceKind};
use crate::rejection::Rejection;

/// Most documents that one payment settles at once.
pub const ALLOCATIONS_MAX: usize = 100;
/// Most certificates of one payment.
const CERTIFICATES_MAX: usize = 20;
/// Most characters of a certificate's number, or a tax's code.
const CODE_LENGTH_MAX: usize = 64;
/// What is told of how the money moved, with the most characters of each.
const DETAILS: [(&str, usize); 8] = [
    ("reference", 64),
    ("payer", 200),
    ("memo", 500),
    ("routing_number", 64),
    ("account_number", 64),
    ("wallet_number", 64),
    ("cheque_number", 64),
    ("cheque_date", 10),
];

/// Where a document is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OpenSide {
    /// Among what customers owe.
    Receivable,
    /// Among what is owed to suppliers.
    Payable,
}

impl OpenSide {
    /// The role of its account.
    #[must_use]
    pub const fn role(self) -> &'static str {
        match self {
            Self::Receivable => "receivable",
            Self::Payable => "payable",
        }
    }
}

/// So much of a payment settles a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allocation {
    /// The document.
    pub invoice_id: InvoiceId,
    /// Where it is open.
    pub side: OpenSide,
    /// How much of it.
    pub amount: Decimal,
}

/// A certificate of withheld tax.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxCertificate {
    /// Its number.
    pub number: String,
    /// The day that it bears.
    pub date: Date,
    /// What its stream is called by, hex.
    pub digest: String,
}

/// Tax that the payer kept back for the treasury.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withholding {
    /// Which tax.
    pub tax: String,
    /// How much.
    pub amount: Decimal,
    /// What proves it; what the tenant kept back itself may be certified later.
    pub certificate: Option<TaxCertificate>,
}

/// What a payment says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PaymentTerms {
    /// Which way the money goes.
    pub direction: PaymentDirection,
    /// How.
    pub method: PaymentMethod,
    /// The role of the account that it goes through; for a received cheque, once the bank pays it. None where no money
    /// moves.
    pub held_in: Option<AccountRole>,
    /// The day for which it is to count.
    pub date: Date,
    /// Of what.
    pub currency: Currency,
    /// What the payer gave.
    pub amount: Decimal,
    /// What of it the bank or the wallet kept, or took besides what was paid out.
    pub charges: Decimal,
    /// The customer, or the supplier.
    pub party: Party,
    /// Numbers and texts of how the money moved, by name.
    pub details: Attributes,
    /// What it settles.
    pub allocations: Vec<Allocation>,
    /// Taxes that were kept back, and are settled with it.
    pub withheld: Vec<Withholding>,
    /// What it pays before there is a document.
    pub advance: Decimal,
}

/// What is asked to be settled of a document; as much as there is when no amount is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAllocation {
    /// The document.
    pub invoice_id: InvoiceId,
    /// How much.
    pub amount: Option<Decimal>,
}

/// Withheld tax as somebody wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewWithholding {
    /// Which tax.
    pub tax: String,
    /// How much.
    pub amount: Decimal,
    /// Number and day of the certificate.
    pub certificate: Option<(String, Date)>,
}

/// A payment as somebody wrote it.
#[derive(Debug, Clone)]
pub struct NewPayment {
    /// Which way the money goes.
    pub direction: PaymentDirection,
    /// How.
    pub method: String,
    /// The role of the account that it goes through, when the chart tells several of the kind apart.
    pub held_in: Option<String>,
    /// The day for which it is to count.
    pub date: Date,
    /// ISO 4217.
    pub currency: String,
    /// What the payer gave.
    pub amount: Decimal,
    /// What the bank or the wallet kept.
    pub charges: Decimal,
    /// Whom it is of; that of the documents when absent.
    pub party: Option<Party>,
    /// How the money moved.
    pub details: Attributes,
    /// What it settles.
    pub allocations: Vec<NewAllocation>,
    /// What was kept back.
    pub withheld: Vec<NewWithholding>,
    /// Whether what is left may be kept as an advance.
    pub as_advance: bool,
}

/// A document that is to be settled, as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Due {
    /// Which way money goes that settles it.
    pub settled_by: PaymentDirection,
    /// Where it is open.
    pub side: OpenSide,
    /// The other party.
    pub party: Party,
    /// ISO 4217.
    pub currency: String,
    /// Its day.
    pub date: Date,
    /// What is left of it; none when nobody owes anything, as for a draft.
    pub outstanding: Option<Decimal>,
}

impl Due {
    /// What is left of `invoice`; of a credit note what is left to be paid back, which goes the other way.
    #[must_use]
    pub fn of(invoice: &Invoice) -> Self {
        let document = &invoice.document;
        let (settled_by, side, party) = match document.direction {
            Direction::Sale => (PaymentDirection::Receipt, OpenSide::Receivable, &document.customer),
            Direction::Purchase => (PaymentDirection::Disbursement, OpenSide::Payable, &document.supplier),
        };
        Self {
            settled_by: if invoice.note.is_some() { settled_by.other() } else { settled_by },
            side,
            party: party.clone(),
            currency: document.currency.clone(),
            date: document.tax_date,
            outstanding: invoice.require_issued().ok().map(|_| invoice.outstanding),
        }
    }
}

/// Whether `amount` may stand in a payment.
fn check_amount(findings: &mut Vec<Finding>, amount: Decimal, currency: Option<Currency>, at: &str) {
    let mut refuse = |rule: &str, message: &str| findings.push(Finding::error(rule, message).at(at));
    if amount <= Decimal::ZERO {
        refuse("amount-not-positive", "an amount is above zero");
    }
    if amount >= AMOUNT_LIMIT {
        refuse("number-out-of-range", "at most 12 digits before the decimal point");
    }
    if let Some(currency) = currency
        && amount.normalize().scale() > currency.minor_units().into()
    {
        refuse("amount-too-precise", &format!("{currency} has {} decimal places", currency.minor_units()));
    }
}

/// What keeps `date` from being a day of the books.
pub(super) fn check_year(findings: &mut Vec<Finding>, date: Date, at: &str) {
    if !(1971..=2199).contains(&date.year()) {
        findings.push(Finding::error("date-out-of-range", "a date lies between 1971 and 2199").at(at));
    }
}

/// What keeps `text` from being a reason.
pub(super) fn check_reason(findings: &mut Vec<Finding>, text: &str) {
    if text.trim().is_empty() || text.chars().count() > 500 || text.chars().any(char::is_control) {
        let message = "a reason has 1 to 500 printable characters";
        findings.push(Finding::error("text-invalid", message).at("/reason"));
    }
}

/// Whether both are the same: by the tenant's own id, or, where it keeps none, by name.
fn is_same(left: &Party, right: &Party) -> bool {
    if left.id.is_empty() && right.id.is_empty() { left.name == right.name } else { left.id == right.id }
}

/// What settles what, for the checks that creation and later allocations share.
pub(super) struct Settling<'a> {
    pub(super) direction: PaymentDirection,
    pub(super) currency: Currency,
    pub(super) party: &'a Party,
    pub(super) date: Date,
}

impl Settling<'_> {
    /// The allocations that `asked` are, out of what there is; what keeps one from settling its document stands at its
    /// pointer. `due` has a document for each, or none where there is no such document.
    pub(super) fn allocate(
        &self,
        asked: &[NewAllocation],
        due: &[Option<Due>],
        mut left: Decimal,
        findings: &mut Vec<Finding>,
    ) -> Vec<Allocation> {
        if asked.len() > ALLOCATIONS_MAX {
            let message = format!("a payment settles at most {ALLOCATIONS_MAX} documents");
            findings.push(Finding::error("allocations-too-many", message).at("/allocations"));
            return Vec::new();
        }
        let mut seen = BTreeSet::new();
        let mut allocations = Vec::with_capacity(asked.len());
        for (index, NewAllocation { invoice_id, amount }) in asked.iter().enumerate() {
            let at = format!("/allocations/{index}");
            let mut refuse = |rule: &str, field: &str, message: &str| {
                findings.push(Finding::error(rule, message).at(format!("{at}{field}")));
            };
            if !seen.insert(*invoice_id) {
                refuse("allocation-repeated", "/invoice", "a payment names a document once");
                continue;
            }
            let Some(due) = due.get(index).and_then(Option::as_ref) else {
                refuse("invoice-unknown", "/invoice", "there is no such invoice");
                continue;
            };
            let Some(outstanding) = due.outstanding else {
                refuse("invoice-not-open", "/invoice", "only an issued invoice is paid");
                continue;
            };
            let before = findings.len();
            self.check(due, &at, findings);
            if findings.len() > before {
                continue;
            }
            let amount = amount.unwrap_or_else(|| outstanding.min(left));
            let pointer = format!("{at}/amount");
            if outstanding <= Decimal::ZERO {
                let message = "nothing is left of the invoice";
                findings.push(Finding::error("allocation-over-due", message).at(pointer));
                continue;
            }
            check_amount(findings, amount, Some(self.currency), &pointer);
            if amount > outstanding {
                let message = format!("{outstanding} {} is left of the invoice", self.currency);
                findings.push(Finding::error("allocation-over-due", message).at(pointer));
            }
            left = left.saturating_sub(amount);
            let amount = with_places(amount, self.currency.minor_units().into());
            allocations.push(Allocation { invoice_id: *invoice_id, side: due.side, amount });
        }
        allocations
    }

    fn check(&self, due: &Due, at: &str, findings: &mut Vec<Finding>) {
        let mut refuse = |rule: &str, message: String| {
            findings.push(Finding::error(rule, message).at(format!("{at}/invoice")));
        };
        if due.settled_by != self.direction {
            let message = "a receipt settles sales, a disbursement purchases and credit notes of sales";
            refuse("invoice-direction-differs", message.to_owned());
        }
        if due.currency != self.currency.code() {
            refuse("invoice-currency-differs", format!("the invoice is in {}", due.currency));
        }
        if !is_same(&due.party, self.party) {
            refuse("invoice-party-differs", "the invoice is another party's".to_owned());
        }
        if self.date < due.date {
            let message = format!("the invoice is of {}: keep it as an advance until then", due.date);
            findings.push(Finding::error("payment-before-invoice", message).at("/date"));
        }
    }
}

impl PaymentTerms {
    /// What `new` says, given the documents that it names. `digest` names a certificate's stream: by whose it is, of which
    /// tax, and its number.
    ///
    /// # Errors
    /// What is wrong with it, all of it.
    pub fn new(
        new: NewPayment,
        due: &[Option<Due>],
        chart: &Chart,
        digest: impl Fn(&str, &str, &str) -> String,
    ) -> Result<Self, Rejection> {
        let mut findings = Vec::new();
        let found = &mut findings;
        check_year(found, new.date, "/date");
        let currency = new.currency.parse::<Currency>().ok();
        if currency.is_none() {
            let message = "a currency is a code of ISO 4217, for example BDT";
            found.push(Finding::error("currency-unknown", message).at("/currency"));
        }
        let method = method(&new, chart, found);
        check_money(&new, currency, found);
        check_details(&new, found);
        let of_documents = due.iter().flatten().next().map(|due| due.party.clone());
        let party = match (of_documents, new.party) {
            (Some(party), given) => {
                if given.is_some_and(|given| !is_same(&given, &party)) {
                    let message = "the documents are another party's";
                    found.push(Finding::error("invoice-party-differs", message).at("/party"));
                }
                Some(party)
            }
            (None, Some(party)) => {
                found.extend(check_party("/party", &party));
                Some(party)
            }
            (None, None) if !new.allocations.is_empty() => {
                let unknown = |index| {
                    let finding = Finding::error("invoice-unknown", "there is no such invoice");
                    finding.at(format!("/allocations/{index}/invoice"))
                };
                found.extend((0..due.len()).map(unknown));
                None
            }
            (None, None) => {
                let message = "a payment without documents names its party";
                found.push(Finding::error("party-missing", message).at("/party"));
                None
            }
        };
        let withheld_sum =
            new.withheld.iter().fold(Decimal::ZERO, |sum, held| sum.saturating_add(held.amount));
        let total = new.amount.saturating_add(withheld_sum);
        let (Some(currency), Some(party)) = (currency, party) else {
            return Err(Rejection::Findings(findings));
        };
        let settling = Settling { direction: new.direction, currency, party: &party, date: new.date };
        let allocations = settling.allocate(&new.allocations, due, total, found);
        let settled = allocations.iter().fold(Decimal::ZERO, |sum, part| sum.saturating_add(part.amount));
        let advance = total.saturating_sub(settled);
        if found.is_empty() {
            check_sums(found, &new.allocations, (withheld_sum, settled, advance), new.as_advance);
        }
        let whose = if party.id.is_empty() { &party.name } else { &party.id };
        let places = currency.minor_units().into();
        let withheld =
            withheld(new.direction, new.withheld, places, |tax, number| digest(whose, tax, number), found);
        let Some((method, held_in)) = method.filter(|_| findings.is_empty()) else {
            return Err(Rejection::Findings(findings));
        };
        Ok(Self {
            direction: new.direction,
            method,
            held_in,
            date: new.date,
            currency,
            amount: with_places(new.amount, places),
            charges: with_places(new.charges, places),
            party,
            details: new.details,
            allocations,
            withheld,
            advance: with_places(advance, places),
        })
    }

    /// Where it is about a data subject, lying at `at`.
    #[must_use]
    pub fn personal_at(&self, at: &str) -> Vec<Place> {
        // A party without an id is known by its document alone, as it is there.
        let subject = if self.party.id.is_empty() {
            self.allocations.first().map(|part| part.invoice_id.stream().to_string())
        } else {
            Some(self.party.id.clone())
        };
        let place =
            |name: &str, kind| Place { pointer: format!("{at}/{name}"), kind, subject: subject.clone() };
        let mut places = Vec::new();
        if self.party.name != ERASED {
            places.push(place("party", PlaceKind::Party));
        }
        if !self.details.is_empty() {
            places.push(place("details", PlaceKind::Attributes));
        }
        places
    }

    /// Whether the data of its party were erased.
    #[must_use]
    pub fn is_erased(&self) -> bool {
        self.party.name == ERASED
    }
}

/// The method, and the role of the account that money goes through by it.
fn method(
    new: &NewPayment,
    chart: &Chart,
    findings: &mut Vec<Finding>,
) -> Option<(PaymentMethod, Option<AccountRole>)> {
    let mut refuse = |rule: &str, at: &str, message: String| {
        findings.push(Finding::error(rule, message).at(at));
    };
    let method: PaymentMethod = match new.method.parse() {
        Ok(method) => method,
        Err(message) => {
            refuse("payment-method-unknown", "/method", message.to_owned());
            return None;
        }
    };
    let Some(own) = method.role() else {
        if new.held_in.is_some() {
            refuse("payment-account-invalid", "/account_role", "no money moves by this method".to_owned());
        }
        return Some((method, None));
    };
    let (role, at) = match &new.held_in {
        Some(role) => (role.clone(), "/account_role"),
        None => (own.clone(), "/method"),
    };
    let Some(role) = role.parse::<AccountRole>().ok().filter(|role| method.may_lie_in(role)) else {
        refuse("payment-account-invalid", at, format!("{method} goes through an account of the role {own}"));
        return None;
    };
    if chart.account_of(role.as_str()).is_err() {
        let code = if at == "/method" { "payment-method-unknown" } else { "payment-account-invalid" };
        refuse(code, at, format!("the chart of accounts has no account of the role {role}"));
        return None;
    }
    Some((method, Some(role)))
}

fn check_money(new: &NewPayment, currency: Option<Currency>, findings: &mut Vec<Finding>) {
    if new.method == "withholding" {
        if !new.amount.is_zero() || new.withheld.is_empty() {
            let message = "a payment by withholding has an amount of 0, and the tax that was withheld";
            findings.push(Finding::error("withholding-moves-money", message).at("/amount"));
        }
    } else {
        check_amount(findings, new.amount, currency, "/amount");
    }
    if !new.charges.is_zero() {
        check_amount(findings, new.charges, currency, "/charges");
    }
    if new.charges > new.amount {
        let message = "charges are at most what was paid";
        findings.push(Finding::error("charges-exceed-amount", message).at("/charges"));
    }
    for (index, held) in new.withheld.iter().enumerate() {
        check_amount(findings, held.amount, currency, &format!("/withheld/{index}/amount"));
    }
}

fn check_details(new: &NewPayment, findings: &mut Vec<Finding>) {
    for (name, text) in new.details.iter() {
        let known = DETAILS.iter().find(|(known, _)| *known == name);
        let long = known.is_none_or(|(_, most)| text.chars().count() > *most);
        if long || text.trim().is_empty() || text.chars().any(char::is_control) {
            let most = known.map_or(0, |(_, most)| *most);
            let message = format!("1 to {most} printable characters");
            findings.push(Finding::error("text-invalid", message).at(format!("/details/{name}")));
        }
    }
    if new.method == "cheque" && new.details.get("cheque_number").is_none() {
        let message = "a cheque has a number";
        findings.push(Finding::error("cheque-number-missing", message).at("/details/cheque_number"));
    }
}

/// Whether what is withheld, settled and left as an advance goes together.
fn check_sums(
    findings: &mut Vec<Finding>,
    asked: &[NewAllocation],
    (withheld, settled, advance): (Decimal, Decimal, Decimal),
    as_advance: bool,
) {
    let mut refuse = |rule: &str, at: &str, message: String| {
        findings.push(Finding::error(rule, message).at(at));
    };
    if advance < Decimal::ZERO {
        let message = format!("{} more is allocated than was paid", -advance);
        refuse("allocations-exceed-payment", "/allocations", message);
    } else if withheld > settled {
        let message = "withheld tax settles documents; none of it is an advance".to_owned();
        refuse("withheld-over-allocated", "/withheld", message);
    } else if advance > Decimal::ZERO && !as_advance {
        let rest = if asked.is_empty() { "nothing is due" } else { "more than is due" };
        let message = format!("{rest}: {advance} is left over; as_advance keeps it as an advance");
        refuse("payment-over-due", "/amount", message);
    }
}

fn withheld(
    direction: PaymentDirection,
    new: Vec<NewWithholding>,
    places: u32,
    digest: impl Fn(&str, &str) -> String,
    findings: &mut Vec<Finding>,
) -> Vec<Withholding> {
    if new.len() > CERTIFICATES_MAX {
        let message = format!("a payment has at most {CERTIFICATES_MAX} certificates");
        findings.push(Finding::error("certificates-too-many", message).at("/withheld"));
        return Vec::new();
    }
    let mut seen = BTreeSet::new();
    let mut withheld = Vec::with_capacity(new.len());
    for (index, NewWithholding { tax, amount, certificate }) in new.into_iter().enumerate() {
        let mut refuse = |rule: &str, field: &str, message: &str| {
            findings.push(Finding::error(rule, message).at(format!("/withheld/{index}/{field}")));
        };
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if tax.is_empty() || tax.len() > CODE_LENGTH_MAX || !tax.bytes().all(plain) {
            refuse("tax-unknown", "tax", "a tax's code has lower-case letters, digits and hyphens");
        }
        let mut kept = None;
        if let Some((number, date)) = certificate {
            let number = number.trim().to_owned();
            if number.is_empty()
                || number.chars().count() > CODE_LENGTH_MAX
                || number.chars().any(char::is_control)
            {
                refuse("text-invalid", "certificate_number", "1 to 64 printable characters");
            }
            if !(1971..=2199).contains(&date.year()) {
                refuse("date-out-of-range", "certificate_date", "a date lies between 1971 and 2199");
            }
            let digest = digest(&tax, &number);
            if !seen.insert(digest.clone()) {
                refuse("certificate-used", "certificate_number", "the certificate is there twice");
            }
            kept = Some(TaxCertificate { number, date, digest });
        } else if direction == PaymentDirection::Receipt {
            let message = "what a customer withheld is settled by its certificate";
            refuse("certificate-missing", "certificate_number", message);
        }
        withheld.push(Withholding { tax, amount: with_places(amount, places), certificate: kept });
    }
    withheld
}
