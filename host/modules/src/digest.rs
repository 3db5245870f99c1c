//! Digests, as they stand in decisions.

use std::io;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// SHA-256 of `bytes`, hex.
#[must_use]
pub fn digest_hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// SHA-256 of the canonical JSON of `value`, hex: fields in the order of their declaration, no white space.
///
/// # Panics
/// Never for the contract's values: each has a JSON form.
#[must_use]
pub fn digest_json(value: &impl Serialize) -> String {
    let mut hasher = Hasher(Sha256::new());
    serde_json::to_writer(io::BufWriter::with_capacity(1 << 12, &mut hasher), value)
        .expect("the contract's values have a JSON form, and hashing does not fail");
    hex::encode(hasher.0.finalize())
}

struct Hasher(Sha256);

impl io::Write for &mut Hasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{digest_hex, digest_json};

    #[test]
    fn a_value_has_the_digest_of_its_json() {
        let long = "x".repeat(10_000);
        assert_eq!(digest_json(&long), digest_hex(format!("\"{long}\"").as_bytes()));
    }
}
