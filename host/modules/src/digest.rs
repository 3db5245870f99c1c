//! Digests, as they stand in decisions.

use std::cell::RefCell;

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
    thread_local! {
        // The whole text at once: written without a look at what is full, and hashed without an end in between.
        static TEXT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    }
    // Out of its place while it is written, so that a value may take a digest of its own.
    let mut text = TEXT.take();
    text.clear();
    serde_json::to_writer(&mut text, value).expect("the contract's values have a JSON form");
    let digest = digest_hex(&text);
    if text.capacity() <= KEPT_BYTES {
        TEXT.set(text);
    }
    digest
}

/// Most bytes that a thread keeps for the next digest.
const KEPT_BYTES: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::{digest_hex, digest_json};

    #[test]
    fn a_value_has_the_digest_of_its_json() {
        let long = "x".repeat(10_000);
        assert_eq!(digest_json(&long), digest_hex(format!("\"{long}\"").as_bytes()));
    }
}
