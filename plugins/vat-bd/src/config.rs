//! What a tenant may configure, and what it gets without.
//!
//! Where sources conflict or say nothing, the choice is here and its default is the more cautious one; the README lists
//! each with its mark.

mod overrides;

use std::collections::BTreeMap;

use niyam_sdk::{Context, Date, Document, Finding};
use serde::Deserialize;

pub(crate) use overrides::{Overridden, Override};

use crate::dates;

/// JSON Schema of the configuration.
pub(crate) const SCHEMA: &str = include_str!("../data/config.schema.json");

/// The configuration of a tenant that gives none.
pub(crate) const DEFAULT: &str = include_str!("../data/config.default.json");

/// The country's own currency.
pub(crate) const TAKA: &str = "BDT";

const PLACES_MAX: u32 = 2;

/// The tenant's configuration.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    rounding: Rounding,
    pub(crate) registration: Registration,
    pub(crate) filing: Filing,
    calendar: Calendar,
    pub(crate) withholding: Withholding,
    pub(crate) income_tax: IncomeTax,
    pub(crate) imports: Imports,
    pub(crate) input_credit: InputCredit,
    pub(crate) interest: Interest,
    pub(crate) penalties: Penalties,
    pub(crate) notes: Notes,
    pub(crate) statement: Statement,
    pub(crate) words: Words,
    pub(crate) units: Vec<Unit>,
    supply_codes: BTreeMap<String, Supply>,
    overrides: Vec<Override>,
    #[serde(skip)]
    overridden: Vec<Overridden>,
    #[serde(skip)]
    holidays: Vec<Date>,
}

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Rounding {
    places: u32,
}

impl Default for Rounding {
    fn default() -> Self {
        Self { places: PLACES_MAX }
    }
}

/// How the tenant stands with the VAT office.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Registration {
    /// Registered for VAT.
    #[default]
    Registered,
    /// Enlisted for turnover tax.
    Enlisted,
    /// Neither.
    Unregistered,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Filing {
    pub(crate) frequency: Frequency,
    /// Whether the quarter's return is due five days later.
    pub(crate) extended: bool,
}

/// How often a return is filed. Sources conflict from July 2026 on: monthly is the more cautious.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Frequency {
    #[default]
    Monthly,
    Quarterly,
}

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Calendar {
    weekend: Vec<Weekday>,
    holidays: Vec<String>,
}

impl Default for Calendar {
    fn default() -> Self {
        Self { weekend: vec![Weekday::Friday, Weekday::Saturday], holidays: Vec::new() }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Weekday {
    Sunday,
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
}

/// Whether the tenant deducts when it pays.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Withholding {
    pub(crate) vat: bool,
    pub(crate) income_tax: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct IncomeTax {
    pub(crate) base: Base,
    /// Whether the tenant itself proves its return to those who deduct from it.
    pub(crate) proof_of_return: bool,
}

/// Whether the bill from which income tax is deducted counts with its VAT; leaving it out is practice alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Base {
    #[default]
    WithVat,
    WithoutVat,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Imports {
    pub(crate) importer: Importer,
    pub(crate) advance_tax_base: AdvanceTaxBase,
}

/// Who imports; a trader pays more advance tax.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Importer {
    #[default]
    Commercial,
    Manufacturer,
}

/// What advance tax is a percentage of; no text was read, the value that bears VAT is the higher.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum AdvanceTaxBase {
    #[default]
    ValueForVat,
    AssessableValue,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct InputCredit {
    pub(crate) window: Window,
    /// Whether tax at another rate than the standard one is credited.
    pub(crate) other_rates: bool,
    pub(crate) mixed: Mixed,
}

/// From which tax period the window of credit is counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Window {
    /// The purchase's own period is the first.
    #[default]
    OwnPeriodCounts,
    /// The period after it is the first.
    AfterOwnPeriod,
}

/// What becomes of input tax when only some supplies allow its credit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Mixed {
    /// It is apportioned by value, as the form says.
    #[default]
    Apportion,
    /// None is credited without a line that says what it is used for.
    Bar,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Interest {
    pub(crate) part_month: PartMonth,
}

/// Whether a begun month bears interest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PartMonth {
    #[default]
    Whole,
    None,
}

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Penalties {
    /// Taka for a return that is late: sources say 2,000 and 10,000.
    pub(crate) late_return: String,
}

impl Default for Penalties {
    fn default() -> Self {
        Self { late_return: "10000".to_owned() }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Notes {
    pub(crate) debit_note_issuer: Issuer,
}

/// Who issues Mushak-6.8: sources conflict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Issuer {
    #[default]
    Supplier,
    Buyer,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Statement {
    pub(crate) parties: Parties,
}

/// Whose purchases and sales Mushak-6.10 states: sources conflict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Parties {
    #[default]
    All,
    Unregistered,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Words {
    pub(crate) lakh: Lakh,
}

/// How 100,000 is spelled in Bangla; both occur.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum Lakh {
    /// লাখ
    #[default]
    #[serde(rename = "লাখ")]
    Common,
    /// লক্ষ
    #[serde(rename = "লক্ষ")]
    Formal,
}

/// A place of business under the central registration.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Unit {
    pub(crate) code: String,
    pub(crate) name: String,
    pub(crate) address: String,
}

/// What the tenant's own code of a supply means in law.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Supply {
    pub(crate) code: String,
    #[serde(default)]
    pub(crate) variant: Option<String>,
    #[serde(default)]
    pub(crate) tds: Option<String>,
}

impl Config {
    /// Reads it; blank is the default.
    ///
    /// # Errors
    /// One finding, `configuration-invalid`, for what the schema cannot say; or all that is wrong for a native caller,
    /// whose configuration no schema has checked.
    pub(crate) fn of(context: &Context) -> Result<Self, Vec<Finding>> {
        let text = context.config();
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let mut config: Self = serde_json::from_str(text).map_err(|error| invalid(&error.to_string()))?;
        config.check()?;
        Ok(config)
    }

    fn check(&mut self) -> Result<(), Vec<Finding>> {
        if self.rounding.places > PLACES_MAX {
            return Err(invalid("rounding.places is above 2"));
        }
        if self.calendar.weekend.len() > 3 {
            return Err(invalid("calendar.weekend has more than three days"));
        }
        for text in &self.calendar.holidays {
            let day = dates::parse(text);
            self.holidays.push(day.ok_or_else(|| invalid("calendar.holidays holds what is no date"))?);
        }
        self.holidays.sort_unstable();
        crate::amounts::taka(&self.penalties.late_return)
            .ok_or_else(|| invalid("penalties.late_return is no amount"))?;
        for (own, supply) in &self.supply_codes {
            if crate::rates::rows_of(&supply.code).is_none() {
                return Err(invalid(&format!("supply_codes: {own} means {}, no code of law", supply.code)));
            }
        }
        self.overridden = overrides::check(std::mem::take(&mut self.overrides))?;
        Ok(())
    }

    /// Places of taka amounts.
    pub(crate) fn places(&self) -> u32 {
        self.rounding.places
    }

    /// Places of the document's amounts: a foreign currency is not cut finer than it is.
    pub(crate) fn places_of(&self, document: &Document) -> u32 {
        if document.currency == TAKA { self.places() } else { self.places().min(document.minor_units.into()) }
    }

    /// Whether any of the tenant's own codes, or of its rates, stand in for those of the tables.
    pub(crate) fn is_mapped(&self) -> bool {
        !self.supply_codes.is_empty() || !self.overridden.is_empty()
    }

    /// What the tenant's own code means.
    pub(crate) fn supply(&self, own: &str) -> Option<&Supply> {
        self.supply_codes.get(own)
    }

    /// The tenant's own rate instead of a row that is not verified.
    pub(crate) fn overridden(&self, code: &str, variant: &str, day: Date) -> Option<&Overridden> {
        self.overridden.iter().find(|own| own.holds(code, variant, day))
    }

    /// Whether the offices work on `day`.
    pub(crate) fn works_on(&self, day: Date) -> bool {
        let weekday = usize::try_from(day.weekday().to_sunday_zero_offset()).unwrap_or(0);
        let rests = self.calendar.weekend.iter().any(|rest| *rest as usize == weekday);
        !rests && self.holidays.binary_search(&day).is_err()
    }
}

fn invalid(why: &str) -> Vec<Finding> {
    vec![Finding::error("configuration-invalid", format!("the pack's configuration is wrong: {why}"))]
}

#[cfg(test)]
mod tests;
