//! A PostgreSQL of its own for tests and measurements, its programs installed where they are missing.

use std::{env, fs};

use anyhow::Result;
use niyam_testdb::{ADMIN_URL_VARIABLE, Postgres};

use niyam_build::process::{find, install_debian};

/// The server that tests and measurements use.
pub(crate) struct TestServer {
    /// None when the environment names a server already.
    own: Option<Postgres>,
}

impl TestServer {
    /// Starts a throw-away server, which stops when it is dropped.
    pub(crate) fn start() -> Result<Self> {
        if env::var_os(ADMIN_URL_VARIABLE).is_some() {
            eprintln!("      the one that {ADMIN_URL_VARIABLE} names");
            return Ok(Self { own: None });
        }
        install()?;
        Ok(Self { own: Some(Postgres::start()?) })
    }

    /// What tells a command of it.
    pub(crate) fn variable(&self) -> Option<(&'static str, &str)> {
        self.own.as_ref().map(|server| (ADMIN_URL_VARIABLE, server.admin_url()))
    }
}

/// Installs the server's programs where they are missing, unless the environment names a server.
pub(crate) fn install() -> Result<()> {
    if env::var_os(ADMIN_URL_VARIABLE).is_some() || is_installed() {
        return Ok(());
    }
    install_debian(&["postgresql"])
}

fn is_installed() -> bool {
    // Debian keeps the server's programs off the path.
    find("postgres").is_some()
        || fs::read_dir("/usr/lib/postgresql").is_ok_and(|versions| {
            versions.flatten().any(|version| version.path().join("bin/postgres").is_file())
        })
}
