//! What a rule says about its input, and the law behind it.

use crate::Date;

/// Why a rule decided as it did: the law, the article, the first day of the text applied.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Citation {
    /// The act or order, for example `VAT and SD Act 2012`.
    pub source: String,
    /// The place in it, for example `s.15(3)`.
    pub article: String,
    /// The first day on which the text applied.
    pub effective_from: Option<Date>,
}

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Severity {
    /// The command cannot go on.
    Error,
    /// The command goes on; somebody should look.
    Warning,
    /// Worth telling.
    Info,
}

/// One thing that a rule found wrong, or worth telling.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Finding {
    /// Stable and kebab-case: clients match on it.
    pub code: String,
    /// How grave it is.
    pub severity: Severity,
    /// JSON Pointer (RFC 6901) into the input, when one place is to blame.
    pub pointer: Option<String>,
    /// For a person.
    pub message: String,
    /// The law behind it.
    pub citation: Option<Citation>,
}

impl Finding {
    /// A finding that stops the command.
    pub fn error(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code.into(), message.into())
    }

    /// A finding that does not stop the command.
    pub fn warning(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code.into(), message.into())
    }

    /// Something worth telling.
    pub fn info(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Severity::Info, code.into(), message.into())
    }

    /// The place in the input that is to blame, as a JSON Pointer.
    #[must_use]
    pub fn at(mut self, pointer: impl Into<String>) -> Self {
        self.pointer = Some(pointer.into());
        self
    }

    /// The law behind it.
    #[must_use]
    pub fn citing(mut self, citation: Citation) -> Self {
        self.citation = Some(citation);
        self
    }

    fn new(severity: Severity, code: String, message: String) -> Self {
        Self { code, severity, pointer: None, message, citation: None }
    }
}
