//! What tax a document bears, and how it is issued.

use niyam_domain::Decision;
use niyam_modules::digest_json;
use niyam_store::StoreError;
use niyam_values::{Date, Determination, Document, IssuePlan};

use super::{Place, Stored, Verifier, canonical, digest_of};
use crate::rerun::stored::{StoredAssessment, StoredPlan, decisions, payload};

impl Verifier {
    /// The decisions of an event that leaves a document with its taxes.
    pub(super) fn document(&mut self, place: &mut Place<'_>) -> Result<(), StoreError> {
        let event = place.event;
        let read = payload(event);
        let decided =
            read.as_ref().map_err(Clone::clone).and_then(|payload| decisions(&event.event_type, payload));
        let decided = match decided {
            Ok(decided) => decided,
            Err(reason) => {
                self.unreadable(place, "", "", reason);
                return Ok(());
            }
        };
        let assessed = match &decided.assessment.decision {
            Some(decision) => self.assessment(place, &decided.assessment, decision)?,
            // The taxes of a note are a part of its invoice's.
            None => None,
        };
        if let Some(plan) = &decided.plan {
            self.plan(place, &decided.assessment, plan, assessed)?;
        }
        Ok(())
    }

    fn assessment(
        &mut self,
        place: &mut Place,
        stored: &StoredAssessment,
        decision: &Decision,
    ) -> Result<Option<(Document, Determination)>, StoreError> {
        let StoredAssessment { document: text, taxes, .. } = stored;
        let document: Document = match serde_json::from_str(text.get()) {
            Ok(document) => document,
            Err(error) => {
                let reason = error.to_string();
                self.unreadable(place, &decision.function, &decision.module.digest, reason);
                return Ok(None);
            }
        };
        let input = digest_of(&[b"[", text.get().as_bytes(), b"]"]);
        let input = canonical(input, &decision.input_digest, || digest_json(&(&document,)));
        let answer =
            self.check(place, decision, input, Stored::Accepted(taxes.get()), |module, config| {
                module.determine_unproved(config, &document, module.fuel_for(&document))
            })?;
        Ok(answer.map(|taxes| (document, taxes)))
    }

    /// `assessed` is what was found of the document, if it was proven.
    fn plan(
        &mut self,
        place: &mut Place,
        stored: &StoredAssessment,
        plan: &StoredPlan,
        assessed: Option<(Document, Determination)>,
    ) -> Result<(), StoreError> {
        let StoredPlan { plan, issued_on: day, decision } = plan;
        let read = || {
            let (document, taxes) = match assessed {
                Some(assessed) => assessed,
                None => {
                    (serde_json::from_str(stored.document.get())?, serde_json::from_str(stored.taxes.get())?)
                }
            };
            Ok::<_, serde_json::Error>((document, taxes, serde_json::from_str::<Date>(day.get())?))
        };
        let (document, taxes, issued_on) = match read() {
            Ok(read) => read,
            Err(error) => {
                self.unreadable(place, &decision.function, &decision.module.digest, error.to_string());
                return Ok(());
            }
        };
        let (document_text, taxes_text) = (stored.document.get().as_bytes(), stored.taxes.get().as_bytes());
        let input = digest_of(&[b"[", document_text, b",", taxes_text, b",", day.get().as_bytes(), b"]"]);
        let input = canonical(input, &decision.input_digest, || {
            // What was stored, not what was found now.
            let taxes: Result<Determination, serde_json::Error> = serde_json::from_str(stored.taxes.get());
            taxes.map_or_else(|_| String::new(), |taxes| digest_json(&(&document, &taxes, issued_on)))
        });
        self.check::<IssuePlan>(place, decision, input, Stored::Accepted(plan.get()), |module, config| {
            module.prepare_issue_unproved(config, &document, &taxes, issued_on)
        })?;
        Ok(())
    }
}
