//! Disks that take no more.

use std::path::Path;
use std::process::Command;

use anyhow::ensure;
use niyam_testdb::SmallDisk;
use sqlx::{Connection as _, PgConnection};

use crate::server::Place;

/// Room for what is there at first, and for what the clients write until the disk is filled.
const DISK_BYTES: u64 = 64 << 20;
const DISK_BYTES_PER_CYCLE: u64 = 16 << 20;

fn bytes(cycles: u32) -> u64 {
    DISK_BYTES + DISK_BYTES_PER_CYCLE * u64::from(cycles)
}

/// What is to run out of room.
pub enum Disk {
    /// A file system of its own, filled to the brim.
    Small(SmallDisk),
    /// The server's files may not grow: what SQLite meets over a quota, and what a test can do where it may not mount.
    Limit,
    /// A database that refuses events as it would on a full disk, for where it cannot have a disk of its own.
    Refusal(String),
}

impl Disk {
    /// A disk for SQLite.
    pub fn for_sqlite(cycles: u32) -> Self {
        SmallDisk::new(bytes(cycles)).map_or_else(
            |error| {
                eprintln!("{error:#}: limiting the size of files instead");
                Self::Limit
            },
            Self::Small,
        )
    }

    /// Moves a server that is down, its data in `place`, onto the disk.
    pub fn take_in(&self, place: &mut Place) -> anyhow::Result<()> {
        if let (Self::Small(disk), None) = (self, &place.database) {
            copy(&place.data, &disk.folder())?;
            place.data = disk.folder_inside();
            place.enter = disk.enter();
        }
        Ok(())
    }

    /// Moves it to `folder`, where everybody sees it.
    pub fn give_back(&self, place: &mut Place, folder: &Path) -> anyhow::Result<()> {
        if let (Self::Small(disk), None) = (self, &place.database) {
            copy(&disk.folder(), folder)?;
            folder.clone_into(&mut place.data);
            place.enter.clear();
        }
        Ok(())
    }

    /// A disk, and a database on it, in `cluster`.
    pub fn for_postgres(cluster: &niyam_testdb::Postgres, cycles: u32) -> anyhow::Result<(Self, String)> {
        match SmallDisk::for_postgres(bytes(cycles)) {
            Ok(disk) => {
                let url = cluster.create_database_in(&disk.folder())?;
                Ok((Self::Small(disk), url))
            }
            Err(error) => {
                eprintln!("{error:#}: refusing events instead");
                let url = cluster.create_database()?;
                Ok((Self::Refusal(url.clone()), url))
            }
        }
    }

    pub fn name(&self) -> &'static str {
        match self {
            Self::Small(_) => "full disk",
            Self::Limit => "limit on files",
            Self::Refusal(_) => "events refused",
        }
    }

    /// From now on nothing more can be written by the server, whose process is `pid`.
    pub async fn fill(&mut self, pid: u32) -> anyhow::Result<()> {
        match self {
            Self::Small(disk) => disk.fill(),
            Self::Limit => limit_files(pid, "8192"),
            Self::Refusal(url) => {
                execute(
                    url,
                    "create or replace function refuse() returns trigger language plpgsql as \
                     $$ begin raise exception 'no room' using errcode = 'disk_full'; end $$; \
                     create trigger refuse before insert on events execute function refuse()",
                )
                .await
            }
        }
    }

    /// There is room again.
    pub async fn free(&mut self, pid: Option<u32>) -> anyhow::Result<()> {
        match self {
            Self::Small(disk) => disk.free(),
            Self::Limit => pid.map_or(Ok(()), |pid| limit_files(pid, "unlimited")),
            Self::Refusal(url) => execute(url, "drop trigger refuse on events").await,
        }
    }
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to)?;
        } else {
            std::fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

fn limit_files(pid: u32, bytes: &str) -> anyhow::Result<()> {
    // The soft limit alone, which the process's owner may raise again.
    let status =
        Command::new("prlimit").args([format!("--pid={pid}"), format!("--fsize={bytes}:")]).status()?;
    ensure!(status.success(), "prlimit failed");
    Ok(())
}

async fn execute(url: &str, sql: &'static str) -> anyhow::Result<()> {
    let mut connection = PgConnection::connect(url).await?;
    sqlx::raw_sql(sql).execute(&mut connection).await?;
    connection.close().await?;
    Ok(())
}
