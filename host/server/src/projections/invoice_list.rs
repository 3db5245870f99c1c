//! The list of invoices.

use futures::FutureExt as _;
use futures::future::BoxFuture;
use niyam_domain::personal;
use niyam_domain::{
    Currency, DomainEvent as _, InvoiceEvent, InvoiceStatus, Money, NoteKind, Position, TenantId, due_date,
    initial_outstanding,
};
use niyam_store::{Database, Reader, Recorded, Scope, StoreError, Writer};
use niyam_values::{Date, Decimal, Direction, Document, Party, with_places};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::personal::{OpeningError, Vault};
use crate::projections::checkpoint::position_seen;
use crate::projections::ledger::amounts::{amount, units};
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
    /// `sale` or `purchase`; absent on rows of before, until the list is rebuilt.
    #[serde(skip_serializing_if = "Option::is_none")]
    direction: Option<String>,
    /// `invoice`, `credit-note`, `debit-note` …
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    /// By when it is to be paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    due_date: Option<String>,
    /// What is left to be paid, once issued; of a credit note, what is left to be paid back.
    #[sqlx(skip)]
    outstanding: String,
    /// Whether something of it is left to be paid after its day, as of the day asked for.
    #[sqlx(skip)]
    overdue: bool,
    /// In ten-thousandths.
    #[serde(skip)]
    open: i64,
    /// The customer as the event has it, when that is sealed; the name is that of nobody then.
    #[serde(skip)]
    customer_sealed: Option<String>,
    #[serde(skip)]
    pub(crate) created_position: i64,
}

/// Which invoices to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ListedStatus {
    Draft,
    Approved,
    Issued,
    Cancelled,
    /// Issued, and not paid in full by its day.
    Overdue,
}

impl ListedStatus {
    /// As a query says it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => InvoiceStatus::Draft.as_str(),
            Self::Approved => InvoiceStatus::Approved.as_str(),
            Self::Issued => InvoiceStatus::Issued.as_str(),
            Self::Cancelled => InvoiceStatus::Cancelled.as_str(),
            Self::Overdue => "overdue",
        }
    }
}

/// What to list, newest first.
#[derive(Debug)]
pub(crate) struct InvoiceListQuery {
    pub(crate) status: Option<ListedStatus>,
    /// The day as of which something is overdue.
    pub(crate) as_of: Date,
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
        for item in &mut items {
            let damaged = || OpeningError::Damaged { place: format!("invoice/{}", item.id) };
            let currency: Currency = item.currency.parse().map_err(|_| damaged())?;
            item.outstanding = amount(item.open.into(), currency).to_string();
            let is_note = item.kind.as_deref().is_some_and(|kind| NoteKind::of(kind).is_some());
            let day = self.as_of.to_string();
            item.overdue =
                item.open > 0 && !is_note && item.due_date.as_deref().is_some_and(|due| due < day.as_str());
        }
        Ok((position, items))
    }

    async fn rows(
        &self,
        database: &Database,
        tenant: &TenantId,
    ) -> Result<(Position, Vec<InvoiceListItem>), sqlx::Error> {
        const ALL: &str = "select id, version, status, number, customer_name, tax_date, currency, payable, \
             direction, kind, due as due_date, outstanding as open, customer_sealed, created_position from invoice_list where tenant = $1 and build = (select build from \
             projection_checkpoints where tenant = $1 and projection = 'invoice_list' and live) \
             and created_position < $2 order by created_position desc limit $3";
        const OVERDUE: &str = "select id, version, status, number, customer_name, tax_date, currency, payable, \
             direction, kind, due as due_date, outstanding as open, customer_sealed, created_position from invoice_list \
             where tenant = $1 and build = (select build from \
             projection_checkpoints where tenant = $1 and projection = 'invoice_list' and live) \
             and created_position < $2 and outstanding > 0 and due < $4 \
             and kind not in ('credit-note', 'debit-note') order by created_position desc limit $3";
        const BY_STATUS: &str = "select id, version, status, number, customer_name, tax_date, currency, payable, \
             direction, kind, due as due_date, outstanding as open, customer_sealed, created_position from invoice_list where tenant = $1 and build = (select build from \
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
                    Some(ListedStatus::Overdue) => {
                        sqlx::query_as(OVERDUE)
                            .bind(tenant.as_str())
                            .bind(before)
                            .bind(limit)
                            .bind(self.as_of.to_string())
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
            return insert(writer, build, event, (InvoiceStatus::Draft, None, Decimal::ZERO), facts).await;
        }
        InvoiceEvent::NoteIssued(note) => {
            let facts = Facts::of(&note.document, note.taxes.payable, event, "/document")?;
            let number = Some(note.facts.number.as_str());
            return insert(writer, build, event, (InvoiceStatus::Issued, number, note.unapplied), facts)
                .await;
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
    let moved = match &read {
        InvoiceEvent::Issued(_) | InvoiceEvent::Recorded(_) => match read.issue() {
            Some(issue) => initial_outstanding(issue.document, issue.taxes),
            None => Decimal::ZERO,
        },
        InvoiceEvent::Credited(credited) => -credited.applied,
        InvoiceEvent::Debited(debited) => debited.amount,
        InvoiceEvent::WrittenOff(written_off) => -written_off.amount,
        InvoiceEvent::Settled(settled) => -settled.amount,
        InvoiceEvent::SettlementReversed(reversed) => reversed.amount,
        _ => Decimal::ZERO,
    };
    let is_new = facts.is_some();
    let facts = facts.unwrap_or_default();
    run!(
        writer,
        "update invoice_list set status = $4, number = coalesce($5, number), version = $6, position = $7, \
             customer_name = coalesce($8, customer_name), tax_date = coalesce($9, tax_date), \
             currency = coalesce($10, currency), payable = coalesce($11, payable), \
             customer_sealed = case when $12 = 1 then $13 else customer_sealed end, \
             direction = coalesce($14, direction), kind = coalesce($15, kind), due = coalesce($16, due), \
             outstanding = outstanding + $17 \
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
        facts.sealed,
        facts.direction,
        facts.kind,
        facts.due,
        units(moved)?
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
    (status, number, open): (InvoiceStatus, Option<&str>, Decimal),
    facts: Facts<'_>,
) -> Result<(), ApplyError> {
    run!(
        writer,
        "insert into invoice_list (tenant, build, id, status, customer_name, tax_date, currency, payable, version, \
         position, created_position, customer_sealed, number, direction, kind, due, outstanding) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11, $12, $13, $14, $15, $16)",
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
        number,
        facts.direction,
        facts.kind,
        facts.due,
        units(open)?
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
    direction: Option<&'a str>,
    kind: Option<&'a str>,
    due: Option<String>,
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
            direction: Some(match document.direction {
                Direction::Sale => "sale",
                Direction::Purchase => "purchase",
            }),
            kind: Some(&document.kind),
            due: Some(due_date(document).to_string()),
        })
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
