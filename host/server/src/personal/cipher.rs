//! XChaCha20-Poly1305, and what each ciphertext is bound to.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use niyam_domain::SubjectKeyId;
use niyam_domain::TenantId;
use niyam_domain::personal::{PlaceKind, Sealed};
use zeroize::Zeroizing;

/// Bytes of a nonce: long enough to be drawn at random for every text.
pub(super) const NONCE_BYTES: usize = 24;

/// A ciphertext that does not open: it was changed, moved, or is of another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the ciphertext is damaged, in another place, or under another key")]
pub(crate) struct CipherError;

/// A key, ready to be used. Its bytes are cleared when it is dropped.
pub(super) struct CipherKey(XChaCha20Poly1305);

impl CipherKey {
    pub(super) fn new(bytes: &[u8; 32]) -> Self {
        Self(XChaCha20Poly1305::new(bytes.into()))
    }

    /// Nonce, ciphertext and tag.
    pub(super) fn encrypt(&self, bound: &[u8], plain: &[u8]) -> Result<Vec<u8>, CipherError> {
        let nonce: [u8; NONCE_BYTES] = rand::random();
        let sealed = self.0.encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: bound });
        Ok([&nonce[..], &sealed.map_err(|_| CipherError)?].concat())
    }

    pub(super) fn decrypt(&self, bound: &[u8], bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, CipherError> {
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_BYTES>().ok_or(CipherError)?;
        let plain = self.0.decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: bound });
        plain.map(Zeroizing::new).map_err(|_| CipherError)
    }

    /// Seals a text of a place.
    pub(super) fn seal(&self, bound: &Bound<'_>, plain: &str) -> Result<Sealed, CipherError> {
        let bytes = self.encrypt(&bound.bytes(), plain.as_bytes())?;
        let (nonce, data) = bytes.split_at(NONCE_BYTES);
        Ok(Sealed {
            kind: bound.kind,
            key: bound.key,
            nonce: BASE64.encode(nonce),
            data: BASE64.encode(data),
        })
    }

    /// Opens the text of a place.
    pub(super) fn open(&self, bound: &Bound<'_>, sealed: &Sealed) -> Result<String, CipherError> {
        let bytes = |text: &str| BASE64.decode(text).map_err(|_| CipherError);
        let bytes = [bytes(&sealed.nonce)?, bytes(&sealed.data)?].concat();
        let plain = self.decrypt(&bound.bytes(), &bytes)?;
        std::str::from_utf8(&plain).map(str::to_owned).map_err(|_| CipherError)
    }
}

/// What a sealed text is bound to, so that it opens nowhere else.
pub(super) struct Bound<'a> {
    pub(super) tenant: &'a TenantId,
    pub(super) key: SubjectKeyId,
    /// What holds it: the stream of an event, of a snapshot or of a row of a view; or the request that is answered.
    pub(super) place: &'a str,
    pub(super) kind: PlaceKind,
}

impl Bound<'_> {
    fn bytes(&self) -> Vec<u8> {
        joined(&[
            b"niyam sealed v1",
            self.tenant.as_str().as_bytes(),
            self.key.0.as_bytes(),
            self.place.as_bytes(),
            self.kind.as_str().as_bytes(),
        ])
    }
}

/// Each part with its length before it, so that no byte moves from one to another.
pub(super) fn joined(parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
    for part in parts {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}
