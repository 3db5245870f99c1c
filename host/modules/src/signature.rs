//! What a publisher signs: the SHA-256 of a component, with ed25519. Who signs and who checks both take it from here.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};

/// What the signed bytes begin with, so that a signature for a module is one for nothing else.
const DOMAIN: &[u8] = b"niyam-module-v1\0";

/// A signature, as a request carries it: `<id of the key>:<base64 of 64 bytes>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// Which key signed: the first 16 hex digits of the SHA-256 of its public half.
    pub key_id: String,
    /// By ed25519.
    pub signature: [u8; 64],
}

impl fmt::Display for Signed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.key_id, STANDARD.encode(self.signature))
    }
}

impl Signed {
    /// Signs the component with that SHA-256.
    #[must_use]
    pub fn by(key: &SigningKey, digest: &[u8; 32]) -> Self {
        let signature = key.sign(&statement(digest)).to_bytes();
        Self { key_id: key_id(key.verifying_key().as_bytes()), signature }
    }

    /// Reads what a header holds; `None` if it is no signature.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let (key_id, signature) = text.trim().split_once(':')?;
        let hex = key_id.len() == 16
            && key_id.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        let signature = STANDARD.decode(signature.trim()).ok()?.try_into().ok()?;
        hex.then(|| Self { key_id: key_id.to_owned(), signature })
    }

    /// Whether `public_key` signed the component with that digest.
    #[must_use]
    pub fn holds(&self, digest: &[u8; 32], public_key: &[u8; 32]) -> bool {
        let Ok(key) = VerifyingKey::from_bytes(public_key) else { return false };
        key.verify_strict(&statement(digest), &Signature::from_bytes(&self.signature)).is_ok()
    }
}

/// The bytes that a publisher signs for the component with this SHA-256.
fn statement(digest: &[u8; 32]) -> Vec<u8> {
    [DOMAIN, digest].concat()
}

/// The id of a public key: the first 16 hex digits of its SHA-256.
#[must_use]
pub fn key_id(public_key: &[u8; 32]) -> String {
    hex::encode(&Sha256::digest(public_key)[..8])
}

/// A public key as text, base64 of 32 bytes; `None` if it is none, or a weak one.
#[must_use]
pub fn public_key(text: &str) -> Option<[u8; 32]> {
    let bytes: [u8; 32] = STANDARD.decode(text.trim()).ok()?.try_into().ok()?;
    let key = VerifyingKey::from_bytes(&bytes).ok()?;
    (!key.is_weak()).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_for_one_component_by_one_key() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let public = key.verifying_key().to_bytes();
        let digest = [1; 32];
        let signed = Signed::by(&key, &digest);
        assert_eq!(Signed::read(&signed.to_string()).as_ref(), Some(&signed));
        assert_eq!(signed.key_id, key_id(&public));
        assert!(signed.holds(&digest, &public));
        assert!(!signed.holds(&[2; 32], &public));
        let other = SigningKey::from_bytes(&[8; 32]).verifying_key().to_bytes();
        assert!(!signed.holds(&digest, &other));
        // What is signed is part of the contract with publishers, to the byte.
        assert_eq!(statement(&digest), [b"niyam-module-v1\0".as_slice(), &digest].concat());
        // The digest alone, signed for another purpose, is none for a module.
        let bare = Signed { signature: key.sign(&digest).to_bytes(), ..signed };
        assert!(!bare.holds(&digest, &public));
    }

    #[test]
    fn what_is_no_signature_is_not_read() {
        let sound = format!("0123456789abcdef:{}", STANDARD.encode([0_u8; 64]));
        assert!(Signed::read(&sound).is_some());
        let short = format!("0123456789abcdef:{}", STANDARD.encode([0_u8; 63]));
        for text in ["", ":", "0123456789abcdef", "0123456789ABCDEF:AAAA", "x:y", &sound[1..], &short] {
            assert_eq!(Signed::read(text), None, "{text}");
        }
    }

    #[test]
    fn a_weak_key_is_no_key() {
        // A point of small order: anybody can sign for it.
        let mut identity = [0_u8; 32];
        identity[0] = 1;
        assert_eq!(public_key(&STANDARD.encode(identity)), None);
        assert_eq!(public_key("AAAA"), None);
    }
}
