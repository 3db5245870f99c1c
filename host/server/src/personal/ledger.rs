//! What was erased, in a file of the data folder: `<data>/erased-keys.jsonl`.
//!
//! A backup that is older than an erasure holds the key that was destroyed, and the master key would open it. So what
//! was erased is kept beside the master key, and what is there is destroyed again whenever a database is opened, or
//! filled from a backup, under this data folder.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use niyam_domain::{SubjectKeyId, TenantId};
use niyam_store::{Books, EventStore, StoreError, SubjectKey};
use serde::{Deserialize, Serialize};

/// Where it lies under the data folder.
const FILE: &str = "erased-keys.jsonl";

/// A key that was destroyed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Line {
    tenant: TenantId,
    key_id: SubjectKeyId,
    /// What stands for the subject's name, hex.
    subject: String,
    created_at: Timestamp,
    erased_at: Timestamp,
}

/// The keys that were destroyed.
pub(crate) struct Ledger {
    path: PathBuf,
}

impl Ledger {
    pub(crate) fn of(data_folder: &Path) -> Self {
        Self { path: data_folder.join(FILE) }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes file and database agree: what either has as destroyed is destroyed. How many came back and were destroyed
    /// again; a failure of the file is the inner error.
    pub(crate) async fn settle(&self, store: &EventStore) -> Result<io::Result<u64>, StoreError> {
        let lines = match self.read() {
            Ok(lines) => lines,
            Err(error) => return Ok(Err(error)),
        };
        let erased = store.erased_subject_keys().await?;
        let known: BTreeSet<_> = erased.iter().map(|(tenant, key)| (tenant.clone(), key.id)).collect();
        let mut unknown: BTreeMap<&TenantId, Vec<SubjectKey>> = BTreeMap::new();
        for line in lines.iter().filter(|line| !known.contains(&(line.tenant.clone(), line.key_id))) {
            unknown.entry(&line.tenant).or_default().extend(line.key());
        }
        let mut again = 0;
        for (tenant, keys) in unknown {
            again += store.put_subject_keys(tenant, &keys).await?;
        }
        if again > 0 {
            store.scrub().await?;
            tracing::warn!(
                keys = again,
                "keys of erased data subjects had come back, and were destroyed again"
            );
        }
        let told: BTreeSet<_> = lines.iter().map(|line| (&line.tenant, line.key_id)).collect();
        let missing: Vec<_> =
            erased.iter().filter(|(tenant, key)| !told.contains(&(tenant, key.id))).collect();
        let recorded = recorded(store, &missing).await?;
        // What destroys a key destroys it in each backup that is restored here: it takes a word of the books.
        let (missing, untold): (Vec<_>, Vec<_>) =
            missing.into_iter().partition(|(tenant, key)| recorded.contains(&(tenant, key.id)));
        if let Some((tenant, key)) = untold.first() {
            tracing::error!(
                keys = untold.len(), tenant.id = %tenant, key.id = %key.id,
                "keys of data subjects are gone, and no erasure is recorded: somebody altered the database"
            );
        }
        Ok(self.append(missing.into_iter()).map(|()| again))
    }

    /// Adds keys that were destroyed.
    pub(crate) fn append<'a>(
        &self,
        keys: impl Iterator<Item = &'a (TenantId, SubjectKey)>,
    ) -> io::Result<()> {
        let mut text = Vec::new();
        for (tenant, key) in keys {
            let Some(erased_at) = key.erased_at else { continue };
            let line = Line {
                tenant: tenant.clone(),
                key_id: key.id,
                subject: hex::encode(key.subject),
                created_at: key.created_at,
                erased_at,
            };
            serde_json::to_writer(&mut text, &line)?;
            text.push(b'\n');
        }
        if text.is_empty() {
            return Ok(());
        }
        let mut options = OpenOptions::new();
        let mut file = options.append(true).create(true).mode(0o600).open(&self.path)?;
        // Whatever a crash left of a line before is a line of its own.
        if file.metadata()?.len() > 0 {
            text.insert(0, b'\n');
        }
        file.write_all(&text)?;
        file.sync_all()
    }

    fn read(&self) -> io::Result<Vec<Line>> {
        let text = match fs::read_to_string(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            text => text?,
        };
        let read = |line: &str| {
            // One that a crash cut off is in the database, and is added again.
            let line = serde_json::from_str(line);
            line.inspect_err(|error| tracing::warn!(%error, "a line of erased keys makes no sense")).ok()
        };
        Ok(text.lines().filter(|line| !line.is_empty()).filter_map(read).collect())
    }
}

/// Those of the destroyed keys whose erasure is recorded in their tenant's history.
async fn recorded<'a>(
    store: &EventStore,
    keys: &[&'a (TenantId, SubjectKey)],
) -> Result<BTreeSet<(&'a TenantId, SubjectKeyId)>, StoreError> {
    let books = Books::new(store.database().clone());
    let mut ids: BTreeMap<&TenantId, Vec<SubjectKeyId>> = BTreeMap::new();
    for (tenant, key) in keys {
        ids.entry(tenant).or_default().push(key.id);
    }
    let mut recorded = BTreeSet::new();
    for (tenant, ids) in ids {
        let told = books.erasures_told(tenant, &ids).await?;
        recorded.extend(told.into_iter().map(|id| (tenant, id)));
    }
    Ok(recorded)
}

impl Line {
    fn key(&self) -> Option<SubjectKey> {
        Some(SubjectKey {
            id: self.key_id,
            subject: hex::decode(&self.subject).ok()?.try_into().ok()?,
            wrapped: None,
            created_at: self.created_at,
            erased_at: Some(self.erased_at),
        })
    }
}
