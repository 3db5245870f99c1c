//! Schedules: entries that come again, accruals that are taken back, and depreciation, each posted once for its period.
//!
//! What is due follows from the schedule, the fiscal periods and a day; an occurrence is named by its month or period, so
//! that whoever posts it knows whether it was posted. A schedule posts nothing by itself: see `commands/schedules`.
//!
//! 1. `plan`: what a schedule posts, and when.
//! 2. `depreciation`: what an asset loses each month.
//! 3. `aggregate`: the aggregate, one for each schedule.

mod aggregate;
mod depreciation;
mod plan;

pub use aggregate::{
    Occurrence, OccurrencePosted, OccurrenceReversed, PostedOccurrence, Schedule, ScheduleCommand,
    ScheduleCreated, ScheduleEnded, ScheduleEvent, ScheduleRevised, ScheduleTerms, What,
};
pub use depreciation::{Depreciation, Method};
pub use plan::{Every, Plan, Recurring};

/// What schedules must hold: the code of a finding, and what is wanted.
pub const SCHEDULE_RULES: &[(&str, &str)] = &[
    (
        "schedule-day-invalid",
        "A monthly schedule names a day from 1 to 31, or none for the last; one by period names none.",
    ),
    ("schedule-until-before-start", "A schedule does not end before it starts."),
    (
        "schedule-begun",
        "Of a schedule that has posted, only names, texts, lines, accounts and the end are revised.",
    ),
    ("schedule-end-before-posted", "A schedule does not end before what it posted."),
    (
        "depreciation-invalid",
        "An asset has a cost above its salvage value, a life of 1 to 1200 months, and a rate if its balance declines.",
    ),
];

#[cfg(test)]
mod tests;
