//! Fixtures: a folder for each case, with `input.json` and `expected.json`.

use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::{Context as _, Result, anyhow, bail};
use niyam_modules::Module;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::invocation::Invocation;

/// A case's input: a call, and the configuration that it is made with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fixture {
    /// A tenant's configuration; the module's default where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<Value>,
    /// The call.
    #[serde(flatten)]
    pub call: Invocation,
}

/// What a call comes to: one of three, by name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// What the module said.
    Answer(Value),
    /// Its findings, where it refused.
    Refused(Value),
    /// The host's code, where it failed.
    Failed(String),
}

impl Fixture {
    /// Reads an input.
    ///
    /// # Errors
    /// When it is no call of the contract: where, and why.
    pub fn parse(text: &[u8]) -> Result<Self> {
        let value: Value = serde_json::from_slice(text).context("not JSON")?;
        let Value::Object(mut fields) = value else {
            bail!("not an object with a function and its arguments")
        };
        let config = fields.remove("config");
        let call = serde_json::from_value(Value::Object(fields))?;
        Ok(Self { config, call })
    }

    /// The configuration to call `module` with, checked against its schema.
    pub(crate) fn config(&self, module: &Module) -> Result<String> {
        let config =
            self.config.as_ref().map_or_else(|| module.manifest().config_default.clone(), Value::to_string);
        checked(module, &config)
    }
}

/// A configuration that fits the module's schema, as the server keeps it.
pub(crate) fn checked(module: &Module, config: &str) -> Result<String> {
    module.check_config(config).map_err(|findings| {
        let listed: Vec<String> = findings
            .iter()
            .map(|finding| format!("{} {}", finding.pointer.as_deref().unwrap_or(""), finding.message))
            .collect();
        anyhow!("the module's schema refuses the configuration: {}", listed.join("; "))
    })
}

/// A case on disk.
pub(crate) struct Case {
    pub(crate) name: String,
    folder: PathBuf,
    pub(crate) fixture: Fixture,
}

impl Case {
    /// The cases of a folder, by name.
    pub(crate) fn all(folder: &Path) -> Result<Vec<Self>> {
        let entries = fs::read_dir(folder)
            .with_context(|| format!("failed to read the fixtures in {}", folder.display()))?;
        let mut folders: Vec<PathBuf> =
            entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>()?;
        folders.retain(|path| path.is_dir());
        folders.sort();
        if folders.is_empty() {
            bail!("there is no fixture in {}: a case is a folder with an input.json", folder.display());
        }
        folders.into_iter().map(Self::read).collect()
    }

    fn read(folder: PathBuf) -> Result<Self> {
        let path = folder.join("input.json");
        let text = fs::read(&path).with_context(|| format!("failed to read {}", path.display()))?;
        let fixture = Fixture::parse(&text).with_context(|| format!("failed to read {}", path.display()))?;
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { name, folder, fixture })
    }

    /// What is expected; nothing where that was not written yet.
    pub(crate) fn expected(&self) -> Result<Option<Value>> {
        let path = self.folder.join("expected.json");
        match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text)
                .map(Some)
                .with_context(|| format!("failed to read {}", path.display())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("failed to read {}", path.display())),
        }
    }

    /// Writes what came as what is expected; whether that is something else.
    pub(crate) fn expect(&self, outcome: &Outcome) -> Result<bool> {
        let mut text = serde_json::to_string_pretty(outcome)?;
        text.push('\n');
        niyam_build::write_if_changed(&self.folder.join("expected.json"), text.as_bytes())
    }
}
