//! Which publishers' signatures count for a tenant.

use std::collections::BTreeSet;

use niyam_domain::ModulePolicy;
use niyam_store::Publisher;
use serde::Serialize;

/// Whether a module may be activated by a tenant now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Trust {
    /// It came with the server.
    Bundled,
    /// Enough publishers that the tenant accepts signed it.
    Trusted,
    /// It would be trusted, were it not for a key that was revoked.
    Revoked,
    /// It is not signed, and the server takes such modules.
    Unsigned,
    /// Not enough publishers that the tenant accepts signed it.
    NotAccepted,
}

impl Trust {
    /// Whether a tenant may activate it.
    pub(crate) fn accepts(self) -> bool {
        matches!(self, Self::Bundled | Self::Trusted | Self::Unsigned)
    }
}

/// How far a tenant may trust a module that `signers` signed. Two keys of one publisher count once.
pub(crate) fn trust(
    policy: &ModulePolicy,
    publishers: &[Publisher],
    signers: &[String],
    allow_unsigned: bool,
) -> Trust {
    let accepted = |publisher: &&Publisher| {
        signers.contains(&publisher.key_id)
            && policy.publishers.as_ref().is_none_or(|names| names.contains(&publisher.name))
    };
    let names = |revoked: bool| -> usize {
        let counted = publishers.iter().filter(accepted);
        let counted = counted.filter(|publisher| revoked || publisher.revoked_at.is_none());
        counted.map(|publisher| publisher.name.as_str()).collect::<BTreeSet<_>>().len()
    };
    let wanted = usize::try_from(policy.signatures.max(1)).unwrap_or(usize::MAX);
    if names(false) >= wanted {
        Trust::Trusted
    } else if names(true) >= wanted {
        Trust::Revoked
    } else if allow_unsigned && *policy == ModulePolicy::default() {
        Trust::Unsigned
    } else {
        Trust::NotAccepted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    fn publisher(key_id: &str, name: &str, revoked: bool) -> Publisher {
        Publisher {
            key_id: key_id.to_owned(),
            name: name.to_owned(),
            public_key: [0; 32],
            added_at: Timestamp::UNIX_EPOCH,
            revoked_at: revoked.then_some(Timestamp::UNIX_EPOCH),
        }
    }

    fn of(policy: &ModulePolicy, signers: &[&str], unsigned: bool) -> Trust {
        let publishers = [
            publisher("a1", "acme", false),
            publisher("a2", "acme", false),
            publisher("b1", "bose", false),
            publisher("c1", "chaki", true),
        ];
        let signers: Vec<String> = signers.iter().map(|&id| id.to_owned()).collect();
        trust(policy, &publishers, &signers, unsigned)
    }

    #[test]
    fn one_signature_of_anybody_trusted_is_enough_by_default() {
        let policy = ModulePolicy::default();
        assert_eq!(of(&policy, &["a1"], false), Trust::Trusted);
        assert_eq!(of(&policy, &["unknown"], false), Trust::NotAccepted);
        assert_eq!(of(&policy, &["c1"], false), Trust::Revoked);
        assert_eq!(of(&policy, &[], false), Trust::NotAccepted);
        assert_eq!(of(&policy, &[], true), Trust::Unsigned);
    }

    #[test]
    fn two_signatures_are_those_of_two_publishers() {
        let policy = ModulePolicy { publishers: None, signatures: 2 };
        assert_eq!(of(&policy, &["a1", "a2"], false), Trust::NotAccepted);
        assert_eq!(of(&policy, &["a1", "b1"], false), Trust::Trusted);
        assert_eq!(of(&policy, &["a1", "c1"], false), Trust::Revoked);
        assert_eq!(of(&policy, &[], true), Trust::NotAccepted, "who asks for two does not take none");
    }

    #[test]
    fn a_tenant_may_accept_some_publishers_alone() {
        let policy = ModulePolicy { publishers: Some(vec!["bose".to_owned()]), signatures: 1 };
        assert_eq!(of(&policy, &["a1"], false), Trust::NotAccepted);
        assert_eq!(of(&policy, &["a1", "b1"], false), Trust::Trusted);
    }
}
