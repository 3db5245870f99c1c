//! What a tenant configures: limits, and days.

use niyam_sdk::{Context, Decimal, Finding};
use serde::{Deserialize, Deserializer, de};

use crate::request::Customer;

/// The tenant's configuration.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) currency: String,
    #[serde(default)]
    limits: Vec<Limit>,
    #[serde(default, deserialize_with = "some_decimal")]
    default_limit: Option<Decimal>,
    pub(crate) warn_percent: Option<u32>,
    pub(crate) days_back_max: Option<i32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Limit {
    name: Option<String>,
    identifier: Option<String>,
    #[serde(rename = "limit", deserialize_with = "decimal")]
    most: Decimal,
}

impl Config {
    /// Reads it.
    ///
    /// # Errors
    /// `configuration-invalid`. The host has checked the schema, so only a native caller meets it.
    pub(crate) fn of(context: &Context) -> Result<Self, Vec<Finding>> {
        serde_json::from_str(context.config()).map_err(|error| {
            let message = format!("the policy's configuration is wrong: {error}");
            vec![Finding::error("configuration-invalid", message)]
        })
    }

    /// The smallest limit that names the customer, else the default.
    pub(crate) fn limit_of(&self, customer: &Customer) -> Option<Decimal> {
        let own = self.limits.iter().filter(|limit| limit.names(customer)).map(|limit| limit.most).min();
        own.or(self.default_limit)
    }
}

impl Limit {
    /// Another spelling is the same customer: letters' case, spaces and the marks within an identifier do not count.
    fn names(&self, customer: &Customer) -> bool {
        let by_name = self.name.as_deref().is_some_and(|name| words(name) == words(&customer.name));
        let by_identifier = self.identifier.as_deref().is_some_and(|own| {
            customer.identifiers.iter().any(|identifier| signs(&identifier.value) == signs(own))
        });
        by_name || by_identifier
    }
}

fn words(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

fn signs(identifier: &str) -> String {
    identifier.chars().filter(char::is_ascii_alphanumeric).map(|sign| sign.to_ascii_uppercase()).collect()
}

/// A decimal from its text.
pub(crate) fn decimal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
}

/// A decimal from its text, or none.
pub(crate) fn some_decimal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Decimal>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| text.parse().map_err(de::Error::custom)).transpose()
}
