//! Which documents count for the taxes of which days: what registers and returns are drawn from.

use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::civil::Date;
use niyam_domain::{InvoiceEvent, Position, TenantId};
use niyam_store::{Database, Reader, Recorded, Scope, Writer};

use crate::projections::view::{ApplyError, Build, View};
use crate::projections::writer::run;

/// The view.
pub(crate) struct TaxDocuments;

impl TaxDocuments {
    pub(crate) const NAME: &'static str = "tax_documents";

    /// Positions of the issues of the documents whose tax date lies in a range, both days in it, up to a position of the
    /// history, in order. The view must hold that position.
    pub(crate) async fn between(
        database: &Database,
        tenant: &TenantId,
        (first, last): (Date, Date),
        up_to: Position,
    ) -> Result<Vec<Position>, sqlx::Error> {
        const SQL: &str = "select position from tax_documents where tenant = $1 and build = (select build from \
             projection_checkpoints where tenant = $1 and projection = 'tax_documents' and live) \
             and tax_date between $2 and $3 and position <= $4 order by position";
        macro_rules! rows {
            ($connection:expr) => {
                sqlx::query_as(SQL)
                    .bind(tenant.as_str())
                    .bind(first.to_string())
                    .bind(last.to_string())
                    .bind(i64::try_from(up_to.0).unwrap_or(i64::MAX))
                    .fetch_all($connection)
                    .await?
            };
        }
        let rows: Vec<(i64,)> = match &mut database.read(&Scope::Tenant(tenant)).await? {
            Reader::Sqlite(connection) => rows!(&mut **connection),
            Reader::Postgres(connection) => rows!(&mut **connection),
        };
        Ok(rows.into_iter().map(|(position,)| Position(position.unsigned_abs())).collect())
    }
}

impl View for TaxDocuments {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn forget(&self) -> &'static [&'static str] {
        &["delete from tax_documents where tenant = $1 and build = $2 and position in \
           (select position from tax_documents where tenant = $1 and build = $2 limit 2000)"]
    }

    fn apply<'a>(
        &'a self,
        writer: &'a mut Writer,
        build: Build,
        event: &'a Recorded,
    ) -> BoxFuture<'a, Result<(), ApplyError>> {
        apply(writer, build, event).boxed()
    }
}

/// An issue is recorded for its document's tax date, and so are purchases and notes.
async fn apply(writer: &mut Writer, build: Build, event: &Recorded) -> Result<(), ApplyError> {
    if !InvoiceEvent::is_issue(&event.event_type) {
        return Ok(());
    }
    run!(
        writer,
        "insert into tax_documents (tenant, build, tax_date, position) values ($1, $2, $3, $4)",
        event.tenant.as_str(),
        build.0,
        event.effective_date.to_string(),
        i64::try_from(event.position.0).unwrap_or(i64::MAX)
    )?;
    Ok(())
}
