//! A component, loaded into the server's own host of modules.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::{env, fs, io};

use anyhow::{Context as _, Result, anyhow, bail};
use niyam_build::Project;
use niyam_modules::{LoadError, Module, ModuleHost, Usage};

/// A component that the host took in.
pub struct Loaded {
    // Its clock stops a call that runs past its deadline.
    _host: ModuleHost,
    /// The module.
    pub module: Arc<Module>,
    /// The component.
    pub bytes: Vec<u8>,
    last: Arc<Mutex<Usage>>,
}

impl Loaded {
    /// Loads the component at `path`, or the one that the folder at `path` was built to.
    ///
    /// # Errors
    /// When there is none, or the host does not take it in: the text has the host's code.
    pub fn open(path: &Path) -> Result<Self> {
        Self::of(read(path)?, &compiled_folder())
    }

    /// As [`Self::open`], with the component at hand and a folder for what it is compiled to.
    ///
    /// # Errors
    /// When the host does not take it in.
    pub fn of(bytes: Vec<u8>, compiled: &Path) -> Result<Self> {
        let last = Arc::new(Mutex::new(Usage::default()));
        let watch = Arc::clone(&last);
        let host = ModuleHost::new(compiled.to_owned())
            .map_err(refused)?
            .watched(move |usage| *watch.lock().unwrap_or_else(PoisonError::into_inner) = usage);
        let module = host.load(&bytes).map_err(refused)?;
        Ok(Self { _host: host, module, bytes, last })
    }

    /// What the last call used and logged.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A component's bytes: those of the file at `path`, or of what the folder at `path` was built to.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    let path = path_of(path)?;
    fs::read(&path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            anyhow!("there is no component at {}: `niyam module build` makes it", path.display())
        }
        _ => anyhow!("failed to read {}: {error}", path.display()),
    })
}

/// Where the component of `path` is, a folder or the component itself.
pub(crate) fn path_of(path: &Path) -> Result<PathBuf> {
    if path.is_dir() {
        return Ok(Project::open(path)?.component_path());
    }
    if path.extension().is_some_and(|kind| kind == "wasm") {
        return Ok(path.to_owned());
    }
    bail!("{} is neither a module's folder nor a component (.wasm)", path.display())
}

/// Where compiled components are kept between commands: a folder of the user's own, since they are trusted.
fn compiled_folder() -> PathBuf {
    let cache = env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| env::var_os("HOME").map(|home| Path::new(&home).join(".cache")));
    cache.unwrap_or_else(|| ".cache".into()).join("niyam/compiled")
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of map_err")]
fn refused(error: LoadError) -> anyhow::Error {
    let code = error.code();
    let source = std::error::Error::source(&error).map_or_else(String::new, |source| format!(": {source:#}"));
    anyhow!("the server would refuse the component ({code}): {error}{source}")
}

/// The component of a folder is built first, so that what is tried is what stands there.
pub(crate) fn build_and_open(path: &Path) -> Result<Loaded> {
    if path.is_dir() {
        let project = Project::open(path)?;
        project.build(&project.component_path())?;
    }
    Loaded::open(path).context("failed to load the component")
}
