//! A payment as its events tell it.

use std::fmt;

use niyam_values::{Date, Decimal};
use serde::{Deserialize, Serialize};

use crate::aggregate::Aggregate;
use crate::event::{DomainEvent, UnreadableEvent};
use crate::ids::{EntryId, PaymentId};
use crate::payment::event::{PaymentCreated, PaymentEvent};
use crate::payment::method::{PaymentDirection, PaymentMethod};
use crate::payment::terms::{Allocation, PaymentTerms};
use crate::personal::{Personal, Place};

/// Where a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PaymentStatus {
    /// Recorded; counts for nothing yet.
    Pending,
    /// The money moved.
    Completed,
    /// It did not.
    Failed,
    /// All that it did was taken back.
    Reversed,
    /// The bank did not pay its cheque.
    Bounced,
    /// The money was given back.
    Refunded,
}

impl PaymentStatus {
    /// As written in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Reversed => "reversed",
            Self::Bounced => "bounced",
            Self::Refunded => "refunded",
        }
    }
}

impl fmt::Display for PaymentStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Where a cheque lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChequeStatus {
    /// In the tenant's hands.
    Received,
    /// In the supplier's hands.
    Issued,
    /// At the tenant's bank, which has not paid it.
    Deposited,
    /// Paid.
    Cleared,
    /// Not paid.
    Bounced,
}

impl ChequeStatus {
    /// As written in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Issued => "issued",
            Self::Deposited => "deposited",
            Self::Cleared => "cleared",
            Self::Bounced => "bounced",
        }
    }
}

/// A payment as its events tell it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Payment {
    /// Its id.
    pub id: PaymentId,
    /// Where it stands.
    pub status: PaymentStatus,
    /// What it says.
    pub terms: PaymentTerms,
    /// Where its cheque lies, once completed.
    pub cheque: Option<ChequeStatus>,
    /// The day for which it counts, once completed.
    pub completed_on: Option<Date>,
    /// The last day for which something of it counts.
    pub last_day: Option<Date>,
    /// Its entries, in order.
    pub entries: Vec<EntryId>,
    /// What it settles now, each document once.
    pub settled: Vec<Allocation>,
    /// What is left of it as an advance.
    pub advance: Decimal,
    /// What of the advance was given back.
    pub given_back: Decimal,
    /// Why it failed or was taken back.
    pub reason: Option<String>,
}

impl Personal for Payment {
    fn personal(&self) -> Vec<Place> {
        self.terms.personal_at("/terms")
    }
}

impl Payment {
    fn settle(&mut self, allocations: &[Allocation]) {
        for part in allocations {
            match self.settled.iter_mut().find(|settled| settled.invoice_id == part.invoice_id) {
                Some(settled) => settled.amount = settled.amount.saturating_add(part.amount),
                None => self.settled.push(part.clone()),
            }
        }
    }

    /// Takes all that it did back.
    fn undone(self, status: PaymentStatus, date: Date, reason: String) -> Self {
        Self {
            status,
            last_day: Some(date),
            settled: Vec::new(),
            advance: Decimal::ZERO,
            reason: Some(reason),
            ..self
        }
    }

    fn is(&self, status: PaymentStatus) -> bool {
        self.status == status
    }
}

impl Aggregate for Payment {
    type Event = PaymentEvent;

    fn evolve(state: Option<Self>, event: PaymentEvent) -> Result<Self, UnreadableEvent> {
        let event_type = event.event_type();
        match (state, event) {
            (None, PaymentEvent::Created(PaymentCreated { payment_id, terms })) => Ok(Self {
                id: payment_id,
                status: PaymentStatus::Pending,
                terms,
                cheque: None,
                completed_on: None,
                last_day: None,
                entries: Vec::new(),
                settled: Vec::new(),
                advance: Decimal::ZERO,
                given_back: Decimal::ZERO,
                reason: None,
            }),
            (Some(state), PaymentEvent::Failed(failed)) if state.is(PaymentStatus::Pending) => {
                Ok(Self { status: PaymentStatus::Failed, reason: Some(failed.reason), ..state })
            }
            (Some(state), PaymentEvent::Completed(completed)) if state.is(PaymentStatus::Pending) => {
                let mut state = Self {
                    status: PaymentStatus::Completed,
                    completed_on: Some(completed.date),
                    last_day: Some(completed.date),
                    entries: vec![completed.entry_id],
                    advance: state.terms.advance,
                    cheque: (state.terms.method == PaymentMethod::Cheque).then_some(
                        match state.terms.direction {
                            PaymentDirection::Receipt => ChequeStatus::Received,
                            PaymentDirection::Disbursement => ChequeStatus::Issued,
                        },
                    ),
                    ..state
                };
                let allocations = state.terms.allocations.clone();
                state.settle(&allocations);
                Ok(state)
            }
            (Some(state), event) if state.is(PaymentStatus::Completed) => {
                state.go_on(event).ok_or(UnreadableEvent::OutOfOrder { event_type })
            }
            _ => Err(UnreadableEvent::OutOfOrder { event_type }),
        }
    }
}

impl Payment {
    /// What becomes of a completed one; none if the event cannot follow.
    fn go_on(mut self, event: PaymentEvent) -> Option<Self> {
        match event {
            PaymentEvent::Deposited(deposited) => {
                self.cheque = Some(ChequeStatus::Deposited);
                self.last_day = Some(deposited.date);
            }
            PaymentEvent::Cleared(cleared) => {
                self.cheque = Some(ChequeStatus::Cleared);
                self.last_day = Some(cleared.date);
                self.entries.extend(cleared.entry_id);
            }
            PaymentEvent::Allocated(allocated) => {
                for part in &allocated.allocations {
                    self.advance = self.advance.checked_sub(part.amount)?;
                }
                self.settle(&allocated.allocations);
                self.last_day = Some(allocated.date);
                self.entries.push(allocated.entry_id);
            }
            PaymentEvent::AdvanceRefunded(refunded) => {
                self.advance = self.advance.checked_sub(refunded.amount)?;
                self.given_back = self.given_back.checked_add(refunded.amount)?;
                self.last_day = Some(refunded.date);
                self.entries.push(refunded.entry_id);
                if refunded.whole {
                    self.status = PaymentStatus::Refunded;
                }
            }
            PaymentEvent::Reversed(back) => {
                return Some(self.undone(PaymentStatus::Reversed, back.date, back.reason));
            }
            PaymentEvent::Refunded(back) => {
                return Some(self.undone(PaymentStatus::Refunded, back.date, back.reason));
            }
            PaymentEvent::Bounced(back) => {
                self.cheque = Some(ChequeStatus::Bounced);
                return Some(self.undone(PaymentStatus::Bounced, back.date, back.reason));
            }
            PaymentEvent::Created(_) | PaymentEvent::Completed(_) | PaymentEvent::Failed(_) => return None,
        }
        Some(self)
    }
}
