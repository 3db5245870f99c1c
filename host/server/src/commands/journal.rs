//! Journal entries: draft, revise, post, reverse.

use niyam_domain::{
    Books, Chart, DraftEntry, Entry, EntryEvent, EntryId, EntrySource, JournalCommand, JournalEntry,
    JournalLine, NewEntry, Periods, PostEntry, Rejection, ReverseEntry, ReviseEntry, Side, StreamId, Version,
};
use niyam_store::{Append, Batch, Idempotency};
use niyam_values::{Attributes, Date, Decimal};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::commands::books::{At, TRIES, authority, is_beside};
use crate::commands::once::{Answer, Committed, once};
use crate::commands::{Actor, CommandError, Expected};

/// What a command of the journal is decided against.
struct Against {
    chart: At<Chart>,
    periods: At<Periods>,
}

impl Against {
    fn books(&self, actor: &Actor) -> Books<'_> {
        Books { chart: &self.chart.state, periods: &self.periods.state, authority: authority(actor) }
    }

    fn versions(&self) -> [(StreamId, Version); 2] {
        [(StreamId::chart(), self.chart.version), (StreamId::periods(), self.periods.version)]
    }
}

impl App {
    /// The journal entry, if it is the tenant's.
    pub(crate) async fn journal_entry(
        &self,
        actor: &Actor,
        id: EntryId,
    ) -> Result<At<JournalEntry>, CommandError> {
        Ok(self.at(&actor.tenant, &id.stream()).await?.ok_or(Rejection::EntryMissing)?)
    }

    pub(crate) async fn draft_entry(
        &self,
        actor: &Actor,
        key: Option<Idempotency>,
        new: NewEntry,
    ) -> Result<Committed, CommandError> {
        once(&self.vault, &actor.tenant, key.as_ref(), async {
            self.tenant(&actor.tenant).await?;
            let entry = Entry::new(new)?;
            let entry_id = EntryId(self.ids.next_id());
            let command = JournalCommand::Draft(DraftEntry { entry_id, entry });
            self.decide_entry(actor, key.clone(), entry_id, None, command).await
        })
        .await
    }

    pub(crate) async fn revise_entry(
        &self,
        actor: &Actor,
        id: EntryId,
        expected: Expected,
        new: NewEntry,
    ) -> Result<Committed, CommandError> {
        let found = self.journal_entry(actor, id).await?;
        found.expect(expected, &id.stream())?;
        let command = JournalCommand::Revise(ReviseEntry { entry: Entry::new(new)? });
        self.decide_entry(actor, None, id, Some(found), command).await
    }

    pub(crate) async fn post_entry(
        &self,
        actor: &Actor,
        key: Option<Idempotency>,
        id: EntryId,
        expected: Expected,
    ) -> Result<Committed, CommandError> {
        once(&self.vault, &actor.tenant, key.as_ref(), async {
            let found = self.journal_entry(actor, id).await?;
            found.expect(expected, &id.stream())?;
            let command = JournalCommand::Post(PostEntry {});
            self.decide_entry(actor, key.clone(), id, Some(found), command).await
        })
        .await
    }

    /// Takes a posted entry back, in one transaction with its mirror; for the entry's own day unless another is named.
    pub(crate) async fn reverse_entry(
        &self,
        actor: &Actor,
        key: Option<Idempotency>,
        id: EntryId,
        expected: Expected,
        (date, reason): (Option<Date>, String),
    ) -> Result<Committed, CommandError> {
        once(&self.vault, &actor.tenant, key.as_ref(), async {
            let found = self.journal_entry(actor, id).await?;
            found.expect(expected, &id.stream())?;
            let mirror_id = EntryId(self.ids.next_id());
            let date = date.unwrap_or(found.state.entry.date);
            let mut tries = 0;
            loop {
                let periods = self.periods(&actor.tenant).await?;
                let command = ReverseEntry { mirror_id, date, reason: reason.clone() };
                let reversal = found.state.reverse(command, &periods.state, authority(actor))?;
                let told =
                    self.tell(actor, id.stream(), Some(found.clone()), vec![reversal.reversed], date)?;
                let mirror =
                    self.tell::<JournalEntry>(actor, mirror_id.stream(), None, vec![reversal.mirror], date)?;
                let view = EntryView::new(&told.state, told.version);
                let answer = Answer::new(200, None, told.version, &view)?.to_bytes()?;
                let writes = told.write.into_iter().chain(mirror.write).collect();
                let mut append =
                    Append::of(Batch { writes, answer }).unchanged([(StreamId::periods(), periods.version)]);
                append.idempotency = key.clone();
                let done = self.store.append(&actor.tenant, append).await.map_err(CommandError::from);
                if is_beside(&done, &id.stream()) && tries < TRIES {
                    tries += 1;
                } else {
                    return done?.try_into();
                }
            }
        })
        .await
    }

    /// Decides and records; again when the chart or the periods changed meanwhile.
    async fn decide_entry(
        &self,
        actor: &Actor,
        key: Option<Idempotency>,
        id: EntryId,
        before: Option<At<JournalEntry>>,
        command: JournalCommand,
    ) -> Result<Committed, CommandError> {
        let mut tries = 0;
        loop {
            let against = Against {
                chart: self.chart_needed(&actor.tenant).await?,
                periods: self.periods(&actor.tenant).await?,
            };
            let state = before.as_ref().map(|before| &before.state);
            let events = JournalEntry::decide(state, command.clone(), &against.books(actor))?;
            let day = day_of(&events, state);
            let told = self.tell(actor, id.stream(), before.clone(), events, day)?;
            let (status, location) =
                if before.is_none() { (201, Some(format!("/v1/journal-entries/{id}"))) } else { (200, None) };
            let view = EntryView::new(&told.state, told.version);
            let answer = Answer::new(status, location, told.version, &view)?.to_bytes()?;
            let mut append = Append::of(Batch { writes: told.write.into_iter().collect(), answer })
                .unchanged(against.versions());
            append.idempotency = key.clone();
            let done = self.store.append(&actor.tenant, append).await.map_err(CommandError::from);
            if is_beside(&done, &id.stream()) && tries < TRIES {
                tries += 1;
            } else {
                return done?.try_into();
            }
        }
    }
}

/// The day for which what happens counts: that of the entry as it is then.
fn day_of(events: &[EntryEvent], state: Option<&JournalEntry>) -> Date {
    let of = |event: &EntryEvent| match event {
        EntryEvent::Drafted(drafted) => Some(drafted.entry.date),
        EntryEvent::Revised(revised) => Some(revised.entry.date),
        EntryEvent::Posted(posted) => Some(posted.entry.date),
        EntryEvent::Reversed(_) => None,
    };
    let own = state.map(|state| state.entry.date);
    events.iter().rev().find_map(of).or(own).unwrap_or_default()
}

/// A line of a journal entry: a debit or a credit.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JournalLineView {
    account: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "1500.00")]
    debit: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    credit: Option<Decimal>,
    #[schema(example = "BDT")]
    currency: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    memo: Option<String>,
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    dimensions: Attributes,
}

impl From<&JournalLine> for JournalLineView {
    fn from(line: &JournalLine) -> Self {
        Self {
            account: line.account.to_string(),
            debit: (line.side == Side::Debit).then_some(line.amount),
            credit: (line.side == Side::Credit).then_some(line.amount),
            currency: line.currency.code(),
            memo: line.memo.clone(),
            dimensions: line.dimensions.clone(),
        }
    }
}

/// The document that an entry is of.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EntrySourceView {
    /// `invoice`, `payment`, `write-off`, `year-close` or `schedule`.
    #[schema(value_type = String)]
    kind: niyam_domain::SourceKind,
    #[schema(value_type = String)]
    id: uuid::Uuid,
}

/// A journal entry.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EntryView {
    #[schema(value_type = String)]
    id: EntryId,
    #[schema(value_type = u64)]
    version: Version,
    /// `draft`, `posted` or `reversed`.
    status: &'static str,
    /// The day for which it counts.
    #[schema(value_type = String, format = Date)]
    date: Date,
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    lines: Vec<JournalLineView>,
    /// The document that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<EntrySourceView>,
    /// The entry that it takes back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    reverses: Option<EntryId>,
    /// The entry that takes it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    reversed_by: Option<EntryId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reversal_reason: Option<String>,
}

impl EntryView {
    pub(crate) fn new(found: &JournalEntry, version: Version) -> Self {
        let source = found.source.map(|EntrySource { kind, id }| EntrySourceView { kind, id });
        Self {
            id: found.id,
            version,
            status: found.status.as_str(),
            date: found.entry.date,
            description: found.entry.description.clone(),
            reference: found.entry.reference.clone(),
            lines: found.entry.lines.as_slice().iter().map(JournalLineView::from).collect(),
            source,
            reverses: found.reverses,
            reversed_by: found.reversed.as_ref().map(|reversed| reversed.reversed_by),
            reversal_reason: found.reversed.as_ref().map(|reversed| reversed.reason.clone()),
        }
    }
}
