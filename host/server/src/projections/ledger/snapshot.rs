//! One moment of the view: all that a report reads is of the same build, at the same position.

use niyam_domain::{Position, TenantId};
use niyam_store::Reader;
use sqlx::{Connection as _, Postgres, Sqlite, Transaction};

use super::NAME;

/// All rows of one statement, the same in both dialects.
macro_rules! rows {
    ($snapshot:expr, $sql:expr, $($value:expr),* $(,)?) => {
        match &mut $snapshot.reading {
            $crate::projections::ledger::snapshot::Reading::Sqlite(transaction) => {
                sqlx::query_as($sql)$(.bind($value))*.fetch_all(&mut **transaction).await?
            }
            $crate::projections::ledger::snapshot::Reading::Postgres(transaction) => {
                sqlx::query_as($sql)$(.bind($value))*.fetch_all(&mut ***transaction).await?
            }
        }
    };
}
pub(super) use rows;

/// A transaction that reads.
pub(super) enum Reading<'a> {
    Sqlite(Transaction<'a, Sqlite>),
    Postgres(&'a mut Transaction<'static, Postgres>),
}

/// The shown build of a tenant's ledger, as one transaction sees it.
pub(crate) struct Snapshot<'a> {
    pub(super) reading: Reading<'a>,
    pub(super) tenant: &'a TenantId,
    pub(super) build: i64,
    /// The last event that it holds.
    pub(crate) position: Position,
}

impl<'a> Snapshot<'a> {
    /// What `reader`, which may read the tenant's rows, sees from now on.
    pub(crate) async fn of(reader: &'a mut Reader, tenant: &'a TenantId) -> Result<Self, sqlx::Error> {
        let reading = match reader {
            Reader::Sqlite(connection) => Reading::Sqlite(connection.begin().await?),
            // It is a transaction that sees one moment already.
            Reader::Postgres(transaction) => Reading::Postgres(transaction),
        };
        let mut snapshot = Self { reading, tenant, build: 0, position: Position(0) };
        let live: Option<(i64, i64)> = {
            const SQL: &str = "select build, position from projection_checkpoints \
                 where tenant = $1 and projection = $2 and live";
            rows!(snapshot, SQL, tenant.as_str(), NAME).into_iter().next()
        };
        if let Some((build, position)) = live {
            snapshot.build = build;
            snapshot.position = Position(position.unsigned_abs());
        }
        Ok(snapshot)
    }
}
