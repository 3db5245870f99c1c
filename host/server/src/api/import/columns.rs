//! Columns of CSV, and the places of a document that they fill.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::api::code::Code;
use crate::api::problem::ApiError;

/// The columns with a name of their own, and the place that each fills. Of a purchase, the party is the supplier.
const KNOWN: [(&str, &str); 21] = [
    ("direction", "/direction"),
    ("kind", "/kind"),
    ("tax_date", "/tax_date"),
    ("due_date", "/due_date"),
    ("currency", "/currency"),
    ("exchange_rate", "/exchange_rate/rate"),
    ("exchange_rate_source", "/exchange_rate/source"),
    ("price_mode", "/price_mode"),
    ("party_id", "/customer/id"),
    ("party_name", "/customer/name"),
    ("party_address", "/customer/address"),
    ("party_country", "/customer/country"),
    ("supplier_number", "/supplier_invoice/number"),
    ("supplier_date", "/supplier_invoice/date"),
    ("description", "/lines/0/description"),
    ("supply_code", "/lines/0/supply_code"),
    ("quantity", "/lines/0/quantity"),
    ("unit", "/lines/0/unit"),
    ("unit_price", "/lines/0/unit_price"),
    ("discount", "/lines/0/discount"),
    ("account", "/lines/0/account"),
];
/// Columns whose names go on.
const OPEN: [(&str, &str); 3] = [
    ("attribute.", "/attributes/"),
    ("line_attribute.", "/lines/0/attributes/"),
    ("party_identifier.", "/customer/identifiers/"),
];

/// The columns of a body, in their order; none of JSON lines.
#[derive(Debug, Clone)]
pub(super) struct Columns(Arc<Vec<String>>);

impl Columns {
    /// Of rows that have none.
    pub(super) fn none() -> Self {
        Self(Arc::default())
    }

    /// The columns that a header names.
    pub(super) fn of(header: &csv::StringRecord) -> Result<Self, ApiError> {
        let names: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
        for (index, name) in names.iter().enumerate() {
            let open = OPEN.iter().any(|(prefix, _)| name.len() > prefix.len() && name.starts_with(prefix));
            let plain = !name.contains(['/', '~']);
            if !(plain && (open || KNOWN.iter().any(|(known, _)| known == name))) {
                let place = format!("/0/{}", name.replace('~', "~0").replace('/', "~1"));
                return Err(ApiError::at(
                    Code::ColumnUnknown,
                    &place,
                    format!("there is no column {name:?}"),
                ));
            }
            if names.iter().take(index).any(|other| other == name) {
                let message = format!("the column {name:?} is there twice");
                return Err(ApiError::at(Code::FieldDuplicate, &format!("/0/{name}"), message));
            }
        }
        Ok(Self(Arc::new(names)))
    }

    /// The name of a column; empty beyond the last.
    pub(super) fn name(&self, index: usize) -> &str {
        self.0.get(index).map_or("", String::as_str)
    }

    /// The document of a row.
    pub(super) fn document(&self, record: &csv::StringRecord) -> Result<Value, ApiError> {
        if record.len() != self.0.len() {
            let message = format!("the row has {} cells for {} columns", record.len(), self.0.len());
            return Err(ApiError::new(Code::CsvMalformed, message));
        }
        let cells = || self.0.iter().zip(record).filter(|(_, cell)| !cell.trim().is_empty());
        let purchase = cells().any(|(name, cell)| name == "direction" && cell.trim() == "purchase");
        let (mut root, mut identifiers) = (json!({"lines": [{}]}), Vec::new());
        for (name, cell) in cells() {
            if let Some(kind) = name.strip_prefix("party_identifier.") {
                identifiers.push(json!({"kind": kind, "value": cell}));
                continue;
            }
            let place = match OPEN.iter().find_map(|(prefix, at)| Some((name.strip_prefix(prefix)?, at))) {
                Some((rest, at)) => format!("{at}{rest}"),
                None => KNOWN.iter().find(|(known, _)| known == name).map_or("", |known| known.1).to_owned(),
            };
            put(&mut root, &place, cell.trim());
        }
        if !identifiers.is_empty() {
            put_value(&mut root, "/customer/identifiers", Value::Array(identifiers));
        }
        if purchase
            && let Some(fields) = root.as_object_mut()
            && let Some(party) = fields.remove("customer")
        {
            fields.insert("supplier".to_owned(), party);
        }
        Ok(root)
    }

    /// The column of a place of the document, or the place itself.
    pub(super) fn place(&self, pointer: &str) -> String {
        if self.0.is_empty() {
            return pointer.to_owned();
        }
        let is_here = |name: &str| self.0.iter().any(|own| own == name);
        let pointer = pointer.replacen("/supplier/", "/customer/", 1);
        if let Some((name, _)) = KNOWN.iter().find(|(_, place)| *place == pointer) {
            return format!("/{name}");
        }
        for (prefix, at) in OPEN {
            if let Some(rest) = pointer.strip_prefix(at)
                && is_here(&format!("{prefix}{rest}"))
            {
                return format!("/{prefix}{rest}");
            }
        }
        if pointer.starts_with("/customer/identifiers") {
            let first = self.0.iter().find(|name| name.starts_with("party_identifier."));
            return first.map_or_else(|| pointer.clone(), |name| format!("/{name}"));
        }
        pointer
    }
}

fn put(root: &mut Value, place: &str, text: &str) {
    put_value(root, place, Value::String(text.to_owned()));
}

/// Puts a value at a place whose parents are objects, or the first of a list, and are made where they are not there.
fn put_value(root: &mut Value, place: &str, value: Value) {
    let mut parts: Vec<&str> = place.split('/').skip(1).collect();
    let Some(last) = parts.pop() else { return };
    let mut at = root;
    for part in parts {
        at = match at {
            Value::Array(items) => match items.first_mut() {
                Some(first) => first,
                None => return,
            },
            Value::Object(fields) => {
                fields.entry(part.to_owned()).or_insert_with(|| Value::Object(Map::new()))
            }
            _ => return,
        };
    }
    if let Value::Object(fields) = at {
        fields.insert(last.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Columns;

    fn columns(names: &[&str]) -> Columns {
        Columns::of(&csv::StringRecord::from(names.to_vec())).unwrap()
    }

    #[test]
    fn a_row_becomes_a_document() {
        let columns = columns(&[
            "direction",
            "party_name",
            "party_identifier.bin",
            "exchange_rate",
            "quantity",
            "discount",
            "line_attribute.sd_rate",
            "attribute.vehicle",
        ]);
        let row =
            csv::StringRecord::from(vec!["purchase", "Padma", "000828395-0207", "1.5", "2", "", "20", "Van"]);
        assert_eq!(
            columns.document(&row).unwrap(),
            json!({
                "direction": "purchase", "exchange_rate": {"rate": "1.5"},
                "supplier": {"name": "Padma", "identifiers": [{"kind": "bin", "value": "000828395-0207"}]},
                "lines": [{"quantity": "2", "attributes": {"sd_rate": "20"}}], "attributes": {"vehicle": "Van"},
            })
        );
    }

    #[test]
    fn places_are_told_by_column() {
        let columns = columns(&["direction", "party_identifier.bin", "line_attribute.sd_rate"]);
        for (place, column) in [
            ("/lines/0/unit_price", "/unit_price"),
            ("/supplier/name", "/party_name"),
            ("/customer/identifiers/0/value", "/party_identifier.bin"),
            ("/lines/0/attributes/sd_rate", "/line_attribute.sd_rate"),
            ("/elsewhere", "/elsewhere"),
        ] {
            assert_eq!(columns.place(place), column);
        }
        assert_eq!(Columns::none().place("/lines/0/unit_price"), "/lines/0/unit_price");
    }
}
