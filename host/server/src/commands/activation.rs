//! Modules that a tenant brings and activates.

use niyam_domain::{
    ActivateModule, Activation, ActivationState, ChangeModulePolicy, ModulePolicy, OnFailure, Rejection,
    TenantCommand, WithdrawActivation, World,
};
use niyam_modules::signature::Signed;
use niyam_modules::{Module, digest_hex};
use niyam_store::{Idempotency, ModuleState, ModuleUpload, Publisher, UploadedModule};
use niyam_values::{Date, Finding};

use crate::app::App;
use crate::commands::once::{Committed, once};
use crate::commands::tenant::{Shown, TRIES};
use crate::commands::{Actor, CommandError, Expected};
use crate::packs::digest_bytes;
use crate::publishing::report::{Refusal, Report};
use crate::publishing::trust::{Trust, trust};
use crate::tenants::TenantAt;

/// Most modules that one tenant may bring.
pub(crate) const MODULES_MAX: usize = 200;

/// A module that is wanted in force.
#[derive(Debug)]
pub(crate) struct WantedActivation {
    pub(crate) digest: [u8; 32],
    pub(crate) effective_from: Date,
    /// JSON; the module's default when absent.
    pub(crate) config: Option<String>,
    pub(crate) on_failure: OnFailure,
    pub(crate) state: ActivationState,
}

/// Why a module is not taken, or not activated.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ModuleError {
    /// Nobody signed it, and this server takes no such modules.
    #[error("the module is not signed")]
    SignatureMissing,
    /// A signature is not one of the key that it names.
    #[error("the signature by key {0} is not one for this module")]
    SignatureInvalid(String),
    /// The operator does not know the key.
    #[error("no publisher has the key {0}")]
    PublisherUnknown(String),
    /// The operator trusts the key no longer.
    #[error("the key {0} was revoked")]
    PublisherRevoked(String),
    /// The tenant has as many modules as it may.
    #[error("the tenant has {MODULES_MAX} modules already")]
    Limit,
    /// The component breaks a rule of the contract, or a limit.
    #[error("{}", .0.message)]
    Refused(Refusal),
    /// The tenant has no such module.
    #[error("there is no such module")]
    Missing,
    /// It is still being compiled.
    #[error("the module is not compiled yet")]
    NotReady,
    /// Not enough of the publishers that the tenant accepts signed it.
    #[error("the module is not signed by as many publishers as the tenant's policy wants")]
    NotAccepted,
    /// Nothing asks modules of that world yet.
    #[error("modules of world {0} are not asked by anything yet")]
    WorldNotOffered(&'static str),
}

/// A module as a tenant sees it.
#[derive(Debug)]
pub(crate) struct ModuleAt {
    pub(crate) digest: String,
    pub(crate) state: ModuleState,
    pub(crate) bytes: Option<u64>,
    pub(crate) report: Option<Report>,
    pub(crate) signers: Vec<String>,
    pub(crate) trust: Trust,
}

/// A module that was taken in.
#[derive(Debug)]
pub(crate) struct Uploaded {
    pub(crate) module: ModuleAt,
    /// Whether the tenant had it not before.
    pub(crate) new: bool,
    /// Why signatures count for nothing.
    pub(crate) ignored: Vec<ModuleError>,
}

impl App {
    /// Takes a component in, if its bytes are sound and somebody signed it whom the operator trusts. Signatures by other
    /// keys count for nothing, and are told; one that is false is refused.
    pub(crate) async fn upload_module(
        &self,
        actor: &Actor,
        bytes: Vec<u8>,
        signed: Vec<Signed>,
    ) -> Result<Uploaded, CommandError> {
        let at = self.tenant(&actor.tenant).await?;
        let (digest, bytes) = self
            .packs
            .inspect(bytes)
            .await
            .map_err(|error| CommandError::from(ModuleError::Refused(Refusal::from(&error))))?;
        let publishers = self.store.publishers().await?;
        if signed.is_empty() && !self.allow_unsigned {
            return Err(ModuleError::SignatureMissing.into());
        }
        let (mut signatures, mut ignored) = (Vec::with_capacity(signed.len()), Vec::new());
        for signature in signed {
            let publisher = publishers.iter().find(|publisher| publisher.key_id == signature.key_id);
            let key_id = signature.key_id.clone();
            match publisher {
                None => ignored.push(ModuleError::PublisherUnknown(key_id)),
                Some(publisher) if !signature.holds(&digest, &publisher.public_key) => {
                    return Err(ModuleError::SignatureInvalid(key_id).into());
                }
                Some(publisher) if publisher.revoked_at.is_some() => {
                    ignored.push(ModuleError::PublisherRevoked(key_id));
                }
                Some(_) => signatures.push((key_id, signature.signature)),
            }
        }
        if signatures.is_empty() && !self.allow_unsigned && !ignored.is_empty() {
            return Err(ignored.swap_remove(0).into());
        }
        let had = self.store.uploaded_modules(&actor.tenant).await?;
        if had.len() >= MODULES_MAX && !had.iter().any(|module| module.digest == digest) {
            return Err(ModuleError::Limit.into());
        }
        let upload = ModuleUpload { digest, bytes: &bytes, user: &actor.user, signatures: &signatures };
        let new = self.store.upload_module(&actor.tenant, &upload).await?;
        self.compiler.notify_one();
        let module = self.store.uploaded_module(&actor.tenant, &digest).await?.ok_or(ModuleError::Missing)?;
        Ok(Uploaded { module: self.seen(&at, &publishers, module).await?, new, ignored })
    }

    /// A module that the tenant brought, or that came with the server.
    pub(crate) async fn module(&self, at: &TenantAt, digest: &str) -> Result<ModuleAt, CommandError> {
        if let Some(module) = self.packs.bundled_by_digest(digest) {
            return Ok(bundled(&module));
        }
        let bytes = digest_bytes(digest).ok_or(ModuleError::Missing)?;
        let module = self.store.uploaded_module(&at.tenant.id, &bytes).await?.ok_or(ModuleError::Missing)?;
        self.seen(at, &self.store.publishers().await?, module).await
    }

    /// What the tenant may activate, or could once it is compiled: its own, the newest first, then the server's.
    pub(crate) async fn modules(&self, at: &TenantAt) -> Result<Vec<ModuleAt>, CommandError> {
        let publishers = self.store.publishers().await?;
        let mut modules = Vec::new();
        for module in self.store.uploaded_modules(&at.tenant.id).await? {
            modules.push(self.seen(at, &publishers, module).await?);
        }
        modules.extend(self.packs.all_bundled().iter().map(|module| bundled(module)));
        Ok(modules)
    }

    /// How far the tenant may trust the module of each of its activations, in their order.
    pub(crate) async fn trust_of_activations(&self, at: &TenantAt) -> Result<Vec<Trust>, CommandError> {
        let publishers = self.store.publishers().await?;
        let mut trusts = Vec::new();
        for activated in at.tenant.activations.all() {
            let digest = &activated.activation.module.digest;
            trusts.push(match digest_bytes(digest) {
                _ if self.packs.bundled_by_digest(digest).is_some() => Trust::Bundled,
                Some(bytes) => self.trust(at, &publishers, &self.store.module_signers(&bytes).await?),
                None => Trust::NotAccepted,
            });
        }
        Ok(trusts)
    }

    async fn seen(
        &self,
        at: &TenantAt,
        publishers: &[Publisher],
        module: UploadedModule,
    ) -> Result<ModuleAt, CommandError> {
        let signers = self.store.module_signers(&module.digest).await?;
        let report = module.report.as_deref().map(serde_json::from_str).transpose()?;
        Ok(ModuleAt {
            digest: hex::encode(module.digest),
            state: module.state,
            bytes: Some(module.bytes),
            report,
            trust: self.trust(at, publishers, &signers),
            signers,
        })
    }

    fn trust(&self, at: &TenantAt, publishers: &[Publisher], signers: &[String]) -> Trust {
        trust(&at.tenant.module_policy, publishers, signers, self.allow_unsigned)
    }

    /// Lets a module decide for the tenant from a date on.
    pub(crate) async fn activate(
        &self,
        actor: &Actor,
        key: Option<Idempotency>,
        wanted: WantedActivation,
    ) -> Result<Committed, CommandError> {
        once(&self.vault, &actor.tenant, key.as_ref(), async {
            let mut tries = 0;
            loop {
                let at = self.tenant(&actor.tenant).await?;
                let activation = self.activation(&at, &wanted).await?;
                let command = TenantCommand::ActivateModule(ActivateModule { activation });
                match self.record_tenant(actor, key.clone(), Some(at), command, Shown::NewActivation).await {
                    // Another change of the tenant came first; nothing of it was read by the caller.
                    Err(CommandError::Stale { .. }) if tries < TRIES => tries += 1,
                    done => return done,
                }
            }
        })
        .await
    }

    /// The activation that is wanted, checked.
    async fn activation(&self, at: &TenantAt, wanted: &WantedActivation) -> Result<Activation, CommandError> {
        let name = hex::encode(wanted.digest);
        let found = self.module(at, &name).await?;
        match (found.state, found.report) {
            (ModuleState::Queued | ModuleState::Compiling, _) => return Err(ModuleError::NotReady.into()),
            (_, Some(Report::Refused(refusal))) => return Err(ModuleError::Refused(refusal).into()),
            _ => {}
        }
        if !found.trust.accepts() {
            return Err(ModuleError::NotAccepted.into());
        }
        let module = self.packs.compile(&wanted.digest).await?;
        let world = module.world();
        if world == World::WorkflowModule {
            return Err(ModuleError::WorldNotOffered(world.as_str()).into());
        }
        let config = wanted.config.as_ref().unwrap_or(&module.manifest().config_default);
        let config =
            module.check_config(config).map_err(|findings| Rejection::Findings(under_config(findings)))?;
        Ok(Activation {
            module: module.reference().clone(),
            world,
            effective_from: wanted.effective_from,
            config_digest: digest_hex(config.as_bytes()),
            config,
            on_failure: wanted.on_failure,
            state: wanted.state,
        })
    }

    /// Lets an activation no longer answer.
    pub(crate) async fn withdraw(
        &self,
        actor: &Actor,
        key: Option<Idempotency>,
        expected: Expected,
        command: WithdrawActivation,
    ) -> Result<Committed, CommandError> {
        let shown = Shown::Activation(command.number);
        let command = TenantCommand::WithdrawActivation(command);
        once(&self.vault, &actor.tenant, key.as_ref(), async {
            let at = self.expect_tenant(actor, expected).await?;
            self.record_tenant(actor, key.clone(), Some(at), command, shown).await
        })
        .await
    }

    /// Changes whose modules the tenant accepts.
    pub(crate) async fn change_module_policy(
        &self,
        actor: &Actor,
        expected: Expected,
        policy: ModulePolicy,
    ) -> Result<Committed, CommandError> {
        let at = self.expect_tenant(actor, expected).await?;
        let command = TenantCommand::ChangeModulePolicy(ChangeModulePolicy { policy });
        self.record_tenant(actor, None, Some(at), command, Shown::ModulePolicy).await
    }
}

fn bundled(module: &Module) -> ModuleAt {
    ModuleAt {
        digest: module.reference().digest.clone(),
        state: ModuleState::Ready,
        bytes: None,
        report: Some(Report::Ready(Box::new(module.into()))),
        signers: Vec::new(),
        trust: Trust::Bundled,
    }
}

/// The findings, with their places as the request has them.
fn under_config(findings: Vec<Finding>) -> Vec<Finding> {
    let place = |finding: Finding| {
        let pointer = format!("/config{}", finding.pointer.as_deref().unwrap_or_default());
        finding.at(pointer)
    };
    findings.into_iter().map(place).collect()
}
