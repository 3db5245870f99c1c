//! Why a test has no answer to look at. A module's refusal is none of it: that is an answer.

use std::error::Error;
use std::fmt;
use std::path::PathBuf;

use niyam_modules::{LoadError, ModuleFailure};
use niyam_values::Finding;

use crate::answer::listed;

/// What went wrong; its `Debug` is its text too, so that a test which unwraps it is readable.
#[derive(thiserror::Error)]
pub enum TestError {
    /// The component was not built.
    #[error("there is no component at {}; `cargo xtask plugins` builds those of this workspace", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The component cannot be read.
    #[error("failed to read {}: {reason}", path.display())]
    Unreadable {
        /// Where it is.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// The host does not take the component in.
    #[error("the host refuses {} ({code}): {reason}", path.display())]
    Refused {
        /// Where it is.
        path: PathBuf,
        /// The host's code, for example `import-not-allowed`.
        code: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The configuration does not fit the module's schema.
    #[error("the module's schema refuses the configuration:{}", listed(.0))]
    ConfigRefused(
        /// What does not fit, and where.
        Vec<Finding>,
    ),
    /// The module did not answer, or its answer breaks the contract.
    #[error("{reason} ({code})")]
    Failed {
        /// The host's code, for example `module-fuel-exhausted`.
        code: &'static str,
        /// What happened.
        reason: String,
    },
}

impl TestError {
    /// The host's code for it; nothing where the host was not asked.
    #[must_use]
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::Refused { code, .. } | Self::Failed { code, .. } => Some(code),
            Self::Missing { .. } | Self::Unreadable { .. } | Self::ConfigRefused(_) => None,
        }
    }

    pub(crate) fn refused(path: PathBuf, error: &LoadError) -> Self {
        Self::Refused { path, code: error.code(), reason: with_sources(error) }
    }
}

impl From<ModuleFailure> for TestError {
    fn from(failure: ModuleFailure) -> Self {
        Self::Failed { code: failure.code(), reason: failure.to_string() }
    }
}

impl fmt::Debug for TestError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

fn with_sources(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
