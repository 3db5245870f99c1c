//! What a tenant may configure: how amounts are rounded.

use niyam_sdk::{Context, Document, Finding};
use serde::Deserialize;

/// JSON Schema of the configuration.
pub(crate) const SCHEMA: &str = include_str!("../data/config.schema.json");

/// The configuration of a tenant that gives none.
pub(crate) const DEFAULT: &str = include_str!("../data/config.default.json");

/// The country's own currency.
pub(crate) const TAKA: &str = "BDT";

const PLACES_MAX: u32 = 2;

/// The tenant's configuration.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    rounding: Rounding,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Rounding {
    places: u32,
}

impl Default for Rounding {
    fn default() -> Self {
        Self { places: PLACES_MAX }
    }
}

impl Config {
    /// Reads it; blank is the default.
    ///
    /// # Errors
    /// One finding, `configuration-invalid`. The host has checked the schema, so only a native caller meets it.
    pub(crate) fn of(context: &Context) -> Result<Self, Vec<Finding>> {
        let text = context.config();
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let config: Self = serde_json::from_str(text).map_err(|error| invalid(&error.to_string()))?;
        if config.rounding.places > PLACES_MAX {
            return Err(invalid("rounding.places is above 2"));
        }
        Ok(config)
    }

    /// Places of taka amounts.
    pub(crate) fn places(self) -> u32 {
        self.rounding.places
    }

    /// Places of the document's amounts: a foreign currency is not cut finer than it is.
    pub(crate) fn places_of(self, document: &Document) -> u32 {
        if document.currency == TAKA { self.places() } else { self.places().min(document.minor_units.into()) }
    }
}

fn invalid(why: &str) -> Vec<Finding> {
    vec![Finding::error("configuration-invalid", format!("the pack's configuration is wrong: {why}"))]
}

#[cfg(test)]
mod tests {
    use super::{Config, DEFAULT};
    use niyam_sdk::Context;

    fn places(text: &str) -> Option<u32> {
        Config::of(&Context::native(text)).ok().map(Config::places)
    }

    #[test]
    fn two_places_are_the_default() {
        for text in ["", "{}", r#"{"rounding":{}}"#, DEFAULT] {
            assert_eq!(places(text), Some(2), "{text}");
        }
    }

    #[test]
    fn whole_taka_is_a_configuration() {
        assert_eq!(places(r#"{"rounding":{"places":0}}"#), Some(0));
    }

    #[test]
    fn refuses_what_the_schema_refuses() {
        for text in
            [r#"{"rounding":{"places":3}}"#, r#"{"rounding":{"places":-1}}"#, r#"{"round":1}"#, "[", "null"]
        {
            assert_eq!(places(text), None, "{text}");
        }
    }
}
