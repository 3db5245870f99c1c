//! What a component offers of the contract, looked up once.

use wasmtime::Store;
use wasmtime::component::{Instance, InstancePre};

use crate::bindings::exports::niyam::rules::{compliance, module, policy, tax, workflow};
use crate::error::LoadError;
use crate::sandbox::Sandbox;

/// The interfaces that make a component's world; every world exports `module`.
pub(crate) struct Interfaces {
    pub(crate) module: module::GuestIndices,
    pub(crate) tax: Option<tax::GuestIndices>,
    pub(crate) compliance: Option<compliance::GuestIndices>,
    pub(crate) policy: Option<policy::GuestIndices>,
    pub(crate) workflow: Option<workflow::GuestIndices>,
}

impl Interfaces {
    /// Refuses a component that exports no world whole.
    pub(crate) fn of(component: &InstancePre<Sandbox>) -> Result<Self, LoadError> {
        let module = module::GuestIndices::new(component).map_err(missing)?;
        let tax = tax::GuestIndices::new(component);
        let compliance = compliance::GuestIndices::new(component).ok();
        let policy = policy::GuestIndices::new(component).ok();
        let workflow = workflow::GuestIndices::new(component).ok();
        let other_world = policy.is_some() || workflow.is_some();
        let tax = match tax {
            Ok(tax) => Some(tax),
            Err(_) if other_world && compliance.is_none() => None,
            Err(error) => return Err(missing(error)),
        };
        Ok(Self { module, tax, compliance, policy, workflow })
    }

    /// Refuses functions whose types are not the contract's: a call would meet them too late.
    pub(crate) fn check_types(
        &self,
        store: &mut Store<Sandbox>,
        instance: &Instance,
    ) -> Result<(), LoadError> {
        let wrong = |interface: &'static str| {
            move |error: wasmtime::Error| missing(error.context(format!("interface {interface}")))
        };
        if let Some(tax) = &self.tax {
            tax.load(&mut *store, instance).map_err(wrong("tax"))?;
        }
        if let Some(compliance) = &self.compliance {
            compliance.load(&mut *store, instance).map_err(wrong("compliance"))?;
        }
        if let Some(policy) = &self.policy {
            policy.load(&mut *store, instance).map_err(wrong("policy"))?;
        }
        if let Some(workflow) = &self.workflow {
            workflow.load(&mut *store, instance).map_err(wrong("workflow"))?;
        }
        self.module.load(&mut *store, instance).map_err(wrong("module"))?;
        Ok(())
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of map_err")]
fn missing(error: wasmtime::Error) -> LoadError {
    LoadError::WorldMissing { reason: format!("{error:#}") }
}
