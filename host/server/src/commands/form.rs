//! Papers of issued invoices.

use niyam_domain::{Activation, Decision, InvoiceId, Rejection};
use niyam_values::Form;

use crate::app::App;
use crate::commands::{Actor, CommandError};
use crate::tenants::TenantAt;

impl App {
    /// Draws the paper `code` of an issued invoice, by the pack and the configuration that issued it, not today's.
    pub(crate) async fn draw_form(
        &self,
        actor: &Actor,
        id: InvoiceId,
        code: String,
    ) -> Result<Form, CommandError> {
        let invoice = self.invoice(actor, id).await?.invoice;
        let Some(issued) = invoice.issued else { return Err(CommandError::NotIssued) };
        let at = self.tenant(&actor.tenant).await?;
        // The pack that planned the issue draws its paper; the taxes may be another module's.
        let activation = who_decided(&at, &issued.plan_decision)?.clone();
        let assessment = invoice.assessment;
        let drawn = self
            .packs
            .call(&actor.tenant, &activation, move |module, config| {
                let document = &assessment.document;
                let drawn = module.draw_form(config, &code, document, &assessment.taxes, &issued.facts)?;
                match drawn.answer {
                    Err(_) if !module.form_codes(config, document)?.answer.contains(&code) => Ok(None),
                    answer => Ok(Some(answer)),
                }
            })
            .await?;
        let form = drawn.ok_or(CommandError::FormMissing)?.map_err(Rejection::Findings)?;
        Ok(form)
    }
}

/// An activation with the module and the configuration that made a decision.
pub(crate) fn who_decided<'a>(at: &'a TenantAt, decision: &Decision) -> Result<&'a Activation, Rejection> {
    let all = at.tenant.activations.all().iter().map(|activated| &activated.activation);
    all.into_iter()
        .find(|found| {
            found.module.digest == decision.module.digest && found.config_digest == decision.config_digest
        })
        .ok_or(Rejection::NoActivePack)
}
