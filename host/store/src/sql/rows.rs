//! What both databases return, and how it becomes what callers get.

use jiff::Timestamp;
use niyam_domain::{Position, TenantId, Version};
use uuid::Uuid;

use super::snapshots::SnapshotRow;
use crate::error::StoreError;
use crate::event::{Head, Recorded};
use crate::group::{Given, Tip};

/// An event, as stored.
#[derive(sqlx::FromRow)]
pub struct EventRow {
    position: i64,
    stream: String,
    version: i64,
    event_id: Vec<u8>,
    event_type: String,
    recorded_at: i64,
    effective_date: String,
    payload: Vec<u8>,
    metadata: Vec<u8>,
    hash: Vec<u8>,
}

impl EventRow {
    /// Whether it is no event, but the snapshot that [`snapshots::resume`](super::snapshots::resume) puts before them.
    pub fn is_snapshot(&self) -> bool {
        self.position == 0
    }

    /// The snapshot, which was made under `schema`.
    pub fn snapshot(self, schema: &[u8; 32]) -> SnapshotRow {
        SnapshotRow {
            version: self.version,
            schema_hash: schema.to_vec(),
            seal: self.metadata,
            state: self.payload,
            event_hash: self.hash,
        }
    }

    /// What callers get.
    pub fn recorded(self, tenant: &TenantId) -> Result<Recorded, StoreError> {
        let position = Position(self.position.cast_unsigned());
        let damaged = || StoreError::Damaged { tenant: tenant.clone(), position };
        Ok(Recorded {
            tenant: tenant.clone(),
            position,
            stream: self.stream.parse().map_err(|_| damaged())?,
            version: Version(u64::try_from(self.version).map_err(|_| damaged())?),
            id: Uuid::from_slice(&self.event_id).map_err(|_| damaged())?,
            event_type: self.event_type,
            payload: self.payload,
            metadata: self.metadata,
            recorded_at: Timestamp::from_microsecond(self.recorded_at).map_err(|_| damaged())?,
            effective_date: self.effective_date.parse().map_err(|_| damaged())?,
            hash: self.hash.try_into().map_err(|_| damaged())?,
        })
    }
}

/// The end of a tenant's history, as stored.
#[derive(sqlx::FromRow)]
pub struct HeadRow {
    tenant: String,
    last_position: i64,
    head_hash: Vec<u8>,
}

impl HeadRow {
    /// What callers get.
    pub fn head(self) -> Result<Head, StoreError> {
        let damaged = StoreError::DamagedHead;
        let (Ok(tenant), Ok(last_position), Ok(hash)) =
            (self.tenant.parse(), u64::try_from(self.last_position), self.head_hash.try_into())
        else {
            return Err(damaged);
        };
        Ok(Head { tenant, last_position: Position(last_position), hash })
    }

    /// What an append continues.
    pub fn tip(self) -> Result<(TenantId, Tip), StoreError> {
        let Head { tenant, last_position, hash } = self.head()?;
        Ok((tenant, Tip { position: last_position, hash }))
    }
}

/// An answer to an idempotency key, as stored.
#[derive(sqlx::FromRow)]
pub struct AnswerRow {
    tenant: String,
    key: String,
    fingerprint: Vec<u8>,
    answer: Vec<u8>,
    position: i64,
}

impl AnswerRow {
    /// Whose key it is, the key, and what was answered.
    pub fn given(self) -> Result<(TenantId, String, Given), StoreError> {
        let (Ok(tenant), Ok(fingerprint), Ok(position)) =
            (self.tenant.parse(), self.fingerprint.try_into(), u64::try_from(self.position))
        else {
            return Err(StoreError::DamagedHead);
        };
        Ok((tenant, self.key, Given { fingerprint, answer: self.answer, position: Position(position) }))
    }
}

/// A stream's version, as stored.
#[derive(sqlx::FromRow)]
pub struct VersionRow {
    tenant: String,
    stream: String,
    version: i64,
}

impl VersionRow {
    /// What an append checks.
    pub fn version(self) -> Result<(TenantId, niyam_domain::StreamId, Version), StoreError> {
        match (self.tenant.parse(), self.stream.parse(), u64::try_from(self.version)) {
            (Ok(tenant), Ok(stream), Ok(version)) => Ok((tenant, stream, Version(version))),
            _ => Err(StoreError::DamagedHead),
        }
    }
}

/// What a transaction looks up at its beginning: a head, an answer or a stream's version.
#[derive(sqlx::FromRow)]
pub struct LookRow {
    kind: i32,
    tenant: String,
    name: String,
    number: i64,
    hash: Option<Vec<u8>>,
    answer: Option<Vec<u8>>,
    /// Whether the head is the one that the statement's other rows belong to.
    pub current: bool,
}

/// What the row of a [`LookRow`] is.
pub enum Looked {
    /// The end of a tenant's history.
    Head(HeadRow),
    /// An answer to an idempotency key.
    Answer(AnswerRow),
    /// A stream's version.
    Version(VersionRow),
}

impl LookRow {
    /// Whether it is a head.
    pub fn is_head(&self) -> bool {
        self.kind == 0
    }

    /// What it is.
    pub fn looked(self) -> Looked {
        let Self { kind, tenant, name, number, hash, answer, .. } = self;
        let hash = hash.unwrap_or_default();
        match kind {
            0 => Looked::Head(HeadRow { tenant, last_position: number, head_hash: hash }),
            1 => Looked::Answer(AnswerRow {
                tenant,
                key: name,
                fingerprint: hash,
                answer: answer.unwrap_or_default(),
                position: number,
            }),
            _ => Looked::Version(VersionRow { tenant, stream: name, version: number }),
        }
    }
}
