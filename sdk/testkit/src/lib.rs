//! Calls a compiled module from its author's tests, as the host calls it: the same engine, the same limits, the same
//! checks of the answer.
//!
//! Native tests of a module's functions are quicker to write and to run; these prove that the component which is
//! shipped answers the same, within its fuel and memory. Only the plain values of the SDK show here.
//!
//! ```
//! use niyam_sdk::Date;
//! use niyam_testkit::{TestModule, assert_deterministic};
//!
//! # fn main() -> Result<(), niyam_testkit::TestError> {
//! let module = TestModule::bundled("vat-bd")?.with_config(r#"{"rounding":{"places":0}}"#)?;
//!
//! let bin = module.check_identifier("bin", "0008283950207")?;
//! assert!(bin.proof.fuel > 0);
//! assert_eq!(bin.accepted(), "000828395-0207");
//!
//! let refused = module.check_identifier("bin", "207")?.refused();
//! assert_eq!(refused[0].code, "identifier-invalid");
//!
//! let period = assert_deterministic(|| module.fiscal_period_of(Date::constant(2026, 8, 15)))?;
//! assert_eq!(period.value.code, "FY2026-2027-P02");
//! # Ok(())
//! # }
//! ```

mod answer;
mod error;
mod module;

pub use answer::{Answer, Proof, assert_deterministic};
pub use error::TestError;
pub use module::TestModule;
