//! The papers beside the tax invoice: how each is issued, and what stands on it.
//!
//! What the law wants on a paper is checked first; where it lacks, there are findings and nothing is drawn.

mod rows;
pub(crate) mod sheet;

use niyam_sdk::{
    Block, Cell, Date, Determination, Direction, Document, Finding, Form, IssueFacts, IssuePlan, Party,
};

use crate::config::{Config, Issuer, Registration};
use crate::tables::{self, CERTIFICATE_PAPER, MOVEMENT_PAPER, NOTE_LAW, TURNOVER_PAPER};
use crate::{calendar, dates, determine, identifiers, issue, movements};
use rows::Rows;
use sheet::{Sheet, text};

pub(crate) const CERTIFICATE: &str = "mushak-6.6";
pub(crate) const CREDIT_NOTE: &str = "mushak-6.7";
pub(crate) const DEBIT_NOTE: &str = "mushak-6.8";
pub(crate) const TURNOVER_INVOICE: &str = "mushak-6.9";
pub(crate) const CONTRACT: &str = "mushak-6.4";
pub(crate) const TRANSFER: &str = "mushak-6.5";

/// The paper of a document; none where the law knows none.
pub(crate) fn code_of(config: &Config, document: &Document) -> Option<&'static str> {
    let sale = document.direction == Direction::Sale;
    match document.kind.as_str() {
        "invoice" if sale => Some(match config.registration {
            Registration::Registered => issue::MUSHAK_63,
            Registration::Enlisted => TURNOVER_INVOICE,
            Registration::Unregistered => return None,
        }),
        "invoice" => {
            let deducts =
                config.withholding.vat || document.customer.attributes.is_true("withholding_entity");
            deducts.then_some(CERTIFICATE)
        }
        "credit-note" if sale => Some(CREDIT_NOTE),
        "debit-note" if sale || config.notes.debit_note_issuer == Issuer::Buyer => Some(DEBIT_NOTE),
        movements::CONTRACT => Some(CONTRACT),
        movements::TRANSFER => Some(TRANSFER),
        _ => None,
    }
}

/// Whether [`prepare`] knows how a document is issued.
pub(crate) fn prepares(config: &Config, document: &Document) -> bool {
    let own = [CERTIFICATE, CREDIT_NOTE, DEBIT_NOTE, TURNOVER_INVOICE, CONTRACT, TRANSFER];
    code_of(config, document).is_some_and(|code| own.contains(&code))
}

/// Each paper is numbered by fiscal year, in a series of its own.
pub(crate) fn prepare(
    config: &Config,
    document: &Document,
    taxes: &Determination,
    issued_on: Date,
) -> Result<IssuePlan, Vec<Finding>> {
    let form = code_of(config, document).unwrap_or_default();
    let law = law(form);
    let ours = if document.direction == Direction::Sale { &document.supplier } else { &document.customer };
    let mut findings = Vec::new();
    for (missing, lacks) in [
        ("name", ours.name.trim().is_empty()),
        ("address", issue::address(ours).is_none()),
        ("BIN", ours.identifier("bin").is_none()),
    ] {
        if lacks {
            let message = format!("the {missing} of the one who issues {form} is missing");
            findings.push(Finding::error("issuer-incomplete", message).citing(tables::citation(law)));
        }
    }
    if form == CERTIFICATE && !deducts(taxes) {
        let message = "the pack has a paper for a purchase when VAT is deducted from it, and none is";
        findings = vec![Finding::error("kind-not-offered", message).at("/lines")];
    }
    if matches!(form, CREDIT_NOTE | DEBIT_NOTE) {
        findings.extend(missing_original(document));
    }
    if !findings.is_empty() {
        return Err(findings);
    }
    let year = calendar::year_of(issued_on);
    let (series, number_pattern) = (format!("{form}/{year}"), format!("{{serial}}/{year}"));
    Ok(IssuePlan { form: form.to_owned(), series, number_pattern, findings })
}

/// What a note does not say of its invoice, and why it is issued.
fn missing_original(document: &Document) -> Vec<Finding> {
    let blank = |name: &&str| document.attributes.get(name).is_none_or(|text| text.trim().is_empty());
    let missing = |name: &str| {
        let message = format!("a note says its {name}");
        let finding = Finding::error("field-missing", message).at(format!("/attributes/{name}"));
        finding.citing(tables::citation(NOTE_LAW))
    };
    ["original_number", "original_date", "reason"].into_iter().filter(blank).map(missing).collect()
}

/// Draws the paper `code` of an issued document.
pub(crate) fn draw(
    config: &Config,
    code: &str,
    document: &Document,
    taxes: &Determination,
    facts: &IssueFacts,
) -> Result<Form, Vec<Finding>> {
    let Some(paper) = tables::paper(code).filter(|_| law(code) != 0) else {
        let message =
            format!("the pack draws no paper {} of a document", code.chars().take(32).collect::<String>());
        return Err(vec![Finding::error("form-not-offered", message)]);
    };
    if code_of(config, document) != Some(paper.code) {
        let message = format!("the document has no paper {code}");
        return Err(vec![Finding::error("kind-not-offered", message).at("/kind")]);
    }
    if code == CERTIFICATE && !deducts(taxes) {
        return Err(vec![no_deduction()]);
    }
    let rows = Rows::of(config, document, taxes)?;
    let mut sheet = Sheet::new(paper, law(code));
    let above = rows.effect()
        > tables::threshold("note-details", document.tax_date).map_or(rows.effect(), |row| row.taka);
    let shown = Shown { config, document, facts, rows: &rows };
    let header = sheet.fields(paper.header, above, |key| shown.value(key));
    let grid = rows.grid(paper, facts, &shown);
    let footer = sheet.fields(paper.footer, above, |key| shown.value(key));
    let mut blocks = vec![Block::Fields(header), Block::Grid(grid)];
    if let Some(total) = rows.total(code) {
        blocks.extend(sheet::in_words(config, total));
    }
    blocks.push(Block::Fields(footer));
    sheet.form(blocks)
}

/// What makes the fields of a paper mandatory; zero where it is none that a document becomes.
fn law(code: &str) -> u16 {
    match code {
        CERTIFICATE => CERTIFICATE_PAPER,
        CREDIT_NOTE | DEBIT_NOTE => NOTE_LAW,
        TURNOVER_INVOICE => TURNOVER_PAPER,
        CONTRACT | TRANSFER => MOVEMENT_PAPER,
        _ => 0,
    }
}

fn deducts(taxes: &Determination) -> bool {
    taxes.lines.iter().flat_map(|line| &line.taxes).any(|item| item.code == "vds")
}

fn no_deduction() -> Finding {
    let message = "no VAT was deducted, so there is nothing to certify";
    Finding::error("nothing-deducted", message).at("/lines").citing(tables::citation(CERTIFICATE_PAPER))
}

/// What the fields of a paper are filled from.
struct Shown<'a> {
    config: &'a Config,
    document: &'a Document,
    facts: &'a IssueFacts,
    rows: &'a Rows<'a>,
}

impl Shown<'_> {
    /// A fact of the issue, or else of the document.
    fn fact(&self, name: &str) -> Option<&str> {
        self.facts.attributes.get(name).or_else(|| self.document.attributes.get(name))
    }

    /// The value of a field, and where it comes from.
    fn value(&self, key: &str) -> (Cell, String) {
        let (document, facts) = (self.document, self.facts);
        let of = |party: &Party, who: &str, field: &str| {
            let place = format!("/{who}/{}", if field == "bin" { "identifiers" } else { field });
            (party_cell(party, field), place)
        };
        if let Some(field) = key.strip_prefix("supplier_") {
            return of(&document.supplier, "supplier", field);
        }
        if let Some(field) = key.strip_prefix("buyer_") {
            return of(&document.customer, "customer", field);
        }
        match key {
            "number" => (text(Some(&facts.number)), "/facts/number".to_owned()),
            "issue_date" => (Cell::Day(facts.issued_on), "/facts/issued_on".to_owned()),
            "issue_time" => (text(Some(&facts.issued_at)), "/facts/issued_at".to_owned()),
            "processor" => {
                let address = issue::address(&document.customer).unwrap_or_default();
                let name = document.customer.name.trim();
                let both = if name.is_empty() || address.is_empty() {
                    String::new()
                } else {
                    format!("{name}, {address}")
                };
                (text(Some(&both)), "/customer".to_owned())
            }
            "processor_bin" => of(&document.customer, "customer", "bin"),
            "destination" => {
                let named = self.fact("destination").filter(|named| !named.trim().is_empty());
                (text(named.or(issue::address(&document.customer))), "/attributes/destination".to_owned())
            }
            "from_unit" | "to_unit" => {
                let code = self.fact(key).unwrap_or_default();
                let unit = self.config.units.iter().find(|unit| unit.code == code);
                let shown = unit.map(|unit| format!("{}, {}", unit.name, unit.address));
                (text(shown.as_deref()), format!("/attributes/{key}"))
            }
            "original_date" => {
                let day = self.fact(key).and_then(dates::parse);
                (day.map_or(Cell::Empty, Cell::Day), format!("/attributes/{key}"))
            }
            "vat_effect" => (Cell::Amount(self.rows.vat()), "/lines".to_owned()),
            "sd_effect" => (Cell::Amount(self.rows.sd()), "/lines".to_owned()),
            // Signed and sealed by hand.
            "signature_seal" => (Cell::Empty, String::new()),
            "responsible_person" | "designation" => {
                (text(self.fact(key)), format!("/facts/attributes/{key}"))
            }
            _ => (text(self.fact(key)), format!("/attributes/{key}")),
        }
    }
}

/// A party's name, address or BIN.
pub(crate) fn party_cell(party: &Party, field: &str) -> Cell {
    match field {
        "name" => text(Some(&party.name)),
        "address" => text(party.address.as_deref()),
        _ => sheet::bin(party.identifier("bin")),
    }
}

/// A party's BIN, or else its national identity number.
pub(crate) fn party_id(party: &Party) -> Cell {
    match sheet::bin(party.identifier("bin")) {
        Cell::Empty => text(party.identifier("nid")),
        bin => bin,
    }
}

/// The taka of a document's amounts.
pub(crate) fn taka_rate(document: &Document) -> Result<niyam_sdk::Decimal, Vec<Finding>> {
    determine::taka_rate(document)
}

/// The normal form of a BIN, or the text itself.
pub(crate) fn normal_bin(text: &str) -> String {
    identifiers::check("bin", text).unwrap_or_else(|_| text.trim().to_owned())
}
