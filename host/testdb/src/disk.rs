//! A small disk, for tests that fill it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::binaries::{hand_over, unprivileged};

/// Mounts a file system in memory where only the holder sees it, and keeps it until standard input ends. Each order is
/// answered when it is carried out.
const HOLDER: &str = r#"
    mount -t tmpfs -o "size=$SIZE,mode=0700" niyam-small-disk "$MOUNT" && mkdir "$MOUNT/space" || exit
    echo mounted
    while read -r order; do
        case $order in
            fill) cat /dev/zero >"$MOUNT/ballast"; test -s "$MOUNT/ballast" && echo full ;;
            free) rm "$MOUNT/ballast" && echo free ;;
        esac
    done
"#;

/// A file system of a few megabytes. It needs no privilege: it lies in a namespace of its own, and is reached through
/// its holder. Dropped, it is gone.
#[derive(Debug)]
pub struct SmallDisk {
    holder: Child,
    /// The disk lives while this is open.
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    mount: TempDir,
}

impl SmallDisk {
    /// Makes a disk of `bytes`.
    ///
    /// # Errors
    ///
    /// Where users may not mount anything, not even in a namespace of their own.
    pub fn new(bytes: u64) -> Result<Self> {
        Self::held_by(Command::new("unshare"), tempfile::tempdir()?, bytes)
    }

    /// Makes a disk of `bytes` for the user whom PostgreSQL runs as.
    ///
    /// # Errors
    ///
    /// As for [`SmallDisk::new`].
    pub fn for_postgres(bytes: u64) -> Result<Self> {
        let mount = tempfile::tempdir()?;
        hand_over(mount.path())?;
        Self::held_by(unprivileged(Path::new("unshare"))?, mount, bytes)
    }

    /// A folder on it, empty at first, for the processes of its owner. The path leads through a link that cannot be
    /// resolved by its text, as SQLite does; see [`SmallDisk::enter`].
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        let inside = self.folder_inside();
        let inside = inside.strip_prefix("/").unwrap_or(&inside);
        PathBuf::from(format!("/proc/{}/root", self.holder.id())).join(inside)
    }

    /// The same folder as those see it who entered.
    #[must_use]
    pub fn folder_inside(&self) -> PathBuf {
        self.mount.path().join("space")
    }

    /// Arguments of a command that runs what follows them where the disk is mounted.
    #[must_use]
    pub fn enter(&self) -> Vec<String> {
        let holder = self.holder.id().to_string();
        ["nsenter", "--user", "--preserve-credentials", "--mount", "--target", &holder]
            .map(str::to_owned)
            .to_vec()
    }

    /// Takes all the room that is left.
    ///
    /// # Errors
    ///
    /// If no room was left.
    pub fn fill(&mut self) -> Result<()> {
        self.order("fill", "full")
    }

    /// Gives the room back.
    ///
    /// # Errors
    ///
    /// If it was not filled.
    pub fn free(&mut self) -> Result<()> {
        self.order("free", "free")
    }

    fn held_by(mut unshare: Command, mount: TempDir, bytes: u64) -> Result<Self> {
        let mut holder = unshare
            .args(["--map-root-user", "--mount", "/bin/sh", "-c", HOLDER])
            .env("SIZE", bytes.to_string())
            .env("MOUNT", mount.path())
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("failed to run unshare")?;
        let orders = holder.stdin.take();
        let answers = BufReader::new(holder.stdout.take().context("the holder has no output")?);
        let mut disk = Self { holder, orders, answers, mount };
        if !disk.says("mounted")? {
            bail!("failed to mount a small disk in a namespace of our own");
        }
        Ok(disk)
    }

    fn order(&mut self, order: &str, expected: &str) -> Result<()> {
        let orders = self.orders.as_mut().context("a small disk has no holder")?;
        writeln!(orders, "{order}").context("failed to reach the holder of a small disk")?;
        if !self.says(expected)? {
            bail!("failed to {order} a small disk");
        }
        Ok(())
    }

    fn says(&mut self, expected: &str) -> Result<bool> {
        let mut said = String::new();
        self.answers.read_line(&mut said)?;
        Ok(said.trim_end() == expected)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(self.orders.take());
        // Nothing to be done about a holder that does not end well.
        let _ = self.holder.wait();
    }
}
