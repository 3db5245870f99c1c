//! A view whose last moves a crash of the database took back.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use niyam_testdb::Postgres;
use reqwest::StatusCode;
use serde_json::Value;
use sqlx::{Connection as _, PgConnection};

use crate::clients::sale;
use crate::server::{Place, Server};
use crate::setup::Setup;

const PATIENCE: Duration = Duration::from_mins(1);
const PAUSE: Duration = Duration::from_millis(50);

/// No event comes after the crash that would set the view going again; and until it has caught up, the list must not
/// be shown to someone who names a position that it lacks.
pub async fn a_view_that_was_set_back() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut cluster = tokio::task::spawn_blocking(Postgres::start).await??;
    let url = cluster.create_database()?;
    // What commits without waiting for the disk stays away from it.
    let mut connection = PgConnection::connect(&url).await?;
    sqlx::raw_sql("alter system set wal_writer_delay = '10s'").execute(&mut connection).await?;
    sqlx::raw_sql("select pg_reload_conf()").execute(&mut connection).await?;
    connection.close().await?;
    let setup = Setup::new(Place::new(&folder, Some(url))).await?;
    let server = Server::start(&setup.place)?;
    let token = &setup.tenants[0].token;
    let drafted = setup.http.post(format!("{}/v1/invoices", server.url())).bearer_auth(token);
    let drafted = drafted.body(sale(1).to_string()).send().await?.error_for_status()?;
    let position = drafted.headers().get("niyam-position").context("a draft has a position")?.clone();
    let listed = async || {
        let list = setup.http.get(format!("{}/v1/invoices", server.url())).bearer_auth(token);
        let list = list.header("niyam-position", position.clone()).send().await?;
        let unavailable = list.status() == StatusCode::SERVICE_UNAVAILABLE;
        let found: Value = list.json().await?;
        ensure!(
            unavailable || found["items"].as_array().map(Vec::len) == Some(1),
            "the list is short: {found}"
        );
        Ok(!unavailable)
    };
    ensure!(listed().await?, "the view does not come to hold what was recorded");
    cluster.stop_immediately()?;
    cluster.start_again()?;
    let caught_up = async {
        while !listed().await? {
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    };
    tokio::time::timeout(PATIENCE, caught_up).await.context("the view stays behind")?
}
