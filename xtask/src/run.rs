//! From a clean clone to a server with an issued invoice.

use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;
use std::{env, fs};

use anyhow::{Context, Result, bail};
use clap::Args;
use niyam_build::process;
use serde_json::Value;

use crate::plugins;
use crate::sample::{Client, show};
use crate::server::Server;
use crate::steps::Steps;
use crate::workspace::{cargo, root, target_dir};

const TENANT: &str = "demo";
const SAMPLE: &str = "examples/invoice.json";
const PORT_LIMIT: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(100);

/// What `cargo xtask run` may be told.
#[derive(Args)]
pub(crate) struct Options {
    /// Where the server keeps its files.
    #[arg(long, default_value = "./data")]
    data: PathBuf,
    /// Where the server listens.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Stops the server after the sample invoice.
    #[arg(long)]
    once: bool,
}

/// Builds, sets up the tenant, serves, issues the sample, and goes on serving until Ctrl-C.
pub(crate) fn run(options: &Options) -> Result<()> {
    let data = root().join(&options.data);
    let mut steps = Steps::new(6);
    steps.take("Building the modules", plugins::guests)?;
    steps.take("Building niyam", || {
        process::run(
            Command::new(cargo()).args(["build", "--release", "--package", "niyam"]).current_dir(root()),
        )
    })?;
    let niyam = target_dir().join("release/niyam");
    steps.take("Setting up the tenant demo", || create_tenant(&niyam, &data))?;

    steps.begin("Starting the server");
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&interrupted);
    ctrlc::set_handler(move || flag.store(true, Ordering::SeqCst))?;
    let token = token(&niyam, &data)?;
    let client = Client::new(format!("http://{}", options.listen), token.clone());
    let mut server = serve(&niyam, &data, options.listen, &client)?;

    let invoice = steps.take("Issuing the sample invoice", || {
        let sample = fs::read(root().join(SAMPLE)).with_context(|| format!("failed to read {SAMPLE}"))?;
        client.issue_once(&serde_json::from_slice(&sample)?, &data)
    })?;
    println!();
    for line in show(&invoice) {
        println!("{line}");
    }
    println!();

    steps.begin("Ready");
    println!("{}", invitation(options.listen, &token, &invoice));
    match server.as_mut() {
        Some(server) if !options.once => wait_until(server, &interrupted),
        Some(server) => server.stop(),
        None => Ok(()),
    }
}

/// Creates the tenant, unless an earlier run did.
fn create_tenant(niyam: &Path, data: &Path) -> Result<()> {
    fs::create_dir_all(data).with_context(|| format!("failed to create {}", data.display()))?;
    let output = Command::new(niyam)
        .args(["tenant", "create", TENANT, "--pack", "vat-bd"])
        .args(["--legal-name", "Meghna Office Supplies Ltd"])
        .args(["--address", "House 22, Road 7, Dhanmondi, Dhaka 1205"])
        .args(["--identifier", "bin=000828395-0207", "--data"])
        .arg(data)
        .current_dir(root())
        .output()
        .with_context(|| format!("failed to start {}", niyam.display()))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        return Ok(());
    }
    if said.contains("tenant-exists") {
        eprintln!("      it is there already");
        return Ok(());
    }
    bail!("niyam tenant create failed ({}): {}", output.status, said.trim());
}

fn token(niyam: &Path, data: &Path) -> Result<String> {
    let mut command = Command::new(niyam);
    command.args(["token", "--tenant", TENANT]);
    for role in ["accountant", "approver", "tenant-admin"] {
        command.args(["--role", role]);
    }
    let token = process::output(command.arg("--data").arg(data).current_dir(root()))?;
    Ok(token.trim().to_owned())
}

/// The server that this process started; none when one already serves `data` there.
fn serve(niyam: &Path, data: &Path, listen: SocketAddr, client: &Client) -> Result<Option<Server>> {
    if TcpStream::connect_timeout(&listen, PORT_LIMIT).is_ok() {
        if !client.is_known() {
            bail!("{listen} is taken by another program: stop it, or name another address with --listen");
        }
        eprintln!("      one already serves this data there, as built when it was started");
        return Ok(None);
    }
    let mut server = Server::start(niyam, data, &listen.to_string())?;
    server.wait_until_ready(client)?;
    eprintln!("      its log is {}", shown(server.log()).display());
    Ok(Some(server))
}

fn wait_until(server: &mut Server, interrupted: &AtomicBool) -> Result<()> {
    eprintln!("      Ctrl-C stops the server");
    while !interrupted.load(Ordering::SeqCst) {
        if let Some(status) = server.ended()? {
            bail!("niyam ended ({status}); see {}", shown(server.log()).display());
        }
        sleep(POLL);
    }
    eprintln!("      stopping");
    server.stop()
}

/// How to go on from here.
fn invitation(listen: SocketAddr, token: &str, invoice: &Value) -> String {
    let url = format!("http://{listen}");
    let id = invoice["id"].as_str().unwrap_or_default();
    format!(
        "\
URL    {url}    (the API is described at {url}/docs)
TOKEN={token}

curl -H \"Authorization: Bearer $TOKEN\" '{url}/v1/invoices?status=issued'
curl -H \"Authorization: Bearer $TOKEN\" -H 'Accept: text/html' {url}/v1/invoices/{id}/forms/mushak-6.3
curl -H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/json' -d @{SAMPLE} {url}/v1/tax/determinations
"
    )
}

/// `path` as a person in the current folder would write it.
fn shown(path: &Path) -> PathBuf {
    let here = env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path).to_owned()
}
