//! A journal entry: draft, revise, post, reverse once.
//!
//! What is posted never changes: a linked mirror entry takes it back. The entry of a document bears the document's id,
//! so that a document is posted once at most, and goes with its document alone.

use std::fmt;

use niyam_values::{Date, Finding};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::accounts::Chart;
use crate::aggregate::Aggregate;
use crate::event::{DomainEvent, UnreadableEvent, domain_events};
use crate::ids::EntryId;
use crate::journal::lines::{Lines, NewLine};
use crate::periods::{Authority, Periods};
use crate::personal::nothing_personal;
use crate::rejection::Rejection;

/// Where an entry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntryStatus {
    /// May be revised.
    Draft,
    /// Counts.
    Posted,
    /// Counts, and so does the mirror that takes it back.
    Reversed,
}

impl EntryStatus {
    /// As written in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Posted => "posted",
            Self::Reversed => "reversed",
        }
    }
}

impl fmt::Display for EntryStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// What kind of document an entry is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceKind {
    /// An invoice, or a note.
    Invoice,
    /// The closing of a fiscal year.
    YearClose,
    /// A schedule.
    Schedule,
    /// A payment.
    Payment,
    /// What of an invoice was written off.
    WriteOff,
}

impl SourceKind {
    /// As written in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invoice => "invoice",
            Self::YearClose => "year-close",
            Self::Schedule => "schedule",
            Self::Payment => "payment",
            Self::WriteOff => "write-off",
        }
    }
}

impl SourceKind {
    /// Whether the document alone can take its entry back.
    const fn takes_back(self) -> bool {
        match self {
            Self::Invoice | Self::YearClose | Self::Payment | Self::WriteOff => true,
            Self::Schedule => false,
        }
    }
}

/// The document that an entry is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntrySource {
    /// What kind of document.
    pub kind: SourceKind,
    /// Which.
    pub id: Uuid,
}

/// What an entry says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The day for which it counts.
    pub date: Date,
    /// What it is about.
    pub description: String,
    /// What it refers to, for example a voucher.
    pub reference: Option<String>,
    /// What it moves.
    pub lines: Lines,
}

/// An entry as somebody wrote it.
#[derive(Debug, Clone)]
pub struct NewEntry {
    /// The day for which it counts.
    pub date: Date,
    /// What it is about.
    pub description: String,
    /// What it refers to.
    pub reference: Option<String>,
    /// What it moves.
    pub lines: Vec<NewLine>,
}

impl Entry {
    /// The entry that `new` is.
    ///
    /// # Errors
    /// What is wrong with it, all of it.
    pub fn new(new: NewEntry) -> Result<Self, Rejection> {
        let mut findings = Vec::new();
        let mut text = |text: &str, most: usize, pointer: &str| {
            let fits = !text.trim().is_empty()
                && text.chars().count() <= most
                && !text.chars().any(|character| character.is_control() && character != '\n');
            if !fits {
                let message = format!("1 to {most} printable characters");
                findings.push(Finding::error("text-invalid", message).at(pointer));
            }
        };
        text(&new.description, 500, "/description");
        if let Some(reference) = &new.reference {
            text(reference, 64, "/reference");
        }
        if !(1971..=2199).contains(&new.date.year()) {
            findings
                .push(Finding::error("date-out-of-range", "a date lies between 1971 and 2199").at("/date"));
        }
        match Lines::new(new.lines) {
            Ok(lines) if findings.is_empty() => {
                Ok(Self { date: new.date, description: new.description, reference: new.reference, lines })
            }
            Ok(_) => Err(Rejection::Findings(findings)),
            Err(found) => {
                findings.extend(found);
                Err(Rejection::Findings(findings))
            }
        }
    }
}

/// An entry was drafted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryDrafted {
    /// Its id.
    pub entry_id: EntryId,
    /// What it says.
    pub entry: Entry,
}

/// It says something else from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryRevised {
    /// What it says, whole.
    pub entry: Entry,
}

/// It counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryPosted {
    /// Its id.
    pub entry_id: EntryId,
    /// What it says.
    pub entry: Entry,
    /// The document that it is of, if any.
    pub source: Option<EntrySource>,
    /// The entry that it takes back, if any.
    pub reverses: Option<EntryId>,
}

impl EntryPosted {
    /// Whether it moves the result of a year into equity, so that it is no part of what the year earned and spent.
    #[must_use]
    pub fn closes_year(&self) -> bool {
        match self.source.map(|source| source.kind) {
            None
            | Some(SourceKind::Invoice | SourceKind::Schedule | SourceKind::Payment | SourceKind::WriteOff) => {
                false
            }
            Some(SourceKind::YearClose) => true,
        }
    }
}

/// Another entry takes it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryReversed {
    /// The mirror.
    pub reversed_by: EntryId,
    /// Why.
    pub reason: String,
}

domain_events! {
    /// What happens to a journal entry.
    EntryEvent {
        /// An entry was drafted.
        Drafted(EntryDrafted) = "journal-entry.drafted.v1",
        /// It says something else from now on.
        Revised(EntryRevised) = "journal-entry.revised.v1",
        /// It counts, and never changes again.
        Posted(EntryPosted) = "journal-entry.posted.v1",
        /// Another entry takes it back.
        Reversed(EntryReversed) = "journal-entry.reversed.v1",
    }
}

nothing_personal!(EntryDrafted, EntryRevised, EntryPosted, EntryReversed, JournalEntry,);

/// Draft an entry.
#[derive(Debug, Clone)]
pub struct DraftEntry {
    /// Its id.
    pub entry_id: EntryId,
    /// What it says.
    pub entry: Entry,
}

/// Let a draft say something else.
#[derive(Debug, Clone)]
pub struct ReviseEntry {
    /// What it says, whole.
    pub entry: Entry,
}

/// Let a draft count.
#[derive(Debug, Clone)]
pub struct PostEntry {}

/// Take a posted entry back. Apart from [`JournalCommand`], since it makes another entry.
#[derive(Debug, Clone)]
pub struct ReverseEntry {
    /// Id of the mirror.
    pub mirror_id: EntryId,
    /// The day for which the mirror counts.
    pub date: Date,
    /// Why.
    pub reason: String,
}

/// What may be asked of an entry, besides [`ReverseEntry`].
#[derive(Debug, Clone)]
pub enum JournalCommand {
    /// See [`DraftEntry`].
    Draft(DraftEntry),
    /// See [`ReviseEntry`].
    Revise(ReviseEntry),
    /// See [`PostEntry`].
    Post(PostEntry),
}

/// What a posting is made against.
#[derive(Debug, Clone, Copy)]
pub struct Books<'a> {
    /// The accounts.
    pub chart: &'a Chart,
    /// The periods.
    pub periods: &'a Periods,
    /// What who posts may do.
    pub authority: Authority,
}

impl Books<'_> {
    /// What keeps `entry` from being kept as a draft.
    fn check_accounts(&self, entry: &Entry) -> Vec<Finding> {
        let lines = entry.lines.as_slice().iter().enumerate();
        let check = |(index, line): (usize, &crate::journal::lines::JournalLine)| {
            self.chart.check_posting(line.account.as_str(), &format!("/lines/{index}/account"))
        };
        lines.filter_map(check).collect()
    }

    /// Whether `entry` may count; `date_at` says where its day stands.
    ///
    /// # Errors
    /// A finding for each account that takes no posting, and one when the day's period is closed.
    pub fn admit(&self, entry: &Entry, date_at: &str) -> Result<(), Rejection> {
        let mut findings = self.check_accounts(entry);
        findings.extend(self.periods.check_day(entry.date, self.authority, date_at));
        if findings.is_empty() { Ok(()) } else { Err(Rejection::Findings(findings)) }
    }
}

/// An entry as its events tell it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalEntry {
    /// Its id.
    pub id: EntryId,
    /// Where it stands.
    pub status: EntryStatus,
    /// What it says.
    pub entry: Entry,
    /// The document that it is of.
    pub source: Option<EntrySource>,
    /// The entry that it takes back.
    pub reverses: Option<EntryId>,
    /// The entry that takes it back, and why.
    pub reversed: Option<EntryReversed>,
}

/// What a reversal makes happen: to the entry, and to its mirror.
#[derive(Debug, Clone, PartialEq)]
pub struct Reversal {
    /// In the entry's stream.
    pub reversed: EntryEvent,
    /// In the mirror's, which is new.
    pub mirror: EntryEvent,
}

impl JournalEntry {
    /// What `command` makes happen.
    ///
    /// # Errors
    /// When the entry's state, an account or a period does not allow it.
    pub fn decide(
        state: Option<&Self>,
        command: JournalCommand,
        books: &Books<'_>,
    ) -> Result<Vec<EntryEvent>, Rejection> {
        let drafted = |entry: &Entry| {
            let findings = books.check_accounts(entry);
            if findings.is_empty() { Ok(()) } else { Err(Rejection::Findings(findings)) }
        };
        let event = match (state, command) {
            (None, JournalCommand::Draft(DraftEntry { entry_id, entry })) => {
                drafted(&entry)?;
                EntryEvent::Drafted(EntryDrafted { entry_id, entry })
            }
            (Some(state), JournalCommand::Revise(ReviseEntry { entry })) => {
                state.require(EntryStatus::Draft, "a draft")?;
                drafted(&entry)?;
                EntryEvent::Revised(EntryRevised { entry })
            }
            (Some(state), JournalCommand::Post(PostEntry {})) => {
                state.require(EntryStatus::Draft, "a draft")?;
                books.admit(&state.entry, "/date")?;
                let entry = state.entry.clone();
                EntryEvent::Posted(EntryPosted { entry_id: state.id, entry, source: None, reverses: None })
            }
            (Some(state), JournalCommand::Draft(_)) => {
                return Err(Rejection::WrongEntryStatus { found: state.status, needed: "new" });
            }
            (None, _) => return Err(Rejection::EntryMissing),
        };
        Ok(vec![event])
    }

    /// What takes the entry back. Accounts that were deactivated since take the mirror all the same.
    ///
    /// # Errors
    /// When it is not posted, was taken back, takes back another itself, goes with a document, or the day is not open.
    pub fn reverse(
        &self,
        command: ReverseEntry,
        periods: &Periods,
        authority: Authority,
    ) -> Result<Reversal, Rejection> {
        if self.reverses.is_none() && self.source.is_some_and(|source| source.kind.takes_back()) {
            return Err(Rejection::EntryOfDocument);
        }
        self.reverse_with_document(command, periods, authority)
    }

    /// What takes the entry back when its document is taken back: the mirror is of the same document.
    ///
    /// # Errors
    /// When it is not posted, was taken back, takes back another itself, or the day is not open.
    pub fn reverse_with_document(
        &self,
        command: ReverseEntry,
        periods: &Periods,
        authority: Authority,
    ) -> Result<Reversal, Rejection> {
        let ReverseEntry { mirror_id, date, reason } = command;
        if self.reverses.is_some() {
            return Err(Rejection::ReversalOfReversal);
        }
        self.require(EntryStatus::Posted, "posted")?;
        let mut findings = Vec::new();
        if reason.trim().is_empty() || reason.chars().count() > 500 || reason.chars().any(char::is_control) {
            findings.push(
                Finding::error("text-invalid", "a reason has 1 to 500 printable characters").at("/reason"),
            );
        }
        if !(1971..=2199).contains(&date.year()) {
            findings
                .push(Finding::error("date-out-of-range", "a date lies between 1971 and 2199").at("/date"));
        }
        if date < self.entry.date {
            let message = format!("the entry counts for {}; nothing takes it back before", self.entry.date);
            findings.push(Finding::error("reversal-before-entry", message).at("/date"));
        }
        findings.extend(periods.check_day(date, authority, "/date"));
        if !findings.is_empty() {
            return Err(Rejection::Findings(findings));
        }
        Ok(self.mirrored(mirror_id, date, reason))
    }

    /// What takes back an entry that closes a year, for its own day: the year alone decides whether it may be.
    ///
    /// # Errors
    /// When it closes no year, or was taken back.
    pub fn reverse_closing(&self, mirror_id: EntryId, reason: String) -> Result<Reversal, Rejection> {
        if self.source.is_none_or(|source| source.kind != SourceKind::YearClose) {
            return Err(Rejection::EntryMissing);
        }
        self.require(EntryStatus::Posted, "posted")?;
        Ok(self.mirrored(mirror_id, self.entry.date, reason))
    }

    fn mirrored(&self, mirror_id: EntryId, date: Date, reason: String) -> Reversal {
        let entry = Entry { date, lines: self.entry.lines.mirrored(), ..self.entry.clone() };
        Reversal {
            reversed: EntryEvent::Reversed(EntryReversed { reversed_by: mirror_id, reason }),
            mirror: EntryEvent::Posted(EntryPosted {
                entry_id: mirror_id,
                entry,
                source: self.source,
                reverses: Some(self.id),
            }),
        }
    }

    fn require(&self, wanted: EntryStatus, needed: &'static str) -> Result<(), Rejection> {
        if self.status == wanted {
            Ok(())
        } else {
            Err(Rejection::WrongEntryStatus { found: self.status, needed })
        }
    }
}

impl Aggregate for JournalEntry {
    type Event = EntryEvent;

    fn evolve(state: Option<Self>, event: EntryEvent) -> Result<Self, UnreadableEvent> {
        let draft = |id, entry| Self {
            id,
            status: EntryStatus::Draft,
            entry,
            source: None,
            reverses: None,
            reversed: None,
        };
        match (state, event) {
            (None, EntryEvent::Drafted(EntryDrafted { entry_id, entry })) => Ok(draft(entry_id, entry)),
            (Some(state), EntryEvent::Revised(EntryRevised { entry })) if state.is(EntryStatus::Draft) => {
                Ok(Self { entry, ..state })
            }
            (state, EntryEvent::Posted(EntryPosted { entry_id, entry, source, reverses }))
                if state.as_ref().is_none_or(|state| state.is(EntryStatus::Draft)) =>
            {
                let status = EntryStatus::Posted;
                Ok(Self { status, source, reverses, ..draft(entry_id, entry) })
            }
            (Some(state), EntryEvent::Reversed(reversed)) if state.is(EntryStatus::Posted) => {
                Ok(Self { status: EntryStatus::Reversed, reversed: Some(reversed), ..state })
            }
            (_, event) => Err(UnreadableEvent::OutOfOrder { event_type: event.event_type() }),
        }
    }
}

impl JournalEntry {
    fn is(&self, status: EntryStatus) -> bool {
        self.status == status
    }
}
