//! JSON shapes of what policies said, and of modules that failed.

use niyam_domain::Version;
use niyam_values::Date;
use niyam_values::policy::Ruling;
use serde::Serialize;
use utoipa::ToSchema;

use crate::commands::fallback::Fallback;
use crate::commands::policy::PolicyDecision;
use crate::commands::views::FindingView;

/// What a policy of the tenant found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PolicyFindingView {
    /// The policy's id.
    module: String,
    #[serde(flatten)]
    finding: FindingView,
}

/// What all of them found, in the order asked.
pub(crate) fn policy_findings(policies: &[PolicyDecision]) -> Vec<PolicyFindingView> {
    let of_one = |policy: &PolicyDecision| {
        let view = |finding| PolicyFindingView {
            module: policy.decision.module.id.clone(),
            finding: FindingView::from(finding),
        };
        policy.findings().iter().map(view).collect::<Vec<_>>()
    };
    policies.iter().flat_map(of_one).collect()
}

/// A policy's ruling.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PolicyView {
    /// `allow`: what is denied is not recorded.
    #[schema(value_type = String, example = "allow")]
    ruling: &'static str,
    findings: Vec<FindingView>,
    /// The day that it was told, in the tenant's time zone.
    #[schema(value_type = String, format = Date)]
    today: Date,
}

impl From<&PolicyDecision> for PolicyView {
    fn from(policy: &PolicyDecision) -> Self {
        Self {
            ruling: match policy.ruling {
                Ruling::Allow(_) => "allow",
                Ruling::Deny(_) => "deny",
                Ruling::NeedsApproval(_) => "needs-approval",
            },
            findings: policy.findings().iter().map(FindingView::from).collect(),
            today: policy.today,
        }
    }
}

/// A module that failed, and that another one answered for.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FallbackView {
    /// The event that it should have shaped.
    #[schema(value_type = u64)]
    version: Version,
    module: String,
    /// SHA-256 of the component.
    digest: String,
    /// What happened, for example `module-trapped`.
    code: String,
}

impl FallbackView {
    pub(crate) fn new(version: Version, fallback: Fallback) -> Self {
        let Fallback { module, digest, code } = fallback;
        Self { version, module, digest, code }
    }
}
