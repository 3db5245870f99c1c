//! A publisher's key, and what it signs.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _};
use niyam_modules::signature::{Signed, key_id};
use sha2::{Digest as _, Sha256};

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
        key_id(self.0.verifying_key().as_bytes())
    }

    /// The public key, base64.
    pub(crate) fn public(&self) -> String {
        STANDARD.encode(self.0.verifying_key().as_bytes())
    }

    /// `<key id>:<signature, base64>`, a value of the header `Niyam-Signature`.
    pub(crate) fn sign(&self, component: &[u8]) -> String {
        Signed::by(&self.0, &Sha256::digest(component).into()).to_string()
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;
    use niyam_modules::signature::{Signed, public_key};
    use sha2::{Digest as _, Sha256};

    use super::PublisherKey;

    #[test]
    fn signs_what_a_server_checks() {
        let key = PublisherKey(SigningKey::from_bytes(&[7; 32]));
        let signed = Signed::read(&key.sign(b"component")).unwrap();
        assert_eq!(signed.key_id, key.id());
        let public = public_key(&key.public()).unwrap();
        assert!(signed.holds(&Sha256::digest(b"component").into(), &public));
        assert!(!signed.holds(&Sha256::digest(b"another").into(), &public));
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
