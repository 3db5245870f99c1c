//! The close of a fiscal year, in steps that a job makes; each is made once, however often it is begun.
//!
//! 1. It is begun: the year's days are shut, so that what the ledger holds once it has caught up stays as it is.
//! 2. The sums of its accounts become entries, the same ones each time: an entry's id is that of tenant, year, closing and
//!    part, and its stream begins with it, so there is at most one.
//! 3. It is ended: the year is closed.

use niyam_domain::reports::Cut;
use niyam_domain::{
    ClosingSums, Entry, EntryEvent, EntryId, EntryPosted, EntrySource, EntryStatus, FiscalYear, JournalEntry,
    PeriodCommand, Periods, Position, Rejection, SourceKind, StreamId, TenantId, Version, YearStatus,
    retained_earnings,
};
use niyam_store::{Append, Batch, Scope, StoreError, StreamWrite};
use uuid::Uuid;

use crate::commands::books::{At, Desk, TRIES};
use crate::commands::metadata::new_event;
use crate::commands::{Actor, CommandError};
use crate::ids::derived;
use crate::projections::checkpoint;
use crate::projections::ledger;
use crate::projections::ledger::snapshot::Snapshot;
use crate::projections::ledger::sums::day_before;

/// Most entries of one append, and most bytes of their lines.
const ENTRIES_AT_ONCE: usize = 50;
const BYTES_AT_ONCE: usize = 4 * 1024 * 1024;

/// The entry that is a part of a closing.
pub(crate) fn part_of(tenant: &TenantId, fiscal_year: &str, number: u32, part: usize) -> EntryId {
    EntryId(derived(tenant, &["year-close", fiscal_year, &number.to_string(), &part.to_string()]))
}

/// A fiscal year that is being closed or reopened.
pub(crate) struct ClosingYear<'a> {
    pub(crate) desk: &'a Desk,
    pub(crate) actor: Actor,
    pub(crate) fiscal_year: String,
    /// Which closing of the year it is.
    pub(crate) number: u32,
}

/// Whether a step is still to be made.
pub(crate) enum Step {
    /// It goes on.
    Begun,
    /// All was done before, with so many entries.
    Done(usize),
}

/// An entry of the closing, as it is written.
pub(crate) struct Part {
    id: EntryId,
    write: StreamWrite,
}

/// `parts` as they are posted, several at once: the same ones each time.
pub(crate) fn batches(parts: &[Part]) -> Vec<&[Part]> {
    let mut batches = Vec::new();
    let (mut first, mut bytes) = (0, 0);
    for (index, part) in parts.iter().enumerate() {
        let own = part.write.events.iter().map(|event| event.payload.len()).sum::<usize>();
        if index - first >= ENTRIES_AT_ONCE || (index > first && bytes + own > BYTES_AT_ONCE) {
            batches.push(&parts[first..index]);
            (first, bytes) = (index, 0);
        }
        bytes += own;
    }
    if first < parts.len() {
        batches.push(&parts[first..]);
    }
    batches
}

impl ClosingYear<'_> {
    /// Shuts the days of the year, unless that was done before.
    pub(crate) async fn begin(&self) -> Result<Step, CommandError> {
        for _ in 0..TRIES {
            let before = self.desk.periods(&self.actor.tenant).await?;
            if let Some(year) = self.own(&before.state) {
                return match year.status {
                    YearStatus::Closing => Ok(Step::Begun),
                    YearStatus::Closed => Ok(Step::Done(entries_of(year))),
                    found => Err(Rejection::WrongYearStatus { found, needed: "open" }.into()),
                };
            }
            // A job that comes again late begins no closing but its own.
            let last = before.state.years.get(&self.fiscal_year).map_or(0, |year| year.number);
            if last.saturating_add(1) != self.number {
                let found =
                    before.state.year_status(&self.fiscal_year).ok_or(Rejection::FiscalYearMissing)?;
                return Err(
                    Rejection::WrongYearStatus { found, needed: "as it was when this was asked" }.into()
                );
            }
            let chart = self.desk.chart_needed(&self.actor.tenant).await?;
            let retained_earnings = retained_earnings(&chart.state)?;
            let fiscal_year = self.fiscal_year.clone();
            let command = PeriodCommand::BeginYearClose { fiscal_year, retained_earnings };
            if self.record(before, command, vec![(StreamId::chart(), chart.version)]).await? {
                return Ok(Step::Begun);
            }
        }
        Err(StoreError::Overloaded.into())
    }

    /// Where the tenant's history ends.
    pub(crate) async fn head(&self) -> Result<Position, CommandError> {
        let head = self.desk.store.head(&self.actor.tenant).await?;
        Ok(head.map(|head| head.last_position).unwrap_or_default())
    }

    /// How far the ledger is.
    pub(crate) async fn ledger_position(&self) -> Result<Position, CommandError> {
        Ok(checkpoint::position(self.desk.store.database(), &self.actor.tenant, ledger::NAME).await?)
    }

    /// The entries of the closing, made of what the ledger holds, which is to hold `until`.
    pub(crate) async fn parts(&self, until: Position) -> Result<Vec<Part>, CommandError> {
        let periods = self.desk.periods(&self.actor.tenant).await?;
        let year = self.closing(&periods.state)?.clone();
        let sums = self.sums(&periods.state, until).await?;
        let entries = sums.entries(&self.fiscal_year, year.ends, &year.retained_earnings)?;
        entries.into_iter().enumerate().map(|(part, entry)| self.part(part, entry)).collect()
    }

    async fn sums(&self, periods: &Periods, until: Position) -> Result<ClosingSums, CommandError> {
        let tenant = &self.actor.tenant;
        let (starts, ends) = periods.days_of_year(&self.fiscal_year).ok_or(Rejection::FiscalYearMissing)?;
        // What closed the years before counts, what closes this one does not: a part may be posted already.
        let cuts = [
            Cut { from: None, until: Some(day_before(starts)), known_at: None, without_closing: false },
            Cut { from: Some(starts), until: Some(ends), known_at: None, without_closing: true },
        ];
        let mut reader = self.desk.store.database().read(&Scope::Tenant(tenant)).await?;
        let mut snapshot = Snapshot::of(&mut reader, tenant).await?;
        if snapshot.position < until {
            // A database that crashed took back what the view had.
            return Err(StoreError::Overloaded.into());
        }
        // After the ledger: every account of its lines was there before them.
        let chart = self.desk.chart_needed(tenant).await?.state;
        let [before, within] = &cuts;
        let held = snapshot.balances(before, None, None).await?;
        let held = held.plus(&snapshot.balances(within, None, None).await?);
        let mut sums = ClosingSums::of(&chart, &held);
        for account in sums.accounts() {
            for cut in &cuts {
                for (currency, dimensions, turnover) in snapshot.bearing(cut, &account).await? {
                    sums.bearing(&chart, &account, currency, dimensions, turnover.balance());
                }
            }
        }
        Ok(sums)
    }

    fn part(&self, part: usize, entry: Entry) -> Result<Part, CommandError> {
        let id = part_of(&self.actor.tenant, &self.fiscal_year, self.number, part);
        let day = entry.date;
        let source = Some(EntrySource { kind: SourceKind::YearClose, id: self.source() });
        let posted = EntryEvent::Posted(EntryPosted { entry_id: id, entry, source, reverses: None });
        let event = new_event(self.desk.ids.next_id(), &posted, &self.actor, day)?;
        let write = StreamWrite { stream: id.stream(), expected: Version(0), events: vec![event] };
        Ok(Part { id, write })
    }

    /// The closing as the document that its entries are of.
    fn source(&self) -> Uuid {
        derived(&self.actor.tenant, &["year-close", &self.fiscal_year, &self.number.to_string()])
    }

    /// Posts `batch`, unless that was done before: all of it was then.
    pub(crate) async fn post(&self, batch: &[Part]) -> Result<(), CommandError> {
        let Some(first) = batch.first() else { return Ok(()) };
        for _ in 0..TRIES {
            let periods = self.desk.periods(&self.actor.tenant).await?;
            self.closing(&periods.state)?;
            if self.entry(first.id).await?.is_some() {
                return Ok(());
            }
            let writes = batch.iter().map(|part| part.write.clone()).collect();
            let append = Append::of(Batch { writes, answer: Vec::new() })
                .unchanged([(StreamId::periods(), periods.version)]);
            match self.desk.store.append(&self.actor.tenant, append).await.map_err(CommandError::from) {
                // Another host posts the same, or another year was opened: look again.
                Err(CommandError::Stale { .. }) => {}
                done => return done.map(|_| ()),
            }
        }
        Err(StoreError::Overloaded.into())
    }

    /// The year is closed from here on, by so many entries.
    pub(crate) async fn end(&self, entries: usize) -> Result<(), CommandError> {
        let entries = u32::try_from(entries).unwrap_or(u32::MAX);
        let command = PeriodCommand::EndYearClose { fiscal_year: self.fiscal_year.clone(), entries };
        self.finish(YearStatus::Closed, &command).await
    }

    /// Begins to take the closing back, unless that was done before.
    pub(crate) async fn begin_reopen(&self, reason: &str) -> Result<Step, CommandError> {
        for _ in 0..TRIES {
            let before = self.desk.periods(&self.actor.tenant).await?;
            let year = self
                .own(&before.state)
                .ok_or(Rejection::WrongYearStatus { found: YearStatus::Open, needed: "closing or closed" })?;
            match year.status {
                YearStatus::Reopening => return Ok(Step::Begun),
                YearStatus::Open => return Ok(Step::Done(entries_of(year))),
                YearStatus::Closing | YearStatus::Closed => {}
            }
            let (fiscal_year, reason) = (self.fiscal_year.clone(), reason.to_owned());
            let command = PeriodCommand::BeginYearReopen { fiscal_year, reason };
            if self.record(before, command, Vec::new()).await? {
                return Ok(Step::Begun);
            }
        }
        Err(StoreError::Overloaded.into())
    }

    /// How many entries closed the year, as far as that is known.
    pub(crate) async fn entries_known(&self) -> Result<u32, CommandError> {
        let periods = self.desk.periods(&self.actor.tenant).await?;
        Ok(self.own(&periods.state).and_then(|year| year.entries).unwrap_or_default())
    }

    /// Takes back some of the entries after the first `done`; how many, or nothing when there are no more.
    pub(crate) async fn take_back(&self, done: usize, reason: &str) -> Result<Option<usize>, CommandError> {
        let tenant = &self.actor.tenant;
        for _ in 0..TRIES {
            let periods = self.desk.periods(tenant).await?;
            let mut writes = Vec::new();
            let (mut seen, mut bytes) = (0, 0);
            while seen < ENTRIES_AT_ONCE && bytes < BYTES_AT_ONCE / 2 {
                let id = part_of(tenant, &self.fiscal_year, self.number, done + seen);
                let Some(found) = self.entry(id).await? else { break };
                seen += 1;
                if found.state.status != EntryStatus::Posted {
                    continue;
                }
                let mirror_id = EntryId(derived(tenant, &["year-close mirror", &id.to_string()]));
                let day = found.state.entry.date;
                let reversal = found.state.reverse_closing(mirror_id, reason.to_owned())?;
                let told =
                    self.desk.tell(&self.actor, id.stream(), Some(found), vec![reversal.reversed], day)?;
                let mirror = self.desk.tell::<JournalEntry>(
                    &self.actor,
                    mirror_id.stream(),
                    None,
                    vec![reversal.mirror],
                    day,
                )?;
                let both: Vec<StreamWrite> = told.write.into_iter().chain(mirror.write).collect();
                bytes += both
                    .iter()
                    .flat_map(|write| &write.events)
                    .map(|event| event.payload.len())
                    .sum::<usize>();
                writes.extend(both);
            }
            if writes.is_empty() {
                return Ok((seen > 0).then_some(seen));
            }
            let append = Append::of(Batch { writes, answer: Vec::new() })
                .unchanged([(StreamId::periods(), periods.version)]);
            match self.desk.store.append(tenant, append).await.map_err(CommandError::from) {
                Err(CommandError::Stale { .. }) => {}
                done => return done.map(|_| Some(seen)),
            }
        }
        Err(StoreError::Overloaded.into())
    }

    /// The year is open from here on.
    pub(crate) async fn end_reopen(&self) -> Result<(), CommandError> {
        let command = PeriodCommand::EndYearReopen { fiscal_year: self.fiscal_year.clone() };
        self.finish(YearStatus::Open, &command).await
    }

    async fn finish(&self, wanted: YearStatus, command: &PeriodCommand) -> Result<(), CommandError> {
        for _ in 0..TRIES {
            let before = self.desk.periods(&self.actor.tenant).await?;
            if self.own(&before.state).is_some_and(|year| year.status == wanted)
                || self.record(before, command.clone(), Vec::new()).await?
            {
                return Ok(());
            }
        }
        Err(StoreError::Overloaded.into())
    }

    /// Records what `command` makes of the periods; `false` when they moved on meanwhile.
    async fn record(
        &self,
        before: At<Periods>,
        command: PeriodCommand,
        unchanged: Vec<(StreamId, Version)>,
    ) -> Result<bool, CommandError> {
        let tenant = &self.actor.tenant;
        let events = Periods::decide(Some(&before.state), command)?;
        let today = self.desk.today(&self.desk.tenant(tenant).await?);
        let told = self.desk.tell(&self.actor, StreamId::periods(), Some(before), events, today)?;
        let batch = Batch { writes: told.write.into_iter().collect(), answer: Vec::new() };
        match self
            .desk
            .store
            .append(tenant, Append::of(batch).unchanged(unchanged))
            .await
            .map_err(CommandError::from)
        {
            Err(CommandError::Stale { .. }) => Ok(false),
            done => done.map(|_| true),
        }
    }

    async fn entry(&self, id: EntryId) -> Result<Option<At<JournalEntry>>, CommandError> {
        self.desk.at(&self.actor.tenant, &id.stream()).await
    }

    /// This closing of the year, if it was begun.
    fn own<'p>(&self, periods: &'p Periods) -> Option<&'p FiscalYear> {
        periods.years.get(&self.fiscal_year).filter(|year| year.number == self.number)
    }

    /// This closing, which is under way.
    fn closing<'p>(&self, periods: &'p Periods) -> Result<&'p FiscalYear, CommandError> {
        let found = periods.year_status(&self.fiscal_year).ok_or(Rejection::FiscalYearMissing)?;
        let own = self.own(periods).filter(|year| year.status == YearStatus::Closing);
        Ok(own.ok_or(Rejection::WrongYearStatus { found, needed: "closing" })?)
    }
}

fn entries_of(year: &FiscalYear) -> usize {
    year.entries.unwrap_or_default() as usize
}
