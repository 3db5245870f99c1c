//! Runs decisions again, each kind of event by its own file.
//!
//! 1. `documents`: what tax a document bears, and how it is issued.
//! 2. `policies`: what the tenant's policies ruled.
//! 3. `books`: the chart of accounts, an account's code, the periods of a fiscal year.
//! 4. `returns`: what was filed of a period.

mod books;
mod documents;
mod policies;
mod returns;

use std::collections::HashMap;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use niyam_domain::{Decision, TenantId};
use niyam_modules::{CONTRACT, Findings, Module, ModuleFailure};
use niyam_store::{Recorded, StoreError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use tokio::runtime::Handle;

use crate::personal::{Opened, Opener};
use crate::rerun::asked;
use crate::rerun::components::{Components, NoComponent};
use crate::rerun::stored::{Happened, invoice_of};
use crate::rerun::sweep::Work;
use crate::rerun::verify::{Difference, DifferenceKind, Verified};

/// How often, and how long apart, a call is tried again that met a full pool.
const BUSY_TRIES: u32 = 200;
const BUSY_WAIT: Duration = Duration::from_millis(10);

/// Types of every event that may hold a decision.
pub(crate) fn event_types() -> Vec<String> {
    let mut types = asked::types();
    types.extend(books::types());
    types.extend(returns::types());
    types
}

fn is_named(event_type: &str, names: &[&str]) -> bool {
    event_type.rsplit_once(".v").is_some_and(|(name, _)| names.contains(&name))
}

/// Runs decisions again. One for each thread.
pub(crate) struct Verifier {
    opener: Opener,
    tenant: TenantId,
    components: Arc<Components>,
    configs: Arc<HashMap<String, String>>,
    runtime: Handle,
    /// Types of the events that hold a document's decisions.
    documents: Vec<String>,
    pub(crate) verified: Verified,
    /// The answer given now, JSON; kept to be used again.
    answer: Vec<u8>,
}

impl Verifier {
    /// # Panics
    /// Outside of an asynchronous runtime.
    pub(crate) fn new(
        opener: Opener,
        tenant: TenantId,
        components: Arc<Components>,
        configs: Arc<HashMap<String, String>>,
    ) -> Self {
        Self {
            opener,
            tenant,
            components,
            configs,
            runtime: Handle::current(),
            documents: Happened::types(&[&Happened::TAXED[..], &[Happened::NoteIssued]].concat()),
            verified: Verified::default(),
            answer: Vec::new(),
        }
    }
}

impl Work for Verifier {
    type Found = Difference;

    fn take(&mut self, opened: &Opened, found: &mut Vec<Difference>) -> Result<(), StoreError> {
        let event = &opened.event;
        let mut place = Place { event, erased: opened.erased, found };
        if books::is_of_books(event) {
            return self.books(&mut place);
        }
        if returns::is_of_returns(event) {
            return self.tax_return(&mut place);
        }
        if self.documents.contains(&event.event_type) {
            self.document(&mut place)?;
        }
        self.policies(opened, &mut place)
    }

    fn miss(&mut self, event: &Recorded, reason: String, found: &mut Vec<Difference>) {
        self.unreadable(&mut Place { event, erased: false, found }, "", "", reason);
    }
}

/// Where differences are told.
struct Place<'a> {
    event: &'a Recorded,
    /// Whether it has placeholders.
    erased: bool,
    found: &'a mut Vec<Difference>,
}

impl Place<'_> {
    fn tell(
        &mut self,
        (function, module): (&str, &str),
        kind: DifferenceKind,
        expected: Option<String>,
        found: Option<String>,
    ) {
        self.found.push(Difference {
            position: self.event.position.0,
            invoice: invoice_of(self.event).map(|id| id.to_string()),
            function: function.to_owned(),
            module: module.to_owned(),
            kind,
            expected,
            found,
        });
    }
}

/// A stored answer.
#[derive(Clone, Copy)]
enum Stored<'a> {
    /// That of a function which may refuse: the digest is of the answer as the good one of two.
    Accepted(&'a str),
    /// That of a function which always answers.
    Plain(&'a str),
    /// That of a function which may refuse, whose digest alone is kept.
    Nowhere,
}

impl<'a> Stored<'a> {
    /// JSON.
    const fn text(self) -> &'a str {
        match self {
            Self::Accepted(text) | Self::Plain(text) => text,
            Self::Nowhere => "",
        }
    }

    /// The digest that an answer of this kind has with that JSON.
    fn digest(self, text: &[u8]) -> String {
        match self {
            Self::Accepted(_) | Self::Nowhere => digest_of(&[b"{\"Ok\":", text, b"}"]),
            Self::Plain(_) => digest_of(&[text]),
        }
    }
}

impl Verifier {
    /// Checks one decision; the answer, if it is the same as before. `input` is the digest of the stored input.
    fn check<A: Serialize + DeserializeOwned>(
        &mut self,
        place: &mut Place,
        decision: &Decision,
        input: String,
        stored: Stored<'_>,
        ask: impl Fn(&Module, &str) -> Result<(Result<A, Findings>, u64), ModuleFailure>,
    ) -> Result<Option<A>, StoreError> {
        use DifferenceKind as Kind;
        self.verified.decisions += 1;
        let told = place.found.len();
        let of = (decision.function.as_str(), decision.module.digest.as_str());
        if input != decision.input_digest && !place.erased {
            place.tell(of, Kind::Input, Some(decision.input_digest.clone()), Some(input));
        }
        let answered = match stored {
            Stored::Nowhere => decision.output_digest.clone(),
            stored => canonical(stored.digest(stored.text().as_bytes()), &decision.output_digest, || {
                let answer: Result<A, serde_json::Error> = serde_json::from_str(stored.text());
                let text = answer.and_then(|answer| serde_json::to_vec(&answer));
                text.map_or_else(|_| String::new(), |text| stored.digest(&text))
            }),
        };
        let is_stored = answered == decision.output_digest;
        if !is_stored {
            place.tell(of, Kind::StoredAnswer, Some(decision.output_digest.clone()), Some(answered.clone()));
        }
        if place.erased {
            place.tell(of, Kind::Erased, None, None);
            self.count(decision, &place.found[told..]);
            return Ok(None);
        }
        let (module, config) = match self.module_and_config(decision)? {
            Ok(both) => both,
            Err((kind, found)) => {
                place.tell(of, kind, None, found);
                self.count(decision, &place.found[told..]);
                return Ok(None);
            }
        };
        let names = |id: &str, version: &str| format!("{id} {version}");
        let (said, is) = (&decision.module, module.reference());
        if (&said.id, &said.version) != (&is.id, &is.version) {
            let (said, is) = (names(&said.id, &said.version), names(&is.id, &is.version));
            place.tell(of, Kind::Module, Some(said), Some(is));
        }
        let asked = patiently(|| ask(&module, config));
        let same = match asked {
            Err(failure) => {
                place.tell(of, Kind::Failed, None, Some(failure.code().to_owned()));
                None
            }
            Ok((Err(findings), _)) => {
                let codes: Vec<&str> = findings.iter().map(|finding| finding.code.as_str()).collect();
                place.tell(of, Kind::Refused, None, Some(codes.join(", ")));
                None
            }
            Ok((Ok(answer), fuel)) => {
                // Same bytes as the stored answer have its digest.
                self.answer.clear();
                serde_json::to_writer(&mut self.answer, &answer)
                    .expect("the contract's values have a JSON form");
                let unchanged = is_stored && self.answer == stored.text().as_bytes();
                let now = if unchanged { answered } else { stored.digest(&self.answer) };
                let same = now == decision.output_digest;
                if !same {
                    place.tell(of, Kind::Answer, Some(decision.output_digest.clone()), Some(now));
                }
                if fuel != decision.fuel {
                    place.tell(of, Kind::Fuel, Some(decision.fuel.to_string()), Some(fuel.to_string()));
                }
                same.then_some(answer)
            }
        };
        self.count(decision, &place.found[told..]);
        Ok(same)
    }

    fn module_and_config(
        &self,
        decision: &Decision,
    ) -> Result<Result<(Arc<Module>, &str), Untried>, StoreError> {
        use DifferenceKind as Kind;
        if decision.contract != CONTRACT {
            return Ok(Err((Kind::ContractUnknown, Some(decision.contract.clone()))));
        }
        let module = match self.components.get(&decision.module.digest)? {
            Ok(module) => module,
            Err(NoComponent::Missing) => return Ok(Err((Kind::ComponentMissing, None))),
            Err(NoComponent::Altered) => return Ok(Err((Kind::ComponentAltered, None))),
            Err(NoComponent::Refused(code)) => return Ok(Err((Kind::ComponentRefused, Some(code)))),
        };
        Ok(match self.configs.get(&decision.config_digest) {
            Some(config) => Ok((module, config)),
            None => Err((Kind::ConfigMissing, Some(decision.config_digest.clone()))),
        })
    }

    fn unreadable(&mut self, place: &mut Place, function: &str, module: &str, reason: String) {
        self.verified.decisions += 1;
        self.verified.differing += 1;
        place.tell((function, module), DifferenceKind::Unreadable, None, Some(reason));
    }

    /// Counts a decision with these differences.
    fn count(&mut self, decision: &Decision, differences: &[Difference]) {
        let differs = |kind: DifferenceKind| !kind.is_untried() && kind != DifferenceKind::Fuel;
        let verified = &mut self.verified;
        let other_fuel = match differences {
            [] => {
                verified.proven += 1;
                false
            }
            [Difference { kind: DifferenceKind::Erased, .. }] => {
                verified.erased += 1;
                false
            }
            [Difference { kind: DifferenceKind::Fuel, .. }] => {
                verified.other_fuel += 1;
                true
            }
            several if several.iter().any(|difference| differs(difference.kind)) => {
                verified.differing += 1;
                false
            }
            _ => {
                verified.untried += 1;
                false
            }
        };
        let count = match verified.components.get_mut(&decision.module.digest) {
            Some(count) => count,
            None => verified.components.entry(decision.module.digest.clone()).or_default(),
        };
        if count.decisions == 0 {
            (count.id, count.version) = (decision.module.id.clone(), decision.module.version.clone());
        }
        count.decisions += 1;
        count.other_fuel += u64::from(other_fuel);
    }
}

/// Why a decision cannot be run again, and what was found instead.
type Untried = (DifferenceKind, Option<String>);

/// Calls again while the pool is full.
pub(crate) fn patiently<T>(call: impl Fn() -> Result<T, ModuleFailure>) -> Result<T, ModuleFailure> {
    let mut tries = 0;
    loop {
        match call() {
            Err(ModuleFailure::Busy { .. }) if tries < BUSY_TRIES => {
                tries += 1;
                thread::sleep(BUSY_WAIT);
            }
            done => return done,
        }
    }
}

/// SHA-256 of the parts, one after another, hex.
fn digest_of(parts: &[&[u8]]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hex::encode(hasher.finalize())
}

/// `found`, or the digest of the canonical text where that is the one expected: an event of an older version keeps its
/// values, not always their order.
fn canonical(found: String, expected: &str, canonical: impl FnOnce() -> String) -> String {
    if found == expected {
        return found;
    }
    let canonical = canonical();
    if canonical == expected { canonical } else { found }
}

#[cfg(test)]
mod tests {
    use niyam_domain::EXAMPLES;

    use super::event_types;

    #[test]
    fn no_event_that_holds_a_decision_is_left_out() {
        let types = event_types();
        let with_decisions = EXAMPLES.iter().filter(|(_, payload)| payload.contains("\"input_digest\""));
        let mut count = 0;
        for (event_type, _) in with_decisions {
            assert!(types.iter().any(|known| known == event_type), "{event_type} is never run again");
            count += 1;
        }
        assert!(count >= 6, "{count}");
    }
}
