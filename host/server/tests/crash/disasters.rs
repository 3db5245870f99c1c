//! Disasters that strike under load, and then the proof.

use anyhow::{Context as _, ensure};
use niyam_testdb::Postgres;
use reqwest::StatusCode;
use tempfile::TempDir;

use crate::On;
use crate::clients::{Fleet, Running};
use crate::disk::Disk;
use crate::proof::Figures;
use crate::server::{Place, Server};
use crate::setup::{Setup, cycles};

/// The server is killed, and started again on what it left.
pub async fn killing(on: On) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let place = place(on, &folder).await?;
    let setup = Setup::new(place).await?;
    bounded(setup, async |setup| {
        let mut fleet = Fleet::new(setup);
        let mut server = Server::start(&setup.place)?;
        for _ in 0..setup.cycles {
            let running = fleet.load(server.url(), true);
            setup.pause().await;
            server.kill()?;
            fleet = running.stop().await?;
            server = Server::start(&setup.place)?;
        }
        fleet.settle(server.url()).await?;
        let figures = Figures::of(setup, &fleet, &server).await?;
        server.kill()?;
        figures.with_store(setup, &fleet).await?.stand("kill", on, "SIGKILL")
    })
    .await
}

/// PostgreSQL stops as in a crash and comes back, while the server lives.
pub async fn stopping_the_database() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut cluster = tokio::task::spawn_blocking(Postgres::start).await??;
    let place = Place::new(&folder, Some(cluster.create_database()?));
    let setup = Setup::new(place).await?;
    bounded(setup, async |setup| {
        let mut fleet = Fleet::new(setup);
        let server = Server::start(&setup.place)?;
        for _ in 0..setup.cycles {
            let mut running = fleet.load(server.url(), false);
            setup.pause().await;
            cluster.stop_immediately()?;
            setup.pause().await;
            cluster.start_again()?;
            running.until_each(2, |fare| &fare.acknowledged).await?;
            fleet = running.stop().await?;
        }
        fleet.settle(server.url()).await?;
        let figures = Figures::of(setup, &fleet, &server).await?;
        server.kill()?;
        figures.with_store(setup, &fleet).await?.stand("database-stop", On::Postgres, "immediate stop")
    })
    .await
}

/// The disk runs full. Every other time the server is killed while it is.
pub async fn filling_the_disk(on: On, mounts: bool) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    // Dropped after the disk that its tables lie on is no longer used.
    let cluster = match on {
        On::Sqlite => None,
        On::Postgres => Some(tokio::task::spawn_blocking(Postgres::start).await??),
    };
    let cycles = cycles()?;
    let (mut disk, database) = match &cluster {
        None if mounts => (Disk::for_sqlite(cycles), None),
        None => (Disk::Limit, None),
        Some(cluster) => {
            let (disk, url) = Disk::for_postgres(cluster, cycles)?;
            (disk, Some(url))
        }
    };
    let mut setup = Setup::new(Place::new(&folder, database)).await?;
    disk.take_in(&mut setup.place)?;
    let done = bounded(setup, async |setup| {
        let mut fleet = Fleet::new(setup);
        let mut server = Server::start(&setup.place)?;
        for cycle in 0..setup.cycles {
            let killed = cycle % 2 == 1;
            let mut running = fleet.load(server.url(), killed);
            setup.pause().await;
            disk.fill(server.pid()).await?;
            running.until_each(2, |fare| &fare.full).await?;
            reads_go_on(setup, &server).await?;
            if killed {
                server.kill()?;
                fleet = running.stop().await?;
                disk.free(None).await?;
                server = Server::start(&setup.place)?;
            } else {
                disk.free(Some(server.pid())).await?;
                fleet = resumed(running).await?;
            }
        }
        fleet.settle(server.url()).await?;
        let figures = Figures::of(setup, &fleet, &server).await?;
        server.kill()?;
        disk.give_back(&mut setup.place, &folder.path().join("afterwards"))?;
        let figures = figures.with_store(setup, &fleet).await?;
        ensure!(figures.refused("storage-full") > 0, "no request met the full disk");
        figures.stand("disk-full", on, disk.name())
    })
    .await;
    drop(cluster);
    done
}

async fn resumed(mut running: Running) -> anyhow::Result<Fleet> {
    running.until_each(2, |fare| &fare.acknowledged).await?;
    running.stop().await
}

async fn reads_go_on(setup: &Setup, server: &Server) -> anyhow::Result<()> {
    for tenant in &setup.tenants {
        for path in ["/v1/tenant", "/v1/invoices?limit=3", "/health/ready"] {
            let asked = setup.http.get(format!("{}{path}", server.url())).bearer_auth(&tenant.token);
            let status = asked.send().await?.status();
            ensure!(status == StatusCode::OK, "{path} answers {status} on a full disk");
        }
    }
    Ok(())
}

pub async fn place(on: On, folder: &TempDir) -> anyhow::Result<Place> {
    let database = match on {
        On::Sqlite => None,
        On::Postgres => Some(tokio::task::spawn_blocking(niyam_testdb::database_url).await?),
    };
    Ok(Place::new(folder, database))
}

async fn bounded(
    mut setup: Setup,
    disaster: impl AsyncFnOnce(&mut Setup) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let limit = setup.limit();
    tokio::time::timeout(limit, disaster(&mut setup)).await.context("it takes too long")?
}
