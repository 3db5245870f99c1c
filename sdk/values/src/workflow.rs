//! A workflow's step: what happened, and what is to be done about it.

use crate::{Attributes, Decimal};

/// What a workflow is about, as facts that it may branch on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Subject {
    /// For example `invoice`.
    pub kind: String,
    /// The host's id of it.
    pub id: String,
    /// What it is worth, in the country's own currency, where it is worth something.
    pub amount: Option<Decimal>,
    /// More about it.
    pub facts: Attributes,
}

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Actor {
    /// The user.
    pub user: String,
    /// The user's roles.
    pub roles: Vec<String>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Input {
    /// Somebody started the workflow; its state is empty.
    Started(Actor),
    /// Somebody decided a task.
    Decided(Decision),
    /// The timer of that name has run out.
    TimerFired(String),
    /// Somebody gave the workflow up.
    Cancelled(Actor),
}

impl Input {
    /// Who acted; nobody where a timer did.
    #[must_use]
    pub const fn actor(&self) -> Option<&Actor> {
        match self {
            Self::Started(actor) | Self::Cancelled(actor) => Some(actor),
            Self::Decided(decision) => Some(&decision.by),
            Self::TimerFired(_) => None,
        }
    }
}

/// How a task or a workflow ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Verdict {
    /// Yes.
    Approved,
    /// No.
    Rejected,
    /// Not like this: back to who asked.
    Returned,
}

/// What somebody decided.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Decision {
    /// Id of the task.
    pub task: String,
    /// Who decided.
    pub by: Actor,
    /// How.
    pub verdict: Verdict,
    /// Why, where it was said.
    pub comment: Option<String>,
}

/// Something for people to decide.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Task {
    /// Unique within the workflow.
    pub id: String,
    /// For a person.
    pub title: String,
    /// Whoever has one of these roles may decide.
    pub assignee_roles: Vec<String>,
    /// How many must decide; at least one.
    pub quorum: u32,
    /// Hours within which it is to be decided.
    pub due_in_hours: Option<u32>,
}

/// What the host is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Effect {
    /// Gives people a task.
    Assign(Task),
    /// Takes the task of that id back.
    Withdraw(String),
    /// Starts the timer of that name, for so many hours.
    StartTimer(String, u32),
    /// Tells those of a role something.
    Notify(String, String),
    /// Ends the workflow.
    Complete(Verdict),
}

/// A step of a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Transition {
    /// The workflow's own text, which it is given at its next step.
    pub state: String,
    /// In the order in which they are done.
    pub effects: Vec<Effect>,
}
