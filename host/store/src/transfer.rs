//! Everything that a store holds, as records that another store takes in: for backups and for moving to another database.
//!
//! Histories only grow, and positions follow commit order. So the heads are read first and then what leads up to them,
//! without a transaction that would stand in anybody's way. Read models and snapshots are left out: they are computed.

use std::collections::{BTreeSet, VecDeque};

use futures::{Stream, StreamExt, stream};
use niyam_domain::{Position, TenantId};

use crate::chain::{self, GENESIS};
use crate::error::StoreError;
use crate::event::{Hash, Head, Recorded};
use crate::group::{Outcome, StreamSet, Tip};
use crate::sql::transfer;
use crate::sql::unit::{CommitError, Unit};
use crate::store::EventStore;
use crate::subject::SubjectKey;

/// Events that are read, and written, at once.
const EVENTS_AT_ONCE: u32 = 500;
/// Bytes that are written at once, about.
const BYTES_AT_ONCE: usize = 4 * 1024 * 1024;
/// Keys of data subjects that are read at once.
const KEYS_AT_ONCE: u32 = 500;
/// Answers that are read at once.
const ANSWERS_AT_ONCE: u32 = 200;

/// One thing that a store holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// A WebAssembly component.
    Component(Component),
    /// A key of a data subject, wrapped, or that it was destroyed. It comes before the events of its tenant.
    SubjectKey(TenantId, SubjectKey),
    /// An event. Those of a tenant come in order of position, one tenant after the other.
    Event(Recorded),
    /// An answer that a repeated request gets. It comes after the events of its tenant.
    Answer(GivenAnswer),
}

/// A WebAssembly component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// sha-256 of the bytes.
    pub digest: [u8; 32],
    /// The component.
    pub bytes: Vec<u8>,
}

/// An answer that was given for an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenAnswer {
    /// Whose key.
    pub tenant: TenantId,
    /// The key.
    pub key: String,
    /// Digest of what was asked for.
    pub fingerprint: [u8; 32],
    /// What was answered.
    pub answer: Vec<u8>,
    /// Where the history stood after it.
    pub position: Position,
    /// When, in microseconds since 1970-01-01T00:00:00Z.
    pub created_at: i64,
}

/// What was taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Imported {
    /// Events that were not there before.
    pub events: u64,
    /// Events that were there already.
    pub known: u64,
    /// Keys of data subjects that were there, and had been destroyed elsewhere.
    pub erased: u64,
}

/// Why records are not taken in. What was taken in before it stays, and is a sound beginning.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The target has another history.
    #[error("tenant {tenant} has another history in the target: they part at position {position} or before")]
    Diverged {
        /// Whose history.
        tenant: TenantId,
        /// The first position that was found to differ.
        position: Position,
    },
    /// The records do not form a chain: they were changed, or some are missing.
    #[error("the records of tenant {tenant} are not what was stored: position {position} does not fit")]
    Broken {
        /// Whose history.
        tenant: TenantId,
        /// The first position that does not fit.
        position: Position,
    },
    /// The records cannot be read.
    #[error("{0}")]
    Source(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl EventStore {
    /// All that leads up to `heads`, which [`EventStore::heads`] gave.
    pub fn export(&self, heads: Vec<Head>) -> impl Stream<Item = Result<Record, StoreError>> + Send + use<> {
        let components =
            stream::try_unfold((self.clone(), [0; 32], true), |(store, after, first)| async move {
                let found = Box::pin(transfer::component_after(store.database(), &after, first)).await?;
                Ok(found.map(|(digest, bytes)| {
                    (Record::Component(Component { digest, bytes }), (store, digest, false))
                }))
            });
        let store = self.clone();
        let tenants = stream::iter(heads).flat_map(move |head| {
            let keys = subject_keys(store.clone(), head.tenant.clone());
            let events = events_up_to(store.clone(), head.clone());
            keys.chain(events).chain(answers_up_to(store.clone(), head))
        });
        components.chain(tenants)
    }

    /// Takes records in, and verifies each tenant's chain meanwhile. What is there already is compared and kept, so an
    /// import that was interrupted goes on, and one that is repeated brings what is new.
    ///
    /// # Errors
    ///
    /// The first record that does not fit. Everything before it stays.
    pub async fn import<E: std::fmt::Display>(
        &self,
        records: impl Stream<Item = Result<Record, E>>,
        mut progress: impl FnMut(&Imported),
    ) -> Result<Imported, ImportError> {
        let mut records = std::pin::pin!(records);
        let mut import = Import { store: self.clone(), tenant: None, done: Imported::default() };
        let mut keys: Vec<(TenantId, SubjectKey)> = Vec::new();
        while let Some(record) = records.next().await {
            let record = record.map_err(|error| ImportError::Source(error.to_string()))?;
            let is_key = matches!(record, Record::SubjectKey(..));
            if !is_key || keys.len() >= KEYS_AT_ONCE as usize {
                import.done.erased += self.take_keys(&mut keys).await?;
            }
            match record {
                Record::Component(Component { digest, bytes }) => self.put_component(&digest, &bytes).await?,
                Record::SubjectKey(tenant, key) => keys.push((tenant, key)),
                Record::Event(event) => {
                    if import.take(event).await? {
                        progress(&import.done);
                    }
                }
                Record::Answer(answer) => {
                    import.finish().await?;
                    Box::pin(transfer::put_answer(self.database(), &answer)).await?;
                }
            }
        }
        import.done.erased += self.take_keys(&mut keys).await?;
        import.finish().await?;
        progress(&import.done);
        Ok(import.done)
    }

    /// Takes in what waits; says how many keys that destroyed.
    async fn take_keys(&self, waiting: &mut Vec<(TenantId, SubjectKey)>) -> Result<u64, StoreError> {
        let mut erased = 0;
        while let Some((tenant, _)) = waiting.first() {
            let tenant = tenant.clone();
            let (of_tenant, others) = std::mem::take(waiting).into_iter().partition(|(of, _)| *of == tenant);
            *waiting = others;
            let keys: Vec<_> = of_tenant.into_iter().map(|(_, key): (TenantId, _)| key).collect();
            erased += self.put_subject_keys(&tenant, &keys).await?;
        }
        Ok(erased)
    }
}

fn events_up_to(store: EventStore, head: Head) -> stream::BoxStream<'static, Result<Record, StoreError>> {
    let state = (store, head, Position(0), VecDeque::new());
    stream::try_unfold(state, |(store, head, mut after, mut page)| async move {
        if page.is_empty() && after < head.last_position {
            let left = u32::try_from(head.last_position.0 - after.0).unwrap_or(u32::MAX);
            page = store.read(&head.tenant, after, left.min(EVENTS_AT_ONCE)).await?.into();
            if page.is_empty() {
                let position = Position(after.0 + 1);
                return Err(StoreError::Damaged { tenant: head.tenant, position });
            }
        }
        let Some(event): Option<Recorded> = page.pop_front() else { return Ok(None) };
        after = event.position;
        Ok(Some((Record::Event(event), (store, head, after, page))))
    })
    .boxed()
}

/// After the heads were read: what is encrypted in the events up to them has its key among these.
fn subject_keys(
    store: EventStore,
    tenant: TenantId,
) -> stream::BoxStream<'static, Result<Record, StoreError>> {
    let state = (store, tenant, None, VecDeque::new(), false);
    stream::try_unfold(state, |(store, tenant, mut last, mut page, mut ended)| async move {
        if page.is_empty() && !ended {
            page = store.subject_keys_after(&tenant, last.as_ref(), KEYS_AT_ONCE).await?.into();
            ended = page.len() < KEYS_AT_ONCE as usize;
        }
        let Some(key): Option<SubjectKey> = page.pop_front() else { return Ok(None) };
        last = Some(key.clone());
        Ok(Some((Record::SubjectKey(tenant.clone(), key), (store, tenant, last, page, ended))))
    })
    .boxed()
}

fn answers_up_to(store: EventStore, head: Head) -> stream::BoxStream<'static, Result<Record, StoreError>> {
    let state = (store, head, Some(String::new()), VecDeque::new());
    stream::try_unfold(state, |(store, head, mut after, mut page)| async move {
        if let (true, Some(key)) = (page.is_empty(), &after) {
            let found = Box::pin(transfer::answers_after(
                store.database(),
                &head.tenant,
                head.last_position,
                key,
                ANSWERS_AT_ONCE,
            ))
            .await?;
            after = found.last().map(|last: &GivenAnswer| last.key.clone());
            page = found.into();
        }
        Ok(page.pop_front().map(|answer| (Record::Answer(answer), (store, head, after, page))))
    })
    .boxed()
}

struct Import {
    store: EventStore,
    tenant: Option<ImportedTenant>,
    done: Imported,
}

/// The tenant whose events come now.
struct ImportedTenant {
    id: TenantId,
    /// Where the target's history ends.
    end: Tip,
    /// The last record.
    last: Tip,
    waiting: Vec<Recorded>,
    bytes: usize,
}

impl Import {
    /// Takes one event; whether others before it were written for it.
    async fn take(&mut self, event: Recorded) -> Result<bool, ImportError> {
        if self.tenant.as_ref().is_none_or(|tenant| tenant.id != event.tenant) {
            self.finish().await?;
            let head = self.store.head(&event.tenant).await?;
            let end = head.map_or(Tip::GENESIS, |head| Tip { position: head.last_position, hash: head.hash });
            let last = Tip { position: Position(0), hash: GENESIS };
            self.tenant =
                Some(ImportedTenant { id: event.tenant.clone(), end, last, waiting: Vec::new(), bytes: 0 });
        }
        let Some(tenant) = &mut self.tenant else { return Ok(false) };
        let expected: Hash = chain::seal(&event, &tenant.last.hash);
        if event.position.0 != tenant.last.position.0 + 1 || event.hash != expected {
            return Err(ImportError::Broken { tenant: tenant.id.clone(), position: event.position });
        }
        tenant.last = Tip { position: event.position, hash: event.hash };
        if event.position <= tenant.end.position {
            self.done.known += 1;
            if event.position == tenant.end.position && event.hash != tenant.end.hash {
                return Err(ImportError::Diverged { tenant: event.tenant, position: event.position });
            }
            return Ok(false);
        }
        tenant.bytes += event.payload.len() + event.metadata.len();
        tenant.waiting.push(event);
        if tenant.waiting.len() < EVENTS_AT_ONCE as usize && tenant.bytes < BYTES_AT_ONCE {
            return Ok(false);
        }
        self.flush().await?;
        Ok(true)
    }

    /// Writes what waits, and compares the last record with a target that went on from there.
    async fn finish(&mut self) -> Result<(), ImportError> {
        self.flush().await?;
        let Some(tenant) = &self.tenant else { return Ok(()) };
        if tenant.last.position.0 == 0 || tenant.last.position >= tenant.end.position {
            return Ok(());
        }
        let before = Position(tenant.last.position.0 - 1);
        let found = self.store.read(&tenant.id, before, 1).await?;
        if found.first().is_none_or(|found| found.hash != tenant.last.hash) {
            return Err(ImportError::Diverged { tenant: tenant.id.clone(), position: tenant.last.position });
        }
        Ok(())
    }

    /// Writes the events that wait, in one transaction with their tenant's head.
    async fn flush(&mut self) -> Result<(), ImportError> {
        let Some(tenant) = &mut self.tenant else { return Ok(()) };
        if tenant.waiting.is_empty() {
            return Ok(());
        }
        let events = std::mem::take(&mut tenant.waiting);
        tenant.bytes = 0;
        let written = events.len() as u64;
        let tenants = BTreeSet::from([&tenant.id]);
        let mut unit = Unit::begin(self.store.database(), &tenants).await.map_err(StoreError::from)?;
        let found = unit.look(&tenants, &[], &StreamSet::new()).await?;
        let found = found.heads.into_iter().next().map_or(Tip::GENESIS, |(_, tip)| tip);
        if found != tenant.end {
            // Somebody else writes the same tenant's history.
            return Err(ImportError::Diverged { tenant: tenant.id.clone(), position: found.position });
        }
        let outcome =
            Outcome { events, tips: [(tenant.id.clone(), tenant.last)].into(), ..Outcome::default() };
        unit.write(&outcome, 0).await.map_err(StoreError::from)?;
        unit.commit().await.map_err(|error| match error {
            CommitError::RolledBack(error) => StoreError::from(error),
            CommitError::Unknown(error) => StoreError::CommitUnknown(error.into()),
        })?;
        tenant.end = tenant.last;
        self.done.events += written;
        Ok(())
    }
}
