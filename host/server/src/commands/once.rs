//! A request with an idempotency key has one effect and one answer, however often it comes.

use std::future::Future;

use niyam_domain::{Position, TenantId, Version};
use niyam_store::{Appended, Idempotency};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::commands::CommandError;
use crate::personal::Vault;

/// What a command answers, as kept beside its idempotency key.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// HTTP status.
    pub(crate) status: u16,
    /// Where the new thing is.
    pub(crate) location: Option<String>,
    /// The version that the stream has now.
    pub(crate) version: Version,
    /// The body, JSON.
    pub(crate) body: Box<RawValue>,
}

impl Answer {
    /// An answer with `body`.
    pub(crate) fn new(
        status: u16,
        location: Option<String>,
        version: Version,
        body: &impl Serialize,
    ) -> Result<Self, serde_json::Error> {
        Ok(Self { status, location, version, body: serde_json::value::to_raw_value(body)? })
    }

    /// As the store keeps it.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }
}

/// A command that is durable, or was before.
#[derive(Debug)]
pub(crate) struct Committed {
    pub(crate) answer: Answer,
    pub(crate) position: Position,
    pub(crate) replayed: bool,
}

impl TryFrom<Appended> for Committed {
    type Error = CommandError;

    fn try_from(appended: Appended) -> Result<Self, CommandError> {
        let answer = serde_json::from_slice(&appended.answer)?;
        Ok(Self { answer, position: appended.position, replayed: appended.replayed })
    }
}

/// Runs `command`, unless the key has an answer already. A repetition that lost the race against the first request is
/// refused by the state that the first one left; the answer is looked up once more for it.
pub(crate) async fn once(
    vault: &Vault,
    tenant: &TenantId,
    key: Option<&Idempotency>,
    command: impl Future<Output = Result<Committed, CommandError>>,
) -> Result<Committed, CommandError> {
    let Some(key) = key else { return command.await };
    if let Some(committed) = vault.answered(tenant, key).await? {
        return Ok(committed);
    }
    match command.await {
        Err(refused @ (CommandError::Rejected(_) | CommandError::Stale { .. })) => {
            vault.answered(tenant, key).await?.ok_or(refused)
        }
        done => done,
    }
}
