//! An answer beside another one to the same document: how they differ, and by how much.

use std::collections::BTreeSet;

use niyam_modules::Module;
use niyam_values::{Date, Decimal, Determination, Document};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::rerun::verifier::patiently;

/// How an answer differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum AnswerKind {
    /// Other taxes or amounts.
    Amounts,
    /// The same taxes and amounts, with other reasons: citations, findings.
    Reasons,
    /// The candidate refuses the document.
    Refused,
    /// The candidate fails on it.
    Failed,
}

impl AnswerKind {
    /// As written in JSON.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Amounts => "amounts",
            Self::Reasons => "reasons",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// The sums of an answer, in the document's currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Sums {
    #[schema(value_type = String)]
    pub(crate) net: Decimal,
    #[schema(value_type = String)]
    pub(crate) tax_added: Decimal,
    #[schema(value_type = String)]
    pub(crate) tax_withheld: Decimal,
    #[schema(value_type = String)]
    pub(crate) payable: Decimal,
}

impl From<&Determination> for Sums {
    fn from(taxes: &Determination) -> Self {
        let Determination { net, tax_added, tax_withheld, payable, .. } = *taxes;
        Self { net, tax_added, tax_withheld, payable }
    }
}

/// A document that the candidate answers otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct OtherAnswer {
    /// Of the event that has the answer given before.
    pub(crate) position: u64,
    pub(crate) invoice: String,
    /// Once issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) number: Option<String>,
    #[schema(value_type = String, format = Date)]
    pub(crate) tax_date: Date,
    /// `invoice`, `credit-note` …
    pub(crate) document_kind: String,
    pub(crate) currency: String,
    pub(crate) kind: AnswerKind,
    pub(crate) before: Sums,
    /// Unless the candidate refuses or fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) after: Option<Sums>,
    /// Codes of what the candidate found, or of how it failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) codes: Vec<String>,
}

/// What another module answers, beside the answer that is in the books.
#[derive(Debug)]
pub(crate) enum Compared {
    /// The same taxes, amounts and reasons.
    Same(Determination),
    /// Something else.
    Otherwise {
        kind: AnswerKind,
        before: Determination,
        /// Unless it refuses or fails.
        after: Option<Determination>,
        /// Codes of what it found, or of how it failed.
        codes: Vec<String>,
    },
}

/// Asks a module about `document`, and compares with the answer that was stored. `buffer` is used for its answer.
///
/// # Errors
/// When the stored answer cannot be read.
pub(crate) fn compare(
    (module, config): (&Module, &str),
    document: &Document,
    stored: &RawValue,
    buffer: &mut Vec<u8>,
) -> Result<Compared, serde_json::Error> {
    let fuel = module.fuel_for(document);
    let asked = patiently(|| module.determine_unproved(config, document, fuel));
    let asked = match asked {
        Ok((Ok(after), _)) => {
            buffer.clear();
            serde_json::to_writer(&mut *buffer, &after)?;
            if buffer == stored.get().as_bytes() {
                return Ok(Compared::Same(after));
            }
            Ok(Ok(after))
        }
        Ok((Err(findings), _)) => Ok(Err(findings)),
        Err(failure) => Err(failure),
    };
    let before: Determination = serde_json::from_str(stored.get())?;
    let (kind, after, codes) = match asked {
        Ok(Ok(after)) if after == before => return Ok(Compared::Same(after)),
        Ok(Ok(after)) if same_amounts(&before, &after) => (AnswerKind::Reasons, Some(after), Vec::new()),
        Ok(Ok(after)) => (AnswerKind::Amounts, Some(after), Vec::new()),
        Ok(Err(findings)) => {
            let codes: BTreeSet<String> = findings.into_iter().map(|finding| finding.code).collect();
            (AnswerKind::Refused, None, codes.into_iter().collect())
        }
        Err(failure) => (AnswerKind::Failed, None, vec![failure.code().to_owned()]),
    };
    Ok(Compared::Otherwise { kind, before, after, codes })
}

/// Whether both say the same but for the reasons.
fn same_amounts(before: &Determination, after: &Determination) -> bool {
    let lines = before.lines.len() == after.lines.len()
        && before.lines.iter().zip(&after.lines).all(|(before, after)| {
            let taxes = before.taxes.len() == after.taxes.len()
                && before.taxes.iter().zip(&after.taxes).all(|(before, after)| {
                    let reasons = niyam_values::TaxItem { citation: 0, ..before.clone() };
                    reasons == niyam_values::TaxItem { citation: 0, ..after.clone() }
                });
            taxes && before.net == after.net && before.gross == after.gross && before.line_id == after.line_id
        });
    lines && Sums::from(before) == Sums::from(after) && before.gross == after.gross
}

#[cfg(test)]
mod tests {
    use niyam_values::{Citation, Decimal, Determination, Effect, LineTaxes, TaxItem};

    use super::same_amounts;

    fn taxes() -> Determination {
        let item = TaxItem {
            code: "vat".to_owned(),
            rate: Some(Decimal::new(15, 0)),
            base: Decimal::new(100, 0),
            amount: Decimal::new(15, 0),
            effect: Effect::Added,
            recoverable: true,
            citation: 0,
        };
        let citation =
            Citation { source: "Act".to_owned(), article: "s.15".to_owned(), effective_from: None };
        Determination {
            lines: vec![LineTaxes {
                line_id: "1".to_owned(),
                net: Decimal::new(100, 0),
                taxes: vec![item],
                gross: Decimal::new(115, 0),
            }],
            net: Decimal::new(100, 0),
            tax_added: Decimal::new(15, 0),
            tax_withheld: Decimal::ZERO,
            gross: Decimal::new(115, 0),
            payable: Decimal::new(115, 0),
            citations: vec![citation],
            findings: Vec::new(),
        }
    }

    #[test]
    fn another_reason_is_no_other_amount() {
        let mut other = taxes();
        other.citations[0].article = "s.16".to_owned();
        assert!(same_amounts(&taxes(), &other));
        assert_ne!(taxes(), other);
        // A decimal with other places is the same number.
        other.lines[0].net = "100.00".parse().unwrap();
        assert!(same_amounts(&taxes(), &other));
    }

    #[test]
    fn another_rate_code_or_amount_is() {
        for change in [
            |taxes: &mut Determination| taxes.lines[0].taxes[0].rate = None,
            |taxes: &mut Determination| taxes.lines[0].taxes[0].code = "sd".to_owned(),
            |taxes: &mut Determination| taxes.payable = Decimal::ZERO,
            |taxes: &mut Determination| taxes.lines[0].taxes.clear(),
        ] {
            let mut other = taxes();
            change(&mut other);
            assert!(!same_amounts(&taxes(), &other));
        }
    }
}
