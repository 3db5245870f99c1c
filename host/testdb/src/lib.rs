//! Throw-away PostgreSQL clusters, and small disks, for tests and measurements.
//!
//! [`Postgres::start`] makes a cluster of one's own; [`database_url`] gives a test a fresh database, in the cluster
//! that `NIYAM_TEST_POSTGRES` names or else in one of the process. A cluster keeps `fsync` on, listens on
//! 127.0.0.1 only, and goes with the process that started it, however that ends.

mod binaries;
mod cluster;
mod database;
mod disk;

pub use binaries::program;
pub use cluster::Postgres;
pub use database::{ADMIN_URL_VARIABLE, database_url};
pub use disk::SmallDisk;
