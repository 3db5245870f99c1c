//! `niyam projections`: what the views stand at, rebuilding them, letting a stopped one go on.

use clap::{Args, Subcommand};
use niyam_domain::TenantId;

use super::carry::events;
use super::progress::bar;
use super::{Where, open_existing};
use crate::app::App;
use crate::projections::rebuild;
use crate::projections::view::VIEWS;
use crate::projections::{checkpoint, resume};

/// What to do with the read models.
#[derive(Debug, Subcommand)]
pub(super) enum Projections {
    /// Shows how far each projection is, and where it stopped.
    List(Where),
    /// Computes a projection again beside the one that is shown, then shows the new one.
    Rebuild(Rebuild),
    /// Lets a projection that stopped at an event try it again.
    Resume(Resume),
}

/// Which projection to rebuild.
#[derive(Debug, Args)]
pub(super) struct Rebuild {
    /// Its name, as `list` shows it.
    name: String,
    /// For this tenant only.
    #[arg(long, env = "NIYAM_TENANT")]
    tenant: Option<TenantId>,
    #[command(flatten)]
    at: Where,
}

/// Which projection goes on.
#[derive(Debug, Args)]
pub(super) struct Resume {
    /// Its name, as `list` shows it.
    name: String,
    /// For this tenant.
    #[arg(long, env = "NIYAM_TENANT")]
    tenant: TenantId,
    #[command(flatten)]
    at: Where,
}

pub(super) async fn run(command: Projections) -> Result<(), String> {
    match command {
        Projections::List(at) => with_app(at, async |app| list(app).await).await,
        Projections::Rebuild(Rebuild { name, tenant, at }) => {
            with_app(at, async |app| rebuild_all(app, &name, tenant.as_ref()).await).await
        }
        Projections::Resume(Resume { name, tenant, at }) => {
            with_app(at, async |app| resume_one(app, &name, &tenant).await).await
        }
    }
}

async fn with_app(at: Where, work: impl AsyncFnOnce(&App) -> Result<(), String>) -> Result<(), String> {
    let app = open_existing(at).await?;
    let done = work(&app).await;
    app.close().await;
    done
}

async fn list(app: &App) -> Result<(), String> {
    let database = app.store.database();
    let heads = app.store.heads().await.map_err(|error| error.to_string())?;
    for view in VIEWS {
        let positions =
            checkpoint::positions(database, view.name()).await.map_err(|error| error.to_string())?;
        let failures =
            checkpoint::failures(database, view.name()).await.map_err(|error| error.to_string())?;
        for head in &heads {
            let at = positions.iter().find(|(tenant, _)| *tenant == head.tenant);
            let at = at.map_or(0, |(_, position)| position.0);
            print!("{} {} {at} of {}", view.name(), head.tenant, head.last_position);
            match failures.iter().find(|failure| failure.tenant == head.tenant.as_str()) {
                Some(failure) => println!(" stopped at {}: {}", failure.position, failure.error),
                None => println!(),
            }
        }
    }
    Ok(())
}

async fn rebuild_all(app: &App, name: &str, tenant: Option<&TenantId>) -> Result<(), String> {
    let view = rebuild::view(name).map_err(|error| error.to_string())?;
    let mut heads = app.store.heads().await.map_err(|error| error.to_string())?;
    heads.retain(|head| tenant.is_none_or(|tenant| *tenant == head.tenant));
    if let (Some(tenant), true) = (tenant, heads.is_empty()) {
        return Err(format!("tenant {tenant} has no events"));
    }
    let progress = bar(events(&heads));
    for head in &heads {
        rebuild::rebuild(&app.store, view, &head.tenant, |applied| progress.inc(applied))
            .await
            .map_err(|error| error.to_string())?;
    }
    progress.finish_and_clear();
    println!("{name} rebuilt for {} tenants, {} events", heads.len(), progress.position());
    Ok(())
}

async fn resume_one(app: &App, name: &str, tenant: &TenantId) -> Result<(), String> {
    let view = rebuild::view(name).map_err(|error| error.to_string())?;
    if resume(app.store.database(), view, tenant).await.map_err(|error| error.to_string())? {
        println!("{name} goes on for {tenant}");
        return Ok(());
    }
    Err(format!("{name} has not stopped for {tenant}"))
}
