//! Decides what becomes of each append of a transaction: answered again, rejected, or accepted.
//!
//! Pure: what the database knows is an argument, and what it does not know yet is an answer.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use jiff::Timestamp;
use niyam_domain::{Position, StreamId, SubjectKeyId, TenantId, Version};

use crate::append::{
    APPEND_BYTES_MAX, Append, AppendError, Appended, Batch, EVENT_BYTES_MAX, EVENT_TYPE_BYTES_MAX,
    EVENTS_MAX, Idempotency, InvalidAppend, Serials,
};
use crate::chain;
use crate::event::{Hash, Recorded};
use crate::subject::NewSubjectKey;

/// An append and whose it is.
pub struct Command {
    /// Whose events.
    pub tenant: TenantId,
    /// What to write.
    pub append: Append,
}

/// The end of a tenant's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tip {
    /// Position of the last event.
    pub position: Position,
    /// Its hash.
    pub hash: Hash,
}

impl Tip {
    /// Of a tenant without events.
    pub const GENESIS: Self = Self { position: Position(0), hash: chain::GENESIS };
}

/// An answer that was given for an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// What the request asked for.
    pub fingerprint: [u8; 32],
    /// What it got.
    pub answer: Vec<u8>,
    /// Where the history stood after it.
    pub position: Position,
}

impl Given {
    /// The answer again, if the request is the same.
    pub fn replay(&self, idempotency: &Idempotency) -> Result<Appended, AppendError> {
        if self.fingerprint == idempotency.fingerprint {
            Ok(Appended { position: self.position, answer: self.answer.clone(), replayed: true })
        } else {
            Err(AppendError::KeyReused)
        }
    }
}

/// Versions of streams, by tenant.
pub type Versions = HashMap<TenantId, HashMap<StreamId, Version>>;

/// What is known of the tenants and streams of a transaction.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// The end of each tenant's history; a tenant that is not there has none.
    pub tips: HashMap<TenantId, Tip>,
    /// Streams that were looked up, 0 for those without events.
    pub versions: Versions,
    /// Idempotency keys that are known to have an answer.
    pub answers: HashMap<TenantId, HashMap<String, Given>>,
}

impl Known {
    /// The version of a stream, if that is known.
    pub fn version(&self, tenant: &TenantId, stream: &StreamId) -> Option<Version> {
        self.versions.get(tenant)?.get(stream).copied()
    }

    fn answer(&self, tenant: &TenantId, key: &str) -> Option<&Given> {
        self.answers.get(tenant)?.get(key)
    }

    /// Takes in what a look-up of `streams` found; those not found have no events.
    pub fn learn(&mut self, streams: StreamSet, found: Vec<(TenantId, StreamId, Version)>) {
        for (tenant, stream) in streams {
            self.versions.entry(tenant).or_default().insert(stream, Version(0));
        }
        for (tenant, stream, version) in found {
            self.versions.entry(tenant).or_default().insert(stream, version);
        }
    }
}

/// Streams, each with its tenant.
pub type StreamSet = BTreeSet<(TenantId, StreamId)>;

/// What a transaction writes, and what its appends get once it is committed.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// In order of position, per tenant.
    pub events: Vec<Recorded>,
    /// Tenants that got events.
    pub tips: BTreeMap<TenantId, Tip>,
    /// Idempotency keys that got an answer.
    pub answers: Vec<(TenantId, String, Given)>,
    /// Keys of data subjects that are made.
    pub new_keys: Vec<(TenantId, NewSubjectKey)>,
    /// Keys of data subjects that are destroyed.
    pub erased_keys: Vec<(TenantId, SubjectKeyId)>,
    /// Versions that all this counts on, since nobody had looked them up.
    pub supposed: BTreeMap<(TenantId, StreamId), Version>,
    /// Versions that streams have afterwards.
    pub versions: Versions,
    /// One for each command, in order.
    pub results: Vec<Result<Appended, AppendError>>,
}

impl Outcome {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
            && self.answers.is_empty()
            && self.new_keys.is_empty()
            && self.erased_keys.is_empty()
    }
}

/// Where a look at the commands of a transaction ended.
pub enum Settled {
    /// All is decided.
    Done(Outcome),
    /// These streams have to be looked up first.
    Missing(StreamSet),
}

/// What is done about a stream of which nothing is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// It has to be looked up.
    Missing,
    /// It is supposed to have the version that a command expects, unless a number is drawn from it.
    Supposed,
}

/// The streams that the commands are known to need before anything is looked up.
pub fn streams(commands: &[&Command]) -> StreamSet {
    match settle(commands, &Known::default(), Unknown::Missing, Timestamp::UNIX_EPOCH) {
        Settled::Missing(streams) => streams,
        Settled::Done(_) => StreamSet::new(),
    }
}

/// Decides what becomes of each command, in order.
pub fn settle(commands: &[&Command], known: &Known, unknown: Unknown, recorded_at: Timestamp) -> Settled {
    let mut pass = Pass {
        known,
        unknown,
        recorded_at,
        moved: Known::default(),
        missing: StreamSet::new(),
        outcome: Outcome::default(),
    };
    for command in commands {
        if let Some(result) = pass.take(command) {
            pass.outcome.results.push(result);
        }
    }
    if pass.missing.is_empty() { Settled::Done(pass.seal()) } else { Settled::Missing(pass.missing) }
}

/// One look at the commands. What is accepted counts for the commands after it.
struct Pass<'a> {
    known: &'a Known,
    unknown: Unknown,
    recorded_at: Timestamp,
    /// What was accepted, which comes before what is known.
    moved: Known,
    missing: StreamSet,
    outcome: Outcome,
}

impl Pass<'_> {
    /// `None` if a stream has to be looked up first.
    fn take(&mut self, command: &Command) -> Option<Result<Appended, AppendError>> {
        let Command { tenant, append } = command;
        if let Some(idempotency) = &append.idempotency
            && let Some(given) = self.answer(tenant, &idempotency.key)
        {
            return Some(given.replay(idempotency));
        }
        // A command without serials can tell its streams at once, which saves a look-up.
        if self.look_up(tenant, &append.serials).is_none() {
            self.find(tenant, append.unchanged.iter().map(|(stream, expected)| (stream, *expected)));
            return None;
        }
        let read = append.unchanged.iter().map(|(stream, expected)| (stream, *expected));
        let found = self.find(tenant, read.clone());
        if found.is_none() && !append.serials.is_empty() {
            return None;
        }
        let serials = self.serials(command);
        let Ok(batch) = catch_unwind(AssertUnwindSafe(|| (append.build)(&serials))) else {
            return Some(Err(InvalidAppend::BuildPanicked.into()));
        };
        if let Err(invalid) = check(&batch, &serials) {
            return Some(Err(invalid.into()));
        }
        let written = batch.writes.iter().map(|write| (&write.stream, write.expected));
        let supposed = self.outcome.supposed.len();
        self.find(tenant, written.clone())?;
        if self.outcome.supposed.len() > supposed && !is_stable(&append.build, &serials, &batch) {
            // Where streams are looked up, it would name others after each look-up.
            return Some(Err(InvalidAppend::BuildUnstable.into()));
        }
        for (stream, expected) in read.chain(written) {
            let found = self.version(tenant, stream)?;
            if found != expected {
                return Some(Err(AppendError::Conflict { stream: stream.clone(), expected, found }));
            }
        }
        Some(Ok(self.accept(command, batch)))
    }

    fn version(&self, tenant: &TenantId, stream: &StreamId) -> Option<Version> {
        self.moved.version(tenant, stream).or_else(|| self.known.version(tenant, stream))
    }

    fn answer(&self, tenant: &TenantId, key: &str) -> Option<&Given> {
        self.moved.answer(tenant, key).or_else(|| self.known.answer(tenant, key))
    }

    fn tip(&self, tenant: &TenantId) -> Tip {
        let tip = self.moved.tips.get(tenant).or_else(|| self.known.tips.get(tenant));
        tip.copied().unwrap_or(Tip::GENESIS)
    }

    /// Notes the streams that are not known. `None` if there are any.
    fn look_up<'a>(
        &mut self,
        tenant: &TenantId,
        streams: impl IntoIterator<Item = &'a StreamId>,
    ) -> Option<()> {
        let mut all = Some(());
        for stream in streams {
            if self.version(tenant, stream).is_none() {
                self.missing.insert((tenant.clone(), stream.clone()));
                all = None;
            }
        }
        all
    }

    /// Sees to it that the versions of streams are known, or supposed. `None` if one has to be looked up first.
    fn find<'a>(
        &mut self,
        tenant: &TenantId,
        streams: impl IntoIterator<Item = (&'a StreamId, Version)>,
    ) -> Option<()> {
        if self.unknown == Unknown::Missing {
            return self.look_up(tenant, streams.into_iter().map(|(stream, _)| stream));
        }
        for (stream, expected) in streams {
            if self.version(tenant, stream).is_none() {
                self.outcome.supposed.insert((tenant.clone(), stream.clone()), expected);
                self.move_to(tenant, stream.clone(), expected);
            }
        }
        Some(())
    }

    fn move_to(&mut self, tenant: &TenantId, stream: StreamId, version: Version) {
        match self.moved.versions.get_mut(tenant) {
            Some(versions) => {
                versions.insert(stream, version);
            }
            None => {
                self.moved.versions.insert(tenant.clone(), [(stream, version)].into());
            }
        }
    }

    fn serials(&self, command: &Command) -> Serials {
        let next = |stream: &StreamId| {
            let version = self.version(&command.tenant, stream)?;
            Some((stream.clone(), Version(version.0 + 1)))
        };
        Serials(command.append.serials.iter().filter_map(next).collect())
    }

    /// Gives positions and versions, and counts the writes for the commands that follow.
    fn accept(&mut self, command: &Command, batch: Batch) -> Appended {
        let tenant = &command.tenant;
        let mut tip = self.tip(tenant);
        for write in batch.writes {
            let mut version = write.expected;
            for event in write.events {
                version.0 += 1;
                tip.position.0 += 1;
                let mut recorded = Recorded {
                    tenant: tenant.clone(),
                    position: tip.position,
                    stream: write.stream.clone(),
                    version,
                    id: event.id,
                    event_type: event.event_type,
                    payload: event.payload,
                    metadata: event.metadata,
                    recorded_at: self.recorded_at,
                    effective_date: event.effective_date,
                    hash: chain::GENESIS,
                };
                recorded.hash = chain::seal(&recorded, &tip.hash);
                tip.hash = recorded.hash;
                self.outcome.events.push(recorded);
            }
            self.move_to(tenant, write.stream, version);
        }
        if tip != self.tip(tenant) {
            self.moved.tips.insert(tenant.clone(), tip);
        }
        let Append { new_keys, erased_keys, .. } = &command.append;
        self.outcome.new_keys.extend(new_keys.iter().map(|key| (tenant.clone(), key.clone())));
        self.outcome.erased_keys.extend(erased_keys.iter().map(|key| (tenant.clone(), *key)));
        if let Some(Idempotency { key, fingerprint }) = command.append.idempotency.clone() {
            let given = Given { fingerprint, answer: batch.answer.clone(), position: tip.position };
            self.moved.answers.entry(tenant.clone()).or_default().insert(key.clone(), given.clone());
            self.outcome.answers.push((tenant.clone(), key, given));
        }
        Appended { position: tip.position, answer: batch.answer, replayed: false }
    }

    fn seal(self) -> Outcome {
        let Self { moved, mut outcome, .. } = self;
        outcome.tips = moved.tips.into_iter().collect();
        outcome.versions = moved.versions;
        outcome
    }
}

/// What can be said about an append before it waits.
pub fn check_early(append: &Append) -> Result<(), InvalidAppend> {
    let fits = |key: &str| {
        (1..=crate::append::KEY_BYTES_MAX).contains(&key.len())
            && key.bytes().all(|byte| matches!(byte, 0x20..=0x7e))
    };
    match &append.idempotency {
        Some(idempotency) if !fits(&idempotency.key) => Err(InvalidAppend::Key),
        _ => Ok(()),
    }
}

/// Whether `build` names the same streams again.
fn is_stable(build: &dyn Fn(&Serials) -> Batch, serials: &Serials, batch: &Batch) -> bool {
    let again = catch_unwind(AssertUnwindSafe(|| build(serials)));
    again.is_ok_and(|again| {
        let streams = again.writes.iter().map(|write| &write.stream);
        streams.eq(batch.writes.iter().map(|write| &write.stream))
    })
}

/// What is wrong with `batch` whatever the streams' versions are.
fn check(batch: &Batch, serials: &Serials) -> Result<(), InvalidAppend> {
    let mut streams = HashSet::new();
    let mut ids = HashSet::new();
    let mut bytes = batch.answer.len();
    for write in &batch.writes {
        if !streams.insert(&write.stream) {
            return Err(InvalidAppend::StreamTwice(write.stream.clone()));
        }
        if write.events.is_empty() {
            return Err(InvalidAppend::NoEvents(write.stream.clone()));
        }
        for event in &write.events {
            let length = event.payload.len() + event.metadata.len();
            bytes += length;
            if length > EVENT_BYTES_MAX {
                return Err(InvalidAppend::EventTooLarge);
            }
            let event_type = &event.event_type;
            if !(1..=EVENT_TYPE_BYTES_MAX).contains(&event_type.len())
                || !event_type.bytes().all(|byte| byte.is_ascii_graphic())
            {
                return Err(InvalidAppend::EventType);
            }
            if !ids.insert(event.id) {
                return Err(InvalidAppend::EventIdUsed);
            }
        }
    }
    if ids.len() > EVENTS_MAX || bytes > APPEND_BYTES_MAX {
        return Err(InvalidAppend::TooLarge);
    }
    for (series, serial) in &serials.0 {
        let taken = batch.writes.iter().any(|write| {
            write.stream == *series && write.expected.0 + 1 == serial.0 && write.events.len() == 1
        });
        if !taken {
            return Err(InvalidAppend::SerialNotTaken(series.clone()));
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "group_tests.rs"]
mod tests;
