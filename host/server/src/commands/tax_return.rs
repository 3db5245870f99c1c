//! Registers and returns: drawn by the pack from what was issued for a period; prepared, reviewed, filed, corrected.
//!
//! A return is shown by drawing it again: from the same documents, by the module and the configuration that drew it.
//! Callers see to it that the view of the documents holds the position that they name.

use jiff::civil::Date;
use niyam_domain::{
    Aggregate as _, Currency, Decision, Position, PrepareReturn, Rejection, ReturnCommand, ReturnPrepared,
    StreamId, TaxReturn, TenantId, Version, World, return_stream,
};
use niyam_store::{Append, Batch, Idempotency};
use niyam_values::{
    Attributes, Decimal, Determination, Direction, Document, FiscalPeriod, Form, IssueFacts, OpeningBalance,
    Party, PriceMode, RegisterEntry,
};

use crate::app::App;
use crate::commands::books::{At, TRIES};
use crate::commands::fallback::in_turn;
use crate::commands::form::who_decided;
use crate::commands::issue::signatory;
use crate::commands::metadata::{Metadata, event_with};
use crate::commands::once::{Answer, Committed, once};
use crate::commands::policy::Ruled;
use crate::commands::return_views::ReturnView;
use crate::commands::{Actor, CommandError, Expected};
use crate::tenants::TenantAt;

/// How a period is named.
#[derive(Debug)]
pub(crate) enum PeriodName {
    /// By any day of it.
    Day(Date),
    /// By its code, once its fiscal year was opened.
    Code(String),
}

/// What a return or register is of.
#[derive(Debug, Clone)]
pub(crate) struct ReturnOf {
    /// For example `mushak-9.1`.
    pub(crate) code: String,
    pub(crate) period: FiscalPeriod,
}

impl ReturnOf {
    fn stream(&self) -> Result<StreamId, CommandError> {
        return_stream(&self.code, &self.period.code).map_err(|_| Rejection::ReturnMissing.into())
    }
}

/// A return as it was prepared, drawn again.
pub(crate) struct DrawnAgain {
    pub(crate) form: Form,
    /// Whether it is what was drawn then, to the byte.
    pub(crate) proven: bool,
    /// Whether personal data that it showed were erased since.
    pub(crate) erased: bool,
}

impl App {
    /// The period of that name.
    pub(crate) async fn period_named(
        &self,
        at: &TenantAt,
        name: &PeriodName,
    ) -> Result<FiscalPeriod, CommandError> {
        match name {
            PeriodName::Day(day) => self.fiscal_period(at, *day).await,
            PeriodName::Code(code) => {
                let periods = self.periods(&at.tenant.id).await?;
                Ok(periods.state.find(code).ok_or(Rejection::PeriodMissing)?.period.clone())
            }
        }
    }

    /// Draws a register or a return of what was issued for its period up to `known_at`; keeps nothing.
    pub(crate) async fn draw_register(
        &self,
        actor: &Actor,
        at: &TenantAt,
        of: ReturnOf,
        known_at: Position,
    ) -> Result<Form, CommandError> {
        let documents = self.tax_documents(&at.tenant.id, &of.period, known_at).await?;
        // It says whose it is also when nothing was issued.
        let entries = documents.into_entries(&self.filing(actor, at, &of, 0, None)?);
        let packs = in_turn(&at.tenant.activations, World::ComplianceModule, of.period.ends);
        let answered = self
            .ask(&at.tenant.id, packs, move |module, config| {
                Ok(module.draw_return_unproved(config, &of.code, &of.period, &entries, &[])?.0)
            })
            .await?;
        Ok(answered.answer.map_err(Rejection::Findings)?)
    }

    /// Draws the return of a period and records who drew it, and of what.
    pub(crate) async fn prepare_return(
        &self,
        actor: &Actor,
        key: Option<Idempotency>,
        of: ReturnOf,
        opening: Vec<OpeningBalance>,
        filed_on: Option<Date>,
        known_at: Position,
    ) -> Result<Committed, CommandError> {
        let prepare = Box::pin(async {
            let at = self.tenant(&actor.tenant).await?;
            let stream = of.stream()?;
            let before: Option<At<TaxReturn>> = self.at(&actor.tenant, &stream).await?;
            let filed = before.map_or(0, |before| before.state.filed.len());
            let filing = self.filing(actor, &at, &of, filed, filed_on)?;
            let documents = self.tax_documents(&actor.tenant, &of.period, known_at).await?;
            let count = documents.documents.len();
            let entries = documents.into_entries(&filing);
            let packs = in_turn(&at.tenant.activations, World::ComplianceModule, of.period.ends);
            let (asked, brought) = (of.clone(), opening.clone());
            let answered = self
                .ask(&actor.tenant, packs, move |module, config| {
                    module.draw_return(config, &asked.code, &asked.period, &entries, &brought)
                })
                .await?;
            let decided = answered.answer;
            decided.answer.map_err(Rejection::Findings)?;
            let metadata = Metadata::new(actor, Ruled::default(), &answered.fallbacks);
            let command = ReturnCommand::Prepare(PrepareReturn {
                code: of.code.clone(),
                period: of.period.clone(),
                opening: opening.clone(),
                known_at,
                documents: u64::try_from(count).unwrap_or(u64::MAX),
                filing,
                decision: decided.decision,
            });
            let mut tries = 0;
            loop {
                let before = self.at(&actor.tenant, &stream).await?;
                let recorded =
                    self.record_return(actor, key.clone(), &at, &stream, before, command.clone(), &metadata);
                match recorded.await {
                    // Another one was prepared meanwhile.
                    Err(CommandError::Stale { .. }) if tries < TRIES => tries += 1,
                    done => return done,
                }
            }
        });
        once(&self.vault, &actor.tenant, key.as_ref(), prepare).await
    }

    /// Says that what was prepared was gone through.
    pub(crate) async fn review_return(
        &self,
        actor: &Actor,
        key: Option<Idempotency>,
        expected: Expected,
        of: &ReturnOf,
    ) -> Result<Committed, CommandError> {
        once(&self.vault, &actor.tenant, key.as_ref(), async {
            let at = self.tenant(&actor.tenant).await?;
            let stream = of.stream()?;
            let before = self.return_at(&actor.tenant, &stream).await?;
            before.expect(expected, &stream)?;
            let (command, metadata) = (ReturnCommand::Review, actor.into());
            self.record_return(actor, key.clone(), &at, &stream, Some(before), command, &metadata).await
        })
        .await
    }

    /// Files what was reviewed, if no document came since; the view of documents holds all up to `known_at`.
    pub(crate) async fn file_return(
        &self,
        actor: &Actor,
        key: Option<Idempotency>,
        expected: Expected,
        of: &ReturnOf,
        known_at: Position,
    ) -> Result<Committed, CommandError> {
        once(&self.vault, &actor.tenant, key.as_ref(), async {
            let at = self.tenant(&actor.tenant).await?;
            let stream = of.stream()?;
            let before = self.return_at(&actor.tenant, &stream).await?;
            before.expect(expected, &stream)?;
            let since = before.state.prepared.known_at;
            let documents = self.tax_positions(&actor.tenant, &of.period, known_at).await?;
            let command = ReturnCommand::File {
                today: self.now_at(&at).date(),
                outdated: documents.last().is_some_and(|last| *last > since),
            };
            self.record_return(actor, key.clone(), &at, &stream, Some(before), command, &actor.into()).await
        })
        .await
    }

    /// The returns of a period as they stand.
    pub(crate) async fn tax_return(
        &self,
        tenant: &TenantId,
        of: &ReturnOf,
    ) -> Result<At<TaxReturn>, CommandError> {
        self.return_at(tenant, &of.stream()?).await
    }

    /// Draws what was prepared once more: from the same documents, by who drew it.
    pub(crate) async fn draw_again(
        &self,
        at: &TenantAt,
        prepared: &ReturnPrepared,
    ) -> Result<DrawnAgain, CommandError> {
        let documents = self.tax_documents(&at.tenant.id, &prepared.period, prepared.known_at).await?;
        let erased = documents.erased;
        let entries = documents.into_entries(&prepared.filing);
        let activation = who_decided(at, &prepared.decision)?.clone();
        let asked = prepared.clone();
        let decided = self
            .packs
            .call(&at.tenant.id, &activation, move |module, config| {
                module.draw_return(config, &asked.code, &asked.period, &entries, &asked.opening)
            })
            .await?;
        let same = |Decision { input_digest, output_digest, .. }: &Decision| {
            (input_digest.clone(), output_digest.clone())
        };
        let proven = same(&decided.decision) == same(&prepared.decision);
        Ok(DrawnAgain { form: decided.answer.map_err(Rejection::Findings)?, proven, erased })
    }

    /// Who files a return, and when: what the pack is told behind the documents.
    fn filing(
        &self,
        actor: &Actor,
        at: &TenantAt,
        of: &ReturnOf,
        filed: usize,
        filed_on: Option<Date>,
    ) -> Result<RegisterEntry, CommandError> {
        let now = self.now_at(at);
        let profile = &at.tenant.profile;
        let currency = Currency::of_country(&profile.country);
        let currency =
            currency.ok_or_else(|| CommandError::Defect("a country without a currency".to_owned()))?;
        let nobody =
            Party { id: String::new(), name: String::new(), address: None, ..profile.party(&at.tenant.id) };
        let document = Document {
            kind: "return".to_owned(),
            direction: Direction::Sale,
            tax_date: of.period.ends,
            currency: currency.code().to_owned(),
            minor_units: currency.minor_units(),
            exchange_rate: None,
            price_mode: PriceMode::Exclusive,
            supplier: profile.party(&at.tenant.id),
            customer: Party { identifiers: Vec::new(), attributes: Attributes::new(), ..nobody },
            lines: Vec::new(),
            attributes: Attributes::new(),
        };
        let taxes = Determination {
            lines: Vec::new(),
            net: Decimal::ZERO,
            tax_added: Decimal::ZERO,
            tax_withheld: Decimal::ZERO,
            gross: Decimal::ZERO,
            payable: Decimal::ZERO,
            citations: Vec::new(),
            findings: Vec::new(),
        };
        let kind = if filed == 0 { "original" } else { "amended" };
        let facts = IssueFacts {
            number: format!("{}/{}/{}", of.code, of.period.code, filed + 1),
            issued_on: filed_on.unwrap_or_else(|| now.date()),
            issued_at: now.strftime("%H:%M:%S").to_string(),
            attributes: signatory(actor, &profile.attributes).with("return_kind", kind),
        };
        Ok(RegisterEntry { document, taxes, facts })
    }

    async fn return_at(&self, tenant: &TenantId, stream: &StreamId) -> Result<At<TaxReturn>, CommandError> {
        Ok(self.at(tenant, stream).await?.ok_or(Rejection::ReturnMissing)?)
    }

    #[expect(clippy::too_many_arguments, reason = "a command with all that it needs")]
    async fn record_return(
        &self,
        actor: &Actor,
        key: Option<Idempotency>,
        at: &TenantAt,
        stream: &StreamId,
        before: Option<At<TaxReturn>>,
        command: ReturnCommand,
        metadata: &Metadata,
    ) -> Result<Committed, CommandError> {
        let is_new = before.is_none();
        let expected = before.as_ref().map_or(Version(0), |before| before.version);
        let mut state = before.map(|before| before.state);
        let today = self.now_at(at).date();
        let mut events = Vec::new();
        for event in TaxReturn::decide(state.as_ref(), command)? {
            events.push(event_with(self.ids.next_id(), &event, metadata, today)?);
            state = Some(TaxReturn::evolve(state, event)?);
        }
        let state = state.ok_or_else(|| CommandError::Defect("a command without a return".to_owned()))?;
        let version = Version(expected.0 + events.len() as u64);
        let ReturnPrepared { code, period, .. } = &state.prepared;
        let location = is_new.then(|| format!("/v1/tax-returns/{code}?period={}", period.starts));
        let status = if is_new { 201 } else { 200 };
        let answer = Answer::new(status, location, version, &ReturnView::new(&state, version))?.to_bytes()?;
        let write = niyam_store::StreamWrite { stream: stream.clone(), expected, events };
        let mut append = Append::of(Batch { writes: vec![write], answer });
        append.idempotency = key;
        self.store.append(&actor.tenant, append).await?.try_into()
    }
}
