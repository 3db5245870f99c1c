//! Decisions run again on behalf of a tenant: verifications and simulations, as jobs.

use std::sync::Arc;

use niyam_domain::{Activated, ActivationState, Position, Rejection};
use niyam_modules::Module;
use niyam_store::Idempotency;
use niyam_values::{Determination, Document, Finding};
use serde::Serialize;
use uuid::Uuid;

use crate::app::App;
use crate::commands::{Actor, CommandError};
use crate::jobs::table::{self, FoundRow};
use crate::jobs::{Ask, Asked, Job, JobKind, SimulationRequest, VerificationRequest};
use crate::personal::Opened;
use crate::rerun::other_answer::{AnswerKind, OtherAnswer};
use crate::rerun::simulate::Filter;
use crate::rerun::stored::{Happened, decisions, payload};
use crate::rerun::verifier::patiently;
use crate::shadow;
use crate::shadow::table::ShadowRow;
use crate::tenants::TenantAt;

/// Both answers of a document that a candidate answers otherwise.
#[derive(Debug)]
pub(crate) struct BothAnswers {
    pub(crate) told: OtherAnswer,
    /// The answer in the books; absent when it cannot be read any more.
    pub(crate) before: Option<Determination>,
    /// Whether personal data of the document were erased meanwhile: the candidate cannot be asked again.
    pub(crate) erased: bool,
    /// The candidate's; absent when it refuses or fails.
    pub(crate) after: Option<Determination>,
    /// What the candidate finds wrong, when it refuses.
    pub(crate) findings: Vec<Finding>,
}

impl App {
    /// Takes a verification in; its id, and whether the same request had brought it before.
    pub(crate) async fn ask_verification(
        &self,
        actor: &Actor,
        key: Option<Idempotency>,
        request: &VerificationRequest,
    ) -> Result<(Uuid, bool), CommandError> {
        self.tenant(&actor.tenant).await?;
        self.ask_job(actor, key, JobKind::Verification, request).await
    }

    /// Takes a simulation in, once the candidate is known and its configuration fits.
    pub(crate) async fn ask_simulation(
        &self,
        actor: &Actor,
        key: Option<Idempotency>,
        (module, config): (String, &serde_json::Value),
        filter: Filter,
    ) -> Result<(Uuid, bool), CommandError> {
        let at = self.tenant(&actor.tenant).await?;
        if !self.has_module(&at, &module).await? {
            return Err(CommandError::CandidateUnknown);
        }
        let candidate = self.candidate(module.clone()).await?;
        let config = candidate.check_config(&config.to_string()).map_err(|findings| {
            let at = |mut finding: Finding| {
                finding.pointer = Some(format!("/candidate/config{}", finding.pointer.unwrap_or_default()));
                finding
            };
            Rejection::Findings(findings.into_iter().map(at).collect())
        })?;
        self.ask_job(actor, key, JobKind::Simulation, &SimulationRequest { module, config, filter }).await
    }

    /// Whether the tenant has a module: bundled with the server, activated before, or brought by itself.
    async fn has_module(&self, at: &TenantAt, digest: &str) -> Result<bool, CommandError> {
        let activated = |found: &Activated| found.activation.module.digest == digest;
        if self.packs.bundled_by_digest(digest).is_some() || at.tenant.activations.all().iter().any(activated)
        {
            return Ok(true);
        }
        let Some(digest) = hex::decode(digest).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()) else {
            return Ok(false);
        };
        Ok(self.store.uploaded_module(&at.tenant.id, &digest).await?.is_some())
    }

    async fn candidate(&self, digest: String) -> Result<Arc<Module>, CommandError> {
        let components = self.jobs.components();
        let found = tokio::task::spawn_blocking(move || components.get(&digest)).await;
        let found = found.map_err(|error| CommandError::Defect(error.to_string()))??;
        found.ok().filter(|module| module.determines_taxes()).ok_or(CommandError::CandidateUnknown)
    }

    pub(crate) async fn ask_job(
        &self,
        actor: &Actor,
        key: Option<Idempotency>,
        kind: JobKind,
        request: &impl Serialize,
    ) -> Result<(Uuid, bool), CommandError> {
        let ask = Ask {
            tenant: actor.tenant.clone(),
            kind,
            request: serde_json::to_string(request)?,
            user: actor.user.clone(),
            key,
            id: self.ids.next_id(),
            now: self.clock.now(),
        };
        match self.jobs.ask(&ask).await? {
            Asked::Queued(id) => Ok((id, false)),
            Asked::Before(id) => Ok((id, true)),
            Asked::KeyReused => Err(CommandError::KeyReused),
            Asked::TooMany => Err(CommandError::JobsTooMany),
        }
    }

    /// The job that the same request brought before.
    pub(crate) async fn asked_before(
        &self,
        actor: &Actor,
        key: Option<&Idempotency>,
    ) -> Result<Option<Uuid>, CommandError> {
        let Some(key) = key else { return Ok(None) };
        let found = table::asked(self.store.database(), &actor.tenant, &key.key).await?;
        match found {
            None => Ok(None),
            Some((id, fingerprint)) if fingerprint == key.fingerprint => {
                Ok(Some(id.parse().unwrap_or_default()))
            }
            Some(_) => Err(CommandError::KeyReused),
        }
    }

    /// A job of the tenant, of whatever kind; a text that is no id names none.
    pub(crate) async fn any_job(&self, actor: &Actor, id: &str) -> Result<Job, CommandError> {
        let id = id.parse().map_err(|_| CommandError::JobMissing)?;
        let job = table::find_any(self.store.database(), &actor.tenant, id).await?;
        job.ok_or(CommandError::JobMissing)
    }

    /// A job of the tenant; a text that is no id names none.
    pub(crate) async fn job(
        &self,
        actor: &Actor,
        kind: JobKind,
        id: &str,
    ) -> Result<(Uuid, Job), CommandError> {
        let id = id.parse().map_err(|_| CommandError::JobMissing)?;
        let job = table::get(self.store.database(), &actor.tenant, kind, id).await?;
        Ok((id, job.ok_or(CommandError::JobMissing)?))
    }

    /// Cancels a job that has not ended; takes away one that has.
    pub(crate) async fn give_up_job(
        &self,
        actor: &Actor,
        kind: JobKind,
        id: &str,
    ) -> Result<(), CommandError> {
        let id: Uuid = id.parse().map_err(|_| CommandError::JobMissing)?;
        let at = (id, self.clock.now().as_microsecond());
        table::give_up(self.store.database(), &actor.tenant, kind, at).await?.ok_or(CommandError::JobMissing)
    }

    /// What a job found after a place, at most `limit`.
    pub(crate) async fn job_found(
        &self,
        actor: &Actor,
        id: Uuid,
        after: (i64, i64),
        limit: u32,
    ) -> Result<Vec<FoundRow>, CommandError> {
        Ok(table::found(self.store.database(), &actor.tenant, id, after, limit.into()).await?)
    }

    /// How far the tenant's modules in shadow are.
    pub(crate) async fn shadow_rows(&self, at: &TenantAt) -> Result<Vec<ShadowRow>, CommandError> {
        if at.tenant.activations.all().iter().all(|one| one.activation.state != ActivationState::Shadow) {
            return Ok(Vec::new());
        }
        Ok(shadow::table::all(self.store.database(), &at.tenant.id).await?)
    }

    /// What the module in shadow of that number answers otherwise, before a serial number, at most `limit`.
    pub(crate) async fn shadow_differences(
        &self,
        at: &TenantAt,
        number: u32,
        (before, limit): (i64, u32),
    ) -> Result<Vec<FoundRow>, CommandError> {
        let page = (before, limit.into());
        Ok(shadow::table::differences(self.store.database(), &at.tenant.id, number, page).await?)
    }

    /// Both answers to documents that a candidate answers otherwise: the component of that digest is asked again, with
    /// that configuration.
    pub(crate) async fn both_answers(
        &self,
        actor: &Actor,
        (module, config): (String, String),
        told: Vec<OtherAnswer>,
    ) -> Result<Vec<BothAnswers>, CommandError> {
        let mut stored = Vec::with_capacity(told.len());
        for told in told {
            let range = (Position(told.position.saturating_sub(1)), Position(told.position));
            let types = Happened::types(&Happened::TAXED);
            let opener = self.jobs.opener();
            let events = opener.books().of_types(&actor.tenant, &types, range, 1).await?;
            let event = opener.opening(&actor.tenant).each(events).await?.pop().and_then(Result::ok);
            let erased = event.as_ref().is_some_and(|event| event.erased);
            stored.push((told, erased, event.as_ref().and_then(answered)));
        }
        let candidate = self.candidate(module).await?;
        let turn = self.jobs.turn().await;
        let asked = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let ask = |(told, erased, answered): (OtherAnswer, bool, Option<(Document, Determination)>)| {
                let Some((document, before)) = answered else {
                    return BothAnswers { told, before: None, erased, after: None, findings: Vec::new() };
                };
                // What it failed on once it fails on again, and may take its whole time for that.
                let asked = (told.kind != AnswerKind::Failed && !erased)
                    .then(|| {
                        let fuel = candidate.fuel_for(&document);
                        patiently(|| candidate.determine_unproved(&config, &document, fuel)).ok()
                    })
                    .flatten();
                let before = Some(before);
                match asked {
                    Some((Ok(after), _)) => {
                        BothAnswers { told, before, erased, after: Some(after), findings: Vec::new() }
                    }
                    Some((Err(findings), _)) => BothAnswers { told, before, erased, after: None, findings },
                    None => BothAnswers { told, before, erased, after: None, findings: Vec::new() },
                }
            };
            stored.into_iter().map(ask).collect()
        });
        asked.await.map_err(|error| CommandError::Defect(error.to_string()))
    }
}

/// A document and its taxes, as an event has them; `None` if it cannot be read any more.
fn answered(Opened { event, .. }: &Opened) -> Option<(Document, Determination)> {
    let payload = payload(event).ok()?;
    let assessment = decisions(&event.event_type, &payload).ok()?.assessment;
    Some((
        serde_json::from_str(assessment.document.get()).ok()?,
        serde_json::from_str(assessment.taxes.get()).ok()?,
    ))
}
