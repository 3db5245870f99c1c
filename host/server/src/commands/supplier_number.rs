//! The supplier's own number of a purchase: recorded once, whatever the supplier is called by.

use std::collections::BTreeSet;

use niyam_domain::{
    InvoiceId, Rejection, StreamId, SupplierNumberEvent, SupplierNumberTaken, Version, supplier_number_stream,
};
use niyam_store::StreamWrite;
use niyam_values::{Direction, Document, Finding};

use crate::app::App;
use crate::commands::metadata::new_event;
use crate::commands::{Actor, CommandError};

/// The document's attribute that has the supplier's number.
pub(crate) const SUPPLIER_NUMBER: &str = "supplier_number";
/// The document's attribute that has the day of the supplier's paper.
pub(crate) const SUPPLIER_DATE: &str = "supplier_date";
/// Where a request has the number.
pub(crate) const PLACE: &str = "/supplier_invoice/number";

/// The supplier's number of a purchase.
pub(crate) fn supplier_number(document: &Document) -> Option<&str> {
    document.attributes.get(SUPPLIER_NUMBER).map(str::trim).filter(|number| !number.is_empty())
}

/// Refuses a purchase without a number.
pub(crate) fn require_number(document: &Document) -> Result<(), Rejection> {
    if document.direction == Direction::Sale {
        return Ok(());
    }
    let finding = match supplier_number(document) {
        None => Finding::error("supplier-number-missing", "a purchase has its supplier's number"),
        Some(number) if number.chars().count() > 64 || folded(number).is_empty() => {
            Finding::error("supplier-number-invalid", "at most 64 characters, a letter or digit among them")
        }
        Some(_) => return Ok(()),
    };
    Err(Rejection::Findings(vec![finding.at(PLACE)]))
}

/// What the supplier may be known by: its id and its identifiers, or, without any, its name.
fn names(document: &Document) -> BTreeSet<String> {
    let supplier = &document.supplier;
    let mut names = BTreeSet::new();
    if !supplier.id.is_empty() {
        names.insert(format!("id {}", supplier.id));
    }
    for identifier in &supplier.identifiers {
        names.insert(format!("{} {}", identifier.kind, folded(&identifier.value)));
    }
    if names.is_empty() {
        names.insert(format!("name {} {}", supplier.country, folded(&supplier.name)));
    }
    names
}

/// Letters and digits alone, in one case: `INV-7` and `inv 7` are one.
fn folded(text: &str) -> String {
    text.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

/// As [`folded`], but digits that something parts stay apart: `1/12` and `11/2` are two.
fn folded_number(text: &str) -> String {
    let mut folded = String::new();
    let mut parted = false;
    for character in text.chars() {
        if !character.is_alphanumeric() {
            parted = true;
            continue;
        }
        if parted && character.is_numeric() && folded.ends_with(char::is_numeric) {
            folded.push('-');
        }
        folded.extend(character.to_uppercase());
        parted = false;
    }
    folded
}

impl App {
    /// The streams of a purchase's number, one for each name of its supplier; none for a sale.
    ///
    /// The digests are keyed: they tell nobody who the supplier is.
    pub(crate) fn number_streams(&self, actor: &Actor, document: &Document) -> Vec<StreamId> {
        let Some(number) = supplier_number(document).filter(|_| document.direction == Direction::Purchase)
        else {
            return Vec::new();
        };
        let number = folded_number(number);
        let of = |name: String| {
            let text = format!("supplier-number\n{}\n{name}\n{number}", document.kind);
            supplier_number_stream(&self.vault.subject(&actor.tenant, &text))
        };
        names(document).into_iter().map(of).collect()
    }

    /// Refuses a number that a document of this supplier bears.
    pub(crate) async fn require_free_number(
        &self,
        actor: &Actor,
        document: &Document,
    ) -> Result<(), CommandError> {
        for stream in self.number_streams(actor, document) {
            if !self.store.load(&actor.tenant, &stream, Version(0)).await?.is_empty() {
                let finding =
                    Finding::error("supplier-number-used", "the supplier's number is in the books already");
                return Err(Rejection::Findings(vec![finding.at(PLACE)]).into());
            }
        }
        Ok(())
    }

    /// What takes the number for the document.
    pub(crate) fn take_number(
        &self,
        actor: &Actor,
        id: InvoiceId,
        document: &Document,
    ) -> Result<Vec<StreamWrite>, CommandError> {
        let taken = SupplierNumberEvent::Taken(SupplierNumberTaken { invoice_id: id });
        let write = |stream: StreamId| {
            let event = new_event(self.ids.next_id(), &taken, actor, document.tax_date)?;
            Ok(StreamWrite { stream, expected: Version(0), events: vec![event] })
        };
        self.number_streams(actor, document).into_iter().map(write).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::folded;

    #[test]
    fn a_number_is_the_same_however_it_is_spelled() {
        assert_eq!(folded("INV-7/2026"), folded("inv 7 2026"));
        assert_ne!(folded("INV-7"), folded("INV-71"));
    }
}
