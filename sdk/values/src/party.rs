//! Who trades with whom.

use crate::Attributes;

/// A party to a document.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Party {
    /// The host's id of the party; empty where it keeps none.
    pub id: String,
    /// Legal name.
    pub name: String,
    /// Postal address, in one text.
    pub address: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// Registrations.
    pub identifiers: Vec<Identifier>,
    /// Facts that a rule may ask for, for example `withholding_entity`.
    pub attributes: Attributes,
}

impl Party {
    /// The value of the first identifier of `kind`, when it is not blank.
    #[must_use]
    pub fn identifier(&self, kind: &str) -> Option<&str> {
        self.identifiers
            .iter()
            .find(|identifier| identifier.kind == kind && !identifier.value.trim().is_empty())
            .map(|identifier| identifier.value.as_str())
    }
}

/// For example kind `bin`, value `0008283950207`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Identifier {
    /// A pack's own kind, for example `bin`.
    pub kind: String,
    /// Its text; leading zeros count.
    pub value: String,
}
