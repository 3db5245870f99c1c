//! The one place that makes ids.

use uuid::Uuid;

/// Makes ids; injected, so that tests own them.
pub trait IdSource: Send + Sync + 'static {
    /// A new UUID, version 7: in time order.
    fn next_id(&self) -> Uuid;
}

/// Ids from the machine's clock and randomness.
#[derive(Debug, Clone, Copy)]
pub struct SystemIds;

impl IdSource for SystemIds {
    #[expect(clippy::disallowed_methods, reason = "this is the source that all else takes")]
    fn next_id(&self) -> Uuid {
        Uuid::now_v7()
    }
}
