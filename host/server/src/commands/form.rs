//! Papers of issued invoices.
//!
//! Nothing of a paper is kept: the pack that issued the invoice draws its form again from the event, and the same form gives the
//! same bytes. So what is erased is on no paper from then on.

use niyam_documents::{Options, Paper, Seal};
use niyam_domain::{InvoiceId, Rejection};
use niyam_values::{Date, Document, Form};
use sha2::{Digest as _, Sha256};

use crate::app::App;
use crate::commands::{Actor, CommandError};
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

/// A form with the facts of its invoice.
struct Issued {
    form: Form,
    number: String,
    date: Date,
    /// The supplier's first identifier: kind and value.
    identifier: Option<(String, String)>,
    total: String,
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
        let issued = self.form(actor, id, code).await?;
        let name = format!("{}-{}", issued.form.code, issued.number);
        // Drawing takes milliseconds, a long paper seconds: not on the workers that answer requests.
        let drawn = self.papers.run(&actor.tenant, move || issued.draw(medium, &options)).await;
        let bytes = drawn.map_err(|Busy| CommandError::PapersBusy)??;
        let digest = hex::encode(Sha256::digest(&bytes));
        Ok(Drawn { bytes, digest, name })
    }

    async fn form(&self, actor: &Actor, id: InvoiceId, code: String) -> Result<Issued, CommandError> {
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
        let (number, date) = (issued.facts.number.clone(), issued.facts.issued_on);
        let identifier = identifier(&assessment.document);
        let total = format!("{} {}", assessment.taxes.gross, assessment.document.currency);
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
        Ok(Issued { form, number, date, identifier, total })
    }
}

impl Issued {
    fn draw(&self, medium: Medium, options: &Options) -> Result<Vec<u8>, CommandError> {
        let json = niyam_documents::json(&self.form)?;
        if medium == Medium::Json {
            return Ok(json);
        }
        let facts = [("no".to_owned(), self.number.clone())]
            .into_iter()
            .chain(self.identifier.clone())
            .chain([("total".to_owned(), self.total.clone())]);
        let seal = Seal { facts: facts.collect(), digest: niyam_documents::digest(&json) };
        let paper = Paper { form: &self.form, options, date: self.date, seal: Some(&seal) };
        Ok(match medium {
            Medium::Pdf => niyam_documents::pdf(&paper)?.bytes,
            _ => niyam_documents::html(&paper).into_bytes(),
        })
    }
}

fn identifier(document: &Document) -> Option<(String, String)> {
    let mut identifiers = document.supplier.identifiers.iter();
    let found = identifiers.find(|identifier| !identifier.value.trim().is_empty())?;
    Some((found.kind.clone(), found.value.clone()))
}
