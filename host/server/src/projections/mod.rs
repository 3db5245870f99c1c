//! Read models: computed from events alone, each with its checkpoint in the transaction that writes it.
//!
//! SQL of views lives here and nowhere else. A view never decides anything.

pub(crate) mod invoice_list;
pub(crate) mod runner;
pub(crate) mod writer;

pub(crate) use invoice_list::{InvoiceListItem, InvoiceListQuery};
pub(crate) use runner::{Progress, Runner, checkpoint_of};
