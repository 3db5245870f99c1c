//! `niyam serve` in a process of its own, which can be killed.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use anyhow::Context as _;
use tempfile::TempDir;

const START_LIMIT: Duration = Duration::from_mins(2);
/// How much of the log is shown when the server does not start.
const LOG_LINES_SHOWN: usize = 40;

/// Where a server keeps what must survive it.
#[derive(Debug, Clone)]
pub struct Place {
    pub data: PathBuf,
    /// How to get to where the data folder is, if it is not for everyone to see.
    pub enter: Vec<String>,
    /// PostgreSQL; else SQLite in the data folder.
    pub database: Option<String>,
}

impl Place {
    pub fn new(folder: &TempDir, database: Option<String>) -> Self {
        Self { data: folder.path().join("data"), enter: Vec::new(), database }
    }
}

/// A server that lives until it is killed or dropped.
pub struct Server {
    child: Child,
    url: String,
}

impl Server {
    /// Starts the server and waits until it listens.
    pub fn start(place: &Place) -> anyhow::Result<Self> {
        // A limit on the size of files, where a test sets one, is to be an error and not a signal.
        let shell = ["/bin/sh", "-c", r#"trap "" XFSZ; exec "$@""#, "sh"].map(str::to_owned);
        let mut words = place.enter.iter().chain(&shell);
        let mut command = Command::new(words.next().context("there is a shell at least")?);
        command.args(words).args([env!("CARGO_BIN_EXE_niyam"), "serve"]);
        command.args(["--listen", "127.0.0.1:0", "--data"]).arg(&place.data);
        if let Some(url) = &place.database {
            command.args(["--database-url", url]);
        }
        let mut child = command
            .env_remove("NIYAM_DATABASE_URL")
            .env("NIYAM_LOG", "info,sqlx=error")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("failed to start niyam")?;
        let stderr = child.stderr.take().context("niyam has no log")?;
        let mut server = Self { child, url: String::new() };
        let (listening, heard) = mpsc::channel();
        let log = Arc::new(Mutex::new(VecDeque::new()));
        let kept = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if let Some(address) = address(&line) {
                    // Nobody waits any more when the start took too long.
                    let _ = listening.send(address);
                }
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.push_back(line);
                if kept.len() > LOG_LINES_SHOWN {
                    kept.pop_front();
                }
            }
        });
        let address = heard.recv_timeout(START_LIMIT).map_err(|_| {
            let lines: Vec<_> = log.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect();
            anyhow::anyhow!("niyam does not listen; its log ends so:\n{}", lines.join("\n"))
        })?;
        server.url = format!("http://{address}");
        Ok(server)
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as a crash would: at once, whatever it was doing.
    pub fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be dead already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn address(line: &str) -> Option<String> {
    let entry: serde_json::Value = serde_json::from_str(line).ok()?;
    (entry["message"] == "listening").then(|| entry["address"].as_str().map(str::to_owned))?
}
