//! The list of payments.

use futures::FutureExt as _;
use futures::future::BoxFuture;
use niyam_domain::personal::{self, Sealed};
use niyam_domain::{
    ChequeStatus, DomainEvent as _, PaymentCreated, PaymentDirection, PaymentEvent, PaymentMethod,
    PaymentStatus, Position, TenantId,
};
use niyam_store::{Database, Reader, Recorded, Scope, StoreError, Writer};
use niyam_values::{Date, Party};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::personal::{OpeningError, Vault};
use crate::projections::checkpoint::position_seen;
use crate::projections::view::{ApplyError, Build, View};
use crate::projections::writer::{find, run};

/// A payment in the list.
#[derive(Debug, Serialize, ToSchema, sqlx::FromRow)]
pub(crate) struct PaymentListItem {
    id: String,
    version: i64,
    /// `receipt` or `disbursement`.
    direction: String,
    /// `cash`, `bank-transfer`, `cheque`, `withholding`, or `wallet:` and its name.
    method: String,
    /// `pending`, `completed`, `failed`, `reversed`, `bounced` or `refunded`.
    status: String,
    /// `received`, `issued`, `deposited`, `cleared` or `bounced`.
    #[serde(skip_serializing_if = "Option::is_none")]
    cheque: Option<String>,
    /// The day for which it counts, or is to count.
    date: String,
    currency: String,
    /// In `currency`.
    amount: String,
    party_name: String,
    /// The party as the event has it, when that is sealed; the name is that of nobody then.
    #[serde(skip)]
    party_sealed: Option<String>,
    #[serde(skip)]
    pub(crate) created_position: i64,
}

/// What to list, newest first.
#[derive(Debug)]
pub(crate) struct PaymentListQuery {
    pub(crate) status: Option<PaymentStatus>,
    pub(crate) method: Option<PaymentMethod>,
    /// The tenant's own id of the party.
    pub(crate) party: Option<String>,
    /// Only those recorded before this position.
    pub(crate) before: Option<Position>,
    /// At most so many.
    pub(crate) limit: u32,
}

impl PaymentListQuery {
    /// Runs it; the position that the list surely holds, and what is in it.
    pub(crate) async fn run(
        &self,
        vault: &Vault,
        tenant: &TenantId,
    ) -> Result<(Position, Vec<PaymentListItem>), OpeningError> {
        // A party has one key at a time; of a destroyed one nothing leads to the party.
        let party = match &self.party {
            None => None,
            Some(party) => {
                let keys = vault.store().keys_of_subject(tenant, &vault.subject(tenant, party)).await?;
                let live = keys.iter().find(|key| key.erased_at.is_none());
                Some(live.map_or_else(|| party.clone(), |key| key.id.to_string()))
            }
        };
        let rows = self.rows(vault.store().database(), tenant, party.as_deref()).await;
        let (position, mut items) = rows.map_err(StoreError::from)?;
        let sealed: Vec<(String, &str)> = items
            .iter()
            .filter_map(|item| Some((format!("payment/{}", item.id), item.party_sealed.as_deref()?)))
            .collect();
        let mut opened = vault.opening(tenant).copies(&sealed).await?.into_iter();
        for item in items.iter_mut().filter(|item| item.party_sealed.is_some()) {
            let party = opened.next().and_then(|json| serde_json::from_slice::<Party>(&json).ok());
            let damaged = || OpeningError::Damaged { place: format!("payment/{}", item.id) };
            item.party_name = party.ok_or_else(damaged)?.name;
        }
        Ok((position, items))
    }

    async fn rows(
        &self,
        database: &Database,
        tenant: &TenantId,
        party: Option<&str>,
    ) -> Result<(Position, Vec<PaymentListItem>), sqlx::Error> {
        const SQL: &str = "select id, version, direction, method, status, cheque, date, currency, amount, \
             party_name, party_sealed, created_position from payment_list where tenant = $1 and build = (select \
             build from projection_checkpoints where tenant = $1 and projection = 'payment_list' and live) \
             and created_position < $2 and ($4 = '' or status = $4) and ($5 = '' or method = $5) \
             and ($6 = '' or party = $6) order by created_position desc limit $3";
        let before = self.before.map_or(i64::MAX, |position| signed(position.0));
        let status = self.status.map_or("", PaymentStatus::as_str);
        let method = self.method.as_ref().map(ToString::to_string).unwrap_or_default();
        macro_rules! rows {
            ($connection:expr) => {
                sqlx::query_as(SQL)
                    .bind(tenant.as_str())
                    .bind(before)
                    .bind(i64::from(self.limit))
                    .bind(status)
                    .bind(&method)
                    .bind(party.unwrap_or_default())
                    .fetch_all($connection)
                    .await
            };
        }
        // First, and as the same reader sees it: a view that moves on in between, or that a crash of the database sets
        // back, must not pass for one that holds more than what is shown.
        let mut reader = database.read(&Scope::Tenant(tenant)).await?;
        let position = position_seen(&mut reader, tenant, PaymentList.name()).await?;
        let items = match &mut reader {
            Reader::Sqlite(connection) => rows!(&mut **connection),
            Reader::Postgres(connection) => rows!(&mut **connection),
        };
        Ok((position, items?))
    }
}

/// The view.
pub(crate) struct PaymentList;

impl View for PaymentList {
    fn name(&self) -> &'static str {
        "payment_list"
    }

    fn forget(&self) -> &'static [&'static str] {
        &["delete from payment_list where tenant = $1 and build = $2 and id in \
           (select id from payment_list where tenant = $1 and build = $2 limit 2000)"]
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

/// What an event changes of a row.
#[derive(Default)]
struct Change {
    status: Option<PaymentStatus>,
    cheque: Option<ChequeStatus>,
    date: Option<Date>,
}

impl Change {
    fn status(status: PaymentStatus) -> Self {
        Self { status: Some(status), ..Self::default() }
    }

    fn cheque(cheque: ChequeStatus) -> Self {
        Self { cheque: Some(cheque), ..Self::default() }
    }
}

/// Events of other aggregates are not the list's business.
async fn apply(writer: &mut Writer, build: Build, event: &Recorded) -> Result<(), ApplyError> {
    let Some(id) = event.stream.as_str().strip_prefix("payment/") else { return Ok(()) };
    let change = match PaymentEvent::read_without_personal(&event.event_type, &event.payload)? {
        PaymentEvent::Created(created) => return insert(writer, build, event, id, &created).await,
        PaymentEvent::Completed(completed) => {
            let cheque = cheque_of(writer, build, event, id).await?;
            Change { cheque, date: Some(completed.date), ..Change::status(PaymentStatus::Completed) }
        }
        PaymentEvent::Failed(_) => Change::status(PaymentStatus::Failed),
        PaymentEvent::Reversed(_) => Change::status(PaymentStatus::Reversed),
        PaymentEvent::Refunded(_) => Change::status(PaymentStatus::Refunded),
        PaymentEvent::Deposited(_) => Change::cheque(ChequeStatus::Deposited),
        PaymentEvent::Cleared(_) => Change::cheque(ChequeStatus::Cleared),
        PaymentEvent::Bounced(_) => {
            Change { cheque: Some(ChequeStatus::Bounced), ..Change::status(PaymentStatus::Bounced) }
        }
        PaymentEvent::AdvanceRefunded(refunded) if refunded.whole => Change::status(PaymentStatus::Refunded),
        PaymentEvent::Allocated(_) | PaymentEvent::AdvanceRefunded(_) => Change::default(),
    };
    run!(
        writer,
        "update payment_list set status = coalesce($4, status), cheque = coalesce($5, cheque), \
             date = coalesce($6, date), version = $7 where tenant = $1 and build = $2 and id = $3",
        event.tenant.as_str(),
        build.0,
        id,
        change.status.map(PaymentStatus::as_str),
        change.cheque.map(ChequeStatus::as_str),
        change.date.map(|date| date.to_string()),
        signed(event.version.0)
    )?;
    Ok(())
}

/// Where the cheque of a payment lies once it is completed.
async fn cheque_of(
    writer: &mut Writer,
    build: Build,
    event: &Recorded,
    id: &str,
) -> Result<Option<ChequeStatus>, ApplyError> {
    let found = find!(
        writer,
        (String, String),
        "select direction, method from payment_list where tenant = $1 and build = $2 and id = $3",
        event.tenant.as_str(),
        build.0,
        id
    )?;
    Ok(found.filter(|(_, method)| method == "cheque").map(|(direction, _)| {
        if direction == PaymentDirection::Receipt.as_str() {
            ChequeStatus::Received
        } else {
            ChequeStatus::Issued
        }
    }))
}

async fn insert(
    writer: &mut Writer,
    build: Build,
    event: &Recorded,
    id: &str,
    created: &PaymentCreated,
) -> Result<(), ApplyError> {
    let terms = &created.terms;
    // It stays sealed: what is erased is nowhere in this view.
    let sealed =
        std::str::from_utf8(&event.payload).ok().and_then(|json| personal::sealed_at(json, "/terms/party"));
    run!(
        writer,
        "insert into payment_list (tenant, build, id, direction, method, status, date, currency, amount, party, \
         party_name, party_sealed, version, created_position) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        event.tenant.as_str(),
        build.0,
        id,
        terms.direction.as_str(),
        terms.method.to_string(),
        PaymentStatus::Pending.as_str(),
        terms.date.to_string(),
        terms.currency.code(),
        terms.amount.to_string(),
        key(sealed, &terms.party),
        &terms.party.name,
        sealed,
        signed(event.version.0),
        signed(event.position.0)
    )?;
    Ok(())
}

/// What tells the party from others: the key that it is sealed under, or its id.
fn key(sealed: Option<&str>, party: &Party) -> String {
    #[derive(Deserialize)]
    struct Place {
        sealed: Sealed,
    }
    let place = sealed.and_then(|sealed| serde_json::from_str::<Place>(sealed).ok());
    place.map_or_else(|| party.id.clone(), |place| place.sealed.key.to_string())
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
