//! What tax a document bears, and the country's other answers that change nothing.

use jiff::ZonedDateTime;
use jiff::tz::TimeZone;
use niyam_domain::{Activation, Assessment, Rejection, TenantId, World, check_document};
use niyam_modules::Decided;
use niyam_values::{Date, Direction, Document, FiscalPeriod};

use crate::app::App;
use crate::commands::CommandError;
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

    /// Checks `document`, makes the tenant a party to it and asks the pack of its tax date.
    pub(crate) async fn assess(
        &self,
        at: &TenantAt,
        mut document: Document,
    ) -> Result<Assessment, CommandError> {
        let own = at.tenant.profile.party(&at.tenant.id);
        match document.direction {
            Direction::Sale => document.supplier = own,
            Direction::Purchase => document.supplier = std::mem::replace(&mut document.customer, own),
        }
        let findings = check_document(&document);
        if !findings.is_empty() {
            return Err(Rejection::Findings(findings).into());
        }
        let activation = pack_on(at, document.tax_date)?.clone();
        let (document, decided) = self
            .packs
            .call(&at.tenant.id, &activation, move |module, config| {
                let decided = module.determine(config, &document)?;
                Ok((document, decided))
            })
            .await?;
        let Decided { answer, decision } = decided;
        let taxes = answer.map_err(Rejection::Findings)?;
        Ok(Assessment { document, taxes, decision })
    }

    /// The normal form of an identifier.
    pub(crate) async fn check_identifier(
        &self,
        at: &TenantAt,
        kind: String,
        value: String,
    ) -> Result<Result<String, niyam_modules::Findings>, CommandError> {
        let activation = pack_on(at, self.now_at(at).date())?.clone();
        let decided = self
            .packs
            .call(&at.tenant.id, &activation, move |module, config| {
                module.check_identifier(config, &kind, &value)
            })
            .await?;
        Ok(decided.answer)
    }

    /// The tax period that holds `day`.
    pub(crate) async fn fiscal_period(&self, at: &TenantAt, day: Date) -> Result<FiscalPeriod, CommandError> {
        let activation = pack_on(at, day)?.clone();
        let decided = self
            .packs
            .call(&at.tenant.id, &activation, move |module, config| module.fiscal_period_of(config, day))
            .await?;
        Ok(decided.answer)
    }
}

/// The compliance pack that answers for `day`.
pub(crate) fn pack_on(at: &TenantAt, day: Date) -> Result<&Activation, Rejection> {
    let answering = at.tenant.activations.answering(World::ComplianceModule, day);
    answering.map(|activated| &activated.activation).ok_or(Rejection::NoActivePack)
}
