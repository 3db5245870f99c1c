//! What the policy reads of a request's body.

use niyam_sdk::policy::Request;
use niyam_sdk::{Date, Decimal, Finding};
use serde::{Deserialize, Deserializer, de};

use crate::config::{decimal, some_decimal};

/// The body of a command on an invoice.
#[derive(Debug, Deserialize)]
pub(crate) struct Body {
    #[serde(deserialize_with = "date")]
    pub(crate) today: Date,
    pub(crate) document: Document,
    taxes: Taxes,
}

/// The document.
#[derive(Debug, Deserialize)]
pub(crate) struct Document {
    #[serde(deserialize_with = "date")]
    pub(crate) tax_date: Date,
    currency: String,
    #[serde(default, deserialize_with = "some_decimal")]
    exchange_rate: Option<Decimal>,
    pub(crate) customer: Customer,
}

/// Who pays.
#[derive(Debug, Deserialize)]
pub(crate) struct Customer {
    pub(crate) name: String,
    pub(crate) identifiers: Vec<Identifier>,
}

/// A registration.
#[derive(Debug, Deserialize)]
pub(crate) struct Identifier {
    pub(crate) value: String,
}

#[derive(Debug, Deserialize)]
struct Taxes {
    #[serde(deserialize_with = "decimal")]
    payable: Decimal,
}

impl Body {
    /// Reads it.
    ///
    /// # Errors
    /// `request-unreadable`: what cannot be read is not let through.
    pub(crate) fn of(request: &Request) -> Result<Self, Vec<Finding>> {
        serde_json::from_str(&request.body_json).map_err(|error| {
            let message = format!("the policy does not understand the request: {error}");
            vec![Finding::error("request-unreadable", message)]
        })
    }

    /// What the customer pays, in `currency`; `None` without a rate, or beyond what a decimal holds.
    pub(crate) fn payable_in(&self, currency: &str) -> Option<Decimal> {
        if self.document.currency == currency {
            return Some(self.taxes.payable);
        }
        self.taxes.payable.checked_mul(self.document.exchange_rate?)
    }
}

fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
}
