//! The list of invoices.

use futures::FutureExt as _;
use futures::future::BoxFuture;
use niyam_domain::personal;
use niyam_domain::{DomainEvent as _, InvoiceEvent, InvoiceStatus, Money, Position, TenantId};
use niyam_store::{Database, Reader, Recorded, Scope, StoreError, Writer};
use niyam_values::{Decimal, Direction, Document, Party, with_places};
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
    if !event.stream.as_str().starts_with("invoice/") {
        return Ok(());
    }
    let read = InvoiceEvent::read_without_personal(&event.event_type, &event.payload)?;
    let (status, number, facts) = match &read {
        InvoiceEvent::Drafted(drafted) => {
            let assessment = &drafted.assessment;
            let facts = Facts::of(&assessment.document, assessment.taxes.payable, event, ASSESSED)?;
            return insert(writer, build, event, (InvoiceStatus::Draft, None), facts).await;
        }
        InvoiceEvent::NoteIssued(note) => {
            let facts = Facts::of(&note.document, note.taxes.payable, event, "/document")?;
            let number = Some(note.facts.number.as_str());
            return insert(writer, build, event, (InvoiceStatus::Issued, number), facts).await;
        }
        InvoiceEvent::Revised(revised) => {
            let assessment = &revised.assessment;
            let facts = Facts::of(&assessment.document, assessment.taxes.payable, event, ASSESSED)?;
            (InvoiceStatus::Draft, None, Some(facts))
        }
        InvoiceEvent::Approved(_) => (InvoiceStatus::Approved, None, None),
        InvoiceEvent::Cancelled(_) => (InvoiceStatus::Cancelled, None, None),
        InvoiceEvent::Issued(_) | InvoiceEvent::Recorded(_) => {
            let Some(issue) = read.issue() else { return Ok(()) };
            let facts = Facts::of(issue.document, issue.taxes.payable, event, ASSESSED)?;
            (InvoiceStatus::Issued, Some(issue.facts.number.as_str()), Some(facts))
        }
        InvoiceEvent::Credited(_)
        | InvoiceEvent::Debited(_)
        | InvoiceEvent::WrittenOff(_)
        | InvoiceEvent::Settled(_)
        | InvoiceEvent::SettlementReversed(_) => (InvoiceStatus::Issued, None, None),
    };
    let is_new = facts.is_some();
    let facts = facts.unwrap_or_default();
    run!(
        writer,
        "update invoice_list set status = $4, number = coalesce($5, number), version = $6, position = $7, \
             customer_name = coalesce($8, customer_name), tax_date = coalesce($9, tax_date), \
             currency = coalesce($10, currency), payable = coalesce($11, payable), \
             customer_sealed = case when $12 = 1 then $13 else customer_sealed end \
         where tenant = $1 and build = $2 and id = $3",
        event.tenant.as_str(),
        build.0,
        id_of(event),
        status.as_str(),
        number,
        signed(event.version.0),
        signed(event.position.0),
        facts.party,
        facts.tax_date,
        facts.currency,
        facts.payable,
        i64::from(is_new),
        facts.sealed
    )?;
    Ok(())
}

/// Where events with a decision on their taxes have their document.
const ASSESSED: &str = "/assessment/document";

fn id_of(event: &Recorded) -> &str {
    event.stream.as_str().trim_start_matches("invoice/")
}

async fn insert(
    writer: &mut Writer,
    build: Build,
    event: &Recorded,
    (status, number): (InvoiceStatus, Option<&str>),
    facts: Facts<'_>,
) -> Result<(), ApplyError> {
    run!(
        writer,
        "insert into invoice_list (tenant, build, id, status, customer_name, tax_date, currency, payable, version, \
         position, created_position, customer_sealed, number) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11, $12)",
        event.tenant.as_str(),
        build.0,
        id_of(event),
        status.as_str(),
        facts.party,
        facts.tax_date,
        facts.currency,
        facts.payable,
        signed(event.version.0),
        signed(event.position.0),
        facts.sealed,
        number
    )?;
    Ok(())
}

/// What of a document the list shows.
#[derive(Default)]
struct Facts<'a> {
    /// The name of the other party.
    party: Option<&'a str>,
    /// The other party, if the event has it sealed. It stays so: what is erased is nowhere in this view.
    sealed: Option<&'a str>,
    tax_date: Option<String>,
    currency: Option<&'a str>,
    /// With the places of the currency.
    payable: Option<String>,
}

impl<'a> Facts<'a> {
    /// Of the document that lies in the event at `place`.
    fn of(
        document: &'a Document,
        payable: Decimal,
        event: &'a Recorded,
        place: &str,
    ) -> Result<Self, ApplyError> {
        let currency =
            document.currency.parse().map_err(|error| ApplyError::Unreadable(format!("{error}")))?;
        let payable = Money::new(payable, currency);
        let payable = with_places(payable.amount, payable.currency.minor_units().into()).to_string();
        let (party, name) = match document.direction {
            Direction::Sale => (&document.customer, "customer"),
            Direction::Purchase => (&document.supplier, "supplier"),
        };
        let json = std::str::from_utf8(&event.payload).ok();
        Ok(Self {
            party: Some(&party.name),
            sealed: json.and_then(|json| personal::sealed_at(json, &format!("{place}/{name}"))),
            tax_date: Some(document.tax_date.to_string()),
            currency: Some(&document.currency),
            payable: Some(payable),
        })
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
