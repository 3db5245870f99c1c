//! Finds PostgreSQL's programs, and the user to run its server as.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, bail};

/// Where distributions keep the programs of the server, which are often not on `PATH`.
const VERSIONS: &str = "/usr/lib/postgresql";

/// PostgreSQL's programs.
#[derive(Debug, Clone)]
pub struct Binaries {
    folder: PathBuf,
}

impl Binaries {
    /// Looks on `PATH` and then for the newest version of a distribution.
    pub fn find() -> Result<Self> {
        let complete = |folder: &PathBuf| {
            ["initdb", "postgres", "psql"].iter().all(|program| folder.join(program).is_file())
        };
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir(VERSIONS)
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
            .collect();
        versions.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
        std::env::split_paths(&path)
            .chain(versions.into_iter().map(|(_, folder)| folder))
            .find(complete)
            .map(|folder| Self { folder })
            .context(
                "failed to find PostgreSQL's initdb, postgres and psql on PATH or in /usr/lib/postgresql: install it \
                 (Debian: `apt-get install postgresql`), or set NIYAM_TEST_POSTGRES to a server's URL",
            )
    }

    /// The path of one of the programs.
    pub fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// The path of a program that comes with PostgreSQL.
///
/// # Errors
///
/// If it is not installed.
pub fn program(name: &str) -> Result<PathBuf> {
    let path = Binaries::find()?.program(name);
    if !path.is_file() {
        bail!("failed to find {name} beside PostgreSQL's other programs, in {}", path.display());
    }
    Ok(path)
}

/// A command that runs `program` as a user whom PostgreSQL accepts: root becomes `postgres`.
pub fn unprivileged(program: &Path) -> Result<Command> {
    if !is_root()? {
        return Ok(Command::new(program));
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "--"]).arg(program);
    Ok(command)
}

/// Gives `folder` to the user of [`unprivileged`].
pub fn hand_over(folder: &Path) -> Result<()> {
    if is_root()? {
        run(Command::new("chown").arg("postgres:").arg(folder))
            .context("PostgreSQL refuses root, and there may be no user `postgres` to run it as")?;
    }
    Ok(())
}

fn is_root() -> Result<bool> {
    let output = run(Command::new("id").arg("-u"))?;
    Ok(output.stdout.trim_ascii() == b"0")
}

/// Runs `command` to its end, which must be a good one.
pub fn run(command: &mut Command) -> Result<Output> {
    let program = command.get_program().to_string_lossy().into_owned();
    // Not the caller's folder, which another user may not be allowed to enter.
    let output = command.current_dir("/").output().with_context(|| format!("failed to run {program}"))?;
    if !output.status.success() {
        bail!("{program} failed, {}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(output)
}
