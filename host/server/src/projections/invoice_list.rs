//! The list of invoices.

use futures::FutureExt as _;
use futures::future::BoxFuture;
use niyam_domain::personal;
use niyam_domain::{Assessment, DomainEvent as _, InvoiceEvent, InvoiceStatus, Money, Position, TenantId};
use niyam_store::{Database, Reader, Recorded, Scope, StoreError, Writer};
use niyam_values::{Party, with_places};
use serde::Serialize;
use utoipa::ToSchema;

use crate::personal::{OpeningError, Vault};
use crate::projections::checkpoint::position_seen;
use crate::projections::view::{ApplyError, Build, View};
use crate::projections::writer::run;

/// An invoice in the list.
#[derive(Debug, Serialize, ToSchema, sqlx::FromRow)]
pub(crate) struct InvoiceListItem {
    id: String,
    version: i64,
    /// `draft`, `approved`, `issued` or `cancelled`.
    status: String,
    /// Once issued.
    number: Option<String>,
    customer_name: String,
    tax_date: String,
    currency: String,
    /// In `currency`.
    payable: String,
    /// The customer as the event has it, when that is sealed; the name is that of nobody then.
    #[serde(skip)]
    customer_sealed: Option<String>,
    #[serde(skip)]
    pub(crate) created_position: i64,
}

/// What to list, newest first.
#[derive(Debug)]
pub(crate) struct InvoiceListQuery {
    pub(crate) status: Option<InvoiceStatus>,
    /// Only those created before this position.
    pub(crate) before: Option<Position>,
    /// At most so many.
    pub(crate) limit: u32,
}

impl InvoiceListQuery {
    /// Runs it; the position that the list surely holds, and what is in it.
    pub(crate) async fn run(
        &self,
        vault: &Vault,
        tenant: &TenantId,
    ) -> Result<(Position, Vec<InvoiceListItem>), OpeningError> {
        let (position, mut items) =
            self.rows(vault.store().database(), tenant).await.map_err(StoreError::from)?;
        let sealed: Vec<(String, &str)> = items
            .iter()
            .filter_map(|item| Some((format!("invoice/{}", item.id), item.customer_sealed.as_deref()?)))
            .collect();
        let mut opened = vault.opening(tenant).copies(&sealed).await?.into_iter();
        for item in items.iter_mut().filter(|item| item.customer_sealed.is_some()) {
            let party = opened.next().and_then(|json| serde_json::from_slice::<Party>(&json).ok());
            let damaged = || OpeningError::Damaged { place: format!("invoice/{}", item.id) };
            item.customer_name = party.ok_or_else(damaged)?.name;
        }
        Ok((position, items))
    }

    async fn rows(
        &self,
        database: &Database,
        tenant: &TenantId,
    ) -> Result<(Position, Vec<InvoiceListItem>), sqlx::Error> {
        const ALL: &str = "select id, version, status, number, customer_name, tax_date, currency, payable, \
             customer_sealed, created_position from invoice_list where tenant = $1 and build = (select build from \
             projection_checkpoints where tenant = $1 and projection = 'invoice_list' and live) \
             and created_position < $2 order by created_position desc limit $3";
        const BY_STATUS: &str = "select id, version, status, number, customer_name, tax_date, currency, payable, \
             customer_sealed, created_position from invoice_list where tenant = $1 and build = (select build from \
             projection_checkpoints where tenant = $1 and projection = 'invoice_list' and live) \
             and created_position < $2 and status = $4 order by created_position desc limit $3";
        let before = self.before.map_or(i64::MAX, |position| i64::try_from(position.0).unwrap_or(i64::MAX));
        let limit = i64::from(self.limit);
        macro_rules! rows {
            ($pool:expr) => {
                match self.status {
                    None => {
                        sqlx::query_as(ALL)
                            .bind(tenant.as_str())
                            .bind(before)
                            .bind(limit)
                            .fetch_all($pool)
                            .await
                    }
                    Some(status) => {
                        sqlx::query_as(BY_STATUS)
                            .bind(tenant.as_str())
                            .bind(before)
                            .bind(limit)
                            .bind(status.as_str())
                            .fetch_all($pool)
                            .await
                    }
                }
            };
        }
        // First, and as the same reader sees it: a view that moves on in between, or that a crash of the database sets
        // back, must not pass for one that holds more than what is shown.
        let mut reader = database.read(&Scope::Tenant(tenant)).await?;
        let position = position_seen(&mut reader, tenant, InvoiceList.name()).await?;
        let items = match &mut reader {
            Reader::Sqlite(connection) => rows!(&mut **connection),
            Reader::Postgres(connection) => rows!(&mut **connection),
        };
        Ok((position, items?))
    }
}

/// The view.
pub(crate) struct InvoiceList;

impl View for InvoiceList {
    fn name(&self) -> &'static str {
        "invoice_list"
    }

    fn forget(&self) -> &'static [&'static str] {
        &["delete from invoice_list where tenant = $1 and build = $2 and id in \
           (select id from invoice_list where tenant = $1 and build = $2 limit 2000)"]
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

/// Events of other aggregates are not the list's business.
async fn apply(writer: &mut Writer, build: Build, event: &Recorded) -> Result<(), ApplyError> {
    let Some(id) = event.stream.as_str().strip_prefix("invoice/") else { return Ok(()) };
    let (status, number, assessment) =
        match InvoiceEvent::read_without_personal(&event.event_type, &event.payload)? {
            InvoiceEvent::Drafted(drafted) => {
                return insert(writer, build, event, id, &drafted.assessment).await;
            }
            InvoiceEvent::Revised(revised) => (InvoiceStatus::Draft, None, Some(revised.assessment)),
            InvoiceEvent::Approved(_) => (InvoiceStatus::Approved, None, None),
            InvoiceEvent::Cancelled(_) => (InvoiceStatus::Cancelled, None, None),
            InvoiceEvent::Issued(issued) => {
                (InvoiceStatus::Issued, Some(issued.facts.number), Some(issued.assessment))
            }
        };
    let (customer_sealed, is_new) = (sealed(event), assessment.is_some());
    let facts = assessment.as_ref().map(facts).transpose()?;
    let (customer, tax_date, currency, payable) = match facts {
        Some((customer, tax_date, currency, payable)) => {
            (Some(customer), Some(tax_date), Some(currency), Some(payable))
        }
        None => (None, None, None, None),
    };
    run!(
        writer,
        "update invoice_list set status = $4, number = coalesce($5, number), version = $6, position = $7, \
             customer_name = coalesce($8, customer_name), tax_date = coalesce($9, tax_date), \
             currency = coalesce($10, currency), payable = coalesce($11, payable), \
             customer_sealed = case when $12 = 1 then $13 else customer_sealed end \
         where tenant = $1 and build = $2 and id = $3",
        event.tenant.as_str(),
        build.0,
        id,
        status.as_str(),
        number,
        signed(event.version.0),
        signed(event.position.0),
        customer,
        tax_date,
        currency,
        payable,
        i64::from(is_new),
        customer_sealed
    )?;
    Ok(())
}

/// The customer, if the event has it sealed. It stays so: what is erased is nowhere in this view.
fn sealed(event: &Recorded) -> Option<&str> {
    let json = std::str::from_utf8(&event.payload).ok()?;
    personal::sealed_at(json, "/assessment/document/customer")
}

async fn insert(
    writer: &mut Writer,
    build: Build,
    event: &Recorded,
    id: &str,
    assessment: &Assessment,
) -> Result<(), ApplyError> {
    let (customer, tax_date, currency, payable) = facts(assessment)?;
    run!(
        writer,
        "insert into invoice_list (tenant, build, id, status, customer_name, tax_date, currency, payable, version, \
         position, created_position, customer_sealed) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11)",
        event.tenant.as_str(),
        build.0,
        id,
        InvoiceStatus::Draft.as_str(),
        customer,
        tax_date,
        currency,
        payable,
        signed(event.version.0),
        signed(event.position.0),
        sealed(event)
    )?;
    Ok(())
}

/// The customer's name, the tax date, the currency, and what the customer pays, with the places of the currency.
fn facts(assessment: &Assessment) -> Result<(&str, String, &str, String), ApplyError> {
    let document = &assessment.document;
    let currency = document.currency.parse().map_err(|error| ApplyError::Unreadable(format!("{error}")))?;
    let payable = Money::new(assessment.taxes.payable, currency);
    let payable = with_places(payable.amount, payable.currency.minor_units().into()).to_string();
    Ok((&document.customer.name, document.tax_date.to_string(), &document.currency, payable))
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
