//! Proves the chain: computes every hash of a tenant again.

use niyam_domain::{Position, TenantId};

use crate::chain::GENESIS;
use crate::error::StoreError;
use crate::sql::read;
use crate::store::EventStore;

/// Events that are read at once.
const PAGE_EVENTS: u32 = 500;

/// Where a tenant's history is not what the store wrote.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the history of tenant {tenant} breaks at position {position}: {fault}")]
pub struct ChainBreak {
    /// Whose history.
    pub tenant: TenantId,
    /// The first position that does not fit.
    pub position: Position,
    /// What is wrong there.
    pub fault: ChainFault,
}

/// What is wrong with an event of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChainFault {
    /// It is not there.
    #[error("the event is missing")]
    Missing,
    /// Its hash is not that of its contents and the event before it.
    #[error("the event was changed, moved or put in")]
    Altered,
    /// It is sound, but not what the tenant's head says.
    #[error("the head names another event, or the event came without it")]
    NotTheHead,
}

/// Why a chain is not proved.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ChainError {
    /// It is broken.
    #[error(transparent)]
    Broken(#[from] ChainBreak),
    /// It could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl EventStore {
    /// Computes every hash of the tenant's history again, up to its present end, and says where that is.
    ///
    /// An end that was cut off together with the head can only be seen against a head kept elsewhere.
    ///
    /// # Errors
    ///
    /// [`ChainError::Broken`] with the first position that does not fit.
    pub async fn verify_chain(&self, tenant: &TenantId) -> Result<Position, ChainError> {
        let broken = |position: i64, fault| {
            let position = Position(position.cast_unsigned());
            ChainError::Broken(ChainBreak { tenant: tenant.clone(), position, fault })
        };
        let head = self.head(tenant).await?;
        let (end, head_hash) =
            head.map_or((0, GENESIS), |head| (head.last_position.0.cast_signed(), head.hash));
        let (mut position, mut hash) = (0, GENESIS);
        while position < end {
            let rows =
                read::page(self.database(), tenant, Position(position.cast_unsigned()), PAGE_EVENTS).await?;
            if rows.is_empty() {
                return Err(broken(position + 1, ChainFault::Missing));
            }
            for row in rows {
                position += 1;
                if row.position != position {
                    return Err(broken(position, ChainFault::Missing));
                }
                hash = row.expected_hash(tenant, &hash);
                if row.hash != hash {
                    return Err(broken(position, ChainFault::Altered));
                }
                if position == end {
                    if hash != head_hash {
                        return Err(broken(position, ChainFault::NotTheHead));
                    }
                    break;
                }
            }
        }
        // What came after the head was read moved the head too.
        let beyond = read::page(self.database(), tenant, Position(end.cast_unsigned()), 1).await?;
        if let Some(row) = beyond.first() {
            let last = self.head(tenant).await?.map_or(0, |head| head.last_position.0.cast_signed());
            if last < row.position {
                return Err(broken(row.position, ChainFault::NotTheHead));
            }
        }
        Ok(Position(end.cast_unsigned()))
    }
}
