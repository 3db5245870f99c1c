//! Which note of Mushak-9.1 each line of each document goes to.

use niyam_sdk::{Decimal, Finding, Line, LineTaxes};

use super::book::{Book, Entry, RETURN, is_certificate, item};
use super::figures::Figures;
use super::input::Inputs;
use crate::config::Issuer;
use crate::line::{REVERSED, STANDARD};
use crate::statements::INTEREST;
use crate::tables::{self, RETURN_PAPER};
use crate::{calendar, credit, dates, movements, papers};

const ZERO: Decimal = Decimal::ZERO;

/// The notes of a book.
///
/// # Errors
/// A certificate or an invoice used twice, a claim outside its window, an adjustment that states nothing.
pub(crate) fn figures<'a>(book: &Book<'a>) -> Result<Figures<'a>, Vec<Finding>> {
    let mut figures = Figures::new();
    let mut findings = twice(book);
    figures.open(book).unwrap_or_else(|refused| findings.extend(refused));
    let mut inputs = Inputs::default();
    for entry in &book.entries {
        match (entry.kind(), entry.is_sale()) {
            (RETURN, _) => penalty(book, entry, &mut figures),
            ("invoice", true) => sales(book, entry, &mut figures),
            ("credit-note", true) => note(entry, &mut figures, 31, Some(39)),
            ("debit-note", true) => note(entry, &mut figures, 26, Some(38)),
            ("credit-note", false) => received(entry, &mut figures, 27),
            ("debit-note", false) => {
                let ours = book.config.notes.debit_note_issuer == Issuer::Buyer;
                received(entry, &mut figures, if ours { 26 } else { 32 });
            }
            ("invoice" | "import-entry", false) => {
                inputs.add(book, entry, &mut findings);
                withheld(entry, &mut figures);
            }
            (kind, _) if movements::is_kind(kind) => {}
            _ => stated(book, entry, &mut figures, &mut findings),
        }
    }
    inputs.conclude(book.config, &mut figures);
    if findings.is_empty() {
        figures.conclude(book)?;
        Ok(figures)
    } else {
        Err(findings)
    }
}

/// Part 3: by the rate and kind of the supply.
fn sales<'a>(book: &Book<'a>, entry: &Entry<'a>, figures: &mut Figures<'a>) {
    for (line, taxed) in entry.lines() {
        let columns = [entry.taka(taxed.net), entry.tax(taxed, "sd"), entry.tax(taxed, "vat")];
        figures.add(supply_note(book, entry, line, taxed), entry, &line.description, columns);
    }
}

fn supply_note(book: &Book, entry: &Entry, line: &Line, taxed: &LineTaxes) -> u8 {
    let own = book.config.supply(&line.supply_code);
    let code = own.map_or(line.supply_code.as_str(), |own| own.code.as_str());
    let fact = |name: &str| line.attributes.get(name).or_else(|| entry.get(name)).unwrap_or_default();
    match item(taxed, "vat") {
        None => 3,
        _ if code == "export" => {
            if fact("export") == "deemed" {
                2
            } else {
                1
            }
        }
        _ if fact("basis") == "mrp" => 5,
        Some(vat) if vat.rate.is_none() => 6,
        _ if code == "trade" || code.ends_with("-trade") => 8,
        Some(vat) if vat.rate == Some(STANDARD) => 4,
        Some(_) => 7,
    }
}

/// What a credit or debit note changes.
fn note<'a>(entry: &Entry<'a>, figures: &mut Figures<'a>, vat: u8, duty: Option<u8>) {
    for (line, taxed) in entry.lines() {
        figures.add(vat, entry, &line.description, [entry.tax(taxed, "vat"), ZERO, ZERO]);
        let sd = entry.tax(taxed, "sd");
        if let Some(duty) = duty.filter(|_| !sd.is_zero()) {
            figures.add(duty, entry, &line.description, [sd, ZERO, ZERO]);
        }
    }
}

/// What a supplier's note changes of the credit: VAT that was never credited is not given back.
fn received<'a>(entry: &Entry<'a>, figures: &mut Figures<'a>, vat: u8) {
    for (line, taxed) in entry.lines() {
        if item(taxed, "vat").is_some_and(|tax| tax.recoverable) {
            figures.add(vat, entry, &line.description, [entry.tax(taxed, "vat"), ZERO, ZERO]);
        }
    }
}

/// VAT that we deducted, VAT of which we are the recipient, and advance tax that we paid.
fn withheld<'a>(entry: &Entry<'a>, figures: &mut Figures<'a>) {
    for (line, taxed) in entry.lines() {
        for (code, note) in [("vds", 24), (REVERSED, 24), ("at", 30)] {
            let amount = entry.tax(taxed, code);
            if !amount.is_zero() {
                figures.add(note, entry, &line.description, [amount, ZERO, ZERO]);
            }
        }
    }
}

/// What an adjustment, a deposit, a certificate or a late payment states.
fn stated<'a>(book: &Book<'a>, entry: &Entry<'a>, figures: &mut Figures<'a>, findings: &mut Vec<Finding>) {
    if is_certificate(entry) {
        certificate(book, entry, findings);
    }
    for (at, (line, taxed)) in entry.lines().enumerate() {
        let Some(row) = tables::statement(&line.supply_code).filter(|row| row.kind == entry.kind()) else {
            let message =
                format!("nothing of a document of kind {} goes into the return", short(entry.kind()));
            let place = entry.place(&format!("document/lines/{at}/supply_code"));
            findings.push(
                Finding::error("kind-not-offered", message).at(place).citing(tables::citation(RETURN_PAPER)),
            );
            continue;
        };
        let code = if row.kind == "late-payment" { INTEREST } else { row.code };
        figures.add(row.note, entry, &line.description, [entry.tax(taxed, code), ZERO, ZERO]);
    }
}

fn short(text: &str) -> String {
    text.chars().take(32).collect()
}

/// A certificate has a number, and is used within its window.
fn certificate(book: &Book, entry: &Entry, findings: &mut Vec<Finding>) {
    if entry.number().is_empty() {
        let message = "a certificate of deduction has a number";
        let finding =
            Finding::error("field-missing", message).at(entry.place("document/attributes/certificate"));
        findings.push(finding.citing(tables::citation(tables::CERTIFICATE_PAPER)));
    }
    let day = entry.document().tax_date;
    let Some(levy) = tables::levy("certificate-window", day) else { return };
    let periods = credit::periods(book.config, i32::try_from(levy.value).unwrap_or(0));
    let passed = dates::month(book.period.starts) - dates::month(day);
    if passed > periods {
        let message = format!(
            "a certificate of {day} could be used within {periods} tax periods after its own; {passed} have passed"
        );
        let finding =
            Finding::error("certificate-window-missed", message).at(entry.place("document/tax_date"));
        findings.push(finding.citing(tables::citation(levy.citation)));
    }
}

/// Certificates and suppliers' invoices that are there a second time, by number and BIN.
fn twice(book: &Book) -> Vec<Finding> {
    let mut seen: Vec<(&str, String, &str, &Entry)> = Vec::new();
    let mut findings = Vec::new();
    for entry in &book.entries {
        let claims = !entry.is_sale() && matches!(entry.kind(), "invoice" | "import-entry");
        if entry.number().is_empty() || !(claims || is_certificate(entry)) {
            continue;
        }
        // Who gave a certificate is the customer of the supply that it is about.
        let party = if is_certificate(entry) { &entry.document().customer } else { entry.party() };
        let bin = papers::normal_bin(party.identifier("bin").unwrap_or_default());
        let bin = if entry.kind() == "import-entry" { String::new() } else { bin };
        seen.push((entry.kind(), bin, entry.number(), entry));
    }
    seen.sort_by(|left, right| {
        (left.0, &left.1, left.2, left.3.at).cmp(&(right.0, &right.1, right.2, right.3.at))
    });
    for pair in seen.windows(2) {
        if pair[0].0 == pair[1].0 && pair[0].1 == pair[1].1 && pair[0].2 == pair[1].2 {
            let (code, what, law) = if pair[1].0 == "withholding-certificate" {
                ("certificate-used-twice", "certificate", tables::CERTIFICATE_PAPER)
            } else {
                ("invoice-claimed-twice", "invoice", tables::CREDIT_BARRED)
            };
            let message = format!("the {what} {} stands in entry {} already", short(pair[1].2), pair[0].3.at);
            let finding = Finding::error(code, message).at(pair[1].3.place("document"));
            findings.push(finding.citing(tables::citation(law)));
        }
    }
    findings
}

/// Note 43: a return that comes late.
fn penalty<'a>(book: &Book<'a>, entry: &Entry<'a>, figures: &mut Figures<'a>) {
    let late = calendar::return_due(book.config, book.period.ends)
        .is_some_and(|due| entry.register.facts.issued_on > due);
    if late {
        let taka = crate::amounts::taka(&book.config.penalties.late_return).unwrap_or(ZERO);
        figures.add(43, entry, "late return", [taka, ZERO, ZERO]);
    }
}
