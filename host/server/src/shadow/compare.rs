//! One event, asked of a module in shadow, and compared with what was recorded.

use std::collections::BTreeSet;
use std::sync::Arc;

use niyam_domain::{Activation, World};
use niyam_modules::Module;
use niyam_values::policy::Ruling;
use niyam_values::{Date, Determination, Document, Finding, IssuePlan};

use crate::commands::policy::PolicyDecision;
use crate::personal::Opened;
use crate::rerun::asked::{self, Asked};
use crate::rerun::other_answer::{AnswerKind, Compared, OtherAnswer, Sums, compare};
use crate::rerun::stored::{Happened, StoredDecisions, decisions, invoice_of, payload};
use crate::rerun::verifier::patiently;
use crate::shadow::told::{OtherKind, OtherPlan, OtherRuling, Outcome, ShadowCounts, ShadowDifference};

/// Types of the events that a module of this world in shadow is asked about.
pub(crate) fn types(world: World) -> Vec<String> {
    match world {
        World::TaxModule | World::ComplianceModule => {
            Happened::types(&[&Happened::TAXED[..], &[Happened::NoteIssued]].concat())
        }
        World::PolicyModule => asked::types(),
        World::WorkflowModule => Vec::new(),
    }
}

/// A module in shadow, with what it has answered so far.
pub(crate) struct Comparer {
    module: Arc<Module>,
    activation: Activation,
    time_zone: String,
    pub(crate) counts: ShadowCounts,
    pub(crate) found: Vec<ShadowDifference>,
    /// An answer, JSON; kept to be used again.
    buffer: Vec<u8>,
}

impl Comparer {
    pub(crate) fn new(
        module: Arc<Module>,
        activation: Activation,
        time_zone: String,
        counts: ShadowCounts,
    ) -> Self {
        Self { module, activation, time_zone, counts, found: Vec::new(), buffer: Vec::new() }
    }

    /// Asks about a document's event: its taxes and, when it was issued, its issue.
    pub(crate) fn document(&mut self, opened: &Opened) {
        if self.taxes_and_plan(opened).is_err() {
            self.counts.unreadable += 1;
        }
    }

    fn taxes_and_plan(&mut self, opened: &Opened) -> Result<(), String> {
        let payload = payload(&opened.event)?;
        let stored = decisions(&opened.event.event_type, &payload)?;
        let unreadable = |error: serde_json::Error| error.to_string();
        let document: Document =
            serde_json::from_str(stored.assessment.document.get()).map_err(unreadable)?;
        if document.tax_date < self.activation.effective_from {
            return Ok(());
        }
        if opened.erased {
            self.counts.erased += 1;
            return Ok(());
        }
        if stored.assessment.decision.is_none() {
            // A note's taxes are a part of its invoice's: nobody is asked for them.
            if self.activation.world == World::ComplianceModule {
                self.plan(opened, &stored, &document)?;
            }
            return Ok(());
        }
        let compared = compare(
            (&self.module, &self.activation.config),
            &document,
            stored.assessment.taxes,
            &mut self.buffer,
        );
        match compared.map_err(unreadable)? {
            Compared::Same(_) => self.counts.count(Outcome::Same),
            Compared::Otherwise { kind, before, after, codes } => {
                self.counts.count(match kind {
                    AnswerKind::Amounts => Outcome::Differs,
                    AnswerKind::Reasons => Outcome::OtherReasons,
                    AnswerKind::Refused => Outcome::Refused,
                    AnswerKind::Failed => Outcome::Failed,
                });
                self.found.push(ShadowDifference::Taxes(OtherAnswer {
                    position: opened.event.position.0,
                    invoice: invoice_name(opened),
                    number: stored.number.as_ref().map(|number| number.clone().into_owned()),
                    tax_date: document.tax_date,
                    document_kind: document.kind.clone(),
                    currency: document.currency.clone(),
                    kind,
                    before: Sums::from(&before),
                    after: after.as_ref().map(Sums::from),
                    codes,
                }));
            }
        }
        if self.activation.world == World::ComplianceModule {
            self.plan(opened, &stored, &document)?;
        }
        Ok(())
    }

    fn plan(
        &mut self,
        opened: &Opened,
        stored: &StoredDecisions<'_>,
        document: &Document,
    ) -> Result<(), String> {
        let Some(plan) = &stored.plan else { return Ok(()) };
        let unreadable = |error: serde_json::Error| error.to_string();
        let taxes: Determination = serde_json::from_str(stored.assessment.taxes.get()).map_err(unreadable)?;
        let issued_on: Date = serde_json::from_str(plan.issued_on.get()).map_err(unreadable)?;
        let before: IssuePlan = serde_json::from_str(plan.plan.get()).map_err(unreadable)?;
        let asked = patiently(|| {
            self.module.prepare_issue_unproved(&self.activation.config, document, &taxes, issued_on)
        });
        let (kind, fields, codes) = match asked {
            Ok((Ok(after), _)) => {
                let fields = other_fields(&before, &after);
                match fields.as_slice() {
                    [] => {
                        self.counts.count(Outcome::Same);
                        return Ok(());
                    }
                    ["findings"] => (OtherKind::Reasons, fields, codes(&after.findings)),
                    _ => (OtherKind::Plan, fields, codes(&after.findings)),
                }
            }
            Ok((Err(findings), _)) => (OtherKind::Refused, Vec::new(), codes(&findings)),
            Err(failure) => (OtherKind::Failed, Vec::new(), vec![failure.code().to_owned()]),
        };
        self.counts.count(kind.outcome());
        self.found.push(ShadowDifference::Plan(OtherPlan {
            position: opened.event.position.0,
            invoice: invoice_name(opened),
            kind,
            fields: fields.into_iter().map(str::to_owned).collect(),
            codes,
        }));
        Ok(())
    }

    /// Asks what a policy in shadow would have ruled on the command that recorded the event.
    pub(crate) fn command(&mut self, opened: &Opened, asked: &Asked) {
        let today = asked.today(&self.time_zone);
        if today < self.activation.effective_from {
            return;
        }
        if asked.erased {
            self.counts.erased += 1;
            return;
        }
        let Ok(request) = asked.request(today) else {
            self.counts.unreadable += 1;
            return;
        };
        let ruled = patiently(|| self.module.evaluate(&self.activation.config, &request));
        // Beside the policy in force of the same name; where there is none, the command met no finding of it.
        let id = &self.activation.module.id;
        let in_force = asked.metadata.policies.iter().find(|policy| policy.decision.module.id == *id);
        let expected = in_force.map_or(&[][..], PolicyDecision::findings);
        let (kind, ruling, codes) = match ruled.map(|decided| decided.answer) {
            Ok(Ruling::Allow(findings)) if findings == expected => {
                return self.counts.count(Outcome::Same);
            }
            Ok(Ruling::Allow(findings)) => (OtherKind::Reasons, Some("allow"), codes(&findings)),
            Ok(Ruling::Deny(findings)) => (OtherKind::Ruling, Some("deny"), codes(&findings)),
            Ok(Ruling::NeedsApproval(_)) => (OtherKind::Ruling, Some("needs-approval"), Vec::new()),
            Err(failure) => (OtherKind::Failed, None, vec![failure.code().to_owned()]),
        };
        self.counts.count(kind.outcome());
        self.found.push(ShadowDifference::Ruling(OtherRuling {
            position: opened.event.position.0,
            invoice: invoice_of(&opened.event).map(|id| id.to_string()),
            command: request.command,
            kind,
            ruling: ruling.map(str::to_owned),
            codes,
        }));
    }
}

fn invoice_name(opened: &Opened) -> String {
    invoice_of(&opened.event).map(|id| id.to_string()).unwrap_or_default()
}

fn codes(findings: &[Finding]) -> Vec<String> {
    let codes: BTreeSet<&str> = findings.iter().map(|finding| finding.code.as_str()).collect();
    codes.into_iter().map(str::to_owned).collect()
}

fn other_fields(before: &IssuePlan, after: &IssuePlan) -> Vec<&'static str> {
    [
        ("form", before.form != after.form),
        ("series", before.series != after.series),
        ("number_pattern", before.number_pattern != after.number_pattern),
        ("findings", before.findings != after.findings),
    ]
    .into_iter()
    .filter_map(|(name, differs)| differs.then_some(name))
    .collect()
}
