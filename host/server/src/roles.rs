//! What a user may do.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// A role of a user within its tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Reads; drafts, revises, cancels and issues.
    Accountant,
    /// Reads; approves and issues; verifies and simulates.
    Approver,
    /// Reads; changes the tenant's profile; verifies and simulates.
    TenantAdmin,
    /// Reads; changes the tenant's profile, for the operator.
    PlatformAdmin,
}

impl Role {
    /// As written in tokens.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Accountant => "accountant",
            Self::Approver => "approver",
            Self::TenantAdmin => "tenant-admin",
            Self::PlatformAdmin => "platform-admin",
        }
    }
}

/// Who may read: everybody with a role.
pub(crate) const READERS: &[Role] =
    &[Role::Viewer, Role::Accountant, Role::Approver, Role::TenantAdmin, Role::PlatformAdmin];
/// Who may draft, revise and cancel.
pub(crate) const DRAFTERS: &[Role] = &[Role::Accountant];
/// Who may approve.
pub(crate) const APPROVERS: &[Role] = &[Role::Approver];
/// Who may issue.
pub(crate) const ISSUERS: &[Role] = &[Role::Accountant, Role::Approver];
/// Who may have decisions run again, and candidates tried.
pub(crate) const EXAMINERS: &[Role] = &[Role::Approver, Role::TenantAdmin];
/// Who may change the tenant.
pub(crate) const ADMINS: &[Role] = &[Role::TenantAdmin, Role::PlatformAdmin];
