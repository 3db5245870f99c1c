//! The file that keeps a tenant's checkpoints, one a line, each added at the end and never changed.
//!
//! A line that a crash tore is passed over, and told of. A checkpoint is a true statement wherever it stands, so a copy
//! of a sheet may begin late or end early; but one taken out of the middle shows by its number.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use niyam_domain::TenantId;

use super::checkpoint::Checkpoint;
use super::key::PublicKeys;

const EXTENSION: &str = "jsonl";

/// Where a tenant's sheet lies in a folder of them.
pub(crate) fn path(folder: &Path, tenant: &TenantId) -> PathBuf {
    folder.join(format!("{tenant}.{EXTENSION}"))
}

/// The tenants that have a sheet in a folder.
pub(crate) fn tenants(folder: &Path) -> io::Result<Vec<TenantId>> {
    let mut tenants = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == EXTENSION) {
            tenants
                .extend(path.file_stem().and_then(|name| name.to_str()).and_then(|name| name.parse().ok()));
        }
    }
    tenants.sort();
    Ok(tenants)
}

/// What a sheet says.
#[derive(Debug, Default)]
pub(crate) struct Sheet {
    /// Those whose signature holds.
    pub(crate) checkpoints: Vec<Checkpoint>,
    /// What somebody did to it.
    pub(crate) faults: Vec<SheetFault>,
    /// What may well be.
    pub(crate) notes: Vec<SheetNote>,
}

/// What is wrong with a sheet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SheetFault {
    /// It was changed, or somebody else made it.
    #[error("line {line}: the checkpoint's signature does not hold")]
    Forged { line: usize },
    /// Whether it holds cannot be known.
    #[error("line {line}: the checkpoint is signed by key {key_id}, which is none of those given")]
    KeyUnknown { line: usize, key_id: String },
    /// It belongs on another sheet.
    #[error("line {line}: the checkpoint is of tenant {tenant}")]
    OtherTenant { line: usize, tenant: TenantId },
    /// Others should come between.
    #[error("line {line}: checkpoints {from} to {to} are missing before it")]
    Missing { line: usize, from: u64, to: u64 },
    /// It should stand before the one before it.
    #[error("line {line}: the checkpoint is out of order")]
    OutOfOrder { line: usize },
}

/// What a reader of a sheet should know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SheetNote {
    /// Nothing that was ever complete.
    #[error("line {line} is no checkpoint: a crash may have torn it")]
    Torn { line: usize },
    /// The beginning is elsewhere.
    #[error("it begins with checkpoint {number}")]
    BeginsLate { number: u64 },
}

impl Sheet {
    /// The sheet of a tenant in a folder; an empty one if there is none.
    pub(crate) fn read(folder: &Path, tenant: &TenantId, keys: &PublicKeys) -> io::Result<Self> {
        match fs::read(path(folder, tenant)) {
            Ok(bytes) => Ok(Self::check(&bytes, tenant, keys)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }

    fn check(bytes: &[u8], tenant: &TenantId, keys: &PublicKeys) -> Self {
        let mut sheet = Self::default();
        let mut before: Option<Checkpoint> = None;
        for (line, text) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
            if text.is_empty() {
                continue;
            }
            let Ok(checkpoint) = serde_json::from_slice::<Checkpoint>(text) else {
                sheet.notes.push(SheetNote::Torn { line });
                continue;
            };
            if checkpoint.tenant != *tenant {
                sheet.faults.push(SheetFault::OtherTenant { line, tenant: checkpoint.tenant });
                continue;
            }
            match checkpoint.verify(keys) {
                Some(true) => {}
                Some(false) => {
                    sheet.faults.push(SheetFault::Forged { line });
                    continue;
                }
                None => {
                    sheet.faults.push(SheetFault::KeyUnknown { line, key_id: checkpoint.key_id });
                    continue;
                }
            }
            sheet.place(line, before.as_ref(), &checkpoint);
            before = Some(checkpoint.clone());
            sheet.checkpoints.push(checkpoint);
        }
        sheet
    }

    fn place(&mut self, line: usize, before: Option<&Checkpoint>, checkpoint: &Checkpoint) {
        let number = checkpoint.number;
        let Some(before) = before else {
            if number > 1 {
                self.notes.push(SheetNote::BeginsLate { number });
            }
            return;
        };
        if number <= before.number || checkpoint.position <= before.position {
            self.faults.push(SheetFault::OutOfOrder { line });
        } else if number > before.number + 1 {
            self.faults.push(SheetFault::Missing { line, from: before.number + 1, to: number - 1 });
        }
    }

    /// The newest checkpoint.
    pub(crate) fn last(&self) -> Option<&Checkpoint> {
        self.checkpoints.iter().max_by_key(|checkpoint| checkpoint.number)
    }
}

/// A sheet that this process alone adds to, until it is dropped.
pub(crate) struct OpenSheet {
    file: File,
}

impl OpenSheet {
    /// Opens a tenant's sheet, which is made if it is not there; `None` while another process adds to it.
    pub(crate) fn open(folder: &Path, tenant: &TenantId) -> io::Result<Option<Self>> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let path = path(folder, tenant);
        let made = !path.exists();
        let file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
        if made {
            File::open(folder)?.sync_all()?;
            if let Some(above) = folder.parent() {
                File::open(above)?.sync_all()?;
            }
        }
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    pub(crate) fn sheet(&mut self, tenant: &TenantId, keys: &PublicKeys) -> io::Result<Sheet> {
        Ok(Sheet::check(&self.bytes()?, tenant, keys))
    }

    /// Adds a checkpoint; it is on the disk when this returns.
    pub(crate) fn append(&mut self, checkpoint: &Checkpoint) -> io::Result<()> {
        // After a line that a crash tore, a new one begins.
        let torn = self.bytes()?.last().is_some_and(|last| *last != b'\n');
        let line = serde_json::to_string(checkpoint).map_err(io::Error::other)?;
        let text = if torn { format!("\n{line}\n") } else { format!("{line}\n") };
        self.file.write_all(text.as_bytes())?;
        self.file.sync_all()
    }

    fn bytes(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.file.seek(SeekFrom::Start(0))?;
        self.file.read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    use niyam_domain::{Position, TenantId};
    use niyam_store::audit::Anchor;

    use super::{Checkpoint, OpenSheet, Sheet, SheetFault, SheetNote, path};
    use crate::proof::key::{CheckpointKey, PublicKeys};

    fn tenant(name: &str) -> TenantId {
        name.parse().unwrap()
    }

    fn checkpoint(key: &CheckpointKey, name: &str, number: u64) -> Checkpoint {
        let hash = [u8::try_from(number).unwrap(); 32];
        let end = Anchor { position: Position(number * 10), hash };
        Checkpoint::sign(key, number, tenant(name), end, "2026-07-01T00:00:00Z".parse().unwrap())
    }

    /// A sheet of `acme` with these lines, read again.
    fn sheet(folder: &Path, keys: &PublicKeys, checkpoints: &[&Checkpoint]) -> Sheet {
        let line = |checkpoint: &&Checkpoint| serde_json::to_string(checkpoint).unwrap() + "\n";
        fs::write(path(folder, &tenant("acme")), checkpoints.iter().map(line).collect::<String>()).unwrap();
        Sheet::read(folder, &tenant("acme"), keys).unwrap()
    }

    #[test]
    fn what_is_appended_is_read_again_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let key = CheckpointKey::open(folder.path()).unwrap();
        let sheets = folder.path().join("checkpoints");
        let written: Vec<_> = (1..=3).map(|number| checkpoint(&key, "acme", number)).collect();
        for checkpoint in &written {
            let mut open = OpenSheet::open(&sheets, &tenant("acme")).unwrap().unwrap();
            assert!(OpenSheet::open(&sheets, &tenant("acme")).unwrap().is_none(), "one adds at a time");
            open.append(checkpoint).unwrap();
        }
        let sheet = Sheet::read(&sheets, &tenant("acme"), &key.public_keys()).unwrap();
        assert_eq!(sheet.checkpoints, written);
        assert_eq!((sheet.faults, sheet.notes), (vec![], vec![]));
        for file in [path(&sheets, &tenant("acme")), folder.path().join("checkpoint.key")] {
            assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_torn_last_line_is_told_of_and_the_next_checkpoint_begins_a_line() {
        let folder = tempfile::tempdir().unwrap();
        let key = CheckpointKey::open(folder.path()).unwrap();
        let (first, second) = (checkpoint(&key, "acme", 1), checkpoint(&key, "acme", 2));
        sheet(folder.path(), &key.public_keys(), &[&first]);
        let file = path(folder.path(), &tenant("acme"));
        let torn = fs::read_to_string(&file).unwrap() + &serde_json::to_string(&second).unwrap()[..100];
        fs::write(&file, torn).unwrap();
        let mut open = OpenSheet::open(folder.path(), &tenant("acme")).unwrap().unwrap();
        let read = open.sheet(&tenant("acme"), &key.public_keys()).unwrap();
        assert_eq!((read.checkpoints.len(), read.notes), (1, vec![SheetNote::Torn { line: 2 }]));
        open.append(&second).unwrap();
        let read = open.sheet(&tenant("acme"), &key.public_keys()).unwrap();
        assert_eq!((read.checkpoints, read.faults), (vec![first, second], vec![]));
        assert_eq!(read.notes, [SheetNote::Torn { line: 2 }]);
    }

    #[test]
    fn a_forged_line_another_key_and_another_tenant_are_faults() {
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let key = CheckpointKey::open(folder.path()).unwrap();
        let other_key = CheckpointKey::open(elsewhere.path()).unwrap();
        let keys = key.public_keys();
        let sound = checkpoint(&key, "acme", 1);
        let mut forged = checkpoint(&key, "acme", 2);
        forged.hash = [7; 32];
        assert_eq!(sheet(folder.path(), &keys, &[&sound, &forged]).faults, [SheetFault::Forged { line: 2 }]);
        // Signed by another key that claims to be ours.
        let mut claimed = checkpoint(&other_key, "acme", 2);
        claimed.key_id = key.id().to_owned();
        assert_eq!(sheet(folder.path(), &keys, &[&sound, &claimed]).faults, [SheetFault::Forged { line: 2 }]);
        let foreign = checkpoint(&other_key, "acme", 2);
        let unknown = SheetFault::KeyUnknown { line: 2, key_id: other_key.id().to_owned() };
        assert_eq!(sheet(folder.path(), &keys, &[&sound, &foreign]).faults, [unknown]);
        let mut both = keys.clone();
        both.add_pem(&(key.public_pem().unwrap() + &other_key.public_pem().unwrap())).unwrap();
        assert_eq!(sheet(folder.path(), &both, &[&sound, &foreign]).faults, []);
        let bravo = checkpoint(&key, "bravo", 2);
        let read = sheet(folder.path(), &keys, &[&sound, &bravo]);
        assert_eq!(read.faults, [SheetFault::OtherTenant { line: 2, tenant: tenant("bravo") }]);
        assert_eq!(read.checkpoints, [sound]);
    }

    #[test]
    fn a_missing_line_and_a_wrong_order_are_faults_and_a_late_beginning_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let key = CheckpointKey::open(folder.path()).unwrap();
        let keys = key.public_keys();
        let [one, two, three, four] = [1, 2, 3, 4].map(|number| checkpoint(&key, "acme", number));
        let read = sheet(folder.path(), &keys, &[&one, &four]);
        assert_eq!(read.faults, [SheetFault::Missing { line: 2, from: 2, to: 3 }]);
        let read = sheet(folder.path(), &keys, &[&one, &three, &two]);
        assert_eq!(
            read.faults,
            [SheetFault::Missing { line: 2, from: 2, to: 2 }, SheetFault::OutOfOrder { line: 3 }]
        );
        assert_eq!(read.checkpoints.len(), 3, "each is a true statement all the same");
        assert_eq!(read.last(), Some(&three));
        let read = sheet(folder.path(), &keys, &[&three, &four]);
        assert_eq!((read.faults, read.notes), (vec![], vec![SheetNote::BeginsLate { number: 3 }]));
    }

    #[test]
    fn a_file_without_a_key_is_refused() {
        assert!(PublicKeys::default().add_pem("nothing").is_err());
    }
}
