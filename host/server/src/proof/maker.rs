//! Makes a checkpoint: verifies what came since the last one, signs, and keeps it. What does not verify is not signed.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use niyam_domain::TenantId;
use niyam_store::audit::{Anchor, Audit};
use niyam_store::{ChainBreak, Database, StoreError};
use tokio::task::spawn_blocking;

use super::checkpoint::Checkpoint;
use super::key::CheckpointKey;
use super::sheet::{OpenSheet, Sheet, SheetFault};

/// Where the sheets lie under the data folder.
pub(crate) const FOLDER: &str = "checkpoints";
/// How long another process that adds to the same sheet is waited for.
const LOCK_PAUSE: Duration = Duration::from_millis(100);
const LOCK_TRIES: u32 = 100;

/// The checkpoints of a data folder, and the key that signs them.
pub(crate) struct Checkpoints {
    folder: PathBuf,
    key: CheckpointKey,
}

/// What became of a wish for a checkpoint.
#[derive(Debug)]
pub(crate) enum Made {
    /// It was made.
    Signed(Checkpoint),
    /// The history has not moved since this one; `None` if it has no events.
    Unchanged(Option<Checkpoint>),
}

/// Why none was made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MakeError {
    /// The history does not verify.
    #[error(transparent)]
    Broken(ChainBreak),
    /// The checkpoints there are do not.
    #[error("failed to trust the checkpoints of tenant {tenant}: {fault}")]
    Sheet { tenant: TenantId, fault: SheetFault },
    /// The history cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The sheet cannot be read or written.
    #[error("failed to keep a checkpoint: {0}")]
    Io(#[from] io::Error),
}

impl Checkpoints {
    /// Those of a data folder; the key is made on first use.
    pub(crate) fn open(data_folder: &Path) -> io::Result<Self> {
        Ok(Self { folder: data_folder.join(FOLDER), key: CheckpointKey::open(data_folder)? })
    }

    /// The tenant's newest checkpoint.
    pub(crate) fn last(&self, tenant: &TenantId) -> io::Result<Option<Checkpoint>> {
        Ok(Sheet::read(&self.folder, tenant, &self.key.public_keys())?.last().cloned())
    }

    /// Makes a checkpoint of the tenant's history as it is now.
    pub(crate) async fn make(
        &self,
        database: &Database,
        tenant: &TenantId,
        at: Timestamp,
    ) -> Result<Made, MakeError> {
        let mut open = self.lock(tenant).await?;
        let sheet = open.sheet(tenant, &self.key.public_keys())?;
        if let Some(fault) = sheet.faults.first() {
            return Err(MakeError::Sheet { tenant: tenant.clone(), fault: fault.clone() });
        }
        for note in &sheet.notes {
            tracing::warn!(tenant.id = %tenant, %note, "a sheet of checkpoints is not as it should be");
        }
        let last = sheet.last();
        let start = last.map_or(Anchor::GENESIS, Checkpoint::anchor);
        let verdict = Audit::new(database).since(tenant, start).await?;
        if let Some(broken) = verdict.breaks.into_iter().next() {
            return Err(MakeError::Broken(broken));
        }
        if verdict.end.position == start.position {
            return Ok(Made::Unchanged(last.cloned()));
        }
        let number = last.map_or(1, |last| last.number + 1);
        let checkpoint = Checkpoint::sign(&self.key, number, tenant.clone(), verdict.end, at);
        let line = checkpoint.clone();
        spawn_blocking(move || open.append(&line)).await.map_err(io::Error::other)??;
        Ok(Made::Signed(checkpoint))
    }

    async fn lock(&self, tenant: &TenantId) -> io::Result<OpenSheet> {
        for _ in 0..LOCK_TRIES {
            if let Some(open) = OpenSheet::open(&self.folder, tenant)? {
                return Ok(open);
            }
            tokio::time::sleep(LOCK_PAUSE).await;
        }
        Err(io::Error::new(io::ErrorKind::WouldBlock, "another process holds the file"))
    }
}
