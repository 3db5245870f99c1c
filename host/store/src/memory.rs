//! What a lane remembers of the tenants that it appended to: where their histories end, and versions of streams.
//!
//! All of it is true for as long as the heads are where it says; whoever uses it makes sure of that. It must not be
//! relied on otherwise: other hosts append too.

use niyam_domain::TenantId;

use crate::group::{Known, Outcome};

/// Streams that are remembered, at most.
const STREAMS_MAX: usize = 16_384;
/// Tenants that are remembered, at most.
const TENANTS_MAX: usize = 4_096;

/// See the module.
#[derive(Default)]
pub struct Memory {
    known: Known,
    /// No fewer than there are.
    streams: usize,
}

impl Memory {
    /// What is remembered. It has no answers.
    pub fn known(&self) -> &Known {
        &self.known
    }

    /// Takes in what was looked up under the locks of heads that stayed, before [`Memory::moved`] tells what was written.
    pub fn found(&mut self, found: Known) {
        self.known.tips.extend(found.tips);
        for (tenant, versions) in found.versions {
            self.streams += versions.len();
            self.known.versions.entry(tenant).or_default().extend(versions);
        }
        self.shrink();
    }

    /// Takes in what was committed.
    pub fn moved(&mut self, outcome: &Outcome) {
        for (tenant, tip) in &outcome.tips {
            match self.known.tips.get_mut(tenant) {
                Some(known) => *known = *tip,
                None => {
                    self.known.tips.insert(tenant.clone(), *tip);
                }
            }
        }
        for (tenant, moved) in &outcome.versions {
            self.streams += moved.len();
            let versions = moved.iter().map(|(stream, version)| (stream.clone(), *version));
            match self.known.versions.get_mut(tenant) {
                Some(known) => known.extend(versions),
                None => {
                    self.known.versions.insert(tenant.clone(), versions.collect());
                }
            }
        }
        self.shrink();
    }

    /// Forgets what may no longer be so.
    pub fn forget<'a>(&mut self, tenants: impl IntoIterator<Item = &'a TenantId>) {
        for tenant in tenants {
            self.known.tips.remove(tenant);
            self.known.versions.remove(tenant);
        }
    }

    /// What is forgotten is looked up once more.
    fn shrink(&mut self) {
        if self.known.tips.len() > TENANTS_MAX {
            *self = Self::default();
        } else if self.streams > STREAMS_MAX {
            self.known.versions.clear();
            self.streams = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use niyam_domain::{Position, StreamId, TenantId, Version};

    use super::{Memory, STREAMS_MAX, TENANTS_MAX};
    use crate::group::{Known, Outcome, Tip};

    fn tip(position: u64) -> Tip {
        Tip { position: Position(position), ..Tip::GENESIS }
    }

    fn moved(tenant: &TenantId, stream: &StreamId, number: u64) -> Outcome {
        Outcome {
            tips: [(tenant.clone(), tip(number))].into(),
            versions: [(tenant.clone(), [(stream.clone(), Version(number))].into())].into(),
            ..Outcome::default()
        }
    }

    #[test]
    fn what_was_written_counts_rather_than_what_was_found() {
        let (acme, stream): (TenantId, StreamId) = ("acme".parse().unwrap(), "a".parse().unwrap());
        let mut memory = Memory::default();
        memory.found(Known {
            tips: [(acme.clone(), tip(1))].into(),
            versions: [(acme.clone(), [(stream.clone(), Version(1))].into())].into(),
            answers: HashMap::new(),
        });
        memory.moved(&moved(&acme, &stream, 2));
        assert_eq!(memory.known().tips.get(&acme), Some(&tip(2)));
        assert_eq!(memory.known().version(&acme, &stream), Some(Version(2)));
        memory.forget([&acme]);
        assert_eq!(memory.known().tips.get(&acme), None);
        assert_eq!(memory.known().version(&acme, &stream), None);
    }

    #[test]
    fn memory_is_bounded() {
        let acme: TenantId = "acme".parse().unwrap();
        let mut memory = Memory::default();
        for number in 0..=STREAMS_MAX as u64 {
            memory.moved(&moved(&acme, &format!("a/{number}").parse().unwrap(), number));
        }
        assert!(memory.known().versions.is_empty());
        assert_eq!(memory.known().tips.get(&acme), Some(&tip(STREAMS_MAX as u64)), "the head is kept");
        for number in 0..=TENANTS_MAX {
            let tenant = format!("tenant-{number}").parse().unwrap();
            memory.moved(&Outcome { tips: [(tenant, tip(1))].into(), ..Outcome::default() });
        }
        assert!(memory.known().tips.len() <= TENANTS_MAX);
    }
}
