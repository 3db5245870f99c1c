//! Amounts with their currency.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Why two amounts have no sum.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// ISO 4217 has no such code.
    #[error("{0:?} is not a currency of ISO 4217")]
    UnknownCurrency(String),
    /// The amounts are of different currencies.
    #[error("{0} and {1} have no common amount")]
    CurrencyMismatch(Currency, Currency),
    /// The result has more digits than an exact decimal can hold.
    #[error("the amount has more digits than can be kept exactly")]
    OutOfRange,
}

/// A currency of ISO 4217, by its alphabetic code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// The code, for example `BDT`.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// The currency of a country, by its code of ISO 3166-1 alpha-2: the first, where it has several.
    #[must_use]
    pub fn of_country(country: &str) -> Option<Self> {
        let country = country.parse::<iso_currency::Country>().ok()?;
        let found = iso_currency::Currency::from_country(country);
        found.into_iter().find(|currency| currency.flags().is_empty()).map(Self)
    }

    /// Decimal places of its amounts: 2 for BDT, 0 for JPY; 2 where ISO 4217 names none.
    #[must_use]
    pub fn minor_units(self) -> u8 {
        self.0.exponent().and_then(|places| u8::try_from(places).ok()).unwrap_or(2)
    }
}

impl FromStr for Currency {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        iso_currency::Currency::from_code(text)
            .map(Self)
            .ok_or_else(|| MoneyError::UnknownCurrency(text.chars().take(8).collect()))
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;

    fn try_from(text: String) -> Result<Self, MoneyError> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

/// An exact amount of one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// How much.
    pub amount: Decimal,
    /// Of what.
    pub currency: Currency,
}

impl Money {
    /// `amount` of `currency`.
    #[must_use]
    pub const fn new(amount: Decimal, currency: Currency) -> Self {
        Self { amount, currency }
    }

    /// The sum.
    ///
    /// # Errors
    /// When the currencies differ, or the sum cannot be kept exactly.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch(self.currency, other.currency));
        }
        let amount = self.amount.checked_add(other.amount).ok_or(MoneyError::OutOfRange)?;
        Ok(Self::new(amount, self.currency))
    }
}

#[cfg(test)]
mod tests {
    use super::{Currency, Money, MoneyError};
    use rust_decimal::Decimal;

    #[test]
    fn amounts_of_two_currencies_have_no_sum() {
        let taka: Currency = "BDT".parse().unwrap();
        let yen: Currency = "JPY".parse().unwrap();
        assert_eq!((taka.minor_units(), yen.minor_units()), (2, 0));
        let sum = Money::new(Decimal::ONE, taka).plus(Money::new(Decimal::ONE, yen));
        assert_eq!(sum, Err(MoneyError::CurrencyMismatch(taka, yen)));
        let most = Money::new(Decimal::MAX, taka);
        assert_eq!(most.plus(most), Err(MoneyError::OutOfRange));
    }

    #[test]
    fn a_currency_is_one_of_iso_4217() {
        assert!("BDX".parse::<Currency>().is_err());
        assert!("bdt".parse::<Currency>().is_err());
    }
}
