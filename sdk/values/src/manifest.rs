//! What a module says of itself.

/// What the host may know of a module without trusting it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Manifest {
    /// The module's name, kebab-case, for example `vat-bd`.
    pub id: String,
    /// Its version (semver).
    pub version: String,
    /// For a person.
    pub title: String,
    /// ISO 3166-1 alpha-2 codes; empty when the module is not tied to a country.
    pub jurisdictions: Vec<String>,
    /// JSON Schema (2020-12) of the configuration that a tenant may give.
    pub config_schema: String,
    /// The configuration of a tenant that gives none, JSON.
    pub config_default: String,
}
