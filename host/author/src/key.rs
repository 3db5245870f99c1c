//! A publisher's key, and what it signs.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _};
use ed25519_dalek::{Signer as _, SigningKey};
use sha2::{Digest as _, Sha256};

/// What a signature begins with, so that it can be taken for nothing else; a zero byte and the digest follow.
const DOMAIN: &[u8] = b"niyam-module-v1\0";

/// A publisher's ed25519 key.
pub(crate) struct PublisherKey(SigningKey);

impl PublisherKey {
    /// The key at `path`.
    pub(crate) fn open(path: &Path) -> Result<Option<Self>> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("failed to read {}", path.display())),
        };
        if fs::metadata(path)?.permissions().mode() & 0o077 != 0 {
            bail!("others may read {}: `chmod 600` it, and think of a new key", path.display());
        }
        let key = SigningKey::from_pkcs8_pem(&text)
            .map_err(|error| anyhow::anyhow!("{} holds no ed25519 key: {error}", path.display()))?;
        Ok(Some(Self(key)))
    }

    /// A new key, kept at `path`, where there is none.
    pub(crate) fn create(path: &Path) -> Result<Self> {
        let key = SigningKey::from_bytes(&rand::random());
        let text = key.to_pkcs8_pem(LineEnding::LF).context("failed to write the key down")?;
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .and_then(|mut file| {
                file.write_all(text.as_bytes())?;
                file.sync_all()
            })
            .with_context(|| format!("failed to make {}", path.display()))?;
        Ok(Self(key))
    }

    /// The first 16 hex digits of the public key's SHA-256.
    pub(crate) fn id(&self) -> String {
        let mut id = hex::encode(Sha256::digest(self.0.verifying_key().as_bytes()));
        id.truncate(16);
        id
    }

    /// The public key, base64.
    pub(crate) fn public(&self) -> String {
        STANDARD.encode(self.0.verifying_key().as_bytes())
    }

    /// `<key id>:<signature, base64>`, a value of the header `Niyam-Signature`.
    pub(crate) fn sign(&self, component: &[u8]) -> String {
        let signature = self.0.sign(&signed_bytes(component));
        format!("{}:{}", self.id(), STANDARD.encode(signature.to_bytes()))
    }
}

/// What a publisher signs of a component.
fn signed_bytes(component: &[u8]) -> Vec<u8> {
    [DOMAIN, &Sha256::digest(component)].concat()
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signature, SigningKey, Verifier as _};

    use base64::Engine as _;

    use super::{PublisherKey, STANDARD, signed_bytes};

    #[test]
    fn signs_the_digest_under_its_own_name() {
        let key = PublisherKey(SigningKey::from_bytes(&[7; 32]));
        let signed = key.sign(b"component");
        let (id, signature) = signed.split_once(':').unwrap();
        assert_eq!(id, key.id());
        assert_eq!(id.len(), 16);
        let bytes = signed_bytes(b"component");
        assert_eq!(bytes.len(), 15 + 1 + 32);
        assert!(bytes.starts_with(b"niyam-module-v1\0"));
        let signature = Signature::from_slice(&STANDARD.decode(signature).unwrap()).unwrap();
        key.0.verifying_key().verify(&bytes, &signature).unwrap();
        assert!(key.0.verifying_key().verify(&signed_bytes(b"another"), &signature).is_err());
    }

    #[test]
    fn a_key_that_others_may_read_is_not_used() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("publisher.key");
        let made = PublisherKey::create(&path).unwrap();
        assert_eq!(PublisherKey::open(&path).unwrap().unwrap().id(), made.id());
        assert!(PublisherKey::create(&path).is_err(), "a key is never written over");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(PublisherKey::open(&path).is_err());
    }
}
