//! Matches what is missing in one place with what is too much in another: that was moved, not lost.

use super::fault::{Alteration, ChainFault};
use super::scan::{Loose, Scan, Slot, unsigned};
use crate::chain::GENESIS;

impl Scan {
    /// Within a history: what is missing here and stands there, and what stands in each other's place.
    pub(super) fn pair(&mut self) {
        self.pair_missing();
        self.pair_exchanged();
    }

    fn pair_missing(&mut self) {
        for mut slot in std::mem::take(&mut self.slots) {
            while let Some(index) = self.loose.iter().position(|loose| self.belongs(loose, &slot)) {
                let Loose { finding, event } = self.loose.swap_remove(index);
                let at = slot.place;
                let (from, to) = (at.min(event.position), at.max(event.position));
                self.one_less(finding);
                let fault = ChainFault::Reordered { from: unsigned(from), to: unsigned(to) };
                let whole = self.found_one(&mut slot, event.hash.unwrap_or(GENESIS), from, fault);
                if whole {
                    break;
                }
            }
            self.slots.push(slot);
        }
    }

    /// Whether the event, which was put in, is the one that is missing.
    fn belongs(&self, loose: &Loose, slot: &Slot) -> bool {
        self.is(loose.finding, "inserted")
            && self.is(slot.finding, "deleted")
            && loose.event.fits(&self.tenant, slot.place, &slot.previous)
    }

    /// Notes what became of the first missing event of a slot; whether it was the last one.
    fn found_one(&mut self, slot: &mut Slot, hash: [u8; 32], position: i64, fault: ChainFault) -> bool {
        let whole = self.one_less(slot.finding);
        self.note(position, position, fault);
        slot.place += 1;
        slot.previous = hash;
        whole
    }

    /// Takes an event off a finding, and the finding away if it was the last; whether it was.
    fn one_less(&mut self, finding: usize) -> bool {
        let Some(found) = &mut self.findings[finding] else { return true };
        let (ChainFault::Deleted { events, .. } | ChainFault::Inserted { events }) = &mut found.fault else {
            return true;
        };
        *events -= 1;
        let whole = *events == 0;
        if whole {
            self.findings[finding] = None;
            self.found -= 1;
        } else if matches!(found.fault, ChainFault::Deleted { .. }) {
            found.position += 1;
        }
        whole
    }

    fn pair_exchanged(&mut self) {
        let altered: Vec<usize> =
            (0..self.slots.len()).filter(|slot| self.is(self.slots[*slot].finding, "altered")).collect();
        for (index, one) in altered.iter().enumerate() {
            if let Some(other) = altered[index + 1..].iter().find(|other| self.are_exchanged(*one, **other)) {
                self.note_exchanged(*one, *other);
            }
        }
    }

    /// Whether two events stand in each other's place, with their hashes or without.
    fn are_exchanged(&self, one: usize, other: usize) -> bool {
        let (one, other) = (&self.slots[one], &self.slots[other]);
        // A finding that is gone was one of a pair already.
        let (Some(first), Some(second)) = (self.event_of(one), self.event_of(other)) else { return false };
        let second_here = second.hash_at(&self.tenant, one.place, &one.previous);
        let first_there = first.hash_at(&self.tenant, other.place, &other.previous);
        (second.hash == Some(second_here) && first.hash == Some(first_there))
            || (one.hash == Some(second_here) && other.hash == Some(first_there))
    }

    fn note_exchanged(&mut self, one: usize, other: usize) {
        let mut unproven = Vec::new();
        for (here, there) in [(one, other), (other, one)] {
            let (here, there) = (&self.slots[here], &self.slots[there]);
            let (Some(next), Some(event)) = (&here.next, self.event_of(there)) else { continue };
            let hash = event.hash_at(&self.tenant, here.place, &here.previous);
            if !next.fits(&self.tenant, here.place + 1, &hash) {
                unproven.push(next.position);
            }
        }
        let mut places = Vec::new();
        for slot in [one, other] {
            let finding = self.slots[slot].finding;
            places.extend(self.findings[finding].take().map(|found| found.position));
            self.found -= 1;
        }
        let (from, to) = (places.iter().min().copied(), places.iter().max().copied());
        let (from, to) = (from.unwrap_or_default(), to.unwrap_or_default());
        self.note(from, from, ChainFault::Reordered { from: unsigned(from), to: unsigned(to) });
        for position in unproven {
            self.note(position, position, ChainFault::Altered(Alteration::Contents));
        }
    }

    fn event_of(&self, slot: &Slot) -> Option<&super::row::StoredEvent> {
        self.findings[slot.finding].as_ref()?;
        self.loose.iter().find(|loose| loose.finding == slot.finding).map(|loose| &loose.event)
    }

    fn is(&self, finding: usize, kind: &str) -> bool {
        self.findings[finding].as_ref().is_some_and(|found| found.fault.kind() == kind)
    }
}

/// Between histories: what is missing in one and was put into another.
pub(super) fn pair_between(scans: &mut [Scan]) {
    for losing in 0..scans.len() {
        for mut slot in std::mem::take(&mut scans[losing].slots) {
            while scans[losing].is(slot.finding, "deleted") {
                let Some((tenant, position, hash)) = find_elsewhere(scans, losing, &slot) else { break };
                let (at, fault) = (slot.place, ChainFault::Moved { tenant, position: unsigned(position) });
                scans[losing].found_one(&mut slot, hash, at, fault);
            }
        }
    }
}

/// Whose history the missing event stands in, where, and its hash.
fn find_elsewhere(scans: &[Scan], losing: usize, slot: &Slot) -> Option<(String, i64, [u8; 32])> {
    let tenant = &scans[losing].tenant;
    scans.iter().enumerate().filter(|(index, _)| *index != losing).find_map(|(_, scan)| {
        let found = scan.loose.iter().find(|loose| {
            scan.is(loose.finding, "inserted") && loose.event.fits(tenant, slot.place, &slot.previous)
        })?;
        let name = String::from_utf8_lossy(&scan.tenant).into_owned();
        Some((name, found.event.position, found.event.hash?))
    })
}
