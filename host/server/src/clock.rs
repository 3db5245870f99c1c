//! The one place that asks the machine for the time.

use jiff::Timestamp;
use niyam_store::Clock;

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that all else takes")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
