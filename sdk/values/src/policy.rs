//! A tenant's own business rule, asked before a command commits.

use crate::Finding;

/// A command that is about to commit.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Request {
    /// The command, kebab-case, for example `issue-invoice`.
    pub command: String,
    /// What it changes, for example an invoice's id.
    pub aggregate: String,
    /// Its body, JSON.
    pub body_json: String,
    /// Who commands.
    pub user: String,
    /// The roles of who commands.
    pub roles: Vec<String>,
}

/// What a policy says of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Ruling {
    /// It goes on; warnings and infos.
    Allow(Vec<Finding>),
    /// It does not: findings, at least one of them an error.
    Deny(Vec<Finding>),
    /// Not before somebody approves it: why, for the person who is asked.
    NeedsApproval(String),
}
