//! A document, and the tax that it bears.

use crate::{Attributes, Citation, Date, Decimal, Finding, Party};

/// Whether the tenant sells or buys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Direction {
    /// The tenant is the supplier.
    Sale,
    /// The tenant is the customer.
    Purchase,
}

/// Whether unit prices hold the taxes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum PriceMode {
    /// Taxes come on top.
    Exclusive,
    /// Taxes are inside.
    Inclusive,
}

/// One line of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Line {
    /// Unique within the document.
    pub id: String,
    /// What is supplied, for a person.
    pub description: String,
    /// The pack's own code of the supply, for example `S001.20`.
    pub supply_code: String,
    /// How much; above zero.
    pub quantity: Decimal,
    /// Unit of the quantity.
    pub unit: String,
    /// Price of one unit, in the document's currency.
    pub unit_price: Decimal,
    /// Amount off the line, in the document's currency.
    pub discount: Decimal,
    /// Facts that a rule may need: `variant`, `sd_rate`, `sd_basis` …
    pub attributes: Attributes,
}

/// A document that may bear tax.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Document {
    /// `invoice`, `credit-note` …: a code, since the list can grow.
    pub kind: String,
    /// Sale or purchase.
    pub direction: Direction,
    /// The tax point: which day's law applies.
    pub tax_date: Date,
    /// ISO 4217.
    pub currency: String,
    /// Decimal places of the currency.
    pub minor_units: u8,
    /// Units of the country's own currency for one unit of `currency`; absent where they are the same.
    pub exchange_rate: Option<Decimal>,
    /// Whether prices hold the taxes.
    pub price_mode: PriceMode,
    /// Who supplies.
    pub supplier: Party,
    /// Who is supplied.
    pub customer: Party,
    /// What is supplied.
    pub lines: Vec<Line>,
    /// Facts about the document: `vehicle`, `destination` …
    pub attributes: Attributes,
}

/// What a tax does to what the customer pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Effect {
    /// On top of the net.
    Added,
    /// Kept back by the customer, who pays it to the treasury.
    Withheld,
    /// Told, not charged.
    Informative,
}

/// One tax on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct TaxItem {
    /// The pack's code of the tax: `vat`, `sd`, `vds` …
    pub code: String,
    /// Percent; absent when the tax is an amount per unit.
    pub rate: Option<Decimal>,
    /// What the rate applies to, or the quantity that an amount per unit applies to.
    pub base: Decimal,
    /// The tax, in the document's currency.
    pub amount: Decimal,
    /// What it does to what the customer pays.
    pub effect: Effect,
    /// Whether the party that bears it may set it off against its own tax.
    pub recoverable: bool,
    /// Index into [`Determination::citations`].
    pub citation: u32,
}

/// The taxes of one line.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct LineTaxes {
    /// The line's id.
    pub line_id: String,
    /// Value without taxes.
    pub net: Decimal,
    /// The taxes.
    pub taxes: Vec<TaxItem>,
    /// Value with added taxes.
    pub gross: Decimal,
}

/// What tax a document bears.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Determination {
    /// In the document's order.
    pub lines: Vec<LineTaxes>,
    /// Sum of the lines' net.
    pub net: Decimal,
    /// Sum of the added taxes.
    pub tax_added: Decimal,
    /// Sum of the withheld taxes.
    pub tax_withheld: Decimal,
    /// `net + tax_added`.
    pub gross: Decimal,
    /// `gross - tax_withheld`: what the customer pays.
    pub payable: Decimal,
    /// What the items cite, each said once.
    pub citations: Vec<Citation>,
    /// Warnings and infos; an error would have been the answer instead.
    pub findings: Vec<Finding>,
}
