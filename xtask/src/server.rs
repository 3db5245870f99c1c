//! A server in a process of its own, stopped gracefully.

use std::fs::{File, OpenOptions, read_to_string};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::sample::Client;
use crate::workspace::root;
use niyam_build::process::wait;

const READY_LIMIT: Duration = Duration::from_secs(90);
const STOP_LIMIT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(50);
/// How much of the log is shown when the server does not start.
const LOG_LINES_SHOWN: usize = 20;

/// A server that this process started, and stops when it is dropped.
pub(crate) struct Server {
    child: Child,
    log: PathBuf,
}

impl Server {
    /// Starts `niyam serve` on `data`; what it says goes to a log there.
    pub(crate) fn start(niyam: &Path, data: &Path, listen: &str) -> Result<Self> {
        let log = data.join("niyam.log");
        let open = || -> Result<File> {
            let file = OpenOptions::new().create(true).append(true).open(&log);
            file.with_context(|| format!("failed to open {}", log.display()))
        };
        let child = Command::new(niyam)
            .args(["serve", "--listen", listen, "--data"])
            .arg(data)
            .current_dir(root())
            .stdin(Stdio::null())
            .stdout(open()?)
            .stderr(open()?)
            // Ctrl-C reaches this process alone, which then stops the server and waits for it.
            .process_group(0)
            .spawn()
            .with_context(|| format!("failed to start {}", niyam.display()))?;
        Ok(Self { child, log })
    }

    /// Waits until the server says that it is ready.
    pub(crate) fn wait_until_ready(&mut self, client: &Client) -> Result<()> {
        let started = Instant::now();
        while !client.is_ready() {
            if let Some(status) = self.child.try_wait()? {
                bail!("niyam ended at its start ({status}); its log ends so:\n{}", self.end_of_log());
            }
            if started.elapsed() > READY_LIMIT {
                bail!(
                    "niyam is not ready after {} s; its log ends so:\n{}",
                    READY_LIMIT.as_secs(),
                    self.end_of_log()
                );
            }
            sleep(POLL);
        }
        Ok(())
    }

    /// Its status, once it has ended.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Asks the server to stop and waits until it has.
    pub(crate) fn stop(&mut self) -> Result<()> {
        if self.child.try_wait()?.is_some() {
            return Ok(());
        }
        Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status()?;
        if wait(&mut self.child, STOP_LIMIT)?.is_none() {
            self.child.kill()?;
            self.child.wait()?;
            bail!("niyam did not stop within {} s and was killed", STOP_LIMIT.as_secs());
        }
        Ok(())
    }

    /// Where it writes its log.
    pub(crate) fn log(&self) -> &Path {
        &self.log
    }

    fn end_of_log(&self) -> String {
        let log = read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            eprintln!("error: {error:#}");
        }
    }
}
