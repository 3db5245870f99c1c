//! What a module answered, and the proof of it.

use niyam_values::{Determination, Document};
use serde::{Deserialize, Serialize};

/// A module, by name and by content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleRef {
    /// For example `vat-bd`.
    pub id: String,
    /// Semver.
    pub version: String,
    /// SHA-256 of the component, hex.
    pub digest: String,
}

/// One call of a module, with all that is needed to run it again and compare. Digests are SHA-256, hex.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The function called, for example `determine`.
    pub function: String,
    /// The component that answered.
    pub module: ModuleRef,
    /// The contract between host and module, for example `niyam:rules@0.1.0`.
    pub contract: String,
    /// Of the tenant's configuration.
    pub config_digest: String,
    /// Of the arguments, as canonical JSON.
    pub input_digest: String,
    /// Of the answer, as canonical JSON.
    pub output_digest: String,
    /// Deterministic cost: the same input always costs the same.
    pub fuel: u64,
}

/// A document with the taxes that a module found for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Assessment {
    /// What was asked, whole: run the module on it again and the same answer must come.
    pub document: Document,
    /// What it bears.
    pub taxes: Determination,
    /// Who said so.
    pub decision: Decision,
}
