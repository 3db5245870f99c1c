//! Tax returns: prepared from the documents of a period, reviewed, filed, and corrected by another one.
//!
//! The returns of one paper and one period are one aggregate. What a return says is not kept: it is what its pack drew
//! from the documents that stood at a position of the history, and is drawn again to be shown. Its digest is kept, so
//! that it cannot come out otherwise unseen.

use std::fmt;

use niyam_values::{Date, Finding, FiscalPeriod, OpeningBalance, RegisterEntry};
use serde::{Deserialize, Serialize};

use crate::aggregate::Aggregate;
use crate::decision::Decision;
use crate::event::{DomainEvent, UnreadableEvent, domain_events};
use crate::ids::{InvalidId, Position, StreamId};
use crate::personal::nothing_personal;
use crate::rejection::Rejection;

#[cfg(test)]
#[path = "tax_return_tests.rs"]
mod tests;

/// Most balances that may be brought into a period.
pub const OPENING_BALANCES_MAX: usize = 200;
/// Longest code of a return, or of a period.
const CODE_LENGTH_MAX: usize = 64;

/// The stream of the returns `code` of a period.
///
/// # Errors
/// When a code has other characters than lower-case letters, digits, dots and hyphens (upper-case for the period), or
/// is too long.
pub fn return_stream(code: &str, period: &str) -> Result<StreamId, InvalidId> {
    let fits = |text: &str, allowed: fn(&u8) -> bool| {
        (1..=CODE_LENGTH_MAX).contains(&text.len()) && text.bytes().all(|byte| allowed(&byte))
    };
    let code_fits =
        fits(code, |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
    let period_fits = fits(period, |byte| byte.is_ascii_alphanumeric() || *byte == b'-');
    if !code_fits || !period_fits {
        return Err(InvalidId::Stream);
    }
    format!("tax-return/{code}/{period}").parse()
}

/// Where the return that is worked on stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReturnStatus {
    /// Drawn; may be drawn anew.
    Prepared,
    /// Somebody went through it.
    Reviewed,
    /// With the authority; locked.
    Filed,
}

impl ReturnStatus {
    /// As written in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prepared => "prepared",
            Self::Reviewed => "reviewed",
            Self::Filed => "filed",
        }
    }
}

impl fmt::Display for ReturnStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// It was drawn from the documents of its period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnPrepared {
    /// Of the return, for example `mushak-9.1`.
    pub code: String,
    /// What it is for.
    pub period: FiscalPeriod,
    /// Brought into the period.
    pub opening: Vec<OpeningBalance>,
    /// The history that it was drawn from ends here.
    pub known_at: Position,
    /// How many documents count for it.
    pub documents: u64,
    /// Who files it and when, as the pack was told: an entry of kind `return` behind the documents.
    pub filing: RegisterEntry,
    /// Who drew it. The output's digest is that of the return.
    pub decision: Decision,
    /// Which return of the period it is: 1, and from 2 on a correction of the one before.
    pub sequence: u32,
}

/// Somebody went through what was prepared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnReviewed {
    /// The digest of what was gone through.
    pub hash: String,
}

/// It was filed with the authority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnFiled {
    /// Its own.
    pub number: String,
    /// The digest of what was filed: SHA-256 of its canonical JSON, hex.
    pub hash: String,
    /// In the tenant's time zone.
    pub filed_on: Date,
}

domain_events! {
    /// What happens to the returns of a period.
    #[expect(clippy::large_enum_variant, reason = "held one at a time, on its way to or from the store")]
    ReturnEvent {
        /// A return was drawn from the documents of its period.
        Prepared(ReturnPrepared) = "tax-return.prepared.v1",
        /// Somebody went through the return.
        Reviewed(ReturnReviewed) = "tax-return.reviewed.v1",
        /// The return was filed, and is locked.
        Filed(ReturnFiled) = "tax-return.filed.v1",
    }
}

// Who files is the tenant and its user.
nothing_personal!(ReturnPrepared, ReturnReviewed, ReturnFiled, TaxReturn);

/// What may be asked of the returns of a period.
#[expect(clippy::large_enum_variant, reason = "held one at a time, on its way to a decision")]
#[derive(Debug, Clone)]
pub enum ReturnCommand {
    /// Draw it, anew or for the first time, or a correction of one that was filed.
    Prepare(PrepareReturn),
    /// Say that what was prepared was gone through.
    Review,
    /// File what was reviewed.
    File {
        /// In the tenant's time zone.
        today: Date,
        /// Whether a document was issued for the period since it was prepared.
        outdated: bool,
    },
}

/// What was drawn.
#[derive(Debug, Clone)]
pub struct PrepareReturn {
    /// Of the return.
    pub code: String,
    /// What it is for.
    pub period: FiscalPeriod,
    /// Brought into the period.
    pub opening: Vec<OpeningBalance>,
    /// The history that it was drawn from ends here.
    pub known_at: Position,
    /// How many documents count for it.
    pub documents: u64,
    /// Who files it and when, as the pack was told: an entry of kind `return` behind the documents.
    pub filing: RegisterEntry,
    /// Who drew it.
    pub decision: Decision,
}

/// A return that was filed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FiledReturn {
    /// As it was prepared.
    pub prepared: ReturnPrepared,
    /// Its number, its digest and its day.
    pub filed: ReturnFiled,
}

/// The returns of one paper and one period as their events tell them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxReturn {
    /// Where the last one stands.
    pub status: ReturnStatus,
    /// The last one.
    pub prepared: ReturnPrepared,
    /// Those that were filed, in order; each corrects the one before.
    pub filed: Vec<FiledReturn>,
}

impl TaxReturn {
    /// What `command` makes happen.
    ///
    /// # Errors
    /// When the return's state does not allow it.
    pub fn decide(state: Option<&Self>, command: ReturnCommand) -> Result<Vec<ReturnEvent>, Rejection> {
        let event = match command {
            ReturnCommand::Prepare(prepare) => {
                check_opening(&prepare.opening)?;
                let filed = state.map_or(&[][..], |state| &state.filed);
                let hash = &prepare.decision.output_digest;
                if state.is_some_and(|state| state.status == ReturnStatus::Filed)
                    && filed.last().is_some_and(|last| last.filed.hash == *hash)
                {
                    return Err(Rejection::ReturnUnchanged);
                }
                let PrepareReturn { code, period, opening, known_at, documents, filing, decision } = prepare;
                let sequence = u32::try_from(filed.len()).unwrap_or(u32::MAX).saturating_add(1);
                ReturnEvent::Prepared(ReturnPrepared {
                    code,
                    period,
                    opening,
                    known_at,
                    documents,
                    filing,
                    decision,
                    sequence,
                })
            }
            ReturnCommand::Review => {
                let state = Self::require(state, ReturnStatus::Prepared)?;
                ReturnEvent::Reviewed(ReturnReviewed { hash: state.hash().to_owned() })
            }
            ReturnCommand::File { today, outdated } => {
                let state = Self::require(state, ReturnStatus::Reviewed)?;
                let ReturnPrepared { code, period, sequence, .. } = &state.prepared;
                if today <= period.ends {
                    let message =
                        format!("{} ends on {}: file its return after that", period.code, period.ends);
                    let finding = Finding::error("period-not-over", message).at("/period");
                    return Err(Rejection::Findings(vec![finding]));
                }
                if outdated || state.prepared.filing.facts.issued_on != today {
                    return Err(Rejection::ReturnOutdated);
                }
                ReturnEvent::Filed(ReturnFiled {
                    number: format!("{code}/{}/{sequence}", period.code),
                    hash: state.hash().to_owned(),
                    filed_on: today,
                })
            }
        };
        Ok(vec![event])
    }

    /// The digest of the last one.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.prepared.decision.output_digest
    }

    fn require(state: Option<&Self>, needed: ReturnStatus) -> Result<&Self, Rejection> {
        let state = state.ok_or(Rejection::ReturnMissing)?;
        if state.status == needed {
            return Ok(state);
        }
        Err(Rejection::WrongReturnStatus { found: state.status, needed: needed.as_str() })
    }
}

fn check_opening(opening: &[OpeningBalance]) -> Result<(), Rejection> {
    let mut codes: Vec<&str> = opening.iter().map(|balance| balance.code.as_str()).collect();
    codes.sort_unstable();
    codes.dedup();
    let fits = |code: &str| {
        (1..=CODE_LENGTH_MAX).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_graphic())
    };
    let wrong = opening.iter().position(|balance| !fits(&balance.code));
    let finding = if let Some(index) = wrong {
        Finding::error("text-invalid", "a balance's code has 1 to 64 printable ASCII characters")
            .at(format!("/opening/{index}/code"))
    } else if codes.len() != opening.len() || opening.len() > OPENING_BALANCES_MAX {
        let message = format!("each balance is brought in once, and at most {OPENING_BALANCES_MAX}");
        Finding::error("opening-balances-invalid", message).at("/opening")
    } else {
        return Ok(());
    };
    Err(Rejection::Findings(vec![finding]))
}

impl Aggregate for TaxReturn {
    type Event = ReturnEvent;

    fn evolve(state: Option<Self>, event: ReturnEvent) -> Result<Self, UnreadableEvent> {
        let out_of_order = UnreadableEvent::OutOfOrder { event_type: event.event_type() };
        match (state, event) {
            (state, ReturnEvent::Prepared(prepared)) => {
                let filed = state.map(|state| state.filed).unwrap_or_default();
                Ok(Self { status: ReturnStatus::Prepared, prepared, filed })
            }
            (Some(state), ReturnEvent::Reviewed(_)) => Ok(Self { status: ReturnStatus::Reviewed, ..state }),
            (Some(mut state), ReturnEvent::Filed(filed)) => {
                state.filed.push(FiledReturn { prepared: state.prepared.clone(), filed });
                Ok(Self { status: ReturnStatus::Filed, ..state })
            }
            (None, _) => Err(out_of_order),
        }
    }
}
