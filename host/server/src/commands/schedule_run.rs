//! Posts what a schedule is due: each occurrence once, whoever runs it, however often, and also after a crash.
//!
//! An entry and the schedule's word that it was posted are one transaction, made against the version of the schedule that
//! had it due; the entry's id is that of tenant, schedule and occurrence. What cannot be posted stays due.

use std::collections::BTreeSet;

use niyam_domain::{
    Authority, Books, Chart, EntryEvent, EntryId, EntryPosted, EntrySource, JournalEntry, Occurrence,
    OccurrencePosted, OccurrenceReversed, Periods, Rejection, ReverseEntry, Schedule, ScheduleEvent,
    ScheduleId, SourceKind, StreamId, TenantId, Version, What,
};
use niyam_store::{Append, Batch, StoreError, StreamWrite};
use niyam_values::{Date, Finding};

use crate::commands::books::{At, Desk, TRIES, authority};
use crate::commands::metadata::new_event;
use crate::commands::{Actor, CommandError};
use crate::ids::derived;

/// What came of an occurrence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is posted, by this entry.
    Posted(Occurrence, EntryId),
    /// It stays due, and why.
    Held(Occurrence, Vec<Finding>),
}

impl Outcome {
    pub(crate) const fn is_posted(&self) -> bool {
        matches!(self, Self::Posted(..))
    }
}

/// What is posted against.
pub(crate) struct Against {
    pub(crate) chart: At<Chart>,
    pub(crate) periods: At<Periods>,
}

impl Against {
    /// What keeps `occurrence` from being posted by who has `authority`.
    pub(crate) fn findings(&self, occurrence: &Occurrence, authority: Authority) -> Vec<Finding> {
        let (chart, periods) = (&self.chart.state, &self.periods.state);
        match &occurrence.what {
            What::Entry(entry) => match (Books { chart, periods, authority }).admit(entry, "/date") {
                Err(Rejection::Findings(findings)) => findings,
                _ => Vec::new(),
            },
            What::Reversal => periods.check_day(occurrence.date, authority, "/date").into_iter().collect(),
        }
    }

    fn versions(&self) -> [(StreamId, Version); 2] {
        [(StreamId::chart(), self.chart.version), (StreamId::periods(), self.periods.version)]
    }
}

/// The entry of an occurrence, or the one that takes it back.
pub(crate) fn entry_of(tenant: &TenantId, schedule: ScheduleId, occurrence: &Occurrence) -> EntryId {
    let kind = if occurrence.what == What::Reversal { "schedule reversal" } else { "schedule" };
    EntryId(derived(tenant, &[kind, &schedule.to_string(), &occurrence.key]))
}

impl Desk {
    /// The chart and the periods, as they stand.
    pub(crate) async fn against(&self, tenant: &TenantId) -> Result<Against, CommandError> {
        Ok(Against { chart: self.chart_needed(tenant).await?, periods: self.periods(tenant).await? })
    }

    /// Posts what is due of a schedule through a day, at most `most`; what came of each, and whether more is due.
    pub(crate) async fn run_schedule(
        &self,
        actor: &Actor,
        id: ScheduleId,
        through: Date,
        most: usize,
    ) -> Result<(Vec<Outcome>, bool), CommandError> {
        let mut outcomes = Vec::new();
        let mut held: BTreeSet<(String, bool)> = BTreeSet::new();
        let mut tries = 0;
        loop {
            let Some(found) = self.at::<Schedule>(&actor.tenant, &id.stream()).await? else {
                return Ok((outcomes, false));
            };
            let against = self.against(&actor.tenant).await?;
            let due = found.state.due(through, &against.periods.state);
            let name = |occurrence: &Occurrence| (occurrence.key.clone(), occurrence.what == What::Reversal);
            let next = due.into_iter().find(|occurrence| !held.contains(&name(occurrence)));
            let Some(occurrence) = next else { return Ok((outcomes, false)) };
            if outcomes.iter().filter(|outcome: &&Outcome| outcome.is_posted()).count() >= most {
                return Ok((outcomes, true));
            }
            match self.post_occurrence(actor, found, &against, &occurrence).await {
                Ok(entry_id) => outcomes.push(Outcome::Posted(occurrence, entry_id)),
                Err(CommandError::Rejected(Rejection::Findings(findings))) => {
                    held.insert(name(&occurrence));
                    outcomes.push(Outcome::Held(occurrence, findings));
                }
                // Another host or another command came first: look again.
                Err(CommandError::Stale { .. }) if tries < TRIES => tries += 1,
                Err(CommandError::Stale { .. }) => return Err(StoreError::Overloaded.into()),
                Err(error) => return Err(error),
            }
        }
    }

    async fn post_occurrence(
        &self,
        actor: &Actor,
        schedule: At<Schedule>,
        against: &Against,
        occurrence: &Occurrence,
    ) -> Result<EntryId, CommandError> {
        let id = schedule.state.id;
        let entry_id = entry_of(&actor.tenant, id, occurrence);
        let (event, mut writes) = match &occurrence.what {
            What::Entry(entry) => {
                let findings = against.findings(occurrence, authority(actor));
                if !findings.is_empty() {
                    return Err(Rejection::Findings(findings).into());
                }
                let source = Some(EntrySource { kind: SourceKind::Schedule, id: id.0 });
                let posted = EntryPosted { entry_id, entry: (**entry).clone(), source, reverses: None };
                let event =
                    new_event(self.ids.next_id(), &EntryEvent::Posted(posted), actor, occurrence.date)?;
                let write =
                    StreamWrite { stream: entry_id.stream(), expected: Version(0), events: vec![event] };
                let (occurrence, date) = (occurrence.key.clone(), occurrence.date);
                (ScheduleEvent::Posted(OccurrencePosted { occurrence, entry_id, date }), vec![write])
            }
            What::Reversal => self.take_back(actor, &schedule, against, (occurrence, entry_id)).await?,
        };
        let told = self.tell(actor, id.stream(), Some(schedule), vec![event], occurrence.date)?;
        writes.extend(told.write);
        let append = Append::of(Batch { writes, answer: Vec::new() }).unchanged(against.versions());
        self.store.append(&actor.tenant, append).await?;
        Ok(entry_id)
    }

    /// What takes the occurrence's entry back, unless somebody did already.
    async fn take_back(
        &self,
        actor: &Actor,
        schedule: &At<Schedule>,
        against: &Against,
        (occurrence, mirror_id): (&Occurrence, EntryId),
    ) -> Result<(ScheduleEvent, Vec<StreamWrite>), CommandError> {
        let posted = schedule.state.posted.get(&occurrence.key).ok_or(Rejection::EntryMissing)?;
        let entry: At<JournalEntry> =
            self.at(&actor.tenant, &posted.entry_id.stream()).await?.ok_or(Rejection::EntryMissing)?;
        let key = occurrence.key.clone();
        let event = |mirror_id| ScheduleEvent::Reversed(OccurrenceReversed { occurrence: key, mirror_id });
        if let Some(reversed) = &entry.state.reversed {
            return Ok((event(reversed.reversed_by), Vec::new()));
        }
        let (date, reason) = (occurrence.date, format!("The accrual of {} ends", occurrence.key));
        let command = ReverseEntry { mirror_id, date, reason };
        let reversal = entry.state.reverse(command, &against.periods.state, authority(actor))?;
        let stream = posted.entry_id.stream();
        let told = self.tell(actor, stream, Some(entry), vec![reversal.reversed], date)?;
        let mirror =
            self.tell::<JournalEntry>(actor, mirror_id.stream(), None, vec![reversal.mirror], date)?;
        Ok((event(mirror_id), told.write.into_iter().chain(mirror.write).collect()))
    }
}
