//! A tenant: who it is by law, and which modules decide for it from which date.

use niyam_values::{Attributes, Identifier, Party};
use serde::{Deserialize, Serialize};

use crate::activation::{
    ActivateModule, Activation, ActivationWithdrawn, Activations, ChangeModulePolicy, ModuleActivated,
    ModulePolicy, ModulePolicyChanged, WithdrawActivation, activated_v1_to_v2,
};
use crate::aggregate::Aggregate;
use crate::event::{DomainEvent, UnreadableEvent, domain_events};
use crate::ids::TenantId;
use crate::personal::nothing_personal;
use crate::rejection::Rejection;

/// Who a tenant is by law, as its papers show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Legal name.
    pub legal_name: Option<String>,
    /// Where papers are issued.
    pub address: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// IANA name; the dates and times of papers are told in it.
    pub time_zone: String,
    /// Registrations.
    pub identifiers: Vec<Identifier>,
    /// For example `responsible_person`, `designation`.
    pub attributes: Attributes,
}

impl Profile {
    /// The tenant as a party to a document.
    #[must_use]
    pub fn party(&self, tenant: &TenantId) -> Party {
        Party {
            id: tenant.as_str().to_owned(),
            name: self.legal_name.clone().unwrap_or_default(),
            address: self.address.clone(),
            country: self.country.clone(),
            identifiers: self.identifiers.clone(),
            attributes: self.attributes.clone(),
        }
    }
}

/// The tenant came to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantCreated {
    /// Its name.
    pub tenant: TenantId,
    /// Who it is.
    pub profile: Profile,
}

/// Its profile is another one from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileChanged {
    /// The new one, whole.
    pub profile: Profile,
}

domain_events! {
    /// What happens to a tenant.
    TenantEvent {
        /// The tenant came to be.
        Created(TenantCreated) = "tenant.created.v1",
        /// Its profile is another one from now on.
        ProfileChanged(ProfileChanged) = "tenant.profile-changed.v1",
        /// A module decides for it, from a tax date on.
        ModuleActivated(ModuleActivated) = "module.activated.v2" { "module.activated.v1" => activated_v1_to_v2, },
        /// An activation no longer answers: the one before it does.
        ActivationWithdrawn(ActivationWithdrawn) = "module.activation-withdrawn.v1",
        /// It accepts the modules of other publishers from now on.
        ModulePolicyChanged(ModulePolicyChanged) = "tenant.module-policy-changed.v1",
    }
}

// Who the tenant is by law is not a subject of its books.
nothing_personal!(
    TenantCreated,
    ProfileChanged,
    ModuleActivated,
    ActivationWithdrawn,
    ModulePolicyChanged,
    Tenant,
);

/// Make a tenant.
#[derive(Debug, Clone)]
pub struct CreateTenant {
    /// Its name.
    pub tenant: TenantId,
    /// Who it is.
    pub profile: Profile,
    /// The pack that it starts with.
    pub activation: Activation,
}

/// Change who the tenant is.
#[derive(Debug, Clone)]
pub struct ChangeProfile {
    /// The new profile, whole.
    pub profile: Profile,
}

/// What may be asked of a tenant.
#[derive(Debug, Clone)]
pub enum TenantCommand {
    /// See [`CreateTenant`].
    Create(CreateTenant),
    /// See [`ChangeProfile`].
    ChangeProfile(ChangeProfile),
    /// See [`ActivateModule`].
    ActivateModule(ActivateModule),
    /// See [`WithdrawActivation`].
    WithdrawActivation(WithdrawActivation),
    /// See [`ChangeModulePolicy`].
    ChangeModulePolicy(ChangeModulePolicy),
}

/// A tenant as its events tell it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    /// Its name.
    pub id: TenantId,
    /// Who it is.
    pub profile: Profile,
    /// Which modules decide for it.
    pub activations: Activations,
    /// Whose modules it accepts.
    pub module_policy: ModulePolicy,
}

impl Tenant {
    /// What `command` makes happen.
    ///
    /// # Errors
    /// When the tenant's state does not allow it.
    pub fn decide(state: Option<&Self>, command: TenantCommand) -> Result<Vec<TenantEvent>, Rejection> {
        match command {
            TenantCommand::Create(_) if state.is_some() => Err(Rejection::TenantExists),
            TenantCommand::Create(CreateTenant { tenant, profile, activation }) => Ok(vec![
                TenantEvent::Created(TenantCreated { tenant, profile }),
                TenantEvent::ModuleActivated(ModuleActivated { activation }),
            ]),
            TenantCommand::ChangeProfile(ChangeProfile { profile }) => match state {
                Some(tenant) if tenant.profile == profile => Ok(Vec::new()),
                _ => Ok(vec![TenantEvent::ProfileChanged(ProfileChanged { profile })]),
            },
            TenantCommand::ActivateModule(ActivateModule { activation }) => {
                Ok(vec![TenantEvent::ModuleActivated(ModuleActivated { activation })])
            }
            TenantCommand::WithdrawActivation(WithdrawActivation { number, reason }) => {
                state.ok_or(Rejection::ActivationMissing)?.activations.check_withdrawal(number)?;
                Ok(vec![TenantEvent::ActivationWithdrawn(ActivationWithdrawn { number, reason })])
            }
            TenantCommand::ChangeModulePolicy(ChangeModulePolicy { policy }) => match state {
                Some(tenant) if tenant.module_policy == policy => Ok(Vec::new()),
                _ => Ok(vec![TenantEvent::ModulePolicyChanged(ModulePolicyChanged { policy })]),
            },
        }
    }
}

impl Aggregate for Tenant {
    type Event = TenantEvent;

    fn evolve(state: Option<Self>, event: TenantEvent) -> Result<Self, UnreadableEvent> {
        match (state, event) {
            (None, TenantEvent::Created(TenantCreated { tenant, profile })) => {
                let (activations, module_policy) = Default::default();
                Ok(Self { id: tenant, profile, activations, module_policy })
            }
            (Some(state), TenantEvent::ProfileChanged(ProfileChanged { profile })) => {
                Ok(Self { profile, ..state })
            }
            (Some(mut state), TenantEvent::ModuleActivated(ModuleActivated { activation })) => {
                state.activations.add(activation);
                Ok(state)
            }
            (Some(mut state), TenantEvent::ActivationWithdrawn(withdrawn)) => {
                state.activations.withdraw(withdrawn);
                Ok(state)
            }
            (Some(state), TenantEvent::ModulePolicyChanged(ModulePolicyChanged { policy })) => {
                Ok(Self { module_policy: policy, ..state })
            }
            (_, event) => Err(UnreadableEvent::OutOfOrder { event_type: event.event_type() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use niyam_values::Date;

    use super::*;
    use crate::activation::{ActivationState, OnFailure, World};
    use crate::decision::ModuleRef;

    fn profile(name: &str) -> Profile {
        Profile {
            legal_name: Some(name.to_owned()),
            address: None,
            country: "BD".to_owned(),
            time_zone: "Asia/Dhaka".to_owned(),
            identifiers: Vec::new(),
            attributes: Attributes::new(),
        }
    }

    fn activation(version: &str, effective_from: Date) -> Activation {
        Activation {
            module: ModuleRef { id: "vat-bd".to_owned(), version: version.to_owned(), digest: String::new() },
            effective_from,
            world: World::ComplianceModule,
            config: "{}".to_owned(),
            config_digest: String::new(),
            on_failure: OnFailure::Block,
            state: ActivationState::Active,
        }
    }

    fn create() -> TenantCommand {
        TenantCommand::Create(CreateTenant {
            tenant: "demo".parse().unwrap(),
            profile: profile("Demo"),
            activation: activation("1", date(2020, 1, 1)),
        })
    }

    fn given(commands: Vec<TenantCommand>) -> Option<Tenant> {
        let mut state = None;
        for command in commands {
            for event in Tenant::decide(state.as_ref(), command).unwrap() {
                state = Some(Tenant::evolve(state, event).unwrap());
            }
        }
        state
    }

    #[test]
    fn a_tenant_is_created_once() {
        let tenant = given(vec![create()]);
        assert_eq!(Tenant::decide(tenant.as_ref(), create()), Err(Rejection::TenantExists));
    }

    #[test]
    fn a_profile_that_stays_the_same_makes_no_event() {
        let tenant = given(vec![create()]);
        let same = TenantCommand::ChangeProfile(ChangeProfile { profile: profile("Demo") });
        assert_eq!(Tenant::decide(tenant.as_ref(), same), Ok(Vec::new()));
    }

    #[test]
    fn an_event_before_the_creation_is_an_error() {
        let event = TenantEvent::ProfileChanged(ProfileChanged { profile: profile("Demo") });
        assert!(Tenant::evolve(None, event).is_err());
    }
}
