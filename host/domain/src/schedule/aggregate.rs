//! A schedule: created, revised, ended; what it posted, and what it took back.

use std::collections::{BTreeMap, BTreeSet};

use niyam_values::{Date, Finding};
use serde::{Deserialize, Serialize};

use super::plan::Plan;
use crate::accounts::Chart;
use crate::aggregate::Aggregate;
use crate::event::{DomainEvent, UnreadableEvent, domain_events};
use crate::ids::{EntryId, ScheduleId};
use crate::journal::Entry;
use crate::periods::Periods;
use crate::personal::nothing_personal;
use crate::rejection::Rejection;

/// Most characters of a name.
const NAME_LENGTH_MAX: usize = 200;

/// What a schedule is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleTerms {
    /// What it is called.
    pub name: String,
    /// What it posts.
    pub plan: Plan,
    /// Nothing is posted for a day before.
    pub starts: Date,
    /// Nothing is posted for a day after.
    pub until: Option<Date>,
}

/// A schedule was created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleCreated {
    /// Its id.
    pub schedule_id: ScheduleId,
    /// What it is.
    pub terms: ScheduleTerms,
}

/// It is something else from now on; what it posted stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleRevised {
    /// What it is.
    pub terms: ScheduleTerms,
}

/// It posts nothing more after a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleEnded {
    /// That day.
    pub last_day: Date,
}

/// It posted the entry of a month or a period, in the same transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OccurrencePosted {
    /// The month, or the fiscal period's code.
    pub occurrence: String,
    /// The entry.
    pub entry_id: EntryId,
    /// The day for which it counts.
    pub date: Date,
}

/// It took such an entry back, in the same transaction; or found it taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OccurrenceReversed {
    /// The month, or the fiscal period's code.
    pub occurrence: String,
    /// The entry that takes it back.
    pub mirror_id: EntryId,
}

domain_events! {
    /// What happens to a schedule.
    ScheduleEvent {
        /// A schedule was created.
        Created(ScheduleCreated) = "schedule.created.v1",
        /// It is something else from now on.
        Revised(ScheduleRevised) = "schedule.revised.v1",
        /// It posts nothing more after a day.
        Ended(ScheduleEnded) = "schedule.ended.v1",
        /// It posted the entry of a month or a period.
        Posted(OccurrencePosted) = "schedule.occurrence-posted.v1",
        /// It took such an entry back.
        Reversed(OccurrenceReversed) = "schedule.occurrence-reversed.v1",
    }
}

nothing_personal!(
    ScheduleCreated,
    ScheduleRevised,
    ScheduleEnded,
    OccurrencePosted,
    OccurrenceReversed,
    Schedule,
);

/// What may be asked of a schedule.
#[derive(Debug, Clone)]
pub enum ScheduleCommand {
    /// Create it.
    Create(ScheduleId, ScheduleTerms),
    /// Let it be something else.
    Revise(ScheduleTerms),
    /// Let it post nothing more after a day.
    End(Date),
}

/// What is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// An entry.
    Entry(Box<Entry>),
    /// The mirror of the occurrence's entry.
    Reversal,
}

/// What a schedule posts for one month or one fiscal period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// The month, or the fiscal period's code.
    pub key: String,
    /// The day for which it counts.
    pub date: Date,
    /// What is posted.
    pub what: What,
}

/// What was posted of an occurrence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostedOccurrence {
    /// The entry.
    pub entry_id: EntryId,
    /// The day for which it counts.
    pub date: Date,
    /// The entry that takes it back.
    pub mirror_id: Option<EntryId>,
}

/// A schedule as its events tell it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// Its id.
    pub id: ScheduleId,
    /// What it is.
    pub terms: ScheduleTerms,
    /// The last day for which it posts, once it was ended.
    pub ended: Option<Date>,
    /// What it posted, by occurrence.
    pub posted: BTreeMap<String, PostedOccurrence>,
}

impl ScheduleTerms {
    fn check(&self, chart: &Chart) -> Result<(), Rejection> {
        let mut findings = self.plan.check();
        let fits = !self.name.trim().is_empty()
            && self.name.chars().count() <= NAME_LENGTH_MAX
            && !self.name.chars().any(char::is_control);
        if !fits {
            findings
                .push(Finding::error("text-invalid", "a name has 1 to 200 printable characters").at("/name"));
        }
        for (day, at) in [(Some(self.starts), "/starts"), (self.until, "/until")] {
            if day.is_some_and(|day| !(1971..=2199).contains(&day.year())) {
                findings
                    .push(Finding::error("date-out-of-range", "a date lies between 1971 and 2199").at(at));
            }
        }
        if self.until.is_some_and(|until| until < self.starts) {
            let message = "a schedule does not end before it starts";
            findings.push(Finding::error("schedule-until-before-start", message).at("/until"));
        }
        findings.extend(self.plan.check_accounts(chart));
        if findings.is_empty() { Ok(()) } else { Err(Rejection::Findings(findings)) }
    }
}

impl Schedule {
    /// What `command` makes happen.
    ///
    /// # Errors
    /// When the terms do not fit, or what was posted does not allow it.
    pub fn decide(
        state: Option<&Self>,
        command: ScheduleCommand,
        chart: &Chart,
    ) -> Result<Vec<ScheduleEvent>, Rejection> {
        let event = match (state, command) {
            (None, ScheduleCommand::Create(schedule_id, terms)) => {
                terms.check(chart)?;
                ScheduleEvent::Created(ScheduleCreated { schedule_id, terms })
            }
            (Some(_), ScheduleCommand::Create(..)) => return Err(Rejection::ScheduleEnded),
            (Some(state), ScheduleCommand::Revise(terms)) => {
                state.require_running()?;
                terms.check(chart)?;
                state.may_become(&terms)?;
                if state.terms == terms {
                    return Ok(Vec::new());
                }
                ScheduleEvent::Revised(ScheduleRevised { terms })
            }
            (Some(state), ScheduleCommand::End(last_day)) => {
                state.require_running()?;
                state.check_last("/last_day", last_day)?;
                ScheduleEvent::Ended(ScheduleEnded { last_day })
            }
            (None, _) => return Err(Rejection::ScheduleMissing),
        };
        Ok(vec![event])
    }

    /// All that it posts through a day, in order, whether posted or not.
    #[must_use]
    pub fn occurrences(&self, through: Date, periods: &Periods) -> Vec<Occurrence> {
        let last = [self.terms.until, self.ended].into_iter().flatten().min();
        let mut all = self.terms.plan.occurrences(self.terms.starts, through, periods);
        // What was posted is taken back, also when the schedule has ended meanwhile.
        all.retain(|occurrence| match occurrence.what {
            What::Entry(_) => last.is_none_or(|last| occurrence.date <= last),
            What::Reversal => true,
        });
        let entries: BTreeSet<String> = all
            .iter()
            .filter(|occurrence| occurrence.what != What::Reversal)
            .map(|occurrence| occurrence.key.clone())
            .collect();
        all.retain(|occurrence| {
            occurrence.what != What::Reversal
                || self.posted.contains_key(&occurrence.key)
                || entries.contains(&occurrence.key)
        });
        all
    }

    /// What is to be posted through a day: each once. What is taken back was posted before.
    #[must_use]
    pub fn due(&self, through: Date, periods: &Periods) -> Vec<Occurrence> {
        let mut all = self.occurrences(through, periods);
        all.retain(|occurrence| match (&occurrence.what, self.posted.get(&occurrence.key)) {
            (What::Entry(_), posted) => posted.is_none(),
            (What::Reversal, Some(posted)) => posted.mirror_id.is_none(),
            (What::Reversal, None) => false,
        });
        all
    }

    /// Whether an occurrence was posted, or taken back.
    #[must_use]
    pub fn is_done(&self, occurrence: &Occurrence) -> bool {
        let posted = self.posted.get(&occurrence.key);
        match occurrence.what {
            What::Entry(_) => posted.is_some(),
            What::Reversal => posted.is_some_and(|posted| posted.mirror_id.is_some()),
        }
    }

    /// Whether nothing more can ever be due: all is posted that lies before its last day.
    #[must_use]
    pub fn is_complete(&self, periods: &Periods) -> bool {
        let last = [self.terms.until, self.ended].into_iter().flatten().min();
        let last = match (&self.terms.plan, last) {
            (Plan::Depreciation(_), last) => last.unwrap_or(Date::MAX),
            (_, Some(last)) => last,
            (_, None) => return false,
        };
        // Some days later, so that what is taken back is among them.
        let through = last.checked_add(jiff::Span::new().days(400)).unwrap_or(Date::MAX);
        // In longer and longer stretches: what is not complete mostly shows so in its first year.
        let mut years = 1;
        loop {
            let stretch = self.terms.starts.saturating_add(jiff::Span::new().years(years)).min(through);
            if !self.due(stretch, periods).is_empty() {
                return false;
            }
            if stretch >= through {
                return true;
            }
            years *= 2;
        }
    }

    fn require_running(&self) -> Result<(), Rejection> {
        if self.ended.is_some() { Err(Rejection::ScheduleEnded) } else { Ok(()) }
    }

    fn may_become(&self, terms: &ScheduleTerms) -> Result<(), Rejection> {
        if self.posted.is_empty() {
            return Ok(());
        }
        if let Some(until) = terms.until {
            self.check_last("/until", until)?;
        }
        if terms.starts == self.terms.starts && terms.plan.is_like(&self.terms.plan) {
            return Ok(());
        }
        let message = "the schedule has posted: end it, and create another one";
        Err(Rejection::Findings(vec![Finding::error("schedule-begun", message).at("/kind")]))
    }

    fn check_last(&self, at: &str, last_day: Date) -> Result<(), Rejection> {
        match self.posted.values().map(|posted| posted.date).max() {
            Some(posted) if posted > last_day => {
                let message = format!("the schedule has posted for {posted}");
                let finding = Finding::error("schedule-end-before-posted", message).at(at);
                Err(Rejection::Findings(vec![finding]))
            }
            _ => Ok(()),
        }
    }
}

impl Aggregate for Schedule {
    type Event = ScheduleEvent;

    fn evolve(state: Option<Self>, event: ScheduleEvent) -> Result<Self, UnreadableEvent> {
        let out_of_order = UnreadableEvent::OutOfOrder { event_type: event.event_type() };
        match (state, event) {
            (None, ScheduleEvent::Created(ScheduleCreated { schedule_id, terms })) => {
                Ok(Self { id: schedule_id, terms, ended: None, posted: BTreeMap::new() })
            }
            (Some(state), ScheduleEvent::Revised(ScheduleRevised { terms })) => Ok(Self { terms, ..state }),
            (Some(state), ScheduleEvent::Ended(ScheduleEnded { last_day })) => {
                Ok(Self { ended: Some(last_day), ..state })
            }
            (Some(mut state), ScheduleEvent::Posted(posted)) => {
                let OccurrencePosted { occurrence, entry_id, date } = posted;
                let posted = PostedOccurrence { entry_id, date, mirror_id: None };
                match state.posted.insert(occurrence, posted) {
                    None => Ok(state),
                    Some(_) => Err(out_of_order),
                }
            }
            (Some(mut state), ScheduleEvent::Reversed(OccurrenceReversed { occurrence, mirror_id })) => {
                let posted = state.posted.get_mut(&occurrence).filter(|posted| posted.mirror_id.is_none());
                posted.ok_or(out_of_order)?.mirror_id = Some(mirror_id);
                Ok(state)
            }
            _ => Err(out_of_order),
        }
    }
}
