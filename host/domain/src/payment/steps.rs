//! What may be asked of a payment that is recorded: each answers what happens to it, to its entries and to documents.

use niyam_values::{Date, Decimal, Finding};

use crate::accounts::AccountRole;
use crate::ids::{EntryId, PaymentId};
use crate::journal::{
    Books, Entry, EntryEvent, EntryPosted, EntrySource, JournalEntry, Reversal, ReverseEntry, SourceKind,
};
use crate::payment::event::{
    AdvanceAllocated, AdvanceRefunded, ChequeBounced, ChequeCleared, ChequeDeposited, PaymentCompleted,
    PaymentCreated, PaymentEvent, PaymentFailed, PaymentRefunded, PaymentReversed,
};
use crate::payment::method::{PaymentDirection, PaymentMethod};
use crate::payment::posting::About;
use crate::payment::state::{ChequeStatus, Payment, PaymentStatus};
use crate::payment::terms::{
    Allocation, Due, NewAllocation, PaymentTerms, Settling, Withholding, check_reason, check_year,
};
use crate::rejection::Rejection;

/// Let some of an advance settle documents.
#[derive(Debug, Clone)]
pub struct AllocateAdvance {
    /// The day for which that counts.
    pub date: Date,
    /// What of which.
    pub allocations: Vec<NewAllocation>,
    /// Id of its entry.
    pub entry_id: EntryId,
}

/// Give some of an advance back.
#[derive(Debug, Clone)]
pub struct RefundAdvance {
    /// The day for which that counts.
    pub date: Date,
    /// How much.
    pub amount: Decimal,
    /// The role of the account that it goes through, when it is not the payment's.
    pub held_in: Option<String>,
    /// Why.
    pub reason: String,
    /// Id of its entry.
    pub entry_id: EntryId,
}

/// Why a payment is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakingBack {
    /// It should not have been.
    Reversed,
    /// The money was given back.
    Refunded,
    /// The bank did not pay the cheque.
    Bounced,
}

/// Take all back that a payment did.
#[derive(Debug, Clone)]
pub struct TakeBack {
    /// Which way.
    pub how: TakingBack,
    /// The day for which that counts.
    pub date: Date,
    /// Why.
    pub reason: String,
    /// Ids of the entries that take its own back, one for each.
    pub mirrors: Vec<EntryId>,
}

/// What happens to a payment, and beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// To the payment.
    pub event: PaymentEvent,
    /// In the stream of its entry, which is new.
    pub entry: Option<EntryPosted>,
    /// What is settled of which document.
    pub settles: Vec<Allocation>,
    /// The certificates that settle it: the place of each among what was withheld, and its digest.
    pub certificates: Vec<(usize, String)>,
}

/// What taking a payment back makes happen.
#[derive(Debug, Clone, PartialEq)]
pub struct Undone {
    /// To the payment.
    pub event: PaymentEvent,
    /// To each of its entries, in their order.
    pub reversals: Vec<Reversal>,
    /// What is open again of which document.
    pub reopens: Vec<Allocation>,
    /// The certificates that may settle another one.
    pub certificates: Vec<(usize, String)>,
}

impl Payment {
    /// A payment is recorded.
    #[must_use]
    pub const fn create(payment_id: PaymentId, terms: PaymentTerms) -> PaymentEvent {
        PaymentEvent::Created(PaymentCreated { payment_id, terms })
    }

    /// The money moved. `due` has the documents of its allocations, in their order.
    ///
    /// # Errors
    /// When it is not pending, less is left of a document than it settles, or the day or an account takes no posting.
    pub fn complete(&self, date: Date, due: &[Option<Due>], books: &Books<'_>) -> Result<Step, Rejection> {
        self.require(PaymentStatus::Pending, "pending")?;
        let mut findings = Vec::new();
        check_year(&mut findings, date, "/date");
        let asked: Vec<NewAllocation> = self.terms.allocations.iter().map(NewAllocation::from).collect();
        let total = self.terms.amount.saturating_add(self.terms.withheld_sum());
        self.settling(date).allocate(&asked, due, total, &mut findings);
        sound(findings)?;
        let entry = self.about(date, books).completion()?;
        // The entry bears the payment's id: there is at most one.
        let entry_id = EntryId(self.id.0);
        let entry = self.posted(entry_id, entry, books)?;
        Ok(Step {
            event: PaymentEvent::Completed(PaymentCompleted { date, entry_id }),
            entry: Some(entry),
            settles: self.terms.allocations.clone(),
            certificates: self.terms.certificates(),
        })
    }

    /// The money did not move.
    ///
    /// # Errors
    /// When it is not pending, or the reason is none.
    pub fn fail(&self, reason: String) -> Result<PaymentEvent, Rejection> {
        self.require(PaymentStatus::Pending, "pending")?;
        let mut findings = Vec::new();
        check_reason(&mut findings, &reason);
        sound(findings)?;
        Ok(PaymentEvent::Failed(PaymentFailed { reason }))
    }

    /// A received cheque goes to the bank.
    ///
    /// # Errors
    /// When there is no cheque in hand, or the day comes before it.
    pub fn deposit(&self, date: Date) -> Result<PaymentEvent, Rejection> {
        self.require(PaymentStatus::Completed, "completed")?;
        self.require_cheque(ChequeStatus::Received, "received")?;
        self.follows(date)?;
        Ok(PaymentEvent::Deposited(ChequeDeposited { date }))
    }

    /// The bank paid the cheque: one that was deposited, or one that the tenant issued.
    ///
    /// # Errors
    /// When the bank does not have it, or the day or an account takes no posting.
    pub fn clear(&self, date: Date, entry_id: EntryId, books: &Books<'_>) -> Result<Step, Rejection> {
        self.require(PaymentStatus::Completed, "completed")?;
        let receipt = self.terms.direction == PaymentDirection::Receipt;
        if receipt {
            self.require_cheque(ChequeStatus::Deposited, "deposited")?;
        } else {
            self.require_cheque(ChequeStatus::Issued, "issued")?;
        }
        self.follows(date)?;
        let entry = if receipt && self.terms.amount > self.terms.charges {
            Some(self.posted(entry_id, self.about(date, books).clearing()?, books)?)
        } else {
            None
        };
        let entry_id = entry.as_ref().map(|entry| entry.entry_id);
        let event = PaymentEvent::Cleared(ChequeCleared { date, entry_id });
        Ok(Step { event, entry, settles: Vec::new(), certificates: Vec::new() })
    }

    /// Some of its advance settles documents. `due` has those, in the order in which they are named.
    ///
    /// # Errors
    /// When less is left of the advance, or of a document; or the day or an account takes no posting.
    pub fn allocate(
        &self,
        command: AllocateAdvance,
        due: &[Option<Due>],
        books: &Books<'_>,
    ) -> Result<Step, Rejection> {
        let AllocateAdvance { date, allocations, entry_id } = command;
        self.require(PaymentStatus::Completed, "completed")?;
        let mut findings = Vec::new();
        self.check_follows(&mut findings, date);
        if allocations.is_empty() {
            let message = "name at least one document";
            findings.push(Finding::error("allocations-missing", message).at("/allocations"));
        }
        let allocations = self.settling(date).allocate(&allocations, due, self.advance, &mut findings);
        let amount = allocations.iter().fold(Decimal::ZERO, |sum, part| sum.saturating_add(part.amount));
        if amount > self.advance {
            findings.push(self.exceeded("/allocations"));
        }
        sound(findings)?;
        let entry = self.about(date, books).allocation(&allocations)?;
        let entry = self.posted(entry_id, entry, books)?;
        let event = PaymentEvent::Allocated(AdvanceAllocated {
            date,
            allocations: allocations.clone(),
            entry_id: entry.entry_id,
        });
        Ok(Step { event, entry: Some(entry), settles: allocations, certificates: Vec::new() })
    }

    /// Some of its advance is given back.
    ///
    /// # Errors
    /// When less is left of it, its cheque is not paid, or the day or an account takes no posting.
    pub fn refund_advance(&self, command: RefundAdvance, books: &Books<'_>) -> Result<Step, Rejection> {
        let RefundAdvance { date, amount, held_in, reason, entry_id } = command;
        self.require(PaymentStatus::Completed, "completed")?;
        self.require_paid()?;
        let mut findings = Vec::new();
        self.check_follows(&mut findings, date);
        check_reason(&mut findings, &reason);
        if amount <= Decimal::ZERO {
            findings.push(Finding::error("amount-not-positive", "an amount is above zero").at("/amount"));
        }
        let currency = self.terms.currency;
        if amount.normalize().scale() > currency.minor_units().into() {
            let message = format!("{currency} has {} decimal places", currency.minor_units());
            findings.push(Finding::error("amount-too-precise", message).at("/amount"));
        }
        if amount > self.advance {
            findings.push(self.exceeded("/amount"));
        }
        let held_in: Option<AccountRole> = match held_in {
            Some(role) => role.parse().ok().filter(is_money),
            None => self.terms.held_in.clone(),
        };
        let Some(held_in) = held_in.filter(|role| books.chart.account_of(role.as_str()).is_ok()) else {
            let message = "money goes through an account of the role cash, bank or wallet";
            findings.push(Finding::error("payment-account-invalid", message).at("/account_role"));
            return Err(Rejection::Findings(findings));
        };
        sound(findings)?;
        let amount = niyam_values::with_places(amount, currency.minor_units().into());
        let entry = self.about(date, books).refund(amount, held_in.as_str())?;
        let entry = self.posted(entry_id, entry, books)?;
        let entry_id = entry.entry_id;
        let whole = amount == self.advance && self.settled.is_empty();
        let event =
            PaymentEvent::AdvanceRefunded(AdvanceRefunded { date, amount, held_in, reason, entry_id, whole });
        Ok(Step { event, entry: Some(entry), settles: Vec::new(), certificates: Vec::new() })
    }

    /// Takes back all that it did. `entries` are its own, as they stand, in their order.
    ///
    /// # Errors
    /// When it is not completed, some of it was given back, its cheque does not allow it, or the day is not open.
    pub fn take_back(
        &self,
        command: TakeBack,
        entries: &[JournalEntry],
        books: &Books<'_>,
    ) -> Result<Undone, Rejection> {
        let TakeBack { how, date, reason, mirrors } = command;
        self.require(PaymentStatus::Completed, "completed")?;
        if !self.given_back.is_zero() {
            let needed = "completed with nothing given back";
            return Err(Rejection::WrongPaymentStatus { found: self.status, needed });
        }
        match (how, self.terms.direction) {
            (TakingBack::Reversed, _) => {}
            (TakingBack::Refunded, _) => self.require_paid()?,
            (TakingBack::Bounced, PaymentDirection::Receipt) => {
                self.require_cheque(ChequeStatus::Deposited, "deposited")?;
            }
            (TakingBack::Bounced, PaymentDirection::Disbursement) => {
                self.require_cheque(ChequeStatus::Issued, "issued")?;
            }
        }
        let mut findings = Vec::new();
        self.check_follows(&mut findings, date);
        sound(findings)?;
        let mirror = |(entry, mirror_id): (&JournalEntry, &EntryId)| {
            let command = ReverseEntry { mirror_id: *mirror_id, date, reason: reason.clone() };
            entry.reverse_with_document(command, books.periods, books.authority)
        };
        let reversals = entries.iter().zip(&mirrors).map(mirror).collect::<Result<Vec<_>, _>>()?;
        let event = match how {
            TakingBack::Reversed => PaymentEvent::Reversed(PaymentReversed { date, reason, mirrors }),
            TakingBack::Refunded => PaymentEvent::Refunded(PaymentRefunded { date, reason, mirrors }),
            TakingBack::Bounced => PaymentEvent::Bounced(ChequeBounced { date, reason, mirrors }),
        };
        Ok(Undone {
            event,
            reversals,
            reopens: self.settled.clone(),
            certificates: self.terms.certificates(),
        })
    }

    fn settling(&self, date: Date) -> Settling<'_> {
        let PaymentTerms { direction, currency, party, .. } = &self.terms;
        Settling { direction: *direction, currency: *currency, party, date }
    }

    fn about<'a>(&'a self, date: Date, books: &Books<'a>) -> About<'a> {
        About { terms: &self.terms, chart: books.chart, date, reference: self.id.to_string() }
    }

    fn posted(&self, entry_id: EntryId, entry: Entry, books: &Books<'_>) -> Result<EntryPosted, Rejection> {
        books.admit(&entry, "/date")?;
        let source = Some(EntrySource { kind: SourceKind::Payment, id: self.id.0 });
        Ok(EntryPosted { entry_id, entry, source, reverses: None })
    }

    fn require(&self, wanted: PaymentStatus, needed: &'static str) -> Result<(), Rejection> {
        if self.status == wanted {
            Ok(())
        } else {
            Err(Rejection::WrongPaymentStatus { found: self.status, needed })
        }
    }

    fn require_cheque(&self, wanted: ChequeStatus, needed: &'static str) -> Result<(), Rejection> {
        match self.cheque {
            Some(found) if found == wanted => Ok(()),
            Some(found) => Err(Rejection::WrongChequeStatus { found: found.as_str(), needed }),
            None => Err(Rejection::WrongChequeStatus { found: "not there", needed }),
        }
    }

    /// What was paid by cheque is there once the bank paid it.
    fn require_paid(&self) -> Result<(), Rejection> {
        match self.terms.method {
            PaymentMethod::Cheque => self.require_cheque(ChequeStatus::Cleared, "cleared"),
            _ => Ok(()),
        }
    }

    fn check_follows(&self, findings: &mut Vec<Finding>, date: Date) {
        check_year(findings, date, "/date");
        if let Some(last) = self.last_day.filter(|last| date < *last) {
            let message = format!("the payment counts for {last}; nothing of it comes before");
            findings.push(Finding::error("date-before-payment", message).at("/date"));
        }
    }

    fn follows(&self, date: Date) -> Result<(), Rejection> {
        let mut findings = Vec::new();
        self.check_follows(&mut findings, date);
        sound(findings)
    }

    fn exceeded(&self, at: &str) -> Finding {
        let message = format!("{} {} is left of the advance", self.advance, self.terms.currency);
        Finding::error("advance-exceeded", message).at(at)
    }
}

fn is_money(role: &AccountRole) -> bool {
    ["cash", "bank", "wallet"].contains(&role.as_str().split(':').next().unwrap_or_default())
}

fn sound(findings: Vec<Finding>) -> Result<(), Rejection> {
    if findings.is_empty() { Ok(()) } else { Err(Rejection::Findings(findings)) }
}

impl From<&Allocation> for NewAllocation {
    fn from(allocation: &Allocation) -> Self {
        Self { invoice_id: allocation.invoice_id, amount: Some(allocation.amount) }
    }
}

impl PaymentTerms {
    /// What was kept back.
    #[must_use]
    pub fn withheld_sum(&self) -> Decimal {
        self.withheld.iter().fold(Decimal::ZERO, |sum, held| sum.saturating_add(held.amount))
    }

    /// Its certificates: the place of each among what was withheld, and its digest.
    #[must_use]
    pub fn certificates(&self) -> Vec<(usize, String)> {
        let withheld = self.withheld.iter().enumerate();
        let digest = |(index, held): (usize, &Withholding)| {
            held.certificate.as_ref().map(|certificate| (index, certificate.digest.clone()))
        };
        withheld.filter_map(digest).collect()
    }
}

impl From<EntryPosted> for EntryEvent {
    fn from(posted: EntryPosted) -> Self {
        Self::Posted(posted)
    }
}
