//! The server under measurement: its own process, data folder and database, with tenants and their tokens.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use niyam::{App, AppConfig, NewTenant, Role, SystemClock, create_tenant};
use niyam_sdk::Identifier;
use niyam_store::Clock as _;
use serde_json::Value;
use tempfile::TempDir;

const START_LIMIT: Duration = Duration::from_mins(1);
const STOP_LIMIT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(20);
/// Longer than any measurement.
const TOKEN_LIFE: Duration = Duration::from_hours(12);
/// How long one tick of the processor times in `/proc` lasts.
const TICK: Duration = Duration::from_millis(10);

/// A running server.
pub struct Service {
    child: Child,
    address: SocketAddr,
    tokens: Vec<String>,
    /// Goes with the server.
    data: TempDir,
}

impl Service {
    /// Makes `tenants` tenants in a new data folder and serves them; on SQLite, unless a PostgreSQL database is named.
    pub async fn start(niyam: &Path, database_url: Option<&str>, tenants: usize) -> Result<Self> {
        Self::start_with(niyam, database_url, &vec!["vat-bd"; tenants], Vec::new()).await
    }

    /// The same, with a tenant for each of `packs`, which are the binary's or of `modules`.
    pub async fn start_with(
        niyam: &Path,
        database_url: Option<&str>,
        packs: &[&str],
        modules: Vec<Vec<u8>>,
    ) -> Result<Self> {
        let folder = niyam.parent().context("the server's binary lies in no folder")?;
        let data = tempfile::Builder::new().prefix("niyam-bench-").tempdir_in(folder)?;
        let tokens = make_tenants(data.path(), database_url, packs, modules).await?;
        let log = data.path().join("niyam.log");
        let mut command = command(niyam);
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data.path());
        if let Some(url) = database_url {
            command.args(["--database-url", url]);
        }
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log)?)
            .spawn()
            .with_context(|| format!("failed to start {}", niyam.display()))?;
        let address = match wait_until_listening(&mut child, &log) {
            Ok(address) => address,
            Err(error) => {
                child.kill()?;
                child.wait()?;
                return Err(error);
            }
        };
        Ok(Self { child, address, tokens, data })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its folder.
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// For each tenant, the value of `Authorization` that opens it.
    pub fn authorizations(&self) -> Vec<String> {
        self.tokens.iter().map(|token| format!("Bearer {token}")).collect()
    }

    /// Processor time that it took so far.
    pub fn processor_time(&self) -> Result<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let ticks = ticks(&stat).context("the kernel tells no processor time")?;
        Ok(TICK * ticks)
    }

    /// Asks it to stop and waits until it has.
    pub fn stop(mut self) -> Result<()> {
        Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status()?;
        let began = Instant::now();
        loop {
            match self.child.try_wait()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => bail!("niyam ended badly ({status})"),
                None if began.elapsed() > STOP_LIMIT => bail!("niyam did not stop"),
                None => sleep(POLL),
            }
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It has ended, or the measurement failed and nobody waits for it any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The server's binary, told nothing by the caller's shell, which means another server.
pub fn command(niyam: &Path) -> Command {
    let mut command = Command::new(niyam);
    for (variable, _) in std::env::vars_os() {
        if variable.to_string_lossy().starts_with("NIYAM_") {
            command.env_remove(variable);
        }
    }
    command
}

/// Through the server's own code, since a process for each tenant would take longer than what is measured.
async fn make_tenants(
    data: &Path,
    database_url: Option<&str>,
    packs: &[&str],
    modules: Vec<Vec<u8>>,
) -> Result<Vec<String>> {
    let database = database_url.map(str::parse).transpose()?;
    let app = App::open(AppConfig { modules, ..AppConfig::new(data.to_owned(), database) }).await?;
    let mut tokens = Vec::with_capacity(packs.len());
    let now = SystemClock.now();
    for (number, pack) in packs.iter().enumerate() {
        let tenant = format!("tenant-{number}").parse()?;
        let bin = Identifier { kind: "bin".to_owned(), value: "000828395-0207".to_owned() };
        tokens.push(app.signing_key().sign(
            &tenant,
            "bench",
            &[Role::Accountant, Role::Approver],
            now,
            now.checked_add(TOKEN_LIFE)?,
        )?);
        let new = NewTenant {
            tenant,
            pack: (*pack).to_owned(),
            config: None,
            legal_name: Some("Meghna Office Supplies Ltd".to_owned()),
            address: Some("House 22, Road 7, Dhanmondi, Dhaka 1205".to_owned()),
            time_zone: "Asia/Dhaka".to_owned(),
            identifiers: if *pack == "vat-bd" { vec![bin] } else { Vec::new() },
        };
        create_tenant(&app, new).await.map_err(|error| anyhow!(error))?;
    }
    app.close().await;
    Ok(tokens)
}

fn wait_until_listening(child: &mut Child, log: &Path) -> Result<SocketAddr> {
    let began = Instant::now();
    loop {
        let said = fs::read_to_string(log)?;
        if let Some(address) = said.lines().find_map(listening) {
            return Ok(address);
        }
        if child.try_wait()?.is_some() || began.elapsed() > START_LIMIT {
            bail!("niyam did not start: {}", said.trim());
        }
        sleep(POLL);
    }
}

/// The address in the log line that says that the server listens.
fn listening(line: &str) -> Option<SocketAddr> {
    let line: Value = serde_json::from_str(line).ok()?;
    (line["message"] == "listening").then_some(())?;
    line["address"].as_str()?.parse().ok()
}

/// User's and system's time in `/proc/<pid>/stat`, after the name, which may hold anything.
fn ticks(stat: &str) -> Option<u32> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_whitespace().skip(11);
    let (user, system): (u32, u32) = (times.next()?.parse().ok()?, times.next()?.parse().ok()?);
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use super::{listening, ticks};

    #[test]
    fn the_log_line_that_names_the_address_is_found() {
        let line = r#"{"level":"INFO","message":"listening","address":"127.0.0.1:40123"}"#;
        assert_eq!(listening(line), Some("127.0.0.1:40123".parse().unwrap()));
        assert_eq!(listening(r#"{"message":"module loaded"}"#), None);
        assert_eq!(listening("half a li"), None);
    }

    #[test]
    fn processor_time_is_the_user_s_and_the_system_s() {
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194560 2014 0 3 0 250 31 0 0 20 0 9 0 88 1 2";
        assert_eq!(ticks(stat), Some(281));
    }
}
