//! Papers of issued invoices.

use niyam_domain::{InvoiceId, Rejection};
use niyam_values::Form;

use crate::app::App;
use crate::commands::{Actor, CommandError};

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
        let decision = &issued.plan_decision;
        let activation = at
            .tenant
            .activations
            .all()
            .iter()
            .map(|activated| &activated.activation)
            .find(|found| {
                found.module.digest == decision.module.digest && found.config_digest == decision.config_digest
            })
            .ok_or(Rejection::NoActivePack)?
            .clone();
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
