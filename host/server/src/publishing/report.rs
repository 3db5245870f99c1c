//! What is kept of a module that was tried: what it says of itself, or why it was refused.

use niyam_domain::World;
use niyam_modules::{LoadError, Module};
use serde::{Deserialize, Serialize};

use crate::api::code::Code;

/// The report of a module.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Report {
    /// It may be activated.
    Ready(Box<Described>),
    /// It will never be.
    Refused(Refusal),
}

/// What a module says of itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Described {
    pub(crate) id: String,
    pub(crate) version: String,
    pub(crate) title: String,
    pub(crate) world: World,
    pub(crate) jurisdictions: Vec<String>,
    /// JSON Schema, as JSON.
    pub(crate) config_schema: serde_json::Value,
    pub(crate) config_default: serde_json::Value,
}

/// Why a module was refused.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Refusal {
    pub(crate) code: String,
    pub(crate) message: String,
}

impl From<&Module> for Described {
    fn from(module: &Module) -> Self {
        let manifest = module.manifest();
        Self {
            id: manifest.id.clone(),
            version: manifest.version.clone(),
            title: manifest.title.clone(),
            world: module.world(),
            jurisdictions: manifest.jurisdictions.clone(),
            config_schema: serde_json::from_str(&manifest.config_schema).unwrap_or_default(),
            config_default: serde_json::from_str(&manifest.config_default).unwrap_or_default(),
        }
    }
}

impl From<&LoadError> for Refusal {
    fn from(error: &LoadError) -> Self {
        Self { code: error.code().to_owned(), message: error.to_string() }
    }
}

/// What the author can do about a refusal: what the code's description says.
pub(crate) fn advice(code: &str) -> &'static str {
    Code::find(code).map_or("", Code::when)
}
