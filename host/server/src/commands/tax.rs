//! What tax a document bears, and the country's other answers that change nothing.

use std::sync::Arc;

use jiff::ZonedDateTime;
use jiff::tz::TimeZone;
use niyam_domain::{Activation, Activations, Assessment, Rejection, TenantId, World, check_document};
use niyam_modules::{Decided, Module};
use niyam_values::{Date, Direction, Document, FiscalPeriod};

use crate::app::App;
use crate::commands::CommandError;
use crate::commands::fallback::{Answered, in_turn};
use crate::tenants::TenantAt;

impl App {
    /// The tenant of a token.
    pub(crate) async fn tenant(&self, id: &TenantId) -> Result<TenantAt, CommandError> {
        self.tenants.get(id).await?.ok_or(CommandError::TenantUnknown)
    }

    /// The moment, in the tenant's time zone.
    pub(crate) fn now_at(&self, at: &TenantAt) -> ZonedDateTime {
        let zone = TimeZone::get(&at.tenant.profile.time_zone).unwrap_or(TimeZone::UTC);
        self.clock.now().to_zoned_datetime(zone)
    }

    /// Checks `document`, makes the tenant a party to it and asks the tax module of its tax date, or else the pack.
    pub(crate) async fn assess(
        &self,
        at: &TenantAt,
        mut document: Document,
    ) -> Result<Answered<Assessment>, CommandError> {
        let own = at.tenant.profile.party(&at.tenant.id);
        match document.direction {
            Direction::Sale => document.supplier = own,
            Direction::Purchase => document.supplier = std::mem::replace(&mut document.customer, own),
        }
        let findings = check_document(&document);
        if !findings.is_empty() {
            return Err(Rejection::Findings(findings).into());
        }
        let document = Arc::new(document);
        let asked = Arc::clone(&document);
        let in_turn = taxing(&at.tenant.activations, document.tax_date);
        let Answered { answer: Decided { answer, decision }, fallbacks } =
            self.ask(&at.tenant.id, in_turn, move |module, config| module.determine(config, &asked)).await?;
        let taxes = answer.map_err(Rejection::Findings)?;
        let answer = Assessment { document: Arc::unwrap_or_clone(document), taxes, decision };
        Ok(Answered { answer, fallbacks })
    }

    /// The normal form of an identifier.
    pub(crate) async fn check_identifier(
        &self,
        at: &TenantAt,
        kind: String,
        value: String,
    ) -> Result<Result<String, niyam_modules::Findings>, CommandError> {
        let packs = in_turn(&at.tenant.activations, World::ComplianceModule, self.now_at(at).date());
        let check = move |module: &Module, config: &str| module.check_identifier(config, &kind, &value);
        Ok(self.ask(&at.tenant.id, packs, check).await?.answer.answer)
    }

    /// The tax period that holds `day`.
    pub(crate) async fn fiscal_period(&self, at: &TenantAt, day: Date) -> Result<FiscalPeriod, CommandError> {
        let packs = in_turn(&at.tenant.activations, World::ComplianceModule, day);
        let period = move |module: &Module, config: &str| module.fiscal_period_of(config, day);
        Ok(self.ask(&at.tenant.id, packs, period).await?.answer.answer)
    }
}

/// Who is asked for the taxes of `day`: the tax module in force and those before it, then the pack, which answered
/// before the first of them came, and those before it.
fn taxing(activations: &Activations, day: Date) -> Vec<&Activation> {
    let mut asked = in_turn(activations, World::TaxModule, day);
    asked.extend(in_turn(activations, World::ComplianceModule, day));
    asked
}

/// The compliance pack that answers for `day`.
pub(crate) fn pack_on(at: &TenantAt, day: Date) -> Result<&Activation, Rejection> {
    let answering = at.tenant.activations.answering(World::ComplianceModule, day);
    answering.map(|activated| &activated.activation).ok_or(Rejection::NoActivePack)
}
