//! The server as its clients meet it: over HTTP, with the bundled pack, on either database.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod activating;
mod audit;
mod erasure;
mod harness;

mod invoices;
mod lifecycle;
mod lists;
mod papers;
mod proofs;
mod repeats;
mod reruns;
mod returns;
mod shadows;
mod simulations;
mod taxes;
mod tenants;

mod accounts;
mod bank;
mod fiscal_periods;
mod fiscal_years;
mod imports;
mod journal;
mod notes;
mod payments;
mod posting;
mod reports;
mod schedules;

mod documents;
mod fallbacks;
mod modules;
mod policies;
mod publishing;
mod refusals;
mod tokens;

mod hosts;
mod program;
mod references;
mod stopping;
