//! The chart of accounts of a tenant, as one aggregate: few change it, and each posting is made against a version of it.

use std::collections::BTreeMap;

use niyam_values::Finding;
use serde::{Deserialize, Serialize};

use crate::accounts::account::{AccountClass, AccountCode, AccountKind, AccountRole, NewAccount, is_name};
use crate::aggregate::Aggregate;
use crate::decision::Decision;
use crate::event::{DomainEvent, UnreadableEvent, domain_events};
use crate::personal::nothing_personal;
use crate::rejection::Rejection;

/// Most accounts of a chart.
pub const ACCOUNTS_MAX: usize = 2_000;

/// The chart began with what the pack proposes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChartCreated {
    /// Each after the header above it.
    pub accounts: Vec<NewAccount>,
    /// Who said so.
    pub decision: Decision,
}

/// An account was added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountAdded {
    /// The account.
    pub account: NewAccount,
    /// Who allowed its code.
    pub decision: Decision,
}

/// An account has another name from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountRenamed {
    /// Which.
    pub code: AccountCode,
    /// The new name.
    pub name: String,
}

/// An account stands below another header from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountMoved {
    /// Which.
    pub code: AccountCode,
    /// The header, or none at the top.
    pub parent: Option<AccountCode>,
}

/// An account takes no more postings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountDeactivated {
    /// Which.
    pub code: AccountCode,
}

/// An account takes postings again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountReactivated {
    /// Which.
    pub code: AccountCode,
}

/// Postings of a role go to this account from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleAssigned {
    /// The role.
    pub role: AccountRole,
    /// The account.
    pub code: AccountCode,
}

domain_events! {
    /// What happens to the chart of accounts.
    ChartEvent {
        /// The chart began with what the pack proposes.
        Created(ChartCreated) = "chart.created.v1",
        /// An account was added.
        Added(AccountAdded) = "account.added.v1",
        /// An account has another name from now on.
        Renamed(AccountRenamed) = "account.renamed.v1",
        /// An account stands below another header from now on.
        Moved(AccountMoved) = "account.moved.v1",
        /// An account takes no more postings.
        Deactivated(AccountDeactivated) = "account.deactivated.v1",
        /// An account takes postings again.
        Reactivated(AccountReactivated) = "account.reactivated.v1",
        /// Postings of a role go to this account from now on.
        RoleAssigned(RoleAssigned) = "account.role-assigned.v1",
    }
}

nothing_personal!(
    ChartCreated,
    AccountAdded,
    AccountRenamed,
    AccountMoved,
    AccountDeactivated,
    AccountReactivated,
    RoleAssigned,
    Chart,
);

/// Begin the chart with a pack's template.
#[derive(Debug, Clone)]
pub struct CreateChart {
    /// As [`crate::accounts_of_template`] gives them.
    pub accounts: Vec<NewAccount>,
    /// Who proposes them.
    pub decision: Decision,
}

/// Add an account whose code the pack allows.
#[derive(Debug, Clone)]
pub struct AddAccount {
    /// The account.
    pub account: NewAccount,
    /// Who allowed its code.
    pub decision: Decision,
}

/// Give an account another name.
#[derive(Debug, Clone)]
pub struct RenameAccount {
    /// Which.
    pub code: AccountCode,
    /// The new name.
    pub name: String,
}

/// Put an account below another header.
#[derive(Debug, Clone)]
pub struct MoveAccount {
    /// Which.
    pub code: AccountCode,
    /// The header, or none for the top.
    pub parent: Option<AccountCode>,
}

/// Let an account take no more postings.
#[derive(Debug, Clone)]
pub struct DeactivateAccount {
    /// Which.
    pub code: AccountCode,
}

/// Let an account take postings again.
#[derive(Debug, Clone)]
pub struct ReactivateAccount {
    /// Which.
    pub code: AccountCode,
}

/// Let postings of a role go to an account.
#[derive(Debug, Clone)]
pub struct AssignRole {
    /// The role.
    pub role: AccountRole,
    /// The account.
    pub code: AccountCode,
}

/// What may be asked of a chart.
#[derive(Debug, Clone)]
pub enum ChartCommand {
    /// See [`CreateChart`].
    Create(CreateChart),
    /// See [`AddAccount`].
    Add(AddAccount),
    /// See [`RenameAccount`].
    Rename(RenameAccount),
    /// See [`MoveAccount`].
    Move(MoveAccount),
    /// See [`DeactivateAccount`].
    Deactivate(DeactivateAccount),
    /// See [`ReactivateAccount`].
    Reactivate(ReactivateAccount),
    /// See [`AssignRole`].
    AssignRole(AssignRole),
}

/// An account as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub class: AccountClass,
    /// The header above it.
    pub parent: Option<AccountCode>,
    /// Header or posting.
    pub kind: AccountKind,
    /// Whether it takes postings, or accounts below it.
    pub active: bool,
}

/// A tenant's chart as its events tell it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chart {
    /// By code.
    pub accounts: BTreeMap<AccountCode, Account>,
    /// Where the postings of each role go.
    pub roles: BTreeMap<AccountRole, AccountCode>,
}

impl Chart {
    /// What `command` makes happen.
    ///
    /// # Errors
    /// When the chart as it stands does not allow it.
    pub fn decide(state: Option<&Self>, command: ChartCommand) -> Result<Vec<ChartEvent>, Rejection> {
        let empty = Self::default();
        let chart = state.unwrap_or(&empty);
        let event = match command {
            ChartCommand::Create(_) if state.is_some() => return Err(Rejection::ChartExists),
            ChartCommand::Create(CreateChart { accounts, .. }) if accounts.is_empty() => {
                return Err(Rejection::ChartNotOffered);
            }
            ChartCommand::Create(CreateChart { accounts, decision }) => {
                room(accounts.len())?;
                ChartEvent::Created(ChartCreated { accounts, decision })
            }
            ChartCommand::Add(AddAccount { account, decision }) => {
                chart.may_add(&account)?;
                ChartEvent::Added(AccountAdded { account, decision })
            }
            ChartCommand::Rename(RenameAccount { code, name }) => {
                if chart.existing(&code)?.name == name {
                    return Ok(Vec::new());
                }
                refuse_unless(is_name(&name), "text-invalid", "/name", "1 to 200 printable characters")?;
                ChartEvent::Renamed(AccountRenamed { code, name })
            }
            ChartCommand::Move(MoveAccount { code, parent }) => {
                let account = chart.existing(&code)?;
                if account.parent == parent {
                    return Ok(Vec::new());
                }
                if let Some(parent) = &parent {
                    chart.may_hold(parent, account.class)?;
                    refuse_unless(
                        !chart.is_below(parent, &code),
                        "account-parent-below",
                        "/parent",
                        "an account cannot stand below itself",
                    )?;
                }
                ChartEvent::Moved(AccountMoved { code, parent })
            }
            ChartCommand::Deactivate(DeactivateAccount { code }) => {
                if !chart.existing(&code)?.active {
                    return Ok(Vec::new());
                }
                chart.may_deactivate(&code)?;
                ChartEvent::Deactivated(AccountDeactivated { code })
            }
            ChartCommand::Reactivate(ReactivateAccount { code }) => {
                let account = chart.existing(&code)?;
                if account.active {
                    return Ok(Vec::new());
                }
                if let Some(parent) = &account.parent {
                    chart.may_hold(parent, account.class)?;
                }
                ChartEvent::Reactivated(AccountReactivated { code })
            }
            ChartCommand::AssignRole(AssignRole { role, code }) => {
                if chart.roles.get(&role) == Some(&code) {
                    return Ok(Vec::new());
                }
                match chart.check_posting(code.as_str(), "/account") {
                    Some(finding) => return Err(Rejection::Findings(vec![finding])),
                    None => ChartEvent::RoleAssigned(RoleAssigned { role, code }),
                }
            }
        };
        Ok(vec![event])
    }

    /// The account of `role`.
    ///
    /// # Errors
    /// When the chart has none for it.
    pub fn account_of(&self, role: &str) -> Result<&AccountCode, Rejection> {
        let found = self.roles.iter().find(|(known, _)| known.as_str() == role).map(|(_, code)| code);
        found.ok_or_else(|| {
            let message = format!("the chart of accounts has no account of the role {role}");
            Rejection::Findings(vec![Finding::error("account-role-unassigned", message)])
        })
    }

    /// What keeps `code` from being posted to.
    #[must_use]
    pub fn check_posting(&self, code: &str, pointer: &str) -> Option<Finding> {
        let account = code.parse().ok().and_then(|code: AccountCode| self.accounts.get(&code));
        let (rule, message) = match account {
            None => ("account-unknown", "the chart of accounts has no such account"),
            Some(account) if account.kind == AccountKind::Header => {
                ("account-not-posting", "a header sums other accounts and takes no posting itself")
            }
            Some(account) if !account.active => ("account-inactive", "the account takes no more postings"),
            Some(_) => return None,
        };
        Some(Finding::error(rule, message).at(pointer))
    }

    fn existing(&self, code: &AccountCode) -> Result<&Account, Rejection> {
        self.accounts.get(code).ok_or(Rejection::AccountMissing)
    }

    fn may_add(&self, account: &NewAccount) -> Result<(), Rejection> {
        room(self.accounts.len() + 1)?;
        if self.accounts.contains_key(&account.code) {
            return Err(Rejection::AccountExists);
        }
        refuse_unless(is_name(&account.name), "text-invalid", "/name", "1 to 200 printable characters")?;
        if let Some(parent) = &account.parent {
            self.may_hold(parent, account.class)?;
        }
        if let Some(role) = &account.role {
            refuse_unless(
                account.kind == AccountKind::Posting,
                "account-not-posting",
                "/role",
                "a header takes no posting, and so has no role",
            )?;
            refuse_unless(
                !self.roles.contains_key(role),
                "account-role-taken",
                "/role",
                "another account has the role; assign it to this one afterwards",
            )?;
        }
        Ok(())
    }

    /// Whether an account of `class` may stand below `parent`.
    fn may_hold(&self, parent: &AccountCode, class: AccountClass) -> Result<(), Rejection> {
        let Some(header) = self.accounts.get(parent) else {
            return refuse_unless(false, "account-unknown", "/parent", "there is no such account");
        };
        refuse_unless(
            header.kind == AccountKind::Header,
            "account-parent-not-header",
            "/parent",
            "accounts stand below headers alone",
        )?;
        refuse_unless(header.active, "account-inactive", "/parent", "the account above is not active")?;
        refuse_unless(
            header.class == class,
            "account-class-differs",
            "/parent",
            "an account is of the class of the one above it",
        )
    }

    fn may_deactivate(&self, code: &AccountCode) -> Result<(), Rejection> {
        if let Some((role, _)) = self.roles.iter().find(|(_, account)| *account == code) {
            return Err(Rejection::AccountInUse(format!("postings of the role {role} go to it")));
        }
        let below = |account: &Account| account.active && account.parent.as_ref() == Some(code);
        if let Some((child, _)) = self.accounts.iter().find(|(_, account)| below(account)) {
            return Err(Rejection::AccountInUse(format!("account {child} stands below it")));
        }
        Ok(())
    }

    /// Whether `code` is `above`, or stands below it at any depth.
    fn is_below(&self, code: &AccountCode, above: &AccountCode) -> bool {
        let mut at = Some(code);
        // A chart has no circle; were there one, the walk ends all the same.
        for _ in 0..=self.accounts.len() {
            match at {
                Some(found) if found == above => return true,
                Some(found) => at = self.accounts.get(found).and_then(|account| account.parent.as_ref()),
                None => return false,
            }
        }
        true
    }

    fn insert(&mut self, account: NewAccount) {
        let NewAccount { code, name, class, parent, kind, role } = account;
        if let Some(role) = role {
            self.roles.insert(role, code.clone());
        }
        self.accounts.insert(code, Account { name, class, parent, kind, active: true });
    }

    fn change(&mut self, code: &AccountCode, change: impl FnOnce(&mut Account)) -> Option<()> {
        self.accounts.get_mut(code).map(change)
    }
}

fn room(accounts: usize) -> Result<(), Rejection> {
    let message = format!("a chart has at most {ACCOUNTS_MAX} accounts");
    refuse_unless(accounts <= ACCOUNTS_MAX, "accounts-too-many", "/code", &message)
}

fn refuse_unless(holds: bool, rule: &str, pointer: &str, message: &str) -> Result<(), Rejection> {
    if holds { Ok(()) } else { Err(Rejection::Findings(vec![Finding::error(rule, message).at(pointer)])) }
}

impl Aggregate for Chart {
    type Event = ChartEvent;

    fn evolve(state: Option<Self>, event: ChartEvent) -> Result<Self, UnreadableEvent> {
        let event_type = event.event_type();
        let is_new = state.is_none();
        let mut chart = state.unwrap_or_default();
        let done = match event {
            ChartEvent::Created(created) => {
                created.accounts.into_iter().for_each(|account| chart.insert(account));
                is_new.then_some(())
            }
            ChartEvent::Added(added) => {
                chart.insert(added.account);
                Some(())
            }
            ChartEvent::Renamed(AccountRenamed { code, name }) => {
                chart.change(&code, |account| account.name = name)
            }
            ChartEvent::Moved(AccountMoved { code, parent }) => {
                chart.change(&code, |account| account.parent = parent)
            }
            ChartEvent::Deactivated(AccountDeactivated { code }) => {
                chart.change(&code, |account| account.active = false)
            }
            ChartEvent::Reactivated(AccountReactivated { code }) => {
                chart.change(&code, |account| account.active = true)
            }
            ChartEvent::RoleAssigned(RoleAssigned { role, code }) => {
                chart.roles.insert(role, code);
                Some(())
            }
        };
        done.map(|()| chart).ok_or(UnreadableEvent::OutOfOrder { event_type })
    }
}
