//! Tenants: create, change the profile, activate a pack.

use jiff::tz::TimeZone;
use niyam_domain::{
    ActivateModule, Activation, ActivationState, Aggregate as _, ChangeProfile, CreateTenant, OnFailure,
    Profile, Rejection, StreamId, Tenant, TenantCommand, TenantEvent, TenantId, Version, check_attributes,
};
use niyam_modules::{Findings, Module, digest_hex};
use niyam_store::{Append, Batch, Idempotency, StreamWrite};
use niyam_values::{Attributes, Date, Finding, Identifier};

use crate::app::App;
use crate::commands::metadata::{Metadata, event_with};
use crate::commands::once::{Answer, Committed};
use crate::commands::policy::{PolicyDecision, Ruled, Subject};
use crate::commands::tax::pack_on;
use crate::commands::views::{ActivationView, ModulePolicyBody, TenantView};
use crate::commands::{Actor, CommandError, Expected};
use crate::tenants::TenantAt;

/// How often a change that nobody read anything for is tried again when another one came first.
pub(crate) const TRIES: u32 = 50;

/// What the answer to a change of a tenant shows.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shown {
    /// The profile.
    Profile,
    /// The activation that the change made.
    NewActivation,
    /// The activation of that number.
    Activation(u32),
    /// Whose modules the tenant accepts.
    ModulePolicy,
}

/// A tenant to be made.
#[derive(Debug, Clone)]
pub struct NewTenant {
    /// Its name.
    pub tenant: TenantId,
    /// Id of a bundled pack.
    pub pack: String,
    /// The pack's configuration, JSON; absent for the pack's default.
    pub config: Option<String>,
    /// Legal name.
    pub legal_name: Option<String>,
    /// Where papers are issued.
    pub address: Option<String>,
    /// IANA name.
    pub time_zone: String,
    /// Registrations.
    pub identifiers: Vec<Identifier>,
}

/// Makes a tenant, on the operator's word.
///
/// # Errors
/// A code and a text when it exists, the pack is unknown, or the profile or configuration is not valid.
pub async fn create_tenant(app: &App, new: NewTenant) -> Result<(), String> {
    let NewTenant { tenant, pack, config, legal_name, address, time_zone, identifiers } = new;
    let module = bundled(app, &pack)?;
    let config = checked_config(&module, config.as_deref())?;
    let country = module.manifest().jurisdictions.first().cloned().unwrap_or_else(|| "ZZ".to_owned());
    let profile =
        Profile { legal_name, address, country, time_zone, identifiers, attributes: Attributes::new() };
    let profile = check_profile(&module, &config, profile).map_err(|findings| told(&findings))?;
    // The pack answers for every tax date; which day's law applies is its own data.
    let activation = activation(&module, Date::constant(1, 1, 1), config);
    let command = TenantCommand::Create(CreateTenant { tenant: tenant.clone(), profile, activation });
    operate(app, &tenant, command).await
}

/// Lets a bundled pack decide for the tenant from `effective_from` on, on the operator's word.
///
/// # Errors
/// A code and a text when the tenant or pack is unknown, or the configuration is not valid.
pub async fn activate_pack(
    app: &App,
    tenant: &TenantId,
    pack: &str,
    effective_from: Date,
    config: Option<&str>,
) -> Result<(), String> {
    let module = bundled(app, pack)?;
    let config = checked_config(&module, config)?;
    let activation = activation(&module, effective_from, config);
    operate(app, tenant, TenantCommand::ActivateModule(ActivateModule { activation })).await
}

impl App {
    pub(crate) async fn change_profile(
        &self,
        actor: &Actor,
        expected: Expected,
        profile: Profile,
    ) -> Result<Committed, CommandError> {
        let at = self.expect_tenant(actor, expected).await?;
        let activation = pack_on(&at, self.now_at(&at).date())?.clone();
        let profile = self
            .packs
            .call(&actor.tenant, &activation, move |module, config| {
                Ok(check_profile(module, config, profile))
            })
            .await?
            .map_err(Rejection::Findings)?;
        let command = TenantCommand::ChangeProfile(ChangeProfile { profile });
        self.record_tenant(actor, None, Some(at), command, Shown::Profile).await
    }

    /// The tenant, if it is at the version expected.
    pub(crate) async fn expect_tenant(
        &self,
        actor: &Actor,
        expected: Expected,
    ) -> Result<TenantAt, CommandError> {
        let at = self.tenant(&actor.tenant).await?;
        match expected {
            Expected::Exactly(version) if version != at.version => {
                Err(CommandError::Stale { stream: StreamId::tenant() })
            }
            _ => Ok(at),
        }
    }

    pub(crate) async fn record_tenant(
        &self,
        actor: &Actor,
        key: Option<Idempotency>,
        before: Option<TenantAt>,
        command: TenantCommand,
        shown: Shown,
    ) -> Result<Committed, CommandError> {
        let expected = before.as_ref().map_or(Version(0), |before| before.version);
        let mut state = before.as_ref().map(|before| Tenant::clone(&before.tenant));
        let events = Tenant::decide(state.as_ref(), command)?;
        let ruled = self.ask_about(actor, before.as_ref(), &events).await?;
        let today = self.clock.now().to_zoned_datetime(TimeZone::UTC).date();
        let metadata = Metadata::new(actor, ruled, &[]);
        let mut recorded = Vec::with_capacity(events.len());
        let mut version = expected;
        for event in events {
            recorded.push(event_with(self.ids.next_id(), &event, &metadata, today)?);
            state = Some(Tenant::evolve(state.take(), event)?);
            version = Version(version.0 + 1);
        }
        let state = state.ok_or(CommandError::TenantUnknown)?;
        let answer = answer(shown, &state, version, &metadata.policies)?.to_bytes()?;
        let writes = if recorded.is_empty() {
            Vec::new()
        } else {
            vec![StreamWrite { stream: StreamId::tenant(), expected, events: recorded }]
        };
        let mut append = Append::of(Batch { writes, answer });
        append.idempotency = key;
        let committed = self.store.append(&actor.tenant, append).await?.try_into()?;
        self.shadows.recorded(&actor.tenant, &state.activations);
        Ok(committed)
    }

    /// Asks the policies about a new profile. About activations and the module policy they are not asked: a policy that
    /// denies all could never be withdrawn.
    async fn ask_about(
        &self,
        actor: &Actor,
        at: Option<&TenantAt>,
        events: &[TenantEvent],
    ) -> Result<Ruled, CommandError> {
        match (at, events) {
            (Some(at), [TenantEvent::ProfileChanged(changed)]) => {
                let subject = Subject::Profile { tenant: &at.tenant.id, profile: &changed.profile };
                self.ask_policies(actor, at, subject).await
            }
            _ => Ok(Ruled::default()),
        }
    }
}

fn answer(
    shown: Shown,
    tenant: &Tenant,
    version: Version,
    policies: &[PolicyDecision],
) -> Result<Answer, CommandError> {
    let activation = |number: usize| {
        let found = tenant.activations.all().get(number.wrapping_sub(1));
        found.ok_or_else(|| CommandError::Defect("a change without its activation".to_owned()))
    };
    Ok(match shown {
        Shown::Profile => {
            let view = TenantView::new(tenant, version).with_policies(policies);
            Answer::new(200, None, version, &view)?
        }
        Shown::NewActivation => {
            let activated = activation(tenant.activations.all().len())?;
            let location = Some(format!("/v1/activations/{}", activated.number));
            Answer::new(201, location, version, &ActivationView::from(activated))?
        }
        Shown::Activation(number) => {
            let activated = activation(usize::try_from(number).unwrap_or_default())?;
            Answer::new(200, None, version, &ActivationView::from(activated))?
        }
        Shown::ModulePolicy => {
            Answer::new(200, None, version, &ModulePolicyBody::from(&tenant.module_policy))?
        }
    })
}

async fn operate(app: &App, tenant: &TenantId, command: TenantCommand) -> Result<(), String> {
    let actor = Actor {
        tenant: tenant.clone(),
        user: "operator".to_owned(),
        roles: Vec::new(),
        trace_id: app.ids.next_id().to_string(),
    };
    let before = app.tenants.get(tenant).await.map_err(|error| error.to_string())?;
    if before.is_none() && !matches!(command, TenantCommand::Create(_)) {
        return Err(format!("tenant-unknown: there is no tenant {tenant}"));
    }
    match app.record_tenant(&actor, None, before, command, Shown::Profile).await {
        Ok(_) => Ok(()),
        Err(CommandError::Rejected(rejection)) => Err(format!("{}: {rejection}", rejection.code())),
        Err(CommandError::Stale { .. }) => {
            Err("tenant-changed: another command came first; try again".to_owned())
        }
        Err(error) => Err(error.to_string()),
    }
}

fn bundled(app: &App, pack: &str) -> Result<std::sync::Arc<Module>, String> {
    app.packs.bundled(pack).ok_or_else(|| {
        format!("pack-unknown: there is no pack {pack}; bundled are: {}", app.packs.bundled_ids().join(", "))
    })
}

fn checked_config(module: &Module, config: Option<&str>) -> Result<String, String> {
    let config = config.unwrap_or(&module.manifest().config_default);
    module.check_config(config).map_err(|findings| told(&findings))
}

fn activation(module: &Module, effective_from: Date, config: String) -> Activation {
    let config_digest = digest_hex(config.as_bytes());
    Activation {
        module: module.reference().clone(),
        world: module.world(),
        effective_from,
        config,
        config_digest,
        on_failure: OnFailure::Block,
        state: ActivationState::Active,
    }
}

/// Texts within bounds, a time zone that exists, identifiers in the pack's normal form.
fn check_profile(module: &Module, config: &str, mut profile: Profile) -> Result<Profile, Findings> {
    let mut findings = Findings::new();
    if TimeZone::get(&profile.time_zone).is_err() {
        findings.push(
            Finding::error("time-zone-unknown", "a time zone is an IANA name, for example Asia/Dhaka")
                .at("/time_zone"),
        );
    }
    for (pointer, text) in [("/legal_name", &profile.legal_name), ("/address", &profile.address)] {
        let Some(text) = text else { continue };
        if text.trim().is_empty() || text.chars().count() > 500 || text.chars().any(char::is_control) {
            findings.push(Finding::error("text-invalid", "1 to 500 printable characters").at(pointer));
        }
    }
    findings.extend(check_attributes("/attributes", &profile.attributes));
    for (index, identifier) in profile.identifiers.iter_mut().enumerate() {
        match module
            .check_identifier(config, &identifier.kind, &identifier.value)
            .map(|decided| decided.answer)
        {
            Ok(Ok(normal)) => identifier.value = normal,
            Ok(Err(found)) => findings.extend(found.into_iter().map(|finding| {
                let field = if finding.code.contains("kind") { "kind" } else { "value" };
                finding.at(format!("/identifiers/{index}/{field}"))
            })),
            Err(failure) => findings.push(Finding::error(failure.code(), failure.to_string())),
        }
    }
    if findings.is_empty() { Ok(profile) } else { Err(findings) }
}

fn told(findings: &[Finding]) -> String {
    findings
        .iter()
        .map(|finding| {
            let place =
                finding.pointer.as_deref().map(|pointer| format!(" at {pointer}")).unwrap_or_default();
            format!("{}{place}: {}", finding.code, finding.message)
        })
        .collect::<Vec<_>>()
        .join("\n")
}
