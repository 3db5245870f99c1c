//! A module in Rust.

use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context as _, Result};

use crate::component::{Component, encode};
use crate::process;
use crate::toolchain::{TARGET, Toolchain};

/// Bytes of a module's stack: it shares the first pages with the module's data, and every call pays for pages touched.
const STACK_BYTES: u32 = 16 * 1024;

/// What cargo is told to build, and where it then is.
pub struct RustGuest<'a> {
    /// Where cargo runs: the root of the workspace, or the module's own folder.
    pub root: &'a Path,
    /// The package and its target.
    pub selection: &'a [&'a str],
    /// The core module that cargo then writes, under the profile's folder.
    pub file: String,
    /// Where cargo puts what it builds.
    pub target_dir: PathBuf,
}

impl RustGuest<'_> {
    /// Builds with profile `guest`; what the compiler says goes to standard error.
    ///
    /// # Errors
    /// When it does not compile, or the component asks for more than a module may.
    pub fn build(&self, toolchain: &Toolchain) -> Result<Component> {
        process::run(
            toolchain
                .cargo("rustc")?
                .args(["--quiet", "--profile", "guest"])
                .args(self.selection)
                .arg("--target-dir")
                .arg(&self.target_dir)
                .current_dir(self.root)
                .env_remove("RUSTFLAGS")
                .env("CARGO_ENCODED_RUSTFLAGS", self.rust_flags().join("\u{1f}")),
        )?;
        let module = self.target_dir.join(TARGET).join("guest").join(&self.file);
        encode(&fs::read(&module).with_context(|| format!("failed to read {}", module.display()))?)
    }

    /// The same source gives the same bytes wherever it lies.
    fn rust_flags(&self) -> Vec<String> {
        let mut flags = vec![format!("-Clink-arg=-zstack-size={STACK_BYTES}")];
        let cargo_home = env::var_os("CARGO_HOME").map_or_else(
            || PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".cargo"),
            PathBuf::from,
        );
        // The last that fits wins, and the target folder may lie within the workspace.
        for (from, to) in [(&*cargo_home, "/cargo"), (self.root, "/niyam"), (&*self.target_dir, "/target")] {
            flags.push(format!("--remap-path-prefix={}={to}", from.display()));
        }
        flags
    }
}
