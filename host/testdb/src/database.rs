//! Fresh databases.

use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, bail};

use crate::binaries::{Binaries, run};
use crate::cluster::Postgres;

/// Names a server's URL whose user may make databases; tests then use that server.
pub const ADMIN_URL_VARIABLE: &str = "NIYAM_TEST_POSTGRES";

/// The process's own cluster, for when no other is named. It goes with the process.
static OWN: Mutex<Option<Postgres>> = Mutex::new(None);

/// The URL of a fresh database, for a test.
///
/// # Panics
///
/// If PostgreSQL is not to be had: a test that needs it fails, it is not skipped.
#[must_use]
pub fn database_url() -> String {
    fresh().unwrap_or_else(|error| panic!("failed to get a PostgreSQL database for a test: {error:#}"))
}

fn fresh() -> Result<String> {
    if let Ok(admin_url) = std::env::var(ADMIN_URL_VARIABLE) {
        return create_database(&admin_url);
    }
    let mut own = OWN.lock().unwrap_or_else(PoisonError::into_inner);
    let cluster = match own.take() {
        Some(cluster) => cluster,
        None => Postgres::start()?,
    };
    own.insert(cluster).create_database()
}

/// Makes a database with a name that was not there, and gives its URL.
pub fn create_database(admin_url: &str) -> Result<String> {
    let name = fresh_name();
    psql(admin_url, &[format!("create database {name} template template0")])?;
    with_database(admin_url, &name)
}

/// Makes a database as [`create_database`] does, with its tables in `folder`.
pub fn create_database_in(admin_url: &str, folder: &Path) -> Result<String> {
    let name = fresh_name();
    let folder = folder.display();
    psql(
        admin_url,
        &[
            format!("create tablespace {name} location '{folder}'"),
            format!("create database {name} template template0 tablespace {name}"),
        ],
    )?;
    with_database(admin_url, &name)
}

/// Unlike any other, in this process or another: the keys of a `RandomState` are random.
fn fresh_name() -> String {
    format!("niyam_test_{:016x}", RandomState::new().hash_one(std::process::id()))
}

fn psql(url: &str, statements: &[String]) -> Result<()> {
    let mut psql = Command::new(Binaries::find()?.program("psql"));
    psql.args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--dbname", url]);
    for statement in statements {
        psql.arg("--command").arg(statement);
    }
    run(&mut psql).context("failed to make a database")?;
    Ok(())
}

/// `url` with another database, its parameters kept.
fn with_database(url: &str, name: &str) -> Result<String> {
    let Some((scheme, rest)) = url.split_once("://") else { bail!("{ADMIN_URL_VARIABLE} is not a URL") };
    let (place, parameters) = rest.split_once('?').map_or((rest, None), |(place, rest)| (place, Some(rest)));
    let host = place.split_once('/').map_or(place, |(host, _)| host);
    let parameters = parameters.map(|parameters| format!("?{parameters}")).unwrap_or_default();
    Ok(format!("{scheme}://{host}/{name}{parameters}"))
}

#[cfg(test)]
mod tests {
    use super::with_database;

    #[test]
    fn a_database_replaces_the_one_of_the_url() {
        for (url, expected) in [
            ("postgres://u@h:1/postgres", "postgres://u@h:1/x"),
            ("postgres://u:p@h", "postgres://u:p@h/x"),
            ("postgres://u@h/postgres?sslmode=disable", "postgres://u@h/x?sslmode=disable"),
        ] {
            assert_eq!(with_database(url, "x").unwrap(), expected);
        }
    }
}
