//! Codes, classes and roles of accounts, and what a chart may begin with.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use niyam_values::AccountTemplate;
use serde::{Deserialize, Serialize};

/// Longest code of an account, bytes.
const CODE_LENGTH_MAX: usize = 32;
/// Longest role, bytes.
const ROLE_LENGTH_MAX: usize = 64;
/// Most characters of an account's name.
const NAME_LENGTH_MAX: usize = 200;

/// A text that says nothing of an account.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAccount {
    /// Not a code.
    #[error("an account's code has 1 to 32 letters, digits, dots and hyphens")]
    Code,
    /// Not a role.
    #[error("a role has 1 to 64 of a-z, 0-9, hyphen and colon")]
    Role,
}

/// What an account is called by for ever: postings keep it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountCode(String);

/// What postings know an account by, for example `receivable` or `output-tax:vat`, so that none knows a code.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountRole(String);

impl FromStr for AccountCode {
    type Err = InvalidAccount;

    fn from_str(text: &str) -> Result<Self, InvalidAccount> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-';
        let fits = (1..=CODE_LENGTH_MAX).contains(&text.len())
            && text.bytes().all(plain)
            && text.starts_with(|first: char| first.is_ascii_alphanumeric());
        fits.then(|| Self(text.to_owned())).ok_or(InvalidAccount::Code)
    }
}

impl FromStr for AccountRole {
    type Err = InvalidAccount;

    fn from_str(text: &str) -> Result<Self, InvalidAccount> {
        let plain =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b':';
        let fits = (1..=ROLE_LENGTH_MAX).contains(&text.len()) && text.bytes().all(plain);
        fits.then(|| Self(text.to_owned())).ok_or(InvalidAccount::Role)
    }
}

macro_rules! text {
    ($name:ty) => {
        impl $name {
            /// As text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidAccount;

            fn try_from(text: String) -> Result<Self, InvalidAccount> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}
text!(AccountCode);
text!(AccountRole);

/// On which side of the balance sheet or the profit and loss an account stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccountClass {
    /// What the tenant has.
    Asset,
    /// What it owes.
    Liability,
    /// What is its owners'.
    Equity,
    /// What it earns.
    Income,
    /// What it spends.
    Expense,
}

impl AccountClass {
    /// As written in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asset => "asset",
            Self::Liability => "liability",
            Self::Equity => "equity",
            Self::Income => "income",
            Self::Expense => "expense",
        }
    }
}

impl FromStr for AccountClass {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Asset, Self::Liability, Self::Equity, Self::Income, Self::Expense]
            .into_iter()
            .find(|class| class.as_str() == text)
            .ok_or(())
    }
}

/// Whether an account bears postings or other accounts; it never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccountKind {
    /// Sums the accounts below it.
    Header,
    /// Is posted to.
    Posting,
}

/// An account to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewAccount {
    /// Its code.
    pub code: AccountCode,
    /// Its name.
    pub name: String,
    /// Where it stands; as the account above it.
    pub class: AccountClass,
    /// The header above it, if any.
    pub parent: Option<AccountCode>,
    /// Header or posting.
    pub kind: AccountKind,
    /// What postings know it by, if they do.
    pub role: Option<AccountRole>,
}

/// Whether `name` may be an account's.
pub(crate) fn is_name(name: &str) -> bool {
    !name.trim().is_empty() && name.chars().count() <= NAME_LENGTH_MAX && !name.chars().any(char::is_control)
}

/// The accounts of a pack's template: those that have others below them are headers.
///
/// # Errors
/// Which account is no account, is there twice, has no header of its class before it, or shares a role.
pub fn accounts_of_template(template: &[AccountTemplate]) -> Result<Vec<NewAccount>, String> {
    let parents: BTreeSet<&str> = template.iter().filter_map(|row| row.parent.as_deref()).collect();
    let mut classes: BTreeMap<AccountCode, AccountClass> = BTreeMap::new();
    let mut roles = BTreeSet::new();
    let mut accounts = Vec::with_capacity(template.len());
    for row in template {
        let wrong = |what: &str| format!("account {:.40}: {what}", row.code);
        let code: AccountCode = row.code.parse().map_err(|error| wrong(&format!("{error}")))?;
        let class: AccountClass = row.class.parse().map_err(|()| wrong("a class that is none"))?;
        if !is_name(&row.name) {
            return Err(wrong("a name that is none"));
        }
        let kind = if parents.contains(code.as_str()) { AccountKind::Header } else { AccountKind::Posting };
        let parent: Option<AccountCode> =
            row.parent.as_deref().map(str::parse).transpose().map_err(|error| wrong(&format!("{error}")))?;
        if let Some(parent) = &parent
            && classes.get(parent) != Some(&class)
        {
            return Err(wrong("no account of its class above it"));
        }
        let role: Option<AccountRole> =
            row.role.as_deref().map(str::parse).transpose().map_err(|error| wrong(&format!("{error}")))?;
        if let Some(role) = &role
            && (kind == AccountKind::Header || !roles.insert(role.clone()))
        {
            return Err(wrong("a role that another has, or that a header has"));
        }
        if classes.insert(code.clone(), class).is_some() {
            return Err(wrong("it is there twice"));
        }
        accounts.push(NewAccount { code, name: row.name.clone(), class, parent, kind, role });
    }
    Ok(accounts)
}
