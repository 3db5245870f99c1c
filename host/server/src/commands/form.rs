//! Papers of issued invoices.
//!
//! Nothing of a paper is kept: the pack that issued the invoice draws its form again from the event, and the same form gives the
//! same bytes. So what is erased is on no paper from then on.

use niyam_documents::{Options, Paper, Seal};
use niyam_domain::{Activation, Decision, InvoiceId, Rejection, TenantId};
use niyam_values::{Date, Form, Party};
use sha2::{Digest as _, Sha256};

use crate::app::App;
use crate::commands::{Actor, CommandError};
use crate::tenants::TenantAt;
use crate::turns::Busy;

/// As what a paper is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Medium {
    Json,
    Html,
    Pdf,
}

/// A paper, drawn.
pub(crate) struct Drawn {
    pub(crate) bytes: Vec<u8>,
    /// SHA-256 of the bytes, hex.
    pub(crate) digest: String,
    /// What a file of it is called, without its extension: code and number.
    pub(crate) name: String,
}

/// A form that is to be drawn.
pub(crate) struct Sheet {
    pub(crate) form: Form,
    /// Of it, or of its document.
    pub(crate) number: String,
    /// The day that it says it was made.
    pub(crate) date: Date,
    /// What its seal says besides the number, by name; none for a paper without one.
    pub(crate) seal: Option<Vec<(String, String)>>,
}

impl App {
    /// Draws the paper `code` of an issued invoice, by the pack and the configuration that issued it, not today's.
    pub(crate) async fn draw_paper(
        &self,
        actor: &Actor,
        id: InvoiceId,
        code: String,
        medium: Medium,
        options: Options,
    ) -> Result<Drawn, CommandError> {
        let sheet = self.form(actor, id, code).await?;
        self.draw_sheet(&actor.tenant, sheet, medium, options).await
    }

    /// Draws a form.
    pub(crate) async fn draw_sheet(
        &self,
        tenant: &TenantId,
        sheet: Sheet,
        medium: Medium,
        options: Options,
    ) -> Result<Drawn, CommandError> {
        let name = format!("{}-{}", sheet.form.code, sheet.number);
        // Drawing takes milliseconds, a long paper seconds: not on the workers that answer requests.
        let drawn = self.papers.run(tenant, move || sheet.draw(medium, &options)).await;
        let bytes = drawn.map_err(|Busy| CommandError::PapersBusy)??;
        let digest = hex::encode(Sha256::digest(&bytes));
        Ok(Drawn { bytes, digest, name })
    }

    async fn form(&self, actor: &Actor, id: InvoiceId, code: String) -> Result<Sheet, CommandError> {
        let invoice = self.invoice(actor, id).await?.invoice;
        let Some(issued) = invoice.issued else { return Err(CommandError::NotIssued) };
        let at = self.tenant(&actor.tenant).await?;
        // The pack that planned the issue draws its paper; the taxes may be another module's.
        let Some((_, decision)) = &issued.planned else { return Err(CommandError::FormMissing) };
        let activation = who_decided(&at, decision)?.clone();
        let (document, taxes) = (invoice.document, invoice.taxes);
        let (number, date) = (issued.facts.number.clone(), issued.facts.issued_on);
        let identifier = identifier(&document.supplier);
        let total = format!("{} {}", taxes.gross, document.currency);
        let drawn = self
            .packs
            .call(&actor.tenant, &activation, move |module, config| {
                let drawn = module.draw_form(config, &code, &document, &taxes, &issued.facts)?;
                match drawn.answer {
                    Err(_) if !module.form_codes(config, &document)?.answer.contains(&code) => Ok(None),
                    answer => Ok(Some(answer)),
                }
            })
            .await?;
        let form = drawn.ok_or(CommandError::FormMissing)?.map_err(Rejection::Findings)?;
        let seal = identifier.into_iter().chain([("total".to_owned(), total)]).collect();
        Ok(Sheet { form, number, date, seal: Some(seal) })
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

impl Sheet {
    fn draw(&self, medium: Medium, options: &Options) -> Result<Vec<u8>, CommandError> {
        let json = niyam_documents::json(&self.form)?;
        if medium == Medium::Json {
            return Ok(json);
        }
        let seal = self.seal.as_ref().map(|facts| {
            let number = ("no".to_owned(), self.number.clone());
            let facts = std::iter::once(number).chain(facts.iter().cloned()).collect();
            Seal { facts, digest: niyam_documents::digest(&json) }
        });
        let paper = Paper { form: &self.form, options, date: self.date, seal: seal.as_ref() };
        Ok(match medium {
            Medium::Pdf => niyam_documents::pdf(&paper)?.bytes,
            _ => niyam_documents::html(&paper).into_bytes(),
        })
    }
}

/// The first identifier of who makes a paper: kind and value.
pub(crate) fn identifier(party: &Party) -> Option<(String, String)> {
    let mut identifiers = party.identifiers.iter();
    let found = identifiers.find(|identifier| !identifier.value.trim().is_empty())?;
    Some((found.kind.clone(), found.value.clone()))
}
