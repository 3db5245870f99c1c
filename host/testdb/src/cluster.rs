//! A cluster in a temporary folder, for as long as its owner lives.

use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::binaries::{Binaries, hand_over, unprivileged};
use crate::database::{create_database, create_database_in};

/// The server's only user, who needs no password on 127.0.0.1.
const USER: &str = "niyam";
/// Another program may take the free port before the server does.
const PORTS_TRIED: u32 = 5;
/// How often the server is asked whether it is ready, and for how long in all.
const READY_POLL: Duration = Duration::from_millis(20);
const READY_POLLS_MAX: u32 = 3000;

/// Makes the cluster and runs its server until standard input ends, which it does when the owner goes, however that
/// happens; then removes the folder. Meanwhile it takes orders there. The last signal is the one for which the server
/// ends its sessions and then itself; a server that only just starts ignores it, hence again. SIGQUIT is the immediate
/// stop, as `pg_ctl stop --mode=immediate` sends it.
const GUARD: &str = r#"
    serve() {
        "$POSTGRES" -D "$FOLDER/data" "$@" >>"$FOLDER/server.log" 2>&1 </dev/null &
        server=$!
    }
    "$INITDB" --pgdata "$FOLDER/data" --username "$OWNER" --auth=trust --encoding=UTF8 --locale=C --no-sync \
        >"$FOLDER/server.log" 2>&1 </dev/null || exit
    serve "$@"
    while read -r order; do
        case $order in
            stop) kill -QUIT $server; wait $server ;;
            start) serve "$@" ;;
        esac
    done
    while kill -INT $server 2>/dev/null; do sleep 0.05; done
    rm -rf "$FOLDER"
"#;

/// A running PostgreSQL cluster of one's own. Dropped, it stops and is removed.
#[derive(Debug)]
pub struct Postgres {
    admin_url: String,
    guard: Child,
    /// The server lives while this is open.
    lifeline: Option<ChildStdin>,
    folder: TempDir,
}

impl Postgres {
    /// Makes and starts a cluster, and waits until it is ready.
    ///
    /// # Errors
    ///
    /// If PostgreSQL is not installed or does not start; says what to do.
    pub fn start() -> Result<Self> {
        let binaries = Binaries::find()?;
        for _ in 1..PORTS_TRIED {
            match Self::start_on(&binaries, free_port()?) {
                Err(error) if format!("{error:#}").contains("in use") => {}
                outcome => return outcome,
            }
        }
        Self::start_on(&binaries, free_port()?)
    }

    /// The URL of the cluster's owner, who may make databases.
    #[must_use]
    pub fn admin_url(&self) -> &str {
        &self.admin_url
    }

    /// Makes a fresh database and gives its URL.
    ///
    /// # Errors
    ///
    /// If the server does not make it.
    pub fn create_database(&self) -> Result<String> {
        create_database(&self.admin_url)
    }

    /// Makes a fresh database whose tables lie in `folder`, an empty one of the user whom the server runs as.
    ///
    /// # Errors
    ///
    /// If the server does not make it.
    pub fn create_database_in(&self, folder: &Path) -> Result<String> {
        create_database_in(&self.admin_url, folder)
    }

    /// Stops the server at once: sessions break off, nothing is written down, as in a crash.
    ///
    /// # Errors
    ///
    /// If the server does not end.
    pub fn stop_immediately(&mut self) -> Result<()> {
        self.order("stop")?;
        let pid_file = self.folder.path().join("data/postmaster.pid");
        for _ in 0..READY_POLLS_MAX {
            if !pid_file.exists() {
                return Ok(());
            }
            sleep(READY_POLL);
        }
        bail!("PostgreSQL did not stop")
    }

    /// Starts a server that was stopped, on the same port, and waits until it has recovered.
    ///
    /// # Errors
    ///
    /// If the server does not become ready.
    pub fn start_again(&mut self) -> Result<()> {
        self.order("start")?;
        for _ in 0..READY_POLLS_MAX {
            if self.is_ready() {
                return Ok(());
            }
            sleep(READY_POLL);
        }
        bail!("PostgreSQL did not start again: {}", self.log().trim())
    }

    fn order(&mut self, order: &str) -> Result<()> {
        let lifeline = self.lifeline.as_mut().context("PostgreSQL has no guard")?;
        writeln!(lifeline, "{order}").context("failed to reach PostgreSQL's guard")
    }

    fn start_on(binaries: &Binaries, port: u16) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("niyam-postgres-").tempdir()?;
        hand_over(folder.path())?;
        let mut guard = unprivileged(Path::new("/bin/sh"))?
            .args(["-c", GUARD, "niyam-testdb"])
            .args(settings(port))
            .env("INITDB", binaries.program("initdb"))
            .env("POSTGRES", binaries.program("postgres"))
            .env("FOLDER", folder.path())
            .env("OWNER", USER)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // An interrupt at the terminal must not end the guard before it has cleaned up.
            .process_group(0)
            .spawn()
            .context("failed to start PostgreSQL")?;
        let lifeline = guard.stdin.take();
        let admin_url = format!("postgres://{USER}@127.0.0.1:{port}/postgres");
        let mut cluster = Self { admin_url, guard, lifeline, folder };
        cluster.wait_until_ready()?;
        Ok(cluster)
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        for _ in 0..READY_POLLS_MAX {
            if self.is_ready() {
                return Ok(());
            }
            if self.log().contains("FATAL") || self.guard.try_wait()?.is_some() {
                break;
            }
            sleep(READY_POLL);
        }
        bail!("PostgreSQL did not start: {}", self.log().trim())
    }

    fn is_ready(&self) -> bool {
        // The server writes its state into the last line.
        let state = fs::read_to_string(self.folder.path().join("data/postmaster.pid")).unwrap_or_default();
        state.lines().nth(7).is_some_and(|line| line.trim() == "ready")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("server.log")).unwrap_or_default()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        // Nothing to be done about a guard that does not end well; what it leaves is in a temporary folder.
        let _ = self.guard.wait();
    }
}

fn settings(port: u16) -> Vec<String> {
    let port = format!("port={port}");
    let settings = [
        port.as_str(),
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "max_connections=400",
        "shared_buffers=64MB",
        "fsync=on",
        "synchronous_commit=on",
    ];
    settings.iter().flat_map(|setting| ["-c".to_owned(), (*setting).to_owned()]).collect()
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("failed to find a free port")?;
    Ok(listener.local_addr()?.port())
}
