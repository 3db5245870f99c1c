//! Follows a tenant's chain over the events as they come. Pure: it is fed, and it takes note.

use std::collections::VecDeque;

use niyam_domain::Position;

use super::fault::{Alteration, ChainBreak, ChainFault, HeadFault};
use super::row::{StoredEvent, StoredHead};
use super::verdict::{Anchor, Verdict};
use crate::chain::GENESIS;
use crate::event::Hash;

/// Events that are looked at to tell how the chain broke: this many may have been put in, or stand too far on.
pub(super) const LOOK_AHEAD: usize = 64;
/// Events kept to be matched with a place in which one is missing, and the memory that they may take.
const KEPT_EVENTS_MAX: usize = 256;
const KEPT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What is wrong at one place.
pub(super) struct Finding {
    pub(super) position: i64,
    pub(super) last: i64,
    pub(super) fault: ChainFault,
}

/// Where an event belongs that is not there.
pub(super) struct Slot {
    pub(super) finding: usize,
    /// Its position in the history, and the hash before it.
    pub(super) place: i64,
    pub(super) previous: Hash,
    /// The hash that stands there, if another event does.
    pub(super) hash: Option<Hash>,
    /// An event after it that only the missing one can prove.
    pub(super) next: Option<StoredEvent>,
}

/// An event that does not belong where it is.
pub(super) struct Loose {
    pub(super) finding: usize,
    pub(super) event: StoredEvent,
}

/// A walk along one tenant's chain.
pub(super) struct Scan {
    /// Whose, as it is there.
    pub(super) tenant: Vec<u8>,
    pub(super) head: Option<StoredHead>,
    anchors: Vec<Anchor>,
    start: i64,
    /// Events that were read and not judged yet.
    pub(super) queue: VecDeque<StoredEvent>,
    /// The position of the last event taken, and of the last one seen.
    pub(super) last: i64,
    seen: i64,
    /// What the positions that were hashed are ahead of those that are stored.
    pub(super) shift: i64,
    /// Hashes of the last events; the next event must follow the last of them.
    pub(super) recent: VecDeque<Hash>,
    /// The hash of the event that stands where the head does.
    at_head: Option<Hash>,
    events: u64,
    anchored: Option<i64>,
    /// Whether the last anchor had another hash.
    forged: bool,
    /// Whether nothing confirms the last event.
    pub(super) unconfirmed: bool,
    pub(super) findings: Vec<Option<Finding>>,
    pub(super) found: u64,
    pub(super) slots: Vec<Slot>,
    pub(super) loose: Vec<Loose>,
    kept_bytes: usize,
}

impl Scan {
    /// A walk from the first event, or from the one after `start`, that passes `anchors`.
    pub(super) fn new(tenant: Vec<u8>, start: Option<Anchor>, mut anchors: Vec<Anchor>) -> Self {
        anchors.sort_by_key(|anchor| anchor.position);
        let (position, hash) = start.map_or((0, GENESIS), |start| (signed(start.position), start.hash));
        Self {
            tenant,
            head: None,
            anchors,
            start: position,
            queue: VecDeque::new(),
            last: position,
            seen: position,
            shift: 0,
            recent: VecDeque::from([hash]),
            at_head: None,
            events: 0,
            anchored: start.map(|start| signed(start.position)),
            forged: false,
            unconfirmed: false,
            findings: Vec::new(),
            found: 0,
            slots: Vec::new(),
            loose: Vec::new(),
            kept_bytes: 0,
        }
    }

    /// The head as it is there now. One that was read later is never behind.
    pub(super) fn set_head(&mut self, head: Option<StoredHead>) {
        self.head = head;
        self.at_head = head.filter(|head| head.position == self.last + self.shift).map(|_| self.previous());
    }

    /// The next events, in order of position.
    pub(super) fn feed(&mut self, events: Vec<StoredEvent>) {
        if let Some(last) = events.last() {
            self.seen = self.seen.max(last.position);
        }
        self.queue.extend(events);
        self.advance(false);
    }

    /// Judges what waits, the end, and what of it all belongs together.
    pub(super) fn finish(&mut self) {
        self.advance(true);
        self.check_head();
        self.check_reach();
        self.pair();
    }

    /// What was found out.
    pub(super) fn verdict(self) -> Verdict {
        let tenant = String::from_utf8_lossy(&self.tenant).into_owned();
        let mut findings: Vec<Finding> = self.findings.into_iter().flatten().collect();
        // What the store would not have written comes last: it mostly follows from a break of the chain.
        findings.sort_by_key(|finding| (finding.fault.is_semantic(), finding.position));
        let breaks = findings
            .into_iter()
            .map(|Finding { position, last, fault }| ChainBreak {
                tenant: tenant.clone(),
                position: unsigned(position),
                last: unsigned(last.max(position)),
                fault,
            })
            .collect();
        Verdict {
            tenant,
            end: Anchor {
                position: unsigned(self.last + self.shift),
                hash: self.recent.back().copied().unwrap_or(GENESIS),
            },
            events: self.events,
            breaks,
            breaks_found: self.found,
            anchored: self.anchored.map(unsigned),
        }
    }

    fn advance(&mut self, complete: bool) {
        while let Some(event) = self.queue.front() {
            let (place, previous) = (self.place(), self.previous());
            let sound = event.position == self.last + 1 && event.fits(&self.tenant, place, &previous);
            let hash = event.hash.unwrap_or(GENESIS);
            let disproved = self.anchors_at(place).find(|anchor| anchor.hash != hash).copied();
            match (sound, disproved) {
                (true, None) => {
                    if self.anchors_at(place).next().is_some() {
                        self.anchored = Some(place);
                        self.forged = false;
                    }
                    self.take(hash);
                }
                _ if !complete && self.queue.len() <= LOOK_AHEAD => return,
                (true, Some(anchor)) => self.disproved(hash, anchor),
                (false, _) => self.diagnose(),
            }
        }
    }

    /// Takes the next event, as one with this hash.
    pub(super) fn take(&mut self, hash: Hash) {
        self.queue.pop_front();
        self.last += 1;
        self.events += 1;
        self.unconfirmed = false;
        self.recent.push_back(hash);
        if self.recent.len() > LOOK_AHEAD + 1 {
            self.recent.pop_front();
        }
        if self.head.is_some_and(|head| head.position == self.last + self.shift) {
            self.at_head = Some(hash);
        }
    }

    /// Takes the next event, which is sound but not what was anchored.
    fn disproved(&mut self, hash: Hash, anchor: Anchor) {
        if self.put_in_here() {
            return;
        }
        let place = self.place();
        let next_fits = match self.queue.get(1) {
            Some(next) => next.fits(&self.tenant, place + 1, &anchor.hash),
            None => self.head.is_some_and(|head| head.hash == Some(anchor.hash)),
        };
        let position = self.last + 1;
        if next_fits {
            self.note(position, position, ChainFault::Altered(Alteration::Replaced));
            self.take(anchor.hash);
            return;
        }
        if !self.forged {
            let after = unsigned(self.anchored.unwrap_or_default());
            self.note(position, position, ChainFault::Forged { after });
            self.forged = true;
        }
        self.take(hash);
    }

    fn check_head(&mut self) {
        let (end, hash) = (self.last + self.shift, self.previous());
        let Some(head) = self.head else {
            if self.last > 0 {
                self.note(self.last, self.last, ChainFault::Head(HeadFault::Missing));
            }
            return;
        };
        let agrees = head.hash == Some(hash);
        // An event that was put in or taken out may have moved the head's position with it, or not.
        if agrees && (head.position == end || head.position == self.seen) {
            return;
        }
        if head.position < self.start && self.start > 0 {
            let checkpoint = unsigned(self.start);
            self.note(head.position + 1, self.start, ChainFault::Truncated { checkpoint });
        } else if agrees {
            self.note(self.last, self.last, ChainFault::Head(HeadFault::Position));
        } else if head.position > end {
            let (first, last) = (self.last + 1, head.position - self.shift);
            let events = last.abs_diff(first) + 1;
            let finding = self.note(first, last, ChainFault::Deleted { events, renumbered: false });
            self.keep_slot(finding, end + 1, hash, None, None);
        } else if head.position < end && self.at_head.is_some() && self.at_head == head.hash {
            let events = end.abs_diff(head.position);
            self.note(head.position + 1, end, ChainFault::Head(HeadFault::Behind { events }));
        } else if !(self.unconfirmed && head.position == end) {
            self.note(head.position, head.position, ChainFault::Head(HeadFault::Hash));
        }
    }

    /// Whether the history reaches every anchor.
    fn check_reach(&mut self) {
        let end = self.last + self.shift;
        let reach = self.head.map_or(end, |head| head.position.max(end));
        let mut beyond = self.anchors.iter().map(|anchor| anchor.position).filter(|at| signed(*at) > reach);
        if let Some(checkpoint) = beyond.next() {
            let last = signed(beyond.next_back().unwrap_or(checkpoint));
            self.note(reach + 1, last, ChainFault::Truncated { checkpoint });
        }
    }

    /// Takes note of a fault; its number, unless there are too many.
    pub(super) fn note(&mut self, position: i64, last: i64, fault: ChainFault) -> Option<usize> {
        self.found += 1;
        if self.findings.len() >= Verdict::BREAKS_KEPT {
            return None;
        }
        self.findings.push(Some(Finding { position, last, fault }));
        Some(self.findings.len() - 1)
    }

    /// Keeps a place in which an event is missing.
    pub(super) fn keep_slot(
        &mut self,
        finding: Option<usize>,
        place: i64,
        previous: Hash,
        hash: Option<Hash>,
        next: Option<StoredEvent>,
    ) {
        let Some(finding) = finding else { return };
        if self.slots.len() < KEPT_EVENTS_MAX && self.has_room(next.as_ref()) {
            self.slots.push(Slot { finding, place, previous, hash, next });
        }
    }

    /// Keeps an event that does not belong where it is.
    pub(super) fn keep_loose(&mut self, finding: Option<usize>, event: StoredEvent) {
        let Some(finding) = finding else { return };
        if self.loose.len() < KEPT_EVENTS_MAX && self.has_room(Some(&event)) {
            self.loose.push(Loose { finding, event });
        }
    }

    fn has_room(&mut self, event: Option<&StoredEvent>) -> bool {
        let bytes = event.map_or(0, StoredEvent::bytes);
        let room = self.kept_bytes + bytes <= KEPT_BYTES_MAX;
        self.kept_bytes += if room { bytes } else { 0 };
        room
    }

    /// The position in the history of the event that comes next.
    pub(super) fn place(&self) -> i64 {
        self.last + 1 + self.shift
    }

    /// The hash that the next event must follow.
    pub(super) fn previous(&self) -> Hash {
        self.recent.back().copied().unwrap_or(GENESIS)
    }

    /// Where an event with this hash is known to have been.
    pub(super) fn anchored_place(&self, hash: &Hash) -> Option<i64> {
        self.anchors.iter().find(|anchor| anchor.hash == *hash).map(|anchor| signed(anchor.position))
    }

    /// What is known of a position.
    pub(super) fn anchors_at(&self, place: i64) -> impl Iterator<Item = &Anchor> {
        let first = self.anchors.partition_point(|anchor| signed(anchor.position) < place);
        self.anchors[first..].iter().take_while(move |anchor| signed(anchor.position) == place)
    }
}

/// Positions are stored as signed numbers.
pub(super) fn signed(position: Position) -> i64 {
    i64::try_from(position.0).unwrap_or(i64::MAX)
}

/// A position that somebody stored may be none.
pub(super) fn unsigned(position: i64) -> Position {
    Position(u64::try_from(position).unwrap_or_default())
}
