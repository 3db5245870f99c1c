//! `niyam backup`, `restore` and `copy`: everything that the books are, into a file, out of it, to another database.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use futures::{Stream, StreamExt as _, TryStreamExt as _, stream};
use niyam_store::{Clock as _, DatabaseUrl, EventStore, Head, Record, StoreConfig};

use super::progress::bar;
use super::{Where, must_exist};
use crate::app::open_store;
use crate::backup::{BackupReader, BackupWriter};
use crate::clock::SystemClock;
use crate::personal::ledger::Ledger;

/// Where to and from.
#[derive(Debug, Args)]
pub(super) struct Backup {
    /// The file to write, which must not be there yet.
    file: PathBuf,
    #[command(flatten)]
    at: Where,
}

/// Where from and to.
#[derive(Debug, Args)]
pub(super) struct Restore {
    /// The file to read.
    file: PathBuf,
    #[command(flatten)]
    at: Where,
}

/// Where from and to.
#[derive(Debug, Args)]
pub(super) struct Copy {
    /// The database to read: a `postgres://` URL, or `sqlite:` and a file.
    #[arg(long, env = "NIYAM_FROM")]
    from: DatabaseUrl,
    /// The database to write.
    #[arg(long, env = "NIYAM_TO")]
    to: DatabaseUrl,
}

pub(super) async fn backup(Backup { file, at }: Backup) -> Result<(), String> {
    must_exist(&at)?;
    let store = open_at(&at).await?;
    let done = write_backup(&store, &file).await;
    store.close().await;
    done
}

async fn write_backup(store: &EventStore, file: &Path) -> Result<(), String> {
    let heads = store.heads().await.map_err(|error| error.to_string())?;
    let progress = bar(events(&heads));
    let mut records = std::pin::pin!(store.export(heads.clone()));
    let mut writer =
        BackupWriter::create(file, SystemClock.now(), &heads).map_err(|error| error.to_string())?;
    while let Some(record) = records.try_next().await.map_err(|error| error.to_string())? {
        progress.inc(u64::from(matches!(record, Record::Event(_))));
        writer.write(record).map_err(|error| error.to_string())?;
    }
    writer.finish().map_err(|error| error.to_string())?;
    progress.finish_and_clear();
    tell(&heads);
    println!("{} tenants, {} events in {}", heads.len(), progress.position(), file.display());
    Ok(())
}

pub(super) async fn restore(Restore { file, at }: Restore) -> Result<(), String> {
    let mut reader = BackupReader::open(&file).map_err(|error| error.to_string())?;
    let heads = reader.heads().to_vec();
    let store = open_at(&at).await?;
    let records = stream::iter(std::iter::from_fn(move || reader.next().transpose()));
    let mut done = take_in(&store, records, &heads).await;
    if done.is_ok() {
        done = erase_again(&store, &at.data).await;
    }
    store.close().await;
    done
}

/// What was erased since the backup stays erased, as far as this data folder knows of it.
async fn erase_again(store: &EventStore, data: &Path) -> Result<(), String> {
    let again = Ledger::of(data).settle(store).await.map_err(|error| error.to_string())?;
    let again = again.map_err(|error| format!("failed to use the file of erased keys: {error}"))?;
    if again > 0 {
        println!("{again} keys of data subjects that were erased since the backup are destroyed again");
    }
    Ok(())
}

pub(super) async fn copy(Copy { from, to }: Copy) -> Result<(), String> {
    if let DatabaseUrl::Sqlite(path) = &from
        && !path.exists()
    {
        return Err(format!("there is no {}", path.display()));
    }
    let from = open_url(from).await?;
    let to = open_url(to).await?;
    let heads = from.heads().await.map_err(|error| error.to_string())?;
    let done = take_in(&to, from.export(heads.clone()), &heads).await;
    to.close().await;
    from.close().await;
    done
}

/// Takes `records` in, and compares the heads afterwards.
async fn take_in<E: std::fmt::Display>(
    store: &EventStore,
    records: impl Stream<Item = Result<Record, E>>,
    heads: &[Head],
) -> Result<(), String> {
    let progress = bar(events(heads));
    let imported = store
        .import(records.fuse(), |imported| progress.set_position(imported.events + imported.known))
        .await
        .map_err(|error| error.to_string())?;
    progress.finish_and_clear();
    for head in heads {
        let found =
            store.read(&head.tenant, niyam_domain::Position(head.last_position.0.saturating_sub(1)), 1);
        let found = found.await.map_err(|error| error.to_string())?;
        if found.first().is_none_or(|found| found.hash != head.hash) {
            return Err(format!("tenant {} did not arrive whole: run it again", head.tenant));
        }
    }
    tell(heads);
    println!("{} tenants, {} events taken in, {} were there", heads.len(), imported.events, imported.known);
    if imported.erased > 0 {
        println!("{} data subjects were erased there, and are here now", imported.erased);
    }
    Ok(())
}

fn tell(heads: &[Head]) {
    for head in heads {
        println!("{} {} {}", head.tenant, head.last_position, hex::encode(head.hash));
    }
}

/// How many events lead up to the heads.
pub(super) fn events(heads: &[Head]) -> u64 {
    heads.iter().map(|head| head.last_position.0).sum()
}

async fn open_at(at: &Where) -> Result<EventStore, String> {
    let clock = Arc::new(SystemClock);
    open_store(&at.data, at.database_url.clone(), clock).await.map_err(|error| error.to_string())
}

async fn open_url(database: DatabaseUrl) -> Result<EventStore, String> {
    let config = StoreConfig::new(database, Arc::new(SystemClock));
    EventStore::open(config).await.map_err(|error| error.to_string())
}
