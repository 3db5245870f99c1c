//! A policy: an invoice is cancelled only by an approver, and issued by one who is none only after approval.

use niyam_sdk::policy::{Request, Ruling};
use niyam_sdk::{Context, Finding, Manifest, PolicyModule};

struct CancelGuard;

niyam_sdk::export_policy!(CancelGuard);

impl PolicyModule for CancelGuard {
    fn manifest() -> Manifest {
        Manifest {
            id: "cancel-guard".into(),
            version: "1.0.0".into(),
            title: "Only approvers cancel".into(),
            jurisdictions: Vec::new(),
            config_schema: r#"{"type":"object","additionalProperties":false}"#.into(),
            config_default: "{}".into(),
        }
    }

    fn evaluate(_: &Context, request: &Request) -> Ruling {
        if request.roles.iter().any(|role| role == "approver") {
            return Ruling::Allow(Vec::new());
        }
        match request.command.as_str() {
            "cancel-invoice" => {
                Ruling::Deny(vec![Finding::error("approver-only", "an invoice is cancelled by an approver")])
            }
            "issue-invoice" => Ruling::NeedsApproval(format!("{} is no approver", request.user)),
            _ => Ruling::Allow(Vec::new()),
        }
    }
}
