//! Other programs.

use std::env;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// How often a program that may take too long is looked at.
const POLL: Duration = Duration::from_millis(100);

/// Where `program` is, when it is on the path.
#[must_use]
pub fn find(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|dir| dir.join(program)).find(|path| path.is_file())
}

/// Runs `command`, which shows its own output, and fails when it does.
///
/// # Errors
/// When it does not start, or ends with a failure.
pub fn run(command: &mut Command) -> Result<()> {
    let name = name(command);
    let status = command.status().with_context(|| format!("failed to start {name}"))?;
    if !status.success() {
        bail!("{name} failed ({status})");
    }
    Ok(())
}

/// What `command` writes to its standard output.
///
/// # Errors
/// When it does not start, ends with a failure, or writes no text.
pub fn output(command: &mut Command) -> Result<String> {
    let name = name(command);
    let output =
        command.stderr(Stdio::inherit()).output().with_context(|| format!("failed to start {name}"))?;
    if !output.status.success() {
        bail!("{name} failed ({})", output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("{name} wrote something that is not text"))
}

/// Runs `command` in silence for at most `limit`; what it wrote comes back as the error.
///
/// # Errors
/// When it does not start, ends with a failure, or takes too long.
///
/// # Panics
/// Never: what it reads is piped.
pub fn run_quietly(command: &mut Command, limit: Duration) -> Result<()> {
    let name = name(command);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("failed to start {name}"))?;
    let Some(status) = wait(&mut child, limit)? else {
        child.kill()?;
        child.wait()?;
        bail!("{name} took more than {} s", limit.as_secs());
    };
    if !status.success() {
        let mut said = String::new();
        child.stderr.take().expect("it is piped").read_to_string(&mut said)?;
        bail!("{name} failed: {}", said.trim().lines().next_back().unwrap_or("it said nothing"));
    }
    Ok(())
}

/// The status of `child` once it ends, unless that takes more than `limit`.
///
/// # Errors
/// When its status cannot be asked for.
pub fn wait(child: &mut Child, limit: Duration) -> Result<Option<ExitStatus>> {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if started.elapsed() > limit {
            return Ok(None);
        }
        sleep(POLL);
    }
}

/// Installs Debian packages, as root or through sudo.
///
/// # Errors
/// When there is no apt-get, or it fails.
pub fn install_debian(packages: &[&str]) -> Result<()> {
    if find("apt-get").is_none() {
        bail!("no apt-get here: install {} by hand", packages.join(", "));
    }
    eprintln!("      installing {}", packages.join(", "));
    let install = || {
        run_quietly(apt_get().args(["install", "--yes", "--no-install-recommends"]).args(packages), APT_LIMIT)
    };
    install().or_else(|_| {
        // A fresh machine knows no package list yet, or an old one.
        run_quietly(apt_get().arg("update"), APT_LIMIT)?;
        install()
    })
}

/// Whether the Debian package is installed.
#[must_use]
pub fn has_debian(package: &str) -> bool {
    Command::new("dpkg-query")
        .args(["--show", "--showformat=${db:Status-Status}", package])
        .stderr(Stdio::null())
        .output()
        .is_ok_and(|output| output.stdout == b"installed")
}

const APT_LIMIT: Duration = Duration::from_mins(15);

fn apt_get() -> Command {
    let mut command = if find("sudo").is_some() && !is_root() {
        let mut sudo = Command::new("sudo");
        sudo.args(["--non-interactive", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
        sudo
    } else {
        let mut plain = Command::new("apt-get");
        plain.env("DEBIAN_FRONTEND", "noninteractive");
        plain
    };
    command.arg("--quiet");
    command
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn name(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}
