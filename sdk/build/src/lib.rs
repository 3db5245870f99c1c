//! Makes components of modules in Rust, JavaScript and Python.
//!
//! [`Project`] is a module's folder, [`kit`] what is put beside its source. Nothing here runs a component: that needs
//! the engine, which would make this crate slow to compile. Next step of the flow: `niyam-author` and `xtask` call it.

mod component;
pub mod kit;
pub mod process;
mod project;
mod python;
mod rust;
mod script;
mod toolchain;

use std::path::PathBuf;
use std::{env, fs};

use anyhow::{Context as _, Result};

pub use component::{Component, check, encode};
pub use project::{Built, Description, Language, Project};
pub use rust::RustGuest;
pub use toolchain::{TARGET, Toolchain};

/// The cargo that runs this, or the one on the path.
#[must_use]
pub fn cargo() -> PathBuf {
    env::var_os("CARGO").map_or_else(|| "cargo".into(), PathBuf::from)
}

/// Writes `bytes` to `path`, unless they are there already; whether it wrote.
///
/// # Errors
/// When the file cannot be written.
pub fn write_if_changed(path: &std::path::Path, bytes: &[u8]) -> Result<bool> {
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(false);
    }
    fs::create_dir_all(path.parent().context("a file lies in a folder")?)
        .with_context(|| format!("failed to make the folder of {}", path.display()))?;
    // A reader sees the old file or the new one, never a part.
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    fs::write(&partial, bytes)
        .and_then(|()| fs::rename(&partial, path))
        .with_context(|| format!("failed to write {}", path.display()))?;
    Ok(true)
}
