//! The key that signs checkpoints, apart from the one for tokens, and those that check them.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePublicKey as _, EncodePublicKey as _};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};

use crate::keys;

/// Where the key lies under the data folder.
pub(crate) const KEY_FILE: &str = "checkpoint.key";
/// How a public key ends in a file that may hold several.
const PEM_END: &str = "-----END PUBLIC KEY-----";
/// Bytes of a digest that name a key.
const ID_BYTES: usize = 16;

/// The key that signs checkpoints.
pub(crate) struct CheckpointKey {
    key: SigningKey,
    id: String,
}

impl CheckpointKey {
    /// The key of a data folder, made on first use.
    pub(crate) fn open(data_folder: &Path) -> io::Result<Self> {
        Ok(Self::of(keys::open(&data_folder.join(KEY_FILE))?))
    }

    /// The key of a data folder, which must be there.
    pub(crate) fn read(data_folder: &Path) -> io::Result<Self> {
        Ok(Self::of(keys::read(&data_folder.join(KEY_FILE))?))
    }

    fn of(key: SigningKey) -> Self {
        Self { id: id(&key.verifying_key()), key }
    }

    /// The name of its public key.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        self.key.sign(bytes).to_bytes()
    }

    /// The public key as an auditor keeps it, PEM.
    pub(crate) fn public_pem(&self) -> io::Result<String> {
        self.key.verifying_key().to_public_key_pem(LineEnding::LF).map_err(io::Error::other)
    }

    /// What checks its signatures.
    pub(crate) fn public_keys(&self) -> PublicKeys {
        PublicKeys(BTreeMap::from([(self.id.clone(), self.key.verifying_key())]))
    }
}

/// Public keys by name; each host has its own.
#[derive(Debug, Clone, Default)]
pub(crate) struct PublicKeys(BTreeMap<String, VerifyingKey>);

impl PublicKeys {
    /// Adds those of a text that holds one or more, PEM.
    pub(crate) fn add_pem(&mut self, text: &str) -> io::Result<()> {
        let before = self.0.len();
        for block in text.split_inclusive(PEM_END).filter(|block| block.contains(PEM_END)) {
            let key = VerifyingKey::from_public_key_pem(block.trim()).map_err(io::Error::other)?;
            self.0.insert(id(&key), key);
        }
        if self.0.len() == before && !text.contains(PEM_END) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it holds no public key"));
        }
        Ok(())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the key signed these bytes; `None` if it is not among these.
    pub(crate) fn verify(&self, id: &str, bytes: &[u8], signature: &[u8; 64]) -> Option<bool> {
        let key = self.0.get(id)?;
        Some(key.verify_strict(bytes, &Signature::from_bytes(signature)).is_ok())
    }
}

/// The first half of the sha-256 of its 32 bytes, in hex.
fn id(key: &VerifyingKey) -> String {
    hex::encode(&Sha256::digest(key.as_bytes())[..ID_BYTES])
}
