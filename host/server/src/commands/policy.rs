//! Policies: the tenant's own rules, asked in order before a command commits.
//!
//! They are asked about invoices, payments and the profile. Activations and the module policy are changed without them: a policy
//! that denies everything, or fails, could never be withdrawn otherwise.

use std::sync::Arc;

use niyam_domain::{
    Assessment, Decision, Invoice, InvoiceEvent, InvoiceStatus, NoteKind, Payment, PaymentEvent, Profile,
    Rejection, TenantId, World,
};
use niyam_modules::Decided;
use niyam_values::policy::{Request, Ruling};
use niyam_values::{Date, Determination, Document, Finding};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::commands::fallback::{Answered, Fallback};
use crate::commands::{Actor, CommandError, payment_policy};
use crate::roles::Role;
use crate::tenants::TenantAt;

/// What a command is about to record.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Subject<'a> {
    /// An event of an invoice.
    Invoice {
        /// The invoice as it stands; `None` before it is drafted.
        before: Option<&'a Invoice>,
        /// What is about to happen to it. An issue's serial and number are not looked at: they are not drawn yet.
        event: &'a InvoiceEvent,
    },
    /// An event of a payment.
    Payment {
        /// The payment as it stands; `None` before it is recorded.
        before: Option<&'a Payment>,
        /// What is about to happen to it.
        event: &'a PaymentEvent,
    },
    /// A new profile of the tenant.
    Profile {
        /// Whose.
        tenant: &'a TenantId,
        /// The new one, whole.
        profile: &'a Profile,
    },
}

/// A policy's ruling, as kept with the event that it let pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PolicyDecision {
    /// The day in the tenant's time zone, as the policy was told.
    pub(crate) today: Date,
    /// What it said.
    pub(crate) ruling: Ruling,
    /// Who said it, of what, at which cost.
    pub(crate) decision: Decision,
}

/// What the whole chain said of a command that goes on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ruled {
    /// In the order asked.
    pub(crate) policies: Vec<PolicyDecision>,
    /// Policies that failed, and that an earlier activation answered for.
    pub(crate) fallbacks: Vec<Fallback>,
}

impl PolicyDecision {
    /// What it found.
    pub(crate) fn findings(&self) -> &[Finding] {
        match &self.ruling {
            Ruling::Allow(findings) | Ruling::Deny(findings) => findings,
            Ruling::NeedsApproval(_) => &[],
        }
    }
}

#[derive(Serialize)]
struct InvoiceBody<'a> {
    today: Date,
    document: &'a Document,
    taxes: &'a Determination,
    status: Option<InvoiceStatus>,
    reason: Option<&'a str>,
}

#[derive(Serialize)]
struct ProfileBody<'a> {
    today: Date,
    profile: &'a Profile,
}

/// The request that policies are asked: by the command, and again by whoever proves what they said.
///
/// All of it comes from the event, the state before it, and `user`, `roles` and `today` of the event's metadata. The body
/// is JSON without white space, in this order: of an invoice `today`, `document` and `taxes` as the event leaves them,
/// `status` before it (`null` for a draft that is new and for a note), `reason` of a cancellation, a note or of what is
/// written off, or `null`; of a payment what `payment_policy` makes of it; of a tenant `today` and
/// the new `profile`, whole. Documents and profiles have the shape that their events have. Events are read opened; once a
/// data subject is erased, what was asked about it is no longer to be had.
///
/// # Errors
/// When the event needs an invoice or a payment and there is none.
pub(crate) fn policy_request(
    subject: Subject<'_>,
    user: &str,
    roles: &[Role],
    today: Date,
) -> Result<Request, CommandError> {
    let (command, aggregate, body_json) = match subject {
        Subject::Invoice { before, event } => {
            let stands = || {
                let stands = before.map(|invoice| (&invoice.document, &invoice.taxes));
                stands.ok_or(Rejection::InvoiceMissing)
            };
            let (command, (document, taxes), reason) = match event {
                InvoiceEvent::Drafted(drafted) => ("draft-invoice", of(&drafted.assessment), None),
                InvoiceEvent::Revised(revised) => ("revise-invoice", of(&revised.assessment), None),
                InvoiceEvent::Approved(_) => ("approve-invoice", stands()?, None),
                InvoiceEvent::Issued(issued) => ("issue-invoice", of(&issued.assessment), None),
                InvoiceEvent::Recorded(recorded) => ("issue-invoice", of(&recorded.assessment), None),
                InvoiceEvent::Cancelled(cancelled) => {
                    ("cancel-invoice", stands()?, cancelled.reason.as_deref())
                }
                InvoiceEvent::NoteIssued(note) => {
                    let command = match note.kind {
                        NoteKind::CreditNote => "issue-credit-note",
                        NoteKind::DebitNote => "issue-debit-note",
                    };
                    (command, (&note.document, &note.taxes), note.document.attributes.get("reason"))
                }
                InvoiceEvent::WrittenOff(written_off) => {
                    ("write-off-invoice", stands()?, Some(written_off.reason.as_str()))
                }
                // They come with the command of another document, which policies are asked about.
                InvoiceEvent::Credited(_) => ("credit-invoice", stands()?, None),
                InvoiceEvent::Debited(_) => ("debit-invoice", stands()?, None),
                InvoiceEvent::Settled(_) => ("settle-invoice", stands()?, None),
                InvoiceEvent::SettlementReversed(_) => ("reverse-settlement", stands()?, None),
            };
            let id = match (event, before) {
                (InvoiceEvent::Drafted(drafted), _) => drafted.invoice_id,
                (InvoiceEvent::NoteIssued(note), _) => note.note_id,
                (_, Some(invoice)) => invoice.id,
                (_, None) => return Err(Rejection::InvoiceMissing.into()),
            };
            let body =
                InvoiceBody { today, document, taxes, status: before.map(|invoice| invoice.status), reason };
            (command, id.to_string(), serde_json::to_string(&body)?)
        }
        Subject::Payment { before, event } => payment_policy::asked(before, event, today)?,
        Subject::Profile { tenant, profile } => {
            let body = ProfileBody { today, profile };
            ("change-profile", tenant.to_string(), serde_json::to_string(&body)?)
        }
    };
    Ok(Request {
        command: command.to_owned(),
        aggregate,
        body_json,
        user: user.to_owned(),
        roles: roles.iter().map(|role| role.as_str().to_owned()).collect(),
    })
}

fn of(assessment: &Assessment) -> (&Document, &Determination) {
    (&assessment.document, &assessment.taxes)
}

impl App {
    /// Asks the tenant's policies of today, one after another; the first that does not allow the command ends it.
    ///
    /// # Errors
    /// What the policy said, or its failure.
    pub(crate) async fn ask_policies(
        &self,
        actor: &Actor,
        at: &TenantAt,
        subject: Subject<'_>,
    ) -> Result<Ruled, CommandError> {
        let today = self.now_at(at).date();
        let activations = &at.tenant.activations;
        let chain = activations.chain(World::PolicyModule, today);
        let mut ruled = Ruled::default();
        if chain.is_empty() {
            return Ok(ruled);
        }
        let request = Arc::new(policy_request(subject, &actor.user, &actor.roles, today)?);
        for first in chain {
            let asked = Arc::clone(&request);
            let in_turn = std::iter::once(first).chain(activations.before(first, today));
            let in_turn = in_turn.map(|found| &found.activation).collect();
            let Answered { answer: Decided { answer: ruling, decision }, fallbacks } = self
                .ask(&actor.tenant, in_turn, move |module, config| module.evaluate(config, &asked))
                .await?;
            let module = || decision.module.id.clone();
            match ruling {
                Ruling::Deny(findings) => {
                    return Err(CommandError::PolicyDenied { module: module(), findings });
                }
                Ruling::NeedsApproval(reason) => {
                    return Err(CommandError::ApprovalRequired { module: module(), reason });
                }
                Ruling::Allow(_) => ruled.policies.push(PolicyDecision { today, ruling, decision }),
            }
            ruled.fallbacks.extend(fallbacks);
        }
        Ok(ruled)
    }
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
