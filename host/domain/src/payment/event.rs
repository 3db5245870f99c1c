//! What happens to a payment.

use niyam_values::{Date, Decimal};
use serde::{Deserialize, Serialize};

use crate::accounts::AccountRole;
use crate::event::domain_events;
use crate::ids::{EntryId, PaymentId};
use crate::payment::terms::{Allocation, PaymentTerms};
use crate::personal::{Personal, Place, nothing_personal};

/// A payment was recorded; it counts for nothing yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PaymentCreated {
    /// Its id.
    pub payment_id: PaymentId,
    /// What it says.
    pub terms: PaymentTerms,
}

/// The money moved: what it settles is settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentCompleted {
    /// The day for which it counts.
    pub date: Date,
    /// Its entry.
    pub entry_id: EntryId,
}

/// The money did not move.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentFailed {
    /// Why. It should not name anybody.
    pub reason: String,
}

/// All that it did was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentReversed {
    /// The day for which that counts.
    pub date: Date,
    /// Why. It should not name anybody.
    pub reason: String,
    /// The entries that take its own back.
    pub mirrors: Vec<EntryId>,
}

/// The money was given back, and what it settled is open again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentRefunded {
    /// The day for which that counts.
    pub date: Date,
    /// Why. It should not name anybody.
    pub reason: String,
    /// The entries that take its own back.
    pub mirrors: Vec<EntryId>,
}

/// A received cheque was given to the bank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChequeDeposited {
    /// When.
    pub date: Date,
}

/// The bank paid a cheque.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChequeCleared {
    /// The day for which that counts.
    pub date: Date,
    /// The entry that moves it to the bank, for a received one.
    pub entry_id: Option<EntryId>,
}

/// The bank did not pay a cheque: what it settled is open again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChequeBounced {
    /// The day for which that counts.
    pub date: Date,
    /// Why. It should not name anybody.
    pub reason: String,
    /// The entries that take its own back.
    pub mirrors: Vec<EntryId>,
}

/// Some of an advance settles documents from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdvanceAllocated {
    /// The day for which that counts.
    pub date: Date,
    /// What of which.
    pub allocations: Vec<Allocation>,
    /// Its entry.
    pub entry_id: EntryId,
}

/// Some of an advance was given back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdvanceRefunded {
    /// The day for which that counts.
    pub date: Date,
    /// How much.
    pub amount: Decimal,
    /// The role of the account that it went through.
    pub held_in: AccountRole,
    /// Why. It should not name anybody.
    pub reason: String,
    /// Its entry.
    pub entry_id: EntryId,
    /// Whether nothing is left of the payment.
    pub whole: bool,
}

domain_events! {
    /// What happens to a payment.
    #[expect(clippy::large_enum_variant, reason = "held one at a time, on its way to or from the store")]
    PaymentEvent {
        /// A payment was recorded; it counts for nothing yet.
        Created(PaymentCreated) = "payment.created.v1",
        /// The money moved: what it settles is settled, in the same transaction.
        Completed(PaymentCompleted) = "payment.completed.v1",
        /// The money did not move.
        Failed(PaymentFailed) = "payment.failed.v1",
        /// All that it did was taken back, in the same transaction.
        Reversed(PaymentReversed) = "payment.reversed.v1",
        /// The money was given back, and what it settled is open again.
        Refunded(PaymentRefunded) = "payment.refunded.v1",
        /// A received cheque was given to the bank.
        Deposited(ChequeDeposited) = "payment.cheque-deposited.v1",
        /// The bank paid a cheque.
        Cleared(ChequeCleared) = "payment.cheque-cleared.v1",
        /// The bank did not pay a cheque: what it settled is open again.
        Bounced(ChequeBounced) = "payment.cheque-bounced.v1",
        /// Some of an advance settles documents from now on.
        Allocated(AdvanceAllocated) = "payment.advance-allocated.v1",
        /// Some of an advance was given back.
        AdvanceRefunded(AdvanceRefunded) = "payment.advance-refunded.v1",
    }
}

impl Personal for PaymentCreated {
    fn personal(&self) -> Vec<Place> {
        self.terms.personal_at("/terms")
    }
}

nothing_personal!(
    PaymentCompleted,
    PaymentFailed,
    PaymentReversed,
    PaymentRefunded,
    ChequeDeposited,
    ChequeCleared,
    ChequeBounced,
    AdvanceAllocated,
    AdvanceRefunded,
);
