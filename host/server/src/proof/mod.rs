//! Signed checkpoints: what a history was at a time, kept outside the database that holds it.
//!
//! The hash chain has no secret, so who can write the database can rewrite a whole history or cut off its end. Against
//! a checkpoint that shows. In reading order: `key` signs and checks, `checkpoint` is the statement that is signed,
//! `sheet` the file that keeps a tenant's, `maker` makes one after it verified what it covers, `keeper` does so daily.

pub(crate) mod checkpoint;
pub(crate) mod keeper;
pub(crate) mod key;
pub(crate) mod maker;
pub(crate) mod sheet;
