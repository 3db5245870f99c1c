//! Registers and returns: drawn by the pack from what was issued for a period; prepared, reviewed, filed, corrected.
//!
//! A return is shown by drawing it again: from the same documents, by the module and the configuration that drew it.
//! Callers see to it that the view of the documents holds the position that they name.

use std::sync::Arc;

use jiff::civil::Date;
use niyam_domain::{
    Aggregate as _, Currency, Decision, InvoiceEvent, Position, PrepareReturn, Rejection, ReturnCommand,
    ReturnPrepared, StreamId, TaxReturn, TenantId, Version, World, return_stream,
};
use niyam_store::{Append, Batch, Idempotency};
use niyam_values::{
    Attributes, Block, Cell, Decimal, Determination, Direction, Document, FiscalPeriod, Form, IssueFacts,
    OpeningBalance, Party, PriceMode, RegisterEntry,
};

use crate::app::App;
use crate::commands::books::{At, TRIES};
use crate::commands::fallback::in_turn;
use crate::commands::form::who_decided;
use crate::commands::invoice::signatory;
use crate::commands::metadata::{Metadata, event_with};
use crate::commands::once::{Answer, Committed, once};
use crate::commands::policy::Ruled;
use crate::commands::return_views::{ContributionView, ReturnView};
use crate::commands::{Actor, CommandError, Expected};
use crate::projections::TaxDocuments;
use crate::tenants::TenantAt;

/// Events that are read at once.
const EVENTS_AT_ONCE: usize = 500;

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

/// A document that counts for a period.
struct TaxDocument {
    /// Of the invoice.
    id: String,
    entry: RegisterEntry,
}

/// The documents of a period.
struct TaxDocumentsOf {
    documents: Vec<TaxDocument>,
    /// Whether the data of a party of one of them were erased.
    erased: bool,
}

impl TaxDocumentsOf {
    /// With who files, for a return.
    fn into_entries(self, filing: Option<&RegisterEntry>) -> Arc<Vec<RegisterEntry>> {
        let entries = self.documents.into_iter().map(|document| document.entry);
        Arc::new(entries.chain(filing.cloned()).collect())
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
        at: &TenantAt,
        of: ReturnOf,
        known_at: Position,
    ) -> Result<Form, CommandError> {
        let documents = self.tax_documents(&at.tenant.id, &of.period, known_at).await?;
        let entries = documents.into_entries(None);
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
            let entries = documents.into_entries(Some(&filing));
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
            let documents = self.positions_of(&actor.tenant, &of.period, known_at).await?;
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
        let entries = documents.into_entries(Some(&prepared.filing));
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

    /// What each document of a prepared return adds to one of its figures, by asking who drew it about that document
    /// alone, and what is left of the figure besides.
    pub(crate) async fn contributions(
        &self,
        at: &TenantAt,
        prepared: &ReturnPrepared,
        figure: String,
    ) -> Result<(Decimal, Vec<ContributionView>), CommandError> {
        let documents = self.tax_documents(&at.tenant.id, &prepared.period, prepared.known_at).await?;
        let activation = who_decided(at, &prepared.decision)?.clone();
        let asked = prepared.clone();
        let found = self
            .packs
            .call(&at.tenant.id, &activation, move |module, config| {
                let documents = documents.documents;
                let draw = |entries: &[RegisterEntry], opening: &[OpeningBalance]| {
                    let drawn =
                        module.draw_return_unproved(config, &asked.code, &asked.period, entries, opening)?.0;
                    Ok(drawn.ok().and_then(|form| amount_of(&form, &figure)))
                };
                let filing = &asked.filing;
                let mut entries: Vec<RegisterEntry> =
                    documents.iter().map(|document| document.entry.clone()).collect();
                entries.push(filing.clone());
                let Some(total) = draw(&entries, &asked.opening)? else { return Ok(None) };
                let alone = draw(std::slice::from_ref(filing), &[])?.unwrap_or_default();
                let mut found = Vec::new();
                for TaxDocument { id, entry } in documents {
                    let pair = [entry, filing.clone()];
                    let amount = draw(&pair, &[])?.unwrap_or_default();
                    let amount = amount.checked_sub(alone).unwrap_or(amount);
                    if !amount.is_zero() {
                        found.push(ContributionView::new(&id, &pair[0], amount));
                    }
                }
                Ok(Some((total, found)))
            })
            .await?;
        found.ok_or(CommandError::FigureMissing)
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

    async fn positions_of(
        &self,
        tenant: &TenantId,
        period: &FiscalPeriod,
        up_to: Position,
    ) -> Result<Vec<Position>, CommandError> {
        let days: (Date, Date) = (period.starts, period.ends);
        Ok(TaxDocuments::between(self.store.database(), tenant, days, up_to).await?)
    }

    /// What was issued for a period, in order.
    async fn tax_documents(
        &self,
        tenant: &TenantId,
        period: &FiscalPeriod,
        up_to: Position,
    ) -> Result<TaxDocumentsOf, CommandError> {
        let positions = self.positions_of(tenant, period, up_to).await?;
        let mut documents = Vec::with_capacity(positions.len());
        let mut erased = false;
        let mut opening = self.vault.opening(tenant);
        for page in positions.chunks(EVENTS_AT_ONCE) {
            let events = self.vault.opener().books().at(tenant, page).await?;
            for opened in opening.events(events).await? {
                erased |= opened.erased;
                let InvoiceEvent::Issued(issued) = opened.read()? else {
                    let position = opened.event.position;
                    return Err(CommandError::Defect(format!("no issue at position {position}")));
                };
                let id = opened.event.stream.as_str().trim_start_matches("invoice/").to_owned();
                let (assessment, facts) = (issued.assessment, issued.facts);
                let entry = RegisterEntry { document: assessment.document, taxes: assessment.taxes, facts };
                documents.push(TaxDocument { id, entry });
            }
        }
        Ok(TaxDocumentsOf { documents, erased })
    }
}

/// The amount that a form shows under a name: a field's key; or what a row's first cell says and a column's key, or
/// `total` and a column's key, with a colon between.
fn amount_of(form: &Form, figure: &str) -> Option<Decimal> {
    let amount = |cell: &Cell| match cell {
        Cell::Amount(amount) => Some(*amount),
        _ => None,
    };
    let (row_name, column_key) = figure.rsplit_once(':').unwrap_or((figure, ""));
    form.blocks.iter().find_map(|block| match block {
        Block::Fields(fields) => {
            fields.iter().find(|field| field.key == figure).and_then(|field| amount(&field.value))
        }
        Block::Grid(grid) => {
            let column = grid.columns.iter().position(|column| column.key == column_key)?;
            let named = |row: &&Vec<Cell>| match row.first() {
                Some(Cell::Text(text)) => text == row_name,
                Some(Cell::Amount(number)) => number.to_string() == row_name,
                _ => false,
            };
            let row = match row_name {
                "total" => Some(&grid.totals),
                _ => grid.rows.iter().find(named),
            };
            row?.get(column).and_then(amount)
        }
        Block::Paragraph(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use niyam_values::{Column, Field, Grid};

    use super::*;

    #[test]
    fn a_figure_is_a_field_or_a_cell() {
        let text = |text: &str| Cell::Text(text.to_owned());
        let amount = |amount: i64| Cell::Amount(Decimal::from(amount));
        let field = Field { key: "net".to_owned(), labels: Vec::new(), value: amount(7) };
        let column = |key: &str| Column { key: key.to_owned(), labels: Vec::new(), numeric: true };
        let grid = Grid {
            columns: vec![column("note"), column("vat")],
            rows: vec![vec![text("1"), amount(8)], vec![amount(2), Cell::Empty]],
            totals: vec![Cell::Empty, amount(9)],
        };
        let blocks = vec![Block::Fields(vec![field]), Block::Grid(grid)];
        let form = Form { code: "r".to_owned(), titles: Vec::new(), blocks };
        for (figure, expected) in [
            ("net", Some(7)),
            ("1:vat", Some(8)),
            ("total:vat", Some(9)),
            ("2:vat", None),
            ("3:vat", None),
            ("vat", None),
        ] {
            assert_eq!(amount_of(&form, figure), expected.map(Decimal::from), "{figure}");
        }
    }
}
