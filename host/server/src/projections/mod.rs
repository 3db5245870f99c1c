//! Read models: computed from events alone, each with its checkpoint in the transaction that writes it.
//!
//! SQL of views lives here and nowhere else. A view never decides anything.
//!
//! 1. [`view`]: what a view is, and the list of them.
//! 2. [`invoice_list`], [`payment_list`], [`schedules`]: lists. [`ledger`]: what reports are read from. `tax_documents`:
//!    what was issued for which days.
//! 3. `checkpoint`: how far a build has come, who works on it, where it stopped.
//! 4. [`runner`]: keeps the live builds up to date. [`rebuild`]: makes a new build beside the live one.

pub(crate) mod checkpoint;
pub(crate) mod invoice_list;
pub(crate) mod ledger;
pub(crate) mod payment_list;
pub(crate) mod rebuild;
pub(crate) mod runner;
pub(crate) mod schedules;
mod tax_documents;
#[cfg(test)]
mod tests;
pub(crate) mod view;
pub(crate) mod writer;

pub(crate) use invoice_list::{InvoiceListItem, InvoiceListQuery, ListedStatus};
pub(crate) use payment_list::{PaymentListItem, PaymentListQuery};
pub(crate) use rebuild::resume;
pub(crate) use runner::{Progress, Runner};
pub(crate) use tax_documents::TaxDocuments;
