//! What a module answered, and the proof that the host keeps of it.

use std::fmt::{Debug, Write as _};

use niyam_domain::Decision;
use niyam_modules::Decided;
use niyam_values::Finding;

use crate::error::TestError;

/// An answer with its proof.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer<T> {
    /// What the module said; where it may refuse, a `Result` of its answer and its findings.
    pub value: T,
    /// Who said it, of what, at which cost.
    pub proof: Proof,
}

/// What the host keeps beside an answer. The same component, configuration and input give the same proof, for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The function called, for example `determine`.
    pub function: String,
    /// The module's id.
    pub module_id: String,
    /// The module's version.
    pub module_version: String,
    /// The contract between host and module, for example `niyam:rules@0.1.0`.
    pub contract: String,
    /// SHA-256 of the component, hex.
    pub component_digest: String,
    /// SHA-256 of the configuration.
    pub config_digest: String,
    /// SHA-256 of the arguments' canonical JSON.
    pub input_digest: String,
    /// SHA-256 of the answer's canonical JSON.
    pub output_digest: String,
    /// What the call cost.
    pub fuel: u64,
}

impl<T: Debug> Answer<Result<T, Vec<Finding>>> {
    /// The answer of a module that did not refuse.
    ///
    /// # Panics
    /// When it refused; the text lists its findings.
    #[track_caller]
    #[must_use]
    pub fn accepted(self) -> T {
        match self.value {
            Ok(value) => value,
            Err(findings) => panic!("{} was refused:{}", self.proof.function, listed(&findings)),
        }
    }

    /// The findings of a module that refused.
    ///
    /// # Panics
    /// When it did not refuse; the text shows its answer.
    #[track_caller]
    #[must_use]
    pub fn refused(self) -> Vec<Finding> {
        match self.value {
            Ok(value) => panic!("{} was not refused: {value:#?}", self.proof.function),
            Err(findings) => findings,
        }
    }
}

impl<T> From<Decided<T>> for Answer<T> {
    fn from(decided: Decided<T>) -> Self {
        let Decision { function, module, contract, config_digest, input_digest, output_digest, fuel } =
            decided.decision;
        Self {
            value: decided.answer,
            proof: Proof {
                function,
                module_id: module.id,
                module_version: module.version,
                contract,
                component_digest: module.digest,
                config_digest,
                input_digest,
                output_digest,
                fuel,
            },
        }
    }
}

/// Runs `call` twice, each in an instance of its own, and gives the answer.
///
/// # Errors
/// When a run does not answer.
///
/// # Panics
/// When answer, digests or fuel differ between the runs.
#[track_caller]
pub fn assert_deterministic<T: Debug + PartialEq>(
    call: impl Fn() -> Result<Answer<T>, TestError>,
) -> Result<Answer<T>, TestError> {
    let (first, second) = (call()?, call()?);
    assert_eq!(first.value, second.value, "two runs answered differently");
    assert_eq!(first.proof, second.proof, "two runs have different proofs");
    Ok(first)
}

/// A line for each finding: code, place, message.
pub(crate) fn listed(findings: &[Finding]) -> String {
    findings.iter().fold(String::new(), |mut text, finding| {
        let place = finding.pointer.as_deref().map_or_else(String::new, |pointer| format!(" at {pointer}"));
        write!(text, "\n  {}{place}: {}", finding.code, finding.message).expect("a string can be written");
        text
    })
}
