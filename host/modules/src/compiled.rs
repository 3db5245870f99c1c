//! Compiled components on disk, so that a restart does not compile again.
//!
//! `Component::deserialize` trusts its input. Hence a file is written by our own compiler alone, readable by its owner
//! alone, named by the component's digest and the engine that it was compiled for, and its bytes are checked against a
//! digest kept beside them before they are trusted.

use std::fs::{self, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

/// Where compiled components are kept.
pub(crate) struct CompiledCache {
    folder: PathBuf,
    engine_key: String,
}

impl CompiledCache {
    /// Opens the folder, making it where it is missing.
    pub(crate) fn open(folder: PathBuf, engine: &Engine) -> io::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        Ok(Self { folder, engine_key: format!("{:016x}", hasher.finish()) })
    }

    /// The component of `bytes`, compiled now or before.
    pub(crate) fn component(
        &self,
        engine: &Engine,
        digest: &str,
        bytes: &[u8],
    ) -> wasmtime::Result<Component> {
        let path = self.folder.join(format!("{digest}-{}.cwasm", self.engine_key));
        if let Some(component) = load(engine, &path) {
            return Ok(component);
        }
        let component = Component::new(engine, bytes)?;
        if let Err(error) = self.keep(&path, &component.serialize()?) {
            tracing::warn!(module.digest = digest, %error, "failed to keep a compiled module");
        }
        Ok(component)
    }

    /// Written beside and renamed, so that no reader meets half a file.
    fn keep(&self, path: &Path, compiled: &[u8]) -> io::Result<()> {
        let unfinished =
            self.folder.join(format!(".{}-{:?}", std::process::id(), std::thread::current().id()));
        let written = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&unfinished)
            .and_then(|mut file| {
                file.write_all(&Sha256::digest(compiled))?;
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
}

fn load(engine: &Engine, path: &Path) -> Option<Component> {
    let metadata = fs::metadata(path).ok()?;
    let own_folder = path.parent().and_then(|folder| fs::metadata(folder).ok())?;
    if metadata.permissions().mode() & 0o077 != 0 || metadata.uid() != own_folder.uid() {
        tracing::warn!(path = %path.display(), "ignored a compiled module that others can write");
        return None;
    }
    let bytes = fs::read(path).ok()?;
    let (digest, compiled) = bytes.split_at_checked(32)?;
    if Sha256::digest(compiled).as_slice() != digest {
        tracing::warn!(path = %path.display(), "ignored a damaged compiled module");
        return None;
    }
    #[expect(unsafe_code, reason = "our own compiler wrote these bytes: owner, mode and digest were checked")]
    // SAFETY: the file is one that `keep` wrote for this engine; nobody else may write it.
    let component = unsafe { Component::deserialize(engine, compiled) };
    component.ok()
}
