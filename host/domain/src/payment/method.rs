//! How money moves. The host knows cash, banks and cheques; wallets are the country's, known by the roles of its chart.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::accounts::AccountRole;

/// Longest name of a wallet, bytes.
const WALLET_LENGTH_MAX: usize = 32;

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PaymentDirection {
    /// Money that came in, from a customer.
    Receipt,
    /// Money that went out, to a supplier.
    Disbursement,
}

impl PaymentDirection {
    /// As written in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Receipt => "receipt",
            Self::Disbursement => "disbursement",
        }
    }

    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Receipt => Self::Disbursement,
            Self::Disbursement => Self::Receipt,
        }
    }

    /// The role of what was paid before there was a document.
    pub(super) const fn advance_role(self) -> &'static str {
        match self {
            Self::Receipt => "advances-from-customers",
            Self::Disbursement => "advances-to-suppliers",
        }
    }

    /// The role of tax that was kept back; that of one tax has its code behind a colon.
    pub(super) const fn withheld_role(self) -> &'static str {
        match self {
            Self::Receipt => "tax-withheld-by-customers",
            Self::Disbursement => "tax-withheld-for-suppliers",
        }
    }
}

/// How money moves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum PaymentMethod {
    /// Notes and coins.
    Cash,
    /// From one bank account to another.
    BankTransfer,
    /// A cheque: received, deposited and cleared, or issued and cleared.
    Cheque,
    /// A wallet of the country, by its name.
    Wallet(String),
    /// No money moves: tax that was withheld is settled by its certificate alone.
    Withholding,
}

impl PaymentMethod {
    /// The role that the money's account has, unless the chart tells several accounts of the kind apart.
    pub(super) fn role(&self) -> Option<String> {
        match self {
            Self::Cash => Some("cash".to_owned()),
            Self::BankTransfer | Self::Cheque => Some("bank".to_owned()),
            Self::Wallet(name) => Some(format!("wallet:{name}")),
            Self::Withholding => None,
        }
    }

    /// Whether money of this kind may lie in an account of `role`: that of the kind, or of one of its kind (`bank:city`).
    pub(super) fn may_lie_in(&self, role: &AccountRole) -> bool {
        self.role().is_some_and(|own| {
            let rest = role.as_str().strip_prefix(&own);
            rest.is_some_and(|rest| rest.is_empty() || (rest.starts_with(':') && rest.len() > 1))
        })
    }
}

impl FromStr for PaymentMethod {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "a method is cash, bank-transfer, cheque, withholding, or wallet: and its name";
        match text {
            "cash" => Ok(Self::Cash),
            "bank-transfer" => Ok(Self::BankTransfer),
            "cheque" => Ok(Self::Cheque),
            "withholding" => Ok(Self::Withholding),
            other => {
                let name = other.strip_prefix("wallet:").ok_or(WRONG)?;
                let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
                let fits = (1..=WALLET_LENGTH_MAX).contains(&name.len()) && name.bytes().all(plain);
                fits.then(|| Self::Wallet(name.to_owned())).ok_or(WRONG)
            }
        }
    }
}

impl TryFrom<String> for PaymentMethod {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<PaymentMethod> for String {
    fn from(method: PaymentMethod) -> Self {
        method.to_string()
    }
}

impl fmt::Display for PaymentMethod {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cash => formatter.write_str("cash"),
            Self::BankTransfer => formatter.write_str("bank-transfer"),
            Self::Cheque => formatter.write_str("cheque"),
            Self::Wallet(name) => write!(formatter, "wallet:{name}"),
            Self::Withholding => formatter.write_str("withholding"),
        }
    }
}
