//! The master key: `<data>/master.key`, made like the other keys. Without it no personal data can be read.
//!
//! It never leaves the data folder. A wrapped key says by which master key it was wrapped, so that a wrong one is told
//! from damage.

use std::io;
use std::path::Path;

use hmac::{Hmac, KeyInit as _, Mac as _};
use niyam_domain::{SubjectKeyId, TenantId};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::cipher::{CipherError, CipherKey, joined};
use crate::keys;

/// Where it lies under the data folder.
pub(crate) const KEY_FILE: &str = "master.key";
/// The first byte of a wrapped key: the version of its shape.
const WRAPPED_V1: u8 = 1;
/// Bytes that name a master key in what it wrapped.
const ID_BYTES: usize = 8;

/// Why a wrapped key does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnwrapError {
    /// Another master key wrapped it.
    #[error("it was wrapped by another master key")]
    OtherMaster,
    /// It is not what was wrapped.
    #[error("it is damaged")]
    Damaged,
}

/// The master key.
pub(crate) struct MasterKey {
    id: [u8; ID_BYTES],
    wrapping: CipherKey,
    naming: Zeroizing<[u8; 32]>,
}

impl MasterKey {
    /// The key of a data folder, made on first use.
    pub(super) fn open(data_folder: &Path) -> io::Result<Self> {
        let bytes = keys::open_secret(&data_folder.join(KEY_FILE))?;
        Ok(Self::of(&bytes))
    }

    /// The key of a data folder; `None` if it is not there.
    pub(super) fn find(data_folder: &Path) -> io::Result<Option<Self>> {
        match keys::read_secret(&data_folder.join(KEY_FILE)) {
            Ok(bytes) => Ok(Some(Self::of(&bytes))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) fn of(bytes: &[u8; 32]) -> Self {
        let derived = |purpose: &[u8]| Zeroizing::new(digest(bytes, purpose));
        let mut id = [0; ID_BYTES];
        id.copy_from_slice(&derived(b"niyam master key id v1")[..ID_BYTES]);
        Self {
            id,
            wrapping: CipherKey::new(&derived(b"niyam wrapping v1")),
            naming: derived(b"niyam subject names v1"),
        }
    }

    /// What stands for a subject's name: the same for the same name of the same tenant, and of no use to who has not
    /// this key.
    pub(super) fn subject(&self, tenant: &TenantId, name: &str) -> [u8; 32] {
        digest(&self.naming, &joined(&[tenant.as_str().as_bytes(), name.as_bytes()]))
    }

    /// A data subject's key, encrypted.
    pub(super) fn wrap(
        &self,
        tenant: &TenantId,
        id: SubjectKeyId,
        subject: &[u8; 32],
        key: &[u8; 32],
    ) -> Result<Vec<u8>, CipherError> {
        let encrypted = self.wrapping.encrypt(&bound(tenant, id, subject), key)?;
        Ok([&[WRAPPED_V1][..], &self.id, &encrypted].concat())
    }

    /// A data subject's key.
    pub(super) fn unwrap(
        &self,
        tenant: &TenantId,
        id: SubjectKeyId,
        subject: &[u8; 32],
        wrapped: &[u8],
    ) -> Result<CipherKey, UnwrapError> {
        let rest = wrapped.strip_prefix(&[WRAPPED_V1]).ok_or(UnwrapError::Damaged)?;
        let (master, encrypted) = rest.split_first_chunk::<ID_BYTES>().ok_or(UnwrapError::Damaged)?;
        if *master != self.id {
            return Err(UnwrapError::OtherMaster);
        }
        let plain = self.wrapping.decrypt(&bound(tenant, id, subject), encrypted);
        let plain = plain.map_err(|_| UnwrapError::Damaged)?;
        let bytes: &[u8; 32] = plain.as_slice().try_into().map_err(|_| UnwrapError::Damaged)?;
        Ok(CipherKey::new(bytes))
    }
}

fn bound(tenant: &TenantId, id: SubjectKeyId, subject: &[u8; 32]) -> Vec<u8> {
    joined(&[b"niyam subject key v1", tenant.as_str().as_bytes(), id.0.as_bytes(), subject])
}

/// HMAC-SHA-256.
fn digest(key: &[u8; 32], bytes: &[u8]) -> [u8; 32] {
    let mut digest = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length will do");
    digest.update(bytes);
    digest.finalize().into_bytes().into()
}
