//! The documents of a period, checked before anything is drawn from them.

use niyam_sdk::{
    Cell, Decimal, Direction, Document, Finding, FiscalPeriod, Line, LineTaxes, OpeningBalance, Party,
    RegisterEntry, TaxItem, round_half_up,
};

use crate::config::Config;
use crate::papers::sheet::text;
use crate::papers::{party_cell, taka_rate};
use crate::tables::{self, RETURN_ORDER};
use crate::{calendar, credit};

/// The kind of the entry that says who files the return, and when.
pub(crate) const RETURN: &str = "return";

/// A period with its documents.
pub(crate) struct Book<'a> {
    pub(crate) config: &'a Config,
    pub(crate) period: &'a FiscalPeriod,
    pub(crate) entries: Vec<Entry<'a>>,
    pub(crate) opening: &'a [OpeningBalance],
}

/// A document of the period.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'a> {
    /// Where it stands among the entries given.
    pub(crate) at: usize,
    pub(crate) register: &'a RegisterEntry,
    taka_rate: Decimal,
    places: u32,
}

impl<'a> Entry<'a> {
    pub(crate) fn document(&self) -> &'a Document {
        &self.register.document
    }

    pub(crate) fn kind(&self) -> &'a str {
        &self.register.document.kind
    }

    pub(crate) fn is_sale(&self) -> bool {
        self.register.document.direction == Direction::Sale
    }

    /// A fact of its issue, or else of the document.
    pub(crate) fn get(&self, name: &str) -> Option<&'a str> {
        let RegisterEntry { document, facts, .. } = self.register;
        let found = facts.attributes.get(name).or_else(|| document.attributes.get(name));
        found.map(str::trim).filter(|text| !text.is_empty())
    }

    /// Its lines with their taxes.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (&'a Line, &'a LineTaxes)> + use<'a> {
        let RegisterEntry { document, taxes, .. } = self.register;
        document.lines.iter().zip(&taxes.lines)
    }

    /// An amount of the document in taka.
    pub(crate) fn taka(&self, amount: Decimal) -> Decimal {
        // Checked when the book was opened: an entry's amounts fit.
        round_half_up(amount.checked_mul(self.taka_rate).unwrap_or(Decimal::ZERO), self.places)
    }

    /// The sum of a line's taxes of `code`, in taka.
    pub(crate) fn tax(&self, taxed: &LineTaxes, code: &str) -> Decimal {
        let items = taxed.taxes.iter().filter(|item| item.code == code);
        items.map(|item| self.taka(item.amount)).sum()
    }

    /// The number that the other books know it by: of the supplier's invoice, of the bill of entry, or its own.
    pub(crate) fn number(&self) -> &'a str {
        let named = match self.kind() {
            "import-entry" => self.get("bill_of_entry"),
            "withholding-certificate" => self.get("certificate"),
            _ if self.is_sale() => None,
            _ => self.get("mushak_6_3"),
        };
        named.unwrap_or(self.register.facts.number.trim())
    }

    /// The other party.
    pub(crate) fn party(&self) -> &'a Party {
        if self.is_sale() { &self.document().customer } else { &self.document().supplier }
    }

    /// The place of one of its fields among the entries.
    pub(crate) fn place(&self, field: &str) -> String {
        format!("/entries/{}/{field}", self.at)
    }
}

/// The item of `code` among a line's taxes.
pub(crate) fn item<'a>(taxed: &'a LineTaxes, code: &str) -> Option<&'a TaxItem> {
    taxed.taxes.iter().find(|item| item.code == code)
}

impl<'a> Book<'a> {
    /// # Errors
    /// Every entry that cannot stand in the period: of a later day, a sale of an earlier one, taxes of other lines, an
    /// amount out of range, a period that is not over.
    pub(crate) fn of(
        config: &'a Config,
        period: &'a FiscalPeriod,
        registers: &'a [RegisterEntry],
        opening: &'a [OpeningBalance],
    ) -> Result<Self, Vec<Finding>> {
        let (mut entries, mut findings) = (Vec::with_capacity(registers.len()), Vec::new());
        if calendar::period_of(period.starts) != *period {
            let message = "a tax period is a calendar month, named as the pack names it";
            findings.push(Finding::error("period-unknown", message).at("/period"));
        }
        for (at, register) in registers.iter().enumerate() {
            let rate = taka_rate(&register.document).unwrap_or_else(|refused| {
                findings.extend(refused.into_iter().map(|finding| {
                    let place = format!("/entries/{at}/document{}", finding.pointer.as_deref().unwrap_or(""));
                    finding.at(place)
                }));
                Decimal::ONE
            });
            let entry = Entry { at, register, taka_rate: rate, places: config.places() };
            check(&entry, period, &mut findings);
            entries.push(entry);
        }
        if findings.is_empty() { Ok(Self { config, period, entries, opening }) } else { Err(findings) }
    }

    /// The entry that says who files.
    pub(crate) fn filing(&self) -> Option<&Entry<'a>> {
        self.entries.iter().find(|entry| entry.kind() == RETURN)
    }

    /// What keeps a return from being drawn, as `law` has it: nobody files it, or the period is not over. A register may be
    /// drawn at any time.
    pub(crate) fn unfiled(&self, law: u16) -> Option<Finding> {
        let Some(filing) = self.filing() else {
            let message = "a return needs the entry of kind return: who files it, and when";
            let finding = Finding::error("return-facts-missing", message).at("/entries");
            return Some(finding.citing(tables::citation(law)));
        };
        let (period, day) = (self.period, filing.register.facts.issued_on);
        if day > period.ends {
            return None;
        }
        let message = format!("{} ends on {}, so on {day} it is not over", period.code, period.ends);
        let finding = Finding::error("period-not-over", message).at(filing.place("facts/issued_on"));
        Some(finding.citing(tables::citation(RETURN_ORDER)))
    }

    /// The taxpayer: who files, sells or buys.
    fn taxpayer(&self) -> Option<&'a Party> {
        let filing = self.filing().or_else(|| self.entries.first())?;
        let document = filing.document();
        let own = filing.kind() == RETURN || filing.is_sale();
        Some(if own { &document.supplier } else { &document.customer })
    }

    /// A field of the head or foot of a register or return, and its place.
    pub(crate) fn value(&self, key: &str) -> (Cell, String) {
        let filing = self.filing();
        let fact = |name: &str| filing.and_then(|entry| entry.get(name));
        let place = match filing {
            Some(entry) => entry.place("facts"),
            None => "/entries".to_owned(),
        };
        let cell = match key {
            "taxpayer_name" | "taxpayer_bin" | "taxpayer_address" => {
                let field = key.trim_start_matches("taxpayer_");
                self.taxpayer().map_or(Cell::Empty, |party| party_cell(party, field))
            }
            "period" => text(Some(&self.period.code)),
            "return_kind" => text(fact("return_kind")),
            "submission" => text(filing.map(|entry| entry.register.facts.number.as_str())),
            "submitted_on" => filing.map_or(Cell::Empty, |entry| Cell::Day(entry.register.facts.issued_on)),
            // Signed and sealed by hand.
            "signature_seal" => Cell::Empty,
            _ => text(fact(key)),
        };
        (cell, place)
    }

    /// A balance carried in; nothing where it is not given.
    pub(crate) fn opening(&self, code: &str) -> Option<Decimal> {
        self.opening.iter().find(|balance| balance.code == code).map(|balance| balance.amount)
    }
}

fn check(entry: &Entry, period: &FiscalPeriod, findings: &mut Vec<Finding>) {
    let RegisterEntry { document, taxes, .. } = entry.register;
    let order = |finding: Finding| finding.citing(tables::citation(RETURN_ORDER));
    if entry.kind() == RETURN {
        return;
    }
    let same = document.lines.iter().map(|line| &line.id).eq(taxes.lines.iter().map(|line| &line.line_id));
    if !same {
        let message = "the determination is not that of the document's lines";
        findings.push(Finding::error("determination-mismatch", message).at(entry.place("taxes/lines")));
    }
    let day = document.tax_date;
    // A purchase may be credited later than its own period; the window is looked at where it is.
    let claims = credit::concerns(document) || entry.kind() == "import-entry";
    let earlier = day < period.starts && !is_certificate(entry) && (entry.is_sale() || !claims);
    if day > period.ends || earlier {
        let message = format!("a document of {day} does not stand in {}", period.code);
        findings.push(order(
            Finding::error("entry-outside-period", message).at(entry.place("document/tax_date")),
        ));
    }
    let sum = taxes.lines.iter().try_fold(Decimal::ZERO, |sum: Decimal, line| {
        let items =
            line.taxes.iter().try_fold(line.gross, |sum: Decimal, item| sum.checked_add(item.amount))?;
        sum.checked_add(items)?.checked_mul(Decimal::ONE)
    });
    let fits = sum.and_then(|sum| sum.checked_mul(entry.taka_rate)).is_some_and(crate::amounts::in_range);
    if !fits {
        let message = "the amounts of the document are too large";
        findings.push(Finding::error("amount-out-of-range", message).at(entry.place("taxes")));
    }
}

/// Whether it is a certificate of VAT that a customer deducted.
pub(crate) fn is_certificate(entry: &Entry) -> bool {
    entry.kind() == "withholding-certificate"
}
