//! Schedules as clients see them.

use niyam_domain::{
    Depreciation, EntryId, Every, Occurrence, Periods, Plan, Recurring, Schedule, ScheduleId, Version, What,
};
use niyam_values::{Attributes, Date, Decimal, Finding};
use serde::Serialize;
use utoipa::ToSchema;

use crate::commands::journal::JournalLineView;
use crate::commands::schedule_run::Outcome;
use crate::commands::views::FindingView;

/// What the entries of a schedule say.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TemplateView {
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    lines: Vec<JournalLineView>,
}

/// An asset that loses value.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AssetView {
    /// `straight-line` or `declining-balance`.
    method: &'static str,
    #[schema(value_type = String)]
    cost: Decimal,
    #[schema(value_type = String)]
    salvage: Decimal,
    months: u32,
    /// Percent of a year.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    rate: Option<Decimal>,
    currency: &'static str,
    expense_account: String,
    accumulated_account: String,
    description: String,
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    dimensions: Attributes,
}

/// What was posted for a month or a period.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PostedView {
    occurrence: String,
    #[schema(value_type = String, format = Date)]
    date: Date,
    #[schema(value_type = String)]
    entry_id: EntryId,
    /// The entry that takes it back, for an accrual.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    mirror_id: Option<EntryId>,
}

/// What a schedule posts for a month or a fiscal period.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OccurrenceView {
    /// The month, as `2026-08`, or the fiscal period's code.
    occurrence: String,
    /// `entry`, or `reversal` of the entry.
    kind: &'static str,
    #[schema(value_type = String, format = Date)]
    date: Date,
    /// `posted`; `due`: the next run posts it; `held`: the findings say what keeps it; or `planned`.
    state: &'static str,
    /// The entry, once it is posted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    entry_id: Option<EntryId>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lines: Vec<JournalLineView>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    findings: Vec<FindingView>,
}

impl OccurrenceView {
    pub(crate) fn new(
        occurrence: &Occurrence,
        state: &'static str,
        entry_id: Option<EntryId>,
        findings: &[Finding],
    ) -> Self {
        let (kind, lines) = match &occurrence.what {
            What::Entry(entry) => {
                ("entry", entry.lines.as_slice().iter().map(JournalLineView::from).collect())
            }
            What::Reversal => ("reversal", Vec::new()),
        };
        let findings = findings.iter().map(FindingView::from).collect();
        Self {
            occurrence: occurrence.key.clone(),
            kind,
            date: occurrence.date,
            state,
            entry_id,
            lines,
            findings,
        }
    }

    /// Something that is due, or that findings hold.
    fn waiting(occurrence: &Occurrence, findings: &[Finding]) -> Self {
        Self::new(occurrence, if findings.is_empty() { "due" } else { "held" }, None, findings)
    }
}

/// A schedule.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ScheduleView {
    #[schema(value_type = String)]
    id: ScheduleId,
    #[schema(value_type = u64)]
    version: Version,
    name: String,
    /// `recurring`, `accrual` or `depreciation`.
    kind: &'static str,
    /// `active`, `ended`, or `complete` when nothing more can come.
    status: &'static str,
    #[schema(value_type = String, format = Date)]
    starts: Date,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    until: Option<Date>,
    /// The last day for which it posts, once it was ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    last_day: Option<Date>,
    /// `month` or `fiscal-period`.
    #[serde(skip_serializing_if = "Option::is_none")]
    every: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    day: Option<i8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<TemplateView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    asset: Option<AssetView>,
    posted: Vec<PostedView>,
    /// What is due by today and not posted.
    pending: Vec<OccurrenceView>,
}

impl ScheduleView {
    /// The schedule with what is due, each with what keeps it from being posted.
    pub(crate) fn new(
        found: &Schedule,
        version: Version,
        periods: &Periods,
        due: &[(Occurrence, Vec<Finding>)],
    ) -> Self {
        let terms = &found.terms;
        let (every, day, entry, asset) = match &terms.plan {
            Plan::Recurring(recurring) | Plan::Accrual(recurring) => {
                (Some(recurring.every.as_str()), recurring.day, Some(template(recurring)), None)
            }
            Plan::Depreciation(depreciation) => {
                (Some(Every::Month.as_str()), None, None, Some(asset(depreciation)))
            }
        };
        let status = if found.is_complete(periods) {
            "complete"
        } else if found.ended.is_some() {
            "ended"
        } else {
            "active"
        };
        let posted = found.posted.iter().map(|(occurrence, posted)| PostedView {
            occurrence: occurrence.clone(),
            date: posted.date,
            entry_id: posted.entry_id,
            mirror_id: posted.mirror_id,
        });
        Self {
            id: found.id,
            version,
            name: terms.name.clone(),
            kind: terms.plan.kind(),
            status,
            starts: terms.starts,
            until: terms.until,
            last_day: found.ended,
            every,
            day,
            entry,
            asset,
            posted: posted.collect(),
            pending: due
                .iter()
                .map(|(occurrence, findings)| OccurrenceView::waiting(occurrence, findings))
                .collect(),
        }
    }
}

fn template(recurring: &Recurring) -> TemplateView {
    TemplateView {
        description: recurring.description.clone(),
        reference: recurring.reference.clone(),
        lines: recurring.lines.as_slice().iter().map(JournalLineView::from).collect(),
    }
}

fn asset(depreciation: &Depreciation) -> AssetView {
    AssetView {
        method: depreciation.method.as_str(),
        cost: depreciation.cost,
        salvage: depreciation.salvage,
        months: depreciation.months,
        rate: depreciation.rate,
        currency: depreciation.currency.code(),
        expense_account: depreciation.expense.to_string(),
        accumulated_account: depreciation.accumulated.to_string(),
        description: depreciation.description.clone(),
        dimensions: depreciation.dimensions.clone(),
    }
}

/// What a run posted, or found that it could not.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RanView {
    #[schema(value_type = String)]
    schedule: ScheduleId,
    #[serde(flatten)]
    occurrence: OccurrenceView,
}

impl RanView {
    pub(crate) fn new((schedule, outcome): &(ScheduleId, Outcome)) -> Self {
        let occurrence = match outcome {
            Outcome::Posted(occurrence, entry_id) => {
                OccurrenceView::new(occurrence, "posted", Some(*entry_id), &[])
            }
            Outcome::Held(occurrence, findings) => OccurrenceView::new(occurrence, "held", None, findings),
        };
        Self { schedule: *schedule, occurrence }
    }
}
