//! A folder of an author's, and the program run in it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs};

use tempfile::TempDir;

/// An author's folder.
pub struct Author {
    folder: TempDir,
}

/// What a run of the program came to.
pub struct Said {
    pub succeeded: bool,
    pub out: String,
    pub err: String,
}

impl Author {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Runs `niyam module` with `arguments`, its own cache of compiled components shared by all tests.
    pub fn run(&self, arguments: &[&str]) -> Said {
        self.run_with(arguments, |command| command)
    }

    pub fn run_with(&self, arguments: &[&str], set: impl FnOnce(&mut Command) -> &mut Command) -> Said {
        let tmp = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_niyam-module"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            // The standard library of the modules' target is built once for all tests.
            .env("CARGO_TARGET_DIR", tmp.join("author"))
            .env("XDG_CACHE_HOME", tmp.join("cache"))
            .env_remove("NIYAM_TOKEN")
            .env_remove("NIYAM_KEY");
        set(&mut command);
        Said::of(&command.output().unwrap())
    }

    pub fn does(&self, arguments: &[&str]) -> String {
        let said = self.run(arguments);
        assert!(said.succeeded, "{arguments:?}: {}\n{}", said.out, said.err);
        said.out
    }

    pub fn fails(&self, arguments: &[&str]) -> String {
        let said = self.run(arguments);
        assert!(!said.succeeded, "{arguments:?}: {}\n{}", said.out, said.err);
        format!("{}{}", said.out, said.err)
    }
}

impl Said {
    fn of(output: &Output) -> Self {
        Self {
            succeeded: output.status.success(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// The root of this workspace.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap()
}

/// A component that `cargo xtask plugins` made.
pub fn component(name: &str) -> PathBuf {
    let path = root().join("target/modules").join(name);
    assert!(path.exists(), "there is no {}: `cargo xtask plugins` makes it", path.display());
    path
}
