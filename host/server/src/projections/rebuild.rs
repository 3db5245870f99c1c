//! Computes a view again from the first event, beside the build that is shown, and then shows the new one.
//!
//! The live build goes on meanwhile. The switch happens in one transaction per tenant, when the new build holds all
//! that the live one holds. A rebuild that was interrupted goes on where it was.

use niyam_domain::{Position, TenantId};
use niyam_store::{Database, Durability, EventStore, Scope, StoreError, Writer};

use crate::projections::checkpoint;
use crate::projections::runner::EVENTS_AT_ONCE;
use crate::projections::view::{ApplyError, Build, VIEWS, View};
use crate::projections::writer::run;

/// Why a view was not rebuilt. The one that is shown stays.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RebuildError {
    /// There is no such view.
    #[error("there is no projection {name}: there are {known}")]
    Unknown {
        /// As asked for.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// An event cannot be taken.
    #[error(
        "failed to rebuild for tenant {tenant}: the event at position {position} cannot be taken: {reason}"
    )]
    Poison {
        /// Whose event.
        tenant: TenantId,
        /// Where.
        position: Position,
        /// Why.
        reason: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for RebuildError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// The view of that name.
pub(crate) fn view(name: &str) -> Result<&'static dyn View, RebuildError> {
    VIEWS.iter().copied().find(|view| view.name() == name).ok_or_else(|| RebuildError::Unknown {
        name: name.to_owned(),
        known: VIEWS.iter().map(|view| view.name()).collect::<Vec<_>>().join(", "),
    })
}

/// Rebuilds a tenant's view and shows it; `progress` hears of every event that is applied.
pub(crate) async fn rebuild(
    store: &EventStore,
    view: &'static dyn View,
    tenant: &TenantId,
    mut progress: impl FnMut(u64),
) -> Result<(), RebuildError> {
    let scope = Scope::Tenant(tenant);
    let mut writer = store.database().write(&scope, Durability::Relaxed).await?;
    let build = checkpoint::next_build(&mut writer, tenant, view.name()).await?;
    let mut position = checkpoint::lock(&mut writer, tenant, view.name(), build).await?.unwrap_or_default();
    writer.commit().await?;
    progress(position.0);
    loop {
        let events = store.read(tenant, position, EVENTS_AT_ONCE).await?;
        let caught_up = events.len() < EVENTS_AT_ONCE as usize;
        let mut writer = store.database().write(&scope, Durability::Relaxed).await?;
        // Before the new build's own checkpoint, as the runner does, and held until the switch.
        let (live, shown) = checkpoint::live(&mut writer, tenant, view.name()).await?;
        let Some(before) = checkpoint::lock(&mut writer, tenant, view.name(), build).await? else {
            // Another rebuild was quicker.
            return Ok(());
        };
        position = before;
        for event in events.iter().filter(|event| event.position > before) {
            let applied = view.apply(&mut writer, build, event).await;
            let reason = match applied {
                Ok(()) => None,
                Err(ApplyError::Unreadable(reason)) => Some(reason),
                Err(ApplyError::Database(error)) => return Err(error.into()),
            };
            if let Some(reason) = reason {
                return Err(RebuildError::Poison {
                    tenant: tenant.clone(),
                    position: event.position,
                    reason,
                });
            }
            position = event.position;
        }
        checkpoint::advance(&mut writer, tenant, view.name(), build, position).await?;
        progress(position.0 - before.0);
        let complete = caught_up && position >= shown;
        if complete && live != build {
            checkpoint::switch(&mut writer, tenant, view.name(), live, build).await?;
            checkpoint::clear_failure(&mut writer, tenant, view.name()).await?;
        }
        writer.commit().await?;
        if complete {
            break;
        }
    }
    forget(store, view, tenant).await
}

/// Lets a view that stopped try its event again, on whichever host works on it; `false` if it had not stopped.
pub(crate) async fn resume(
    database: &Database,
    view: &dyn View,
    tenant: &TenantId,
) -> Result<bool, sqlx::Error> {
    let mut writer = database.write(&Scope::Tenant(tenant), Durability::Full).await?;
    let stopped = checkpoint::clear_failure(&mut writer, tenant, view.name()).await?;
    writer.commit().await?;
    Ok(stopped)
}

/// Deletes the rows of builds that are no longer shown, some at a time: appends must not wait for it.
async fn forget(store: &EventStore, view: &dyn View, tenant: &TenantId) -> Result<(), RebuildError> {
    loop {
        let mut writer = store.database().write(&Scope::Tenant(tenant), Durability::Relaxed).await?;
        let Some(build) = checkpoint::old_builds(&mut writer, tenant, view.name()).await? else {
            return Ok(());
        };
        if delete_some(&mut writer, view, tenant, build).await? == 0 {
            checkpoint::drop_build(&mut writer, tenant, view.name(), build).await?;
        }
        writer.commit().await?;
    }
}

async fn delete_some(
    writer: &mut Writer,
    view: &dyn View,
    tenant: &TenantId,
    build: Build,
) -> Result<u64, sqlx::Error> {
    let mut deleted = 0;
    for sql in view.forget() {
        deleted += run!(&mut *writer, *sql, tenant.as_str(), build.0)?;
    }
    Ok(deleted)
}
