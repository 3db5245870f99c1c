//! Long work that a tenant asks for over the API: asked now, done in the background by any host, once.
//!
//! 1. [`job`]: what a job is. [`table`]: how it is kept; the SQL of jobs lives there and nowhere else.
//! 2. [`runner`]: takes jobs in turn, a few at a time, under a lease; one whose host is gone is begun again elsewhere.
//! 3. [`work`]: what each kind of job does.
//!
//! A job changes nothing of its tenant but its own rows.

pub(crate) mod job;
pub(crate) mod runner;
pub(crate) mod table;
mod work;

pub(crate) use job::{Ask, Asked, Job, JobKind, JobState, SimulationRequest, VerificationRequest};
pub(crate) use runner::{Jobs, Runner, cores};
