//! A checkpoint: at this time this tenant's history ended at this position with this hash.
//!
//! What is signed (ed25519) are these bytes: `niyam.checkpoint.v1` and a line feed, so that the signature counts for
//! nothing else; then each field as its length in bytes, a 64-bit big-endian number, and its bytes: the number, the
//! tenant, the position, the 32 bytes of the hash, the time in microseconds since 1970-01-01T00:00:00Z, the key's id.
//! Numbers are 8 bytes big-endian, texts UTF-8. This format never changes: another one has another first line.

use jiff::Timestamp;
use niyam_domain::{Position, TenantId};
use niyam_store::audit::Anchor;
use serde::{Deserialize, Serialize};

use super::key::{CheckpointKey, PublicKeys};

const FORMAT: &str = "niyam.checkpoint.v1";

/// A signed checkpoint, as it stands on a line of its sheet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Checkpoint {
    format: Format,
    /// Counts the checkpoints of a sheet: 1, 2, 3, so that one that is taken out is missed.
    pub(crate) number: u64,
    pub(crate) tenant: TenantId,
    pub(crate) position: Position,
    #[serde(with = "hexadecimal")]
    pub(crate) hash: [u8; 32],
    pub(crate) at: Timestamp,
    pub(crate) key_id: String,
    #[serde(with = "hexadecimal")]
    signature: [u8; 64],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Format {
    #[serde(rename = "niyam.checkpoint.v1")]
    V1,
}

impl Checkpoint {
    /// Signs that the tenant's history ends at `end`.
    pub(crate) fn sign(
        key: &CheckpointKey,
        number: u64,
        tenant: TenantId,
        end: Anchor,
        at: Timestamp,
    ) -> Self {
        // As exact as what is signed.
        let at = Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at);
        let mut checkpoint = Self {
            format: Format::V1,
            number,
            tenant,
            position: end.position,
            hash: end.hash,
            at,
            key_id: key.id().to_owned(),
            signature: [0; 64],
        };
        checkpoint.signature = key.sign(&checkpoint.signed_bytes());
        checkpoint
    }

    /// Whether it is signed as it stands; `None` if the key is not among these.
    pub(crate) fn verify(&self, keys: &PublicKeys) -> Option<bool> {
        keys.verify(&self.key_id, &self.signed_bytes(), &self.signature)
    }

    /// What it says of the history.
    pub(crate) const fn anchor(&self) -> Anchor {
        Anchor { position: self.position, hash: self.hash }
    }

    fn signed_bytes(&self) -> Vec<u8> {
        let mut bytes = format!("{FORMAT}\n").into_bytes();
        for field in [
            &self.number.to_be_bytes()[..],
            self.tenant.as_str().as_bytes(),
            &self.position.0.to_be_bytes(),
            &self.hash,
            &self.at.as_microsecond().to_be_bytes(),
            self.key_id.as_bytes(),
        ] {
            bytes.extend((field.len() as u64).to_be_bytes());
            bytes.extend(field);
        }
        bytes
    }
}

mod hexadecimal {
    use serde::{Deserialize as _, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>, const N: usize>(
        deserializer: D,
    ) -> Result<[u8; N], D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = hex::decode(text).map_err(de::Error::custom)?;
        bytes.try_into().map_err(|_| de::Error::custom(format!("{N} bytes in hex are wanted")))
    }
}

#[cfg(test)]
mod tests {
    use niyam_domain::Position;
    use niyam_store::audit::Anchor;
    use sha2::{Digest as _, Sha256};

    use super::Checkpoint;
    use crate::proof::key::CheckpointKey;

    #[test]
    fn the_signed_bytes_never_change() {
        let folder = tempfile::tempdir().unwrap();
        let key = CheckpointKey::open(folder.path()).unwrap();
        let end = Anchor { position: Position(7), hash: [9; 32] };
        let at = "2026-07-01T00:00:00.000001999Z".parse().unwrap();
        let mut checkpoint = Checkpoint::sign(&key, 1, "acme".parse().unwrap(), end, at);
        checkpoint.key_id = "00112233".to_owned();
        let bytes = checkpoint.signed_bytes();
        assert!(
            bytes.starts_with(
                b"niyam.checkpoint.v1\n\0\0\0\0\0\0\0\x08\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x04acme"
            )
        );
        assert_eq!(
            hex::encode(Sha256::digest(&bytes)),
            "7e373085a3ca245689c4b5494512eee47c350e1d9e2d9246345f6fd3325bf869"
        );
    }

    #[test]
    fn every_field_is_signed() {
        let folder = tempfile::tempdir().unwrap();
        let key = CheckpointKey::open(folder.path()).unwrap();
        let end = Anchor { position: Position(7), hash: [9; 32] };
        let at = "2026-07-01T00:00:00Z".parse().unwrap();
        let checkpoint = Checkpoint::sign(&key, 1, "acme".parse().unwrap(), end, at);
        assert_eq!(checkpoint.verify(&key.public_keys()), Some(true));
        let line = serde_json::to_string(&checkpoint).unwrap();
        assert_eq!(serde_json::from_str::<Checkpoint>(&line).unwrap(), checkpoint);
        for (from, to) in [
            ("\"number\":1", "\"number\":2"),
            ("\"acme\"", "\"acne\""),
            ("\"position\":7", "\"position\":8"),
            ("0909", "0908"),
            ("2026-07-01", "2026-07-02"),
        ] {
            let forged: Checkpoint = serde_json::from_str(&line.replacen(from, to, 1)).unwrap();
            assert_ne!(forged, checkpoint, "{from}");
            assert_eq!(forged.verify(&key.public_keys()), Some(false), "{from}");
        }
        let unsigned = line.replacen("\"number\"", "\"more\":1,\"number\"", 1);
        assert!(serde_json::from_str::<Checkpoint>(&unsigned).is_err(), "a field that nobody signed");
    }
}
