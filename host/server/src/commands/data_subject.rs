//! Data subjects: erase what is recorded about one.
//!
//! Whether somebody is erased is the controller's decision, also where issued invoices name them: the books keep
//! amounts, taxes, numbers and dates, and say `[erased]` where the party was.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use niyam_domain::{DataSubjectErased, DataSubjectEvent, Rejection, SubjectKeyId, TenantId, Version};
use niyam_store::{Append, Batch, Idempotency, StreamWrite, SubjectKey, is_rehearsal};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::commands::metadata::new_event;
use crate::commands::once::{Answer, Committed, once};
use crate::commands::{Actor, CommandError};

/// How often it is tried again when somebody else erases the same subject, or records something new about it.
const TRIES: u32 = 5;

/// A data subject that is erased. It does not say who that is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErasureView {
    /// When: now, or when it was erased before and nothing was recorded about it since.
    #[schema(value_type = String, format = DateTime)]
    erased_at: Timestamp,
    /// Whether it was erased before.
    already_erased: bool,
    /// Keys of this subject that were ever destroyed: one for each erasure.
    keys_destroyed: usize,
}

impl App {
    /// Destroys the key of a subject: a party by its id, or `invoice/…` for a party without one.
    pub(crate) async fn erase_subject(
        &self,
        actor: &Actor,
        key: Option<Idempotency>,
        name: &str,
        reason: Option<String>,
    ) -> Result<Committed, CommandError> {
        let tenant = &actor.tenant;
        once(&self.vault, tenant, key.as_ref(), async {
            let mut tries = 0;
            loop {
                let keys = self.store.keys_of_subject(tenant, &self.vault.subject(tenant, name)).await?;
                match self.destroy(actor, key.clone(), keys, reason.clone()).await {
                    Err(CommandError::Stale { stream })
                        if SubjectKeyId::of_stream(&stream).is_some() && tries < TRIES =>
                    {
                        tries += 1;
                    }
                    done => return done,
                }
            }
        })
        .await
    }

    async fn destroy(
        &self,
        actor: &Actor,
        key: Option<Idempotency>,
        keys: Vec<SubjectKey>,
        reason: Option<String>,
    ) -> Result<Committed, CommandError> {
        let tenant = &actor.tenant;
        let newest = keys.first().ok_or(Rejection::DataSubjectMissing)?;
        let live = keys.iter().find(|key| key.erased_at.is_none());
        let now = self.clock.now();
        let view = ErasureView {
            erased_at: if live.is_some() { now } else { newest.erased_at.unwrap_or(now) },
            already_erased: live.is_none(),
            keys_destroyed: keys.len(),
        };
        let answer = Answer::new(200, None, Version(1), &view)?.to_bytes()?;
        let mut append = match live {
            Some(live) => {
                let event = DataSubjectEvent::Erased(DataSubjectErased { key_id: live.id, reason });
                let today = now.to_zoned_datetime(TimeZone::UTC).date();
                let event = new_event(self.ids.next_id(), &event, actor, today)?;
                let write =
                    StreamWrite { stream: live.id.stream(), expected: Version(0), events: vec![event] };
                Append::of(Batch { writes: vec![write], answer }).erased_keys([live.id])
            }
            None => Append::of(Batch { writes: Vec::new(), answer }),
        };
        append.idempotency = key;
        let committed = self.store.append(tenant, append).await?.try_into()?;
        if let Some(live) = live.filter(|_| !is_rehearsal()) {
            self.vault.forget_subject(tenant, &live.subject);
            self.tidy_up(tenant, live, now).await;
        }
        Ok(committed)
    }

    /// What follows an erasure that is durable. Whatever of it fails is made good when the server next starts.
    async fn tidy_up(&self, tenant: &TenantId, key: &SubjectKey, erased_at: Timestamp) {
        let erased = SubjectKey { wrapped: None, erased_at: Some(erased_at), ..key.clone() };
        if let Err(error) = self.vault.ledger().append([&(tenant.clone(), erased)].into_iter()) {
            tracing::error!(%error, tenant.id = %tenant, "an erasure is not in the file of erased keys yet");
        }
        if let Err(error) = self.store.scrub().await {
            tracing::warn!(%error, "the database's log was not emptied after an erasure");
        }
    }
}

/// What became of an erasure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erasure {
    /// The key was destroyed now.
    Erased,
    /// There was nothing left to destroy.
    AlreadyErased,
}

/// Erases a data subject of a tenant, on the operator's word.
///
/// # Errors
/// A code and a text when the tenant or the subject is unknown, or the store fails.
pub async fn erase_subject(
    app: &App,
    tenant: &TenantId,
    name: &str,
    reason: Option<String>,
) -> Result<Erasure, String> {
    if reason.as_deref().is_some_and(|reason| !is_reason(reason)) {
        return Err("text-too-long: a reason has at most 500 printable characters".to_owned());
    }
    let known = app.tenants.get(tenant).await.map_err(|error| error.to_string())?;
    if known.is_none() {
        return Err(format!("tenant-unknown: there is no tenant {tenant}"));
    }
    let actor = Actor {
        tenant: tenant.clone(),
        user: "operator".to_owned(),
        roles: Vec::new(),
        trace_id: app.ids.next_id().to_string(),
    };
    let live = app.vault.subject(tenant, name);
    let live = app.store.keys_of_subject(tenant, &live).await.map_err(|error| error.to_string())?;
    let live = live.iter().any(|key| key.erased_at.is_none());
    match app.erase_subject(&actor, None, name, reason).await {
        Ok(_) if live => Ok(Erasure::Erased),
        Ok(_) => Ok(Erasure::AlreadyErased),
        Err(CommandError::Rejected(rejection)) => Err(format!("{}: {rejection}", rejection.code())),
        Err(error) => Err(error.to_string()),
    }
}

/// Whether a text may say why.
pub(crate) fn is_reason(text: &str) -> bool {
    text.chars().count() <= 500 && !text.chars().any(|character| character.is_control() && character != '\n')
}
