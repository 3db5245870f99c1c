//! The chart of accounts: what the books distinguish, and the roles by which postings find their accounts.
//!
//! 1. `account`: codes, classes, roles, and what a chart may begin with.
//! 2. `chart`: the aggregate, one for each tenant.

mod account;
mod chart;

pub use account::{
    AccountClass, AccountCode, AccountKind, AccountRole, InvalidAccount, NewAccount, accounts_of_template,
};
pub use chart::{
    ACCOUNTS_MAX, Account, AccountAdded, AccountDeactivated, AccountMoved, AccountReactivated,
    AccountRenamed, AddAccount, AssignRole, Chart, ChartCommand, ChartCreated, ChartEvent, CreateChart,
    DeactivateAccount, MoveAccount, ReactivateAccount, RenameAccount, RoleAssigned,
};

#[cfg(test)]
pub(crate) mod tests;
