//! Compiled components on disk, so that a restart does not compile again.
//!
//! `Component::deserialize` trusts its input. Hence a file is written by our own compiler alone, into a folder and with
//! a mode that let nobody else write, and begins with a seal: a digest of the component, the engine and the compiled
//! bytes. A file that was damaged, exchanged for another component's, linked to or opened to others is not read, but
//! made again. Who may write as the server's own user could as well exchange the server, and is not kept out.

use std::fs::{self, File, Metadata, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::compiler::Compiler;
use crate::error::LoadError;

/// What a component was held to before it was compiled. Other checks make other files, so none is compiled unchecked.
const CHECKS: [&str; 3] = [include_str!("inspect.rs"), include_str!("limits.rs"), include_str!("world.rs")];

/// Where compiled components are kept.
pub(crate) struct CompiledCache {
    folder: PathBuf,
    /// Of the engine and [`CHECKS`].
    key: String,
    /// Compiles elsewhere; here when absent.
    pub(crate) compiler: Option<Compiler>,
}

impl CompiledCache {
    /// Opens the folder, making it where it is missing.
    pub(crate) fn open(folder: PathBuf, engine: &Engine) -> io::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        CHECKS.hash(&mut hasher);
        Ok(Self { folder, key: format!("{:016x}", hasher.finish()), compiler: None })
    }

    /// The component with this digest, if it was checked and compiled before.
    pub(crate) fn find(&self, engine: &Engine, digest: &str) -> Option<Component> {
        let (name, path) = self.place(digest);
        self.load(engine, &name, &path)
    }

    /// Compiles a component that was checked, and keeps it.
    pub(crate) fn make(&self, engine: &Engine, digest: &str, bytes: &[u8]) -> Result<Component, LoadError> {
        let (name, path) = self.place(digest);
        let not_compilable = |error: wasmtime::Error| LoadError::NotCompilable(format!("{error:#}"));
        let compiled = match &self.compiler {
            Some(compiler) => compiler.compile(bytes)?,
            None => engine.precompile_component(bytes).map_err(not_compilable)?,
        };
        if let Err(error) = self.keep(&name, &path, &compiled) {
            tracing::warn!(module.digest = digest, %error, "failed to keep a compiled module");
        }
        #[expect(unsafe_code, reason = "our own compiler gave these bytes a moment ago")]
        // SAFETY: `compiled` is what this engine's compiler gave, here or in a process of our own program.
        let component = unsafe { Component::deserialize(engine, &compiled) };
        component.map_err(not_compilable)
    }

    fn place(&self, digest: &str) -> (String, PathBuf) {
        let name = format!("{digest}-{}", self.key);
        let path = self.folder.join(&name).with_extension("cwasm");
        (name, path)
    }

    /// Written beside and renamed, so that no reader meets half a file.
    fn keep(&self, name: &str, path: &Path, compiled: &[u8]) -> io::Result<()> {
        let unfinished =
            self.folder.join(format!(".{}-{:?}", std::process::id(), std::thread::current().id()));
        // What a process of the same number left behind, or somebody put in the way.
        match fs::remove_file(&unfinished) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let written = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&unfinished)
            .and_then(|mut file| {
                file.write_all(&seal(name, compiled))?;
                file.write_all(compiled)?;
                file.sync_all()
            })
            .and_then(|()| fs::rename(&unfinished, path));
        if written.is_err() {
            // What could not be written is of no use; the reason is in the error.
            let _ = fs::remove_file(&unfinished);
        }
        written
    }

    fn load(&self, engine: &Engine, name: &str, path: &Path) -> Option<Component> {
        let found = fs::symlink_metadata(path).ok()?;
        let folder = fs::metadata(&self.folder).ok()?;
        let ignored = |why| {
            tracing::warn!(path = %path.display(), why, "ignored a compiled module");
            None
        };
        if !found.is_file() {
            return ignored("that is no file of its own");
        }
        let mut file = File::open(path).ok()?;
        let opened = file.metadata().ok()?;
        if (opened.dev(), opened.ino()) != (found.dev(), found.ino()) {
            return ignored("that was exchanged while it was opened");
        }
        let others_write = |of: &Metadata, mask| of.permissions().mode() & mask != 0;
        if others_write(&opened, 0o077) || others_write(&folder, 0o022) || opened.uid() != folder.uid() {
            return ignored("that others can write");
        }
        let mut bytes = Vec::with_capacity(usize::try_from(opened.len()).ok()?);
        file.read_to_end(&mut bytes).ok()?;
        let (sealed, compiled) = bytes.split_at_checked(SEAL_BYTES)?;
        if seal(name, compiled).as_slice() != sealed {
            return ignored("that is damaged, or another's");
        }
        #[expect(
            unsafe_code,
            reason = "our own compiler wrote these bytes: owner, mode and seal were checked"
        )]
        // SAFETY: the file is one that `keep` wrote for this component and engine; nobody else may write it.
        let component = unsafe { Component::deserialize(engine, compiled) };
        component.ok()
    }
}

const SEAL_BYTES: usize = 32;

/// SHA-256 of what the compiled bytes are of, and of themselves.
fn seal(name: &str, compiled: &[u8]) -> [u8; SEAL_BYTES] {
    Sha256::new().chain_update(name).chain_update([0]).chain_update(compiled).finalize().into()
}
