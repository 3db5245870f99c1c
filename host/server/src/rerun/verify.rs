//! Proves decisions: the component that decided must give the same answer of the same input, bit for bit.
//!
//! An answer is proven when the stored input and configuration are those that the decision names by digest, the stored
//! answer is the one it names, and the component, asked again, gives that very answer for that much fuel.
//!
//! Fuel is counted by the engine: another version of it may count otherwise, and then every decision of a component
//! costs something else while each answer is the same. That is a finding of its own, and the caller says whether it
//! matters; nothing else is ever forgiven.
//!
//! Where personal data were erased, the input is gone: only the stored answer is compared with its digest. That they
//! were takes a word of the history: a key that is gone without one proves nothing.
//!
//! This is what is told of it; `verifier` does it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use niyam_domain::TenantId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::personal::Opener;
use crate::rerun::components::{Components, configs};
use crate::rerun::sweep::Sweep;
use crate::rerun::verifier::{Verifier, event_types};

/// How a decision differs from what it says of itself, or why it cannot be run again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum DifferenceKind {
    /// The stored input is not the one that the decision names.
    Input,
    /// The stored answer is not the one that the decision names.
    StoredAnswer,
    /// The component goes by another name or version.
    Module,
    /// The component answers something else.
    Answer,
    /// The component refuses what it had answered.
    Refused,
    /// The component fails; the code says how.
    Failed,
    /// The answer is the same and cost other fuel: another engine counted.
    Fuel,
    /// The event cannot be read.
    Unreadable,
    /// Personal data of the input were erased, as somebody asked for.
    Erased,
    /// The store does not hold the component.
    ComponentMissing,
    /// The component in the store is not the one with that digest.
    ComponentAltered,
    /// This version of the host does not take the component in; the code says why.
    ComponentRefused,
    /// No activation of the tenant has a configuration with that digest.
    ConfigMissing,
    /// It was made under a contract that this version of the host does not speak.
    ContractUnknown,
}

impl DifferenceKind {
    /// Whether it says nothing about the answer, since the decision could not be run again.
    pub(crate) const fn is_untried(self) -> bool {
        matches!(
            self,
            Self::Erased
                | Self::ComponentMissing
                | Self::ComponentAltered
                | Self::ComponentRefused
                | Self::ConfigMissing
                | Self::ContractUnknown
        )
    }
}

impl fmt::Display for DifferenceKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Input => "the stored input is not the one that the decision names",
            Self::StoredAnswer => "the stored answer is not the one that the decision names",
            Self::Module => "the component goes by another name or version",
            Self::Answer => "the component answers something else",
            Self::Refused => "the component refuses what it had answered",
            Self::Failed => "the component fails",
            Self::Fuel => "the answer is the same and cost other fuel",
            Self::Unreadable => "the event cannot be read",
            Self::Erased => "personal data were erased: it cannot be run again",
            Self::ComponentMissing => "the component is not there",
            Self::ComponentAltered => "the component that is there is another one",
            Self::ComponentRefused => "the component is not taken in any more",
            Self::ConfigMissing => "no activation has the configuration",
            Self::ContractUnknown => "the contract is not spoken any more",
        })
    }
}

/// One thing that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Difference {
    /// Of the event.
    pub(crate) position: u64,
    /// The invoice, if it is one's event.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(crate) invoice: Option<String>,
    /// The function that was called; empty when the event cannot be read.
    pub(crate) function: String,
    /// SHA-256 of the component.
    pub(crate) module: String,
    pub(crate) kind: DifferenceKind,
    /// What the decision says: a digest, fuel …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expected: Option<String>,
    /// What was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) found: Option<String>,
}

/// The decisions of one component.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct ComponentCount {
    /// The module's id.
    pub(crate) id: String,
    pub(crate) version: String,
    pub(crate) decisions: u64,
    /// Those whose answer is the same and cost other fuel.
    pub(crate) other_fuel: u64,
}

/// What came of it. Each decision is counted once: as the first of these that fits, from below.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Verified {
    /// All that were looked at.
    pub(crate) decisions: u64,
    /// Same input, same answer, same fuel.
    pub(crate) proven: u64,
    /// The same answer for other fuel.
    pub(crate) other_fuel: u64,
    /// Those that could not be run again.
    pub(crate) untried: u64,
    /// Those that cannot be run again since personal data of their input were erased.
    #[serde(default)]
    pub(crate) erased: u64,
    /// Those that differ.
    pub(crate) differing: u64,
    /// Keys of data subjects that are gone though no erasure is recorded: what counts as erased may have been hidden.
    #[serde(default)]
    pub(crate) keys_lost: u64,
    /// By SHA-256 of the component.
    pub(crate) components: BTreeMap<String, ComponentCount>,
}

/// What a verification comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Conclusion {
    /// Every decision was run again but those whose input was erased, and none differs.
    Proven,
    /// At least one differs.
    Differs,
    /// None differs, but some could not be run again, though nobody erased anything of them; or there was none.
    Unproven,
}

impl Verified {
    /// What it comes to; other fuel matters unless the caller says otherwise.
    pub(crate) const fn conclusion(&self, ignore_fuel: bool) -> Conclusion {
        if self.differing > 0 || (self.other_fuel > 0 && !ignore_fuel) {
            Conclusion::Differs
        } else if self.untried > 0 || self.decisions == 0 || self.keys_lost > 0 {
            Conclusion::Unproven
        } else {
            Conclusion::Proven
        }
    }

    /// Adds what another worker counted.
    pub(crate) fn add(&mut self, other: Self) {
        self.decisions += other.decisions;
        self.proven += other.proven;
        self.other_fuel += other.other_fuel;
        self.untried += other.untried;
        self.erased += other.erased;
        self.differing += other.differing;
        self.keys_lost += other.keys_lost;
        for (digest, count) in other.components {
            let all = self.components.entry(digest).or_default();
            all.decisions += count.decisions;
            all.other_fuel += count.other_fuel;
            (all.id, all.version) = (count.id, count.version);
        }
    }
}

/// A verification of one tenant's decisions after a position.
///
/// # Errors
/// When the store fails, or an activation cannot be read.
pub(crate) async fn verification(
    opener: &Opener,
    components: &Arc<Components>,
    tenant: &TenantId,
    since: niyam_domain::Position,
    workers: usize,
) -> Result<(Sweep, Vec<Verifier>), crate::rerun::components::ConfigsError> {
    let books = opener.books();
    let configs = Arc::new(configs(books, tenant).await?);
    let up_to = books.head(tenant).await?.map(|head| head.last_position).unwrap_or_default();
    let sweep = Sweep {
        opener: opener.clone(),
        tenant: tenant.clone(),
        event_types: event_types(),
        after: since,
        up_to,
    };
    let verifier =
        || Verifier::new(opener.clone(), tenant.clone(), Arc::clone(components), Arc::clone(&configs));
    let mut verifiers: Vec<Verifier> = std::iter::repeat_with(verifier).take(workers).collect();
    if let Some(first) = verifiers.first_mut() {
        first.verified.keys_lost = books.keys_lost(tenant).await?;
    }
    Ok((sweep, verifiers))
}
