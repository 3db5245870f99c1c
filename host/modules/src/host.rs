//! The modules that are loaded, by digest.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use wasmtime::Engine;
use wasmtime::component::Linker;

use crate::bindings::niyam::rules::context;
use crate::compiled::CompiledCache;
use crate::digest::digest_hex;
use crate::engine::{self, Ticker};
use crate::error::LoadError;
use crate::inspect::inspect;
use crate::module::Module;
use crate::sandbox::{InSandbox, Sandbox};

/// Takes components in and keeps them ready.
pub struct ModuleHost {
    engine: Engine,
    linker: Linker<Sandbox>,
    compiled: CompiledCache,
    loaded: RwLock<HashMap<String, Arc<Module>>>,
    _ticker: Ticker,
}

impl ModuleHost {
    /// A host that keeps compiled components in `cache_folder`.
    ///
    /// # Errors
    /// When the engine does not start, or the folder cannot be written.
    pub fn new(cache_folder: PathBuf) -> Result<Self, LoadError> {
        let engine = engine::engine().map_err(LoadError::Host)?;
        let mut linker = Linker::new(&engine);
        context::add_to_linker::<_, InSandbox>(&mut linker, |sandbox| sandbox).map_err(LoadError::Host)?;
        let io = |error: std::io::Error| LoadError::Host(error.into());
        let compiled = CompiledCache::open(cache_folder, &engine).map_err(io)?;
        let ticker = Ticker::start(&engine).map_err(io)?;
        Ok(Self { engine, linker, compiled, loaded: RwLock::default(), _ticker: ticker })
    }

    /// Checks a component and makes it ready: bytes read first, then compiled, then asked what it is. Blocks for as
    /// long as the compiler takes; a component that is loaded already is given at once.
    ///
    /// # Errors
    /// When it is refused; each reason has a code of its own.
    pub fn load(&self, bytes: &[u8]) -> Result<Arc<Module>, LoadError> {
        let digest = digest_hex(bytes);
        if let Some(module) = self.get(&digest) {
            return Ok(module);
        }
        inspect(bytes)?;
        let component = self
            .compiled
            .component(&self.engine, &digest, bytes)
            .map_err(|error| LoadError::NotCompilable(format!("{error:#}")))?;
        // Names were checked before it was compiled: what does not fit now is a function that an interface lacks.
        let instance_pre = self
            .linker
            .instantiate_pre(&component)
            .map_err(|error| LoadError::ImportNotAllowed(format!("({error:#})")))?;
        let module = Arc::new(Module::describe(instance_pre, digest.clone())?);
        let mut loaded = self.loaded.write().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::clone(loaded.entry(digest).or_insert(module)))
    }

    /// A loaded module, by the SHA-256 of its component, hex.
    #[must_use]
    pub fn get(&self, digest: &str) -> Option<Arc<Module>> {
        self.loaded.read().unwrap_or_else(PoisonError::into_inner).get(digest).cloned()
    }

    /// Lets a module leave memory once no call uses it; its compiled code stays on disk.
    pub fn unload(&self, digest: &str) {
        self.loaded.write().unwrap_or_else(PoisonError::into_inner).remove(digest);
    }

    /// All loaded modules.
    #[must_use]
    pub fn modules(&self) -> Vec<Arc<Module>> {
        self.loaded.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}
