//! Appends that hold personal data: sealed under the keys of their data subjects.

use std::sync::Arc;

use niyam_domain::personal::Place;
use niyam_domain::{StreamId, TenantId};
use niyam_store::{Append, AppendError, Appended, Idempotency, is_rehearsal};

use crate::commands::CommandError;
use crate::commands::once::Committed;
use crate::personal::opening::Opening;
use crate::personal::{Sealing, Vault};

/// How often an append is tried with other keys, when one was erased or another host made one meanwhile.
const TRIES: u32 = 8;

impl Vault {
    /// Appends what `make` makes, with keys for `places` of the stream's events; again when a key is no longer, or
    /// already, there.
    pub(crate) async fn append(
        &self,
        tenant: &TenantId,
        stream: &StreamId,
        places: &[Place],
        make: impl Fn(Sealing) -> Result<(Arc<Sealing>, Append), CommandError>,
    ) -> Result<Committed, CommandError> {
        let mut tries = 0;
        loop {
            let (sealing, append) = make(self.sealing(tenant, stream, places).await?)?;
            let key = append.idempotency.clone();
            let append = sealing.guard(append);
            let refused = match self.store().append(tenant, append).await {
                Ok(appended) => {
                    // A key that was not made must not seal what is written later.
                    if !is_rehearsal() {
                        self.keep(&sealing);
                    }
                    let opening = self.opening(tenant).knowing(&sealing);
                    return answer(opening, key.as_ref(), appended).await;
                }
                Err(refused) => refused,
            };
            let other_key = match &refused {
                AppendError::SubjectKeyed => true,
                AppendError::Conflict { stream, .. } => sealing.guards(stream),
                _ => false,
            };
            if !other_key || tries == TRIES {
                return Err(refused.into());
            }
            self.forget(&sealing);
            tries += 1;
        }
    }

    /// What was answered to the request, if it was.
    pub(crate) async fn answered(
        &self,
        tenant: &TenantId,
        key: &Idempotency,
    ) -> Result<Option<Committed>, CommandError> {
        match self.store().answered(tenant, key).await? {
            Some(appended) => answer(self.opening(tenant), Some(key), appended).await.map(Some),
            None => Ok(None),
        }
    }
}

/// The answer with nothing sealed in it.
async fn answer(
    mut opening: Opening<'_>,
    key: Option<&Idempotency>,
    mut appended: Appended,
) -> Result<Committed, CommandError> {
    if let Some(key) = key {
        appended.answer = opening.answer(&key.key, appended.answer).await?;
    }
    appended.try_into()
}
