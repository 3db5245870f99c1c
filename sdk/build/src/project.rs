//! A module's folder: what `module.json` says of it, and how it becomes a component.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};

use crate::component::{Component, check};
use crate::rust::RustGuest;
use crate::toolchain::Toolchain;
use crate::{kit, process, python, script, write_if_changed};

/// What a module is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Rust, with `niyam-sdk`.
    Rust,
    /// JavaScript, by componentize-js.
    Javascript,
    /// Python, by componentize-py.
    Python,
}

impl Language {
    /// Where the rule is, unless `module.json` says otherwise.
    #[must_use]
    pub const fn source(self) -> &'static str {
        match self {
            Self::Rust => "src/lib.rs",
            Self::Javascript => "src/rule.js",
            Self::Python => "src/rule.py",
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Rust => "Rust",
            Self::Javascript => "JavaScript",
            Self::Python => "Python",
        })
    }
}

/// A module's folder.
#[derive(Debug)]
pub struct Project {
    /// The folder.
    pub folder: PathBuf,
    /// What its `module.json` says.
    pub description: Description,
}

/// What `module.json` says.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// The module's name; in Rust also the crate's.
    pub name: String,
    /// Its world of the contract, for example `tax-module`.
    pub world: String,
    /// What it is written in.
    pub language: Language,
    /// Where the rule is, relative to the folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Where its fixtures are, relative to the folder; `fixtures` unless said otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixtures: Option<String>,
}

/// What a build came to.
#[derive(Debug)]
pub struct Built {
    /// The component, checked.
    pub component: Component,
    /// Whether it is another one than was there.
    pub changed: bool,
}

impl Project {
    /// The module in `folder`.
    ///
    /// # Errors
    /// When its `module.json` is missing or does not read.
    pub fn open(folder: &Path) -> Result<Self> {
        let path = folder.join("module.json");
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                bail!(
                    "there is no module in {}: no module.json; `niyam module new` makes one",
                    folder.display()
                )
            }
            Err(error) => return Err(error).with_context(|| format!("failed to read {}", path.display())),
        };
        let description =
            serde_json::from_slice(&text).with_context(|| format!("failed to read {}", path.display()))?;
        let folder = fs::canonicalize(folder)?;
        Ok(Self { folder, description })
    }

    /// Where `niyam module build` puts the component.
    #[must_use]
    pub fn component_path(&self) -> PathBuf {
        self.folder.join("build").join(format!("{}.wasm", self.description.name))
    }

    /// Where its fixtures are.
    #[must_use]
    pub fn fixtures(&self) -> PathBuf {
        self.folder.join(self.description.fixtures.as_deref().unwrap_or("fixtures"))
    }

    /// Builds the component into `output`; what compilers say goes to standard error.
    ///
    /// # Errors
    /// When the language's tools are missing, the source does not compile, or the component asks for more than a
    /// module may.
    pub fn build(&self, output: &Path) -> Result<Built> {
        let source = self.source();
        if !self.folder.join(source).is_file() {
            bail!("there is no {source} in {}", self.folder.display());
        }
        match self.description.language {
            Language::Rust => self.build_rust(output),
            language => self.build_script(language, output),
        }
    }

    fn source(&self) -> &str {
        self.description.source.as_deref().unwrap_or(self.description.language.source())
    }

    fn build_rust(&self, output: &Path) -> Result<Built> {
        let needs_kit = fs::read_to_string(self.folder.join("Cargo.toml"))
            .is_ok_and(|manifest| manifest.contains(kit::FOLDER));
        if needs_kit && !self.folder.join(kit::FOLDER).exists() {
            kit::write(&self.folder, Language::Rust)?;
        }
        if process::find("rustc").is_none() {
            bail!("there is no rustc here: install Rust 1.85 or newer, for example by https://rustup.rs");
        }
        let toolchain = Toolchain::find()?;
        eprintln!("building with {toolchain}");
        let target = std::env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| self.folder.join("target"), |target| self.folder.join(target));
        let component = RustGuest {
            root: &self.folder,
            selection: &["--lib", "--crate-type", "cdylib"],
            file: format!("{}.wasm", self.description.name.replace('-', "_")),
            target_dir: target.join(toolchain.folder()),
        }
        .build(&toolchain)?;
        let changed = write_if_changed(output, &component.bytes)?;
        Ok(Built { component, changed })
    }

    /// An interpreter's component takes half a minute to make, so one of the same sources is kept.
    fn build_script(&self, language: Language, output: &Path) -> Result<Built> {
        if !self.folder.join(kit::FOLDER).exists() {
            kit::write(&self.folder, language)?;
        }
        let key_path = output.with_extension("key");
        let key = self.key()?;
        if output.exists() && fs::read_to_string(&key_path).is_ok_and(|kept| kept == key) {
            return Ok(Built { component: check(fs::read(output)?)?, changed: false });
        }
        fs::create_dir_all(output.parent().context("the component has no folder")?)?;
        let partial = output.with_extension("wasm.partial");
        let (source, world) = (self.source(), self.description.world.as_str());
        match language {
            Language::Python => python::build(&self.folder, source, world, &partial)?,
            _ => script::build(&self.folder, source, world, &partial)?,
        }
        let component = check(fs::read(&partial)?)?;
        fs::rename(&partial, output)?;
        fs::write(&key_path, key)?;
        Ok(Built { component, changed: true })
    }

    /// Changes with each file that the component is made of.
    fn key(&self) -> Result<String> {
        let mut hasher = DefaultHasher::new();
        self.description.world.hash(&mut hasher);
        hash_files(&self.folder, &self.folder, &mut hasher)?;
        Ok(format!("{:016x}", hasher.finish()))
    }
}

/// What lies in a module's folder and is not its source.
const NOT_SOURCE: [&str; 8] =
    ["build", "fixtures", "node_modules", ".venv", "target", "__pycache__", ".git", "package-lock.json"];

fn hash_files(root: &Path, folder: &Path, hasher: &mut DefaultHasher) -> Result<()> {
    let mut paths: Vec<_> =
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>()?;
    paths.sort();
    for path in paths {
        if path.file_name().is_some_and(|name| NOT_SOURCE.iter().any(|other| name == *other)) {
            continue;
        }
        if path.is_dir() {
            hash_files(root, &path, hasher)?;
        } else {
            path.strip_prefix(root)?.hash(hasher);
            fs::read(&path)?.hash(hasher);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Project;

    #[test]
    fn a_folder_without_a_module_says_how_to_make_one() {
        let folder = tempfile::tempdir().unwrap();
        let error = Project::open(folder.path()).unwrap_err().to_string();
        assert!(error.contains("niyam module new"), "{error}");
    }

    #[test]
    fn a_field_that_nobody_knows_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let text = r#"{"name":"a","world":"tax-module","language":"python","colour":"red"}"#;
        std::fs::write(folder.path().join("module.json"), text).unwrap();
        let error = format!("{:#}", Project::open(folder.path()).unwrap_err());
        assert!(error.contains("colour"), "{error}");
    }

    #[test]
    fn the_key_changes_with_a_source_and_not_with_what_is_built() {
        let folder = tempfile::tempdir().unwrap();
        let text = r#"{"name":"a","world":"tax-module","language":"python"}"#;
        std::fs::write(folder.path().join("module.json"), text).unwrap();
        let project = Project::open(folder.path()).unwrap();
        let first = project.key().unwrap();
        std::fs::create_dir_all(folder.path().join("build")).unwrap();
        std::fs::write(folder.path().join("build/a.wasm"), "x").unwrap();
        assert_eq!(project.key().unwrap(), first);
        std::fs::write(folder.path().join("rule.py"), "x").unwrap();
        assert_ne!(project.key().unwrap(), first);
    }
}
