//! `pgbench`: the same bytes, one row in a transaction of its own, into a plain table with the same key.
//!
//! It does as little besides as it can, so that no ratio flatters the store: of a row only the key differs from the
//! others, and comes from a sequence of which each session takes a hundred at a time; names and ids of the length that
//! the store's have are constants. It checks no version, keeps no answer, moves no head and hashes nothing.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use niyam_testdb::program;
use sqlx::{Connection as _, PgConnection};
use tempfile::TempDir;
use tokio::task::spawn_blocking;

use super::subject::{EVENT_TYPE, METADATA, id, payload};

/// The columns of an event, and its key. No other index, no check.
const TABLE: &str = "create table plain_events ( \
     tenant text collate \"C\" not null, position bigint not null, stream text collate \"C\" not null, \
     version bigint not null, event_id bytea not null, event_type text collate \"C\" not null, \
     recorded_at bigint not null, effective_date text collate \"C\" not null, payload bytea not null, \
     metadata bytea not null, hash bytea not null, primary key (tenant, position))";
const POSITIONS: &str = "create sequence plain_positions cache 100";

const SCRIPT: &str = "\\set tenant random(0, :tenants - 1)\n\
     insert into plain_events values ('tenant-' || :tenant, nextval('plain_positions'), \
     :stream, 1, decode(:id, 'hex'), :type, 1780000000000000, '2026-07-01', :payload, :metadata, \
     decode(:hash, 'hex'));\n";

/// A database of its own, and the script.
pub struct Pgbench {
    url: String,
    program: PathBuf,
    folder: TempDir,
}

impl Pgbench {
    pub async fn new(url: String) -> Result<Self> {
        let program = program("pgbench")?;
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join("insert.sql"), SCRIPT)?;
        let mut connection = PgConnection::connect(&url).await?;
        for sql in [TABLE, POSITIONS] {
            sqlx::query(sql).execute(&mut connection).await?;
        }
        connection.close().await?;
        Ok(Self { url, program, folder })
    }

    /// Transactions per second of so many clients.
    pub async fn run(&self, clients: usize, tenants: usize, seconds: u64) -> Result<f64> {
        let mut command = Command::new(&self.program);
        command
            .args(["--no-vacuum", "--protocol=prepared", "--jobs=2"])
            .arg(format!("--client={clients}"))
            .arg(format!("--time={seconds}"))
            .arg(format!("--file={}", self.folder.path().join("insert.sql").display()));
        let (id, hash) = (id(1), "0123456789abcdef".repeat(4));
        for (name, value) in [
            ("tenants", tenants.to_string()),
            ("stream", format!("invoice/{id}")),
            ("id", id.simple().to_string()),
            ("type", EVENT_TYPE.to_owned()),
            ("payload", payload()),
            ("metadata", METADATA.to_owned()),
            ("hash", hash),
        ] {
            command.arg(format!("--define={name}={value}"));
        }
        command.arg(&self.url);
        let output = spawn_blocking(move || command.output()).await?.context("failed to run pgbench")?;
        let said = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            bail!("pgbench failed: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        per_second(&said).with_context(|| format!("pgbench does not say how fast it was: {said}"))
    }

    /// Rows, and the bytes of an event's JSON in each.
    pub async fn rows(&self) -> Result<(i64, i64)> {
        const SQL: &str = "select count(*), coalesce(min(octet_length(payload) + octet_length(metadata)), 0)::bigint \
             from plain_events";
        let mut connection = PgConnection::connect(&self.url).await?;
        let rows = sqlx::query_as(SQL).fetch_one(&mut connection).await?;
        connection.close().await?;
        Ok(rows)
    }
}

/// What follows `tps = `.
fn per_second(said: &str) -> Option<f64> {
    let rate = said.lines().find_map(|line| line.strip_prefix("tps = "))?;
    rate.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::per_second;

    #[test]
    fn the_rate_is_found_in_what_pgbench_says() {
        let said = "latency average = 2.1 ms\ntps = 3791.904 (without initial connection time)\n";
        assert_eq!(per_second(said), Some(3791.904));
        assert_eq!(per_second("pgbench (15)\n"), None);
    }
}
