//! What an event holds of decisions: inputs and answers as the very bytes that were stored, since what a decision's
//! digests name is bytes.

use std::borrow::Cow;

use niyam_domain::{Decision, DomainEvent as _, InvoiceEvent, InvoiceId};
use niyam_store::Recorded;
use serde::Deserialize;
use serde_json::value::RawValue;

/// A document with its taxes, as stored.
#[derive(Debug, Deserialize)]
pub(crate) struct StoredAssessment<'a> {
    #[serde(borrow)]
    pub(crate) document: &'a RawValue,
    #[serde(borrow)]
    pub(crate) taxes: &'a RawValue,
    /// Who said the taxes; nobody where they are a part of another document's.
    pub(crate) decision: Option<Decision>,
}

/// An issue's plan, as stored.
#[derive(Debug)]
pub(crate) struct StoredPlan<'a> {
    pub(crate) plan: &'a RawValue,
    /// A JSON string.
    pub(crate) issued_on: &'a RawValue,
    pub(crate) decision: Decision,
}

/// The decisions of one event.
#[derive(Debug)]
pub(crate) struct StoredDecisions<'a> {
    pub(crate) assessment: StoredAssessment<'a>,
    pub(crate) plan: Option<StoredPlan<'a>>,
    /// Once issued.
    pub(crate) number: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Assessed<'a> {
    #[serde(borrow)]
    assessment: StoredAssessment<'a>,
}

#[derive(Deserialize)]
struct Purchase<'a> {
    #[serde(borrow)]
    assessment: StoredAssessment<'a>,
    #[serde(borrow)]
    facts: Facts<'a>,
}

#[derive(Deserialize)]
struct Note<'a> {
    #[serde(borrow)]
    document: &'a RawValue,
    #[serde(borrow)]
    taxes: &'a RawValue,
    #[serde(borrow)]
    planned: Option<NotePlan<'a>>,
    #[serde(borrow)]
    facts: Facts<'a>,
}

#[derive(Deserialize)]
struct NotePlan<'a> {
    #[serde(borrow)]
    plan: &'a RawValue,
    decision: Decision,
}

#[derive(Deserialize)]
struct Issued<'a> {
    #[serde(borrow)]
    assessment: StoredAssessment<'a>,
    #[serde(borrow)]
    plan: &'a RawValue,
    plan_decision: Decision,
    #[serde(borrow)]
    facts: Facts<'a>,
}

#[derive(Deserialize)]
struct Facts<'a> {
    #[serde(borrow)]
    number: Cow<'a, str>,
    #[serde(borrow)]
    issued_on: &'a RawValue,
}

/// What happened to an invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Happened {
    Drafted,
    Revised,
    Approved,
    Issued,
    Cancelled,
    Recorded,
    NoteIssued,
    WrittenOff,
}

impl Happened {
    /// What left a document with taxes that a module said.
    pub(crate) const TAXED: [Self; 4] = [Self::Drafted, Self::Revised, Self::Issued, Self::Recorded];
    /// What put a document into the registers.
    pub(crate) const REGISTERED: [Self; 3] = [Self::Issued, Self::Recorded, Self::NoteIssued];

    const fn name(self) -> &'static str {
        match self {
            Self::Drafted => "invoice.drafted",
            Self::Revised => "invoice.revised",
            Self::Approved => "invoice.approved",
            Self::Issued => "invoice.issued",
            Self::Cancelled => "invoice.cancelled",
            Self::Recorded => "invoice.recorded",
            Self::NoteIssued => "invoice.note-issued",
            Self::WrittenOff => "invoice.written-off",
        }
    }

    /// The event types of `happened`, in every version that was ever written.
    pub(crate) fn types(happened: &[Self]) -> Vec<String> {
        let all = InvoiceEvent::TYPES.iter().chain(InvoiceEvent::OLDER_TYPES);
        all.filter(|known| happened.iter().any(|happened| happened.name() == name_of(known)))
            .map(|known| (*known).to_owned())
            .collect()
    }
}

fn name_of(event_type: &str) -> &str {
    event_type.rsplit_once(".v").map_or(event_type, |(name, _)| name)
}

/// The invoice of an event.
pub(crate) fn invoice_of(event: &Recorded) -> Option<InvoiceId> {
    event.stream.as_str().strip_prefix("invoice/")?.parse().ok()
}

/// The payload of an event in its newest shape.
///
/// # Errors
/// When it is not readable.
pub(crate) fn payload(event: &Recorded) -> Result<Cow<'_, [u8]>, String> {
    if InvoiceEvent::OLDER_TYPES.contains(&event.event_type.as_str()) {
        let newest = InvoiceEvent::read(&event.event_type, &event.payload);
        let newest = newest.map_err(|error| error.to_string())?.payload();
        return newest.map(Cow::Owned).map_err(|error| error.to_string());
    }
    Ok(Cow::Borrowed(&event.payload))
}

/// The decisions in `payload`, which is that of an event of this type in its newest shape.
///
/// # Errors
/// When it does not have the shape of such an event.
pub(crate) fn decisions<'a>(event_type: &str, payload: &'a [u8]) -> Result<StoredDecisions<'a>, String> {
    let unreadable =
        |error: serde_json::Error| format!("its payload does not have the shape of {event_type}: {error}");
    if name_of(event_type) == Happened::Issued.name() {
        let Issued { assessment, plan, plan_decision, facts } =
            serde_json::from_slice(payload).map_err(unreadable)?;
        let plan = StoredPlan { plan, issued_on: facts.issued_on, decision: plan_decision };
        return Ok(StoredDecisions { assessment, plan: Some(plan), number: Some(facts.number) });
    }
    if name_of(event_type) == Happened::Recorded.name() {
        let Purchase { assessment, facts } = serde_json::from_slice(payload).map_err(unreadable)?;
        return Ok(StoredDecisions { assessment, plan: None, number: Some(facts.number) });
    }
    if name_of(event_type) == Happened::NoteIssued.name() {
        let Note { document, taxes, planned, facts } = serde_json::from_slice(payload).map_err(unreadable)?;
        let assessment = StoredAssessment { document, taxes, decision: None };
        let plan = planned.map(|NotePlan { plan, decision }| StoredPlan {
            plan,
            issued_on: facts.issued_on,
            decision,
        });
        return Ok(StoredDecisions { assessment, plan, number: Some(facts.number) });
    }
    let Assessed { assessment } = serde_json::from_slice(payload).map_err(unreadable)?;
    Ok(StoredDecisions { assessment, plan: None, number: None })
}

#[cfg(test)]
mod tests {
    use niyam_domain::EXAMPLES;

    use super::{Happened, decisions};

    #[test]
    fn every_example_with_an_assessment_gives_the_bytes_of_its_decisions() {
        let types = Happened::types(&[&Happened::TAXED[..], &[Happened::NoteIssued]].concat());
        assert!(types.len() >= 5, "{types:?}");
        for event_type in types {
            let Some((_, example)) = EXAMPLES.iter().find(|(name, _)| *name == event_type) else { continue };
            let found = decisions(&event_type, example.as_bytes()).unwrap();
            assert!(example.contains(found.assessment.document.get()));
            let function = found.assessment.decision.map(|decision| decision.function);
            let is_note = event_type.contains("note-issued");
            assert_eq!(function.as_deref(), (!is_note).then_some("determine"), "{event_type}");
            assert_eq!(found.plan.is_some(), event_type.contains("issued"), "{event_type}");
        }
    }
}
