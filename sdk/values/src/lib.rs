//! The values that cross the contract between the host and a module, in plain Rust.
//!
//! One set of types for both sides: a module author sees them through `niyam-sdk`, the host keeps them in events
//! (feature `serde`). `wit/` is the contract that they mirror, name by name; the bindings of either side convert.
//! Nothing here decides anything: no rule, no I/O, no clock.
//!
//! Values of tax and compliance stand at the root; those of [`policy`] and [`workflow`] keep their interface's name,
//! since their own are common words.

mod attributes;
mod compliance;
mod finding;
mod manifest;
mod party;
pub mod policy;
mod rounding;
mod tax;
pub mod workflow;

pub use attributes::Attributes;
pub use compliance::{
    AccountTemplate, Block, Cell, Column, Field, FiscalPeriod, Form, Grid, IssueFacts, IssuePlan, Label,
    Obligation, OpeningBalance, RegisterEntry,
};
pub use finding::{Citation, Finding, Severity};
pub use jiff::civil::Date;
pub use manifest::Manifest;
pub use party::{Identifier, Party};
pub use rounding::{round_half_up, with_places};
pub use rust_decimal::Decimal;
pub use tax::{Determination, Direction, Document, Effect, Line, LineTaxes, PriceMode, TaxItem};
