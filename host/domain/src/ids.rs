//! Names of things, each a type of its own.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Longest tenant name, bytes.
const TENANT_LENGTH_MAX: usize = 63;
/// Longest stream name, bytes.
const STREAM_LENGTH_MAX: usize = 200;

/// A text that cannot name what it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidId {
    /// Not a tenant's name.
    #[error("a tenant's name has 1 to 63 of a-z, 0-9 and hyphen, and begins with a letter")]
    Tenant,
    /// Not a stream's name.
    #[error("a stream's name has 1 to 200 printable ASCII characters")]
    Stream,
    /// Not an invoice's id.
    #[error("an invoice's id is a UUID")]
    Invoice,
    /// Not a journal entry's id.
    #[error("a journal entry's id is a UUID")]
    Entry,
    /// Not a bank statement's id.
    #[error("a bank statement's id is a UUID")]
    Statement,
    /// Not a schedule's id.
    #[error("a schedule's id is a UUID")]
    Schedule,
    /// Not a payment's id.
    #[error("a payment's id is a UUID")]
    Payment,
}

/// One customer of the platform; everything belongs to exactly one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TenantId(String);

impl TenantId {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TenantId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let fits = text.len() <= TENANT_LENGTH_MAX
            && text.starts_with(|first: char| first.is_ascii_lowercase())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        fits.then(|| Self(text.to_owned())).ok_or(InvalidId::Tenant)
    }
}

/// The events of one aggregate, for example `invoice/0198…`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StreamId(String);

impl StreamId {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A name that is known to fit.
    pub(crate) const fn of(name: String) -> Self {
        Self(name)
    }

    /// The stream of the tenant itself: its profile and activations.
    #[must_use]
    pub fn tenant() -> Self {
        Self("tenant".to_owned())
    }

    /// The stream of the tenant's chart of accounts.
    #[must_use]
    pub fn chart() -> Self {
        Self("chart-of-accounts".to_owned())
    }

    /// The stream of the tenant's fiscal periods.
    #[must_use]
    pub fn periods() -> Self {
        Self("fiscal-periods".to_owned())
    }
}

impl FromStr for StreamId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let fits =
            (1..=STREAM_LENGTH_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| Self(text.to_owned())).ok_or(InvalidId::Stream)
    }
}

macro_rules! text_id {
    ($id:ty) => {
        impl TryFrom<String> for $id {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$id> for String {
            fn from(id: $id) -> Self {
                id.0
            }
        }

        impl fmt::Display for $id {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}
text_id!(TenantId);
text_id!(StreamId);

/// Number of an event within its stream: 1, 2, 3 … without a hole. 0 is a stream that has none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(pub u64);

/// Number of an event in its tenant's whole history: 1, 2, 3 … without a hole, in commit order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(pub u64);

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $id:ident, $prefix:literal, $wrong:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $id(pub Uuid);

        impl $id {
            /// The stream that holds its events.
            #[must_use]
            pub fn stream(self) -> StreamId {
                StreamId(format!(concat!($prefix, "/{}"), self.0))
            }
        }

        impl FromStr for $id {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Uuid::try_parse(text).map(Self).map_err(|_| InvalidId::$wrong)
            }
        }

        impl fmt::Display for $id {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }
    };
}
uuid_id! {
    /// An invoice.
    InvoiceId, "invoice", Invoice
}
uuid_id! {
    /// A journal entry.
    EntryId, "journal-entry", Entry
}
uuid_id! {
    /// A bank statement.
    StatementId, "bank-statement", Statement
}
uuid_id! {
    /// A schedule.
    ScheduleId, "schedule", Schedule
}
uuid_id! {
    /// A payment.
    PaymentId, "payment", Payment
}

#[cfg(test)]
mod tests {
    use super::{StreamId, TenantId};

    #[test]
    fn a_tenant_is_named_by_a_short_lower_case_word() {
        for name in ["demo", "a", "acme-2"] {
            assert!(name.parse::<TenantId>().is_ok(), "{name}");
        }
        for name in ["", "2acme", "Acme", "a b", "../x", &"a".repeat(64)] {
            assert!(name.parse::<TenantId>().is_err(), "{name}");
        }
    }

    #[test]
    fn a_stream_is_named_by_printable_ascii() {
        assert!("invoice/1".parse::<StreamId>().is_ok());
        for name in ["", "a b", "é", "a\n"] {
            assert!(name.parse::<StreamId>().is_err(), "{name}");
        }
    }
}
