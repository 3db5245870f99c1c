//! Proves decisions: the component that decided must give the same answer of the same input, bit for bit.
//!
//! An answer is proven when the stored input and configuration are those that the decision names by digest, the stored
//! answer is the one it names, and the component, asked again, gives that very answer for that much fuel.
//!
//! Fuel is counted by the engine: another version of it may count otherwise, and then every decision of a component
//! costs something else while each answer is the same. That is a finding of its own, and the caller says whether it
//! matters; nothing else is ever forgiven.
//!
//! Where personal data were erased, the input is gone: only the stored answer is compared with its digest.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use niyam_domain::{Decision, TenantId};
use niyam_modules::{CONTRACT, Findings, Module, ModuleFailure, digest_json};
use niyam_store::{Recorded, StoreError};
use niyam_values::{Date, Determination, Document, IssuePlan};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use crate::personal::{Opened, Opener};
use crate::rerun::components::{Components, NoComponent, configs};
use crate::rerun::stored::{Happened, StoredAssessment, StoredPlan, decisions, invoice_of, payload};
use crate::rerun::sweep::{Sweep, Work};

/// How often, and how long apart, a call is tried again that met a full pool.
const BUSY_TRIES: u32 = 200;
const BUSY_WAIT: Duration = Duration::from_millis(10);

/// How a decision differs from what it says of itself, or why it cannot be run again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum DifferenceKind {
    /// The stored input is not the one that the decision names.
    Input,
    /// The stored answer is not the one that the decision names.
    StoredAnswer,
    /// The component goes by another name or version.
    Module,
    /// The component answers something else.
    Answer,
    /// The component refuses what it had answered.
    Refused,
    /// The component fails; the code says how.
    Failed,
    /// The answer is the same and cost other fuel: another engine counted.
    Fuel,
    /// The event cannot be read.
    Unreadable,
    /// Personal data of the input were erased, as somebody asked for.
    Erased,
    /// The store does not hold the component.
    ComponentMissing,
    /// The component in the store is not the one with that digest.
    ComponentAltered,
    /// This version of the host does not take the component in; the code says why.
    ComponentRefused,
    /// No activation of the tenant has a configuration with that digest.
    ConfigMissing,
    /// It was made under a contract that this version of the host does not speak.
    ContractUnknown,
}

impl DifferenceKind {
    /// Whether it says nothing about the answer, since the decision could not be run again.
    pub(crate) const fn is_untried(self) -> bool {
        matches!(
            self,
            Self::Erased
                | Self::ComponentMissing
                | Self::ComponentAltered
                | Self::ComponentRefused
                | Self::ConfigMissing
                | Self::ContractUnknown
        )
    }
}

impl fmt::Display for DifferenceKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Input => "the stored input is not the one that the decision names",
            Self::StoredAnswer => "the stored answer is not the one that the decision names",
            Self::Module => "the component goes by another name or version",
            Self::Answer => "the component answers something else",
            Self::Refused => "the component refuses what it had answered",
            Self::Failed => "the component fails",
            Self::Fuel => "the answer is the same and cost other fuel",
            Self::Unreadable => "the event cannot be read",
            Self::Erased => "personal data were erased: it cannot be run again",
            Self::ComponentMissing => "the component is not there",
            Self::ComponentAltered => "the component that is there is another one",
            Self::ComponentRefused => "the component is not taken in any more",
            Self::ConfigMissing => "no activation has the configuration",
            Self::ContractUnknown => "the contract is not spoken any more",
        })
    }
}

/// One thing that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Difference {
    /// Of the event.
    pub(crate) position: u64,
    /// The invoice, if it is one's event.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(crate) invoice: Option<String>,
    /// The function that was called; empty when the event cannot be read.
    pub(crate) function: String,
    /// SHA-256 of the component.
    pub(crate) module: String,
    pub(crate) kind: DifferenceKind,
    /// What the decision says: a digest, fuel …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expected: Option<String>,
    /// What was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) found: Option<String>,
}

/// The decisions of one component.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct ComponentCount {
    /// The module's id.
    pub(crate) id: String,
    pub(crate) version: String,
    pub(crate) decisions: u64,
    /// Those whose answer is the same and cost other fuel.
    pub(crate) other_fuel: u64,
}

/// What came of it. Each decision is counted once: as the first of these that fits, from below.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Verified {
    /// All that were looked at.
    pub(crate) decisions: u64,
    /// Same input, same answer, same fuel.
    pub(crate) proven: u64,
    /// The same answer for other fuel.
    pub(crate) other_fuel: u64,
    /// Those that could not be run again.
    pub(crate) untried: u64,
    /// Those that cannot be run again since personal data of their input were erased.
    #[serde(default)]
    pub(crate) erased: u64,
    /// Those that differ.
    pub(crate) differing: u64,
    /// By SHA-256 of the component.
    pub(crate) components: BTreeMap<String, ComponentCount>,
}

/// What a verification comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Conclusion {
    /// Every decision was run again but those whose input was erased, and none differs.
    Proven,
    /// At least one differs.
    Differs,
    /// None differs, but some could not be run again, though nothing of them was erased.
    Unproven,
}

impl Verified {
    /// What it comes to; other fuel matters unless the caller says otherwise.
    pub(crate) const fn conclusion(&self, ignore_fuel: bool) -> Conclusion {
        if self.differing > 0 || (self.other_fuel > 0 && !ignore_fuel) {
            Conclusion::Differs
        } else if self.untried > 0 {
            Conclusion::Unproven
        } else {
            Conclusion::Proven
        }
    }

    /// Adds what another worker counted.
    pub(crate) fn add(&mut self, other: Self) {
        self.decisions += other.decisions;
        self.proven += other.proven;
        self.other_fuel += other.other_fuel;
        self.untried += other.untried;
        self.erased += other.erased;
        self.differing += other.differing;
        for (digest, count) in other.components {
            let all = self.components.entry(digest).or_default();
            all.decisions += count.decisions;
            all.other_fuel += count.other_fuel;
            (all.id, all.version) = (count.id, count.version);
        }
    }
}

/// A verification of one tenant's decisions after a position.
///
/// # Errors
/// When the store fails, or an activation cannot be read.
pub(crate) async fn verification(
    opener: &Opener,
    components: &Arc<Components>,
    tenant: &TenantId,
    since: niyam_domain::Position,
    workers: usize,
) -> Result<(Sweep, Vec<Verifier>), crate::rerun::components::ConfigsError> {
    let books = opener.books();
    let configs = Arc::new(configs(books, tenant).await?);
    let up_to = books.head(tenant).await?.map(|head| head.last_position).unwrap_or_default();
    let event_types = Happened::types(&[Happened::Drafted, Happened::Revised, Happened::Issued]);
    let sweep = Sweep { opener: opener.clone(), tenant: tenant.clone(), event_types, after: since, up_to };
    let verifier = || Verifier {
        components: Arc::clone(components),
        configs: Arc::clone(&configs),
        verified: Verified::default(),
        answer: Vec::new(),
    };
    Ok((sweep, std::iter::repeat_with(verifier).take(workers).collect()))
}

/// Runs decisions again. One for each thread.
pub(crate) struct Verifier {
    components: Arc<Components>,
    configs: Arc<HashMap<String, String>>,
    pub(crate) verified: Verified,
    /// The answer given now, JSON; kept to be used again.
    answer: Vec<u8>,
}

impl Work for Verifier {
    type Found = Difference;

    fn take(&mut self, opened: &Opened, found: &mut Vec<Difference>) -> Result<(), StoreError> {
        let event = &opened.event;
        let mut place = Place { event, erased: opened.erased, found };
        let read = payload(event);
        let decided =
            read.as_ref().map_err(Clone::clone).and_then(|payload| decisions(&event.event_type, payload));
        let decided = match decided {
            Ok(decided) => decided,
            Err(reason) => {
                self.unreadable(&mut place, "", "", reason);
                return Ok(());
            }
        };
        let assessed = self.assessment(&mut place, &decided.assessment)?;
        if let Some(plan) = &decided.plan {
            self.plan(&mut place, &decided.assessment, plan, assessed)?;
        }
        Ok(())
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

impl Verifier {
    fn assessment(
        &mut self,
        place: &mut Place,
        stored: &StoredAssessment,
    ) -> Result<Option<(Document, Determination)>, StoreError> {
        let StoredAssessment { document: text, taxes, decision } = stored;
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
        let answer = self.check(place, decision, input, taxes, |module, config| {
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
        self.check::<IssuePlan>(place, decision, input, plan, |module, config| {
            module.prepare_issue_unproved(config, &document, &taxes, issued_on)
        })?;
        Ok(())
    }

    /// Checks one decision; the answer, if it is the same as before. `input` is the digest of the stored input.
    fn check<A: Serialize + DeserializeOwned>(
        &mut self,
        place: &mut Place,
        decision: &Decision,
        input: String,
        stored: &RawValue,
        ask: impl Fn(&Module, &str) -> Result<(Result<A, Findings>, u64), ModuleFailure>,
    ) -> Result<Option<A>, StoreError> {
        use DifferenceKind as Kind;
        self.verified.decisions += 1;
        let told = place.found.len();
        let of = (decision.function.as_str(), decision.module.digest.as_str());
        if input != decision.input_digest && !place.erased {
            place.tell(of, Kind::Input, Some(decision.input_digest.clone()), Some(input));
        }
        let answered = digest_of(&[b"{\"Ok\":", stored.get().as_bytes(), b"}"]);
        let answered = canonical(answered, &decision.output_digest, || {
            let answer: Result<A, serde_json::Error> = serde_json::from_str(stored.get());
            answer.map_or_else(|_| String::new(), |answer| digest_json(&Ok::<A, Findings>(answer)))
        });
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
                let unchanged = is_stored && self.answer == stored.get().as_bytes();
                let now = if unchanged { answered } else { digest_of(&[b"{\"Ok\":", &self.answer, b"}"]) };
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
