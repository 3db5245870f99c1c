//! The modules that are loaded, by digest.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use wasmtime::Engine;
use wasmtime::component::{Component, Linker};

use crate::bindings::niyam::rules::context;
use crate::compiled::CompiledCache;
use crate::compiler::Compiler;
use crate::digest::digest_hex;
use crate::engine::{self, Class, Ticker};
use crate::error::LoadError;
use crate::inspect::inspect;
use crate::module::Module;
use crate::sandbox::{InSandbox, Sandbox, Usage, Watch};

/// Takes components in and keeps them ready.
pub struct ModuleHost {
    small: Room,
    large: Room,
    loaded: RwLock<HashMap<String, Arc<Module>>>,
    watch: Option<Watch>,
}

/// Where the components of one class live.
struct Room {
    class: Class,
    engine: Engine,
    linker: Linker<Sandbox>,
    compiled: CompiledCache,
    _ticker: Ticker,
}

impl Room {
    fn new(class: Class, cache_folder: PathBuf) -> Result<Self, LoadError> {
        let engine = engine::engine(class).map_err(LoadError::Host)?;
        let mut linker = Linker::new(&engine);
        context::add_to_linker::<_, InSandbox>(&mut linker, |sandbox| sandbox).map_err(LoadError::Host)?;
        let io = |error: std::io::Error| LoadError::Host(error.into());
        let compiled = CompiledCache::open(cache_folder, &engine).map_err(io)?;
        let ticker = Ticker::start(&engine).map_err(io)?;
        Ok(Self { class, engine, linker, compiled, _ticker: ticker })
    }
}

impl ModuleHost {
    /// A host that keeps compiled components in `cache_folder`.
    ///
    /// # Errors
    /// When the engine does not start, or the folder cannot be written.
    pub fn new(cache_folder: PathBuf) -> Result<Self, LoadError> {
        Ok(Self {
            small: Room::new(Class::Small, cache_folder.clone())?,
            large: Room::new(Class::Large, cache_folder)?,
            loaded: RwLock::default(),
            watch: None,
        })
    }

    /// Compiles in a process of its own, which may be ended.
    #[must_use]
    pub fn compiling_with(mut self, compiler: Compiler) -> Self {
        self.small.compiled.compiler = Some(compiler.clone());
        self.large.compiled.compiler = Some(compiler);
        self
    }

    /// Tells `watch` of every call what it used and logged, when it ends: what a module's author wants to see.
    #[must_use]
    pub fn watched(mut self, watch: impl Fn(Usage) + Send + Sync + 'static) -> Self {
        self.watch = Some(Arc::new(watch));
        self
    }

    /// Checks a component and makes it ready: bytes read first, then compiled, then asked what it is. Blocks for as
    /// long as the compiler takes; one that is loaded already is given at once, and one that was checked and compiled
    /// before is only asked.
    ///
    /// # Errors
    /// When it is refused; each reason has a code of its own.
    pub fn load(&self, bytes: &[u8]) -> Result<Arc<Module>, LoadError> {
        let digest = digest_hex(bytes);
        if let Some(module) = self.get(&digest) {
            return Ok(module);
        }
        let (room, component) = match self.compiled(&digest) {
            Some(found) => found,
            None => self.compile(&digest, bytes)?,
        };
        // Names were checked before it was compiled: what does not fit now is a function that an interface lacks.
        let instance_pre = room
            .linker
            .instantiate_pre(&component)
            .map_err(|error| LoadError::ImportNotAllowed(format!("({error:#})")))?;
        let module =
            Arc::new(Module::describe(instance_pre, room.class, self.watch.clone(), digest.clone())?);
        let mut loaded = self.loaded.write().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::clone(loaded.entry(digest).or_insert(module)))
    }

    fn compiled(&self, digest: &str) -> Option<(&Room, Component)> {
        [&self.small, &self.large]
            .into_iter()
            .find_map(|room| Some((room, room.compiled.find(&room.engine, digest)?)))
    }

    fn compile(&self, digest: &str, bytes: &[u8]) -> Result<(&Room, Component), LoadError> {
        let room = match inspect(bytes)? {
            Class::Small => &self.small,
            Class::Large => &self.large,
        };
        Ok((room, room.compiled.make(&room.engine, digest, bytes)?))
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
