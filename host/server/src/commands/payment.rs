//! Payments: record, complete, fail, take back; cheques, advances. What is posted and settled is written in the
//! transaction that changes the payment: its entry, each invoice, each certificate.
//!
//! Next step of the flow: `payment_parts` gathers what is written beside the payment.

use std::sync::Arc;

use niyam_domain::personal::{Place, PlaceKind};
use niyam_domain::{
    Aggregate as _, AllocateAdvance, Authority, Books, Chart, DomainEvent as _, EntryId, NewAllocation,
    NewPayment, Payment, PaymentDirection, PaymentEvent, PaymentId, PaymentTerms, Periods, Personal as _,
    RefundAdvance, Rejection, StreamId, SubjectKeyId, TakeBack, TakingBack, Version,
};
use niyam_store::{Append, Batch, Idempotency, StreamWrite};
use niyam_values::{Date, Decimal, Finding};

use crate::app::App;
use crate::commands::books::{At, TRIES, authority, is_beside};
use crate::commands::metadata::{Metadata, event_with};
use crate::commands::once::{Answer, Committed, once};
use crate::commands::payment_parts::Parts;
use crate::commands::payment_views::PaymentView;
use crate::commands::policy::Subject;
use crate::commands::{Actor, CommandError, Expected};
use crate::personal::Sealing;
use crate::tenants::TenantAt;

/// A payment at a version of its stream.
#[derive(Debug, Clone)]
pub(crate) struct PaymentAt {
    pub(crate) payment: Payment,
    pub(crate) version: Version,
    /// The keys of data subjects that opened it.
    keys: Vec<SubjectKeyId>,
}

/// What may be asked of a payment that is recorded. A day that is not named is today; of a completion, the payment's.
#[derive(Debug, Clone)]
pub(crate) enum PaymentCommand {
    Complete { date: Option<Date> },
    Fail { reason: String },
    Deposit { date: Option<Date> },
    Clear { date: Option<Date> },
    Allocate { date: Option<Date>, allocations: Vec<NewAllocation> },
    RefundAdvance { date: Option<Date>, amount: Decimal, account_role: Option<String>, reason: String },
    TakeBack { how: TakingBack, date: Option<Date>, reason: String },
}

/// What a command is decided against.
struct Against {
    chart: At<Chart>,
    periods: At<Periods>,
    authority: Authority,
    today: Date,
}

impl Against {
    fn books(&self) -> Books<'_> {
        Books { chart: &self.chart.state, periods: &self.periods.state, authority: self.authority }
    }

    fn versions(&self) -> [(StreamId, Version); 2] {
        [(StreamId::chart(), self.chart.version), (StreamId::periods(), self.periods.version)]
    }
}

/// What is about to happen to a payment, and beside it.
struct Planned {
    event: PaymentEvent,
    /// The day for which it counts.
    day: Date,
    beside: Vec<StreamWrite>,
    /// What must not have moved on.
    unchanged: Vec<(StreamId, Version)>,
}

impl App {
    /// The payment, if it is the tenant's.
    pub(crate) async fn payment(&self, actor: &Actor, id: PaymentId) -> Result<PaymentAt, CommandError> {
        let loaded = self.aggregates.load(&actor.tenant, &id.stream()).await?;
        let loaded = loaded.ok_or(Rejection::PaymentMissing)?;
        Ok(PaymentAt { payment: loaded.state, version: loaded.version, keys: loaded.keys })
    }

    /// Records a payment; it counts once it is completed.
    pub(crate) async fn create_payment(
        &self,
        actor: &Actor,
        key: Option<Idempotency>,
        new: NewPayment,
    ) -> Result<Committed, CommandError> {
        once(
            &self.vault,
            &actor.tenant,
            key.as_ref(),
            Box::pin(async {
                let id = PaymentId(self.ids.next_id());
                let mut tries = 0;
                loop {
                    let at = self.tenant(&actor.tenant).await?;
                    let planned = Box::pin(self.plan_new(actor, &at, id, new.clone())).await?;
                    let done = Box::pin(self.record_payment(actor, &at, key.clone(), None, planned)).await;
                    if !(is_beside(&done, &id.stream()) && tries < TRIES) {
                        return done;
                    }
                    tries += 1;
                }
            }),
        )
        .await
    }

    /// Does to the payment that the client saw what `command` asks.
    pub(crate) async fn change_payment(
        &self,
        actor: &Actor,
        key: Option<Idempotency>,
        id: PaymentId,
        expected: Expected,
        command: PaymentCommand,
    ) -> Result<Committed, CommandError> {
        once(
            &self.vault,
            &actor.tenant,
            key.as_ref(),
            Box::pin(async {
                let mut tries = 0;
                loop {
                    let found = self.payment(actor, id).await?;
                    if matches!(expected, Expected::Exactly(version) if version != found.version) {
                        return Err(CommandError::Stale { stream: id.stream() });
                    }
                    let at = self.tenant(&actor.tenant).await?;
                    let planned = Box::pin(self.plan(actor, &at, &found.payment, command.clone())).await?;
                    let recorded = self.record_payment(actor, &at, key.clone(), Some(found), planned);
                    let done = Box::pin(recorded).await;
                    // An invoice, a certificate, the books or the tenant changed meanwhile.
                    if !(is_beside(&done, &id.stream()) && tries < TRIES) {
                        return done;
                    }
                    tries += 1;
                }
            }),
        )
        .await
    }

    async fn plan_new(
        &self,
        actor: &Actor,
        at: &TenantAt,
        id: PaymentId,
        new: NewPayment,
    ) -> Result<Planned, CommandError> {
        let against = self.against(actor, at).await?;
        let new = self.check_instrument(at, new).await?;
        let invoices = self.invoices_of(actor, new.allocations.iter().map(|part| part.invoice_id)).await?;
        let direction = new.direction;
        let digest = |whose: &str, tax: &str, number: &str| {
            // A customer's certificates have the customer's numbers; those for suppliers have the tenant's own.
            let whose = if direction == PaymentDirection::Receipt { whose } else { "" };
            // However it was typed, it is the same certificate.
            let number: String = number.split_whitespace().collect::<String>().to_uppercase();
            let name = serde_json::json!(["tax-certificate", direction, whose, tax, number]).to_string();
            hex::encode(self.vault.subject(&actor.tenant, &name))
        };
        let terms = PaymentTerms::new(new, &invoices.due(), &against.chart.state, digest)?;
        // Told now rather than when the money moved; they are taken then.
        Parts::new(actor, terms.date).certificates(self, id, &terms.certificates()).await?;
        let day = terms.date;
        let mut unchanged = against.versions().to_vec();
        // The party is as its invoices have it: it must not come back after an erasure.
        unchanged.extend(invoices.guards());
        Ok(Planned { event: Payment::create(id, terms), day, beside: Vec::new(), unchanged })
    }

    async fn plan(
        &self,
        actor: &Actor,
        at: &TenantAt,
        payment: &Payment,
        command: PaymentCommand,
    ) -> Result<Planned, CommandError> {
        let against = self.against(actor, at).await?;
        let books = against.books();
        let day = |date: Option<Date>| date.unwrap_or(against.today);
        let (event, day, parts) = match command {
            PaymentCommand::Fail { reason } => (payment.fail(reason)?, against.today, None),
            PaymentCommand::Deposit { date } => (payment.deposit(day(date))?, day(date), None),
            PaymentCommand::Complete { date } => {
                let day = date.unwrap_or(payment.terms.date);
                let asked = payment.terms.allocations.iter().map(|part| part.invoice_id);
                let invoices = self.invoices_of(actor, asked).await?;
                let step = payment.complete(day, &invoices.due(), &books)?;
                let mut parts = Parts::new(actor, day);
                parts.certificates(self, payment.id, &step.certificates).await?;
                parts.settle(self, payment.id, &invoices, &step.settles)?;
                parts.post(self, step.entry)?;
                (step.event, day, Some(parts))
            }
            PaymentCommand::Clear { date } => {
                let step = payment.clear(day(date), EntryId(self.ids.next_id()), &books)?;
                let mut parts = Parts::new(actor, day(date));
                parts.post(self, step.entry)?;
                (step.event, day(date), Some(parts))
            }
            PaymentCommand::Allocate { date, allocations } => {
                let invoices =
                    self.invoices_of(actor, allocations.iter().map(|part| part.invoice_id)).await?;
                let entry_id = EntryId(self.ids.next_id());
                let command = AllocateAdvance { date: day(date), allocations, entry_id };
                let step = payment.allocate(command, &invoices.due(), &books)?;
                let mut parts = Parts::new(actor, day(date));
                parts.settle(self, payment.id, &invoices, &step.settles)?;
                parts.post(self, step.entry)?;
                (step.event, day(date), Some(parts))
            }
            PaymentCommand::RefundAdvance { date, amount, account_role: held_in, reason } => {
                let entry_id = EntryId(self.ids.next_id());
                let command = RefundAdvance { date: day(date), amount, held_in, reason, entry_id };
                let step = payment.refund_advance(command, &books)?;
                let mut parts = Parts::new(actor, day(date));
                parts.post(self, step.entry)?;
                (step.event, day(date), Some(parts))
            }
            PaymentCommand::TakeBack { how, date, reason } => {
                let entries = self.entries_of(actor, payment).await?;
                let mirrors = entries.iter().map(|_| EntryId(self.ids.next_id())).collect();
                let command = TakeBack { how, date: day(date), reason, mirrors };
                let states: Vec<_> = entries.iter().map(|entry| entry.state.clone()).collect();
                let undone = payment.take_back(command, &states, &books)?;
                let asked = undone.reopens.iter().map(|part| part.invoice_id);
                let invoices = self.invoices_of(actor, asked).await?;
                let mut parts = Parts::new(actor, day(date));
                parts.release(self, payment.id, &undone.certificates).await?;
                parts.reopen(self, payment.id, &invoices, &undone.reopens)?;
                parts.mirror(self, entries, undone.reversals)?;
                (undone.event, day(date), Some(parts))
            }
        };
        let (beside, unchanged) = match parts {
            Some(parts) => (parts.writes, against.versions().to_vec()),
            None => (Vec::new(), Vec::new()),
        };
        Ok(Planned { event, day, beside, unchanged })
    }

    async fn against(&self, actor: &Actor, at: &TenantAt) -> Result<Against, CommandError> {
        Ok(Against {
            chart: self.chart_needed(&actor.tenant).await?,
            periods: self.periods(&actor.tenant).await?,
            authority: authority(actor),
            today: self.now_at(at).date(),
        })
    }

    /// Numbers of banks and wallets in their normal form, as the pack knows them; a kind that it does not know stays as it
    /// was written.
    async fn check_instrument(&self, at: &TenantAt, mut new: NewPayment) -> Result<NewPayment, CommandError> {
        let wallet = new.method.clone();
        let mut findings = Vec::new();
        for (name, kind) in [
            ("routing_number", "bank-routing"),
            ("account_number", "bank-account"),
            ("wallet_number", wallet.as_str()),
        ] {
            let Some(value) = new.details.get(name).map(str::to_owned) else { continue };
            match self.check_identifier(at, kind.to_owned(), value).await? {
                Ok(normal) => new.details.set(name, normal),
                Err(found) if found.iter().all(|finding| finding.code == "identifier-kind-unknown") => {}
                Err(found) => {
                    let place = |finding: Finding| finding.at(format!("/details/{name}"));
                    findings.extend(found.into_iter().map(place));
                }
            }
        }
        if findings.is_empty() { Ok(new) } else { Err(Rejection::Findings(findings).into()) }
    }

    /// Asks the policies about what is planned, and appends it.
    async fn record_payment(
        &self,
        actor: &Actor,
        at: &TenantAt,
        key: Option<Idempotency>,
        before: Option<PaymentAt>,
        planned: Planned,
    ) -> Result<Committed, CommandError> {
        let Planned { event, day, beside, mut unchanged } = planned;
        let state = before.as_ref().map(|before| &before.payment);
        let ruled = self.ask_policies(actor, at, Subject::Payment { before: state, event: &event }).await?;
        let metadata = Metadata::new(actor, ruled, &[]);
        let recorded = event_with(self.ids.next_id(), &event, &metadata, day)?;
        let is_new = before.is_none();
        let expected = before.as_ref().map_or(Version(0), |before| before.version);
        // What the policies said is of this state of the tenant; and the answer that is kept must not outlive a key.
        unchanged.push((StreamId::tenant(), at.version));
        let keys = before.iter().flat_map(|before| &before.keys);
        unchanged.extend(keys.map(|key| (key.stream(), Version(0))));
        let payment = Payment::evolve(before.map(|before| before.payment), event.clone())?;
        let version = Version(expected.0 + 1);
        let id = payment.id;
        let (status, location) = if is_new { (201, Some(format!("/v1/payments/{id}"))) } else { (200, None) };
        let view = PaymentView::new(&payment, version).with_policies(&metadata.policies);
        let answer = Answer::new(status, location, version, &view)?;
        let is_personal = key.is_some() || !event.personal().is_empty();
        let places = if is_personal { payment.personal() } else { Vec::new() };
        let committed = self
            .vault
            .append(&actor.tenant, &id.stream(), &places, |sealing| {
                let own = vec![sealing.event(&event, recorded.clone())?];
                let mut writes = vec![StreamWrite { stream: id.stream(), expected, events: own }];
                writes.extend(beside.iter().cloned());
                let answer = kept(&answer, &payment, key.as_ref(), &sealing)?;
                let mut append = Append::of(Batch { writes, answer }).unchanged(unchanged.iter().cloned());
                append.idempotency.clone_from(&key);
                Ok((Arc::new(sealing), append))
            })
            .await?;
        self.shadows.recorded(&actor.tenant, &at.tenant.activations);
        Ok(committed)
    }
}

/// An answer as it is kept for a repetition of the request; where none is kept, nothing of it is sealed.
fn kept(
    answer: &Answer,
    payment: &Payment,
    key: Option<&Idempotency>,
    sealing: &Sealing,
) -> Result<Vec<u8>, CommandError> {
    let bytes = answer.to_bytes()?;
    let Some(key) = key else { return Ok(bytes) };
    Ok(sealing.answer(&key.key, &places_of_view(payment), bytes)?)
}

/// The personal places of an [`Answer`] that shows the payment.
fn places_of_view(payment: &Payment) -> Vec<Place> {
    let mut places = payment.terms.personal_at("/body");
    for place in &mut places {
        if place.kind == PlaceKind::Party {
            place.kind = PlaceKind::PartyView;
        }
    }
    places
}
