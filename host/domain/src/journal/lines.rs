//! Lines of a journal entry: debits equal credits in each currency, or the lines cannot exist.

use std::collections::BTreeMap;
use std::sync::Arc;

use niyam_values::{Attributes, Decimal, Finding, with_places};
use serde::{Deserialize, Serialize};

use crate::accounts::AccountCode;
use crate::money::Currency;

/// Most lines of an entry.
pub const LINES_OF_ENTRY_MAX: usize = 500;
/// An amount is below it, so has at most 12 digits before the decimal point: a sum in minor units still fits 64 bits.
pub(crate) const AMOUNT_LIMIT: Decimal = Decimal::from_parts(0xd4a5_1000, 0xe8, 0, false, 0);
/// Most dimensions of a line.
const DIMENSIONS_MAX: usize = 20;
/// Most characters of a memo or a dimension's value.
const TEXT_LENGTH_MAX: usize = 200;

/// Which side of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// The left.
    Debit,
    /// The right.
    Credit,
}

impl Side {
    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Debit => Self::Credit,
            Self::Credit => Self::Debit,
        }
    }
}

/// One line: an amount above zero on one side of one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalLine {
    /// The account.
    pub account: AccountCode,
    /// The side.
    pub side: Side,
    /// Above zero, with the places of its currency.
    pub amount: Decimal,
    /// Of what.
    pub currency: Currency,
    /// What it is about.
    pub memo: Option<String>,
    /// Branch, project, cost centre …: what reports cut by.
    pub dimensions: Attributes,
}

/// A line as somebody wrote it.
#[derive(Debug, Clone)]
pub struct NewLine {
    /// The account's code.
    pub account: String,
    /// The amount, if it is a debit.
    pub debit: Option<Decimal>,
    /// The amount, if it is a credit.
    pub credit: Option<Decimal>,
    /// ISO 4217.
    pub currency: String,
    /// What it is about.
    pub memo: Option<String>,
    /// What reports cut by.
    pub dimensions: Attributes,
}

/// Debits and credits that differ.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("debits of {debit} {currency} and credits of {credit} {currency}")]
pub struct Unbalanced {
    /// In which currency.
    pub currency: &'static str,
    /// Sum of the debits.
    pub debit: Decimal,
    /// Sum of the credits.
    pub credit: Decimal,
}

/// Two lines or more that balance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<JournalLine>", into = "Vec<JournalLine>")]
pub struct Lines(Arc<[JournalLine]>);

impl Lines {
    /// The lines that `new` are.
    ///
    /// # Errors
    /// What is wrong with them, all of it.
    pub fn new(new: Vec<NewLine>) -> Result<Self, Vec<Finding>> {
        let mut findings = Vec::new();
        if !(2..=LINES_OF_ENTRY_MAX).contains(&new.len()) {
            let message = format!("an entry has 2 to {LINES_OF_ENTRY_MAX} lines");
            return Err(vec![Finding::error("entry-lines-count", message).at("/lines")]);
        }
        let lines: Vec<JournalLine> = new
            .into_iter()
            .enumerate()
            .filter_map(|(index, line)| line.read(&format!("/lines/{index}"), &mut findings))
            .collect();
        if !findings.is_empty() {
            return Err(findings);
        }
        Self::balanced(lines).map_err(|unbalanced| findings_of(&unbalanced))
    }

    /// `lines`, if they balance and are two or more.
    pub(crate) fn balanced(lines: Vec<JournalLine>) -> Result<Self, Vec<Unbalanced>> {
        let mut sums: BTreeMap<&'static str, (Decimal, Decimal)> = BTreeMap::new();
        for line in &lines {
            let (debit, credit) = sums.entry(line.currency.code()).or_default();
            let side = if line.side == Side::Debit { debit } else { credit };
            *side = side.saturating_add(line.amount);
        }
        let unbalanced: Vec<Unbalanced> = sums
            .into_iter()
            .filter(|(_, (debit, credit))| debit != credit)
            .map(|(currency, (debit, credit))| Unbalanced { currency, debit, credit })
            .collect();
        if unbalanced.is_empty() { Ok(Self(lines.into())) } else { Err(unbalanced) }
    }

    /// The lines, in order.
    #[must_use]
    pub fn as_slice(&self) -> &[JournalLine] {
        &self.0
    }

    /// The same amounts on the other sides.
    #[must_use]
    pub fn mirrored(&self) -> Self {
        let mirror = |line: &JournalLine| JournalLine { side: line.side.other(), ..line.clone() };
        Self(self.0.iter().map(mirror).collect())
    }
}

/// What is wrong with lines that do not balance.
pub(crate) fn findings_of(unbalanced: &[Unbalanced]) -> Vec<Finding> {
    let finding = |found: &Unbalanced| Finding::error("entry-unbalanced", found.to_string()).at("/lines");
    unbalanced.iter().map(finding).collect()
}

impl TryFrom<Vec<JournalLine>> for Lines {
    type Error = String;

    fn try_from(lines: Vec<JournalLine>) -> Result<Self, String> {
        if lines.len() < 2 || lines.iter().any(|line| line.amount <= Decimal::ZERO) {
            return Err("an entry has two lines or more, each above zero".to_owned());
        }
        Self::balanced(lines)
            .map_err(|unbalanced| unbalanced.first().map(ToString::to_string).unwrap_or_default())
    }
}

impl From<Lines> for Vec<JournalLine> {
    fn from(lines: Lines) -> Self {
        lines.0.to_vec()
    }
}

/// Whether a line may bear `dimensions`.
pub(crate) fn fit(dimensions: &Attributes) -> bool {
    let name = |name: &str| {
        (1..=64).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
    };
    dimensions.iter().count() <= DIMENSIONS_MAX
        && dimensions.iter().all(|(key, value)| name(key) && is_short(value))
}

fn is_short(text: &str) -> bool {
    (1..=TEXT_LENGTH_MAX).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

impl NewLine {
    /// The line, or what is wrong with it.
    fn read(self, at: &str, findings: &mut Vec<Finding>) -> Option<JournalLine> {
        let before = findings.len();
        let mut refuse = |rule: &str, field: &str, message: &str| {
            findings.push(Finding::error(rule, message).at(format!("{at}{field}")));
        };
        let account = self.account.parse::<AccountCode>();
        if account.is_err() {
            refuse("account-unknown", "/account", "the chart of accounts has no such account");
        }
        let currency = self.currency.parse::<Currency>();
        if currency.is_err() {
            refuse("currency-unknown", "/currency", "a currency is a code of ISO 4217, for example BDT");
        }
        let sided = match (self.debit, self.credit) {
            (Some(amount), None) => Some((Side::Debit, "/debit", amount)),
            (None, Some(amount)) => Some((Side::Credit, "/credit", amount)),
            _ => {
                refuse("entry-side-unclear", "", "a line is either a debit or a credit");
                None
            }
        };
        if let Some((_, field, amount)) = sided {
            if amount <= Decimal::ZERO {
                refuse("amount-not-positive", field, "an amount is above zero; its side says its sign");
            }
            if amount >= AMOUNT_LIMIT {
                refuse("number-out-of-range", field, "at most 12 digits before the decimal point");
            }
            if let Ok(currency) = currency
                && amount.normalize().scale() > currency.minor_units().into()
            {
                let message = format!("{currency} has {} decimal places", currency.minor_units());
                refuse("amount-too-precise", field, &message);
            }
        }
        if self.memo.as_deref().is_some_and(|memo| !is_short(memo)) {
            refuse("text-invalid", "/memo", "1 to 200 printable characters");
        }
        if !fit(&self.dimensions) {
            refuse("dimension-invalid", "/dimensions", "at most 20, named by letters, digits, - and _");
        }
        let (Ok(account), Ok(currency), Some((side, _, amount))) = (account, currency, sided) else {
            return None;
        };
        let amount = with_places(amount, currency.minor_units().into());
        let line =
            JournalLine { account, side, amount, currency, memo: self.memo, dimensions: self.dimensions };
        (findings.len() == before).then_some(line)
    }
}
