//! What is told of a shadow: counts, and differences without personal data.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::rerun::other_answer::OtherAnswer;

/// Failures after which a shadow that fails at most of what it is asked is asked no more.
const FAILURES_MAX: u64 = 100;

/// What a shadow answered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct ShadowCounts {
    /// Questions that it was asked: the taxes and the issue of a document, the ruling on a command.
    pub(crate) asked: u64,
    /// The same answers.
    pub(crate) same: u64,
    /// Other taxes or amounts, another paper or number series, another ruling.
    pub(crate) differ: u64,
    /// The same but for citations and findings.
    pub(crate) other_reasons: u64,
    /// What it refuses and the module in force did not.
    pub(crate) refused: u64,
    /// What it fails at.
    pub(crate) failed: u64,
    /// Events that it was not asked about since personal data were erased.
    pub(crate) erased: u64,
    /// Events that could not be read.
    pub(crate) unreadable: u64,
}

/// How one answer compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Same,
    Differs,
    OtherReasons,
    Refused,
    Failed,
}

impl ShadowCounts {
    pub(crate) fn count(&mut self, outcome: Outcome) {
        self.asked += 1;
        *match outcome {
            Outcome::Same => &mut self.same,
            Outcome::Differs => &mut self.differ,
            Outcome::OtherReasons => &mut self.other_reasons,
            Outcome::Refused => &mut self.refused,
            Outcome::Failed => &mut self.failed,
        } += 1;
    }

    /// Whether it fails so often that asking on is of no use.
    pub(crate) const fn is_given_up(&self) -> bool {
        self.failed >= FAILURES_MAX && self.failed.saturating_mul(2) > self.asked
    }
}

/// How a plan of an issue or a ruling differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum OtherKind {
    /// Another paper, series or number.
    Plan,
    /// Another ruling.
    Ruling,
    /// The same with other findings.
    Reasons,
    /// It refuses what was issued.
    Refused,
    /// It fails.
    Failed,
}

impl OtherKind {
    pub(crate) const fn outcome(self) -> Outcome {
        match self {
            Self::Plan | Self::Ruling => Outcome::Differs,
            Self::Reasons => Outcome::OtherReasons,
            Self::Refused => Outcome::Refused,
            Self::Failed => Outcome::Failed,
        }
    }
}

/// An issue that the shadow would have prepared otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct OtherPlan {
    /// Of the event.
    pub(crate) position: u64,
    pub(crate) invoice: String,
    pub(crate) kind: OtherKind,
    /// What differs: `form`, `series`, `number_pattern`, `findings`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) fields: Vec<String>,
    /// Codes of what it found, or of how it failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) codes: Vec<String>,
}

/// A command that the shadow rules on otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct OtherRuling {
    /// Of the event.
    pub(crate) position: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) invoice: Option<String>,
    /// For example `issue-invoice`.
    pub(crate) command: String,
    pub(crate) kind: OtherKind,
    /// `allow`, `deny` or `needs-approval`; absent when it fails. What is recorded was allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ruling: Option<String>,
    /// Codes of what it found, or of how it failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) codes: Vec<String>,
}

/// A difference, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "function")]
pub(crate) enum ShadowDifference {
    #[serde(rename = "determine")]
    Taxes(OtherAnswer),
    #[serde(rename = "prepare-issue")]
    Plan(OtherPlan),
    #[serde(rename = "evaluate")]
    Ruling(OtherRuling),
}

impl ShadowDifference {
    pub(crate) const fn position(&self) -> u64 {
        match self {
            Self::Taxes(told) => told.position,
            Self::Plan(told) => told.position,
            Self::Ruling(told) => told.position,
        }
    }

    pub(crate) const fn function(&self) -> &'static str {
        match self {
            Self::Taxes(_) => "determine",
            Self::Plan(_) => "prepare-issue",
            Self::Ruling(_) => "evaluate",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Outcome, ShadowCounts};

    #[test]
    fn who_fails_mostly_is_given_up_and_who_fails_rarely_is_not() {
        let mut counts = ShadowCounts::default();
        (0..99).for_each(|_| counts.count(Outcome::Failed));
        assert!(!counts.is_given_up());
        counts.count(Outcome::Failed);
        assert!(counts.is_given_up());
        (0..100).for_each(|_| counts.count(Outcome::Same));
        assert!(!counts.is_given_up(), "half of it is answered");
        assert_eq!((counts.asked, counts.same, counts.failed), (200, 100, 100));
    }
}
