//! One stored decision as a fixture: the input that a module was given, and the answer that it gave.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use niyam_domain::{InvoiceId, Position, TenantId};
use niyam_store::{Books, Recorded, StoreError};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::personal::opening::Erased;
use crate::personal::{Opener, OpeningError};
use crate::rerun::stored::{Happened, decisions, payload};

/// Which decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DecisionName {
    pub(crate) of: Of,
    pub(crate) function: String,
}

/// The event that holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    /// The one at this position.
    Position(Position),
    /// The invoice's last that has such a decision.
    Invoice(InvoiceId),
}

impl std::str::FromStr for DecisionName {
    type Err = String;

    /// `<position>:<function>` or `<invoice id>:<function>`; without a function, `determine`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (of, function) = text.split_once(':').unwrap_or((text, "determine"));
        let of = match (of.parse(), of.parse()) {
            (Ok(position), _) => Of::Position(Position(position)),
            (_, Ok(invoice)) => Of::Invoice(invoice),
            _ => {
                return Err(
                    "a decision is <position or invoice id>:<function>, for example 12:determine".to_owned()
                );
            }
        };
        if !["determine", "prepare-issue"].contains(&function) {
            return Err("the functions whose decisions are kept are determine and prepare-issue".to_owned());
        }
        Ok(Self { of, function: function.to_owned() })
    }
}

/// A decision's input and answer, as they were stored.
#[derive(Debug)]
pub(crate) struct Fixture {
    pub(crate) function: String,
    /// SHA-256 of the component that answered.
    pub(crate) module: String,
    /// The configuration, JSON; `None` if no activation has it any more.
    pub(crate) config: Option<String>,
    /// The arguments by name.
    pub(crate) arguments: Vec<(&'static str, Box<RawValue>)>,
    pub(crate) answer: Box<RawValue>,
}

#[derive(Serialize)]
struct Input<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<&'a RawValue>,
    function: &'a str,
    arguments: BTreeMap<&'static str, &'a RawValue>,
}

#[derive(Serialize)]
struct Expected<'a> {
    answer: &'a RawValue,
}

impl Fixture {
    /// Writes `input.json` and `expected.json` into a folder that is made for them. Input and answer stay as they were
    /// stored, byte for byte.
    ///
    /// # Errors
    /// When the folder is there already, or cannot be written.
    pub(crate) fn write(&self, folder: &Path) -> io::Result<()> {
        let config: Option<&RawValue> = self.config.as_deref().map(serde_json::from_str).transpose()?;
        let arguments = self.arguments.iter().map(|(name, value)| (*name, &**value)).collect();
        let input = serde_json::to_string(&Input { config, function: &self.function, arguments })? + "\n";
        let expected = serde_json::to_string(&Expected { answer: &self.answer })? + "\n";
        if let Some(above) = folder.parent() {
            fs::create_dir_all(above)?;
        }
        fs::create_dir(folder)?;
        fs::write(folder.join("input.json"), input)?;
        fs::write(folder.join("expected.json"), expected)
    }
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReplayError {
    /// The tenant has no such decision.
    #[error("the tenant has no such decision")]
    Missing,
    /// The event that holds it cannot be read.
    #[error("failed to read the event: {0}")]
    Unreadable(String),
    /// Its input is gone.
    #[error(transparent)]
    Erased(#[from] Erased),
    /// The store failed, or personal data do not open.
    #[error(transparent)]
    Opening(#[from] OpeningError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its configuration is not known.
    #[error(transparent)]
    Configs(#[from] crate::rerun::components::ConfigsError),
}

/// The decision of that name.
///
/// # Errors
/// When there is none, personal data of it were erased, or the store fails.
pub(crate) async fn fixture(
    opener: &Opener,
    tenant: &TenantId,
    name: &DecisionName,
) -> Result<Fixture, ReplayError> {
    let books = opener.books();
    let event = find(books, tenant, name).await?.ok_or(ReplayError::Missing)?;
    let read = opener.opening(tenant).events(vec![event]).await?.pop();
    let event = read.ok_or(ReplayError::Missing)?.whole()?;
    let payload = payload(&event).map_err(ReplayError::Unreadable)?;
    let stored = decisions(&event.event_type, &payload).map_err(ReplayError::Unreadable)?;
    let assessment = stored.assessment;
    let document = ("document", assessment.document.to_owned());
    let (decision, arguments, answer) = match (name.function.as_str(), stored.plan) {
        ("prepare-issue", Some(plan)) => {
            let taxes = ("taxes", assessment.taxes.to_owned());
            let issued_on = ("issued_on", plan.issued_on.to_owned());
            (plan.decision, vec![document, taxes, issued_on], plan.plan)
        }
        ("prepare-issue", None) => return Err(ReplayError::Missing),
        _ => {
            let decision = assessment.decision.ok_or(ReplayError::Missing)?;
            (decision, vec![document], assessment.taxes)
        }
    };
    let config = crate::rerun::components::configs(books, tenant).await?.remove(&decision.config_digest);
    Ok(Fixture {
        function: decision.function,
        module: decision.module.digest,
        config,
        arguments,
        answer: answer.to_owned(),
    })
}

async fn find(books: &Books, tenant: &TenantId, name: &DecisionName) -> Result<Option<Recorded>, StoreError> {
    let happened: &[Happened] = match name.function.as_str() {
        "prepare-issue" => &[Happened::Issued, Happened::NoteIssued],
        _ => &Happened::TAXED,
    };
    let types = Happened::types(happened);
    match name.of {
        Of::Position(position) => {
            let range = (Position(position.0.saturating_sub(1)), position);
            Ok(books.of_types(tenant, &types, range, 1).await?.pop())
        }
        Of::Invoice(invoice) => {
            let mut events = books.stream(tenant, &invoice.stream()).await?;
            events.retain(|event| types.contains(&event.event_type));
            Ok(events.pop())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{DecisionName, Of};
    use niyam_domain::Position;

    #[test]
    fn a_decision_is_named_by_a_position_or_an_invoice_and_a_function() {
        let named = |text: &str| text.parse::<DecisionName>();
        assert_eq!(named("12:prepare-issue").unwrap().of, Of::Position(Position(12)));
        assert_eq!(named("12").unwrap().function, "determine");
        let invoice = named("01990000-0000-7000-8000-000000000001:determine").unwrap();
        assert!(matches!(invoice.of, Of::Invoice(_)));
        for text in ["", "x:determine", "12:", "12:draw-form", "12:determine:x"] {
            assert!(named(text).is_err(), "{text}");
        }
    }
}
