//! What can go wrong with a module. None of it is a rejection: a rejection is a module's proper answer.

use niyam_domain::ModuleRef;

/// Why a component is not taken in.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Larger than allowed.
    #[error("the component has {found} bytes, {allowed} are allowed")]
    TooLarge {
        /// Bytes given.
        found: usize,
        /// Bytes allowed.
        allowed: usize,
    },
    /// Not a valid component.
    #[error("the bytes are not a valid component: {0}")]
    Malformed(String),
    /// It wants something that the contract does not offer.
    #[error("the import {0} is not in the contract")]
    ImportNotAllowed(String),
    /// It would run code before it is called.
    #[error("a start function is not allowed")]
    StartFunction,
    /// It uses a feature of WebAssembly that is not deterministic, or not offered.
    #[error("{0} is not allowed")]
    FeatureNotAllowed(&'static str),
    /// More core instances than allowed.
    #[error("the component has {found} core instances, {allowed} are allowed")]
    TooManyInstances {
        /// Instances found.
        found: u32,
        /// Instances allowed.
        allowed: u32,
    },
    /// It begins with more of something than allowed.
    #[error("the component has {found} {what}, {allowed} are allowed")]
    TooMuch {
        /// What it has too much of.
        what: &'static str,
        /// How much was found.
        found: u64,
        /// How much is allowed.
        allowed: u64,
    },
    /// It is valid, but more than the compiler takes.
    #[error("the component cannot be compiled: {0}")]
    NotCompilable(String),
    /// It exports no world of the contract.
    #[error("the component exports no world of {contract}: {reason}", contract = crate::CONTRACT)]
    WorldMissing {
        /// What is missing.
        reason: String,
    },
    /// It was built against another version of the contract.
    #[error("the component exports {0}; this host speaks {contract}", contract = crate::CONTRACT)]
    ContractUnknown(String),
    /// It could not say what it is.
    #[error("the manifest is not usable: {0}")]
    ManifestInvalid(String),
    /// It failed on its first call.
    #[error(transparent)]
    Failed(#[from] ModuleFailure),
    /// The host itself failed.
    #[error("failed to start the host of modules")]
    Host(#[source] wasmtime::Error),
}

impl LoadError {
    /// Stable and kebab-case: clients match on it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "component-too-large",
            Self::Malformed(_) => "component-malformed",
            Self::ImportNotAllowed(_) => "import-not-allowed",
            Self::StartFunction => "start-function-not-allowed",
            Self::FeatureNotAllowed(_) => "wasm-feature-not-allowed",
            Self::TooManyInstances { .. } => "too-many-core-instances",
            Self::TooMuch { .. } => "component-limit-exceeded",
            Self::NotCompilable(_) => "component-not-compilable",
            Self::WorldMissing { .. } => "world-missing",
            Self::ContractUnknown(_) => "contract-unknown",
            Self::ManifestInvalid(_) => "manifest-invalid",
            Self::Failed(failure) => failure.code(),
            Self::Host(_) => "module-load-failed",
        }
    }
}

/// A call that a module did not answer. Nothing of it is kept.
#[derive(Debug, thiserror::Error)]
pub enum ModuleFailure {
    /// It stopped by itself: a panic, a division by zero …
    #[error("module {module} trapped: {reason}", module = .module.id)]
    Trapped {
        /// Which module.
        module: ModuleRef,
        /// What the engine says.
        reason: String,
    },
    /// It used up its fuel.
    #[error("module {} used up its fuel", .module.id)]
    FuelExhausted {
        /// Which module.
        module: ModuleRef,
    },
    /// It ran longer than allowed.
    #[error("module {} ran past its deadline", .module.id)]
    DeadlineExceeded {
        /// Which module.
        module: ModuleRef,
    },
    /// It wanted more memory than allowed.
    #[error("module {} wanted more memory than it may have", .module.id)]
    MemoryExhausted {
        /// Which module.
        module: ModuleRef,
    },
    /// It recursed deeper than its stack.
    #[error("module {} ran out of stack", .module.id)]
    StackExhausted {
        /// Which module.
        module: ModuleRef,
    },
    /// It answered more than may be answered.
    #[error("module {} answered more than it may", .module.id)]
    OutputTooLarge {
        /// Which module.
        module: ModuleRef,
    },
    /// It answered something that breaks the contract.
    #[error("module {module} broke the contract: {reason}", module = .module.id)]
    OutputInvalid {
        /// Which module.
        module: ModuleRef,
        /// What is wrong.
        reason: String,
    },
    /// It does not export the function's world.
    #[error("module {module} does not offer {function}", module = .module.id)]
    NotOffered {
        /// Which module.
        module: ModuleRef,
        /// The function asked.
        function: &'static str,
    },
    /// All instances are in use.
    #[error("all {} instances are in use", crate::CALLS_MAX)]
    Busy {
        /// Which module.
        module: ModuleRef,
    },
}

impl ModuleFailure {
    /// Stable and kebab-case: clients match on it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Trapped { .. } => "module-trapped",
            Self::FuelExhausted { .. } => "module-fuel-exhausted",
            Self::DeadlineExceeded { .. } => "module-deadline-exceeded",
            Self::MemoryExhausted { .. } => "module-memory-exhausted",
            Self::StackExhausted { .. } => "module-stack-exhausted",
            Self::OutputTooLarge { .. } => "module-output-too-large",
            Self::OutputInvalid { .. } => "module-output-invalid",
            Self::NotOffered { .. } => "module-function-not-offered",
            Self::Busy { .. } => "module-busy",
        }
    }

    /// Which module failed.
    #[must_use]
    pub fn module(&self) -> &ModuleRef {
        match self {
            Self::Trapped { module, .. }
            | Self::FuelExhausted { module }
            | Self::DeadlineExceeded { module }
            | Self::MemoryExhausted { module }
            | Self::StackExhausted { module }
            | Self::OutputTooLarge { module }
            | Self::OutputInvalid { module, .. }
            | Self::NotOffered { module, .. }
            | Self::Busy { module } => module,
        }
    }
}
