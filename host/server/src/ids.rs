//! The one place that makes ids.

use niyam_domain::TenantId;
use sha2::{Digest as _, Sha256};
use uuid::{Builder, Uuid};

/// Makes ids; injected, so that tests own them.
pub trait IdSource: Send + Sync + 'static {
    /// A new UUID, version 7: in time order.
    fn next_id(&self) -> Uuid;
}

/// The id of what a tenant has once for `parts`: whoever makes it makes the same. UUID, version 8.
pub(crate) fn derived(tenant: &TenantId, parts: &[&str]) -> Uuid {
    let mut digest = Sha256::new();
    for part in [tenant.as_str()].iter().chain(parts) {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest.finalize()[..16]);
    Builder::from_custom_bytes(bytes).into_uuid()
}

/// Ids from the machine's clock and randomness.
#[derive(Debug, Clone, Copy)]
pub struct SystemIds;

impl IdSource for SystemIds {
    #[expect(clippy::disallowed_methods, reason = "this is the source that all else takes")]
    fn next_id(&self) -> Uuid {
        Uuid::now_v7()
    }
}

#[cfg(test)]
mod tests {
    use super::derived;

    #[test]
    fn the_same_parts_give_the_same_id_and_others_another() {
        let (demo, other) = ("demo".parse().unwrap(), "other".parse().unwrap());
        let id = derived(&demo, &["year", "1"]);
        assert_eq!(derived(&demo, &["year", "1"]), id);
        assert_eq!(id.get_version_num(), 8);
        for (tenant, parts) in [
            (&other, &["year", "1"][..]),
            (&demo, &["year1"]),
            (&demo, &["year", "", "1"]),
            (&demo, &["yea", "r1"]),
        ] {
            assert_ne!(derived(tenant, parts), id);
        }
    }
}
