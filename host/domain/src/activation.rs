//! Which modules decide for a tenant, from which date, and which publishers it trusts.

use niyam_values::Date;
use serde::{Deserialize, Serialize};

use crate::decision::ModuleRef;
use crate::rejection::Rejection;
use crate::upcast::Fields;

/// The kind of a module: the world of the contract that it exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum World {
    /// A country's taxes, identifiers, calendar and papers.
    ComplianceModule,
    /// Taxes alone: it is asked for them in the pack's place.
    TaxModule,
    /// A rule of the tenant's own, asked before a command commits.
    PolicyModule,
    /// The steps that a document goes through.
    WorkflowModule,
}

impl World {
    /// As the contract names it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ComplianceModule => "compliance-module",
            Self::TaxModule => "tax-module",
            Self::PolicyModule => "policy-module",
            Self::WorkflowModule => "workflow-module",
        }
    }

    /// Whether several answer beside one another, each with its own say, rather than the newest alone.
    #[must_use]
    pub const fn is_chained(self) -> bool {
        matches!(self, Self::PolicyModule | Self::WorkflowModule)
    }
}

/// What happens to a command whose module fails: traps, runs out of fuel, breaks the contract.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnFailure {
    /// The command fails, and commits nothing.
    #[default]
    Block,
    /// The activation before this one answers, and the decision says so.
    Previous,
}

/// Whether an activation counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActivationState {
    /// It answers.
    #[default]
    Active,
    /// It is asked beside the one that answers, and what differs is listed; it decides nothing.
    Shadow,
}

/// "From this date, the tenant uses this module with this configuration." Never edited; a later one takes over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activation {
    /// The module.
    pub module: ModuleRef,
    /// Its kind.
    pub world: World,
    /// The first tax date that it answers for.
    pub effective_from: Date,
    /// JSON, checked by the module's schema.
    pub config: String,
    /// SHA-256 of `config`, hex.
    pub config_digest: String,
    /// What its failure does to a command.
    pub on_failure: OnFailure,
    /// Whether it counts.
    pub state: ActivationState,
}

/// An activation in its tenant's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activated {
    /// 1, 2, 3 … in the order recorded: its name within the tenant.
    pub number: u32,
    /// Which, from when, how.
    pub activation: Activation,
    /// Why it was withdrawn, if it was. What it decided stays decided.
    pub withdrawn: Option<Withdrawal>,
}

/// An activation no longer answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawal {
    /// Why.
    pub reason: Option<String>,
}

/// A module decides for the tenant from a date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleActivated {
    /// Which, from when, how.
    pub activation: Activation,
}

/// An activation no longer answers: the one before it does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivationWithdrawn {
    /// Which.
    pub number: u32,
    /// Why.
    pub reason: Option<String>,
}

/// Let a module decide from a date on.
#[derive(Debug, Clone)]
pub struct ActivateModule {
    /// Which, from when, how.
    pub activation: Activation,
}

/// Let an activation no longer answer.
#[derive(Debug, Clone)]
pub struct WithdrawActivation {
    /// Which.
    pub number: u32,
    /// Why.
    pub reason: Option<String>,
}

/// Whose modules a tenant accepts. It is asked when a module is activated; what was decided stays decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModulePolicy {
    /// Names of publishers; any that the operator trusts when absent.
    pub publishers: Option<Vec<String>>,
    /// How many of them must have signed a module.
    pub signatures: u32,
}

impl Default for ModulePolicy {
    fn default() -> Self {
        Self { publishers: None, signatures: 1 }
    }
}

/// The tenant accepts the modules of other publishers from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModulePolicyChanged {
    /// The new policy, whole.
    pub policy: ModulePolicy,
}

/// Change whose modules the tenant accepts.
#[derive(Debug, Clone)]
pub struct ChangeModulePolicy {
    /// The new policy, whole.
    pub policy: ModulePolicy,
}

/// Every activation of a tenant, in the order recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Activations(Vec<Activated>);

impl Activations {
    /// All of them, also those that were withdrawn, in the order recorded.
    #[must_use]
    pub fn all(&self) -> &[Activated] {
        &self.0
    }

    /// The activation of that number.
    #[must_use]
    pub fn get(&self, number: u32) -> Option<&Activated> {
        self.0.get(usize::try_from(number).ok()?.checked_sub(1)?)
    }

    /// The activation of `world` that answers for `day`: of those that have begun, the one recorded last.
    #[must_use]
    pub fn answering(&self, world: World, day: Date) -> Option<&Activated> {
        self.begun(world, day).next_back()
    }

    /// Those that may answer for `day` in place of `failed`, the next one first.
    pub fn before<'a>(&'a self, failed: &Activated, day: Date) -> impl Iterator<Item = &'a Activated> {
        let Activated { number, activation, .. } = failed;
        let (number, world, id) = (*number, activation.world, activation.module.id.clone());
        self.begun(world, day)
            .rev()
            .filter(move |other| other.number < number)
            .filter(move |other| !world.is_chained() || other.activation.module.id == id)
    }

    /// The chain of `world` on `day`, in the order in which its members came: of each module id, the activation
    /// recorded last.
    #[must_use]
    pub fn chain(&self, world: World, day: Date) -> Vec<&Activated> {
        let mut chain: Vec<&Activated> = Vec::new();
        for activated in self.begun(world, day) {
            let id = &activated.activation.module.id;
            match chain.iter_mut().find(|member| member.activation.module.id == *id) {
                Some(member) => *member = activated,
                None => chain.push(activated),
            }
        }
        chain
    }

    /// Those that are asked beside the ones that answer, whatever the day.
    pub fn shadows(&self) -> impl Iterator<Item = &Activated> {
        self.0.iter().filter(|Activated { activation, withdrawn, .. }| {
            withdrawn.is_none() && activation.state == ActivationState::Shadow
        })
    }

    fn begun(&self, world: World, day: Date) -> impl DoubleEndedIterator<Item = &Activated> {
        self.0.iter().filter(move |Activated { activation, withdrawn, .. }| {
            withdrawn.is_none()
                && activation.world == world
                && activation.state == ActivationState::Active
                && activation.effective_from <= day
        })
    }

    pub(crate) fn add(&mut self, activation: Activation) {
        let number = u32::try_from(self.0.len()).unwrap_or(u32::MAX).saturating_add(1);
        self.0.push(Activated { number, activation, withdrawn: None });
    }

    pub(crate) fn withdraw(&mut self, withdrawn: ActivationWithdrawn) {
        let ActivationWithdrawn { number, reason } = withdrawn;
        let index = usize::try_from(number).unwrap_or_default().checked_sub(1);
        if let Some(activated) = index.and_then(|index| self.0.get_mut(index)) {
            activated.withdrawn = Some(Withdrawal { reason });
        }
    }

    /// Whether the activation of that number may be withdrawn.
    ///
    /// # Errors
    /// When there is none, it was withdrawn already, or it is the only compliance pack: no paper could be issued.
    pub(crate) fn check_withdrawal(&self, number: u32) -> Result<(), Rejection> {
        let activated = self.get(number).ok_or(Rejection::ActivationMissing)?;
        if activated.withdrawn.is_some() {
            return Err(Rejection::ActivationWithdrawn);
        }
        let counts = |other: &&Activated| {
            other.withdrawn.is_none()
                && other.activation.world == World::ComplianceModule
                && other.activation.state == ActivationState::Active
        };
        if counts(&activated) && self.0.iter().filter(counts).count() == 1 {
            return Err(Rejection::LastPack);
        }
        Ok(())
    }
}

/// Version 1 knew packs alone, each in force, whose failure blocked.
pub(crate) fn activated_v1_to_v2(mut event: Fields) -> Result<Fields, serde_json::Error> {
    let mut activation: Fields = event.take("activation")?;
    activation.put("world", &"compliance-module")?;
    activation.put("on_failure", &"block")?;
    activation.put("state", &"active")?;
    event.put("activation", &activation)?;
    Ok(event)
}

#[cfg(test)]
#[path = "activation_tests.rs"]
mod tests;
