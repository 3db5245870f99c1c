//! A compiled module, ready to be called.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{env, fmt, fs, io};

use niyam_modules::{Module, ModuleHost};
use niyam_values::policy::{Request, Ruling};
use niyam_values::workflow::{Input, Subject, Transition};
use niyam_values::{
    AccountTemplate, Date, Determination, Document, Finding, FiscalPeriod, Form, IssueFacts, IssuePlan,
    Manifest,
};

use crate::answer::Answer;
use crate::error::TestError;

/// A module's refusable answer, with its proof, or why there is none.
type Asked<T> = Result<Answer<Result<T, Vec<Finding>>>, TestError>;

/// A compiled module with a tenant's configuration, called as the host calls it.
///
/// Each call has a fresh instance, fuel, a deadline and a memory limit, and what it answers is checked as the host
/// checks it. A call fails with [`TestError::Failed`] when the host would not have taken the answer.
#[derive(Clone)]
pub struct TestModule {
    // Its clock stops a call that runs past its deadline.
    _host: Arc<ModuleHost>,
    module: Arc<Module>,
    config: String,
}

impl fmt::Debug for TestModule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TestModule")
            .field("module", &self.module)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl TestModule {
    /// The component at `path`, which is relative to the tested package's folder, with its default configuration.
    ///
    /// # Errors
    /// When there is no such file, or the host does not take the component in.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, TestError> {
        let path = path.as_ref();
        let bytes = fs::read(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => TestError::Missing { path: path.to_owned() },
            _ => TestError::Unreadable { path: path.to_owned(), reason: error.to_string() },
        })?;
        let refused = |error| TestError::refused(path.to_owned(), &error);
        let host = ModuleHost::new(compiled_folder()).map_err(refused)?;
        let module = host.load(&bytes).map_err(refused)?;
        let config = module.manifest().config_default.clone();
        let module = Self { _host: Arc::new(host), module, config: String::new() };
        module.with_config(&config)
    }

    /// The module that this workspace builds as `target/modules/<name>.wasm`, with its default configuration.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn bundled(name: &str) -> Result<Self, TestError> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new("/"));
        Self::open(root.join("target/modules").join(format!("{name}.wasm")))
    }

    /// The module with a tenant's configuration, JSON.
    ///
    /// # Errors
    /// When it does not fit the module's schema.
    pub fn with_config(mut self, config: &str) -> Result<Self, TestError> {
        self.config = self.module.check_config(config).map_err(TestError::ConfigRefused)?;
        Ok(self)
    }

    /// What the module says of itself.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        self.module.manifest()
    }

    /// What tax `document` bears.
    ///
    /// # Errors
    /// When the module does not answer, or its answer breaks the contract. Its refusal is an answer.
    pub fn determine(&self, document: &Document) -> Asked<Determination> {
        Ok(self.module.determine(&self.config, document)?.into())
    }

    /// The normal form of an identifier.
    ///
    /// # Errors
    /// As [`Self::determine`].
    pub fn check_identifier(&self, kind: &str, value: &str) -> Asked<String> {
        Ok(self.module.check_identifier(&self.config, kind, value)?.into())
    }

    /// The tax period that holds `day`.
    ///
    /// # Errors
    /// As [`Self::determine`].
    pub fn fiscal_period_of(&self, day: Date) -> Result<Answer<FiscalPeriod>, TestError> {
        Ok(self.module.fiscal_period_of(&self.config, day)?.into())
    }

    /// How `document` is issued on `issued_on`.
    ///
    /// # Errors
    /// As [`Self::determine`].
    pub fn prepare_issue(
        &self,
        document: &Document,
        taxes: &Determination,
        issued_on: Date,
    ) -> Asked<IssuePlan> {
        Ok(self.module.prepare_issue(&self.config, document, taxes, issued_on)?.into())
    }

    /// Codes of the papers that can be drawn for `document`.
    ///
    /// # Errors
    /// As [`Self::determine`].
    pub fn form_codes(&self, document: &Document) -> Result<Answer<Vec<String>>, TestError> {
        Ok(self.module.form_codes(&self.config, document)?.into())
    }

    /// Draws the paper `code` of an issued document.
    ///
    /// # Errors
    /// As [`Self::determine`].
    pub fn draw_form(
        &self,
        code: &str,
        document: &Document,
        taxes: &Determination,
        facts: &IssueFacts,
    ) -> Asked<Form> {
        Ok(self.module.draw_form(&self.config, code, document, taxes, facts)?.into())
    }

    /// The accounts that a new chart starts with.
    ///
    /// # Errors
    /// As [`Self::determine`]; also when they are no chart.
    pub fn chart_of_accounts(&self) -> Result<Answer<Vec<AccountTemplate>>, TestError> {
        Ok(self.module.chart_of_accounts(&self.config)?.into())
    }

    /// Whether `code` may be an account's code.
    ///
    /// # Errors
    /// As [`Self::determine`].
    pub fn check_account_code(&self, code: &str) -> Asked<()> {
        Ok(self.module.check_account_code(&self.config, code)?.into())
    }

    /// Whether the command of `request` may commit.
    ///
    /// # Errors
    /// As [`Self::determine`].
    pub fn evaluate(&self, request: &Request) -> Result<Answer<Ruling>, TestError> {
        Ok(self.module.evaluate(&self.config, request)?.into())
    }

    /// What follows from `input` in a workflow; `state` is that of the step before, empty at the start.
    ///
    /// # Errors
    /// As [`Self::determine`].
    pub fn advance(&self, subject: &Subject, state: &str, input: &Input) -> Asked<Transition> {
        Ok(self.module.advance(&self.config, subject, state, input)?.into())
    }
}

/// Beside the test's own program, so that a component is compiled once for all tests. Compiled code is trusted by the
/// host; whoever may write there may write the test itself.
fn compiled_folder() -> PathBuf {
    let program = env::current_exe().expect("a running test knows where it is");
    program.with_file_name("niyam-testkit")
}
