//! Bank statements: imported once, and matched line by line with lines of the books.

use std::fmt::Write as _;
use std::sync::Arc;

use niyam_domain::{
    AccountCode, BankStatement, ClaimEvent, ClaimReleased, ClaimTaken, Currency, EntryStatus, JournalEntry,
    LedgerClaim, LedgerLineRef, NewStatement, Rejection, StatementEvent, StatementFormat, StatementId,
    StatementImported, StreamId, TenantId, Version, reports::Turnover,
};
use niyam_store::{Append, Batch, Idempotency, StreamWrite};
use niyam_values::{Decimal, Finding};

use crate::app::App;
use crate::commands::bank_views::{StatementSummary, StatementView};
use crate::commands::books::{At, TRIES};
use crate::commands::metadata::new_event;
use crate::commands::once::{Answer, Committed, once};
use crate::commands::{Actor, CommandError, Expected};
use crate::ids::derived;

/// Most lines of the books that one line of a statement is split into.
const SPLIT_MAX: usize = 100;

/// A statement's id follows from what it says: the same one twice is one, whatever file it came in.
fn id_of(tenant: &TenantId, account: &AccountCode, new: &NewStatement) -> StatementId {
    let mut lines = String::new();
    for line in &new.lines {
        // Writing to a text does not fail.
        let _ = write!(lines, "{} {};", line.date, line.amount.normalize());
    }
    let (opening, closing) = (new.opening.normalize().to_string(), new.closing.normalize().to_string());
    let days = format!("{:?} {:?}", new.starts, new.ends);
    // Days that only some files say tell statements without lines apart.
    let days = if new.lines.is_empty() { days.as_str() } else { "" };
    let parts = ["bank-statement", account.as_str(), new.currency.code(), &opening, &closing, days, &lines];
    StatementId(derived(tenant, &parts))
}

impl App {
    /// The statement, if it is the tenant's.
    pub(crate) async fn bank_statement(
        &self,
        actor: &Actor,
        id: StatementId,
    ) -> Result<At<BankStatement>, CommandError> {
        Ok(self.at(&actor.tenant, &id.stream()).await?.ok_or(Rejection::StatementMissing)?)
    }

    /// Keeps a statement of an account that takes postings, once.
    pub(crate) async fn import_statement(
        &self,
        actor: &Actor,
        key: Option<Idempotency>,
        (account, format): (&str, StatementFormat),
        new: NewStatement,
    ) -> Result<Committed, CommandError> {
        once(&self.vault, &actor.tenant, key.as_ref(), async {
            self.tenant(&actor.tenant).await?;
            let event_id = self.ids.next_id();
            let mut tries = 0;
            loop {
                let chart = self.chart_needed(&actor.tenant).await?;
                if let Some(finding) = chart.state.check_posting(account, "/account") {
                    return Err(Rejection::Findings(vec![finding]).into());
                }
                let account: AccountCode = account.parse().map_err(|_| Rejection::AccountMissing)?;
                let id = id_of(&actor.tenant, &account, &new);
                let imported = new.clone().imported(id, account, format)?;
                let done = self.keep_statement(actor, key.clone(), (imported, event_id), chart.version).await;
                match done {
                    Err(CommandError::Stale { stream }) if stream == id.stream() => {
                        return Err(Rejection::StatementExists.into());
                    }
                    Err(CommandError::Stale { .. }) if tries < TRIES => tries += 1,
                    done => return done,
                }
            }
        })
        .await
    }

    async fn keep_statement(
        &self,
        actor: &Actor,
        key: Option<Idempotency>,
        (imported, event_id): (StatementImported, uuid::Uuid),
        chart: Version,
    ) -> Result<Committed, CommandError> {
        let (id, day) = (imported.statement_id, imported.ends);
        let stream = id.stream();
        // What lines say is not in it: nothing of it has to be sealed.
        let summary = StatementSummary::new(&imported, Version(1));
        let location = Some(format!("/v1/bank-statements/{id}"));
        let answer = Answer::new(201, location, Version(1), &summary)?.to_bytes()?;
        let event = StatementEvent::Imported(imported);
        let places = niyam_domain::DomainEvent::personal(&event);
        let make = |sealing: crate::personal::Sealing| {
            let recorded = sealing.event(&event, new_event(event_id, &event, actor, day)?)?;
            let write = StreamWrite { stream: stream.clone(), expected: Version(0), events: vec![recorded] };
            let mut append = Append::of(Batch { writes: vec![write], answer: answer.clone() })
                .unchanged([(StreamId::chart(), chart)]);
            append.idempotency.clone_from(&key);
            Ok((Arc::new(sealing), append))
        };
        self.vault.append(&actor.tenant, &stream, &places, make).await
    }

    /// Matches a line of a statement with lines of the books, which add up to it.
    pub(crate) async fn confirm_match(
        &self,
        actor: &Actor,
        key: Option<Idempotency>,
        (id, expected): (StatementId, Expected),
        (line, ledger_lines): (u32, Vec<LedgerLineRef>),
    ) -> Result<Committed, CommandError> {
        once(&self.vault, &actor.tenant, key.as_ref(), async {
            let found = self.bank_statement(actor, id).await?;
            found.expect(expected, &id.stream())?;
            if ledger_lines.len() > SPLIT_MAX {
                let message = format!("a line is split into {SPLIT_MAX} at most");
                let finding = Finding::error("match-amount-differs", message).at("/ledger_lines");
                return Err(Rejection::Findings(vec![finding]).into());
            }
            let mut moved = Vec::with_capacity(ledger_lines.len());
            let mut claims = Vec::with_capacity(ledger_lines.len());
            for (index, at) in ledger_lines.iter().enumerate() {
                let amount = self.moved(actor, &found.state, *at).await?;
                let amount = amount.ok_or_else(|| {
                    let message =
                        format!("{at} is none of the statement's account and currency that is posted");
                    let finding = Finding::error("ledger-line-unknown", message);
                    Rejection::Findings(vec![finding.at(format!("/ledger_lines/{index}"))])
                })?;
                moved.push((*at, amount));
                claims.push(self.at::<LedgerClaim>(&actor.tenant, &at.stream()).await?);
            }
            let event = found.state.confirm(line, &moved)?;
            let day = found.state.imported.ends;
            let mut writes = Vec::new();
            for (at, claim) in ledger_lines.iter().zip(claims) {
                if claim.as_ref().is_some_and(|claim| claim.state.taken.is_some()) {
                    return Err(Rejection::LedgerLineMatched(at.to_string()).into());
                }
                let taken = ClaimEvent::Taken(ClaimTaken { statement_id: id, line });
                writes.extend(self.tell(actor, at.stream(), claim, vec![taken], day)?.write);
            }
            self.record_match(actor, key.clone(), found, (event, writes)).await
        })
        .await
    }

    /// Takes the match of a line back.
    pub(crate) async fn undo_match(
        &self,
        actor: &Actor,
        key: Option<Idempotency>,
        (id, expected): (StatementId, Expected),
        line: u32,
    ) -> Result<Committed, CommandError> {
        once(&self.vault, &actor.tenant, key.as_ref(), async {
            let found = self.bank_statement(actor, id).await?;
            found.expect(expected, &id.stream())?;
            let (event, freed) = found.state.undo(line)?;
            let day = found.state.imported.ends;
            let mut writes = Vec::new();
            for at in freed {
                let claim = self.at::<LedgerClaim>(&actor.tenant, &at.stream()).await?;
                let released = ClaimEvent::Released(ClaimReleased {});
                writes.extend(self.tell(actor, at.stream(), claim, vec![released], day)?.write);
            }
            self.record_match(actor, key.clone(), found.clone(), (event, writes)).await
        })
        .await
    }

    async fn record_match(
        &self,
        actor: &Actor,
        key: Option<Idempotency>,
        before: At<BankStatement>,
        (event, mut writes): (StatementEvent, Vec<StreamWrite>),
    ) -> Result<Committed, CommandError> {
        let (id, day) = (before.state.imported.statement_id, before.state.imported.ends);
        let told = self.tell(actor, id.stream(), Some(before), vec![event], day)?;
        let view = StatementSummary::of(&told.state, told.version);
        let answer = Answer::new(200, None, told.version, &view)?.to_bytes()?;
        writes.extend(told.write);
        let mut append = Append::of(Batch { writes, answer });
        append.idempotency = key;
        match self.store.append(&actor.tenant, append).await.map_err(CommandError::from) {
            // Another match took it at the same moment.
            Err(CommandError::Stale { stream }) if stream.as_str().starts_with("bank-claim/") => {
                Err(Rejection::LedgerLineMatched(stream.to_string()).into())
            }
            done => done?.try_into(),
        }
    }

    /// What a line of the books moved on the statement's account: debits less credits. None when it is not of it.
    async fn moved(
        &self,
        actor: &Actor,
        statement: &BankStatement,
        at: LedgerLineRef,
    ) -> Result<Option<Decimal>, CommandError> {
        let Some(entry) = self.at::<JournalEntry>(&actor.tenant, &at.entry_id.stream()).await? else {
            return Ok(None);
        };
        let posted = entry.state.status != EntryStatus::Draft;
        let line =
            usize::try_from(at.line).ok().and_then(|line| entry.state.entry.lines.as_slice().get(line));
        let (account, currency): (&AccountCode, Currency) =
            (&statement.imported.account, statement.imported.currency);
        let own = line.filter(|line| posted && line.account == *account && line.currency == currency);
        Ok(own.map(|line| Turnover::of(line).balance()))
    }

    /// The statement with its lines.
    pub(crate) async fn statement_view(
        &self,
        actor: &Actor,
        id: StatementId,
    ) -> Result<StatementView, CommandError> {
        let at = self.bank_statement(actor, id).await?;
        Ok(StatementView::new(&at.state, at.version))
    }
}
