//! Tells from its neighbours how the chain broke at the next event, and where it goes on.

use super::fault::{Alteration, ChainFault};
use super::row::StoredEvent;
use super::scan::{LOOK_AHEAD, Scan, unsigned};
use crate::chain::GENESIS;
use crate::event::Hash;

/// Events that may have been taken out, and those after them renumbered, so that it is recognised.
const TAKEN_OUT_MAX: i64 = 1000;

impl Scan {
    /// Judges the next event, which is not what the chain goes on with.
    pub(super) fn diagnose(&mut self) {
        let Some(position) = self.queue.front().map(|event| event.position) else { return };
        let expected = self.last + 1;
        if position < expected {
            self.second_of_a_position();
        } else if position == expected && self.put_in_before() {
            // The events before it are noted, and it fits where they were.
        } else if self.is_past_the_head() {
            self.put_in(1);
        } else if position > expected {
            self.gap(position);
        } else if !(self.put_in_here() || self.exchanged_with_next()) {
            self.altered();
        }
    }

    /// A position comes twice, or is none: a constraint was dropped.
    fn second_of_a_position(&mut self) {
        let (last, event) = (self.last, &self.queue[0]);
        let before = self.recent.len().checked_sub(2).map(|index| self.recent[index]);
        let also_fits = event.position == last
            && before.is_some_and(|before| event.fits(&self.tenant, last + self.shift, &before));
        let hash = event.hash.unwrap_or(GENESIS);
        if also_fits && self.goes_on(1, self.last + 1, self.place(), &hash) {
            // It was the first of the two that was put in.
            self.recent.pop_back();
            self.recent.push_back(hash);
            self.queue.pop_front();
            self.note(last, last, ChainFault::Inserted { events: 1 });
        } else {
            self.put_in(1);
        }
    }

    /// Whether there may be no event here at all.
    fn is_past_the_head(&self) -> bool {
        // Without a head, what begins as a chain is one.
        self.head.map_or(self.last == 0, |head| self.place() > head.position)
    }

    /// Whether this one fits if the events just before it had not been there: those have sound hashes.
    fn put_in_before(&mut self) -> bool {
        let event = &self.queue[0];
        let place = self.place();
        let newest = self.recent.len() - 1;
        let Some(back) = (1..=newest)
            .find(|back| event.fits(&self.tenant, place - signed_count(*back), &self.recent[newest - back]))
        else {
            return false;
        };
        // A copy of an earlier event fits there too, but what follows it does not.
        let hash = event.hash.unwrap_or(GENESIS);
        if !self.goes_on(1, self.last + 2, place + 1 - signed_count(back), &hash) {
            return false;
        }
        self.recent.truncate(newest + 1 - back);
        self.shift -= signed_count(back);
        let (first, last) = (self.last + 1 - signed_count(back), self.last);
        self.note(first, last, ChainFault::Inserted { events: back as u64 });
        true
    }

    /// Notes that the next `count` events were put in, and passes over them.
    fn put_in(&mut self, count: usize) {
        let Some(first) = self.queue.front().map(|event| event.position) else { return };
        let finding = match self.findings.last_mut() {
            Some(Some(before))
                if matches!(before.fault, ChainFault::Inserted { .. }) && before.last + 1 == first =>
            {
                before.last += signed_count(count);
                if let ChainFault::Inserted { events } = &mut before.fault {
                    *events += count as u64;
                }
                Some(self.findings.len() - 1)
            }
            _ => {
                let last = first + signed_count(count) - 1;
                self.note(first, last, ChainFault::Inserted { events: count as u64 })
            }
        };
        for _ in 0..count {
            if let Some(event) = self.queue.pop_front() {
                self.keep_loose(finding, event);
            }
        }
    }

    /// Positions are left out before the next event.
    fn gap(&mut self, position: i64) {
        let (expected, place, previous) = (self.last + 1, self.place(), self.previous());
        let event = &self.queue[0];
        let missing = position - expected;
        if event.fits(&self.tenant, place, &previous) {
            // Nothing is missing: this one alone has another position, or all that follow.
            let hash = event.hash.unwrap_or(GENESIS);
            let all = self.queue.len() > 1 && self.goes_on(1, position + 1, place + 1, &hash);
            let (from, to) = (unsigned(expected), unsigned(position));
            self.note(expected, expected, ChainFault::Reordered { from, to });
            if all {
                self.shift -= missing;
                self.last += missing;
            } else {
                self.queue[0].position = expected;
            }
            return;
        }
        let whole = event.fits(&self.tenant, place + missing, &previous);
        let (hash, next) = (event.hash.unwrap_or(GENESIS), event.clone());
        let fault = ChainFault::Deleted { events: missing.unsigned_abs(), renumbered: false };
        let finding = self.note(expected, position - 1, fault);
        self.keep_slot(finding, place, previous, None, Some(next));
        self.last += missing;
        if !whole {
            // Cannot be proved without the one before it.
            self.take(hash);
        }
    }

    /// Whether an event that belongs here comes a little later.
    pub(super) fn put_in_here(&mut self) -> bool {
        let (expected, place, previous) = (self.last + 1, self.place(), self.previous());
        let ahead = self.queue.len().min(LOOK_AHEAD);
        let twice = (1..ahead).find(|other| {
            let event = &self.queue[*other];
            event.position == expected && event.fits(&self.tenant, place, &previous)
        });
        if let Some(others) = twice {
            self.put_in(others);
            return true;
        }
        let Some(later) = (1..ahead).find(|later| {
            let event = &self.queue[*later];
            event.position == expected + signed_count(*later) && event.fits(&self.tenant, place, &previous)
        }) else {
            return self.put_in_at_the_end(previous);
        };
        let hash = self.queue[later].hash.unwrap_or(GENESIS);
        if self.goes_on(later + 1, expected + signed_count(later) + 1, place + 1, &hash) {
            self.put_in(later);
            self.shift -= signed_count(later);
            self.last += signed_count(later);
            return true;
        }
        if self.queue[0].fits(&self.tenant, place + 1, &hash) {
            // It stands behind those that it should precede.
            if let Some(event) = self.queue.remove(later) {
                self.queue.push_front(event);
            }
        } else {
            self.queue.swap(0, later);
        }
        for (index, event) in self.queue.iter_mut().take(later + 1).enumerate() {
            event.position = expected + signed_count(index);
        }
        let (from, to) = (unsigned(expected), unsigned(expected + signed_count(later)));
        self.note(expected, expected, ChainFault::Reordered { from, to });
        true
    }

    /// Whether the last event is one too many: the head has the hash of the one before.
    fn put_in_at_the_end(&mut self, previous: Hash) -> bool {
        let alone = self.queue.len() == 1 && self.head.is_some_and(|head| head.hash == Some(previous));
        if alone {
            self.put_in(1);
        }
        alone
    }

    /// Whether this event and the next have each other's contents, and kept their hashes.
    fn exchanged_with_next(&mut self) -> bool {
        let (place, previous) = (self.place(), self.previous());
        let Some(next) = self.queue.get(1) else { return false };
        let (Some(first), Some(second)) = (self.queue[0].hash, next.hash) else { return false };
        let exchanged = next.position == self.last + 2
            && next.hash_at(&self.tenant, place, &previous) == first
            && self.queue[0].hash_at(&self.tenant, place + 1, &first) == second;
        if exchanged {
            let (from, to) = (unsigned(self.last + 1), unsigned(self.last + 2));
            self.note(self.last + 1, self.last + 1, ChainFault::Reordered { from, to });
            self.take(first);
            self.take(second);
        }
        exchanged
    }

    /// The event stands in its place and does not fit: asks the next one, or the head, which hash is right.
    fn altered(&mut self) {
        let (expected, place, previous) = (self.last + 1, self.place(), self.previous());
        let event = self.queue[0].clone();
        let computed = event.hash_at(&self.tenant, place, &previous);
        let stored = event.hash.unwrap_or(computed);
        let anchor = self.anchors_at(place).next().map(|anchor| anchor.hash);
        let known = [
            (Some(stored), Alteration::Contents),
            (Some(computed), Alteration::Hash),
            (anchor, Alteration::Both),
        ];
        let confirmed = known
            .into_iter()
            .filter_map(|(hash, alteration)| Some((hash?, alteration)))
            .filter(|_| !self.stood_further_on(place, &stored))
            .find(|(hash, _)| self.next_fits(1, place + 1, hash));
        if let Some((hash, alteration)) = confirmed {
            return self.note_altered(event, previous, hash, alteration);
        }
        if let Some(taken_out) = self.taken_out(place, &stored) {
            let fault = ChainFault::Deleted { events: taken_out.unsigned_abs(), renumbered: true };
            let finding = self.note(expected, expected, fault);
            self.keep_slot(finding, place, previous, None, Some(event));
            self.shift += taken_out;
            return self.take(stored);
        }
        if self.queue.len() == 1 {
            // Nothing comes after it; only what is known of its place can tell.
            let alteration = match anchor {
                Some(anchor) if anchor == stored => Alteration::Contents,
                Some(anchor) if anchor == computed => Alteration::Hash,
                _ => Alteration::Both,
            };
            self.note_altered(event, previous, stored, alteration);
            self.unconfirmed = alteration == Alteration::Both;
            return;
        }
        // The next one cannot be proved without this one's hash; its own is confirmed by the one after it.
        let next = self.queue[1].clone();
        let next_hash =
            next.hash.filter(|hash| next.position == expected + 1 && self.next_fits(2, place + 2, hash));
        let Some(next_hash) = next_hash else {
            return self.note_altered(event, previous, stored, Alteration::Both);
        };
        let finding = self.note(expected, expected + 1, ChainFault::Altered(Alteration::Both));
        self.keep_slot(finding, place, previous, Some(stored), Some(next));
        self.keep_loose(finding, event);
        self.take(stored);
        self.take(next_hash);
    }

    fn note_altered(&mut self, event: StoredEvent, previous: Hash, hash: Hash, alteration: Alteration) {
        let (expected, place) = (self.last + 1, self.place());
        let finding = self.note(expected, expected, ChainFault::Altered(alteration));
        self.keep_slot(finding, place, previous, event.hash, None);
        self.keep_loose(finding, event);
        self.take(hash);
    }

    /// How many events were taken out before the next one, if those after were renumbered.
    fn taken_out(&self, place: i64, hash: &Hash) -> Option<i64> {
        if let Some(next) = self.queue.get(1) {
            let follows = next.position == self.last + 2;
            return (1..=TAKEN_OUT_MAX)
                .find(|count| follows && next.fits(&self.tenant, place + 1 + count, hash));
        }
        let anchored = self.anchored_place(hash);
        let headed = self.head.filter(|head| head.hash == Some(*hash)).map(|head| head.position);
        anchored.or(headed).map(|known| known - place).filter(|count| *count > 0)
    }

    /// Whether the last event is known to have had a later position.
    fn stood_further_on(&self, place: i64, hash: &Hash) -> bool {
        self.queue.len() == 1 && self.anchored_place(hash).is_some_and(|anchored| anchored > place)
    }

    /// Whether the chain goes on at `index` of those that wait after an event with `hash`: with the next event, which
    /// has this position and this place, or with the head.
    fn goes_on(&self, index: usize, position: i64, place: i64, hash: &Hash) -> bool {
        match self.queue.get(index) {
            Some(next) => next.position == position && next.fits(&self.tenant, place, hash),
            None => self.queue.len() == index && self.head.is_some_and(|head| head.hash == Some(*hash)),
        }
    }

    /// The same for the next event or the head at its very place.
    fn next_fits(&self, index: usize, place: i64, hash: &Hash) -> bool {
        let ends = self.queue.len() == index;
        self.goes_on(index, self.last + 1 + signed_count(index), place, hash)
            && (!ends || self.head.is_some_and(|head| head.position == place - 1))
    }
}

fn signed_count(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
