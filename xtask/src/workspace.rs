//! Where things are.

use std::env;
use std::path::{Path, PathBuf};

pub(crate) use niyam_build::cargo;

/// The workspace's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the workspace")
}

/// Where cargo puts what it builds.
pub(crate) fn target_dir() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => root().join(dir),
        None => root().join("target"),
    }
}

/// Where components go, wherever cargo builds.
pub(crate) fn modules_dir() -> PathBuf {
    root().join("target/modules")
}
