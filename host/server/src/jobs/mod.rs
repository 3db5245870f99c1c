//! Long work that a tenant asks for over the API: asked now, done in the background by any host, once.
//!
//! 1. [`job`]: what a job is. [`table`]: how it is kept; the SQL of jobs lives there and nowhere else.
//! 2. [`runner`]: takes jobs in turn, a few at a time, under a lease; one whose host is gone is begun again elsewhere.
//! 3. [`work`]: what each kind of job does.
//!
//! A verification or a simulation changes nothing of its tenant but the job's own rows. The close of a year posts, as a
//! command does.

pub(crate) mod job;
pub(crate) mod runner;
pub(crate) mod table;
mod work;

pub(crate) use job::{
    Ask, Asked, Job, JobKind, JobState, SimulationRequest, VerificationRequest, YearRequest,
};
pub(crate) use runner::{Jobs, Runner, cores};
