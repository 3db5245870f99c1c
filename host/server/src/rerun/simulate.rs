//! What a candidate would have answered, beside what was answered: on the tenant's real documents, changing nothing.
//!
//! A document's latest assessment is what it was issued with or, for one that is not issued, what its last draft has.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use niyam_domain::{Position, TenantId};
use niyam_modules::Module;
use niyam_store::{Recorded, StoreError};
use niyam_values::{Date, Decimal, Determination, Document, Effect};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::personal::{Opened, Opener};
use crate::rerun::other_answer::{AnswerKind, Compared, OtherAnswer, Sums, compare};
use crate::rerun::stored::{Happened, decisions, invoice_of, payload};
use crate::rerun::sweep::{Sweep, Work};

/// Documents that a candidate may fail on before nothing more is asked of it.
pub(crate) const FAILURES_MAX: u64 = 100;

/// Which documents.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Filter {
    /// First tax date.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub(crate) from: Option<Date>,
    /// Last tax date.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub(crate) to: Option<Date>,
    /// Kinds of documents; all when there is none.
    #[serde(default)]
    pub(crate) kinds: BTreeSet<String>,
    /// Whether documents count that are not issued, and not given up.
    #[serde(default)]
    pub(crate) drafts: bool,
}

impl Filter {
    fn takes(&self, document: &Document) -> bool {
        self.from.is_none_or(|from| from <= document.tax_date)
            && self.to.is_none_or(|to| document.tax_date <= to)
            && (self.kinds.is_empty() || self.kinds.contains(&document.kind))
    }
}

/// One tax in all documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct TaxTotal {
    pub(crate) currency: String,
    /// `vat`, `sd`, `vds` …
    pub(crate) code: String,
    /// `added`, `withheld` or `informative`.
    #[schema(value_type = String)]
    pub(crate) effect: Effect,
    /// As it was answered.
    #[schema(value_type = String)]
    pub(crate) before: Decimal,
    /// As the candidate answers; a document that it does not answer counts with what was answered before.
    #[schema(value_type = String)]
    pub(crate) after: Decimal,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Simulated {
    /// Documents that the filter takes.
    pub(crate) documents: u64,
    /// Those with the same taxes, amounts and reasons.
    pub(crate) same: u64,
    /// Those with other taxes or amounts.
    pub(crate) differ: u64,
    /// Those with other reasons only.
    pub(crate) other_reasons: u64,
    /// Those that the candidate refuses.
    pub(crate) refused: u64,
    /// Those that it fails on.
    pub(crate) failed: u64,
    /// How it fails, by code.
    pub(crate) failures: BTreeMap<String, u64>,
    /// Events that could not be read.
    pub(crate) unreadable: u64,
    /// Documents that the filter takes and that the candidate is not asked about, nor counted otherwise: personal data of
    /// them were erased.
    #[serde(default)]
    pub(crate) erased: u64,
    /// Sums of each tax.
    pub(crate) totals: Vec<TaxTotal>,
}

type Totals = BTreeMap<(String, String, &'static str), (Effect, Decimal, Decimal)>;

/// A simulation on one tenant's documents.
///
/// # Errors
/// When the store fails.
pub(crate) async fn simulation(
    opener: &Opener,
    tenant: &TenantId,
    (module, config): (&Arc<Module>, &str),
    filter: Filter,
    workers: usize,
) -> Result<(Sweep, Vec<Simulator>), StoreError> {
    let books = opener.books();
    let up_to = books.head(tenant).await?.map(|head| head.last_position).unwrap_or_default();
    let mut happened = vec![Happened::Issued, Happened::Recorded];
    let mut drafts = Vec::new();
    if filter.drafts {
        let drafted = [Happened::Drafted, Happened::Revised];
        let ended = Happened::types(&[Happened::Issued, Happened::Recorded, Happened::Cancelled]);
        drafts = books.last_in_streams(tenant, &Happened::types(&drafted), &ended, up_to).await?;
        happened.extend(drafted);
    }
    let sweep = Sweep {
        opener: opener.clone(),
        tenant: tenant.clone(),
        event_types: Happened::types(&happened),
        after: Position(0),
        up_to,
    };
    let issued = Happened::types(&[Happened::Issued, Happened::Recorded]);
    let shared = Arc::new(Shared {
        module: Arc::clone(module),
        config: config.to_owned(),
        filter,
        issued,
        drafts,
        failures: AtomicU64::new(0),
    });
    let simulator = || Simulator {
        shared: Arc::clone(&shared),
        simulated: Simulated::default(),
        totals: Totals::new(),
        answer: Vec::new(),
    };
    Ok((sweep, std::iter::repeat_with(simulator).take(workers).collect()))
}

/// What all workers know.
struct Shared {
    module: Arc<Module>,
    config: String,
    filter: Filter,
    /// Types of the events that issue.
    issued: Vec<String>,
    /// The last events of documents that are not issued, in order.
    drafts: Vec<Position>,
    failures: AtomicU64,
}

/// Asks the candidate. One for each thread.
pub(crate) struct Simulator {
    shared: Arc<Shared>,
    simulated: Simulated,
    totals: Totals,
    /// The candidate's answer, JSON; kept to be used again.
    answer: Vec<u8>,
}

impl Work for Simulator {
    type Found = OtherAnswer;

    fn take(&mut self, opened: &Opened, found: &mut Vec<OtherAnswer>) -> Result<(), StoreError> {
        let shared = Arc::clone(&self.shared);
        if self.is_over() || !shared.is_latest(&opened.event) {
            return Ok(());
        }
        if self.compare(&shared, opened, found).is_err() {
            self.simulated.unreadable += 1;
        }
        Ok(())
    }

    fn miss(&mut self, event: &Recorded, _reason: String, _found: &mut Vec<OtherAnswer>) {
        self.simulated.unreadable += u64::from(self.shared.is_latest(event));
    }

    fn is_over(&self) -> bool {
        self.shared.failures.load(Ordering::Relaxed) >= FAILURES_MAX
    }
}

impl Shared {
    fn is_latest(&self, event: &Recorded) -> bool {
        self.issued.contains(&event.event_type) || self.drafts.binary_search(&event.position).is_ok()
    }
}

impl Simulator {
    /// Whether the candidate failed so often that it was given up, and all counts.
    pub(crate) fn conclude(workers: Vec<Self>) -> (bool, Simulated) {
        let given_up = workers.first().is_some_and(Work::is_over);
        let (mut all, mut totals) = (Simulated::default(), Totals::new());
        for worker in workers {
            let one = worker.simulated;
            all.documents += one.documents;
            all.same += one.same;
            all.differ += one.differ;
            all.other_reasons += one.other_reasons;
            all.refused += one.refused;
            all.failed += one.failed;
            all.unreadable += one.unreadable;
            all.erased += one.erased;
            for (code, count) in one.failures {
                *all.failures.entry(code).or_default() += count;
            }
            for (key, (effect, before, after)) in worker.totals {
                let total = totals.entry(key).or_insert((effect, Decimal::ZERO, Decimal::ZERO));
                (total.1, total.2) = (total.1.saturating_add(before), total.2.saturating_add(after));
            }
        }
        all.totals = totals
            .into_iter()
            .map(|((currency, code, _), (effect, before, after))| TaxTotal {
                currency,
                code,
                effect,
                before,
                after,
            })
            .collect();
        (given_up, all)
    }

    fn compare(
        &mut self,
        shared: &Shared,
        Opened { event, erased }: &Opened,
        found: &mut Vec<OtherAnswer>,
    ) -> Result<(), String> {
        let payload = payload(event)?;
        let stored = decisions(&event.event_type, &payload)?;
        let unreadable = |error: serde_json::Error| error.to_string();
        let document: Document =
            serde_json::from_str(stored.assessment.document.get()).map_err(unreadable)?;
        if !shared.filter.takes(&document) {
            return Ok(());
        }
        if *erased {
            self.simulated.erased += 1;
            return Ok(());
        }
        let compared =
            compare((&shared.module, &shared.config), &document, stored.assessment.taxes, &mut self.answer)
                .map_err(unreadable)?;
        self.simulated.documents += 1;
        let (kind, before, after, codes) = match compared {
            Compared::Same(answer) => {
                self.simulated.same += 1;
                self.sum(&document.currency, &answer, Some(&answer));
                return Ok(());
            }
            Compared::Otherwise { kind, before, after, codes } => (kind, before, after, codes),
        };
        match kind {
            AnswerKind::Amounts => self.simulated.differ += 1,
            AnswerKind::Reasons => self.simulated.other_reasons += 1,
            AnswerKind::Refused => self.simulated.refused += 1,
            AnswerKind::Failed => {
                shared.failures.fetch_add(1, Ordering::Relaxed);
                self.simulated.failed += 1;
                let code = codes.first().cloned().unwrap_or_default();
                *self.simulated.failures.entry(code).or_default() += 1;
            }
        }
        self.sum(&document.currency, &before, after.as_ref());
        found.push(OtherAnswer {
            position: event.position.0,
            invoice: invoice_of(event).map(|id| id.to_string()).unwrap_or_default(),
            number: stored.number.map(std::borrow::Cow::into_owned),
            tax_date: document.tax_date,
            document_kind: document.kind,
            currency: document.currency,
            kind,
            before: Sums::from(&before),
            after: after.as_ref().map(Sums::from),
            codes,
        });
        Ok(())
    }

    /// Adds a document's taxes, before and after, to the totals.
    fn sum(&mut self, currency: &str, before: &Determination, after: Option<&Determination>) {
        let after = after.unwrap_or(before);
        for (taxes, is_before) in [(before, true), (after, false)] {
            for item in taxes.lines.iter().flat_map(|line| &line.taxes) {
                let key = (currency.to_owned(), item.code.clone(), effect_name(item.effect));
                let total = self.totals.entry(key).or_insert((item.effect, Decimal::ZERO, Decimal::ZERO));
                let sum = if is_before { &mut total.1 } else { &mut total.2 };
                *sum = sum.saturating_add(item.amount);
            }
        }
    }
}

const fn effect_name(effect: Effect) -> &'static str {
    match effect {
        Effect::Added => "added",
        Effect::Withheld => "withheld",
        Effect::Informative => "informative",
    }
}
